"""Rows evaluated as IEEE 754 would: Python raises at poles and overflows, these answer.

The same text serves constant folding and, as a helper function, generated modules.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

from .row import Primitive

Number = int | float

MAX_BITS = 1023  # of an exact integer; beyond, a constant is a double
ABSORBING = 2**13  # with terms that differ by more, a sum keeps fewer than 12 digits of the smaller

QUIET = frozenset(
    {"abs", "arcsinh", "arctan", "arctan2", "cbrt", "copysign", "erf", "erfc", "hypot", "tanh"}
)  # functions of `math` that never raise


def absorbs(x: Number, y: Number) -> bool:
    """Whether the sum of two numbers loses digits that are needed if the larger one cancels."""
    small, large = sorted((abs(x), abs(y)))
    if not small or isinstance(x + y, int) or large <= ABSORBING * small:
        return False
    return math.isfinite(x + y) and abs(x + y) - large not in (small, -small)


def plus(x: Any, y: Any) -> Any:
    """The sum, as a fraction where a double would lose digits of the smaller number."""
    if not x:
        return y
    total = x + y
    if type(total) is int:
        return total
    exact = type(x) is Fraction or type(y) is Fraction
    if not (exact and math.isfinite(total)) and not absorbs(x, y):
        return total
    return Fraction(x) + Fraction(y)


def split(number: Any) -> list[Number]:
    """A number as doubles: two for a fraction that is none, whose sum it is but for rounding."""
    if type(number) is not Fraction:
        return [number]
    rest = number - Fraction(float(number))
    return [float(number), float(rest)] if rest else [float(number)]


def whole(number: Any) -> Any:
    """An integer where a finite number is one, else the number."""
    return int(number) if math.isfinite(number) and number == int(number) else number


def is_power_of_two(value: Number) -> bool:
    """Whether a product with this is exact, as long as it stays in the range; of either sign."""
    return abs(math.frexp(value)[0]) == 0.5


def doubles(numbers: Iterable[Any]) -> int:
    """How many doubles it takes to hold these numbers."""
    return sum([len(split(n)) if type(n) is Fraction else 1 for n in numbers])


def has_python(row: Primitive) -> bool:
    """Whether a row can be written with operators, builtins and `math`."""
    return bool(row.python or row.symbol)


def can_raise(row: Primitive) -> bool:
    """Whether Python raises somewhere that IEEE has an answer."""
    if row.python is None:
        return row.pole is not None
    conditional = " if " in row.python
    return bool(row.args) and not conditional and row.name not in QUIET


def expression(row: Primitive) -> str:
    """The row in Python, over its own argument names."""
    if row.python and "{" in row.python:
        return row.python.format(**{a: a for a in row.args})
    if row.python:
        return f"{row.python}({', '.join(row.args)})" if row.args else row.python
    if row.arity == 1:
        return f"{row.symbol} {row.args[0]}"
    return f"{row.args[0]} {row.symbol} {row.args[1]}"


def helper(row: Primitive) -> list[str]:
    """A Python function, `_log` for `log`, that answers where the plain expression raises."""
    arguments = ", ".join(row.args)
    shown = expression(row) if row.symbol else f"{row.name}({arguments})"
    lines = [
        f"def _{row.name}({arguments}):",
        f'    """{shown}, as IEEE 754 has it."""',
        "    try:",
        f"        return {expression(row)}",
    ]
    if row.overflow:
        lines += ["    except OverflowError:", f"        return {row.overflow}"]
    if row.pole or not row.overflow:
        error = "ValueError" if row.python else "ZeroDivisionError"
        lines += [f"    except {error}:", f"        return {row.pole or 'nan'}"]
    return lines


@cache
def evaluator(row: Primitive) -> Callable[..., float | int]:
    """The helper of a row as a function.  What is executed is the table's text, never a user's."""
    namespace: dict[str, object] = dict(vars(math))
    exec("\n".join(helper(row)), namespace)
    function = namespace[f"_{row.name}"]
    assert callable(function)
    return function


def _divide(x: int, y: int) -> Number | None:
    return x // y if y and x % y == 0 else None


def _power(x: int, y: int) -> Number | None:
    return x**y if y >= 0 and x.bit_length() * y <= MAX_BITS else None


EXACT: Mapping[str, Callable[..., Number | None]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "negative": operator.neg,
    "abs": abs,
    "divide": _divide,
    "power": _power,
}  # of integers, as long as the result is one
INTEGERS = frozenset({int, bool})


def evaluate(op: Primitive, values: Sequence[Number]) -> Number:
    """A row on constants: an exact integer where that is possible, else IEEE's double."""
    if op.name in EXACT and INTEGERS.issuperset(map(type, values)):
        result = EXACT[op.name](*values)
        if result is not None and (isinstance(result, float) or result.bit_length() <= MAX_BITS):
            return result
    return evaluator(op)(*map(_float, values))


def _float(value: Number) -> Number:
    """An integer as a double, infinite where it is too large for one."""
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    return float(value) if value.bit_length() <= MAX_BITS else math.copysign(math.inf, value)

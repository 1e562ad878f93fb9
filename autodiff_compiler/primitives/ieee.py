"""Rows evaluated as IEEE 754 would: Python raises at poles and overflows, these answer.

The same text serves constant folding and, as a helper function, generated modules.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

from .row import Primitive

QUIET = frozenset(
    {"abs", "arcsinh", "arctan", "arctan2", "cbrt", "copysign", "erf", "erfc", "hypot", "tanh"}
)  # functions of `math` that never raise


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
    return [
        f"def _{row.name}({', '.join(row.args)}):",
        "    try:",
        f"        return {expression(row)}",
        "    except OverflowError:",
        f"        return {row.overflow or 'inf'}",
        "    except (ValueError, ZeroDivisionError):",
        f"        return {row.pole or 'nan'}",
    ]


@cache
def evaluator(row: Primitive) -> Callable[..., float | int]:
    """The helper of a row as a function.  What is executed is the table's text, never a user's."""
    namespace: dict[str, object] = dict(vars(math))
    exec("\n".join(helper(row)), namespace)
    function = namespace[f"_{row.name}"]
    assert callable(function)
    return function

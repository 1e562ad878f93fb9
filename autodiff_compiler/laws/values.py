"""Constants beside a function that are values of it: in `sin(1 + h) - sin(1)`, and `2**x - 8`.

A constant knows what it was folded from; one that was written is the value at what an inverse
gives, if that is exact.  What laws say about two values of the function, they then say here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from ..graph import CONSTANT, DIVIDE, POWER, Graph, Node
from ..primitives import Primitive, lookup
from ..primitives.ieee import Number, whole

MAX_EXPONENT = 64  # of a whole power that is looked for
MAX_ROOT = 16  # the denominator of an exponent that is no whole number
E, EXP, LOG, LOG2, LOG10 = map(lookup, ("e", "exp", "log", "log2", "log10"))
SQRT, CBRT = lookup("sqrt"), lookup("cbrt")
CONSTANT_HEADS = frozenset({CONSTANT, E})

Inverse = Callable[..., Fraction | None]  # of a value, and of those arguments that are constants


def arguments_of(graph: Graph, node: Node, other: Node) -> tuple[Node, ...]:
    """The arguments of a node that is made like another; none, if it is not.

    Those of a constant are what it was folded from, or of what it is the exact value.
    """
    if node.op is other.op or other.op in CONSTANT_HEADS:
        return node.args
    if node.op not in CONSTANT_HEADS:
        return ()
    known = graph.notes.folded.get(node, {})
    arguments = known.get(other.op, ())
    if other.op is SQRT and POWER in known and known[POWER][1].is_constant(0.5):
        arguments = known[POWER][:1]
    if other.op is POWER and not any(a is b for a, b in zip(arguments, other.args, strict=False)):
        arguments = ()
    return arguments or _arguments(graph, other, node)


def _arguments(graph: Graph, function: Node, constant: Node) -> tuple[Node, ...]:
    """Constants of which a constant is the function's exact value; none, if there are none."""
    if constant.op is E:
        return (graph.constant(1),) if function.op is EXP else ()
    if constant.is_constant(1) and function.op is LOG:
        return (graph.intern(E),)
    find = INVERSES.get(function.op)
    if find is None or isinstance(constant.data, bool) or not math.isfinite(constant.data):
        return ()
    constants = [a.data if a.op is CONSTANT else None for a in function.args]
    found = _double(find, Fraction(constant.data), constants)
    if found is None:
        return ()
    argument = graph.constant(whole(found))
    return tuple(
        argument if c is None else a for a, c in zip(function.args, constants, strict=True)
    )


def _double(find: Inverse, value: Fraction, constants: Sequence[Number | None]) -> float | None:
    """What an inverse gives, if it gives a double, and not one that was rounded."""
    try:
        found = find(value, *constants)
        return float(found) if found is not None and float(found) == found else None
    except OverflowError:
        return None


def _logarithm(value: Fraction, base: float) -> Fraction | None:
    """The whole number whose power of the base this is."""
    if base <= 0 or base == 1 or value <= 0 or not math.isfinite(base):
        return None
    exponent = round(math.log(value) / math.log(base))
    small = abs(exponent) <= MAX_EXPONENT
    return Fraction(exponent) if small and Fraction(base) ** exponent == value else None


def _root(value: Fraction, exponent: float) -> Fraction | None:
    """The number whose power this is, if the exponent is a fraction such as 2/3, rounded."""
    if value <= 0 or not math.isfinite(exponent):
        return None
    power = Fraction(exponent).limit_denominator(MAX_ROOT)
    if float(power) != exponent or not 0 < abs(power) <= MAX_EXPONENT:
        return None
    p, q = power.numerator, power.denominator
    root = Fraction(float(value) ** (q / p))
    found = (f for f in (root, Fraction(round(root))) if f > 0 and f**p == value**q)
    return next(found, None)


def _power(value: Fraction, base: float | None, exponent: float | None) -> Fraction | None:
    if base is not None:
        return _logarithm(value, base)
    return None if exponent is None else _root(value, exponent)


def _reciprocal(value: Fraction, over: float | None, under: float | None) -> Fraction | None:
    return 1 / value if over == 1 and under is None and value else None


def _exponential(value: Fraction, base: int) -> Fraction | None:
    whole = value.denominator == 1 and abs(value) <= MAX_EXPONENT
    return Fraction(base) ** int(value) if whole else None


INVERSES: Mapping[Primitive, Inverse] = {
    CBRT: lambda value, _: value**3,
    LOG2: lambda value, _: _exponential(value, 2),
    LOG10: lambda value, _: _exponential(value, 10),
    POWER: _power,
    DIVIDE: _reciprocal,
}

"""Whole powers: by multiplication, their logarithms, and those of sums less that of a constant.

`(1 + h)**5 - 1` is `h` times a sum.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import NamedTuple

from ..graph import (
    ADD,
    CONSTANT,
    DIVIDE,
    MULTIPLY,
    NEGATIVE,
    POWER,
    SUBTRACT,
    SUMS,
    WHERE,
    Graph,
    Node,
    Rule,
)
from ..primitives import Primitive, lookup
from ..primitives.ieee import Number
from .algebra import Polynomial, made, polynomial, term

ABS, LESS, LOG, LOGABS = map(lookup, ("abs", "less", "log", "logabs"))
MAX_CHAIN = 16  # largest exponent turned into multiplications
POWERS = ("stable", "a power less that of its constant part")


def powers(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """Small integer powers as multiplications, `x**4` as `(x*x)*(x*x)`."""
    if op is POWER and heads[1] is CONSTANT:
        yield Rule(("powers", "integer power by multiplication"), _power)


def _power(graph: Graph, base: Node, exponent: Node) -> Node | None:
    value = exponent.data
    if not 2 <= abs(value) <= MAX_CHAIN or value != int(value):
        return None
    result = _chain(graph, base, abs(int(value)))
    return graph.apply(DIVIDE, graph.constant(1), result) if value < 0 else result


def _chain(graph: Graph, base: Node, exponent: int) -> Node:
    """`base**exponent` by repeated squaring."""
    result = None
    square = base
    while exponent:
        if exponent & 1:
            result = square if result is None else graph.apply(MULTIPLY, square, result)
        exponent >>= 1
        if exponent:
            square = graph.apply(MULTIPLY, square, square)
    assert result is not None
    return result


def power_less(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """The rule for a sum of a product, which may be a power, and a constant."""
    if op in SUMS and CONSTANT in heads and MULTIPLY in heads:
        yield Rule(POWERS, _less_constant(op))


def log_of_power(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """The rule for the logarithm of a product of one thing, which leaves the range before it."""
    if op is LOG and heads[0] is MULTIPLY:
        yield Rule(("stable", "log(x**n) -> n*log(x)"), _log_of_power)


def _log_of_power(graph: Graph, product: Node) -> Node | None:
    whole = term(graph, product)
    if len(whole.powers) != 1 or whole.coefficient != 1:
        return None
    ((index, exponent),) = whole.powers.items()
    if exponent < 2:
        return None
    logarithm = graph.apply(LOG if exponent % 2 else LOGABS, graph.nodes[index])
    return graph.apply(MULTIPLY, graph.constant(exponent), logarithm)


def is_near(graph: Graph, less: Node, value: Node) -> Node:
    """Whether a difference from a value is so small beside it that the subtraction cancels."""
    double = graph.apply(MULTIPLY, graph.constant(2), graph.apply(ABS, less))
    return graph.apply(LESS, double, graph.apply(ABS, value))


def _less_constant(op: Primitive) -> Callable[..., Node | None]:
    """The rule for a sum of a product and a constant."""

    def step(graph: Graph, left: Node, right: Node) -> Node | None:
        product, constant = (left, right) if right.op is CONSTANT else (right, left)
        if product.op is not MULTIPLY or constant.op is not CONSTANT:
            return None
        power = _power_of_sum(graph, product)
        if power is None or not power.starts_at(-constant.data if op is ADD else constant.data):
            return None
        near = graph.apply(MULTIPLY, power.rest, power.quotient(graph))
        if op is SUBTRACT and product is right:
            near = graph.apply(NEGATIVE, near)
        condition = is_near(graph, power.rest, graph.constant(power.start))
        return graph.apply(WHERE, condition, near, graph.intern(op, left, right))

    return step


class Power(NamedTuple):
    """A power of a sum: of its constant part, and of the rest."""

    base: Node
    start: Number
    rest: Node
    exponent: int

    def starts_at(self, value: Number) -> bool:
        """Whether the power of the constant part is exactly this."""
        return math.isfinite(value) and Fraction(self.start) ** self.exponent == Fraction(value)

    def quotient(self, graph: Graph) -> Node:
        """The power less that of the constant part, over the rest: a sum of products of powers."""
        total = graph.apply(ADD, self.base, graph.constant(self.start))
        for k in range(2, self.exponent):
            product = graph.apply(MULTIPLY, total, self.base)
            total = graph.apply(ADD, product, graph.constant(self.start**k))
        return total


def _power_of_sum(graph: Graph, product: Node) -> Power | None:
    whole = term(graph, product)
    if len(whole.powers) != 1 or whole.coefficient != 1 or not whole.sums:
        return None
    ((index, exponent),) = whole.powers.items()
    base = graph.nodes[index]
    terms: Polynomial = dict(polynomial(graph, base)) if base.op in SUMS else {}
    start = terms.pop((), 0)
    if exponent < 2 or not start or not terms:
        return None
    return Power(base, start, made(graph, terms, {}), exponent)

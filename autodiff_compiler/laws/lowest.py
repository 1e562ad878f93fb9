"""Quotients in lowest terms: no 0/0 where a common factor is 0, no slope that cancels near it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

from ..graph import CONSTANT, DIVIDE, SUMS, Graph, Node, Rule
from ..primitives import Primitive
from ..primitives.ieee import whole
from .algebra import (
    SQRT,
    Polynomial,
    Term,
    expanded,
    made,
    made_product,
    monomial_of,
    multiplied,
    polynomial,
    shares_factor,
    term,
)
from .sight import MAX_FACTORS, OPEN

MAX_DEGREE = 16  # of polynomials whose greatest common divisor is looked for
LOWEST = ("lowest", "a quotient in lowest terms")

Coefficients = list[Fraction]  # of the powers of one variable, from that of 0 on


def lowest(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """Quotients whose sides have a factor in common."""
    if op is DIVIDE and heads[1] is not CONSTANT:
        yield Rule(LOWEST, _one if OPEN.isdisjoint(heads) else reduced)


def _one(graph: Graph, above: Node, below: Node) -> Node | None:
    """Of two operations that are no products or sums, the quotient if they are one."""
    return graph.constant(1) if above is below and graph.is_program else None


def reduced(graph: Graph, above: Node, below: Node) -> Node | None:
    """A quotient of a program without its common factors, if there are any."""
    if not graph.is_program:
        return None
    if above is below:
        return graph.constant(1)
    if above.op in SUMS and below.op not in OPEN and _has_another(above, below):
        return None
    over, under = term(graph, above), term(graph, below)
    if shares_factor(over, under):
        return _quotient(graph, over, under)
    found = None
    if above.op in SUMS and below.op not in SUMS:
        found = _term_by_term(graph, above, under)
    if found is None and over.sums and under.sums:
        found = _without_divisor(graph, over, under)
    return found


def _has_another(total: Node, factor: Node) -> bool:
    """Whether the last term of a sum is, at sight, something else."""
    last = total.args[1]
    return last.op not in OPEN and last is not factor


def _quotient(graph: Graph, over: Term, under: Term) -> Node | None:
    powers = multiplied(over.powers, under.powers, -1)
    if sum(map(abs, powers.values())) > MAX_FACTORS:
        return None
    node = made_product(graph, graph.constant(over.coefficient), powers)
    return _divided(graph, node, under)


def _divided(graph: Graph, node: Node, under: Term) -> Node:
    """A node divided by the coefficient of a term."""
    if under.coefficient == 1:
        return node
    return graph.apply(DIVIDE, node, graph.constant(under.coefficient))


def _term_by_term(graph: Graph, total: Node, under: Term) -> Node | None:
    """A sum divided by a product that divides each of its terms."""
    terms = polynomial(graph, total)
    if not under.powers or under.below:
        return None
    if any(dict(m).get(i, 0) < e for m in terms for i, e in under.powers.items()):
        return None
    rest = {monomial_of(multiplied(dict(m), under.powers, -1)): c for m, c in terms.items()}
    return _divided(graph, made(graph, rest, {}), under)


def _without_divisor(graph: Graph, over: Term, under: Term) -> Node | None:
    """A quotient of two polynomials in one variable without their greatest common divisor."""
    sides = [expanded(graph, t.coefficient, t.powers) for t in (over, under)]
    variable = _variable(graph, {i for side in sides for m in side or () for i, _ in m})
    if variable is None:
        return None
    first, second = (_coefficients(side, variable) for side in sides)
    divisor = _common_divisor(first, second) if first and second else []
    if len(divisor) < 2:
        return None
    parts = [_polynomial(_division(side, divisor)[0], variable) for side in (first, second)]
    upper, lower = (made(graph, part, {}) for part in parts)
    return upper if lower.is_constant(1) else graph.apply(DIVIDE, upper, lower)


def _variable(graph: Graph, found: set[int]) -> int | None:
    """The one variable of all of these, which may be its own root and itself."""
    for i in found if len(found) <= 2 else ():
        node = graph.nodes[i]
        if node.op is not CONSTANT and found <= {i, *_squared(node)}:
            return i
    return None


def _squared(node: Node) -> Iterator[int]:
    """What a root is the root of."""
    if node.op is SQRT:
        yield node.args[0].index


def _coefficients(side: Polynomial | None, variable: int) -> Coefficients:
    """The coefficients by one variable; none of what has a negative or a large power."""
    found: dict[int, Fraction] = {0: Fraction(0)}
    for monomial, coefficient in (side or {}).items():
        degree = sum(e if i == variable else 2 * e for i, e in monomial)
        if not 0 <= degree <= MAX_DEGREE or not math.isfinite(coefficient):
            return []
        found[degree] = found.get(degree, Fraction(0)) + Fraction(coefficient)
    return _trimmed([found.get(k, Fraction(0)) for k in range(max(found) + 1)])


def _trimmed(coefficients: Coefficients) -> Coefficients:
    while coefficients and not coefficients[-1]:
        coefficients.pop()
    return coefficients


def _common_divisor(first: Coefficients, second: Coefficients) -> Coefficients:
    """The greatest, by Euclid's algorithm, with 1 as its last coefficient."""
    while second:
        first, second = second, _division(first, second)[1]
    return [c / first[-1] for c in first]


def _division(dividend: Coefficients, divisor: Coefficients) -> tuple[Coefficients, Coefficients]:
    """The quotient and the remainder."""
    rest, quotient = dividend.copy(), list[Fraction]()
    for k in reversed(range(len(dividend) - len(divisor) + 1)):
        quotient.insert(0, rest[k + len(divisor) - 1] / divisor[-1])
        for j, c in enumerate(divisor):
            rest[k + j] -= quotient[0] * c
    return quotient, _trimmed(rest)


def _polynomial(coefficients: Coefficients, variable: int) -> Polynomial:
    powers = (monomial_of({variable: k} if k else {}) for k in range(len(coefficients)))
    return {m: whole(c) for m, c in zip(powers, coefficients, strict=True) if c}

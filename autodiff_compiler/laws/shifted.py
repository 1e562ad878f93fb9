"""Sums of exponentials that have weights, in logarithms and quotients: less by a whole number.

Whole numbers have no slope, so that derivatives are those of the sum; near 0 nothing is shifted.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial, reduce
from operator import itemgetter
from typing import NamedTuple

from ..graph import ADD, AND, CONSTANT, DIVIDE, MULTIPLY, NEGATIVE, SUMS, WHERE, Graph, Node, Rule
from ..primitives import ARRAYS, Primitive, lookup
from ..primitives.axes import Axes
from .exponentials import EXP, EXPAND, LOG, MATMUL, Exponential, exponential_of
from .norms import added, scaled, signed, summed

ABS, FLOOR, LESS, MAXIMUM = map(lookup, ("abs", "floor", "less", "maximum"))
AMAX = ARRAYS["amax"]
TERMS = SUMS | {MULTIPLY, DIVIDE, NEGATIVE, EXP}
FAR = 60  # nearer to 0, exponentials are in range, and so are usual products with them


def shifted(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """The rules for sums that no function is for."""
    if op is LOG and heads[0] is ADD:
        rule = ("stable", "log(a*exp(x) + b*exp(y) + ...) -> m + log(a*exp(x - m) + ...)")
        yield Rule(rule, _log_of_sum)
    if op is LOG and heads[0] in (MULTIPLY, DIVIDE):
        rule = ("stable", "log(n*(a*exp(x) + b*exp(y) + ...)) -> log(n) + log(a*exp(x) + ...)")
        yield Rule(rule, _log_of_scaled)
    if op is LOG and heads[0] is MATMUL:
        yield Rule(("stable", "log(exp(A) @ B) -> m + log(exp(A - m) @ B)"), _log_of_product)
    if op is DIVIDE and heads[0] in TERMS and heads[1] in SUMS:
        rule = ("stable", "(a*exp(x) + ...)/(b*exp(y) + ...), both divided by exp(m)")
        yield Rule(rule, _quotient)


def _log_of_sum(graph: Graph, total: Node) -> Node | None:
    """The shift is near the largest exponent."""
    terms = [exponential_of(graph, (term,)) for term in added(total)]
    exponents = [term.exponent for term in terms if term is not None]
    if not graph.is_program or len(exponents) < len(terms):
        return None
    shift = _whole(graph, reduce(partial(graph.apply, MAXIMUM), exponents))
    less = [term.less(graph, shift) for term in terms if term is not None]
    rest = graph.intern(LOG, reduce(partial(graph.apply, ADD), less))
    return graph.apply(ADD, shift, rest)


def _log_of_scaled(graph: Graph, product: Node) -> Node | None:
    """A constant times a sum of exponentials."""
    scale, total = scaled(product)
    if scale <= 0 or total is None or total.op is not ADD or not graph.is_program:
        return None
    if any(exponential_of(graph, (term,)) is None for term in added(total)):
        return None
    return graph.apply(ADD, graph.apply(LOG, graph.constant(scale)), graph.apply(LOG, total))


def _quotient(graph: Graph, above: Node, below: Node) -> Node | None:
    """The shift is near the largest exponent below; what is no exponential has the exponent 0."""
    if not graph.is_program or EXP not in graph.heads:
        return None
    over, under = (_terms(graph, side) for side in (above, below))
    if not _exponentials(over) or _exponentials(under) < (1 if above.op in SUMS else 2):
        return None  # of one beside a constant, laws know
    exponents = dict.fromkeys(term.power.exponent for term in under)
    shift = _whole(graph, reduce(partial(graph.apply, MAXIMUM), exponents))
    return graph.intern(DIVIDE, *(_total(graph, side, shift) for side in (over, under)))


class Term(NamedTuple):
    """A term of a sum; what is no exponential is the weight of one of 0."""

    sign: int
    power: Exponential


def _terms(graph: Graph, total: Node) -> list[Term]:
    """The terms of a sum; none if they are too many."""
    parts = ((sign, part, exponential_of(graph, (part,))) for sign, part in signed(total))
    zero = graph.constant(0)
    return [Term(sign, found or Exponential(zero, part)) for sign, part, found in parts]


def _exponentials(terms: Iterable[Term]) -> int:
    """How many terms are exponentials."""
    return sum(term.power.exponent.op is not CONSTANT for term in terms)


def _total(graph: Graph, terms: Iterable[Term], shift: Node) -> Node:
    """A sum of terms whose exponents are less."""
    less = [(sign, power.less(graph, shift)) for sign, power in terms]
    return summed(graph, sorted(less, key=itemgetter(0), reverse=True))


def _whole(graph: Graph, largest: Node) -> Node:
    """A whole number near an exponent; 0 if that is in range, or infinite."""
    size = graph.apply(ABS, largest)
    bounds = (graph.constant(FAR), size), (size, graph.constant(math.inf))
    is_far = graph.apply(AND, *(graph.apply(LESS, *pair) for pair in bounds))
    return graph.apply(WHERE, is_far, graph.apply(FLOOR, largest), graph.constant(0))


def _log_of_product(graph: Graph, product: Node) -> Node | None:
    """Shifts are near the largest exponents of rows on the left, and of columns on the right."""
    if not graph.is_program:
        return None
    axes = -1, max(-2, -len(product.args[1].shape))
    sides = [_less(graph, *side) for side in zip(product.args, axes, strict=True)]
    shifts = [shift for _, shift in sides if shift is not None]
    if not shifts:
        return None
    left, right = sides
    logarithm = graph.intern(LOG, graph.make(MATMUL, (left.node, right.node)))
    if left.shift is not None and left.shift.shape and len(right.node.shape) > 1:
        shifts[0] = graph.make(EXPAND, (left.shift,), (-1,))
    return reduce(partial(graph.apply, ADD), shifts, logarithm)


class Less(NamedTuple):
    """An array, divided by the exponentials of shifts along an axis."""

    node: Node
    shift: Node | None


def _less(graph: Graph, side: Node, axis: int) -> Less:
    """Products with exponentials, with smaller exponents; anything else is as it was."""
    found = exponential_of(graph, (side,))
    if found is None or found.exponent.shape != side.shape:
        return Less(side, None)
    largest = graph.make(AMAX, (found.exponent,), Axes((axis,)))
    shift = _whole(graph, largest)
    return Less(found.less(graph, graph.make(EXPAND, (shift,), (axis,))), shift)

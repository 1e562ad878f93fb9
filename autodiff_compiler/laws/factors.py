"""Passes over sums with common factors: terms that cancel, and fewer multiplications."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

from ..graph import ADD, CONSTANT, MULTIPLY, SUBTRACT, SUMS, WHERE, Graph, Node, Rule
from ..primitives import Primitive, lookup
from ..primitives.ieee import Number
from .algebra import collected
from .sight import PRODUCTS

ABS, LESS = lookup("abs"), lookup("less")


def collect(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """Sums whose terms cancel once their common factors are taken out."""
    if op in SUMS and not (SUMS | PRODUCTS).isdisjoint(heads):
        rule = ("collect", "terms that cancel are collected")
        yield Rule(rule, partial(_collected, op))


def _collected(op: Primitive, graph: Graph, left: Node, right: Node) -> Node | None:
    """The sum of what terms have left; at poles, where both are infinite, as it was."""
    found = collected(graph, left, right, 1 if op is ADD else -1)
    if found is None or not graph.at_poles:
        return found
    is_finite = graph.apply(LESS, graph.apply(ABS, found), graph.constant(math.inf))
    return graph.apply(WHERE, is_finite, found, graph.intern(op, left, right))


def factors(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """Sums of multiples, in derivatives: with `r = 200*v`, `2*w + 400*(v*x)` is `2*(w + r*x)`."""
    if op in (ADD, SUBTRACT) and heads == (MULTIPLY, MULTIPLY):
        yield Rule(("factors", "a common factor, of what is there"), partial(_factored, op))


def _factored(op: Primitive, graph: Graph, left: Node, right: Node) -> Node | None:
    if graph.is_program or left.args[0].op is not CONSTANT or right.args[0].op is not CONSTANT:
        return None
    scales = left.args[0], right.args[0]
    if (more := _rest(graph, scales[0], right)) is not None:
        return graph.apply(MULTIPLY, scales[0], graph.apply(op, left.args[1], more))
    if (more := _rest(graph, scales[1], left)) is not None:
        return graph.apply(MULTIPLY, scales[1], graph.apply(op, more, right.args[1]))
    return None


def _rest(graph: Graph, scale: Node, product: Node) -> Node | None:
    """What `scale` times is `product`, if a multiple of one of its factors is there for it."""
    multiple, inner = product.args
    ratio = _ratio(multiple.data, scale.data)
    if ratio is None or inner.op is not MULTIPLY:
        return None
    for k, factor in enumerate(inner.args):
        known = graph.known(MULTIPLY, (graph.constant(ratio), factor))
        if known is not None:
            return graph.apply(MULTIPLY, known, inner.args[1 - k])
    return None


def _ratio(above: Number, below: Number) -> Number | None:
    """The quotient of two constants if nothing is rounded, and no product with `below` is less."""
    ratio = above / below if abs(below) >= 1 else math.nan
    if ratio * below != above:
        return None
    return int(ratio) if type(above) is int and ratio == int(ratio) else ratio

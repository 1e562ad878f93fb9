"""Multiples of functions that are 1 at 0, less the same multiple of 1: `r*cos(x) - r`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from ..graph import MULTIPLY, NEGATIVE, SUBTRACT, Graph, Node, Rule
from ..primitives import Primitive, lookup

LESS_ONE: Mapping[Primitive, Primitive] = {
    lookup("cos"): lookup("cosm1"),
    lookup("cosh"): lookup("coshm1"),
    lookup("exp"): lookup("expm1"),
}


def multiples(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """The rules for differences of a product and one of its factors."""
    name = "y*f(x) - y -> y*(f(x) - 1) for " + ", ".join(row.name for row in LESS_ONE)
    if op is SUBTRACT and heads[0] is MULTIPLY:
        yield Rule(("stable", name), partial(_less, 1))
    if op is SUBTRACT and heads[1] is MULTIPLY:
        yield Rule(("stable", name), partial(_less, -1))


def _less(sign: int, graph: Graph, left: Node, right: Node) -> Node | None:
    """A product less its other factor, or with a negative sign that less the product."""
    if not graph.is_program or LESS_ONE.keys().isdisjoint(graph.heads):
        return None
    product, factor = (left, right) if sign > 0 else (right, left)
    for other, function in (product.args, product.args[::-1]):
        if other is factor and function.op in LESS_ONE:
            less = graph.apply(LESS_ONE[function.op], *function.args)
            found = graph.apply(MULTIPLY, factor, less)
            return found if sign > 0 else graph.apply(NEGATIVE, found)
    return None

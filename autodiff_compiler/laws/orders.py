"""Bessel functions of whole orders, by functions of their own: faster, and laws know them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

from ..graph import CONSTANT, Graph, Node, Rule
from ..primitives import Primitive, lookup

ORDERS: Mapping[Primitive, tuple[Primitive, ...]] = {  # of order 0, and of order 1
    lookup(f"{kind}v"): (lookup(f"{kind}0"), lookup(f"{kind}1")) for kind in "jyik"
}


def orders(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """The rule for a function of a constant order."""
    if op in ORDERS and heads[0] is CONSTANT:
        origin = f"{op.name}(0, x) -> {op.name[0]}0(x), {op.name}(1, x) -> {op.name[0]}1(x)"
        yield Rule(("stable", origin), partial(_of_order, ORDERS[op]))


def _of_order(rows: tuple[Primitive, ...], graph: Graph, order: Node, x: Node) -> Node | None:
    return graph.apply(rows[int(order.data)], x) if order.data in (0, 1) else None

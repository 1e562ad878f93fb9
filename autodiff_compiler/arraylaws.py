"""Simplifications of elementwise operations on arrays: what repeats an array, and norms squared."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from .graph import BROADCAST, CONSTANT, MULTIPLY, POWER, Graph, Node, Rule
from .primitives import ARRAYS, ArrayPrimitive, Primitive, lookup
from .shapes import ShapeError

NORM, SUM, DET, LOGDET = (ARRAYS[n] for n in ("norm2", "sum", "det", "logdet"))
LOG, ABS = lookup("log"), lookup("abs")


def arrays(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """The rules for an elementwise operation on arrays made by `heads`."""
    if isinstance(op, ArrayPrimitive):
        return
    if BROADCAST in heads:
        rule = ("arrays", "what is repeated by an operation is not repeated before")
        yield Rule(rule, partial(_unspread, op))
    if op is MULTIPLY and heads == (NORM, NORM):
        yield Rule(SQUARED, lambda graph, x, y: _squared(graph, x) if x is y else None)
    if op is POWER and heads == (NORM, CONSTANT):
        yield Rule(SQUARED, lambda graph, x, n: _squared(graph, x) if n.is_constant(2) else None)

    if op is LOG and heads == (ABS,):
        rule = ("arrays", "log(abs(det(A))) -> logdet(A), which does not overflow")
        yield Rule(rule, _log_determinant)


def _log_determinant(graph: Graph, size: Node) -> Node | None:
    found = size.args[0]
    return graph.make(LOGDET, found.args) if found.op is DET else None


SQUARED = ("arrays", "norm2(x)**2 -> sum(x*x)")


def _squared(graph: Graph, norm: Node) -> Node:
    x = norm.args[0]
    return graph.make(SUM, (graph.apply(MULTIPLY, x, x),), norm.data)


def _unspread(op: Primitive, graph: Graph, *args: Node) -> Node | None:
    """The operation on what was repeated; `graph.apply` repeats the result, if that is needed."""
    parts = tuple(a.args[0] if a.op is BROADCAST else a for a in args)
    try:
        return graph.apply(op, *parts)
    except ShapeError:
        return None

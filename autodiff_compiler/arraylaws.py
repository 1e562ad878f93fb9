"""Simplifications of elementwise operations on arrays: what repeats an array, and norms squared."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from .graph import BROADCAST, CONSTANT, DIVIDE, MULTIPLY, POWER, SUBTRACT, Graph, Node, Rule
from .primitives import ARRAYS, ArrayPrimitive, Primitive, lookup
from .primitives.axes import Axes
from .shapes import ShapeError

NORM, SUM, DET, LOGDET = (ARRAYS[n] for n in ("norm2", "sum", "det", "logdet"))
MATMUL, LOGSUMEXP = ARRAYS["matmul"], ARRAYS["logsumexp"]
SUMS = frozenset({SUM, ARRAYS["index"], ARRAYS["expand_dims"]})  # and what is taken of them
LOG, ABS, SQRT, EXP = (lookup(name) for name in ("log", "abs", "sqrt", "exp"))


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


def whole(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """Sums over arrays that overflow or have no slope at 0, in the form that does not and has."""
    if op is SQRT and heads in ((SUM,), (MATMUL,)):
        yield Rule(("stable", "sqrt(sum(x*x)) -> norm(x)"), _norm)
    if op is LOG and heads[0] in SUMS:
        yield Rule(("stable", "log(sum(exp(x))) -> logsumexp(x)"), _logsumexp)
    if op is DIVIDE and heads[0] is EXP and heads[1] in SUMS:
        yield Rule(("stable", "exp(x)/sum(exp(x)) -> exp(x - logsumexp(x))"), _softmax)


def _norm(graph: Graph, squared: Node) -> Node | None:
    factors = squared.args if squared.op is MATMUL else squared.args[0].args
    product = squared.op is MATMUL or squared.args[0].op is MULTIPLY
    if not product or factors[0] is not factors[1] or (squared.op is MATMUL and squared.shape):
        return None
    axes = Axes((-1,)) if squared.op is MATMUL else squared.data
    return graph.make(NORM, (factors[0],), axes)


def _logsumexp(graph: Graph, total: Node) -> Node | None:
    inside = _summed(total)
    return _logarithm(graph, total, inside) if inside is not None and inside.op is EXP else None


def _softmax(graph: Graph, above: Node, total: Node) -> Node | None:
    if _summed(total) is not above:
        return None
    return graph.apply(EXP, graph.apply(SUBTRACT, above.args[0], _logarithm(graph, total, above)))


def _summed(total: Node) -> Node | None:
    """What is summed up, whether the sum is taken as it is or with further axes."""
    found = total if total.op is SUM else total.args[0]
    return found.args[0] if found.op is SUM else None


def _logarithm(graph: Graph, total: Node, power: Node) -> Node:
    """The logarithm of a sum of exponentials, with the axes that the sum is taken with."""
    if total.op is SUM:
        return graph.make(LOGSUMEXP, power.args, total.data)
    inner = graph.make(LOGSUMEXP, power.args, total.args[0].data)
    return graph.rebuild(total, (inner, *total.args[1:]), graph.apply)


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

"""Simplifications of elementwise operations on arrays: what repeats an array, and norms squared."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial, reduce

from ..graph import ADD, BROADCAST, CONSTANT, DIVIDE, MULTIPLY, POWER, WHERE, Graph, Node, Rule
from ..primitives import ARRAYS, ArrayPrimitive, Primitive, lookup
from ..primitives.axes import Axes
from .exponentials import log_of_sum
from .norms import Inverse, added, combined, exponent_of, root_of, scaled

NORM, SUM = ARRAYS["norm2"], ARRAYS["sum"]
DET, LOGDET, LOG_DET = ARRAYS["det"], ARRAYS["logdet"], ARRAYS["log_det"]
MATMUL, PROD = ARRAYS["matmul"], ARRAYS["prod"]
LOG, ABS, SQRT, SIGN, LESS = map(lookup, ("log", "abs", "sqrt", "sign", "less"))
POSITIVE = frozenset({lookup("exp"), lookup("expit"), ARRAYS["softmax"]})
HYPOT, LOGADDEXP = lookup("hypot"), lookup("logaddexp")


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
    if op is LOG and heads == (DET,):
        rule = ("arrays", "log(det(A)) -> log_det(A), which does not overflow")
        yield Rule(rule, lambda graph, found: graph.make(LOG_DET, found.args))


def whole(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """Sums over arrays that overflow or have no slope at 0, in the form that does not and has."""
    if op is SQRT and heads[0] in {SUM, MATMUL, MULTIPLY, DIVIDE}:
        yield Rule(("stable", "sqrt(sum(x*x)/y) -> norm(x)/sqrt(y)"), _norm)
    if op is SQRT and heads[0] is ADD:
        rule = ("stable", "sqrt(sum(x*x) + y*y + ...) -> hypot(norm(x), y, ...)")
        yield Rule(rule, partial(_joined, HYPOT, root_of, _plain_norm))
    if op is LOG and heads[0] is ADD:
        rule = ("stable", "log(sum(exp(x)) + exp(y) + ...) -> logaddexp(logsumexp(x), y, ...)")
        yield Rule(rule, partial(_joined, LOGADDEXP, exponent_of, log_of_sum))
    if op is LOG and heads[0] is PROD:
        rule = ("stable", "log(prod(x)) -> where(prod(sign(x)) < 0, nan, sum(log(abs(x))))")
        yield Rule(rule, _log_of_product)
    if op is DIVIDE and heads[1] in {SUM, MATMUL, MULTIPLY}:
        rule = ("stable", "f(norm(x))/sum(x*x) as f(y)/(y*y), and of sum(x*x)*norm(x) as of y**3")
        yield Rule(rule, _over_norm)


def _log_of_product(graph: Graph, product: Node) -> Node:
    """A product of as many factors as a likelihood has underflows."""
    (x,) = product.args
    if x.op in POSITIVE:
        return graph.make(SUM, (graph.apply(LOG, x),), product.data)
    sign = graph.make(PROD, (graph.apply(SIGN, x),), product.data)
    total = graph.make(SUM, (graph.apply(LOG, graph.apply(ABS, x)),), product.data)
    is_negative = graph.apply(LESS, sign, graph.constant(0))
    return graph.apply(WHERE, is_negative, graph.constant(math.nan), total)


def _over_norm(graph: Graph, above: Node, below: Node) -> Node | None:
    """Something over the square of a norm, or its cube, by the laws of squares and cubes."""
    if NORM not in graph.heads:
        return None
    factors = below.args if below.op is MULTIPLY else (below,)
    norms = [_plain_norm(graph, factor) for factor in factors]
    norm = next((n for n in norms if n is not None and n.op is NORM), None)
    others = [f for f, n in zip(factors, norms, strict=True) if n is None]
    if norm is None or others not in ([], [norm]):
        return None
    power = reduce(partial(graph.intern, MULTIPLY), [norm, norm, *others])
    found = graph.apply(DIVIDE, above, power)
    return None if found.op is DIVIDE and found.args == (above, power) else found


def _norm(graph: Graph, squared: Node) -> Node | None:
    """The root of a sum of squares, which may be multiplied or divided by a number."""
    if squared.op is DIVIDE and not squared.args[1].shape:
        return _scaled_norm(graph, DIVIDE, *squared.args)
    if squared.op is MULTIPLY and not squared.args[0].shape:
        return _scaled_norm(graph, MULTIPLY, *squared.args[::-1])
    return _plain_norm(graph, squared)


def _scaled_norm(graph: Graph, op: Primitive, squared: Node, scale: Node) -> Node | None:
    norm = _plain_norm(graph, squared)
    return norm and graph.apply(op, norm, graph.apply(SQRT, scale))


def _plain_norm(graph: Graph, squared: Node) -> Node | None:
    if squared.op is not SUM and (squared.op is not MATMUL or squared.shape):
        return None
    product = squared.args[0] if squared.op is SUM else squared
    if product.op is ADD:
        parts = [root_of(graph, part) for part in added(product)]
        if any(part is None or part.shape != product.shape for part in parts):
            return None
        norms = [part and graph.make(NORM, (part,), squared.data) for part in parts]
        return combined(graph, HYPOT, norms)
    if product.op not in (MULTIPLY, MATMUL) or product.args[0] is not product.args[1]:
        return None
    axes = squared.data if squared.op is SUM else Axes((-1,))
    return graph.make(NORM, (product.args[0],), axes)


def _joined(
    op: Primitive, term_of: Callable[..., Node | None], whole: Inverse, graph: Graph, total: Node
) -> Node | None:
    """A function of a sum by what its terms are made of, some of them of whole arrays."""
    terms = added(total)
    inner = [part for _, part in map(scaled, terms) if part is not None]
    if not any(whole(graph, part) for part in inner):
        return None
    return combined(graph, op, [term_of(graph, term, whole) for term in terms])


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
    return graph.apply(op, *parts)

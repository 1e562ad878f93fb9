"""Sums of exponentials over axes: their logarithms, and shares of them, which do not overflow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial, reduce
from typing import NamedTuple

from .graph import (
    ADD,
    BROADCAST,
    DIVIDE,
    INDEX,
    MULTIPLY,
    SUBTRACT,
    WHERE,
    Graph,
    Node,
    Rule,
)
from .primitives import ARRAYS, Primitive, lookup
from .primitives.axes import ALL, Axes, New
from .shapes import Shape, broadcast

EXP, LOG = lookup("exp"), lookup("log")
MATMUL, SUM = ARRAYS["matmul"], ARRAYS["sum"]
LOGSUMEXP, WEIGHTED = ARRAYS["logsumexp"], ARRAYS["weighted_logsumexp"]
SOFTMAX, LOG_SOFTMAX = ARRAYS["softmax"], ARRAYS["log_softmax"]
EXPAND, PRODUCTS = ARRAYS["expand_dims"], frozenset({MULTIPLY, DIVIDE})
VIEWS = frozenset({INDEX, EXPAND})
TAKEN = VIEWS | {ARRAYS["transpose"], ARRAYS["diagonal"]}  # of all elements, some
SUMS = VIEWS | {SUM, MATMUL}  # and what is taken of them
MOST = 16  # factors that are looked at


class Exponentials(NamedTuple):
    """A sum over axes of exponentials, which may be multiplied by weights."""

    exponent: Node
    weight: Node | None
    axes: Axes


def totals(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """The rules for what is made of sums of exponentials."""
    if op is LOG and heads[0] in SUMS | PRODUCTS:
        yield Rule(("stable", "log(sum(b*exp(x))/y) -> logsumexp(x, b=b) - log(y)"), _log)
    if op is DIVIDE and heads[0] is EXP and heads[1] in SUMS:
        yield Rule(("stable", "exp(x)/sum(exp(x)) -> softmax(x)"), _softmax)
    if op is DIVIDE and heads[1] in SUMS:
        yield Rule(("stable", "sum(a*exp(x))/sum(exp(x)) -> sum(a*softmax(x))"), _mean)
    if op is SUBTRACT and heads[1] in VIEWS | {LOGSUMEXP}:
        yield Rule(("stable", "x - logsumexp(x) -> log_softmax(x)"), _log_softmax)
    if op is LOG and heads[0] in TAKEN | {SOFTMAX}:
        yield Rule(("stable", "log(softmax(x)) -> log_softmax(x)"), _log_of_softmax)


def _read(graph: Graph, total: Node) -> Exponentials | None:
    """A sum over axes, or a product with a vector, of exponentials of as many elements."""
    if total.op is SUM:
        return _product(graph, total.args, total.data)
    if total.op is not MATMUL:
        return None
    left, right = total.args
    if len(right.shape) == 1:
        return _product(graph, (left, right), Axes((-1,)), left)
    if len(left.shape) == 1 and right.op in PRODUCTS | {EXP}:
        column = graph.make(EXPAND, (left,), (-1,))
        return _product(graph, (right, column), Axes((-2,)), right)
    return None


def _product(
    graph: Graph, factors: tuple[Node, ...], axes: Axes, whole: Node | None = None
) -> Exponentials | None:
    """What a product has of exponentials, and of other factors; they vary along all of the axes."""
    powers, above, below = _factors(graph, factors)
    if not powers:
        return None
    exponent = reduce(partial(graph.apply, ADD), (power.args[0] for power in powers))
    shape = broadcast(factor.shape for factor in factors)
    if not _varies(exponent.shape, shape, axes) or (whole and exponent.shape != whole.shape):
        return None
    weight = reduce(partial(graph.apply, MULTIPLY), above) if above else None
    if below:
        weight = reduce(partial(graph.apply, DIVIDE), below, weight or graph.constant(1))
    return Exponentials(exponent, weight, axes)


def _unmasked(graph: Graph, factor: Node) -> Node:
    """An exponential that stands only where something holds, and else 0, as one of -inf."""
    if factor.op is WHERE and factor.args[1].op is EXP and factor.args[2].is_constant(0):
        condition, power, _ = factor.args
        masked = graph.apply(WHERE, condition, power.args[0], graph.constant(-math.inf))
        return graph.apply(EXP, masked)
    return factor


def _factors(graph: Graph, product: Iterable[Node]) -> tuple[list[Node], list[Node], list[Node]]:
    """The exponentials of a product, its other factors, and its divisors."""
    powers, above, below, pending = [], [], list[Node](), list(product)
    for node in pending:  # which grows
        part = _unmasked(graph, node)
        if node.op in PRODUCTS and len(pending) < MOST:
            pending += node.args if node.op is MULTIPLY else node.args[:1]
            below += node.args[1:] if node.op is DIVIDE else ()
        elif part.op is EXP:
            powers.append(part)
        else:
            above.append(node)
    return powers, above, below


def _log(graph: Graph, total: Node) -> Node | None:
    """Of a sum, or of what is taken of one, which may be multiplied or divided by a number."""
    if total.op not in PRODUCTS:
        return log_of_sum(graph, total)
    inner, scale = total.args
    if total.op is MULTIPLY and _viewed(inner).op not in SUMS:
        inner, scale = scale, inner
    return None if scale.shape else log_of_sum(graph, inner, total.op, scale)


def log_of_sum(
    graph: Graph, total: Node, op: Primitive | None = None, scale: Node | None = None
) -> Node | None:
    """The logarithm of a sum of exponentials, or of what is taken of one, in some scale."""
    found = _read(graph, _viewed(total))
    if found is None:
        return None
    if op is not None and scale is not None:
        weight = graph.apply(op, found.weight or graph.constant(1), scale)
        found = found._replace(weight=weight)
    result = _logarithm(graph, found)
    return _retaken(graph, result, total) if total.op in VIEWS else result


def _logarithm(graph: Graph, of: Exponentials) -> Node:
    if of.weight is None:
        return graph.make(LOGSUMEXP, (of.exponent,), of.axes)
    if not of.weight.shape:
        plain = graph.make(LOGSUMEXP, (of.exponent,), of.axes)
        if of.weight.op is DIVIDE and of.weight.args[0].is_constant(1):
            return graph.apply(SUBTRACT, plain, graph.apply(LOG, of.weight.args[1]))
        return graph.apply(ADD, plain, graph.apply(LOG, of.weight))
    parts = of.exponent, of.weight
    shape = broadcast(part.shape for part in parts)
    whole = tuple(graph.make(BROADCAST, (part,), shape) for part in parts)
    return graph.make(WEIGHTED, whole, of.axes)


def _softmax(graph: Graph, above: Node, total: Node) -> Node | None:
    inner = _viewed(total)
    if (
        inner.op is not SUM
        or inner.args[0] is not above
        or not _is_beside(above, total, inner.data)
    ):
        return None
    return graph.make(SOFTMAX, above.args, inner.data._replace(keepdims=False))


def _mean(graph: Graph, above: Node, total: Node) -> Node | None:
    """Exponentials times something, or sums of them over the same axes, over a sum of them."""
    below = _read(graph, _viewed(total)) if graph.is_program and EXP in graph.heads else None
    power = graph.known(EXP, (below.exponent,)) if below else None
    if below is None or power is None:
        return None
    inner = _viewed(above)
    if inner.op is MATMUL:
        fits = _is_product_over(power, inner, total, below.axes)
    elif inner.op is SUM:
        alike = inner.data == below.axes and _layout(above) == _layout(total)
        fits = alike and _varies(power.shape, inner.args[0].shape, below.axes)
    else:
        fits = _is_beside(power, total, below.axes)
    share = _share(graph, below) if fits else None
    found = share and _replaced(graph, inner, power, share)
    return _retaken(graph, found, above) if found and inner is not above else found


def _is_product_over(power: Node, product: Node, total: Node, axes: Axes) -> bool:
    """Whether a matrix product is of exponentials, over the axes of a total that goes with it."""
    left, right = product.args
    if power is left and len(right.shape) > 1:
        return axes.axes == (-1,) and _is_beside(power, total, axes)
    over = (-1,) if len(right.shape) == 1 else (-2,)
    return power in product.args and axes.axes == over and _layout(total) == _layout(product)


def _layout(total: Node) -> tuple[object, ...]:
    """Where the elements of a sum stand."""
    if total.op in VIEWS:
        return total.op, total.data, total.args[1:]
    return (total.op is SUM and total.data.keepdims,)


def _varies(part: Shape, whole: Shape, axes: Axes) -> bool:
    """Whether part of a product has all elements along some axes."""
    own = ((1,) * len(whole) + part)[-len(whole) :]
    return all(own[axis] == whole[axis] for axis in axes.axes)


def _share(graph: Graph, of: Exponentials) -> Node | None:
    """Exponentials over the sum of them."""
    axes = of.axes._replace(keepdims=True)
    if of.weight is None:
        return graph.make(SOFTMAX, (of.exponent,), of.axes._replace(keepdims=False))
    if broadcast((of.exponent.shape, of.weight.shape)) != of.exponent.shape:
        return None
    total = _logarithm(graph, of._replace(axes=axes))
    return graph.apply(EXP, graph.apply(SUBTRACT, of.exponent, total))


def _replaced(graph: Graph, whole: Node, power: Node, share: Node) -> Node | None:
    """A product, or a sum of products, with another factor."""
    if whole.op is MATMUL:
        return graph.make(MATMUL, tuple(share if a is power else a for a in whole.args))
    powers, others, divisors = _factors(graph, whole.args if whole.op is SUM else (whole,))
    if power not in powers:
        return None
    powers.remove(power)
    found = reduce(partial(graph.apply, MULTIPLY), [*others, *powers, share])
    found = reduce(partial(graph.apply, DIVIDE), divisors, found)
    return graph.make(SUM, (found,), whole.data) if whole.op is SUM else found


def _log_softmax(graph: Graph, x: Node, total: Node) -> Node | None:
    inner = _viewed(total)
    if inner.op is not LOGSUMEXP or inner.args[0] is not x or not _is_beside(x, total, inner.data):
        return None
    return graph.make(LOG_SOFTMAX, (x,), inner.data._replace(keepdims=False))


def _log_of_softmax(graph: Graph, share: Node) -> Node | None:
    views = list[Node]()
    while share.op in TAKEN:
        views.append(share)
        share = share.args[0]
    if share.op is not SOFTMAX:
        return None
    found = graph.make(LOG_SOFTMAX, share.args, share.data)
    return reduce(partial(_retaken, graph), reversed(views), found)


def _viewed(node: Node) -> Node:
    """What a view is taken of, or the node itself."""
    return node.args[0] if node.op in VIEWS else node


def _retaken(graph: Graph, inner: Node, view: Node) -> Node:
    """The same view of something else."""
    return graph.rebuild(view, (inner, *view.args[1:]), graph.apply)


def _is_beside(x: Node, total: Node, axes: Axes) -> bool:
    """Whether a reduction of `x` is laid out so that it meets the elements which it is of."""
    rank = len(x.shape)
    if total.op is INDEX:
        opened = (New() if k - rank in axes.axes else ALL for k in range(rank))
        return not axes.keepdims and total.data == tuple(opened)
    if total.op in VIEWS:
        return not axes.keepdims and bool(total.data == axes.axes)
    leading = axes.positive(rank) == tuple(range(len(axes.axes)))  # which may be left away
    return axes.keepdims or leading

"""Sums of exponentials over axes: their logarithms, and shares of them, which do not overflow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import partial, reduce
from typing import NamedTuple

from ..graph import (
    ADD,
    BROADCAST,
    DIVIDE,
    INDEX,
    MULTIPLY,
    NEGATIVE,
    QUOTIENTS,
    SUBTRACT,
    WHERE,
    Graph,
    Node,
    Rule,
)
from ..primitives import ARRAYS, Primitive, lookup
from ..primitives.axes import ALL, Axes, New
from ..shapes import Shape, broadcast
from .norms import LOGADDEXP, added, combined, exponent_of, scaled

EXP, LOG, LOG1P, SOFTPLUS = map(lookup, ("exp", "log", "log1p", "softplus"))
MATMUL, SUM = ARRAYS["matmul"], ARRAYS["sum"]
LOGSUMEXP, WEIGHTED = ARRAYS["logsumexp"], ARRAYS["weighted_logsumexp"]
SOFTMAX, LOG_SOFTMAX = ARRAYS["softmax"], ARRAYS["log_softmax"]
EXPAND = ARRAYS["expand_dims"]
VIEWS = frozenset({INDEX, EXPAND})
TAKEN = VIEWS | {ARRAYS["transpose"], ARRAYS["diagonal"]}  # of all elements, some
TOTALS = VIEWS | {SUM, MATMUL}  # and what is taken of them
MOST = 16  # factors that are looked at


class Exponential(NamedTuple):
    """An exponential, which may be multiplied by a weight."""

    exponent: Node
    weight: Node | None

    def less(self, graph: Graph, shift: Node) -> Node:
        """What it is with a smaller exponent."""
        power = graph.apply(EXP, graph.apply(SUBTRACT, self.exponent, shift))
        return graph.apply(MULTIPLY, self.weight, power) if self.weight else power


class Exponentials(NamedTuple):
    """A sum over axes of exponentials, which may be multiplied by weights."""

    exponent: Node
    weight: Node | None
    axes: Axes

    @property
    def is_wider(self) -> bool:
        """Whether weights have axes, or elements along them, that the exponents have not."""
        own = self.exponent.shape
        return self.weight is not None and broadcast((own, self.weight.shape)) != own


def totals(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """The rules for what is made of sums of exponentials."""
    if op is LOG and heads[0] in TOTALS | QUOTIENTS:
        yield Rule(("stable", "log(sum(b*exp(x))/y) -> logsumexp(x, b=b) - log(y)"), _log)
    if op is DIVIDE and heads[0] is EXP and heads[1] in TOTALS:
        yield Rule(("stable", "exp(x)/sum(exp(x)) -> softmax(x)"), _softmax)
    if op is DIVIDE and heads[1] in TOTALS | {ADD}:
        yield Rule(("stable", "sum(a*exp(x))/sum(exp(x)) -> sum(a*softmax(x))"), _mean)
    if op is SUBTRACT and heads[1] in VIEWS | {LOGSUMEXP}:
        yield Rule(("stable", "x - logsumexp(x) -> log_softmax(x)"), _log_softmax)
    if op is LOG1P and heads[0] in TOTALS:
        yield Rule(("stable", "log1p(sum(exp(x))) -> softplus(logsumexp(x))"), _log1p)
    if op is LOG and heads[0] is DIVIDE:
        rule = ("stable", "log(softmax(x)/softmax(y)) -> log_softmax(x) - log_softmax(y)")
        yield Rule(rule, _log_of_shares)
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
    if len(left.shape) == 1 and right.op in QUOTIENTS | {EXP}:
        column = graph.make(EXPAND, (left,), (-1,))
        return _product(graph, (right, column), Axes((-2,)), right)
    return None


def _product(
    graph: Graph, factors: tuple[Node, ...], axes: Axes, whole: Node | None = None
) -> Exponentials | None:
    """What a product has of exponentials, and of other factors; they vary along all of the axes."""
    found = exponential_of(graph, factors)
    if found is None:
        return None
    own, shape = found.exponent.shape, broadcast(factor.shape for factor in factors)
    if not _varies(own, shape, axes) or (whole and own != whole.shape):
        return None
    return Exponentials(*found, axes)


def exponential_of(graph: Graph, factors: tuple[Node, ...]) -> Exponential | None:
    """A product as one exponential and its weight."""
    powers, above, below = factors_of(graph, factors)
    if not powers:
        return None
    exponent = reduce(partial(graph.apply, ADD), (power.args[0] for power in powers))
    weight = reduce(partial(graph.apply, MULTIPLY), above) if above else None
    if below:
        weight = reduce(partial(graph.apply, DIVIDE), below, weight or graph.constant(1))
    return Exponential(exponent, weight)


def _unmasked(graph: Graph, factor: Node) -> Node:
    """An exponential in other places as one of such; where something holds, as one of -inf."""
    if factor.op in TAKEN and factor.args[0].op is EXP:
        return graph.apply(EXP, _retaken(graph, factor.args[0].args[0], factor))
    if factor.op is WHERE and factor.args[1].op is EXP and factor.args[2].is_constant(0):
        condition, power, _ = factor.args
        masked = graph.apply(WHERE, condition, power.args[0], graph.constant(-math.inf))
        return graph.apply(EXP, masked)
    return factor


def factors_of(graph: Graph, product: Iterable[Node]) -> tuple[list[Node], list[Node], list[Node]]:
    """The exponentials of a product, its other factors, and its divisors."""
    powers, above, below, pending = [], [], list[Node](), list(product)
    for node in pending:  # which grows
        part = _unmasked(graph, node)
        if node.op in QUOTIENTS and len(pending) < MOST:
            pending += node.args if node.op is MULTIPLY else node.args[:1]
            below += node.args[1:] if node.op is DIVIDE else ()
        elif part.op is EXP:
            powers.append(part)
        else:
            above.append(node)
    return powers, above, below


def _log(graph: Graph, total: Node) -> Node | None:
    """Of a sum, or of what is taken of one, which may be multiplied or divided by a number."""
    if total.op not in QUOTIENTS:
        found = _read(graph, _viewed(total))
        return found and _retaken(graph, _logarithm(graph, found), total)
    inner, scale = total.args
    if total.op is MULTIPLY and _viewed(inner).op not in TOTALS:
        inner, scale = scale, inner
    found = None if scale.shape else _read(graph, _viewed(inner))
    if found is None:
        return None
    weight = graph.apply(total.op, found.weight or graph.constant(1), scale)
    return _retaken(graph, _logarithm(graph, found._replace(weight=weight)), inner)


def log_of_sum(graph: Graph, total: Node) -> Node | None:
    """The logarithm of a sum of exponentials, which is positive, or of what is taken of one."""
    found = _read(graph, _viewed(total))
    if found is None or found.weight is not None:
        return None
    return _retaken(graph, _logarithm(graph, found), total)


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


def _log1p(graph: Graph, total: Node) -> Node | None:
    found = log_of_sum(graph, total)
    return found and graph.apply(SOFTPLUS, found)


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
    if not graph.is_program or not graph.has_arrays or EXP not in graph.heads:
        return None
    parts = (scaled(term)[1] for term in added(total))
    terms = [(part, _read(graph, _viewed(part))) for part in parts if part]
    for term, below in terms:
        found = below and _shares(graph, above, below, term, total)
        if found:
            return found
    return _single(graph, above, total) if any(below for _, below in terms) else None


def _shares(graph: Graph, above: Node, below: Exponentials, term: Node, total: Node) -> Node | None:
    """What has the same exponentials as a term of a total, over that."""
    power = graph.known(EXP, (below.exponent,))
    if power is None or not _goes_over(above, power, term, below.axes):
        return None
    if term is total:
        return _replaced(graph, above, power, _share(graph, below))
    if term.shape != total.shape or not _is_beside(power, term, below.axes):
        return None
    return _replaced(graph, above, power, _part(graph, power, total))


def _single(graph: Graph, above: Node, total: Node) -> Node | None:
    """One exponential times something: it goes into the logarithm of the sum, as its inverse."""
    power = next((p for p in factors_of(graph, (above,))[0] if not p.shape), None)
    if power is None:
        return None
    below = _read(graph, _viewed(total))
    if below is None:
        return _replaced(graph, above, power, _part(graph, power, total))
    if below.is_wider:
        return None
    exponent = graph.apply(SUBTRACT, below.exponent, power.args[0])
    logarithm = _retaken(graph, graph.make(LOGSUMEXP, (exponent,), below.axes), total)
    share = graph.apply(EXP, graph.apply(NEGATIVE, logarithm))
    if below.weight is not None:
        plain = graph.make(SOFTMAX, (below.exponent,), below.axes._replace(keepdims=False))
        mean = graph.make(SUM, (graph.apply(MULTIPLY, below.weight, plain),), below.axes)
        share = graph.apply(DIVIDE, share, _retaken(graph, mean, total))
    return _replaced(graph, above, power, share)


def _goes_over(above: Node, power: Node, total: Node, axes: Axes) -> bool:
    """Whether what has an exponential, over a sum of these, has in each element one's share."""
    inner = _viewed(above)
    if inner.op is MATMUL:
        return _is_product_over(power, inner, total, axes)
    if inner.op is not SUM:
        return (inner is above or not total.shape) and _is_beside(power, total, axes)
    alike = inner.data.axes == axes.axes and _layout(above) == _layout(total)
    return alike and _varies(power.shape, inner.args[0].shape, axes)


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
    """Exponentials over the sum of them, which has any sign if there are weights."""
    if of.is_wider:
        return None
    plain = graph.make(SOFTMAX, (of.exponent,), of.axes._replace(keepdims=False))
    if of.weight is None:
        return plain
    terms = graph.apply(MULTIPLY, of.weight, plain)
    total = graph.make(SUM, (terms,), of.axes._replace(keepdims=True))
    return graph.apply(DIVIDE, plain, total)


def _part(graph: Graph, power: Node, total: Node) -> Node | None:
    """An exponential over a sum of several, some of them sums over axes."""
    parts = [exponent_of(graph, term, log_of_sum) for term in added(total)]
    logarithm = combined(graph, LOGADDEXP, parts)
    return logarithm and graph.apply(EXP, graph.apply(SUBTRACT, power.args[0], logarithm))


def _replaced(graph: Graph, whole: Node, power: Node, share: Node | None) -> Node | None:
    """A product, a sum of products, or what is taken of them, with another factor."""
    inner, found = _viewed(whole), None
    if share and inner.op is MATMUL:
        left, right = inner.args  # one of them alone is replaced, also if both are the same
        found = graph.make(MATMUL, (share, right) if power is left else (left, share))
    elif share:
        found = _multiplied(graph, inner, power, share)
    return found if inner is whole or not found else _retaken(graph, found, whole)


def _multiplied(graph: Graph, whole: Node, power: Node, share: Node) -> Node | None:
    powers, others, divisors = factors_of(graph, whole.args if whole.op is SUM else (whole,))
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


def _log_of_shares(graph: Graph, quotient: Node) -> Node | None:
    logarithms = [_log_of_softmax(graph, part) for part in quotient.args]
    return combined(graph, SUBTRACT, logarithms)


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
    """The same view of something else, if it is one."""
    if view.op not in TAKEN:
        return inner
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

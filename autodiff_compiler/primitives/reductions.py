"""Rows of reductions that are not linear, and of what is relative to them: softmax."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from typing import Any

from ..primitives import arithmetic, elementary
from ..shapes import broadcast
from .axes import Axes
from .linear import EXPAND, EYE, SUM, TRANSPOSE, reduction_text
from .row import ArrayPrimitive, Rule, array_function
from .work import each

_ROWS = {row.name: row for row in (*arithmetic.ROWS, *elementary.ROWS)}
MULTIPLY, DIVIDE, SUBTRACT = (_ROWS[name] for name in ("multiply", "divide", "subtract"))
WHERE, EQUAL, EXP = (_ROWS[name] for name in ("where", "equal", "exp"))


def spread(g: Any, node: Any, value: Any) -> Any:
    """What belongs to a reduction, with the axes that it goes over as axes of extent 1."""
    axes: Axes = node.data
    return value if axes.keepdims or not value.shape else g.make(EXPAND, (value,), axes.axes)


def _share(g: Any, node: Any, x: Any, out: Any) -> Any:
    """The slope of an extremum: those that attain it share it."""
    one, zero = g.constant(1), g.constant(0)
    attained = g.apply(WHERE, g.apply(EQUAL, x, out), one, zero)
    count = g.make(SUM, (attained,), node.data)
    return g.apply(
        WHERE, g.apply(EQUAL, x, out), g.apply(DIVIDE, one, spread(g, node, count)), zero
    )


def _folded(m: Any, axes: Axes, x: Any, name: str) -> Any:
    """A reduction of numbers of any kind by a function of two."""
    rest = axes._replace(keepdims=False).reduced(x.shape)
    count = m.np.prod([x.shape[axis] for axis in axes.axes], dtype=int)
    if not count:
        raise ValueError(f"the {name} of no elements")
    moved = m.np.moveaxis(x, axes.axes, range(len(axes.axes))).reshape(count, *rest)
    found = m.np.asarray(reduce(m.function(name), moved))
    return found.reshape(axes.reduced(x.shape))


def _reduction(name: str, **columns: Any) -> ArrayPrimitive:
    text = columns.pop("text")
    return array_function(
        f"{name}(x)",
        shape=lambda axes, x: axes.reduced(x),
        spelling=lambda node, size: reduction_text(text, node),
        **columns,
    )


def _relative(name: str, **columns: Any) -> ArrayPrimitive:
    """A function of elements beside those along the same axes."""
    return array_function(
        f"{name}(x)",
        work=each(5),
        space=2,
        shape=lambda axes, x: x,
        spelling=lambda node, size: reduction_text(f"_{name}({{0}}", node),
        **columns,
    )


def _norm(m: Any, axes: Axes, x: Any) -> Any:
    total = m.np.add.reduce(x * x, axis=axes.axes, keepdims=axes.keepdims)
    return m.function("sqrt")(m.np.asarray(total))


def _logsumexp(m: Any, axes: Axes, x: Any) -> Any:
    terms = m.function("exp")(x)
    total = m.np.add.reduce(terms, axis=axes.axes, keepdims=axes.keepdims)
    return m.function("log")(m.np.asarray(total))


def _weighted_logsumexp(m: Any, axes: Axes, x: Any, b: Any) -> Any:
    terms = b * m.function("exp")(x)
    total = m.np.add.reduce(terms, axis=axes.axes, keepdims=axes.keepdims)
    return m.function("log")(m.np.asarray(total))


def _by_weight(g: Any, node: Any) -> Any:
    """The partials of a weighted sum's logarithm by the weights."""
    return g.apply(EXP, g.apply(SUBTRACT, node.args[0], spread(g, node, node)))


def _by_exponent(g: Any, node: Any) -> Any:
    """Its partials by the exponents; where only the partial by the weight overflows, that is 0."""
    share = _by_weight(g, node)
    lost = g.apply(EQUAL, share, g.constant(math.inf))
    return g.apply(WHERE, lost, g.constant(0), g.apply(MULTIPLY, node.args[1], share))


def _along(partial: Callable[[Any, Any], Any]) -> Rule:
    """The tangent of a reduction with such partials."""
    return lambda g, node, d: g.make(SUM, (g.apply(MULTIPLY, partial(g, node), d),), node.data)


def _back(partial: Callable[[Any, Any], Any]) -> Rule:
    """The adjoint of a reduction with such partials."""
    return lambda g, node, bar: g.apply(MULTIPLY, spread(g, node, bar), partial(g, node))


def _softmax(m: Any, axes: Axes, x: Any) -> Any:
    """Of numbers that do not overflow, as those of the reference."""
    terms = m.function("exp")(x)
    return terms / m.np.add.reduce(terms, axis=axes.axes, keepdims=True)


def _log_softmax(m: Any, axes: Axes, x: Any) -> Any:
    return x - _logsumexp(m, axes._replace(keepdims=True), x)


def _sum(g: Any, node: Any, terms: Any) -> Any:
    """Over the axes of a softmax, which stay."""
    return g.make(SUM, (terms,), node.data._replace(keepdims=True))


def _softmax_rule(g: Any, node: Any, d: Any) -> Any:
    """Both the tangent and the adjoint: the Jacobian is symmetric."""
    mean = _sum(g, node, g.apply(MULTIPLY, node, d))
    return g.apply(MULTIPLY, node, g.apply(SUBTRACT, d, mean))


def _log_softmax_tangent(g: Any, node: Any, d: Any) -> Any:
    weighted = g.apply(MULTIPLY, g.apply(EXP, node), d)
    return g.apply(SUBTRACT, d, _sum(g, node, weighted))


def _log_softmax_adjoint(g: Any, node: Any, bar: Any) -> Any:
    shares = g.apply(MULTIPLY, g.apply(EXP, node), _sum(g, node, bar))
    return g.apply(SUBTRACT, bar, shares)


def _others(m: Any, _axes: Axes, x: Any) -> Any:
    rest = [m.np.delete(x, k, -1) for k in range(x.shape[-1])]
    if not rest:
        return x
    return m.np.stack([m.np.multiply.reduce(part, axis=-1) for part in rest], axis=-1)


def _pairs(g: Any, node: Any, axis: int, d: Any) -> tuple[Any, Any]:
    """The products of all elements but two, and `d` where those two differ.

    Row i of a matrix holds x with 1 in the place i; the product of the others of a row leaves out
    two elements.  `axis` is where `d` belongs: -1, in the rows, or -2, in the columns.
    """
    x, extent, zero = node.args[0], node.args[0].shape[-1], g.constant(0)
    same = g.apply(EQUAL, g.make(EYE, (), (extent, extent, 0)), g.constant(1))
    rows = g.apply(WHERE, same, g.constant(1), g.make(EXPAND, (x,), (-2,)))
    others = g.make(OTHERS, (rows,), Axes((-1,), True))
    apart = g.apply(WHERE, same, zero, g.make(EXPAND, (d,), (-3 - axis,)))
    return others, apart


def _others_tangent(g: Any, node: Any, d: Any) -> Any:
    return g.make(SUM, (g.apply(MULTIPLY, *_pairs(g, node, -1, d)),), Axes((-1,)))


def _others_adjoint(g: Any, node: Any, bar: Any) -> Any:
    return g.make(SUM, (g.apply(MULTIPLY, *_pairs(g, node, -2, bar)),), Axes((-2,)))


def _others_along(g: Any, node: Any, x: Any, _out: Any) -> Any:
    """The product of the other elements along the axis of a reduction."""
    (axis,) = node.data.axes
    order = list(range(axis, 0))
    order[0], order[-1] = order[-1], order[0]
    if axis == -1:
        return g.make(OTHERS, (x,), Axes((-1,), True))
    turned = g.make(OTHERS, (g.make(TRANSPOSE, (x,), tuple(order)),), Axes((-1,), True))
    return g.make(TRANSPOSE, (turned,), tuple(order))


PROD: ArrayPrimitive = _reduction(
    "prod",
    slope=_others_along,
    work=each(),
    text="{0}.prod(",
    compute=lambda m, axes, x: m.np.multiply.reduce(x, axis=axes.axes, keepdims=axes.keepdims),
    latex=r"\prod",
)
OTHERS: ArrayPrimitive = array_function(
    "prod_others(x)",
    work=each(3),
    space=3,
    shape=lambda axes, x: x,
    tangents=(_others_tangent,),
    adjoints=(_others_adjoint,),
    compute=_others,
    spelling=lambda node, size: "_prod_others({0})",
    note="the product of all other elements of the last axis, also where one is 0",
)
AMAX: ArrayPrimitive = _reduction(
    "amax",
    work=each(),
    aliases="max",
    slope=_share,
    text="{0}.max(",
    compute=lambda m, axes, x: _folded(m, axes, x, "maximum"),
    latex=r"\max",
)
AMIN: ArrayPrimitive = _reduction(
    "amin",
    work=each(),
    aliases="min",
    slope=_share,
    text="{0}.min(",
    compute=lambda m, axes, x: _folded(m, axes, x, "minimum"),
    latex=r"\min",
)
NORM: ArrayPrimitive = _reduction(
    "norm2",
    work=each(2),
    space=1,
    aliases="norm",
    slope="x/where(out == 0, inf, out)",
    text="_norm2({0}",
    compute=_norm,
    latex=r"\left\lVert {x} \right\rVert",
    note="the root of the sum of squares; its gradient at 0 is 0",
)
LOGSUMEXP: ArrayPrimitive = _reduction(
    "logsumexp",
    work=each(4),
    space=2,
    slope=lambda g, node, x, out: g.make(SOFTMAX, (x,), node.data._replace(keepdims=False)),
    text="_logsumexp({0}",
    compute=_logsumexp,
    latex=r"\log \sum \exp",
)
WEIGHTED: ArrayPrimitive = array_function(
    "weighted_logsumexp(x, b)",
    work=each(7),
    space=3,
    shape=lambda axes, x, b: axes.reduced(broadcast((x, b))),
    tangents=(_along(_by_exponent), _along(_by_weight)),
    adjoints=(_back(_by_exponent), _back(_by_weight)),
    compute=_weighted_logsumexp,
    spelling=lambda node, size: reduction_text("_weighted_logsumexp({0}, {1}", node),
    note="log(sum(b*exp(x)))",
)
SOFTMAX: ArrayPrimitive = _relative(
    "softmax",
    tangents=(_softmax_rule,),
    adjoints=(_softmax_rule,),
    compute=_softmax,
    note="the slopes of logsumexp: exp(x)/sum(exp(x))",
)
LOG_SOFTMAX: ArrayPrimitive = _relative(
    "log_softmax",
    tangents=(_log_softmax_tangent,),
    adjoints=(_log_softmax_adjoint,),
    compute=_log_softmax,
    note="log(softmax(x)), also where that of softmax(x) would be of 0",
)

ROWS = (PROD, OTHERS, AMAX, AMIN, NORM, LOGSUMEXP, WEIGHTED, SOFTMAX, LOG_SOFTMAX)

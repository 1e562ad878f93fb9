"""Rows of products of arrays, sums over axes, and views; of constant arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce
from typing import Any

from ..counts import count
from ..shapes import Shape, ShapeError, broadcast, shown
from .arithmetic import PRODUCT, REMAINDER
from .axes import (
    LETTERS,
    Axes,
    Size,
    axis_text,
    contracted,
    inserted,
    matmul_labels,
    matmul_shape,
    tuple_text,
)
from .row import ArrayPrimitive, Spec, always, array_function
from .work import contraction, each, moved

MANY = 8  # squares that are summed one by one
MATRIX_PRODUCT = REMAINDER + 1  # looser than *, because a person brackets one inside the other


def matrix(x: Shape) -> Shape:
    """The shape of a matrix, or of a stack of them; raises `ShapeError`."""
    if len(x) < 2:
        raise ShapeError(f"a matrix is expected, not an array of shape {shown(x)}")
    return x


def square(x: Shape) -> Shape:
    """The shape of a square matrix, or of a stack of them; raises `ShapeError`."""
    if matrix(x)[-1] != x[-2]:
        raise ShapeError(f"a square matrix is expected, not an array of shape {shown(x)}")
    return x


def _labels(shape: Shape) -> str:
    return LETTERS[: len(shape)]


def _sum_labels(axes: Axes, x: Shape) -> Spec:
    labels = _labels(x)
    gone = {labels[axis] for axis in axes.axes}
    ones = iter(LETTERS[len(x) :])
    kept = (c if c not in gone else next(ones) for c in labels if c not in gone or axes.keepdims)
    return (labels,), "".join(kept)


def _sum_folded(graph: Any, axes: Axes, x: Any) -> Any:
    """A sum over no axes is its argument; one of squares is a sum for each, which is a dot product.

    Signs are taken once, of the sum.
    """
    if not axes.axes:
        return x
    if x.op.name == "negative":
        return graph.apply(x.op, graph.make(SUM, x.args, axes))
    if axes.keepdims or len(axes.axes) < len(x.shape):
        return None
    squares = _squares(x)
    if len(squares) < 2:
        return None
    return reduce(partial(graph.apply, x.op), [graph.make(SUM, (s,), axes) for s in squares])


def _squares(total: Any) -> list[Any]:
    """The terms of a sum of squares, of which none cancels another; of anything else, none."""
    found: list[Any] = []
    pending = [total]
    while pending:
        node = pending.pop()
        if node.op.name == "add" and len(pending) + len(found) < MANY:
            pending += reversed(node.args)
        elif node.shape == total.shape and _is_square(node):
            found.append(node)
        else:
            return []
    return found


def _is_square(node: Any) -> bool:
    """Whether this is a number above 0 times something computed, times itself."""
    while node.op.name == "multiply":
        left, right = node.args
        if left is right:
            return bool(left.args)
        if left.op.name != "constant" or left.data <= 0:
            return False
        node = right
    return False


def _transposed(order: Sequence[int], x: Shape) -> Shape:
    lead = len(x) - len(order)
    return x[:lead] + tuple(x[axis] for axis in order)


def _transpose_labels(order: Sequence[int], x: Shape) -> Spec:
    labels = _labels(x)
    return (labels,), labels[: len(x) - len(order)] + "".join(labels[axis] for axis in order)


def _transpose_text(node: Any, _size: Size) -> str:
    rank, order = len(node.shape), node.data
    if order == tuple(range(-1, -rank - 1, -1)):
        return "{0}.T"
    if order == (-1, -2):
        return "{0}.swapaxes(-1, -2)"
    lead = rank - len(order)
    return "{0}.transpose(" + ", ".join(map(str, [*range(lead), *(rank + a for a in order)])) + ")"


def _expand_labels(axes: Sequence[int], x: Shape) -> Spec:
    rank, rest, ones = len(x) + len(axes), iter(LETTERS), iter(LETTERS[len(x) :])
    out = "".join(next(ones) if k - rank in axes else next(rest) for k in range(rank))
    return (_labels(x),), out


def counts(node: Any) -> bool:
    """Whether a node is a sum or product of extents alone: one of Python's whole numbers."""
    seen, pending = set[Any](), [node]
    while pending:
        top = pending.pop()
        if top.shape or not (top.args or top.op is EXTENT) or top.op.name == "divide":
            return False
        pending += [a for a in top.args if a not in seen]
        seen.update(top.args)
    return True


def number_text(node: Any, k: int = 0) -> str:
    """Argument `k`, a number that goes into an array: NumPy's whole numbers would wrap around."""
    return f"float({{{k}}})" if counts(node.args[k]) else f"{{{k}}}"


def _broadcast_text(node: Any, size: Size) -> str:
    return f"np.broadcast_to({number_text(node)}, {tuple_text(node.shape, size)})"


def _expand_text(node: Any, _size: Size) -> str:
    rank = len(node.shape)
    if not node.args[0].shape:  # a number may be a float, which takes no index
        return f"np.full({node.shape}, {number_text(node)})"
    items = ["None" if k - rank in node.data else ":" for k in range(rank)]
    while items[-1] == ":":
        items.pop()
    return "{0}[" + ", ".join(items) + "]"


def _spread_labels(shape: Shape, x: Shape) -> Spec:
    labels, fresh = LETTERS[: len(shape)], iter(LETTERS[len(shape) :])
    own = labels[len(shape) - len(x) :]
    pairs = zip(own, x, shape[len(shape) - len(x) :], strict=True)
    return ("".join(c if n == m else next(fresh) for c, n, m in pairs),), labels


def _spread(shape: Shape, x: Shape) -> Shape:
    if broadcast((x, shape)) != shape:
        raise ShapeError(f"an array of shape {shown(x)} does not broadcast to {shown(shape)}")
    return shape


def _turned_back(g: Any, order: Sequence[int], x: Any) -> Any:
    """Of a transpose, one transpose, or none."""
    if x.op is not TRANSPOSE:
        return None
    rank = len(x.shape)
    inner = [*range(-rank, -len(x.data)), *x.data]
    outer = [*range(-rank, -len(order)), *order]
    both = [inner[axis] for axis in outer]
    moved = next((k for k, axis in enumerate(both) if axis != k - rank), None)
    return x.args[0] if moved is None else g.make(TRANSPOSE, x.args, tuple(both[moved:]))


def _outer(_data: object, x: Shape, y: Shape) -> Shape:
    if len(x) != 1 or len(y) != 1:
        raise ShapeError(f"outer takes two vectors, not {shown(x)} and {shown(y)}")
    return x + y


def _range_text(node: Any, size: Size) -> str:
    start, stop = node.data
    ends = size(stop) if start == 0 else f"{size(start)}, {size(stop)}"
    return f"np.arange({ends}, dtype=float)"


def _einsum_text(node: Any, _size: Size) -> str:
    fields = ", ".join(f"{{{k}}}" for k in range(len(node.args)))
    inside, out = node.data
    return f'np.einsum("{",".join(inside)}->{out}", {fields})'


def _einsum(m: Any, data: Spec, *arrays: Any) -> Any:
    return m.np.einsum(f"{','.join(data[0])}->{data[1]}", *arrays)


MATMUL: ArrayPrimitive = array_function(
    "matmul(x, y)",
    work=contraction(matmul_labels),
    symbol="@",
    precedence=MATRIX_PRODUCT,
    shape=matmul_shape,
    labels=matmul_labels,
    compute=lambda m, _, x, y: m.np.matmul(x, y),
    spelling=lambda node, size: "{0} @ {1}",
    latex="{x} {y}",
)
TRANSPOSE: ArrayPrimitive = array_function(
    "transpose(x)",
    work=moved,
    view=always,
    shape=_transposed,
    labels=_transpose_labels,
    compute=lambda m, order, x: x.transpose(
        [*range(x.ndim - len(order)), *(x.ndim + a for a in order)]
    ),
    spelling=_transpose_text,
    fold=_turned_back,
)
SUM: ArrayPrimitive = array_function(
    "sum(x)",
    work=each(),
    shape=lambda axes, x: axes.reduced(x),
    labels=_sum_labels,
    compute=lambda m, axes, x: m.np.add.reduce(x, axis=axes.axes, keepdims=axes.keepdims),
    spelling=lambda node, size: reduction_text("{0}.sum(", node),
    fold=_sum_folded,
    latex=r"\sum",
)
EXPAND: ArrayPrimitive = array_function(
    "expand_dims(x)",
    work=moved,
    view=always,
    shape=inserted,
    labels=_expand_labels,
    fold=lambda g, axes, x: None if x.shape else g.make(BROADCAST, (x,), (1,) * len(axes)),
    compute=lambda m, axes, x: m.np.expand_dims(x, axes),
    spelling=_expand_text,
)
BROADCAST: ArrayPrimitive = array_function(
    "broadcast_to(x)",
    work=moved,
    view=always,
    shape=_spread,
    labels=_spread_labels,
    compute=lambda m, shape, x: m.np.broadcast_to(x, shape),
    spelling=_broadcast_text,
    fold=lambda g, shape, x: (
        x if x.shape == shape else g.make(BROADCAST, x.args, shape) if x.op is BROADCAST else None
    ),
)
OUTER: ArrayPrimitive = array_function(
    "outer(x, y)",
    work=lambda _data, out, *shapes: count(1, *out),
    shape=_outer,
    labels=lambda _, x, y: (("i", "j"), "ij"),
    compute=lambda m, _, x, y: m.np.multiply.outer(x, y),
    spelling=lambda node, size: "np.outer({0}, {1})",
    latex=r"{x} {y}^{{\top}}",
)
TRACE: ArrayPrimitive = array_function(
    "trace(A)",
    work=lambda _data, out, x: count(1, *x[:-1]),
    shape=lambda _, x: square(x)[:-2],
    labels=lambda _, x: ((_labels(x[:-2]) + "ZZ",), _labels(x[:-2])),
    compute=lambda m, _, x: m.np.trace(x, axis1=-2, axis2=-1),
    spelling=lambda node, size: (
        "np.trace({0})" if not node.shape else "np.trace({0}, axis1=-2, axis2=-1)"
    ),
    latex=r"\operatorname{{tr}}\left({A}\right)",
)
DIAGONAL: ArrayPrimitive = array_function(
    "diagonal(A)",
    work=moved,
    view=always,
    shape=lambda _, x: square(x)[:-1],
    labels=lambda _, x: ((_labels(x[:-2]) + "ZZ",), _labels(x[:-2]) + "Z"),
    compute=lambda m, _, x: m.np.diagonal(x, axis1=-2, axis2=-1),
    spelling=lambda node, size: (
        "np.diag({0})" if len(node.shape) == 1 else "np.diagonal({0}, axis1=-2, axis2=-1)"
    ),
    latex=r"\operatorname{{diag}}\left({A}\right)",
)
DIAG: ArrayPrimitive = array_function(
    "diag(x)",
    work=moved,
    shape=lambda _, x: (*x, x[-1]),
    labels=lambda _, x: ((_labels(x),), _labels(x) + _labels(x)[-1]),
    compute=lambda m, _, x: x[..., None] * m.np.eye(x.shape[-1], dtype=int),
    spelling=lambda node, size: (
        "np.diag({0})"
        if len(node.shape) == 2
        else f"{{0}}[..., None]*np.eye({size(node.shape[-1])})"
    ),
    latex=r"\operatorname{{diag}}\left({x}\right)",
)
EINSUM: ArrayPrimitive = array_function(
    "einsum(x)",
    work=contraction(lambda spec, *shapes: spec),
    shape=lambda spec, *shapes: contracted(spec, shapes),
    labels=lambda spec, *shapes: spec,
    view=lambda spec, *_others: len(spec[0]) == 1 and set(spec[0][0]) == set(spec[1]),
    compute=_einsum,
    spelling=_einsum_text,
    variadic=True,
)
EYE: ArrayPrimitive = array_function(
    "eye()",
    work=moved,
    shape=lambda data: data[:2],
    compute=lambda m, data: m.np.eye(*data, dtype=int),
    spelling=lambda node, size: (
        f"np.eye({', '.join(map(size, dict.fromkeys(node.data[:2])))}"
        + (f", k={node.data[2]})" if node.data[2] else ")")
    ),
    latex="I",
)
ARANGE: ArrayPrimitive = array_function(
    "arange()",
    work=moved,
    shape=lambda data: ((data[1] - data[0]),),
    compute=lambda m, data: m.np.arange(*data),
    spelling=_range_text,
)
EXTENT: ArrayPrimitive = array_function(
    "extent()",
    work=moved,
    shape=lambda data: (),
    precedence=PRODUCT,
    compute=lambda m, data: data,
    spelling=lambda node, size: size(node.data),
)
ROWS = (
    *(MATMUL, TRANSPOSE, SUM, EXPAND, BROADCAST, OUTER, TRACE, DIAGONAL, DIAG, EINSUM),
    *(EYE, ARANGE, EXTENT),
)


def reduction_text(start: str, node: Any, can_drop: bool = True) -> str:
    """A call with the axes that it goes over, unless those are all; some functions drop none."""
    axes, rank = node.data, len(node.args[0].shape)
    options = []
    if len(axes.axes) < rank:
        options.append(f"axis={axis_text(axes.positive(rank))}")
    if axes.keepdims and can_drop:
        options.append("keepdims=True")
    if not options:
        return f"{start})"
    return f"{start}{', ' if not start.endswith('(') else ''}{', '.join(options)})"

"""Rows of operations that move the elements of arrays: indices, slices, shapes, running sums."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..counts import count, total
from ..shapes import Extent, Shape, ShapeError, shown, size_of
from .axes import (
    ALL,
    At,
    Axes,
    Index,
    Item,
    New,
    Pick,
    Size,
    Slice,
    Take,
    index_text,
    indexed,
    tuple_text,
)
from .linear import SUM, matrix, number_text
from .row import ArrayPrimitive, always, array_function
from .work import each, moved


def _reshaped(shape: Shape, x: Shape) -> Shape:
    if size_of(x) != size_of(shape):
        raise ShapeError(f"an array of shape {shown(x)} cannot have the shape {shown(shape)}")
    return shape


def _joined(axis: int, *shapes: Shape) -> Shape:
    first = shapes[0]
    if len({len(s) for s in shapes}) > 1 or len(first) < -axis:
        raise ShapeError(f"these do not join: {', '.join(map(shown, shapes))}")
    for shape in shapes:
        if [n for k, n in enumerate(shape) if k - len(shape) != axis] != [
            n for k, n in enumerate(first) if k - len(first) != axis
        ]:
            raise ShapeError(f"these do not join along an axis: {', '.join(map(shown, shapes))}")
    total: Extent = 0
    for shape in shapes:
        total = total + shape[axis]
    k = len(first) + axis
    return (*first[:k], total, *first[k + 1 :])


def _join_text(node: Any, _size: Size) -> str:
    fields = ", ".join(f"{{{k}}}" for k in range(len(node.args)))
    axis = len(node.shape) + node.data
    return f"np.concatenate([{fields}]" + (f", axis={axis})" if axis else ")")


def _parts(g: Any, node: Any, bar: Any, k: int) -> Any:
    """The part of an adjoint that belongs to argument `k` of a concatenation."""
    start: Extent = 0
    for argument in node.args[:k]:
        start = start + argument.shape[node.data]
    stop = start + node.args[k].shape[node.data]
    last = k == len(node.args) - 1
    item = Slice(start if k else None, None if last else stop)
    rank = len(node.shape)
    return g.make(INDEX, (bar,), tuple(item if a - rank == node.data else ALL for a in range(rank)))


def _same(_data: object, x: Shape) -> Shape:
    return x


def index_spelling(node: Any, size: Size) -> str:
    """An index, with numbered fields for the array and for positions."""
    takes = [f"{{{k}}}" for k in range(1, len(node.args))]
    return "{0}[" + index_text(node.data, size, takes) + "]"


def may_repeat(item: Item) -> bool:
    """Whether positions may meet an element twice: 3 and -1 may be the same."""
    if not isinstance(item, Pick):
        return False
    positions = set(item.positions)
    return len(positions) < len(item.positions) or min(positions) < 0 <= max(positions)


def _scatter_text(node: Any, size: Size) -> str:
    index, shape = node.data
    takes = [f"{{{k}}}" for k in range(1, len(node.args))]
    name = "_scatter" if takes or any(map(may_repeat, index)) else "_placed"
    number, extents = number_text(node), tuple_text(shape, size)
    return f"{name}({number}, {extents}, np.s_[{index_text(index, size, takes)}])"


def _numpy_index(m: Any, index: Index, takes: Sequence[Any]) -> tuple[Any, ...]:
    found: list[Any] = []
    for item in index:
        if isinstance(item, Take):
            found.append(m.np.asarray(takes[item.argument]).astype(int))
        elif isinstance(item, Pick):
            found.append(list(item.positions))
        elif isinstance(item, Slice):
            found.append(slice(*item))
        else:
            found.append(item[0] if item else None)
    return tuple(found)


def _scatter(m: Any, data: tuple[Index, Shape], x: Any, *takes: Any) -> Any:
    result = m.np.zeros(data[1], dtype=m.np.asarray(x).dtype)
    result = result + 0 * m.np.asarray(x).flat[0] if m.np.size(x) else result
    m.np.add.at(result, _numpy_index(m, data[0], takes), x)
    return result


def _below(k: int) -> str:
    return f", {k}" if k else ""


def _triangle(name: str) -> ArrayPrimitive:
    return array_function(
        f"{name}(A)",
        work=moved,
        shape=lambda k, x: matrix(x),
        tangents=(lambda g, node, d: g.make(node.op, (d,), node.data),),
        adjoints=(lambda g, node, bar: g.make(node.op, (bar,), node.data),),
        compute=lambda m, k, x: getattr(m.np, name)(x, k),
        spelling=lambda node, size: f"np.{name}({{0}}{_below(node.data)})",
        latex=rf"\operatorname{{{{{name}}}}}\left({{A}}\right)",
    )


def _assembled(m: Any, data: tuple[tuple[Index, ...], Shape], *parts: Any) -> Any:
    return sum(
        _scatter(m, (index, data[1]), part) for index, part in zip(data[0], parts, strict=True)
    )


def _assembly_text(node: Any, size: Size) -> str:
    indices, shape = node.data
    parts = (
        f"(np.s_[{index_text(i, size, ())}], {number_text(node, k)})" for k, i in enumerate(indices)
    )
    return f"_assembled({tuple_text(shape, size)}, {', '.join(parts)})"


WHOLE = (ALL, Slice(step=-1))  # an axis, or an axis read backwards: what takes it puts it back


def _put_back(g: Any, node: Any, bar: Any) -> Any:
    """The adjoint of what was indexed: zeros but for what was taken."""
    index, takes = node.data, node.args[1:]
    if not takes and not any(isinstance(item, Pick) for item in index):
        kept = [item for item in index if not isinstance(item, At)]
        new = tuple(k - len(kept) for k, item in enumerate(kept) if isinstance(item, New))
        bar = g.make(SUM, (bar,), Axes(new)) if new else bar
        index = tuple(item for item in index if not isinstance(item, New))
    return g.make(SCATTER, (bar, *takes), (index, node.args[0].shape))


RESHAPE: ArrayPrimitive = array_function(
    "reshape(x)",
    work=moved,
    view=always,
    shape=_reshaped,
    tangents=(lambda g, node, d: g.make(RESHAPE, (d,), node.data),),
    adjoints=(lambda g, node, bar: g.make(RESHAPE, (bar,), node.args[0].shape),),
    batched=lambda shape, lead: lead + shape,
    compute=lambda m, shape, x: x.reshape(shape),
    spelling=lambda node, size: f"{{0}}.reshape({', '.join(map(size, node.shape))})",
    fold=lambda g, shape, x: (
        x if x.shape == shape else g.make(RESHAPE, x.args, shape) if x.op is RESHAPE else None
    ),
)
INDEX: ArrayPrimitive = array_function(
    "index(x)",
    work=moved,
    view=lambda _index, *takes: not any(takes),  # positions in arrays are copied
    shape=indexed,
    tangents=(lambda g, node, d: g.make(INDEX, (d, *node.args[1:]), node.data),),
    adjoints=(_put_back,),
    batched=lambda index, lead: (ALL,) * len(lead) + index,
    compute=lambda m, index, x, *takes: x[_numpy_index(m, index, takes)],
    spelling=index_spelling,
    fold=lambda g, index, x, *takes: x if all(item == ALL for item in index) else None,
    variadic=True,
)
SCATTER: ArrayPrimitive = array_function(
    "scatter(x)",
    work=lambda _data, out, x, *takes: count(bool(takes), *x),
    shape=lambda data, x, *takes: data[1],
    tangents=(lambda g, node, d: g.make(SCATTER, (d, *node.args[1:]), node.data),),
    adjoints=(lambda g, node, bar: g.make(INDEX, (bar, *node.args[1:]), node.data[0]),),
    batched=lambda data, lead: ((ALL,) * len(lead) + data[0], lead + data[1]),
    compute=_scatter,
    spelling=_scatter_text,
    fold=lambda g, data, x, *takes: (
        g.make(INDEX, (x,), data[0]) if all(item in WHOLE for item in data[0]) else None
    ),
    variadic=True,
)
ASSEMBLE: ArrayPrimitive = array_function(
    "assemble(x)",
    work=lambda _data, _out, *parts: total(count(1, *part) for part in parts),
    shape=lambda data, *parts: data[1],
    compute=_assembled,
    spelling=_assembly_text,
    variadic=True,
    note="a sum of scattered arrays",
)
CONCATENATE: ArrayPrimitive = array_function(
    "concatenate(x)",
    work=moved,
    shape=_joined,
    adjoints=(_parts,),
    compute=lambda m, axis, *arrays: m.np.concatenate(arrays, axis=axis),
    spelling=_join_text,
    variadic=True,
)
CUMSUM: ArrayPrimitive = array_function(
    "cumsum(x)",
    work=each(),
    shape=_same,
    tangents=(lambda g, node, d: g.make(CUMSUM, (d,), node.data),),
    adjoints=(
        lambda g, node, bar: g.make(
            FLIP, (g.make(CUMSUM, (g.make(FLIP, (bar,), node.data),), node.data),), node.data
        ),
    ),
    compute=lambda m, axis, x: m.np.add.accumulate(x, axis=axis),
    spelling=lambda node, size: f"{{0}}.cumsum(axis={len(node.shape) + node.data})",
)
FLIP: ArrayPrimitive = array_function(
    "flip(x)",
    work=moved,
    view=always,
    shape=_same,
    tangents=(lambda g, node, d: g.make(FLIP, (d,), node.data),),
    adjoints=(lambda g, node, bar: g.make(FLIP, (bar,), node.data),),
    compute=lambda m, axis, x: m.np.flip(x, axis),
    spelling=lambda node, size: f"np.flip({{0}}, axis={len(node.shape) + node.data})",
)
TRIL, TRIU = _triangle("tril"), _triangle("triu")

ROWS = (RESHAPE, INDEX, SCATTER, ASSEMBLE, CONCATENATE, CUMSUM, FLIP, TRIL, TRIU)

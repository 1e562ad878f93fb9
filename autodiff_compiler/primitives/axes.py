"""Axes, labels and indices: the `data` of array operations, and the shapes that follow from it.

Axes count from the last, -1, so that operations mean the same where leading axes are added.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ..shapes import Extent, Polynomial, Shape, ShapeError, broadcast, ceil_div, shown
from .row import Spec

LETTERS = string.ascii_lowercase + string.ascii_uppercase
Size = Callable[[Extent], str]  # the text of an extent


class Axes(NamedTuple):
    """What a reduction goes over: negative axes, and whether they stay, with extent 1."""

    axes: tuple[int, ...]
    keepdims: bool = False

    def reduced(self, shape: Shape) -> Shape:
        """The shape that is left."""
        axes = {len(shape) + axis for axis in self.axes}
        kept = (
            1 if k in axes else n for k, n in enumerate(shape) if k not in axes or self.keepdims
        )
        return tuple(kept)

    def positive(self, rank: int) -> tuple[int, ...]:
        """The axes counted from the first."""
        return tuple(sorted(rank + axis for axis in self.axes))


def everything(shape: Shape) -> Axes:
    """All axes of a shape."""
    return Axes(tuple(range(-len(shape), 0)))


def inserted(axes: Sequence[int], shape: Shape) -> Shape:
    """A shape with axes of extent 1 put in, which are `axes` of the result."""
    rank = len(shape) + len(axes)
    rest = iter(shape)
    return tuple(1 if k - rank in axes else next(rest) for k in range(rank))


def aligned(shapes: Sequence[Shape], letters: Iterator[str]) -> Spec:
    """Labels of an elementwise operation; an axis that is stretched has one of its own."""
    whole = broadcast(shapes)
    names = [next(letters) for _ in whole]
    found = []
    for shape in shapes:
        ending = zip(names[len(whole) - len(shape) :], shape, whole[-len(shape) :], strict=False)
        found.append(
            "".join(name if n == m else next(letters) for name, n, m in ending) if shape else ""
        )
    return tuple(found), "".join(names)


def elementwise(_data: object, *shapes: Shape) -> Spec:
    """Labels of a product of arrays that broadcast."""
    return aligned(shapes, iter(LETTERS))


def matmul_labels(_data: object, x: Shape, y: Shape) -> Spec:
    """NumPy's `@`: over the last axis of `x` and the last but one of `y`; the others are stacked."""
    letters = iter(LETTERS)
    i, j, k = next(letters), next(letters), next(letters)
    (a, b), out = aligned((x[:-2], y[:-2]), letters)
    left = a + i * (len(x) > 1) + j
    right = b + j + k * (len(y) > 1)
    return (left, right), out + i * (len(x) > 1) + k * (len(y) > 1)


def matmul_shape(_data: object, x: Shape, y: Shape) -> Shape:
    """The shape of `x @ y`; raises `ShapeError`."""
    if not x or not y:
        raise ShapeError(f"@ multiplies arrays, not {shown(x)} by {shown(y)}")
    inner = y[-2] if len(y) > 1 else y[-1]
    if x[-1] != inner:
        raise ShapeError(f"{shown(x)} @ {shown(y)}: {x[-1]} columns meet {inner} rows")
    stack = broadcast((x[:-2], y[:-2]))
    return stack + (x[-2:-1] if len(x) > 1 else ()) + (y[-1:] if len(y) > 1 else ())


def contracted(spec: Spec, shapes: Sequence[Shape]) -> Shape:
    """The shape that labels give; raises `ShapeError` where one stands for two extents."""
    extents: dict[str, Extent] = {}
    for labels, shape in zip(spec[0], shapes, strict=True):
        if len(labels) != len(shape):
            raise ShapeError(
                f"the labels {labels!r} are not those of an array of shape {shown(shape)}"
            )
        for label, extent in zip(labels, shape, strict=True):
            if extents.setdefault(label, extent) != extent:
                raise ShapeError(f"the axes called {label} differ: {extents[label]} and {extent}")
    return tuple(extents[label] for label in spec[1])


# An index, item by item; what an array is indexed by is a tuple of these.
class Slice(NamedTuple):
    """`start:stop:step`; ends that are `None` are those of the axis."""

    start: Extent | None = None
    stop: Extent | None = None
    step: int = 1

    def ends(self, extent: Extent) -> tuple[Extent, Extent]:
        """Where it starts and stops, counted from the first, as far as that can be told."""
        low, high = (0, extent) if self.step > 0 else (-1, extent - 1)
        first, last = (low, high) if self.step > 0 else (high, low)
        start = first if self.start is None else _clipped(_end(self.start, extent), low, high)
        stop = last if self.stop is None else _clipped(_end(self.stop, extent), low, high)
        return start, stop

    def length(self, extent: Extent) -> Extent:
        """How many of an axis are left."""
        start, stop = self.ends(extent)
        between = stop - start if self.step > 0 else start - stop
        return _positive(ceil_div(_positive(between), abs(self.step)))


class At(NamedTuple):
    """One element of an axis, which goes."""

    position: Extent


class New(NamedTuple):
    """A new axis of extent 1."""


class Take(NamedTuple):
    """Elements whose positions are the values of an argument."""

    argument: int


class Pick(NamedTuple):
    """Elements at these positions."""

    positions: tuple[int, ...]


Item = Slice | At | New | Take | Pick
Index = tuple[Item, ...]
ALL = Slice()


def _end(end: Extent, extent: Extent) -> Extent:
    """An end of a slice, counted from the first: a negative number counts from the last."""
    negative = end < 0 if isinstance(end, int) else _leading(end) < 0
    return end + extent if negative else end


def _leading(extent: Polynomial) -> int:
    return max(extent.terms.items(), key=lambda term: len(term[0]))[1]


def _clipped(end: Extent, low: Extent, high: Extent) -> Extent:
    """An end that is not beyond the axis, where that can be told."""
    below, above = low - end, end - high
    if isinstance(above, int) and above > 0:
        end = high
    return low if isinstance(below, int) and below > 0 else end


def _positive(extent: Extent) -> Extent:
    return max(extent, 0) if isinstance(extent, int) else extent


def axes_of(index: Index, shape: Shape) -> list[Extent]:
    """The extent of the axis that each item of an index is for; 1 for a new one."""
    rest = iter(shape)
    return [1 if isinstance(item, New) else next(rest) for item in index]


def required(item: Item, extent: Extent) -> list[Extent]:
    """What must not be negative, or an item of an index is outside an axis, or is cut short."""
    if isinstance(item, At | Pick):
        given = item if isinstance(item, At) else item.positions
        ends = [_end(p, extent) for p in given]
        return [*_from_the_last(given), *ends, *(extent - 1 - end for end in ends)]
    if not isinstance(item, Slice):
        return []
    start, stop = item.ends(extent)
    length = stop - start if item.step > 0 else start - stop
    written = not any(isinstance(e, Polynomial) for e in item[:2])
    if written and isinstance(length, int) and length <= 0 < item.step:
        return []  # empty, wherever the axis ends
    high = extent if item.step > 0 else extent - 1
    ends = [e for e, end in ((start, item.start), (stop, item.stop)) if end is not None]
    if item.step < 0 and item.stop is not None and _is_from_the_last(item.stop):
        ends[-1] = ends[-1] + 1  # before the first element, where backwards ends
    return [length, *_from_the_last(item[:2]), *ends, *(high - e for e in ends)]


def _from_the_last(ends: Iterable[Extent | None]) -> list[Extent]:
    """Symbols that count from the last have to be negative."""
    return [-e - 1 for e in ends if isinstance(e, Polynomial) and _is_from_the_last(e)]


def _is_from_the_last(end: Extent) -> bool:
    return (end if isinstance(end, int) else _leading(end)) < 0


def indexed(index: Index, shape: Shape, *takes: Shape) -> Shape:
    """The shape of an array indexed by as many items as it has axes, and new ones."""
    rest, result = iter(shape), list[Extent]()
    taken: int | None = None
    chosen = [*takes, *((len(item.positions),) for item in index if isinstance(item, Pick))]
    for item in index:
        if isinstance(item, New):
            result.append(1)
            continue
        extent = next(rest)
        if isinstance(item, Slice):
            result.append(item.length(extent))
        elif chosen and taken is None:
            taken = len(result)
    if taken is not None:
        result[taken:taken] = broadcast(chosen)
    return tuple(result)


def index_text(index: Index, size: Size, takes: Sequence[str]) -> str:
    """What stands in the brackets; whole axes at the end are left out."""
    items = [_item_text(item, size, takes) for item in index]
    while len(items) > 1 and items[-1] == ":":
        items.pop()
    return ", ".join(items)


def _item_text(item: Item, size: Size, takes: Sequence[str]) -> str:
    if isinstance(item, New):
        return "None"
    if isinstance(item, Take):
        return takes[item.argument]
    if isinstance(item, At):
        return size(item.position)
    if isinstance(item, Pick):
        return str(list(item.positions))
    start, stop = ("" if e is None else size(e) for e in item[:2])
    return f"{start}:{stop}" + (f":{item.step}" if item.step != 1 else "")


def tuple_text(shape: Shape, size: Size) -> str:
    """A shape as a tuple."""
    inside = ", ".join(map(size, shape))
    return f"({inside},)" if len(shape) == 1 else f"({inside})"


def axis_text(axes: tuple[int, ...]) -> str:
    """Axes as NumPy takes them."""
    return str(axes[0]) if len(axes) == 1 else str(axes)


def bound(data: Any, value: Callable[[Extent], Any]) -> Any:
    """`data` with every extent replaced."""
    if isinstance(data, Polynomial):
        return value(data)
    if isinstance(data, tuple):
        parts = [bound(part, value) for part in data]
        return type(data)(*parts) if hasattr(data, "_fields") else tuple(parts)
    return data

"""Shapes: tuples of extents, each an int or a name, combined as NumPy broadcasts them."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest

Extent = int | str
Shape = tuple[Extent, ...]
SCALAR: Shape = ()


class ShapeError(ValueError):
    """Two shapes that do not go together."""


def broadcast(shapes: Iterable[Shape]) -> Shape:
    """The shape NumPy gives an elementwise operation on operands of these shapes.

    Raises `ShapeError` where two extents differ and neither is 1.
    """
    result: Shape = SCALAR
    for shape in shapes:
        if shape and shape != result:
            result = _pair(result, shape) if result else shape
    return result


def _pair(a: Shape, b: Shape) -> Shape:
    extents = zip_longest(reversed(a), reversed(b), fillvalue=1)
    return tuple(_common(m, n, a, b) for m, n in extents)[::-1]


def _common(m: Extent, n: Extent, a: Shape, b: Shape) -> Extent:
    if n in (m, 1):
        return m
    if m == 1:
        return n
    raise ShapeError(f"shapes {a} and {b} do not broadcast: {m} against {n}")

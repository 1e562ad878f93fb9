"""What operations on arrays cost: the column `work` of their rows.

Each is a function of `data`, the shape of the result and the shapes of the arguments.  Matrix
factorisations have the counts of Golub and Van Loan, Matrix Computations (2013), to leading order.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from ..counts import ZERO, Count, count, total
from ..shapes import Extent, Shape
from .row import Spec

Work = Callable[..., Count]


def moved(_data: object, _out: Shape, *_shapes: Shape) -> Count:
    """Elements are moved, or only looked at in another way."""
    return ZERO


def each(times: int = 1) -> Work:
    """So many operations for each element of the first argument."""
    return lambda _data, _out, x, *_: count(times, *x)


def contraction(labels: Callable[..., Spec]) -> Work:
    """A product for every combination of the labels, added up; of one array, only the sum."""

    def work(data: Any, out: Shape, *shapes: Shape) -> Count:
        inside, _ = labels(data, *shapes)
        extents: dict[str, Extent] = {}
        for letters, shape in zip(inside, shapes, strict=True):
            extents |= zip(letters, shape, strict=True)
        if len(shapes) == 1 and len(extents) == len(out):
            return ZERO
        return count(len(shapes), *extents.values())

    return work


def cubic(times: int | Fraction) -> Work:
    """So many times the cube of the rows of each square matrix."""
    return lambda _data, _out, a, *_: count(times, *a, a[-1])


def solving(_data: object, out: Shape, a: Shape, _b: Shape) -> Count:
    """A factorisation, and two triangular systems for each right-hand side."""
    return total((count(Fraction(2, 3), *a, a[-1]), count(2, *out, a[-1])))


def pseudo_inverse(_data: object, _out: Shape, a: Shape) -> Count:
    """The singular value decomposition of the taller of A and its transpose, and a product.

    Which is the taller is not known of names: each has the count for as many rows as columns, or
    more.
    """
    *lead, m, n = a
    if isinstance(m, int) and isinstance(n, int) and m < n:
        m, n = n, m
    return total((count(16, *lead, m, n, n), count(8, *lead, n, n, n)))

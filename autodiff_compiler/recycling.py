"""Memory of large results that were given up, kept for later results of the same size.

New memory comes from the system page by page, cleared, which takes longer than the arithmetic that
is done in it.  CPython counts references, so it is known when nobody has a result any more.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from typing import Any

LEAST, MOST = 2**17, 2**28  # bytes of an array that is kept, and of all of them
FEW = 32  # arrays of one size that are kept
LINE = 64  # bytes of a cache's line: what vector instructions load lies in one, or takes twice

Piece = tuple[Any, int]  # an array of bytes, and where in it the memory begins


class Recycled:
    """Memory that threads may share.

    Whoever asks for an array holds it while it is counted: two threads that ask for one at the same
    time both see a reference too many, and take new memory.
    """

    def __init__(self, most: int = MOST) -> None:
        self._arrays: Mapping[int, Sequence[Piece]] = {}  # by size; replaced, never changed
        counts = getattr(sys, "_is_gil_enabled", lambda: True)()
        self._most = most if counts and sys.implementation.name == "cpython" else 0
        for array, _ in [(object(), 0)] if self._most else ():
            self._unused = sys.getrefcount(array)  # of what only a list and a loop refer to

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """An array with any numbers in it, of a `numpy.dtype` or one of Python's types."""
        size = math.prod(shape) * getattr(dtype, "itemsize", 8)  # enough for Python's own types
        for array, start in self._arrays.get(size, ()):
            if sys.getrefcount(array) == self._unused:
                return type(array)(shape, dtype, array, start)  # a numpy.ndarray
        return self._new(shape, dtype, size)

    def _new(self, shape: tuple[int, ...], dtype: Any, size: int) -> Any:
        import numpy as np

        if not LEAST <= size <= self._most:
            return np.empty(shape, dtype)
        array = np.empty(size + LINE, np.uint8)
        start = -array.ctypes.data % LINE
        self._keep(size, [*self._arrays.get(size, ()), (array, start)][-FEW:])
        return np.ndarray(shape, dtype, array, start)

    def _keep(self, size: int, arrays: Sequence[Piece]) -> None:
        """Keep these arrays of a size, and of the others as many as there is room for."""
        others = [(s, a) for s, a in self._arrays.items() if s != size]
        kept = dict([*others, (size, arrays)])
        total = sum(s * len(a) for s, a in kept.items())
        while total > self._most:
            oldest = next(iter(kept))
            kept[oldest], total = kept[oldest][1:], total - oldest
            if not kept[oldest]:
                del kept[oldest]
        self._arrays = kept

    def clear(self) -> None:
        """Give all memory back."""
        self._arrays = {}


RECYCLED = Recycled()

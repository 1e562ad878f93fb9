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


def _counted(arrays: Sequence[Any], k: int) -> tuple[Any, int]:
    """An array, and how many refer to it, this function among them."""
    array = arrays[k]
    return array, sys.getrefcount(array)


class Recycled:
    """Memory that threads may share.

    Whoever asks for an array holds it while it is counted: two threads that ask for one at the same
    time both see a reference too many, and take new memory.
    """

    def __init__(self, most: int = MOST) -> None:
        self._arrays: Mapping[int, Sequence[Any]] = {}  # by size; replaced, never changed
        counts = getattr(sys, "_is_gil_enabled", lambda: True)()
        self._most = most if counts and sys.implementation.name == "cpython" else 0
        self._unused = _counted([object()], 0)[1] if self._most else 0

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """An array with any numbers in it."""
        import numpy as np

        size = math.prod(shape) * np.dtype(dtype).itemsize
        if not LEAST <= size <= self._most:
            return np.empty(shape, dtype)
        return self._bytes(size).view(dtype).reshape(shape)

    def _bytes(self, size: int) -> Any:
        """Memory that only this object still refers to, or new memory."""
        import numpy as np

        arrays = self._arrays.get(size, ())
        for k in range(len(arrays)):
            array, count = _counted(arrays, k)
            if count == self._unused:
                return array
        array = np.empty(size, np.uint8)
        self._keep(size, [*arrays, array][-FEW:])
        return array

    def _keep(self, size: int, arrays: Sequence[Any]) -> None:
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

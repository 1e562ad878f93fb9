"""How generated code is written."""

from __future__ import annotations

from typing import NamedTuple

ERRORS = ("ArithmeticError", "ValueError", "TypeError")
RESERVED = ("np", "array", "float", "nan", "inf", "_full", "_floats", *ERRORS)  # no local names


class Style(NamedTuple):
    """How code is written.

    Attributes:
        prune: without what the outputs do not need.
        blocks: with loops over blocks of large arrays.
        threads: that share the blocks of an array.
        allocator: the function that gives memory for results.
        checked: whether whole arrays come as floats of one type, and numbers as floats.
        raising: NumPy's errors for which another function is called.
    """

    prune: bool = True
    blocks: bool = True
    threads: int = 2
    allocator: str = "np.empty"
    checked: bool = False
    raising: tuple[str, ...] = ()


PLAIN = Style()

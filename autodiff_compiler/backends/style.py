"""How generated code is written."""

from __future__ import annotations

from typing import NamedTuple


class Style(NamedTuple):
    """How code is written.

    Attributes:
        prune: without what the outputs do not need.
        blocks: with loops over blocks of large arrays.
        threads: that share the blocks of an array.
    """

    prune: bool = True
    blocks: bool = True
    threads: int = 2


PLAIN = Style()

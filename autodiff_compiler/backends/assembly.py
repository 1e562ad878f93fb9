"""Sums of arrays placed at slices of a larger one, as lines of a loop over blocks.

Blocks run from the first to the last.  So the part that is placed furthest may be written and the
others added: what they are added to has been written by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..graph import NEGATIVE, Node
from ..primitives.axes import ALL, Index, Slice
from ..shapes import Shape
from .regions import is_assembly


class Part(NamedTuple):
    """A line of a loop: the name of a place, what happens to it, and the node that does it.

    A part whose `assignment` is empty is computed in its place.
    """

    name: str
    assignment: str
    node: Node


def leading(node: Node) -> int | None:
    """The part that is placed furthest; `None` where the places cannot be compared."""
    starts = [_starts(index, node.shape) for index in node.data[0]]
    known = [start for start in starts if start is not None]
    return known.index(max(known)) if len(known) == len(starts) else None


def _starts(index: Index, shape: Shape) -> tuple[int, ...] | None:
    """Where a part begins along each axis, if those are numbers and no element is left out."""
    found: list[int] = []
    for item, extent in zip(index, shape, strict=True):
        start = item.ends(extent)[0] if isinstance(item, Slice) and item.step == 1 else None
        if not isinstance(start, int):
            return None
        found.append(start)
    return tuple(found)


def margins(node: Node, part: int) -> Iterator[Index]:
    """The slices before and after a part, along each axis."""
    for k, (item, extent) in enumerate(zip(node.data[0][part], node.shape, strict=True)):
        start, stop = item.ends(extent)
        if start != 0:
            yield (*(ALL,) * k, Slice(None, start))
        if stop != extent:
            yield (*(ALL,) * k, Slice(item.stop, None))


class Assembler:
    """What happens to the parts of the sums in one loop.

    `passing` is what the loop makes and nothing needs after it, `users` who needs each node.
    """

    def __init__(self, passing: Iterable[Node], users: Mapping[Node, Sequence[Node]]) -> None:
        self._passing, self._users = set(passing), users

    def parts(self, node: Node, names: Sequence[str]) -> list[Part]:
        """A line for each argument, the leading one first."""
        lead = leading(node)
        pairs = [*enumerate(zip(node.args, names, strict=True))]
        pairs.sort(key=lambda pair: pair[0] != lead)
        return [self._written(*p) if k == lead else self._added(*p) for k, p in pairs]

    def _written(self, argument: Node, name: str) -> Part:
        """Computed in its place, if no other part is computed from it."""
        placed = [u for u in self._users[argument] if is_assembly(u) or self._is_subtracted(u)]
        alone = argument in self._passing and len(placed) == 1 and not argument.is_boolean
        return Part(name, "" if alone else "[...] =", argument)

    def _added(self, argument: Node, name: str) -> Part:
        """Added, or what it negates subtracted."""
        if self._is_subtracted(argument):
            return Part(name, " -=", argument.args[0])
        return Part(name, " +=", argument)

    def _is_subtracted(self, node: Node) -> bool:
        """Whether only a sum of placed parts needs a node, which negates another."""
        users = self._users.get(node, ())
        alone = node in self._passing and len(users) == 1
        return alone and node.op is NEGATIVE and is_assembly(users[0])

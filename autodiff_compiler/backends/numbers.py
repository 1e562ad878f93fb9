"""Numbers beside arrays: Python's, which leave the type of an array as it is.

But where Python would raise, or go over to complex numbers, NumPy computes, as IEEE 754 has it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

from ..graph import CONSTANT, DIVIDE, INPUT, MOD, POWER, Node
from ..primitives import Primitive
from ..primitives.linear import EXTENT
from .base import ATOM, Schedule, Spelling
from .numpy import NUMPY
from .python import FLOAT, divides_safely

NUMPYS: Mapping[Primitive, Spelling] = {
    row: Spelling(f"float(np.{name}({{0}}, {{1}}))", ATOM, (0, 0), frozenset({NUMPY, FLOAT}))
    for row, name in ((DIVIDE, "divide"), (POWER, "power"), (MOD, "mod"))
}  # of Python's numbers


def pythons(nodes: Iterable[Node], is_array: Callable[[Node], bool]) -> set[Node]:
    """The nodes that are Python's numbers: made by its operators, of arguments and literals."""
    found = set[Node]()
    for node in nodes:
        literal = node.op in (CONSTANT, EXTENT) or (node.op is INPUT and not is_array(node))
        if literal or (node.op.symbol and found.issuperset(node.args)):
            found.add(node)
    return found


class NumberSchedule(Schedule):
    """A program with arrays, and numbers that are none."""

    def is_array(self, node: Node) -> bool:
        """Whether a node is an array."""
        return bool(node.shape)

    @cached_property
    def _pythons(self) -> set[Node]:
        return pythons(self.nodes, self.is_array)

    def _spell_all(self, rows: Iterable[Primitive]) -> dict[Primitive, Spelling]:
        """The rows that are written alike everywhere."""
        return super()._spell_all(row for row in rows if row not in NUMPYS)

    def _array_spelling(self, node: Node) -> Spelling:
        if node.op not in NUMPYS:
            return super()._array_spelling(node)
        may_raise = node in self._pythons and not divides_safely(node)
        found = NUMPYS[node.op] if may_raise else self._speller.spell(node.op)
        self.imports |= found.rename(self._given).imports
        return found.rename(self._given)

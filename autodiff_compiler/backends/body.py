"""The function of one block of a loop: a line for each operation, and the memory that they use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ..graph import Node
from ..primitives import Primitive
from ..primitives.arithmetic import PRODUCT, SIGN, SUM
from .assembly import Part
from .base import HERE, Import, Text, tuple_of
from .numpy import NUMPY, listed
from .regions import Region, is_dot, is_total
from .vectorised import helper_of

if TYPE_CHECKING:
    from .blocks import BlockSchedule

IN_DOTS = Import(HERE, "_dot", "_dot")
NO_UFUNCS = frozenset({"where", "clip", "sinc"})


class Results(NamedTuple):
    """What a loop leaves behind.

    Attributes:
        inside: what a function of one block calls each result.
        arrays: the arrays that hold them: its parameters, and what it is called with.
        outside: the text of each result after the loop.
        unpacking: the lines that take the results from the parameters.
        parts: of a sum of arrays in their places, what happens to each of those.
    """

    inside: Mapping[Node, str]
    arrays: dict[str, str]
    outside: Mapping[Node, Text]
    unpacking: Sequence[str] = ()
    parts: Mapping[Node, Sequence[Part]] = {}


def _sorted(nodes: Sequence[Node], parts: Mapping[Node, Sequence[Part]]) -> list[Node]:
    """A region's nodes as they run: sums of placed parts last, without what nothing needs."""
    placed = {part.node for found in parts.values() for part in found}
    skipped = {a for node in parts for a in node.args} - placed
    return [*(n for n in nodes if n not in skipped and n not in parts), *parts]


class Body:
    """The lines of a function of one block, and the memory that they use."""

    def __init__(self, schedule: BlockSchedule, region: Region, results: Results) -> None:
        self._schedule, self._results = schedule, results.inside
        self._unpacking, self._parts = results.unpacking, results.parts
        self._nodes = _sorted(region.nodes, results.parts)
        places = {p.name for parts in results.parts.values() for p in parts}
        # Not the places of parts: they are seldom aligned, which writing to memory asks for.
        self._lending = {n: name for n, name in results.inside.items() if name not in places}
        self._place = {node: k for k, node in enumerate(self._nodes)}
        self._last = {a: k for k, node in enumerate(self._nodes) for a in self._operands(node)}
        self._own: dict[Node, str] = {}  # nodes in a block of their own
        self._free: list[str] = []  # blocks that are no longer needed
        self._lent: dict[str, int] = {}  # results whose memory is used before, and until when
        self._written: dict[str, int] = {}  # when the memory of results is written first
        self.blocks: list[str] = []  # what the function needs beside the results
        self.totals: list[str] = []

    def _operands(self, node: Node) -> Sequence[Node]:
        parts = self._parts.get(node)
        return node.args if parts is None else [part.node for part in parts]

    def function(self, name: str, parameters: Sequence[str], memory: str) -> list[str]:
        """The definition, between empty lines."""
        lines = [*self._lines()]
        blocks = tuple_of(", ".join(self.blocks), len(self.blocks))
        before = [*self._unpacking, *[f"{blocks} = {memory}"] * bool(self.blocks)]
        after = [f"return {listed(self.totals)}"] * bool(self.totals)
        head = f"def {name}({', '.join([*parameters, memory])}):"
        return ["", head, *(f"    {line}" for line in (*before, *lines, *after)), ""]

    def read_before(self, result: str, given: Mapping[Node, str]) -> Iterator[str]:
        """Those of the arrays given that are read no more when a result's memory is written."""
        for node, name in given.items():
            if self._last.get(node, 0) <= self._written.get(result, -1) and not node.is_boolean:
                yield name

    def _lines(self) -> Iterator[str]:
        """A line for each operation."""
        for k, node in enumerate(self._nodes):
            if node in self._parts:
                assigned = (part for part in self._parts[node] if part.assignment)
                yield from (
                    f"{p.name}{p.assignment} {self._schedule.text(p.node)}" for p in assigned
                )
                continue
            if node in self._lending and not node.is_boolean:
                self._written.setdefault(self._lending[node], self._starts(node))
            text, operands = self._schedule.operation(node), self._schedule.operands(node)
            dead = [a for a in dict.fromkeys(node.args) if self._last[a] == k and a in self._own]
            helper = self._helper(node)
            if helper is None:
                self._free += [self._own.pop(a) for a in dead]
                yield self._line(node, text, operands)
            else:
                yield self._call(helper, node, operands)
                self._free += [self._own.pop(a) for a in dead]

    def _helper(self, node: Node) -> str | None:
        """The helper that computes a node, which writes before it has read all operands."""
        return helper_of(node, self._schedule.shape_of)

    def _call(self, helper: str, node: Node, operands: str) -> str:
        """A helper's line, with a block that it may use until it returns."""
        result = self._results.get(node)
        name = self._schedule.bind(node, result)
        out = result or self._memory(node)
        spare = self._block()
        self._free.append(spare)
        function = self._schedule.require(Import(HERE, helper, helper))
        call = f"{function}({operands}, out={out}, spare={spare})"
        return call if result else f"{name} = {call}"

    def _line(self, node: Node, text: str, operands: str) -> str:
        result = self._results.get(node)
        name = self._schedule.bind(node, result)
        if is_total(node):
            self.totals.append(name)
            if is_dot(node):
                text = f"{self._schedule.require(IN_DOTS)}({operands})"
            return f"{name} = {text}"
        function = None if node.is_boolean else ufunc(node.op)
        if function is None:
            return f"{name}[...] = {text}" if result else f"{name} = {text}"
        call = f"{self._schedule.require(NUMPY)}.{function}({operands}"
        return f"{call}, out={result})" if result else f"{name} = {call}, out={self._memory(node)})"

    def _memory(self, node: Node) -> str:
        """A block that is free, or that of a result which is computed later, or a new one."""
        start, dies = self._starts(node), self._last.get(node, -1)
        for result, memory in self._lending.items() if not self._free else ():
            fits = self._starts(result) >= dies and not result.is_boolean
            if fits and self._lent.get(memory, -1) <= start:
                self._lent[memory] = dies
                self._written.setdefault(memory, start)
                return memory
        self._own[node] = self._block()
        return self._own[node]

    def _starts(self, node: Node) -> int:
        """The last operation that may still read a node's memory: itself, or one before a helper.

        A helper writes before it has read all operands; a ufunc reads an element, then writes it.
        """
        return self._place[node] - 1 if self._helper(node) else self._place[node]

    def _block(self) -> str:
        """A block that is free, or a new one."""
        if not self._free:
            self.blocks.append(self._schedule.claim(f"m{len(self.blocks) + 1}"))
            return self.blocks[-1]
        return self._free.pop()


def ufunc(row: Primitive) -> str | None:
    """The ufunc of NumPy that computes a row as its spelling does, if there is one."""
    if row.numpy or row.precedence not in (SUM, SIGN, PRODUCT):
        return row.numpy if row.numpy not in NO_UFUNCS else None
    return row.name

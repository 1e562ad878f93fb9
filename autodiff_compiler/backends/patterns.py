"""NumPy for large arrays given to a formula of numbers: loops over blocks, at known places.

The code for any arrays cannot know which of its operations are on arrays.  Here it is known which
arguments span which axes, so what spans none, or not all, is computed once, before the loop.
"""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Collection, Container, Iterable, Iterator, Sequence
from typing import cast

from ..derivatives import ALONG, Group, Program, Tree
from ..graph import Node
from ..shapes import Shape, named
from .base import ATOM, Speller, Text, tuple_of
from .blocks import BlockSchedule
from .body import Results
from .hoisting import hoisted
from .numpy import errors, head, numbers, reach
from .regions import Region
from .style import Style
from .text import wrap

WHOLE = (named("elements"),)
Pattern = tuple[int, ...]  # for each argument the axes that it spans, as a bit mask


class PatternSchedule(BlockSchedule):
    """A formula for arrays of which it is known which axes they span."""

    always = True  # straight code fills results up, and takes new memory for each

    def __init__(self, program: Program, speller: Speller, style: Style, pattern: Pattern) -> None:
        self._all = functools.reduce(operator.or_, pattern, 0)
        axes = _axes(program, pattern)
        program = hoisted(program, lambda node: axes[node] != self._all)
        self._axes = _axes(program, pattern)
        self.rows: dict[Node, str] = {}  # what a loop makes, and where
        self.results = ""  # the array of all outputs, if there is a loop
        super().__init__(program, speller, style, self._shape_of)

    def _shape_of(self, node: Node) -> Shape:
        return WHOLE if self._axes[node] == self._all else ()

    def is_array(self, node: Node) -> bool:
        """Whether a node is an array, though it may not span all axes."""
        return bool(self._axes[node])

    def _results(self, region: Region, shape: str) -> Results:
        """One array for all outputs: memory comes faster in one piece."""
        outputs, inside = self.program.leaves(), set(region.nodes)
        self.results = self.claim("results")
        empty = self._empty(f"({len(outputs)}, *{shape})")
        self.statements.append((self.results, empty))
        places = {node: k for k, node in reversed([*enumerate(outputs)]) if node in inside}
        names = {node: self.bind(node) for node in sorted(places, key=places.__getitem__)}
        self.rows = {node: f"{self.results}[{places[node]}]" for node in names}
        rows = _rows(self.results, [places[node] for node in names])
        unpacking = f"{_tuple(names.values())} = {rows}"
        outside = {node: Text(row, ATOM) for node, row in self.rows.items()}
        return Results(names, {self.results: self.results}, outside, [unpacking])

    def _name(self, leaf: Node, made: Container[Node]) -> None:
        """As of any blocks; a row of the results needs no other name."""
        if leaf not in self.rows:
            super()._name(leaf, made)


def _rows(results: str, places: Sequence[int]) -> str:
    """Rows of an array, as arrays even if they have no axes."""
    if len(places) == 1:
        return f"{results}[{places[0]}, ...]"
    count = len(places)
    in_order = list(places) == [*range(count)]
    several = f"range({count})" if in_order else tuple_of(", ".join(map(str, places)), count)
    return f"[{results}[k, ...] for k in {several}]"


def spanning(program: Program, wrt: Sequence[str], arrays: Collection[int | str]) -> Pattern:
    """The pattern of a program, from itself or from the names of inputs that are arrays.

    A tangent is an array where its input is one, a cotangent always.
    """
    given = [p.elements if isinstance(p, Group) else (p,) for p in program.parameters]
    if len(given) == 2 and program.kind in ALONG:
        names = [*(n.data for n in given[0]), *wrt]
    else:
        names = [n.data for n in program.arguments()]
    if not all(isinstance(name, str) for name in arrays):
        return cast(Pattern, tuple(arrays))
    inputs = len(given[0]) if program.kind == "vjp" else len(names)
    return tuple(3 * (name in arrays or k >= inputs) for k, name in enumerate(names))


def _axes(program: Program, pattern: Pattern) -> dict[Node, int]:
    """The axes that each node spans."""
    return reach(program, dict(zip(program.arguments(), pattern, strict=True)))


def _tuple(texts: Iterable[str]) -> str:
    listed = list(texts)
    return listed[0] if len(listed) == 1 else tuple_of(", ".join(listed), len(listed))


def define(name: str, schedule: PatternSchedule, doc: Sequence[str], style: Style) -> Iterator[str]:
    """A function definition; its arguments span the axes that the schedule was made for."""
    arrays = {v: n for v, n in schedule.parameters.items() if schedule.is_array(v)}
    yield errors(style)
    yield from head(name, schedule, doc, [*arrays.values()])
    yield from numbers([n for v, n in schedule.parameters.items() if v not in arrays], schedule)
    for k, (target, text) in enumerate(schedule.statements):
        for line in schedule.functions.get(k, ()):
            yield from wrap(line, "    ") if line else ("",)
        yield from wrap(f"{target} = {text}" if target else text, "    ")
    for k, node in enumerate(schedule.program.leaves()):
        row, text = f"{schedule.results}[{k}]", schedule.text(node)
        if row != text:
            yield f"    {row} = {text}"
    places = itertools.count()
    yield from wrap(
        f"return {_outputs(schedule.program.outputs, schedule.results, places)}", "    "
    )


def _outputs(tree: Tree, results: str, places: Iterator[int]) -> str:
    """The rows of the results as the tree of outputs; a list of numbers is an array of rows."""
    if isinstance(tree, Node):
        return f"{results}[{next(places)}]"
    if isinstance(tree, tuple):
        return tuple_of(", ".join(_outputs(t, results, places) for t in tree), len(tree))
    first, *_ = [next(places) for _ in tree]
    return f"{results}[{first}:{first + len(tree)}]"

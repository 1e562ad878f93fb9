"""Nodes evaluated at points chosen at random, to tell what vanishes whatever the inputs are.

Each operation is rounded at random, many bits too early: what is 0 but for rounding then differs
from evaluation to evaluation by as much as it is, and what is not 0 does not.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from functools import cache

from ..graph import CONSTANT, INPUT, WHERE, Graph, Node
from ..partials import definition
from ..primitives import Primitive
from ..primitives.ieee import Number, evaluate, has_python

RANGES = (  # of inputs, at each point: what is 0 for positive numbers may not be for others
    *((0.1, 0.9), (1.1, 3.0), (0.3, 2.1), (0.3, 2.1)),
    *((-2.1, -0.3), (-2.1, 2.1), (4.0, 20.0)),
)
CHOICES = (None, None, True, False, None, None, None)  # of all branches, at each point
ROUNDINGS = 3
NOISE = 5e-16  # relative, of one operation: more than it is rounded
SPREAD = 0.03  # relative, of the evaluations of what is not 0
Column = Sequence[Number]  # the evaluations of a node: the roundings of each point, one by one


class Probes:
    """The evaluations of the nodes of a graph, which may grow.

    For `all_branches`, conditions are taken to hold at one point, and not to hold at another.
    """

    def __init__(self, graph: Graph, all_branches: bool = False) -> None:
        self._graph, self._all_branches = graph, all_branches
        self._columns: list[Column] = []
        self._depends: list[bool] = []
        self._random = random.Random(0)

    def vanishes(self, node: Node) -> bool:
        """Whether a node is 0 but for rounding, at most points at which it is finite."""
        if node.op is CONSTANT:
            return bool(node.data == 0)
        points = list(self._points(node).values())
        return 2 * sum(map(_is_noise, points)) > len(points)

    def underflows(self, node: Node) -> bool:
        """Whether what is made of inputs is exactly 0 wherever it is finite."""
        return self.depends(node) and not any(any(p) for p in self._points(node).values())

    def depends(self, node: Node) -> bool:
        """Whether a node is made of inputs."""
        self._fill(node)
        return self._depends[node.index]

    def is_finite(self, node: Node) -> bool:
        """Whether a node is finite at some point."""
        return bool(self._points(node))

    def finite(self, node: Node) -> set[int]:
        """The points at which a node is finite."""
        return set(self._points(node))

    def holds(self, node: Node) -> bool:
        """Whether a condition without inputs is true."""
        return any(point[0] for point in self._points(node).values())

    def _points(self, node: Node) -> dict[int, Column]:
        """The roundings of each point at which all of them are finite."""
        self._fill(node)
        column = self._columns[node.index]
        points = (column[k * ROUNDINGS : (k + 1) * ROUNDINGS] for k in range(len(RANGES)))
        return {k: point for k, point in enumerate(points) if all(map(math.isfinite, point))}

    def _fill(self, node: Node) -> None:
        for new in self._graph.nodes[len(self._columns) : node.index + 1]:
            self._columns.append(self._column(new))
            moved = any(self._depends[a.index] for a in new.args)
            self._depends.append(moved or new.op is INPUT)

    def _column(self, node: Node) -> Column:
        if node.op is INPUT:
            drawn = [self._random.uniform(*bounds) for bounds in RANGES]
            return [x for x in drawn for _ in range(ROUNDINGS)]
        choices = [choice for choice in CHOICES for _ in range(ROUNDINGS)]
        if node.op is CONSTANT:
            return [node.data for _ in choices]
        columns = [self._columns[a.index] for a in node.args]
        if node.op is WHERE and self._all_branches:
            columns[0] = [c if k is None else k for c, k in zip(columns[0], choices, strict=True)]
        rows = zip(*columns, strict=True) if columns else [() for _ in choices]
        return [self._rounded(value(node.op, row)) for row in rows]

    def _rounded(self, number: Number) -> Number:
        if isinstance(number, bool):
            return number
        return number * (1 + self._random.uniform(-NOISE, NOISE))


def _is_noise(point: Column) -> bool:
    largest = max(map(abs, point))
    return max(point) - min(point) >= SPREAD * largest


def value(row: Primitive, args: Sequence[Number]) -> Number:
    """An operation on numbers; nan, if Python has none for it."""
    if has_python(row):
        return evaluate(row, args)
    if row.define is None:
        return math.nan
    graph, output = _defined(row)
    values: dict[Node, Number] = dict(zip(graph.inputs.values(), args, strict=True))
    for node in graph.nodes:
        if node.op is CONSTANT:
            values[node] = node.data
        elif node not in values:
            values[node] = value(node.op, [values[a] for a in node.args])
    return values[output]


@cache
def _defined(row: Primitive) -> tuple[Graph, Node]:
    graph = Graph()
    return graph, definition(row)(graph, *map(graph.input, row.args))

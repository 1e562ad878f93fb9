"""Nodes evaluated at points chosen at random, to tell what vanishes whatever the inputs are.

Each operation is rounded at random, many bits too early: what is 0 but for rounding then differs
from evaluation to evaluation by as much as it is, and what is not 0 does not.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from functools import cache

from .graph import CONSTANT, INPUT, Graph, Node
from .partials import definition
from .primitives import Primitive
from .primitives.ieee import Number, evaluate, has_python

POINTS, ROUNDINGS = 3, 4
RANGE = (0.3, 2.1)  # of inputs: what most functions are defined for
NOISE = 1e-12  # relative, of one operation
SPREAD = 0.01  # relative, of the evaluations of what is not 0
Column = Sequence[Number]  # the evaluations of a node: the roundings of each point, one by one


class Probes:
    """The evaluations of the nodes of a graph, which may grow."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._columns: list[Column] = []
        self._random = random.Random(0)

    def vanishes(self, node: Node) -> bool:
        """Whether a node is 0 at all points at which it is finite."""
        if node.op is CONSTANT:
            return bool(node.data == 0)
        return all(map(_is_noise, self._points(node)))

    def is_finite(self, node: Node) -> bool:
        """Whether a node is finite at some point."""
        return next(self._points(node), None) is not None

    def values(self, node: Node) -> set[Number]:
        """The values of a node, where they are finite."""
        return {v for point in self._points(node) for v in point}

    def _points(self, node: Node) -> Iterator[Column]:
        """The roundings of each point at which all of them are finite."""
        for new in self._graph.nodes[len(self._columns) : node.index + 1]:
            self._columns.append(self._column(new))
        column = self._columns[node.index]
        for k in range(0, len(column), ROUNDINGS):
            point = column[k : k + ROUNDINGS]
            if all(map(math.isfinite, point)):
                yield point

    def _column(self, node: Node) -> Column:
        if node.op is CONSTANT:
            return [node.data] * (POINTS * ROUNDINGS)
        if node.op is INPUT:
            drawn = [self._random.uniform(*RANGE) for _ in range(POINTS)]
            return [x for x in drawn for _ in range(ROUNDINGS)]
        columns = [self._columns[a.index] for a in node.args]
        rows = zip(*columns, strict=True) if columns else [()] * (POINTS * ROUNDINGS)
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

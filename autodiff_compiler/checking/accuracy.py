"""Bits of error of a compiled function: its value and its partials, at many points."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from ..graph import Graph, Node
from .certificate import BUCKETS, Accuracy, Culprit
from .culprit import Detective
from .exact import Exact, bits

MAX_PARTIALS = 24  # inputs whose partials are checked
POINTS = 100  # of each range, by default
WORK = 400_000  # of each range, by default, in additions; a large program stops early
TRIES = 4  # points drawn for one that counts
LOST = 4.0  # bits of error that are no mere rounding: a culprit is looked for

Point = Mapping[str, float]


class _Tally:
    """The errors of one quantity over one range."""

    def __init__(self, name: str) -> None:
        self.name, self.errors, self.skipped = name, list[float](), 0
        self.worst: tuple[Point, float, float] | None = None

    def add(self, point: Point, got: float, want: float | None) -> None:
        if want is None or math.isinf(want):
            self.skipped += 1
            return
        error = bits(got, want)
        if self.worst is None or error > max(self.errors):
            self.worst = point, got, want
        self.errors.append(error)

    def histogram(self) -> tuple[int, ...]:
        """How many errors are in each bucket."""
        ends = list(itertools.pairwise([-1.0, *BUCKETS.values()]))
        return tuple(sum(low < error <= high for error in self.errors) for low, high in ends)


class _Meter:
    """Measures one compiled function."""

    def __init__(self, fn: Any, graph: Graph, output: Node, labels: Sequence[str]) -> None:
        self.fn, self.count = fn, len(labels)
        self.wrt = fn.wrt[:MAX_PARTIALS]
        self.names = [*labels, *(f"d{y}/d{x}" for y in labels for x in self.wrt)]
        self.exact = Exact(graph, output.parts, self.wrt)

    def over(
        self, kind: str, points: Iterable[Point], enough: int, work: float
    ) -> Iterator[Accuracy]:
        """The errors at the first points where the value is known, as many as are enough."""
        tallies = [_Tally(name) for name in self.names]
        end = self.exact.spent + work
        for point in points:
            wanted = self.exact.at(point)
            # SciPy's functions may never return far from where they are meant to be used.
            known = any(want is not None for want in wanted)
            computed = self._compiled(point) if known else [math.nan] * len(wanted)
            for tally, got, want in zip(tallies, computed, wanted, strict=True):
                tally.add(point, got, want)
            if self.exact.spent > end or len(tallies[0].errors) >= enough:
                break
        for k, tally in enumerate(tallies):
            yield self._summary(kind, k, tally)

    def _compiled(self, point: Point) -> list[float]:
        columns = [flat(c) for c in self.fn.jacobian(**point)[: len(self.wrt)]]
        return flat(self.fn.value(**point)) + by_output(columns)

    def _summary(self, kind: str, k: int, tally: _Tally) -> Accuracy:
        errors, (point, got, want) = tally.errors, tally.worst or ({}, math.nan, math.nan)
        mean = sum(errors) / len(errors) if errors else 0.0
        worst = max(errors, default=0.0)
        culprit = self._culprit(k, point, want, worst) if worst > LOST else None
        numbers = (len(errors), tally.skipped, mean, worst, tally.histogram())
        return Accuracy(tally.name, kind, *numbers, point, got, want, culprit)

    def _culprit(self, k: int, point: Point, want: float, lost: float) -> Culprit | None:
        if k < self.count:
            return self._value.find(point, k, want, lost)
        row, column = divmod(k - self.count, len(self.wrt))
        return self._jacobian.find(point, column * self.count + row, want, lost)

    @cached_property
    def _value(self) -> Detective:
        return Detective(self.fn._program("value"), self.fn.formula)

    @cached_property
    def _jacobian(self) -> Detective:
        return Detective(self.fn._program("jacobian"), self.fn.formula)


def measure(
    fn: Any,
    graph: Graph,
    output: Node,
    labels: Sequence[str],
    points: Sequence[Point] | None,
    count: int | None,
    drawn: Mapping[str, Iterable[Point]],
) -> tuple[Accuracy, ...]:
    """The errors of every quantity at the points given, or else at `count` of those `drawn`.

    `fn` is a compiled function of numbers, or what can be called like one; `labels` are what its
    outputs are called, and `drawn` has points without end for each range.
    """
    if count == 0:
        return ()
    meter = _Meter(fn, graph, output, labels)
    if points is not None:
        return tuple(meter.over("given", points, len(points), math.inf))
    enough, work = (POINTS, WORK) if count is None else (count, math.inf)
    found: list[Accuracy] = []
    for kind, draw in drawn.items():
        found += meter.over(kind, itertools.islice(draw, TRIES * enough), enough, work)
    return tuple(sorted(found, key=lambda a: meter.names.index(a.quantity)))


def flat(value: Any) -> list[float]:
    """A float, a list or an array of any shape as a list of floats."""
    if isinstance(value, float | list):
        return [value] if isinstance(value, float) else [float(v) for v in value]
    return [float(v) for v in value.ravel()]


def by_output(columns: Sequence[Sequence[float]]) -> list[float]:
    """Partials by input as one list, output by output."""
    return [value for row in zip(*columns, strict=True) for value in row]

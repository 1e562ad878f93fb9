"""What a program and its slopes should be: mpmath in many digits, none of our partials."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..backends.evaluate import Evaluation, mpmath_algebra
from ..graph import Graph, Node

DIGITS = 70  # of every number here, at points of moderate size
STEPS = (20, 30)  # decimal places of the two steps that each side takes
SECOND_STEPS = (18, 20)  # of the two steps for second slopes
STEADY = 1e-6  # relative change between the steps beyond which a slope is infinite

# How mpmath says that it has no value; NoConvergence is a plain Exception of its own.
FAILURES = (ArithmeticError, ValueError, TypeError, NotImplementedError, RecursionError)


class Span(NamedTuple):
    """Where a number may lie: one value, or at a kink all between the slopes of its two sides."""

    low: Any
    high: Any

    @property
    def size(self) -> float:
        """The larger magnitude of the ends that are finite."""
        return max((abs(float(v)) for v in self if math.isfinite(v)), default=0.0)

    def nearest(self, value: float) -> Any:
        """The number in the span that is nearest to a double."""
        inside = self.low <= value <= self.high
        return value if inside else self.high if value > self.high else self.low


class Reference:
    """Values and slopes by mpmath."""

    def __init__(self, graph: Graph, outputs: Sequence[Node]) -> None:
        algebra = mpmath_algebra(DIGITS)
        self._mp, self._evaluation = algebra.module, Evaluation(graph, outputs, algebra)

    def values(self, point: Mapping[str, Any]) -> list[Any] | None:
        """The outputs in mpmath's numbers; `None` where they are not all real and finite."""
        self._focus(point)
        return self._at(point)

    def _at(self, point: Mapping[str, Any]) -> list[Any] | None:
        """The outputs in the digits that were last focused on."""
        from mpmath.libmp import NoConvergence

        try:
            found = self._evaluation.at({name: self._mp.mpf(v) for name, v in point.items()})
        except (*FAILURES, NoConvergence):
            return None
        real = (not isinstance(v, self._mp.mpc) and self._mp.isfinite(v) for v in found)
        return found if all(real) else None

    def slopes(self, point: Mapping[str, float], name: str) -> list[Span] | None:
        """The slopes of every output by one input, from both sides, or from the one that exists."""
        self._focus(point)
        here = self._at(point)
        sides = [self._side(point, name, here, sign) for sign in (-1, 1)] if here else []
        found = [side for side in sides if side is not None]
        if not found:
            return None
        return [Span(min(s), max(s)) for s in zip(*found, strict=True)]

    def largest(self, point: Mapping[str, float]) -> float:
        """The largest magnitude that the evaluation comes by, on the way to outputs of 0 too."""
        values: dict[Node, Any] = {}
        at = {name: self._mp.mpf(v) for name, v in point.items()}
        self._evaluation.fill(values, self._evaluation.nodes, at)
        return float(max(abs(v) for v in values.values() if self._mp.isfinite(v)))

    def curvatures(
        self, point: Mapping[str, float], names: Sequence[str]
    ) -> dict[tuple[str, str], Any]:
        """The second slopes of the first output by pairs of inputs.

        Those are left out that do not exist: where one side has no values, or another slope.
        """
        self._focus(point)
        ways = [sign * self._mp.mpf(10) ** -places for sign in (-1, 1) for places in SECOND_STEPS]
        first, *others = (self._second(point, names, h) for h in ways)
        return {
            pair: value
            for pair, value in first.items()
            if all(self._agree(value, other.get(pair)) for other in others)
        }

    def _focus(self, point: Mapping[str, float]) -> None:
        """As many digits as second differences take beside numbers so large or small."""
        sizes = (abs(math.log10(abs(v))) for v in point.values() if v and math.isfinite(v))
        self._mp.dps = DIGITS + 2 * math.ceil(max(sizes, default=0))

    def _step(self, step: Any, value: float) -> Any:
        """A step as it is, but for numbers below 1, of which it is that part."""
        return step * min(1, abs(value) or 1)

    def _agree(self, value: Any, other: Any) -> bool:
        if other is None:
            return False
        scale = max(abs(value), abs(other), self._mp.mpf(10) ** -15)
        return bool(abs(other - value) <= STEADY * scale)

    def _second(
        self, point: Mapping[str, float], names: Sequence[str], step: Any
    ) -> dict[tuple[str, str], Any]:
        """Second difference quotients to one side."""
        steps = {n: self._step(step, point[n]) for n in names}
        pairs = list(itertools.combinations_with_replacement(names, 2))
        moves = [(), *((n,) for n in names), *pairs]
        found = {move: self._moved(point, steps, move) for move in moves}
        if any(value is None for value in found.values()):
            return {}
        noise = max(map(abs, found.values())) * self._mp.mpf(10) ** (5 - self._mp.dps)
        tops = {(a, b): found[a, b] - found[a,] - found[b,] + found[()] for a, b in pairs}
        return {
            (a, b): top / (steps[a] * steps[b]) if abs(top) > noise else self._mp.mpf(0)
            for (a, b), top in tops.items()
        }

    def _moved(
        self, point: Mapping[str, float], steps: Mapping[str, Any], names: Sequence[str]
    ) -> Any:
        """The first output, a step away along each of some inputs."""
        there: dict[str, Any] = dict(point)
        for name in names:
            there[name] = there[name] + steps[name]
        values = self._at(there)
        return None if values is None else values[0]

    def _side(
        self, point: Mapping[str, float], name: str, here: Sequence[Any], sign: int
    ) -> list[Any] | None:
        """Difference quotients to one side; infinite where they grow as the step shrinks."""
        x = self._mp.mpf(point[name])
        rows = []
        for places in STEPS:
            h = self._step(sign * self._mp.mpf(10) ** -places, x)
            there = self._at({**point, name: x + h})
            if there is None:
                return None
            rows.append([(b - a) / h for a, b in zip(here, there, strict=True)])
        return [self._limit(coarse, fine) for coarse, fine in zip(*rows, strict=True)]

    def _limit(self, coarse: Any, fine: Any) -> Any:
        steady = abs(coarse - fine) <= STEADY * abs(fine) + self._mp.mpf(10) ** -15
        return fine if steady else self._mp.sign(fine) * self._mp.inf

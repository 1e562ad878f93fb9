"""Derivatives checked by every independent means: the other mode, SymPy, mpmath, differences."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from .backends.evaluate import Evaluation, sympy_algebra
from .certificate import Certificate, Disagreement, Worst
from .graph import STACK, Graph, Node
from .passes import output_symbols
from .reference import Reference, Span
from .traces import Point, vector

if TYPE_CHECKING:
    from .compiler import Function

TRIES = 400  # random points looked at before giving up
MAX_PARTIALS = 24  # inputs whose partials are checked
MAX_SYMPY = 400  # nodes that SymPy is asked to differentiate
TOLERANCE = 1e-9  # of the scale of the quantity compared
DIFFERENCE_TOLERANCE = 1e-4
STEPS = [10.0**-k for k in range(2, 11)]  # of the differences, relative to the point
MAY_PASS = ("differences", "sympy")  # nan where they say nothing, as at a kink or an edge
FLOOR = 1e-300  # below, doubles lose their digits one by one

RANGES = (
    (0.2, 2.5),
    (-2.5, 2.5),
    (0.05, 0.95),
    (1.1, 6.0),
    (5.0, 50.0),
    (50.0, 500.0),
    (-50.0, -5.0),
)


class Quantity(NamedTuple):
    """One number to compare: an output, or one of its partials; `scale` is what it is a part of."""

    name: str
    want: Span
    scale: float


class _Checker:
    """One check: collects the worst errors and the disagreements."""

    def __init__(self, fn: Function, graph: Graph, output: Node) -> None:
        self.fn, self.graph = fn, graph
        self.is_list = output.op is STACK
        self.labels = output_symbols(graph, output)
        self.outputs = output.args if self.is_list else (output,)
        self.names = fn.wrt[:MAX_PARTIALS]
        self.reference = Reference(graph, self.outputs)
        self.worst: dict[str, Worst] = {}
        self.disagreements: list[Disagreement] = []
        self.skipped: dict[str, str] = {}

    def quantities(self, point: Mapping[str, float]) -> list[Quantity] | None:
        """Every output, then every partial by output, with what they should be.

        `None` where the formula has no value: mpmath is not asked where doubles have none.
        """
        if not all(math.isfinite(v) for v in _flat(self.fn.value(**point))):
            return None
        values = self.reference.values(point)
        columns = [self.reference.slopes(point, name) for name in self.names]
        if values is None or any(c is None for c in columns):
            return None
        rows = list(zip(*(c for c in columns if c is not None), strict=True)) or [()] * len(values)
        found: list[Quantity] = []
        partials: list[Quantity] = []
        for label, value, row in zip(self.labels, values, rows, strict=True):
            sizes = [s.size * abs(point[n]) for s, n in zip(row, self.names, strict=True)]
            scale = max([abs(float(value)), *sizes])
            found.append(Quantity(label, Span(value, value), scale))
            partials += self._partials(label, row, scale, point)
        return found + partials

    def _partials(
        self, label: str, row: Sequence[Span], scale: float, point: Mapping[str, float]
    ) -> Iterator[Quantity]:
        for name, span in zip(self.names, row, strict=True):
            part = scale / max(abs(point[name]), 1e-300)
            yield Quantity(f"d{label}/d{name}", span, max(span.size, part))

    def at(self, point: Mapping[str, float], quantities: Sequence[Quantity]) -> None:
        """Compare every method with the reference at one point."""
        count = len(self.outputs)
        self.compare("value", point, quantities[:count], _flat(self.fn.value(**point)))
        partials = quantities[count:]
        self.compare("forward", point, partials, self._forward(point))
        self.compare("reverse", point, partials, self._reverse(point))
        self.compare("arrays", point, partials, self._arrays(point))
        self.compare("formula", point, partials, self._formulas(point))
        self.compare("differences", point, partials, self._differences(point))
        self.compare("sympy", point, partials, self._by_sympy(point))

    def compare(
        self,
        method: str,
        point: Mapping[str, float],
        wanted: Sequence[Quantity],
        got: Sequence[float],
    ) -> None:
        allowed = DIFFERENCE_TOLERANCE if method == "differences" else TOLERANCE
        for quantity, value in zip(wanted, got, strict=bool(got)):
            if method in MAY_PASS and math.isnan(value):
                continue
            want = quantity.want.nearest(value)
            ulps = _ulps(value, want)
            if method not in self.worst or ulps > self.worst[method].ulps:
                self.worst[method] = Worst(ulps, quantity.name, point)
            if ulps and not abs(value - want) <= allowed * quantity.scale + FLOOR:
                wrong = Disagreement(method, quantity.name, point, value, float(want))
                self.disagreements.append(wrong)

    def _forward(self, point: Mapping[str, float]) -> list[float]:
        primals = [point[name] for name in self.fn.inputs]
        seeds = [[float(other == name) for other in self.fn.wrt] for name in self.names]
        return _by_output([_flat(self.fn.jvp(primals, seed)[1]) for seed in seeds])

    def _reverse(self, point: Mapping[str, float]) -> list[float]:
        primals = [point[name] for name in self.fn.inputs]
        count = len(self.outputs)
        found: list[float] = []
        for k in range(count):
            seed = [float(j == k) for j in range(count)]
            cotangent: Any = seed if self.is_list else seed[0]
            found += [float(v) for v in self.fn.vjp(primals, cotangent)[1][: len(self.names)]]
        return found

    def _arrays(self, point: Mapping[str, float]) -> list[float]:
        columns = self.fn.jacobian(**{name: [value] for name, value in point.items()})
        return _by_output([_flat(c) for c in columns[: len(self.names)]])

    def _formulas(self, point: Mapping[str, float]) -> list[float]:
        return _by_output([_flat(f.value(**point)) for f in self._derivatives])

    @cached_property
    def _derivatives(self) -> list[Function]:
        texts = (self.fn.derivative(name) for name in self.names)
        return [type(self.fn)(text, self.fn.inputs, (), (), self.fn.limits) for text in texts]

    def _differences(self, point: Mapping[str, float]) -> list[float]:
        return _by_output([self._difference(point, name) for name in self.names])

    def _difference(self, point: Mapping[str, float], name: str) -> list[float]:
        """Central differences: of many steps, the two that agree best."""
        rows = []
        for step in STEPS:
            h = step * max(1.0, abs(point[name]))
            above, below = point[name] + h, point[name] - h
            ends = [_flat(self.fn.value(**{**point, name: x})) for x in (above, below)]
            rows.append([(a - b) / (above - below) for a, b in zip(*ends, strict=True)])
        return [_steadiest(estimates) for estimates in zip(*rows, strict=True)]

    @cached_property
    def _sympy(self) -> list[Any]:
        """SymPy's partials, as expressions."""
        import sympy

        symbols = {name: sympy.Symbol(name, real=True) for name in self.fn.inputs}
        found = Evaluation(self.graph, self.outputs, sympy_algebra()).at(symbols)
        return [f.diff(symbols[name]) for f in found for name in self.names]

    def _by_sympy(self, point: Mapping[str, float]) -> list[float]:
        """SymPy's values; none where it has no derivative, or cannot evaluate it."""
        import sympy

        size = len(self.graph.nodes)
        if size > MAX_SYMPY:
            self.skipped["sympy"] = f"{size} nodes, more than {MAX_SYMPY}"
        if "sympy" in self.skipped:
            return []
        at = {sympy.Symbol(n, real=True): sympy.Rational(v) for n, v in point.items()}
        try:
            return [float(partial.evalf(30, subs=at)) for partial in self._sympy]
        except Exception as error:  # SymPy raises what it likes, NameError and KeyError included
            self.skipped["sympy"] = f"{type(error).__name__}: {error}".splitlines()[0]
            self.worst.pop("sympy", None)
            return []


def _by_output(columns: Sequence[Sequence[float]]) -> list[float]:
    """Partials by input as one list, output by output."""
    return [value for row in zip(*columns, strict=True) for value in row]


def _steadiest(estimates: Sequence[float]) -> float:
    """Of estimates with ever smaller steps, the one that differs least from the one before.

    It is nan where the formula has no values on both sides of the point.
    """
    return min(pairwise(estimates), key=_change)[1]


def _change(pair: tuple[float, float]) -> float:
    coarse, fine = pair
    if not (math.isfinite(coarse) and math.isfinite(fine)):
        return math.inf
    return abs(coarse - fine) / max(abs(coarse), abs(fine), FLOOR)


def _flat(value: Any) -> list[float]:
    """A float, a list or an array of any shape as a list of floats."""
    if isinstance(value, float | list):
        return [value] if isinstance(value, float) else [float(v) for v in value]
    return [float(v) for v in value.ravel()]


def _ulps(got: float, want: Any) -> float:
    """The error of a double in units in the last place of what it should be."""
    if got == want:
        return 0.0
    if not (math.isfinite(got) and math.isfinite(want)):
        return math.inf
    return float(abs(got - want) / math.ulp(float(want)))


def _random_points(names: Sequence[str], seed: int) -> Iterator[dict[str, float]]:
    rng = random.Random(seed)
    for k in range(TRIES):
        low, high = RANGES[k % len(RANGES)]
        yield {name: rng.uniform(low, high) for name in names}


def check(
    fn: Function,
    graph: Graph,
    output: Node,
    points: Sequence[Point] | None,
    samples: int,
    seed: int,
) -> Certificate:
    """Compare every method at the points given, or at random ones; see `Function.check`."""
    if samples < 1:
        raise ValueError(f"samples: expected at least 1, got {samples}")
    checker = _Checker(fn, graph, output)
    given: list[Mapping[str, float]] = [
        dict(zip(fn.inputs, vector(p, fn.inputs, "points"), strict=True)) for p in points or ()
    ]
    used: list[Mapping[str, float]] = []
    unchecked: list[Mapping[str, float]] = []
    for point in _random_points(fn.inputs, seed) if points is None else given:
        quantities = checker.quantities(point)
        if quantities is None:
            unchecked.append(point)
        else:
            used.append(point)
            checker.at(point, quantities)
        if points is None and len(used) >= samples:
            break
    return Certificate(
        fn.formula,
        tuple(used),
        tuple(unchecked) if points is not None else (),
        checker.worst,
        checker.skipped,
        tuple(checker.disagreements),
    )

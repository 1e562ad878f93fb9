"""Derivatives checked by every independent means: the other mode, SymPy, mpmath, differences."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

from .backends.evaluate import Evaluation, mpmath_algebra, sympy_algebra
from .certificate import Certificate, Disagreement, Worst
from .graph import STACK, Graph, Node
from .traces import Point, vector

if TYPE_CHECKING:
    from .compiler import Function

DIGITS = 60  # of the reference
STEP = 20  # decimal places of the reference's difference step
TRIES = 400  # random points looked at before giving up
MAX_PARTIALS = 24  # inputs whose partials are checked
MAX_SYMPY = 400  # nodes that SymPy is asked to differentiate
TOLERANCE = 1e-9  # of the scale of the quantity compared
DIFFERENCE_TOLERANCE = 1e-4
STEPS = [10.0**-k for k in range(2, 11)]  # of the differences, relative to the point
FLOOR = 1e-300  # below, doubles lose their digits one by one

RANGES = ((0.2, 2.5), (-2.5, 2.5), (0.05, 0.95), (1.1, 6.0))

# How mpmath says that it has no value; NoConvergence is a plain Exception of its own.
FAILURES = (ArithmeticError, ValueError, TypeError, NotImplementedError, RecursionError)


class Quantity(NamedTuple):
    """One number to compare: an output, or one of its partials; `scale` is what it is a part of."""

    name: str
    want: Any
    scale: float


class _Reference:
    """Values and partials by mpmath."""

    def __init__(self, graph: Graph, outputs: Sequence[Node]) -> None:
        self._evaluation = Evaluation(graph, outputs, mpmath_algebra())

    def values(self, point: Mapping[str, Any]) -> list[Any] | None:
        """The outputs in mpmath's numbers; `None` where they are not all real and finite."""
        import mpmath
        from mpmath.libmp import NoConvergence

        try:
            found = self._evaluation.at({name: mpmath.mpf(v) for name, v in point.items()})
        except (*FAILURES, NoConvergence):
            return None
        return found if all(_is_real(v) for v in found) else None

    def partials(self, point: Mapping[str, float], name: str) -> list[Any] | None:
        """The partials of every output by one input: central differences in high precision."""
        import mpmath

        x = mpmath.mpf(point[name])
        h = mpmath.mpf(10) ** -STEP * max(1, abs(x))
        above, below = self.values({**point, name: x + h}), self.values({**point, name: x - h})
        if above is None or below is None:
            return None
        return [(a - b) / (2 * h) for a, b in zip(above, below, strict=True)]


def _is_real(value: Any) -> bool:
    import mpmath

    return not isinstance(value, mpmath.mpc) and bool(mpmath.isfinite(value))


class _Checker:
    """One check: collects the worst errors and the disagreements."""

    def __init__(self, fn: Function, graph: Graph, output: Node) -> None:
        self.fn, self.graph = fn, graph
        self.is_list = output.op is STACK
        self.outputs = output.args if self.is_list else (output,)
        self.names = fn.wrt[:MAX_PARTIALS]
        self.reference = _Reference(graph, self.outputs)
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
        columns = [self.reference.partials(point, name) for name in self.names]
        if values is None or any(c is None for c in columns):
            return None
        rows = list(zip(*(c for c in columns if c is not None), strict=True)) or [()] * len(values)
        scales = [
            max([abs(v), *(abs(p * point[n]) for p, n in zip(row, self.names, strict=True))])
            for v, row in zip(values, rows, strict=True)
        ]
        return list(self._outputs(values, scales)) + list(self._partials(rows, scales, point))

    def _outputs(self, values: Sequence[Any], scales: Sequence[Any]) -> Iterator[Quantity]:
        for k, (value, scale) in enumerate(zip(values, scales, strict=True)):
            yield Quantity(self._label(k), value, float(scale))

    def _partials(
        self, rows: Sequence[Sequence[Any]], scales: Sequence[Any], point: Mapping[str, float]
    ) -> Iterator[Quantity]:
        for k, row in enumerate(rows):
            for name, partial in zip(self.names, row, strict=True):
                scale = max(abs(partial), scales[k] / max(abs(point[name]), 1e-300))
                yield Quantity(f"d{self._label(k)}/d{name}", partial, float(scale))

    def _label(self, k: int) -> str:
        return f"y{k + 1}" if len(self.outputs) > 1 else "y"

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
            want = float(quantity.want)
            ulps = _ulps(value, quantity.want)
            if method not in self.worst or ulps > self.worst[method].ulps:
                self.worst[method] = Worst(ulps, quantity.name, point)
            if not abs(value - want) <= allowed * quantity.scale + FLOOR:
                self.disagreements.append(Disagreement(method, quantity.name, point, value, want))

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
        return [type(self.fn)(text, self.fn.inputs, (), ()) for text in texts]

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
        """SymPy's partials, as functions of mpmath's numbers."""
        import sympy

        symbols = {name: sympy.Symbol(name, real=True) for name in self.fn.inputs}
        found = Evaluation(self.graph, self.outputs, sympy_algebra()).at(symbols)
        partials = [sympy.sympify(f).diff(symbols[name]) for f in found for name in self.names]
        return [sympy.lambdify(list(symbols.values()), p, "mpmath") for p in partials]

    def _by_sympy(self, point: Mapping[str, float]) -> list[float]:
        """SymPy's values; none where it has no derivative, or cannot evaluate it."""
        import mpmath

        size = len(self.graph.nodes)
        if size > MAX_SYMPY:
            self.skipped["sympy"] = f"{size} nodes, more than {MAX_SYMPY}"
        if "sympy" in self.skipped:
            return []
        try:
            with mpmath.workdps(30):
                arguments = [mpmath.mpf(point[name]) for name in self.fn.inputs]
                return [float(mpmath.re(f(*arguments))) for f in self._sympy]
        except Exception as error:  # SymPy raises what it likes, NameError and KeyError included
            self.skipped["sympy"] = f"{type(error).__name__}: {error}"
            self.worst.pop("sympy", None)
            return []


def _by_output(columns: Sequence[Sequence[float]]) -> list[float]:
    """Partials by input as one list, output by output."""
    return [value for row in zip(*columns, strict=True) for value in row]


def _steadiest(estimates: Sequence[float]) -> float:
    """Of estimates with ever smaller steps, the one that differs least from the one before."""
    return min(pairwise(estimates), key=lambda pair: abs(pair[0] - pair[1]))[1]


def _flat(value: Any) -> list[float]:
    """A float, a list or an array of any shape as a list of floats."""
    if isinstance(value, float | list):
        return [value] if isinstance(value, float) else [float(v) for v in value]
    return [float(v) for v in value.ravel()]


def _ulps(got: float, want: Any) -> float:
    """The error of a double in units in the last place of what it should be."""
    if not math.isfinite(got):
        return math.inf
    import mpmath

    return float(abs(mpmath.mpf(got) - want) / math.ulp(float(want)))


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
    import mpmath

    if samples < 1:
        raise ValueError(f"samples: expected at least 1, got {samples}")
    checker = _Checker(fn, graph, output)
    given: list[Mapping[str, float]] = [
        dict(zip(fn.inputs, vector(p, fn.inputs, "points"), strict=True)) for p in points or ()
    ]
    used: list[Mapping[str, float]] = []
    with mpmath.workdps(DIGITS):
        for point in given or _random_points(fn.inputs, seed):
            quantities = checker.quantities(point)
            if quantities is not None:
                used.append(point)
                checker.at(point, quantities)
            if not given and len(used) >= samples:
                break
    return Certificate(
        fn.formula, tuple(used), checker.worst, checker.skipped, tuple(checker.disagreements)
    )

"""Derivatives checked by every independent means: the other mode, SymPy, mpmath, differences."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from .backends.evaluate import Evaluation, mpmath_algebra, sympy_algebra
from .graph import STACK, Graph, Node
from .tables import digits, json_number
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

RANGES = ((0.2, 2.5), (-2.5, 2.5), (0.05, 0.95), (1.1, 6.0))

# How mpmath says that it has no value; NoConvergence is a plain Exception of its own.
FAILURES = (ArithmeticError, ValueError, TypeError, NotImplementedError, RecursionError)

METHODS: Mapping[str, str] = {
    "value": "compiled value",
    "forward": "compiled tangents",
    "reverse": "compiled adjoints",
    "sympy": "SymPy's derivative of the same graph",
    "differences": "central differences of the compiled value",
}


class Worst(NamedTuple):
    """The largest error of one method: in units in the last place, of what, and where."""

    ulps: float
    quantity: str
    point: Mapping[str, float]


class Disagreement(NamedTuple):
    """A point where a method and the reference differ by more than rounding."""

    method: str
    quantity: str
    point: Mapping[str, float]
    got: float
    want: float


@dataclass(frozen=True)
class Certificate:
    """The outcome of a check; true if every method agreed at every point.

    The reference is mpmath: the program in 60 digits, its partials by central differences there,
    which involves none of the table's derivatives.
    """

    formula: str
    points: tuple[Mapping[str, float], ...]
    worst: Mapping[str, Worst]
    skipped: Mapping[str, str]
    disagreements: tuple[Disagreement, ...]

    @property
    def passed(self) -> bool:
        """Whether there was a point to check, and no disagreement at any."""
        return bool(self.points) and not self.disagreements

    def __bool__(self) -> bool:
        return self.passed

    def text(self) -> str:
        """The certificate for a terminal."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{'passed' if self.passed else 'FAILED'}: {len(self.points)} points against mpmath"
        for method, meaning in METHODS.items():
            if method in self.worst:
                ulps, quantity, point = self.worst[method]
                place = f" at {_at(point)}" if point else ""
                yield f"  {method:<12} largest error {_shown(ulps)} ulp ({quantity}{place})"
            else:
                yield f"  {method:<12} skipped: {self.skipped.get(method, f'no {meaning}')}"
        for method, quantity, point, got, want in self.disagreements:
            yield f"  {method}: {quantity} at {_at(point)} is {got!r}, should be {want!r}"
        if not self.points:
            yield "  no point was found where the formula has a value; give some"

    __str__ = text

    def json(self) -> str:
        """The certificate as JSON."""
        found: dict[str, Any] = {**vars(self), "passed": self.passed}
        found["worst"] = {
            m: w._asdict() | {"ulps": json_number(w.ulps)} for m, w in self.worst.items()
        }
        found["disagreements"] = [
            d._asdict() | {"got": json_number(d.got), "want": json_number(d.want)}
            for d in self.disagreements
        ]
        return json.dumps(found, indent=2)


def _shown(ulps: float) -> str:
    return f"{ulps:.3g}" if ulps > 1e-3 else "0"


def _at(point: Mapping[str, float]) -> str:
    shown = list(point.items())[:6]
    more = ", ..." if len(point) > len(shown) else ""
    return ", ".join(f"{name} = {digits(value)}" for name, value in shown) + more


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
        self.compare("value", point, quantities[:count], self._values(point))
        partials = quantities[count:]
        self.compare("forward", point, partials, self._forward(point))
        self.compare("reverse", point, partials, self._reverse(point))
        self.compare("differences", point, partials, self._differences(point))
        if self._sympy is not None:
            self.compare("sympy", point, partials, self._by_sympy(point))

    def compare(
        self,
        method: str,
        point: Mapping[str, float],
        wanted: Sequence[Quantity],
        got: Sequence[float],
    ) -> None:
        allowed = DIFFERENCE_TOLERANCE if method == "differences" else TOLERANCE
        for quantity, value in zip(wanted, got, strict=True):
            want = float(quantity.want)
            ulps = _ulps(value, quantity.want)
            if method not in self.worst or ulps > self.worst[method].ulps:
                self.worst[method] = Worst(ulps, quantity.name, point)
            if not abs(value - want) <= allowed * quantity.scale + 5e-324:
                self.disagreements.append(Disagreement(method, quantity.name, point, value, want))

    def _values(self, point: Mapping[str, float]) -> list[float]:
        return _flat(self.fn.value(**point))

    def _forward(self, point: Mapping[str, float]) -> list[float]:
        primals = [point[name] for name in self.fn.inputs]
        columns = []
        for name in self.names:
            seed = [float(other == name) for other in self.fn.wrt]
            columns.append(_flat(self.fn.jvp(primals, seed)[1]))
        return [float(v) for row in zip(*columns, strict=True) for v in row]

    def _reverse(self, point: Mapping[str, float]) -> list[float]:
        primals = [point[name] for name in self.fn.inputs]
        count = len(self.outputs)
        found: list[float] = []
        for k in range(count):
            seed = [float(j == k) for j in range(count)]
            cotangent: Any = seed if self.is_list else seed[0]
            found += [float(v) for v in self.fn.vjp(primals, cotangent)[1][: len(self.names)]]
        return found

    def _differences(self, point: Mapping[str, float]) -> list[float]:
        columns = []
        for name in self.names:
            h = 6e-6 * max(1.0, abs(point[name]))
            above = _flat(self.fn.value(**{**point, name: point[name] + h}))
            below = _flat(self.fn.value(**{**point, name: point[name] - h}))
            step = (point[name] + h) - (point[name] - h)
            columns.append([(a - b) / step for a, b in zip(above, below, strict=True)])
        return [v for row in zip(*columns, strict=True) for v in row]

    @cached_property
    def _sympy(self) -> list[Any] | None:
        """SymPy's partials, as functions of mpmath's numbers."""
        size = len(self.graph.nodes)
        if size > MAX_SYMPY:
            self.skipped["sympy"] = f"{size} nodes, more than {MAX_SYMPY}"
            return None
        try:
            return self._derive()
        except (NotImplementedError, TypeError, ValueError, AttributeError) as error:
            self.skipped["sympy"] = str(error)
            return None

    def _derive(self) -> list[Any]:
        import sympy

        symbols = {name: sympy.Symbol(name, real=True) for name in self.fn.inputs}
        found = Evaluation(self.graph, self.outputs, sympy_algebra()).at(symbols)
        partials = [sympy.sympify(f).diff(symbols[name]) for f in found for name in self.names]
        return [sympy.lambdify(list(symbols.values()), p, "mpmath") for p in partials]

    def _by_sympy(self, point: Mapping[str, float]) -> list[float]:
        import mpmath

        with mpmath.workdps(30):
            arguments = [mpmath.mpf(point[name]) for name in self.fn.inputs]
            return [float(mpmath.re(f(*arguments))) for f in self._sympy or ()]


def _flat(value: Any) -> list[float]:
    return [value] if isinstance(value, float) else [float(v) for v in value]


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

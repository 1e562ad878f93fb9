"""Derivatives checked by every independent means: the other mode, SymPy, mpmath, differences."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

from .backends.evaluate import Evaluation, sympy_algebra
from .checking.accuracy import MAX_PARTIALS, by_output, flat, measure
from .checking.certificate import Certificate, Disagreement, Worst
from .checking.reference import Reference, Span
from .checking.sampling import usual, whole
from .given import Point, vector
from .graph import STACK, Graph, Node
from .options import whole_number
from .symbols import output_symbols

if TYPE_CHECKING:
    from .compiler import Function

TRIES = 400  # random points looked at before giving up
DIGITS = 150  # that SymPy computes with
MAX_SYMPY = 5000  # operations, written out, that SymPy is asked to differentiate
TOLERANCE = 1e-9  # of the scale of the quantity compared
DIFFERENCE_TOLERANCE = 1e-4
STEPS = [10.0**-k for k in range(2, 14)]  # of the differences, relative to the point
NEAR = 1e-6  # to 0, but not 0: where steps that leave enough digits are too wide
UNSTEADY = 1e-3  # relative change beyond which no two steps agree
MARGIN, NUDGES = 100, 4  # times what rounding inputs differently does may be lost; so many tries
NOISE = 1e-30  # of the largest number on the way: a scale that the reference itself can see
COARSE = 0.01  # of the scale, however; beside a kink, the slope is another in any case
ROUNDING = 1e-12  # of the largest number on the way: what may be left of a formula that is 0
MAY_PASS = ("differences", "sympy")  # nan where they say nothing, as at a kink or an edge
FLOOR = 1e-300  # below, doubles lose their digits one by one


Method = Callable[[Mapping[str, float]], Sequence[float]]  # of a point; nothing, if it is skipped


class Quantity(NamedTuple):
    """One number to compare: an output, or one of its partials; `scale` is what it is a part of."""

    name: str
    want: Span
    scale: float


class Findings:
    """What the checks have found so far: the worst errors and the disagreements."""

    def __init__(self) -> None:
        self.worst: dict[str, Worst] = {}
        self.disagreements: list[Disagreement] = []
        self.skipped: dict[str, str] = {}

    def compare(
        self, method: str, place: Mapping[str, Any], quantity: Quantity, got: float
    ) -> Disagreement | None:
        """One number of a method with what it should be: a disagreement, if it is too far off."""
        if method in MAY_PASS and math.isnan(got):
            return None
        allowed = DIFFERENCE_TOLERANCE if method == "differences" else TOLERANCE
        want = quantity.want.nearest(got)
        ulps = _ulps(got, want)
        if method not in self.worst or ulps > self.worst[method].ulps:
            self.worst[method] = Worst(ulps, quantity.name, place)
        if not ulps or abs(got - want) <= allowed * quantity.scale + FLOOR:
            return None
        return Disagreement(method, quantity.name, place, got, float(want))

    def certificate(
        self, fn: Function, used: Sequence[Any], unchecked: Sequence[Any], accuracy: Any, plan: Plan
    ) -> Certificate:
        """What was found at the points that were `used`."""
        found = self.worst, self.skipped, tuple(self.disagreements)
        return Certificate(
            fn.formula, tuple(used), tuple(unchecked), *found, tuple(accuracy), plan.bits
        )

    def skip(self, method: str, reason: str) -> None:
        """Leave a method out from now on."""
        self.skipped[method] = reason
        self.worst.pop(method, None)


class Checker:
    """One check of a compiled function of numbers, or of what can be called like one."""

    def __init__(
        self, fn: Any, graph: Graph, output: Node, labels: Sequence[str], findings: Findings
    ) -> None:
        self.fn, self.graph, self.labels, self.findings = fn, graph, labels, findings
        self.is_list = output.op is STACK
        self.outputs = output.parts
        self.names = fn.wrt[:MAX_PARTIALS]
        self.reference = Reference(graph, self.outputs)

    def place(self, point: Mapping[str, float]) -> Mapping[str, Any]:
        """A point as the certificate has it."""
        return point

    def quantities(self, point: Mapping[str, float]) -> list[Quantity] | None:
        """Every output, then every partial by output, with what they should be.

        `None` where the formula has no value: mpmath is not asked where doubles have none.
        """
        if not all(math.isfinite(v) for v in flat(self.fn.value(**point))):
            return None
        values = self.reference.values(point)
        columns = [self.reference.slopes(point, name) for name in self.names]
        if values is None or any(c is None for c in columns):
            return None
        rows = list(zip(*(c for c in columns if c is not None), strict=True)) or [()] * len(values)
        least = NOISE * self.reference.largest(point)
        found: list[Quantity] = []
        partials: list[Quantity] = []
        for label, value, row in zip(self.labels, values, rows, strict=True):
            sizes = [s.size * abs(point[n]) for s, n in zip(row, self.names, strict=True)]
            scale = max([abs(float(value)), *sizes, least])
            found.append(Quantity(label, Span(value, value), scale))
            partials += self._partials(label, row, scale, point)
        return found + partials

    def _partials(
        self, label: str, row: Sequence[Span], scale: float, point: Mapping[str, float]
    ) -> Iterator[Quantity]:
        for name, span in zip(self.names, row, strict=True):
            part = scale / max(abs(point[name]), FLOOR)
            yield Quantity(f"d{label}/d{name}", span, max(span.size, part))

    def at(self, point: Mapping[str, float], quantities: Sequence[Quantity]) -> None:
        """Compare every method with the reference at one point."""
        count = len(self.outputs)
        self.compare("value", point, quantities[:count], lambda p: flat(self.fn.value(**p)))
        partials = quantities[count:]
        self.compare("forward", point, partials, self._forward)
        self.compare("reverse", point, partials, self._reverse)
        self.compare("arrays", point, partials, self._arrays)
        self.compare("formula", point, partials, self._formulas)
        self.compare("differences", point, partials, self._differences)
        self.compare("sympy", point, partials, self._by_sympy)

    def compare(
        self, method: str, point: Mapping[str, float], wanted: Sequence[Quantity], compute: Method
    ) -> None:
        """The numbers of a method with what they should be; none, if it says nothing."""
        got, place = compute(point), self.place(point)
        pairs = zip(wanted, got, strict=bool(got))
        found = [self.findings.compare(method, place, *pair) for pair in pairs]
        lost = _noise(compute, point, got, method in MAY_PASS) if any(found) else ()
        rounding = ROUNDING * self.reference.largest(point) if lost else 0.0
        for wrong, noise, quantity in zip(found, lost, wanted, strict=bool(lost)):
            allowed = min(MARGIN * noise, max(COARSE * quantity.scale, rounding))
            if wrong is not None and not abs(wrong.got - wrong.want) <= allowed:
                self.findings.disagreements.append(wrong)

    def _forward(self, point: Mapping[str, float]) -> list[float]:
        primals = [point[name] for name in self.fn.inputs]
        seeds = [[float(other == name) for other in self.fn.wrt] for name in self.names]
        return by_output([flat(self.fn.jvp(primals, seed)[1]) for seed in seeds])

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
        return by_output([flat(c) for c in columns[: len(self.names)]])

    def _formulas(self, point: Mapping[str, float]) -> list[float]:
        return by_output([flat(f.value(**point)) for f in self._derivatives])

    @cached_property
    def _derivatives(self) -> list[Function]:
        texts = (self.fn.derivative(name) for name in self.names)
        return [type(self.fn)(text, self.fn.inputs, (), (), self.fn.limits) for text in texts]

    def _differences(self, point: Mapping[str, float]) -> list[float]:
        return by_output([self._difference(point, name) for name in self.names])

    def _difference(self, point: Mapping[str, float], name: str) -> list[float]:
        """Central differences: of many steps, the two that agree best; nan if none do."""
        if 0 < abs(point[name]) < NEAR:
            return [math.nan] * len(self.outputs)
        rows = []
        for step in STEPS:
            h = step * max(1.0, abs(point[name]))
            above, below = point[name] + h, point[name] - h
            ends = [flat(self.fn.value(**{**point, name: x})) for x in (above, below)]
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

        size = _written_out(self.graph, self.outputs)
        if size > MAX_SYMPY:
            text = f"{size:,} operations if written out, more than {MAX_SYMPY:,}"
            self.findings.skip("sympy", text)
        if "sympy" in self.findings.skipped:
            return []
        at = {sympy.Symbol(n, real=True): sympy.Float(v, DIGITS) for n, v in point.items()}
        try:
            # Not by `evalf` alone, which evaluates sums in sums in sums again and again.
            return [float(partial.xreplace(at).evalf(30)) for partial in self._sympy]
        except Exception as error:  # SymPy raises what it likes, NameError and KeyError included
            reason = f"{type(error).__name__}: {error}".splitlines()[0].rstrip(": ")
            self.findings.skip("sympy", reason)
            return []


def _noise(
    compute: Method, point: Mapping[str, float], got: Sequence[float], may_pass: bool
) -> Sequence[float]:
    """How far numbers move where inputs move by units in the last place: digits that they lost.

    Where a method that may pass does so then, it was by chance that it did not before.
    """
    rows = [got]
    for seed in range(NUDGES):
        signs = random.Random(seed)
        nudged = {n: v + signs.choice((-2, 0, 2)) * math.ulp(v) for n, v in point.items()}
        rows.append(compute(nudged) or got)
    return [_spread(column, may_pass) for column in zip(*rows, strict=True)]


def _spread(column: Sequence[float], may_pass: bool) -> float:
    if may_pass and any(map(math.isnan, column)):
        return math.inf
    move = max(column) - min(column)
    return move if math.isfinite(move) else 0.0


def _written_out(graph: Graph, outputs: Sequence[Node]) -> int:
    """The operations and inputs of a formula without shared parts, of which SymPy knows nothing."""
    sizes: dict[Node, int] = {}
    for node in graph.ancestors(outputs):
        sizes[node] = 1 + sum(sizes[a] for a in node.args)
    return sum(sizes[node] for node in outputs)


def _steadiest(estimates: Sequence[float]) -> float:
    """Of estimates with ever smaller steps, the one that differs least from the one before.

    It is nan where the formula has no values on both sides of the point, or where it changes too
    much in every step.  Of values that are the same, only if they are in all steps, not for lack of
    digits in small ones.
    """
    if any(estimates):
        estimates = [e or math.nan for e in estimates]
    best = min(itertools.pairwise(estimates), key=_change)
    return best[1] if _change(best) < UNSTEADY else math.nan


def _change(pair: tuple[float, float]) -> float:
    coarse, fine = pair
    if not (math.isfinite(coarse) and math.isfinite(fine)):
        return math.inf
    return abs(coarse - fine) / max(abs(coarse), abs(fine), FLOOR)


def _ulps(got: float, want: Any) -> float:
    """The error of a double in units in the last place of what it should be."""
    if got == want:
        return 0.0
    if not (math.isfinite(got) and math.isfinite(want)):
        return math.inf
    return float(abs(got - want) / math.ulp(float(want)))


class Plan(NamedTuple):
    """How much to check; see `Function.check`."""

    samples: int
    seed: int
    accuracy: int | None
    bits: float | None

    def validate(self) -> None:
        """Raise `ValueError` for what makes no sense, naming the argument."""
        whole_number("samples", self.samples, 1)
        if self.accuracy is not None:
            whole_number("accuracy", self.accuracy, 0)
        if self.bits is not None and not (isinstance(self.bits, Real) and 0 <= self.bits <= 64):
            raise ValueError(f"bits: expected 0 to 64, got {self.bits!r}")
        if self.bits is not None and self.accuracy == 0:
            raise ValueError("bits: nothing to compare with at accuracy=0 points")

    def ranges(self, names: Sequence[str]) -> dict[str, Iterator[dict[str, float]]]:
        """Random points of usual size, and over the whole double range."""
        return {"usual": usual(names, self.seed), "whole": whole(names, self.seed)}


def visit(
    pairs: Iterable[tuple[Checker, Mapping[str, float]]], enough: float
) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Check at points until enough have values: those that have, and those that have not."""
    used: list[Mapping[str, Any]] = []
    unchecked: list[Mapping[str, Any]] = []
    for checker, point in pairs:
        quantities = checker.quantities(point)
        if quantities is None:
            unchecked.append(checker.place(point))
            continue
        used.append(checker.place(point))
        checker.at(point, quantities)
        if len(used) >= enough:
            break
    return used, unchecked


def check(
    fn: Function, graph: Graph, output: Node, points: Sequence[Point] | None, plan: Plan
) -> Certificate:
    """Compare every method at the points given, or at random ones; see `Function.check`."""
    plan.validate()
    findings = Findings()
    labels, names = output_symbols(graph, output), fn.inputs
    checker = Checker(fn, graph, output, labels, findings)
    given: list[Mapping[str, float]] | None = None
    if points is not None:
        rows = (vector(p, names, "points") for p in points)
        given = [dict(zip(names, row, strict=True)) for row in rows]
    drawn = itertools.islice(usual(names, plan.seed), TRIES)
    pairs = ((checker, point) for point in (drawn if given is None else given))
    used, unchecked = visit(pairs, plan.samples if given is None else math.inf)
    accuracy = measure(fn, graph, output, labels, given, plan.accuracy, plan.ranges(names))
    return findings.certificate(fn, used, unchecked if given else (), accuracy, plan)

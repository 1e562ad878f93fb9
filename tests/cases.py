"""A program at some points: what its values and slopes should be, and what is found about them."""

from __future__ import annotations

import math
from collections import Counter
from typing import NamedTuple

from exact import DIGITS, LARGEST, Exact, Interval, Quotients, sizes, ties
from rounding import AGREES, RANGE, ROUNDED, UNEXPLAINED, WRONG, Suspect

import autodiff_compiler as ac
from autodiff_compiler.backends import python as python_backend
from autodiff_compiler.graph import STACK
from autodiff_compiler.parser import parse
from autodiff_compiler.passes import STABLE_PASSES

CLOSE = 1e-11  # relative; what is farther off has to be explained
NO_VALUE = "no real, finite value there"
NO_SLOPE = "no slope there, or none that settles"
TIE = "a tie that only infinitely many digits decide"
KINKS = "a branch or several kinks meet there, and each has its convention"
FAILED = frozenset({WRONG, UNEXPLAINED})


class Finding(NamedTuple):
    """A disagreement: what was compared, where, and the two sides."""

    name: str
    source: str
    point: tuple[float, ...]
    detail: str


class Method(NamedTuple):
    """Where a double comes from: a program of one kind, its output, and the seeds of its passes."""

    kind: str
    leaf: int
    seeds: dict[str, float] = {}  # noqa: RUF012
    supports: object = python_backend.supports
    options: tuple[str, ...] = ()
    text: str | None = None  # the source of the program, where it is not the case's


class Case:
    """A program at some points, and what is found about it."""

    def __init__(self, source, points):
        self.source = source
        self.fn = ac.compile(source)
        self.graph, output = parse(source)
        self.is_list = output.op is STACK
        self.output, self.outputs = output, output.args if self.is_list else (output,)
        self.names = self.fn.inputs
        self.points = [p[: len(self.names)] for p in points] if self.names else [()]
        self.tally, self.findings = Counter(), []
        self.quotients = Quotients(self.graph, self.outputs)
        # What is found out about points, once.
        self._references, self._sizes, self._ties = {}, {}, {}
        self._suspects, self._reach = {}, {}

    # what is recorded

    def note(self, name, outcome):
        self.tally[name, outcome] += 1

    def fail(self, name, point, detail):
        self.note(name, "DISAGREES")
        self.findings.append(Finding(name, self.source, tuple(point), detail))

    # what things should be

    def reference(self, point, careful=False):
        """The values, and for each input and output an `Interval` of its slope; or `None`."""
        key = point, careful
        if key not in self._references:
            self._references[key] = self._reference(point, careful)
        return self._references[key]

    def _reference(self, point, careful):
        at = self.at(point)
        digits = self.sizes(point).digits if careful else DIGITS
        quotients = Quotients(self.graph, self.outputs, digits) if careful else self.quotients
        slopes = quotients.careful if careful else quotients.quick
        here = quotients.values(at)
        if any(v is None or abs(v) > LARGEST for v in here):
            return None
        return here, [slopes(at, name, here) for name in self.names]

    def at(self, point):
        return dict(zip(self.names, point, strict=True))

    def suspect(self, options, method):
        """The program of one kind, as it is before constants are folded."""
        key = options, method.kind, method.supports, method.text
        if key not in self._suspects:
            source = method.text or self.source
            fn = ac.compile(source, inputs=self.names, without={"fold", *options})
            self._suspects[key] = Suspect(fn._program(method.kind), method.supports)
        return self._suspects[key]

    def sizes(self, point):
        """The digits to decide with at a point, and whether doubles reach."""
        if point not in self._sizes:
            self._sizes[point] = sizes(self.graph, self.outputs, self.at(point))
        return self._sizes[point]

    def ties(self, point):
        """The ties that the program meets at a point."""
        if point not in self._ties:
            exact = Exact(self.graph, self.outputs, self.sizes(point).digits)
            self._ties[point] = ties(exact, self.at(point))
        return self._ties[point]

    # comparing

    def compare(self, name, point, got, quantity, method):
        """A double with what a quantity should be."""
        quick = self.reference(point)
        if quick is None:
            return self.note(name, NO_VALUE)
        if _close(got, quantity.of(quick)):
            return self.note(name, AGREES)
        outcome = self.explanation(point, got, quantity, method)
        if outcome not in FAILED:
            return self.note(name, outcome)
        interval = quantity.of(self.reference(point, careful=True))
        return self.fail(name, point, f"{outcome}: {got!r}, but it lies in {shown(interval)}")

    def explanation(self, point, got, quantity, method):
        careful = self.reference(point, careful=True)
        interval = careful and quantity.of(careful)
        if interval is None:
            return NO_SLOPE if careful else NO_VALUE
        if _close(got, interval, 10.0 ** (-self.sizes(point).digits // 4)):
            return AGREES
        if _close(got, interval, self._reach.get((point, quantity), 0)):
            return ROUNDED
        outcome = self._explained(point, got, quantity, interval, method)
        return self.excuse(point) or outcome if outcome in FAILED else outcome

    def excuse(self, point):
        """What there is about the point that the chain rule, or doubles, cannot be right about."""
        met = self.ties(point)
        if self.sizes(point).pole:
            return TIE
        if met.late or met.meet:
            return TIE if met.late else KINKS
        at = self.at(point)
        if met.any and self.quotients.ends(at, self.quotients.values(at)):
            return KINKS  # a kink has two sides, where the program has one
        return RANGE if self.sizes(point).beyond else None

    def _explained(self, point, got, quantity, interval, method):
        at, digits = self.at(point) | method.seeds, self.sizes(point).digits
        for left_out in ((), STABLE_PASSES):  # what is folded first is computed as it is written
            options = (*method.options, *left_out)
            suspect = self.suspect(options, method)
            outcome, reach = suspect.explain(method.leaf, at, got, interval, digits)
            if outcome not in FAILED:
                break
        if outcome == ROUNDED:
            self._reach[point, quantity] = reach
        return outcome


class Quantity(NamedTuple):
    """An output, or its slope by an input."""

    output: int
    input: int | None = None

    def of(self, reference):
        values, slopes = reference
        if self.input is None:
            return Interval(values[self.output], values[self.output])
        return slopes[self.input][self.output]


def _close(got, interval, reach=0):
    if interval is None or math.isnan(got):
        return False
    low, high = interval
    if low <= got <= high:
        return True
    off = low - got if got < low else got - high
    return off <= CLOSE * max(abs(low), abs(high)) + reach


def shown(interval):
    return f"[{float(interval[0])!r}, {float(interval[1])!r}]"

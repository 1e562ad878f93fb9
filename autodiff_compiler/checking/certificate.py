"""What a check found: the largest error of each method, every disagreement, and lost digits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..errors import counted, printable
from ..tables import digits, json_value

METHODS: Mapping[str, str] = {
    "value": "compiled value",
    "forward": "compiled tangents",
    "reverse": "compiled adjoints",
    "arrays": "partials by the NumPy code",
    "formula": "derivative as a formula, compiled again",
    "sympy": "SymPy's derivative of the same graph",
    "differences": "central differences of the compiled value",
}
SECOND: Mapping[str, str] = {
    "hessian": "second partials by the NumPy code",
    "hvp": "Hessian times a direction",
}  # of programs of arrays with one number as their output


# Buckets of the histogram of bits of error: what each is called, and the last that it holds.
BUCKETS: Mapping[str, float] = {"0": 0.0, "1-4": 4.0, "5-16": 16.0, "17-32": 32.0, "33-64": 64.0}
MARKS = ".-=*#"  # of the buckets, in the bars
BAR = 24  # columns of a bar
ROWS = 24  # quantities printed
LONG = 3  # elements of an axis printed


class Worst(NamedTuple):
    """The largest error of one method: in units in the last place, of what, and where."""

    ulps: float
    quantity: str
    point: Mapping[str, Any]


class Disagreement(NamedTuple):
    """A point where a method and the reference differ by more than rounding."""

    method: str
    quantity: str
    point: Mapping[str, Any]
    got: float
    want: float


class Culprit(NamedTuple):
    """The subexpression that loses digits, and where it is in the source, if it is there."""

    expression: str
    line: int | None
    column: int | None


class Accuracy(NamedTuple):
    """How exact one quantity is over a range of points, in bits of error.

    That is the binary logarithm of one more than the number of doubles between what is computed
    and the right one: 0 is right, 53 has no digit left, 64 is nan or an infinity for a number.

    Attributes:
        quantity: an output or a partial, such as `"y"` or `"dy/dx"`.
        range: `"usual"`, `"whole"` for the whole double range, or `"given"`.
        points, skipped: how many were counted, and how many not: those without a value in the
            double range, and those where no precision tried was enough to be sure of it.
        mean, worst: bits of error.
        histogram: the number of points in each of `BUCKETS`.
        point, got, want: where it is worst, what is computed there, and what is right.
        culprit: where the digits are lost there, if more than a few are.
    """

    quantity: str
    range: str
    points: int
    skipped: int
    mean: float
    worst: float
    histogram: tuple[int, ...]
    point: Mapping[str, Any]
    got: float
    want: float
    culprit: Culprit | None

    def json(self) -> dict[str, Any]:
        """What JSON has of it."""
        found = self._asdict() | {"culprit": self.culprit and self.culprit._asdict()}
        found["histogram"] = dict(zip(BUCKETS, self.histogram, strict=True))
        return found | {"got": json_value(self.got), "want": json_value(self.want)}

    def bar(self) -> str:
        """The histogram as a bar, in which no bucket with a point has no mark."""
        total, ends = sum(self.histogram), [0]
        for count in self.histogram:
            share = round(BAR * count / total) if total else 0
            ends.append(ends[-1] + max(share, count > 0))
        return "".join(m * (b - a) for m, a, b in zip(MARKS, ends, ends[1:], strict=False))


@dataclass(frozen=True)
class Certificate:
    """The outcome of a check; true if every method agreed at every point.

    Lost digits are reported in `accuracy` and do no harm, unless `bits` demands that no quantity
    has more bits of error at a usual or a given point.

    The reference is mpmath: the program in 70 digits, its slopes by differences there, which
    involves none of the table's derivatives.  At a kink, all between the slopes of the two sides
    is right.
    """

    formula: str
    points: tuple[Mapping[str, Any], ...]
    unchecked: tuple[Mapping[str, Any], ...]
    worst: Mapping[str, Worst]
    skipped: Mapping[str, str]
    disagreements: tuple[Disagreement, ...]
    accuracy: tuple[Accuracy, ...] = ()
    bits: float | None = None

    @property
    def passed(self) -> bool:
        """Whether every point could be checked, there was one, and nothing was found wrong."""
        checked = bool(self.points) and not self.unchecked
        measured = self.bits is None or all(a.points for a in self._demanded())
        return checked and measured and not self.failed

    @property
    def failed(self) -> bool:
        """Whether there is a disagreement, or more digits are lost than `bits` allows."""
        return bool(self.disagreements) or any(self._is_lossy(a) for a in self.accuracy)

    def _demanded(self) -> list[Accuracy]:
        return [a for a in self.accuracy if a.range != "whole"]

    def _is_lossy(self, found: Accuracy) -> bool:
        return self.bits is not None and found in self._demanded() and found.worst > self.bits

    def __bool__(self) -> bool:
        return self.passed

    def text(self) -> str:
        """The certificate for a terminal."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        verdict = "passed" if self.passed else "FAILED" if self.failed else "INCONCLUSIVE"
        count = counted(len(self.points), "point")
        yield f"{verdict}: {count} against mpmath"
        second = {m: meaning for m, meaning in SECOND.items() if m in self.worst}
        for method, meaning in {**METHODS, **second}.items():
            if method in self.worst:
                ulps, quantity, point = self.worst[method]
                place = f" at {_at(point)}" if point else ""
                yield f"  {method:<12} largest error {_shown(ulps)} ulp ({quantity}{place})"
            else:
                reason = self.skipped.get(method, f"no {meaning}" if self.points else "no point")
                yield f"  {method:<12} skipped: {reason}"
        for method, quantity, point, got, want in self.disagreements:
            yield f"  {method}: {quantity} at {_at(point)} is {got!r}, should be {want!r}"
        for point in self.unchecked:
            yield f"  unchecked: {_at(point)}, where the formula or a slope of it has no value"
        if not self.points and not self.unchecked:
            yield "  no point where the formula and its slopes have values; give another"
        yield from self._accuracy_lines()

    def _accuracy_lines(self) -> Iterator[str]:
        """A bar for each quantity and range, and the worst point where digits are lost."""
        if not self.accuracy:
            return
        legend = "   ".join(f"{m} {name}" for m, name in zip(MARKS, BUCKETS, strict=True))
        yield f"bits of error, of 64:   {legend}"
        shown = sorted(self.accuracy, key=lambda a: -a.worst)[:ROWS]
        width = max(len(a.quantity) for a in shown)
        for found in (a for a in self.accuracy if a in shown):
            yield from self._quantity_lines(found, width)
        if len(shown) < len(self.accuracy):
            count, worst = len(self.accuracy) - len(shown), shown[-1].worst
            yield f"  and {count} more, none of them above {worst:.1f}"

    def _quantity_lines(self, found: Accuracy, width: int) -> Iterator[str]:
        count = counted(found.points, "point")
        count += f", {found.skipped} not counted" if found.skipped else ""
        numbers = f"mean {found.mean:4.1f}  worst {found.worst:4.1f}" if found.points else ""
        name = f"{found.quantity:<{width}} {found.range:<5}"
        yield f"  {name} {found.bar():<{BAR + 2}} {numbers}  ({count})"
        if found.culprit or self._is_lossy(found):
            more = f", more than the {self.bits:g} allowed" if self._is_lossy(found) else ""
            yield f"      {found.got!r} for {found.want!r} at {_at(found.point, repr)}{more}"
        if found.culprit:
            text, line, column = found.culprit
            place = f" (line {line}, column {column})" if line else ""
            yield f"      digits are lost in  {printable(text)}{place}"

    __str__ = text

    def json(self) -> str:
        """The certificate as JSON."""
        found: dict[str, Any] = {**vars(self), "passed": self.passed}
        found["worst"] = {
            m: w._asdict() | {"ulps": json_value(w.ulps)} for m, w in self.worst.items()
        }
        found["disagreements"] = [
            d._asdict() | {"got": json_value(d.got), "want": json_value(d.want)}
            for d in self.disagreements
        ]
        found["accuracy"] = [a.json() for a in self.accuracy]
        return json.dumps(found, indent=2)


def _shown(ulps: float) -> str:
    return f"{ulps:.3g}" if ulps > 1e-3 else "0"


def _at(point: Mapping[str, Any], number: Callable[[float], str] = digits) -> str:
    shown = list(point.items())[:6]
    more = ", ..." if len(point) > len(shown) else ""
    return ", ".join(f"{name} = {_value(value, number)}" for name, value in shown) + more


def _value(value: Any, number: Callable[[float], str]) -> str:
    """A number, or nested lists of them."""
    if not isinstance(value, list):
        return number(value)
    more = ["..."] * (len(value) > LONG)
    return f"[{', '.join([*(_value(v, number) for v in value[:LONG]), *more])}]"

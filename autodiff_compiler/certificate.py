"""What a check found: the largest error of each method, and every disagreement."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from .tables import digits, json_number

METHODS: Mapping[str, str] = {
    "value": "compiled value",
    "forward": "compiled tangents",
    "reverse": "compiled adjoints",
    "arrays": "partials by the NumPy code",
    "formula": "derivative as a formula, compiled again",
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

    The reference is mpmath: the program in 70 digits, its slopes by differences there, which
    involves none of the table's derivatives.  At a kink, all between the slopes of the two sides
    is right.
    """

    formula: str
    points: tuple[Mapping[str, float], ...]
    unchecked: tuple[Mapping[str, float], ...]
    worst: Mapping[str, Worst]
    skipped: Mapping[str, str]
    disagreements: tuple[Disagreement, ...]

    @property
    def passed(self) -> bool:
        """Whether every point could be checked, there was one, and none had a disagreement."""
        return bool(self.points) and not self.unchecked and not self.disagreements

    def __bool__(self) -> bool:
        return self.passed

    def text(self) -> str:
        """The certificate for a terminal."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        verdict = "passed" if self.passed else "FAILED" if self.disagreements else "INCONCLUSIVE"
        count = f"{len(self.points)} point{'s' * (len(self.points) != 1)}"
        yield f"{verdict}: {count} against mpmath"
        for method, meaning in METHODS.items():
            if method in self.worst:
                ulps, quantity, point = self.worst[method]
                place = f" at {_at(point)}" if point else ""
                yield f"  {method:<12} largest error {_shown(ulps)} ulp ({quantity}{place})"
            else:
                yield f"  {method:<12} skipped: {self.skipped.get(method, f'no {meaning}')}"
        for method, quantity, point, got, want in self.disagreements:
            yield f"  {method}: {quantity} at {_at(point)} is {got!r}, should be {want!r}"
        for point in self.unchecked:
            yield f"  unchecked: {_at(point)}, where the formula or a slope of it has no value"
        if not self.points and not self.unchecked:
            yield "  no point where the formula and its slopes have values; give another"

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

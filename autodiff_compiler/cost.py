"""The cost of a program as users see it: operations, shapes and memory, as formulas in extents."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from .counts import Count
from .errors import printable
from .report import Report
from .shapes import Shape, shown, word
from .tables import aligned, code, piped, tagged

BYTES = 8  # of a number
HEADERS = ("name", "computed as", "shape", "operations")
TITLES: Mapping[str, str] = {
    "jvp": "forward mode (jvp), along one direction",
    "vjp": "reverse mode (vjp), from one cotangent",
    "value_and_gradient": "reverse mode (value_and_gradient)",
}
FORWARD, REVERSE = ("jvp",), ("value_and_gradient", "vjp")


class Quantity(NamedTuple):
    """A count as a formula, and as a number where the extents are known."""

    formula: Count
    number: int | None

    def __str__(self) -> str:
        if self.number is None:
            return str(self.formula)
        return f"{self.number:,}" + (f" = {self.formula}" if self.formula.names else "")

    def json(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"formula": str(self.formula), "number": self.number}


class Row(NamedTuple):
    """One operation: its name in the code or in the trace, if it has one, and what it takes."""

    symbol: str
    formula: str
    shape: Shape
    operations: Quantity

    @property
    def called(self) -> str:
        """Its name, or else its text."""
        return self.symbol or self.formula


class Part(NamedTuple):
    """What one kind of function costs.

    Attributes:
        rows: every operation, in the order in which the code runs them.
        operations: floating-point operations.
        memory: numbers held at once, at most, beside the inputs, by the code as it is generated,
            where a name lives until it is deleted or the function returns.
        live: the same if all results were given up after their last use.
        passes: how many such passes all partials take: one for each element of what is
            differentiated by in forward mode, of the output in reverse mode.
        kept, kept_memory: in reverse mode, what the adjoints need of the values.
        outgrown: results that grow faster than every input and output, or are larger.
    """

    kind: str
    rows: tuple[Row, ...]
    operations: Quantity
    memory: Quantity
    live: Quantity
    passes: Quantity | None
    kept: tuple[Row, ...]
    kept_memory: Quantity
    outgrown: tuple[Row, ...]

    @property
    def title(self) -> str:
        """What it is about."""
        return TITLES.get(self.kind, self.kind)

    @property
    def warnings(self) -> tuple[str, ...]:
        """One line for each shape that outgrows the inputs and outputs."""
        by_shape: dict[Shape, list[str]] = {}
        for row in self.outgrown:
            by_shape.setdefault(row.shape, []).append(row.called)
        return tuple(
            f"{shown(shape)} outgrows the inputs and outputs: {_some(names)}"
            for shape, names in by_shape.items()
        )

    def summary(self) -> Iterator[tuple[str, str]]:
        """What is counted, line by line: its name and its amount."""
        yield "operations", str(self.operations)
        if self.passes is not None:
            yield "passes for all partials", str(self.passes)
        yield "numbers held at once", _with_bytes(self.memory)
        yield "  freed at last use", _with_bytes(self.live)
        if self.kept:
            yield "kept for the adjoints", _with_bytes(self.kept_memory)
            yield "", _some([row.called for row in self.kept], 30)

    def json(self) -> dict[str, Any]:
        """As JSON has it."""
        sums = ("operations", "memory", "live", "passes", "kept_memory")
        found: dict[str, Any] = {"kind": self.kind, "rows": [_row(r) for r in self.rows]}
        for name in sums:
            quantity = getattr(self, name)
            found[name] = None if quantity is None else quantity.json()
        number = self.memory.number
        found["bytes"] = None if number is None else number * BYTES
        found["kept"] = [row.called for row in self.kept]
        found["outgrown"] = [_row(row) for row in self.outgrown]
        return found


class Cost(Report):
    """The cost of a function: a `Part` for its value, for forward and for reverse mode.

    It prints as text, and shows itself as tables in a notebook.
    """

    def __init__(self, parts: Sequence[Part], extents: Mapping[str, int]) -> None:
        self.parts, self.extents = tuple(parts), dict(extents)

    def __getitem__(self, kind: str) -> Part:
        for part in self.parts:
            if part.kind == kind:
                return part
        raise KeyError(kind)

    @property
    def value(self) -> Part:
        """The cost of the value."""
        return self["value"]

    @property
    def forward(self) -> Part:
        """The cost of one pass of forward mode."""
        return self[FORWARD[0]]

    @property
    def reverse(self) -> Part:
        """The cost of one pass of reverse mode."""
        return next(part for part in self.parts if part.kind in REVERSE)

    @property
    def _writers(self) -> Mapping[str, Callable[[], str]]:
        return {form: partial(write, self) for form, write in FORMATS.items()}

    def __repr__(self) -> str:
        found = (f"{part.kind} {part.operations}" for part in self.parts)
        return f"<cost in operations: {'; '.join(found)}>"


def _some(names: Sequence[str], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _row(row: Row) -> dict[str, Any]:
    operations = row.operations.json()
    return {
        "name": row.symbol, "formula": row.formula,
        "shape": [*map(word, row.shape)],
        "operations": operations,
    }  # fmt: skip


def _with_bytes(quantity: Quantity) -> str:
    if quantity.number is None:
        return str(quantity)
    size, unit = float(quantity.number * BYTES), 0
    while size >= 1000 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{quantity} ({size:.4g} {UNITS[unit]})"


UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def _cells(row: Row) -> tuple[str, str, str, str]:
    formula = printable(row.formula)
    return printable(row.symbol), formula, shown(row.shape), str(row.operations)


def _text(cost: Cost) -> str:
    return "\n\n".join("\n".join(_lines(part)) for part in cost.parts)


def _lines(part: Part) -> Iterator[str]:
    yield from aligned(part.title, [_cells(row) for row in part.rows])
    yield from aligned("", [*part.summary()])
    yield from (f"  warning: {printable(w)}" for w in part.warnings)


def _markdown(cost: Cost) -> str:
    return "\n\n".join("\n".join(_markdown_part(part)) for part in cost.parts)


def _markdown_part(part: Part) -> Iterator[str]:
    rows = ([code(c) if c else "" for c in _cells(row)] for row in part.rows)
    yield from piped(part.title, HEADERS, rows)
    yield ""
    summary = [(what.strip(), printable(amount)) for what, amount in part.summary()]
    yield from (f"- {what or 'namely'}: `{amount}`" for what, amount in summary)
    yield from (f"- warning: `{printable(w)}`" for w in part.warnings)


def _html(cost: Cost) -> str:
    found: list[str] = []
    for part in cost.parts:
        found += tagged(part.title, HEADERS, map(_cells, part.rows))
        warnings = [("warning", w) for w in part.warnings]
        found += tagged("altogether", ("what", "how much"), [*part.summary(), *warnings])
    return "\n".join(found)


def _json(cost: Cost) -> str:
    found = {"extents": cost.extents, "parts": [part.json() for part in cost.parts]}
    return json.dumps(found, indent=2)


FORMATS: Mapping[str, Callable[[Cost], str]] = {
    "text": _text,
    "markdown": _markdown,
    "html": _html,
    "json": _json,
}

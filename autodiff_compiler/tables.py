"""Sections of rows as text, Markdown, LaTeX, HTML and JSON."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from .backends.latex import number as latex_number
from .errors import printable


class TableRow(Protocol):
    """What a table prints."""

    @property
    def symbol(self) -> str:
        """What the line defines."""

    @property
    def formula(self) -> str:
        """How it is computed."""

    @property
    def value(self) -> float | None:
        """Its value, if a point is given."""


R = TypeVar("R", bound=TableRow)


class Section(NamedTuple, Generic[R]):
    """A titled table; `latex` holds symbol and formula of each row in LaTeX."""

    title: str
    rows: tuple[R, ...]
    latex: tuple[tuple[str, str], ...]


Sections = Sequence[Section[R]]


def digits(value: float) -> str:
    """A number to six significant digits."""
    return f"{value + 0.0:.6g}"  # -0 as 0


def _cells(row: TableRow) -> tuple[str, str, str]:
    value = "" if row.value is None else f"= {digits(row.value)}"
    return printable(row.symbol), f"= {printable(row.formula)}", value


def text(sections: Sections[R]) -> str:
    """Aligned columns."""
    return "\n\n".join("\n".join(_aligned(section)) for section in sections)


def _aligned(section: Section[R]) -> Iterator[str]:
    cells = [_cells(row) for row in section.rows]
    widths = [max((len(c[k]) for c in cells), default=0) for k in range(3)]
    yield section.title
    for row in cells:
        yield "  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()


def markdown(sections: Sections[R]) -> str:
    """One table for each section."""
    return "\n\n".join("\n".join(_markdown(section)) for section in sections)


def _markdown(section: Section[R]) -> Iterator[str]:
    yield f"**{section.title}**\n"
    yield "| symbol | formula | value |"
    yield "|---|---|---|"
    for row in section.rows:
        value = "" if row.value is None else digits(row.value)
        formula = printable(row.formula).replace("|", "\\|")
        yield f"| `{printable(row.symbol)}` | `{formula}` | {value} |"


def latex(sections: Sections[R]) -> str:
    """One `array` for each section, to be put into display mathematics."""
    return "\n\n".join("\n".join(_latex(section)) for section in sections)


def _latex(section: Section[R]) -> Iterator[str]:
    yield f"% {section.title}"
    yield r"\begin{array}{lll}"
    for row, (symbol, formula) in zip(section.rows, section.latex, strict=True):
        value = "" if row.value is None else f"= {latex_number(digits(row.value))}"
        yield rf"{symbol} & = {formula} & {value} \\".replace("  ", " ")
    yield r"\end{array}"


def as_html(sections: Sections[R]) -> str:
    """One table for each section; every text is escaped."""
    return "\n".join("\n".join(_html(section)) for section in sections)


def _html(section: Section[R]) -> Iterator[str]:
    yield f"<table>\n<caption>{html.escape(section.title)}</caption>"
    yield "<tr><th>symbol</th><th>formula</th><th>value</th></tr>"
    for row in section.rows:
        value = "" if row.value is None else digits(row.value)
        cells = (row.symbol, row.formula, value)
        yield "<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in cells) + "</tr>"
    yield "</table>"


def as_json(sections: Sections[R]) -> str:
    """A list of sections; what JSON has no number for is written as a string."""
    found = [
        {
            "title": section.title,
            "rows": [
                {"symbol": r.symbol, "formula": r.formula, "value": json_number(r.value)}
                for r in section.rows
            ],
        }
        for section in sections
    ]
    return json.dumps(found, indent=2)


def json_number(value: float | None) -> float | str | None:
    """A number for JSON, which has no infinities: those become strings."""
    return value if value is None or math.isfinite(value) else str(value)


FORMATS: Mapping[str, Callable[[Sections[R]], str]] = {
    "text": text,
    "markdown": markdown,
    "latex": latex,
    "html": as_html,
    "json": as_json,
}

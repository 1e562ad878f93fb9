"""Sections of rows as text, Markdown, LaTeX, HTML and JSON."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
HEADERS = ("symbol", "formula", "value")


def digits(value: float) -> str:
    """A number to six significant digits."""
    return f"{value + 0.0:.6g}"  # -0 as 0


def _cells(row: TableRow) -> tuple[str, str, str]:
    value = "" if row.value is None else f"= {digits(row.value)}"
    return printable(row.symbol), f"= {printable(row.formula)}", value


def text(sections: Sections[R]) -> str:
    """Aligned columns."""
    return "\n\n".join(
        "\n".join(aligned(section.title, [_cells(row) for row in section.rows]))
        for section in sections
    )


def aligned(title: str, cells: Sequence[Sequence[str]]) -> Iterator[str]:
    """A title, and rows of cells in aligned columns."""
    yield title
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()


def markdown(sections: Sections[R]) -> str:
    """One table for each section."""
    return "\n\n".join(
        "\n".join(piped(section.title, HEADERS, map(_markdown, section.rows)))
        for section in sections
    )


def piped(title: str, headers: Sequence[str], cells: Iterable[Sequence[str]]) -> Iterator[str]:
    """A title, and a table in Markdown."""
    yield f"**{title}**\n"
    for row in (headers, None, *cells):
        yield f"| {' | '.join(row)} |" if row else f"|{'---|' * len(headers)}"


def code(text: str) -> str:
    """A text as code in a cell of a Markdown table."""
    escaped = printable(text).replace("|", "\\|")
    return f"`{escaped}`"


def _markdown(row: TableRow) -> tuple[str, str, str]:
    return code(row.symbol), code(row.formula), "" if row.value is None else digits(row.value)


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
    return "\n".join(
        "\n".join(tagged(section.title, HEADERS, map(_html, section.rows))) for section in sections
    )


def tagged(title: str, headers: Sequence[str], cells: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table in HTML; every text is escaped."""
    yield f"<table>\n<caption>{html.escape(title)}</caption>"
    yield "<tr>" + "".join(f"<th>{html.escape(h)}</th>" for h in headers) + "</tr>"
    for row in cells:
        yield "<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>"
    yield "</table>"


def _html(row: TableRow) -> tuple[str, str, str]:
    return row.symbol, row.formula, "" if row.value is None else digits(row.value)


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

"""Sections of rows as text, Markdown, LaTeX, HTML and JSON."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from .backends.latex import number as latex_number
from .errors import printable
from .shapes import Shape, shown, word


class TableRow(Protocol):
    """What a table prints."""

    @property
    def symbol(self) -> str:
        """What the line defines."""

    @property
    def formula(self) -> str:
        """How it is computed."""

    @property
    def value(self) -> Any:
        """Its value, if a point is given: a float, or an array."""


R = TypeVar("R", bound=TableRow)


def digits(value: float) -> str:
    """A number to six significant digits."""
    return f"{value + 0.0:.6g}"  # -0 as 0


class Section(NamedTuple, Generic[R]):
    """A titled table; `latex` holds symbol and formula of each row in LaTeX.

    `shapes` are those of the rows, if some are arrays.
    """

    title: str
    rows: tuple[R, ...]
    latex: tuple[tuple[str, str], ...]
    shapes: tuple[Shape, ...] = ()

    def values(self, number: Callable[[float], str], dots: str = "…", gap: str = " ") -> list[str]:
        """What stands as the value of each row: with no point, the shape of an array."""
        shapes = self.shapes or ((),) * len(self.rows)
        found = (short(r.value, number, dots, gap) for r in self.rows)
        return [v or (shown(s) if s else "") for v, s in zip(found, shapes, strict=True)]


FEW = 4  # elements of an array that are all shown


def short(
    value: Any, number: Callable[[float], str] = digits, dots: str = "…", gap: str = " "
) -> str:
    """A value: a number, or the shape of an array and its first and last elements."""
    if value is None:
        return ""
    if not getattr(value, "shape", ()):
        return number(float(value))
    flat = value.ravel()
    some = [*map(number, flat[:FEW].tolist())]
    if flat.size > FEW:
        some = [*some[:2], dots, number(float(flat[-1]))]
    return gap.join([shown(value.shape), *some])


Sections = Sequence[Section[R]]
HEADERS = ("symbol", "formula", "value")


def _cells(section: Section[R]) -> list[tuple[str, str, str]]:
    return [
        (printable(row.symbol), f"= {printable(row.formula)}", _equal(value, row.value))
        for row, value in zip(section.rows, section.values(digits), strict=True)
    ]


def _equal(text: str, value: Any) -> str:
    """A value after its equals sign; a shape without one."""
    return text if value is None else f"= {text}"


def text(sections: Sections[R]) -> str:
    """Aligned columns."""
    return "\n\n".join("\n".join(aligned(section.title, _cells(section))) for section in sections)


def aligned(title: str, cells: Sequence[Sequence[str]]) -> Iterator[str]:
    """A title, and rows of cells in aligned columns."""
    yield title
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        yield "  " + "  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)).rstrip()


def markdown(sections: Sections[R]) -> str:
    """One table for each section."""
    return "\n\n".join(
        "\n".join(piped(section.title, HEADERS, _markdown(section))) for section in sections
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


def _markdown(section: Section[R]) -> Iterator[tuple[str, str, str]]:
    for row, value in zip(section.rows, section.values(digits), strict=True):
        yield code(row.symbol), code(row.formula), value


def latex(sections: Sections[R]) -> str:
    """One `array` for each section, to be put into display mathematics."""
    return "\n\n".join("\n".join(_latex(section)) for section in sections)


def _latex(section: Section[R]) -> Iterator[str]:
    yield f"% {section.title}"
    yield r"\begin{array}{lll}"
    values = section.values(lambda v: latex_number(digits(v)), r"\ldots", r" \; ")
    for row, (symbol, formula), value in zip(section.rows, section.latex, values, strict=True):
        yield rf"{symbol} & = {formula} & {_equal(value, row.value)} \\".replace("  ", " ")
    yield r"\end{array}"


def as_html(sections: Sections[R]) -> str:
    """One table for each section; every text is escaped."""
    return "\n".join(
        "\n".join(tagged(section.title, HEADERS, _html(section))) for section in sections
    )


def tagged(title: str, headers: Sequence[str], cells: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table in HTML; every text is escaped."""
    yield f"<table>\n<caption>{html.escape(title)}</caption>"
    yield "<tr>" + "".join(f"<th>{html.escape(h)}</th>" for h in headers) + "</tr>"
    for row in cells:
        yield "<tr>" + "".join(f"<td>{html.escape(c)}</td>" for c in row) + "</tr>"
    yield "</table>"


def _html(section: Section[R]) -> Iterator[tuple[str, str, str]]:
    for row, value in zip(section.rows, section.values(digits), strict=True):
        yield row.symbol, row.formula, value


def as_json(sections: Sections[R]) -> str:
    """A list of sections; what JSON has no number for is written as a string."""
    found = [
        {
            "title": section.title,
            "rows": [*_json(section)],
        }
        for section in sections
    ]
    return json.dumps(found, indent=2)


def _json(section: Section[R]) -> Iterator[dict[str, Any]]:
    shapes = section.shapes or (None,) * len(section.rows)
    for row, shape in zip(section.rows, shapes, strict=True):
        found = {"symbol": row.symbol, "formula": row.formula, "value": json_value(row.value)}
        yield found if shape is None else {**found, "shape": [*map(word, shape)]}


def json_value(value: Any) -> Any:
    """Results as JSON holds them: lists, numbers, and strings for what is not finite."""
    if isinstance(value, dict):
        return {name: json_value(v) for name, v in value.items()}
    if isinstance(value, tuple | list):
        return [json_value(v) for v in value]
    if hasattr(value, "tolist"):
        return json_value(value.tolist())
    return value if value is None or math.isfinite(value) else str(value)


FORMATS: Mapping[str, Callable[[Sections[R]], str]] = {
    "text": text,
    "markdown": markdown,
    "latex": latex,
    "html": as_html,
    "json": as_json,
}

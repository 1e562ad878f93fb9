"""The one exception family: everything wrong with a source text is an `ExpressionError`."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

# Letters and marks that print as nothing: Default_Ignorable_Code_Point, but for the category Cf.
INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
CONTEXT = 60  # characters of the source line shown on each side of the caret


class ExpressionError(ValueError):
    """A source that cannot be compiled, with the place and what to write instead.

    Attributes:
        line, column: 1-based place of the first offending character.
        span: `(start, end)` character offsets into the source.
        hint: what to write instead, or `None`.
    """

    def __init__(
        self,
        problem: str,
        source: str = "",
        span: tuple[int, int] = (0, 0),
        hint: str | None = None,
    ) -> None:
        self.problem, self.source, self.span, self.hint = problem, source, span, hint
        self.line, self.column = line_and_column(source, span[0])
        super().__init__(self._message())

    def __reduce__(self) -> tuple[type[ExpressionError], tuple[object, ...]]:
        return type(self), (self.problem, self.source, self.span, self.hint)

    def _message(self) -> str:
        parts = [f"line {self.line}, column {self.column}: {self.problem}"]
        if self.source.strip():
            parts.append(excerpt(self.source, self.span))
        if self.hint:
            parts.append(f"hint: {self.hint}")
        return "\n".join(parts)


def line_and_column(source: str, offset: int) -> tuple[int, int]:
    """1-based line and column of a character offset."""
    before = source[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")


def excerpt(source: str, span: tuple[int, int]) -> str:
    """The source line around `span` with a caret line below it, both safe to print."""
    start = source.rfind("\n", 0, span[0]) + 1
    stop = source.find("\n", start)
    stop = len(source) if stop < 0 else stop - (source[stop - 1] == "\r")
    left, right = max(start, span[0] - CONTEXT), min(stop, span[0] + CONTEXT)
    head = ("..." if left > start else "") + printable(source[left : span[0]])
    tail = printable(source[span[0] : right]) + ("..." if right < stop else "")
    width = max(1, columns(printable(source[span[0] : min(span[1], right)])))
    return f"  {head}{tail}\n  {' ' * columns(head)}{'^' * width}"


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: wide characters two, combining ones none."""
    if text.isascii():
        return len(text)
    wide = sum(2 if unicodedata.east_asian_width(c) in "FW" else 1 for c in text)
    return wide - sum(unicodedata.combining(c) != 0 for c in text)


def printable(text: str) -> str:
    """`text` with every character that steers a terminal, or does not show, as its escape."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(c) if _is_unseen(c) else c for c in text)


def _is_unseen(character: str) -> bool:
    return not character.isprintable() or INVISIBLE.match(character) is not None


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name closest to a misspelt one, if any is close."""
    name = str(name)  # whatever a caller took for a name
    folded = {other.lower(): other for other in known}
    if name.lower() in folded:
        return folded[name.lower()]
    found = difflib.get_close_matches(name[:100], list(folded.values()), n=1, cutoff=0.7)
    letters = sorted(name.lower())  # of a short name, two exchanged letters are half
    exchanged = (other for low, other in folded.items() if sorted(low) == letters)
    return found[0] if found else next(exchanged, None)


def counted(number: int, noun: str) -> str:
    """So many things: `1 point`, `2 points`."""
    return f"{number} {noun}{'s' * (number != 1)}"

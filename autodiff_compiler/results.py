"""Results as the command line prints them: text, and what JSON holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

LONG, ENDS = 1000, 3  # entries of an axis that a terminal shows; of others, at each end
PARTS = ("gradient", "jacobian", "hessian")  # kinds with a part for each input


def lines(found: Mapping[str, Any], wrt: Sequence[str], long: float = LONG) -> Iterator[str]:
    """Each result after its name, and each part of one after the input it belongs to.

    Of axes with more than `long` entries, the beginning and the end.
    """
    for kind, value in found.items():
        if kind in PARTS:
            for name, part in zip(wrt, value, strict=True):
                yield _titled(f"{kind} {name}", part, long)
        else:
            yield _titled(kind, value, long)


def _titled(name: str, value: Any, long: float) -> str:
    """A result after its name; matrices begin on a line of their own."""
    matrix = isinstance(value, list) and bool(value) and isinstance(value[0], list)
    text = _shown(value, long)
    return f"{name} =\n{text}" if matrix else f"{name} = {text}"


def _shown(value: Any, long: float, indent: str = "") -> str:
    """A result as text: matrices row by row."""
    if not isinstance(value, list):
        return str(value)
    is_long = len(value) > long
    given = [*value[:ENDS], *value[-ENDS:]] if is_long else value
    shown = [_shown(v, long, indent + " ") for v in given]
    if is_long:
        shown.insert(ENDS, "...")
    nested = bool(value) and isinstance(value[0], list)
    return f"[{(f',{chr(10)}{indent} ' if nested else ', ').join(shown)}]"

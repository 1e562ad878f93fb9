"""Lines of code: broken where they are too long, and docstrings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..errors import printable

WIDTH = 88  # columns of a line


def wrap(text: str, indent: str) -> Iterator[str]:
    """A line of code broken after commas at `WIDTH`; the later lines hang by a further indent.

    Only for text whose commas are all inside brackets, so that a break changes nothing.
    """
    start, hanging = 0, "    "
    while len(indent) + len(text) - start > WIDTH:
        cut = text.rfind(", ", start, start + WIDTH - len(indent)) + 1
        if not cut:
            break
        yield indent + text[start:cut]
        start, indent, hanging = cut + 1, indent + hanging, ""
    yield indent + text[start:]


def docstring(lines: Sequence[str], indent: str = "") -> Iterator[str]:
    """Lines as a docstring that no source text can close, and whose value is safe to print."""
    safe = [printable(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    if len(safe) == 1:
        yield f'{indent}"""{safe[0]}"""'
        return
    yield f'{indent}"""{safe[0]}'
    yield from (f"{indent}{line}".rstrip() for line in safe[1:])
    yield f'{indent}"""'

"""How large a source may be, so that a hostile one is refused before it takes the machine."""

from __future__ import annotations

from dataclasses import dataclass, fields

from .errors import ExpressionError


@dataclass(frozen=True)
class Limits:
    """The largest source that is compiled; each limit is a positive whole number.

    Attributes:
        length: characters of the source.
        nodes: operations, of the program with its functions written out, and of each derivative.
        depth: symbols that wait on the parser's stack: one for each `(` or sign that is open, two
            for each call and for each operator with its left operand, and what is being read.
        digits: characters of a number.
        name: characters of a name.
        elements: of an array whose extents are numbers, other than an input.

    Raises `TypeError` or `ValueError`, naming the limit, for anything else.
    """

    length: int = 10_000_000
    nodes: int = 1_000_000
    depth: int = 1_000_000
    digits: int = 10_000
    name: int = 1_000
    elements: int = 10_000_000

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or isinstance(value, bool):
                raise TypeError(f"limits: {field.name}: expected a whole number, got {value!r}")
            if value < 1:
                raise ValueError(f"limits: {field.name}: expected 1 or more, got {value}")

    def exceeded(
        self, name: str, what: str, source: str = "", span: tuple[int, int] = (0, 0)
    ) -> ExpressionError:
        """The error for what is beyond a limit: it names the limit, and tells how to raise it."""
        value = getattr(self, name)
        hint = f"raise it by limits=Limits({name}=...), or by --limit {name}=... in the shell"
        return ExpressionError(f"{what}: the limit {name} is {value:,}", source, span, hint)


DEFAULT = Limits()

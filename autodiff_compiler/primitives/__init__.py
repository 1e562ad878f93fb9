"""THE table: one row per primitive.  Adding a function is adding a row to one of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import arithmetic, elementary, special, stable
from .row import Primitive, function

__all__ = ["BY_NAME", "CONSTANTS", "TABLE", "Primitive", "function", "lookup", "special"]

TABLE: tuple[Primitive, ...] = arithmetic.ROWS + elementary.ROWS + stable.ROWS + special.ROWS

BY_NAME: Mapping[str, Primitive] = MappingProxyType(
    {name: row for row in TABLE for name in (row.name, *row.aliases)}
)
CONSTANTS: tuple[str, ...] = tuple(name for name, row in BY_NAME.items() if not row.args)


def lookup(name: str) -> Primitive:
    """The row called `name`, by its own name or an alias; raises `KeyError`."""
    return BY_NAME[name]

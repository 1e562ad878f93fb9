"""THE table: one row per primitive.  Adding a function is adding a row to one of its parts."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ..primitives import (
    arithmetic,
    elementary,
    linear,
    matrices,
    moving,
    reductions,
    special,
    stable,
)
from .row import ArrayPrimitive, Primitive, array_function, function

__all__ = [
    "ARRAYS",
    "BY_NAME",
    "CONSTANTS",
    "TABLE",
    "ArrayPrimitive",
    "Primitive",
    "array_function",
    "function",
    "lookup",
    "special",
]

TABLE: tuple[Primitive, ...] = arithmetic.ROWS + elementary.ROWS + stable.ROWS + special.ROWS

BY_NAME: Mapping[str, Primitive] = MappingProxyType(
    {name: row for row in TABLE for name in (row.name, *row.aliases)}
)
CONSTANTS: tuple[str, ...] = tuple(name for name, row in BY_NAME.items() if not row.args)
ARRAYS: Mapping[str, ArrayPrimitive] = MappingProxyType(
    {
        name: row
        for row in linear.ROWS + moving.ROWS + reductions.ROWS + matrices.ROWS
        for name in (row.name, *row.aliases)
    }
)


def lookup(name: str) -> Primitive:
    """The row called `name`, by its own name or an alias; raises `KeyError`."""
    return BY_NAME[name]

"""What a source is compiled with, checked: names, shapes, passes left out, limits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any, NamedTuple

from .errors import ExpressionError, nearest
from .limits import Limits
from .parser import parse
from .passes import PASSES
from .shapes import Extent, Polynomial, Shape, named

THREADS = 2  # that share large arrays, if nothing else is asked for


class Options(NamedTuple):
    """What a source is compiled with, checked: names, passes left out, limits."""

    inputs: tuple[str, ...] | None
    wrt: tuple[str, ...] | None
    without: tuple[str, ...]
    limits: Limits
    shapes: tuple[tuple[str, Shape], ...] = ()
    threads: int = THREADS


def whole_number(argument: str, given: Any, least: int) -> int:
    """A whole number; raises `TypeError` or `ValueError` that names the argument."""
    if not isinstance(given, Integral) or isinstance(given, bool):
        raise TypeError(f"{argument}: expected a whole number, got {given!r}")
    if given < least:
        raise ValueError(f"{argument}: expected at least {least}, got {given}")
    return int(given)


def switch(argument: str, given: Any) -> bool:
    """True or False, NumPy's too; raises `TypeError` that names the argument."""
    if not hasattr(given, "__bool__") or given not in (True, False):  # text and lists have none
        raise TypeError(f"{argument}: expected True or False, got {given!r}")
    return bool(given)


def check_shapes(shapes: Iterable[tuple[str, object]], inputs: Sequence[str]) -> None:
    """Raise `ValueError` where a shape is given for what is no input."""
    for name, _ in shapes:
        if name not in inputs:
            close = nearest(name, inputs)
            hint = f"; did you mean {close}?" if close else ""
            raise ValueError(f"shapes: {name} is not an input of this formula{hint}")


def shapes_of(shapes: Any) -> tuple[tuple[str, Shape], ...]:
    """Shapes as they are kept: what is wrong with them is told here."""
    if not isinstance(shapes, Mapping):
        raise TypeError(f"shapes: expected a mapping of names to extents, got {shapes!r}")
    found = []
    for name, shape in shapes.items():
        found.append((name, tuple(extent(f"shapes: {name}", e) for e in _extents(name, shape))))
    return tuple(found)


def _extents(name: str, shape: object) -> Iterable[object]:
    """The extents of a shape; a single one, or a text such as `"n, 2"`, need not be in a tuple."""
    if isinstance(shape, str):
        return extents_in(shape)
    if isinstance(shape, Integral | Polynomial) and not isinstance(shape, bool):
        return (shape,)
    if not isinstance(shape, Iterable):
        raise TypeError(f"shapes: {name}: expected a tuple of extents, got {shape!r}")
    return shape


def extents_in(text: str) -> list[str]:
    """The words of a shape such as `"n, 2"`; a comma may end it."""
    words = [word.strip() for word in text.split(",")]
    return words if words[-1] else words[:-1]


def extent(what: str, given: object) -> Extent:
    """A length, a name, or a sum of products of these, also as a text: `3`, `"n"`, `"2*n - 1"`.

    Raises `ValueError` that begins with `what`.
    """
    if not isinstance(given, bool) and isinstance(given, Integral) and int(given) >= 0:
        return int(given)
    if isinstance(given, str) and given.isidentifier():
        return named(given)
    if isinstance(given, Polynomial):
        return given
    try:
        if isinstance(given, str) and re.fullmatch(r"[\w\s+*-]+", given):
            return parse(f"x: [{given}]; x")[0].inputs["x"].shape[0]
    except ExpressionError:
        pass
    raise ValueError(f"{what}: {given!r} is neither a length nor a name, nor a sum such as n - 1")


def names(given: Any, argument: str) -> tuple[str, ...] | None:
    """Names in a sequence or a text; raises `TypeError` or `ValueError` that names the argument."""
    if given is None:
        return None
    if not isinstance(given, Iterable):
        raise TypeError(f"{argument}: expected names, got {given!r}")
    listed = _listed(given) if isinstance(given, str) else given
    found = tuple(unicodedata.normalize("NFKC", n) if isinstance(n, str) else n for n in listed)
    for name in found:
        if not isinstance(name, str) or not name.isidentifier():
            raise ValueError(f"{argument}: {name!r} is not a name")
    if len(set(found)) < len(found):
        raise ValueError(f"{argument}: a name is given twice in {', '.join(found)}")
    return found


def _listed(text: str) -> list[str]:
    """What stands between commas and spaces; an empty name between two commas stays one."""
    parts = text.split(",") if text.strip() else []
    return [name for part in parts for name in part.split() or [""]]


def passes(given: Iterable[str]) -> tuple[str, ...]:
    """Names of passes; raises `ValueError` for others."""
    if given == ():
        return ()
    found = names(given, "without") or ()
    for name in found:
        if name not in PASSES:
            raise ValueError(f"without: expected names of {', '.join(PASSES)}, got {name!r}")
    return tuple(name for name in PASSES if name in found)


def distinct(kinds: Iterable[str]) -> list[str]:
    """Names of kinds, each once; raises `TypeError` for what is no name."""
    found = list(kinds)
    for kind in found:
        if not isinstance(kind, str):
            raise TypeError(f"kind: expected a name such as 'value', got {kind!r}")
    return [*dict.fromkeys(found)]


def check_input(name: str, inputs: Sequence[str], source: str) -> None:
    """Raise `ExpressionError` with a hint where a name is no input."""
    if name not in inputs:
        close = nearest(name, inputs)
        hint = (
            f"did you mean {close}?" if close else f"the inputs are {', '.join(inputs) or 'none'}"
        )
        raise ExpressionError(f"{name} is not an input of this formula", source, hint=hint)

"""Points, directions, shapes, extents and limits as the command line gives them."""

from __future__ import annotations

import dataclasses
import json
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .compiler import Function, compile
from .errors import ExpressionError, nearest
from .limits import Limits
from .options import extent, extents_in
from .shapes import Shape

LIMITS = tuple(field.name for field in dataclasses.fields(Limits))
MAX_DEPTH = 32  # brackets inside brackets: axes that an array of NumPy may have
DELIMITERS: Mapping[str, str | None] = {".csv": ",", ".txt": None}
ENCODING = "utf-8-sig"  # with a byte-order mark, as spreadsheets write it, or without
FILES = (".npy", *DELIMITERS, ".json")


def point(texts: Sequence[str], fn: Function) -> dict[str, Any]:
    """A point from texts such as `x=1,y=2`, `x=0,0.5,1`, `X=[[1,2],[3,4]]`, `X=@data.npy`."""
    if texts and not fn.inputs:
        raise ValueError(f"--at {texts[0].strip()}: the formula has no inputs")
    found = _named("--at", texts, {name: len(fn.shapes[name]) for name in fn.inputs})
    missing = [n for n in fn.inputs if n not in found]
    if missing:
        raise ValueError(f"--at: no value for {', '.join(missing)}")
    return found


def _named(option: str, texts: Sequence[str], ranks: Mapping[str, int]) -> dict[str, Any]:
    """The value after each name; several are a list.  `ranks` has the axes of each name."""
    found: dict[str, list[Any]] = {}
    name = ""
    for piece in (piece for text in texts for piece in pieces(text)):
        head, equals, value = piece.partition("=") if "=" in piece else (name, "", piece)
        name = head.strip()
        if name not in ranks or not value.strip():
            close = nearest(name, ranks) or " or ".join(ranks)
            problem = f"{name} is no input; " if name and name not in ranks else ""
            raise ValueError(f"{option} {piece.strip()}: {problem}expected {close}=VALUE")
        if equals and name in found:
            raise ValueError(f"{option} {name}: it is given twice")
        found.setdefault(name, []).append(_value(f"{option} {name}", value.strip(), ranks[name]))
    return {n: _joined(v, ranks[n]) for n, v in found.items()}


def _joined(values: list[Any], rank: int) -> Any:
    """One value as it is, but for a number where a vector is wanted; several as a list."""
    number = len(values) == 1 and isinstance(values[0], float)
    return values if len(values) > 1 or (number and rank == 1) else values[0]


def pieces(text: str) -> list[str]:
    """A text split at the commas that are in no brackets."""
    found, depth = [""], 0
    for part in re.split(r"([,()\[\]])", text):
        depth += (part in ("(", "[")) - (part in (")", "]"))
        if part == "," and depth == 0:
            found.append("")
        else:
            found[-1] += part
    return found if found[-1].strip() else found[:-1]


def _value(what: str, text: str, rank: int) -> Any:
    """A number, an array in brackets, or an array from a file."""
    if text.startswith("@"):
        return _file(what, text[1:], rank)
    return _array(what, text) if text.startswith("[") else number(what, text)


def _array(what: str, text: str) -> Any:
    depths = re.findall(r"^(?:[\s\[])*", text)
    if depths[0].count("[") > MAX_DEPTH:
        raise ValueError(f"{what}: more than {MAX_DEPTH} brackets inside each other")
    try:
        return _floats(json.loads(text, parse_int=float))
    except (ValueError, RecursionError):
        return _rows(what, text, 0)


def _floats(value: Any) -> Any:
    if isinstance(value, list):
        return [_floats(v) for v in value]
    if not isinstance(value, float):
        raise ValueError(f"expected numbers, got {json.dumps(value)[:40]}")
    return value


def _rows(what: str, text: str, depth: int) -> Any:
    """An array whose elements may be formulas: `[pi/2, 1/3]`."""
    text = text.strip()
    if not text.startswith("["):
        return number(what, text)
    if not text.endswith("]") or depth > MAX_DEPTH:
        raise ValueError(f"{what}: expected an array such as [[1, 2], [3, 4]], got {text}")
    return [_rows(what, piece, depth + 1) for piece in pieces(text[1:-1])]


def _file(what: str, name: str, rank: int) -> Any:
    """The array in a file; `rank` keeps a single row or column of a table."""
    import numpy as np

    path = Path(name)
    try:
        if path.suffix == ".npy":
            return np.load(path, allow_pickle=False)
        if path.suffix in DELIMITERS:
            return _table(path, min(rank, 2))
        if path.suffix == ".json":
            return _floats(json.loads(path.read_text(encoding=ENCODING), parse_int=float))
    except (OSError, EOFError, ValueError, RecursionError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise ValueError(f"{what}=@{name}: {problem}") from None
    raise ValueError(f"{what}=@{name}: expected a file of {', '.join(FILES)}")


def _table(path: Path, rank: int) -> Any:
    """The numbers in a text file; raises `ValueError` if there are none."""
    import numpy as np

    separator = DELIMITERS[path.suffix]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # that there are no numbers
        try:
            found = np.loadtxt(path, delimiter=separator, ndmin=rank, encoding=ENCODING)  # type: ignore[call-overload]
        except UnicodeDecodeError:
            raise
        except ValueError as error:
            problem = str(error).partition("; use")[0].rstrip(".")
            rows = f"rows of numbers with {'commas' if separator else 'spaces'} between them"
            raise ValueError(f"{problem}; expected {rows}, and no header") from None
    if not found.size:
        raise ValueError("there are no numbers in the file")
    return found


def number(what: str, text: str) -> float:
    """A number, or a formula without inputs such as `pi/2`; errors say `what` it is for."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        value = compile(text, inputs=()).value()
    except ExpressionError as error:
        problem = f"{what}: {error.problem}"
        hint = "write a number, or a formula without inputs such as pi/2"
        raise ExpressionError(problem, error.source, error.span, hint) from None
    if not isinstance(value, float):
        raise ValueError(f"{what}: expected one number, got an array: {text}")
    return value


def single(texts: Sequence[str], fn: Function) -> dict[str, Any] | None:
    """A point of one value for each input, if there is one; arrays only where they are declared."""
    found = point(texts, fn) if texts else None
    for name, value in (found or {}).items():
        if not fn.shapes[name] and not isinstance(value, float):
            raise ValueError(f"--at {name}: expected one number, got {len(value)}")
    return found


def seed(text: str | None, fn: Function) -> dict[str, Any] | list[Any] | None:
    """A direction `x1=1,x2=0`, or what belongs to the outputs: `1,0` or `[[1,0],[0,0]]`."""
    if text is None:
        return None
    if "=" in text:
        return _named("--seed", [text], {name: len(fn.shapes[name]) for name in fn.wrt})
    values = [_value("--seed", piece.strip(), 0) for piece in pieces(text)]
    return values[0] if len(values) == 1 and isinstance(values[0], list) else values


def _assigned(option: str, texts: Sequence[str], example: str) -> Iterator[tuple[str, str]]:
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not name.isidentifier() or not equals:
            raise ValueError(f"{option} {text}: expected {example}")
        yield name, value


def shapes(texts: Sequence[str]) -> dict[str, Shape]:
    """Shapes from texts such as `X=N,2`; nothing after the `=` is the shape of a number."""
    found: dict[str, Shape] = {}
    for name, value in _assigned("--shape", texts, "NAME=EXTENTS, such as X=N,2"):
        if name in found:
            raise ValueError(f"--shape {name}: it is given twice")
        inside = value[1:-1] if value[:1] + value[-1:] in ("[]", "()") else value
        found[name] = tuple(extent(f"--shape {name}={value}", e) for e in extents_in(inside))
    return found


def extents(texts: Sequence[str]) -> dict[str, int]:
    """Extents from texts such as `N=1000`."""
    found = {}
    for name, value in _assigned("--extent", texts, "NAME=LENGTH, such as N=1000"):
        length = number(f"--extent {name}", value) if value else -1.0
        if length < 0 or length != length // 1:
            raise ValueError(f"--extent {name}={value}: expected a whole number")
        found[name] = int(length)
    return found


def limits(texts: Sequence[str]) -> Limits:
    """Limits from texts such as `nodes=10000`; the others are the default ones."""
    found: dict[str, int] = {}
    for text in texts:
        name, _, value = (part.strip() for part in text.partition("="))
        if name not in LIMITS or not re.fullmatch(r"[0-9_]{1,20}", value):
            close = nearest(name, LIMITS) or " or ".join(LIMITS)
            raise ValueError(f"--limit {text}: expected {close}=NUMBER")
        found[name] = int(value)
    return Limits(**found)

"""What a user gives for the inputs or outputs of a program: points, directions, seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .arrayruntime import conforming
from .errors import counted
from .runtime import number
from .shapes import Shape, extent_names, sized, solved

Point = Mapping[str, Any] | Sequence[Any]
Wanted = Sequence[tuple[str, Shape]]  # names, and the shapes they were declared with


def vector(values: Point, names: tuple[str, ...], what: str) -> list[float]:
    """Numbers in the order of `names`, given by name or in order; errors name what is missing."""
    wanted = f"{counted(len(names), 'number')} ({', '.join(names)})"
    if not isinstance(values, Iterable):
        raise TypeError(f"{what}: expected a sequence of {wanted}, got {values!r}")
    if isinstance(values, Mapping):
        given = _by_name(values, names, what, needed=what != "seed")
        values = [given.get(name, 0.0) for name in names]
    found = [number(what, v) for v in values]
    if len(found) != len(names) or not all(isinstance(v, float) for v in found):
        raise ValueError(f"{what}: expected {wanted}")
    return found


def seed_vector(seed: Point | float | None, names: tuple[str, ...]) -> list[float]:
    """A seed of numbers: 1 for the first one, if nothing else is given."""
    if seed is None:
        return [1.0] + [0.0] * (len(names) - 1) if names else []
    return vector([seed] if isinstance(seed, int | float) else seed, names, "seed")


def point(at: Any, wanted: Wanted) -> list[Any]:
    """A value for each name, of its shape; errors name what is missing or wrong."""
    names = [name for name, _ in wanted]
    return _conforming(wanted, list(_by_name(at, names, "at", needed=True).values()), "at")


def lengths(wanted: Wanted, values: Sequence[Any]) -> dict[str, int]:
    """The lengths of the extents that have names, as far as values that conform tell them."""
    import numpy as np

    pairs = zip(wanted, map(np.shape, values), strict=True)
    return solved(p for (_, shape), found in pairs for p in zip(shape, found, strict=True))


def direction(seed: Any, wanted: Wanted, extents: Mapping[str, int]) -> list[Any]:
    """A seed for each name: what is given, and zeros; by default 1 for the very first element.

    What is not given is an array only where the extents are known; otherwise it is a text.
    """
    names = [name for name, _ in wanted]
    given = {} if seed is None else _by_name(_single(seed, wanted), names, "seed", needed=False)
    kept = [(name, shape) for name, shape in wanted if name in given]
    found = dict(zip(given, _conforming(kept, [given[n] for n, _ in kept], "seed"), strict=True))
    first = None if given else next(iter(names), None)
    rest = {n: _zeros(s, extents, n == first) for n, s in wanted if n not in found}
    return [(found | rest)[name] for name in names]


def _single(seed: Any, wanted: Wanted) -> Any:
    """A seed as one value for each name: of a single array, it is the array itself."""
    alone = len(wanted) == 1 and not isinstance(seed, Mapping)
    if not alone:
        return [seed] if isinstance(seed, int | float) else seed
    rank = _rank(seed)
    return [seed] if rank == len(wanted[0][1]) else seed


def _rank(value: Any) -> int:
    import numpy as np

    try:
        return np.ndim(value)
    except ValueError:  # rows of different lengths
        return -1


def _zeros(shape: Shape, extents: Mapping[str, int], first: bool) -> Any:
    """Zeros of a shape, or a 1 followed by zeros; a text where the shape is not known."""
    import numpy as np

    if not shape:
        return 1.0 if first else 0.0
    if not extent_names(shape) <= extents.keys():
        return "1 0 …" if first else "0 …"
    found = np.zeros(sized(shape, extents))
    found.flat[:1] = first
    return found


def _by_name(values: Any, names: Sequence[str], what: str, needed: bool) -> dict[str, Any]:
    """Values given by name or in order, in the order of the names."""
    if not isinstance(values, Iterable):
        raise TypeError(f"{what}: expected values for {', '.join(names)}, got {values!r}")
    if not isinstance(values, Mapping):
        listed = list(values)
        if len(listed) != len(names):
            count = f"expected {counted(len(names), 'value')} ({', '.join(names)})"
            raise ValueError(f"{what}: {count}, got {len(listed)}")
        return dict(zip(names, listed, strict=True))
    unknown = [str(name) for name in values if name not in names]
    missing = [name for name in names if name not in values and needed]
    if unknown or missing:
        problem = f"unknown {', '.join(unknown)}" if unknown else f"no {', '.join(missing)}"
        raise ValueError(f"{what}: {problem}; expected {', '.join(names)}")
    return {name: values[name] for name in names if name in values}


def _conforming(wanted: Wanted, values: Sequence[Any], what: str) -> list[Any]:
    try:
        return conforming(wanted, values)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{what}: {error}") from None

"""Programs of arrays made callable: a check of what they are called with, then NumPy's code."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import cached_property
from typing import Any, NamedTuple

from .backends.style import Style
from .derivatives import Group, Program
from .graph import INDEX, INPUT, PLACING, Graph, differentiable
from .primitives.axes import axes_of, index_text, required
from .runtime import Callables, number
from .shapes import Polynomial, Shape, extent_names, plain, shown, solved, word


class ArrayCallables(Callables):
    """The functions of a program of arrays: whatever they are called with is checked first."""

    bounds: tuple[Bound, ...] = ()  # what indices ask of the extents

    def fast(self) -> Callable[..., Any]:
        """The function, behind a check of what it is called with."""
        parameters = self.program.parameters
        names = [str(p.name if isinstance(p, Group) else p.data) for p in parameters]
        arguments = [(str(n.data), n.shape) for n in self.program.arguments()]
        graph = self.program.graph
        alike = frozenset(differentiable(graph))
        conforming = Signature(arguments, self.bounds, positions(graph), alike).values
        flat = not any(isinstance(p, Group) for p in parameters)
        function = self._function

        def call(*arguments: Any, **named: Any) -> Any:
            if named or len(arguments) != len(names):
                arguments = tuple(ordered(names, arguments, named))
            given = conforming(arguments if flat else self._flattened(arguments))
            try:
                return function(*(given if flat else self._grouped(given)))
            except IndexError as error:
                raise ValueError(f"a position is outside its axis: {error}") from None
            except ArithmeticError:
                return self._at_poles._function(*self._grouped(given))

        call.__name__ = call.__qualname__ = self.program.kind
        return call

    @cached_property
    def _function(self) -> Callable[..., Any]:
        return self._from_module("numpy")


def callables(
    program: Program, wrt: Sequence[str], style: Style, primal: Graph | None = None
) -> Callables:
    """The functions of a program of numbers, or of arrays.

    The indices of the `primal` program have to be inside their axes, whatever is left of them.
    """
    if not program.graph.has_arrays:
        return Callables(program, wrt, style)
    found = ArrayCallables(program, wrt, style._replace(checked=True))
    found.bounds = bounds(primal or program.graph)
    return found


def ordered(names: Sequence[str], arguments: Sequence[Any], named: dict[str, Any]) -> list[Any]:
    """Arguments given in order or by name, in order; raises `TypeError`."""
    wanted = f"expected {', '.join(names)}"
    if len(arguments) > len(names):
        raise TypeError(f"{len(arguments)} arguments; {wanted}")
    twice = named.keys() & set(names[: len(arguments)])
    unknown = [name for name in named if name not in names]
    if twice or unknown:
        what = f"{min(twice)} is given twice" if twice else f"{unknown[0]} is no argument"
        raise TypeError(f"{what}; {wanted}")
    missing = [name for name in names[len(arguments) :] if name not in named]
    if missing:
        raise TypeError(f"no value for {', '.join(missing)}; {wanted}")
    return [*arguments, *(named[name] for name in names[len(arguments) :])]


def conforming(wanted: Sequence[tuple[str, Shape]], given: Sequence[Any]) -> list[Any]:
    """Arguments as numbers and arrays of the shapes they were declared with; see `Signature`."""
    return Signature(wanted).values(given)


KINDS = 64  # types and shapes of arguments that are remembered


class Wanted(NamedTuple):
    """An argument: its axes that have a length or a plain name, and all of its extents."""

    name: str
    shape: Shape
    axes: tuple[tuple[int, Any], ...]


class Bound(NamedTuple):
    """What an index asks of the extents: that `least` is not negative."""

    least: Polynomial
    text: str


def bounds(graph: Graph) -> tuple[Bound, ...]:
    """What the indices of a program ask of the extents that it has names for."""
    found: dict[Bound, None] = {}
    for node in graph.nodes if graph.has_arrays else ():
        if node.op is INDEX:
            pairs = zip(node.data, axes_of(node.data, node.args[0].shape), strict=True)
            for item, extent in pairs:
                for least in required(item, extent):
                    if isinstance(least, Polynomial) and min(least.terms.values()) < 0:
                        found[Bound(least, index_text((item,), str, ["..."]))] = None
    return tuple(found)


def positions(graph: Graph) -> frozenset[str]:
    """The inputs that are positions in an index."""
    placing = (n for n in graph.nodes if n.op in PLACING)
    return frozenset(str(a.data) for n in placing for a in n.args[1:] if a.op is INPUT)


class Signature:
    """The shapes that arguments are declared with, prepared to compare them with what is given.

    Those that are to be `alike` are made arrays of one type: the widest of theirs.
    """

    def __init__(
        self,
        arguments: Sequence[tuple[str, Shape]],
        bounds: Sequence[Bound] = (),
        positions: frozenset[str] = frozenset(),
        alike: Collection[str] = (),
    ) -> None:
        from numpy import ndarray

        self._ndarray = ndarray  # here, because every call asks for it
        self.bounds, self.positions = bounds, positions
        self.wanted = [Wanted(name, shape, tuple(_plain(shape))) for name, shape in arguments]
        self.alike = [k for k, (name, shape) in enumerate(arguments) if shape and name in alike]
        self._seen = set[tuple[Any, ...]]()  # types and shapes that are right as they are
        self.sums = any(len(w.axes) < len(w.shape) for w in self.wanted)

    def values(self, given: Sequence[Any]) -> list[Any]:
        """Arguments as numbers, and as arrays of floats of the declared shapes.

        Raises `TypeError` or `ValueError` that names the argument, the extent and both lengths.
        """
        ndarray = self._ndarray
        kinds = tuple([(v.dtype, v.shape) if type(v) is ndarray else type(v) for v in given])
        if kinds in self._seen:
            return list(given)
        values = self._compared(given)
        plain = all(
            type(v) in (float, ndarray) and v is g for v, g in zip(values, given, strict=True)
        )
        if plain and not self.positions and len(self._seen) < KINDS:
            self._seen.add(kinds)
        return values

    def _compared(self, given: Sequence[Any]) -> list[Any]:
        """What is given, looked at one by one."""
        ndarray = self._ndarray
        extents: dict[str, int] = {}
        values: list[Any] = []
        for (name, shape, axes), value in zip(self.wanted, given, strict=True):
            ready = type(value) is float or (
                type(value) is ndarray and value.dtype.kind == "f" and value.ndim > 0
            )
            array: Any = value if ready else number(name, value)  # which asks more, and longer
            found = () if type(array) is float else array.shape
            if len(found) != len(shape):
                raise ValueError(f"{name}: expected {_kind(shape)}, got {_kind(found)}")
            for axis, extent in axes:
                length = found[axis]
                if extent == length:
                    continue
                if type(extent) is int or extents.setdefault(extent, length) != length:
                    raise self._mismatch(name, axis, length, values)
            values.append(array)
        self._check_all(given, values, extents)
        types = {values[k].dtype for k in self.alike}
        if len(types) > 1 or not all(t.isnative for t in types):
            self._make_alike(given, values)
        return values

    def _check_all(
        self, given: Sequence[Any], values: Sequence[Any], extents: dict[str, int]
    ) -> None:
        """What has to hold of several axes together, or of the elements."""
        if self.sums:
            self._check_sums(values, extents)
        if self.positions:
            self._check_positions(given, values)
        for bound in self.bounds:
            if bound.least.names <= extents.keys() and bound.least.at(extents) < 0:
                raise self._too_short(bound, extents)

    def _make_alike(self, given: Sequence[Any], values: list[Any]) -> None:
        """Give arrays the floats of the widest, as the machine orders their bytes.

        Whole numbers are of any type.
        """
        import numpy as np

        types = {np.asarray(given[k]).dtype for k in self.alike}
        common = np.result_type(*({t for t in types if t.kind == "f"} or {np.dtype(float)}))
        for k in self.alike:
            values[k] = values[k].astype(common, copy=False)

    def _mismatch(self, name: str, axis: int, length: int, before: Sequence[Any]) -> ValueError:
        """An extent that is another than declared, or than an earlier argument has."""
        here = next(w for w in self.wanted if w.name == name)
        extent = here.shape[axis]
        if isinstance(extent, int):
            return ValueError(f"{name}: {shown(here.shape)} has {extent} where there are {length}")
        for other, value in zip(self.wanted, before, strict=False):
            if extent in other.shape:
                known = value.shape[other.shape.index(extent)]
                return ValueError(f"{name}: {extent} is {length} here, but {known} in {other.name}")
        return ValueError(f"{name}: {extent} stands for axes of different lengths")

    def _too_short(self, bound: Bound, extents: dict[str, int]) -> ValueError:
        name = min(bound.least.names)
        owner = next(w.name for w in self.wanted if name in extent_names(w.shape))
        here = f"{name} is {extents[name]}"
        return ValueError(f"{owner}: {here}, too short for the index [{bound.text}]")

    def _check_positions(self, given: Sequence[Any], values: Sequence[Any]) -> None:
        """Positions are whole numbers; truth values, which NumPy takes as a mask, are not."""
        import numpy as np

        for (name, *_), argument, value in zip(self.wanted, given, values, strict=True):
            if name not in self.positions:
                continue
            if np.asarray(argument).dtype.kind == "b":
                raise TypeError(f"{name}: expected positions, not truth values: numpy.flatnonzero")
            if (np.rint(value) != value).any():
                raise ValueError(f"{name}: positions are whole numbers")

    def _check_sums(self, values: Sequence[Any], extents: dict[str, int]) -> None:
        """Extents that are sums or products of names, which are known or follow from them."""
        lengths = [
            (name, extent, length)
            for (name, shape, _), value in zip(self.wanted, values, strict=True)
            for extent, length in zip(shape, getattr(value, "shape", ()), strict=True)
            if isinstance(extent, Polynomial)
        ]
        known = solved((extent, length) for _, extent, length in lengths) | extents
        for name, extent, length in lengths:
            if extent.names <= known.keys() and extent.at(known) != length:
                raise ValueError(f"{name}: {extent} is {extent.at(known)}, but there are {length}")
            if any(known.get(n, 0) < 0 for n in extent.names):
                raise ValueError(f"{name}: a length of {length} is too short for {extent}")


def _plain(shape: Shape) -> list[tuple[int, int | str]]:
    """The axes whose extent is a length or a name."""
    return [(k, word(e)) for k, e in enumerate(shape) if isinstance(e, int) or plain(e)]


def _kind(shape: Shape) -> str:
    return f"an array of shape {shown(shape)}" if shape else "a number"

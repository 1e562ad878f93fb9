"""A compiled function of one flat vector, as SciPy's optimizers call it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .arrayruntime import conforming
from .given import lengths
from .options import whole_number
from .runtime import number
from .shapes import Extent, Polynomial, Shape, evaluated, extent_names, shown, size_of, sized

if TYPE_CHECKING:
    from .compiler import Function

Vector = np.ndarray[Any, Any]


class Piece(NamedTuple):
    """Where an input is in the vector, and the shape that it has there."""

    name: str
    start: int
    stop: int
    shape: tuple[int, ...]


class Packed:
    """`fn` of a vector of all of `fn.wrt`, one after the other; its other inputs are bound to data.

    Arrays are in the vector row by row, as `numpy.ravel` has them.  An extent that no data has
    follows from the length of the vector if it is the only one; otherwise it is given by its
    name: `fn.packed(n=3, m=4)`.

    With arrays as data for inputs that are numbers, the value is the array of one value for each
    element, flattened: m residuals, whose Jacobian has shape (m, n).
    """

    def __init__(self, fn: Function, data: dict[str, Any]) -> None:
        self.fn = fn
        self._shapes = fn.shapes
        self._arrays = any(self._shapes.values())
        self._wrt = {name: self._shapes[name] for name in fn.wrt}
        rest = [name for name in fn.inputs if name not in fn.wrt]
        names = set().union(*map(extent_names, self._shapes.values())).difference(fn.inputs)
        for name in data:
            if name in fn.wrt:
                raise TypeError(f"{name} is part of the vector; leave it out of wrt to bind it")
            if name not in rest and name not in names:
                known = ", ".join([*rest, *sorted(names)])
                those = f"those are: {known}" if known else "there are none outside wrt"
                raise TypeError(f"{name} is not an input to bind; {those}")
        missing = [name for name in rest if name not in data]
        if missing:
            raise TypeError(f"no value for {', '.join(missing)}")
        self.data = {name: value for name, value in data.items() if name in rest}
        given = {name: value for name, value in data.items() if name in names}
        self.extents = self._bound(self.data, _lengths(given))
        self._layouts: dict[int, tuple[Piece, ...]] = {}
        self._is_plain = not self._arrays and fn.wrt == fn.inputs

    def __repr__(self) -> str:
        return f"<packed {self.fn!r}>"

    def _bound(self, values: Mapping[str, Any], known: Mapping[str, int]) -> dict[str, int]:
        """The extents that are known, and those that values have; raises where these differ."""
        if not self._arrays:
            return {}
        wanted = [(name, self._shapes[name]) for name in values]
        found = dict(known)
        arrays = conforming(wanted, list(values.values()))
        for name, length in lengths(wanted, arrays).items():
            if known.get(name, length) != length:
                raise ValueError(f"{name} is {known[name]}, but {length} in the arrays given")
            found[name] = length
        return found

    def pack(self, *args: Any, **kwargs: Any) -> Vector:
        """The flat vector of values given in the order of `fn.wrt`, by name, or by a mapping."""
        if len(args) == 1 and isinstance(args[0], Mapping):
            return self.pack(**args[0], **kwargs)
        values = dict(zip(self.fn.wrt, args, strict=False))
        if len(args) > len(self.fn.wrt) or values.keys() & kwargs.keys():
            raise TypeError(f"expected one value for each of {', '.join(self.fn.wrt)}")
        values |= kwargs
        if values.keys() != set(self.fn.wrt):
            raise TypeError(f"expected a value for each of {', '.join(self.fn.wrt)}")
        ordered = {name: values[name] for name in self.fn.wrt}
        if not self._arrays:
            return np.array([float(number(name, value)) for name, value in ordered.items()])
        self._bound({**self.data, **ordered}, self.extents)
        return self._joined([*ordered.values()])

    def unpack(self, x: Any) -> dict[str, Any]:
        """The values in a flat vector, by name: numbers, and arrays of their shapes."""
        vector = _vector("x", x)
        return self._split(vector, self._layout(vector.size))

    def _split(self, vector: Vector, layout: Sequence[Piece]) -> dict[str, Any]:
        if not self._arrays:
            return dict(zip(self.fn.wrt, vector.tolist(), strict=True))
        return {
            p.name: vector[p.start : p.stop].reshape(p.shape) if p.shape else float(vector[p.start])
            for p in layout
        }

    def _layout(self, length: int) -> tuple[Piece, ...]:
        """Where everything is in a vector of this length."""
        found = self._layouts.get(length)
        if found is None:
            found = self._layouts[length] = self._laid_out(length)
        return found

    def _laid_out(self, length: int) -> tuple[Piece, ...]:
        extents = self._solved(length)
        shapes = [sized(shape, extents) for shape in self._wrt.values()]
        stops = np.cumsum([0, *map(math.prod, shapes)]).tolist()
        if stops[-1] != length:
            raise ValueError(f"x: expected a vector of {self._wanted()}, got {length}")
        pieces = zip(self._wrt, stops[:-1], stops[1:], shapes, strict=True)
        return tuple(Piece(*piece) for piece in pieces)

    def _total(self) -> Extent:
        """The length of the vector, as far as the extents are known."""
        total: Extent = 0
        for shape in self._wrt.values():
            total = total + size_of(_known(shape, self.extents))
        return total

    def _wanted(self) -> str:
        many = ", ..." if len(self._wrt) > 8 else ""
        names = (f"{name} {shown(s)}" if s else name for name, s in [*self._wrt.items()][:8])
        total = self._total()
        return f"{total} number{'s' if total != 1 else ''} ({', '.join(names)}{many})"

    def _solved(self, length: int) -> dict[str, int]:
        """All extents; one that is unknown is the one that makes a vector of this length."""
        names = set().union(*map(extent_names, self._wrt.values())) - self.extents.keys()
        if not names:
            return self.extents
        if len(names) > 1:
            listed = sorted(names)
            call = ", ".join(f"{name}=..." for name in listed)
            raise ValueError(
                f"x: its length does not tell {' and '.join(listed)}: give them, packed({call})"
            )
        (name,), total = names, self._total()
        low, high = 0, length
        while low < high:
            middle = (low + high) // 2
            enough = evaluated(total, {name: middle}) >= length
            low, high = (low, middle) if enough else (middle + 1, high)
        return {**self.extents, name: low}

    def _joined(self, values: Sequence[Any]) -> Vector:
        """Numbers and arrays one after the other."""
        if not self._arrays:
            return np.array(values)
        return np.concatenate([np.ravel(value) for value in values])

    def _arguments(self, x: Any) -> Sequence[Any]:
        """The values of all inputs, in their order: by name would cost more than the function."""
        vector = _vector("x", x)
        layout = self._layouts.get(vector.size) or self._layout(vector.size)
        if self._is_plain:
            found: list[float] = vector.tolist()
            return found
        given = self._split(vector, layout) | self.data
        return [given[name] for name in self.fn.inputs]

    def __call__(self, x: Any) -> Any:
        """The value."""
        return self.value(x)

    def value(self, x: Any) -> Any:
        """The value: a float, or a vector of length m."""
        value = self.fn.value(*self._arguments(x))
        return np.ravel(value) if type(value) is not float and np.ndim(value) else value

    def gradient(self, x: Any) -> Vector:
        """The gradient, of shape (n,); the value must be one number."""
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x: Any) -> tuple[float, Vector]:
        """The value and the gradient, sharing the work."""
        value, gradient = self.fn.value_and_gradient(*self._arguments(x))
        if type(value) is not float and np.ndim(value):
            raise ValueError(f"the data make {np.size(value)} values of one: use jacobian")
        return value, self._joined(gradient)

    def jacobian(self, x: Any) -> Vector:
        """The Jacobian, of shape (m, n): a row for each output."""
        ranks = map(len, self._wrt.values())
        parts = zip(self.fn.jacobian(*self._arguments(x)), ranks, strict=True)
        return np.concatenate([_matrix(part, np.ndim(part) - rank) for part, rank in parts], axis=1)

    def hessian(self, x: Any) -> Vector:
        """The Hessian, of shape (n, n)."""
        blocks = self.fn.hessian(*self._arguments(x))
        if not self._arrays:
            return np.array(blocks)
        ranks = map(len, self._wrt.values())
        rows = zip(blocks, ranks, strict=True)
        return np.block([[_matrix(block, rank) for block in row] for row, rank in rows])

    def hvp(self, x: Any, v: Any) -> Vector:
        """The Hessian at `x` times the vector `v`."""
        vector = _vector("v", v)
        values = self.unpack(x)
        layout = self._layout(np.size(x))
        if vector.size != np.size(x):
            raise ValueError(f"v: expected a vector of {np.size(x)} numbers, got {vector.size}")
        point = {**self.data, **values}
        primals = [point[name] for name in self.fn.inputs]
        return self._joined(self.fn.hvp(primals, [*self._split(vector, layout).values()]))


def _vector(name: str, given: Any) -> Vector:
    """A vector of doubles; raises `TypeError` for what has no numbers."""
    if type(given) is np.ndarray and given.dtype.char == "d":  # as optimizers call it
        return given.ravel()
    return np.asarray(number(name, given), dtype=float).ravel()


def _matrix(array: Any, rank: int) -> Vector:
    """An array with its first `rank` axes as rows, and the others as columns."""
    shape = np.shape(array)
    return np.reshape(array, (math.prod(shape[:rank]), math.prod(shape[rank:])))


def _known(shape: Shape, extents: Mapping[str, int]) -> Shape:
    """A shape with numbers for those extents whose names are known."""
    return tuple(
        e.at(extents) if isinstance(e, Polynomial) and e.names <= extents.keys() else e
        for e in shape
    )


def _lengths(given: Mapping[str, Any]) -> dict[str, int]:
    return {name: whole_number(name, length, 0) for name, length in given.items()}

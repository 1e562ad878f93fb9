"""A compiled function of one flat vector, as SciPy's optimizers call it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .compiler import Function


class Packed:
    """`fn` of a vector of all of `fn.wrt`; its other inputs are bound to data.

    With arrays as data, the value is the array of one value for each element, flattened: m
    residuals, whose Jacobian has shape (m, n).
    """

    def __init__(self, fn: Function, data: dict[str, Any]) -> None:
        rest = [name for name in fn.inputs if name not in fn.wrt]
        for name in data:
            if name not in rest:
                raise TypeError(f"{name} is not an input to bind; those are: {', '.join(rest)}")
        missing = [name for name in rest if name not in data]
        if missing:
            raise TypeError(f"no value for {', '.join(missing)}")
        self.fn, self.data = fn, data

    def __repr__(self) -> str:
        return f"<packed {self.fn!r}>"

    def pack(self, *args: Any, **kwargs: Any) -> np.ndarray[Any, Any]:
        """The flat vector of values given in the order of `fn.wrt`, or by name."""
        values = dict(zip(self.fn.wrt, args, strict=False))
        if len(args) > len(self.fn.wrt) or values.keys() & kwargs.keys():
            raise TypeError(f"expected one value for each of {', '.join(self.fn.wrt)}")
        values |= kwargs
        if values.keys() != set(self.fn.wrt):
            raise TypeError(f"expected a value for each of {', '.join(self.fn.wrt)}")
        return np.array([float(values[name]) for name in self.fn.wrt])

    def unpack(self, x: Sequence[float]) -> dict[str, float]:
        """The values in a flat vector, by name."""
        return dict(zip(self.fn.wrt, self._vector(x), strict=True))

    def _vector(self, x: Any) -> list[float]:
        vector = np.asarray(x, dtype=float).ravel()
        if vector.size != len(self.fn.wrt):
            wanted = f"{len(self.fn.wrt)} ({', '.join(self.fn.wrt[:8])})"
            raise ValueError(f"x: expected a vector of {wanted} numbers, got {vector.size}")
        return vector.tolist()

    def _call(self, function: Callable[..., Any], x: Any) -> Any:
        values = self._vector(x)
        if not self.data:
            return function(**dict(zip(self.fn.wrt, values, strict=True)))
        return function(**dict(zip(self.fn.wrt, values, strict=True)), **self.data)

    def __call__(self, x: Any) -> Any:
        """The value."""
        return self.value(x)

    def value(self, x: Any) -> Any:
        """The value: a float, or a vector of length m."""
        return _flat(self._call(self.fn.value, x))

    def gradient(self, x: Any) -> np.ndarray[Any, Any]:
        """The gradient, of shape (n,); the value must be one number."""
        return self.value_and_gradient(x)[1]

    def value_and_gradient(self, x: Any) -> tuple[float, np.ndarray[Any, Any]]:
        """The value and the gradient, sharing the work."""
        value, gradient = self._call(self.fn.value_and_gradient, x)
        if np.ndim(value):
            raise ValueError(f"the data make {np.size(value)} values of one: use jacobian")
        return value, np.array(gradient)

    def jacobian(self, x: Any) -> np.ndarray[Any, Any]:
        """The Jacobian, of shape (m, n): a row for each output."""
        columns = self._call(self.fn.jacobian, x)
        return np.stack([np.ravel(c) for c in columns], axis=-1)

    def hessian(self, x: Any) -> np.ndarray[Any, Any]:
        """The Hessian, of shape (n, n)."""
        return np.array(self._call(self.fn.hessian, x))

    def hvp(self, x: Any, v: Any) -> np.ndarray[Any, Any]:
        """The Hessian at `x` times the vector `v`."""
        point = {**self.data, **self.unpack(x)}
        primals = [point[name] for name in self.fn.inputs]
        return np.array(self.fn.hvp(primals, self._vector(v)))


def _flat(value: Any) -> Any:
    return np.ravel(value) if np.ndim(value) else value

"""A compiled function of arrays, called like one of numbers: their elements, at given extents."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..derivatives import Program
from ..graph import STACK, differentiable
from ..passes import optimise, pipeline
from ..shapes import sized
from ..singular import differentiate
from ..symbols import output_symbols
from .accuracy import MAX_PARTIALS, flat
from .unroll import Unrolling, element_name, gathered

if TYPE_CHECKING:
    from ..compiler import Function

Shape = tuple[int, ...]
Point = Mapping[str, float]


class Elements:
    """The elements as inputs and outputs, near one point of the compiled function.

    Where NumPy's linear algebra finds no answer, the numbers are nan.

    Attributes:
        positions: the values of the inputs that hold positions, which they keep.
        shapes: of all other inputs, at the extents.
        inputs: the name of each element of these.
        wrt: elements that derivatives are taken by: all, or some of each input.
        labels: the name of each element of the output.
        shape: of the output, at the extents.
        graph, output: the program of scalars.
    """

    def __init__(self, fn: Function, extents: Mapping[str, int], at: Mapping[str, Any]) -> None:
        self.fn, self.formula, self._extents = fn, fn.formula, extents
        self._unrolling = Unrolling(fn._graph, extents, at)
        elements = self._unrolling.run(fn._output)
        self.graph = self._unrolling.graph
        self.output = gathered(self.graph, elements)
        self.shape: Shape = elements.shape
        kept = differentiable(fn._graph)
        self.positions = {n: at[n] for n in fn.inputs if n not in kept}
        self.shapes = {n: sized(fn._graph.inputs[n].shape, extents) for n in kept}
        self.inputs = [e for n, shape in self.shapes.items() for e in names(n, shape)]
        self.wrt = chosen({n: self.shapes[n] for n in fn.wrt}, MAX_PARTIALS)
        self.labels = self._labels()

    @property
    def key(self) -> Any:
        """What of a point the program of scalars depends on."""
        positions = ((n, flat(v)) for n, v in self.positions.items())
        return repr((sorted(self._extents.items()), list(positions), self._unrolling.pivots))

    def _labels(self) -> list[str]:
        symbols = output_symbols(self.fn._graph, self.fn._output)
        shape = self.shape[1:] if self.fn._output.op is STACK else self.shape
        return [label for symbol in symbols for label in names(symbol, shape)]

    def arrays(self, point: Point) -> dict[str, Any]:
        """The arguments of the compiled function by name; an element that the point lacks is 0."""
        return self.positions | assembled(self.shapes, point)

    def _primals(self, point: Point) -> list[Any]:
        arrays = self.arrays(point)
        return [arrays[name] for name in self.fn.inputs]

    def _along(self, direction: Sequence[float]) -> list[Any]:
        arrays = self.arrays(dict(zip(self.wrt, direction, strict=True)))
        return [arrays[name] for name in self.fn.wrt]

    def _partials(self, blocks: Sequence[Any]) -> list[Any]:
        """Of results by whole inputs, those by the elements: a column of all outputs for each."""
        import numpy as np

        found = dict[str, Any]()
        for name, block in zip(self.fn.wrt, blocks, strict=True):
            array, shape = np.asarray(block), self.shapes[name]
            lead = array.shape[: array.ndim - len(shape)]
            columns = array.reshape((*lead, math.prod(shape)))
            found |= {e: columns[..., k] for k, e in enumerate(names(name, shape))}
        return [found[e] for e in self.wrt]

    # what the compiled function has

    def value(self, **point: float) -> list[float]:
        """The elements of the value."""
        found = _called(self.fn.value, *self._primals(point))
        return self._nothing if found is None else flat(found)

    def jacobian(self, **point: float) -> list[list[float]]:
        """For each of `wrt`, the partials of all elements of the output."""
        return self.columns(_called(self.fn.jacobian, *self._primals(point)))

    def columns(self, jacobian: Any) -> list[list[float]]:
        """The columns of a Jacobian by whole inputs that belong to `wrt`."""
        if jacobian is None:
            return [self._nothing for _ in self.wrt]
        return [flat(column) for column in self._partials(jacobian)]

    def jvp(self, primals: Sequence[float], tangents: Sequence[float]) -> tuple[Any, list[float]]:
        """The value, and the tangents of the elements of the output."""
        point = dict(zip(self.inputs, primals, strict=True))
        found = _called(self.fn.jvp, self._primals(point), self._along(tangents))
        return (None, self._nothing) if found is None else (found[0], flat(found[1]))

    def vjp(self, primals: Sequence[float], cotangent: Any) -> tuple[Any, list[float]]:
        """The value, and the adjoints of `wrt`."""
        import numpy as np

        bar = np.reshape(cotangent, self.shape) if self.shape else cotangent
        point = dict(zip(self.inputs, primals, strict=True))
        found = _called(self.fn.vjp, self._primals(point), bar)
        return None, self._numbers(found and found[1])

    def hessian(self, **point: float) -> list[list[float]]:
        """The second partials: a row for each of `wrt`."""
        found = _called(self.fn.hessian, *self._primals(point))
        if found is None:
            return [self._numbers(None) for _ in self.wrt]
        # A block has the axes of wrt_i, then of wrt_j: columns are chosen first, then rows.
        columns = zip(*(self._partials(row) for row in found), strict=True)
        return [list(row) for row in zip(*map(self._numbers, columns), strict=True)]

    def hvp(self, primals: Sequence[float], direction: Sequence[float]) -> list[float]:
        """The Hessian times a direction."""
        point = dict(zip(self.inputs, primals, strict=True))
        return self._numbers(_called(self.fn.hvp, self._primals(point), self._along(direction)))

    def _numbers(self, blocks: Any) -> list[float]:
        if blocks is None:
            return [math.nan] * len(self.wrt)
        return [float(v) for v in self._partials(blocks)]

    @property
    def _nothing(self) -> list[float]:
        return [math.nan] * math.prod(self.shape)

    def _program(self, kind: str) -> Program:
        """The derivatives of the program of scalars, for who looks for lost digits."""
        rules = pipeline(self.fn._options.without)
        graph, output, _ = optimise(self.graph, self.output, rules)
        return differentiate(graph, output, self.wrt, kind)


def _called(function: Callable[..., Any], *arguments: Any) -> Any:
    """A result, or none where NumPy's linear algebra finds no answer."""
    import numpy as np

    try:
        return function(*arguments)
    except np.linalg.LinAlgError:
        return None


def assembled(shapes: Mapping[str, Shape], point: Point) -> dict[str, Any]:
    """Numbers and arrays from their elements; those that the point lacks are 0."""
    import numpy as np

    found: dict[str, Any] = {}
    for name, shape in shapes.items():
        values = [point.get(e, 0.0) for e in names(name, shape)]
        found[name] = np.array(values, dtype=float).reshape(shape) if shape else values[0]
    return found


def names(name: str, shape: Shape) -> list[str]:
    """The names of all elements of an array."""
    return [element_name(name, at) for at in itertools.product(*map(range, shape))]


def chosen(shapes: Mapping[str, Shape], count: int) -> list[str]:
    """At most `count` elements, as many of each array, spread over it."""
    found: list[str] = []
    for k, name in enumerate(sorted(shapes, key=lambda n: math.prod(shapes[n]))):
        every = names(name, shapes[name])
        share = min(len(every), (count - len(found)) // (len(shapes) - k))
        found += [every[j * len(every) // share] for j in range(share)]
    order = {e: j for j, e in enumerate(e for n, s in shapes.items() for e in names(n, s))}
    return sorted(found, key=order.__getitem__)

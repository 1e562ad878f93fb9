"""A program of arrays, at given extents, as a program of scalars: a node for every element.

Each operation is executed by its `compute` column on NumPy arrays of objects, whose elements write
nodes.  None of the rules of differentiation is involved, and none of the generated code.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from numbers import Integral
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ..graph import (
    ADD,
    CONSTANT,
    DIVIDE,
    INDEX,
    INPUT,
    MULTIPLY,
    NEGATIVE,
    STACK,
    SUBTRACT,
    Graph,
    Node,
    differentiable,
)
from ..primitives import ARRAYS, ArrayPrimitive, Primitive, lookup
from ..primitives.axes import Take, axes_of, bound
from ..runtime import operation
from ..shapes import Extent, evaluated, extent_names, sized

if TYPE_CHECKING:
    import numpy as np

    Objects = np.ndarray[Any, np.dtype[np.object_]]

SCATTER, EXTENT = ARRAYS["scatter"], ARRAYS["extent"]
Values = Mapping[str, Any]  # numbers and arrays, by the names of inputs


def _infix(row: Primitive, simple: Mapping[int, Callable[[Element], Any]], swapped: bool) -> Any:
    """An operator's method; `simple` has what it gives beside some whole numbers."""

    def method(self: Element, other: Any) -> Any:
        if not isinstance(other, Element | Integral):
            return NotImplemented  # an array goes through its elements itself
        if not isinstance(other, Element) and int(other) in simple:
            return simple[int(other)](self)
        operands = (other, self) if swapped else (self, other)
        return Element(
            self.graph, self.graph.intern(row, *(as_node(self.graph, v) for v in operands))
        )

    return method


def _same(element: Element) -> Element:
    return element


def _zero(_: Element) -> int:
    return 0


class Element:
    """An element of an array: a node of the graph being written, with the operators of a number.

    Whole numbers beside it come from the operation, as those of an identity matrix do, and not
    from the program: where they change nothing, nothing is written.
    """

    __slots__ = ("graph", "node")

    def __init__(self, graph: Graph, node: Node) -> None:
        self.graph, self.node = graph, node

    def __repr__(self) -> str:
        return repr(self.node)

    def __neg__(self) -> Element:
        return Element(self.graph, self.graph.intern(NEGATIVE, self.node))

    __add__ = _infix(ADD, {0: _same}, swapped=False)
    __radd__ = _infix(ADD, {0: _same}, swapped=True)
    __sub__ = _infix(SUBTRACT, {0: _same}, swapped=False)
    __rsub__ = _infix(SUBTRACT, {0: __neg__}, swapped=True)
    __mul__ = _infix(MULTIPLY, {0: _zero, 1: _same}, swapped=False)
    __rmul__ = _infix(MULTIPLY, {0: _zero, 1: _same}, swapped=True)
    __truediv__ = _infix(DIVIDE, {1: _same}, swapped=False)
    __rtruediv__ = _infix(DIVIDE, {0: _zero}, swapped=True)


def as_node(graph: Graph, value: Any) -> Node:
    """The node of an element, or of a number that an operation made."""
    if isinstance(value, Element):
        return value.node
    return graph.constant(int(value) if value == int(value) else float(value))


def element_name(name: str, at: Sequence[int]) -> str:
    """What an element is called: `X[0, 1]`, or `x` if that is a number."""
    return f"{name}[{', '.join(map(str, at))}]" if at else name


class Unrolling:
    """One program being unrolled.

    Attributes:
        graph: the program of scalars.
        pivots: the rows that eliminations have chosen, which depend on the values.
    """

    def __init__(self, graph: Graph, extents: Mapping[str, int], point: Values | None) -> None:
        import numpy as np

        _check_names(graph, extents)
        self.np, self._old, self._extents, self._point = np, graph, extents, point
        self.graph, self.pivots = Graph(limits=graph.limits), list[int]()
        self._values: list[Any] = []  # of the nodes so far, at the point
        self._kept = set(differentiable(graph))
        # What the `compute` columns are written against.
        self._machine = SimpleNamespace(np=np, function=self._function, pivot=self._pivot)

    def run(self, output: Node) -> Objects:
        """The elements of a node, as an array of objects."""
        arrays = {node: self._input(node) for node in self._old.inputs.values()}
        for node in self._old.ancestors([output]):
            if node not in arrays:
                start = len(self.graph.nodes)
                arrays[node] = self._executed(node, [arrays[a] for a in node.args])
                self._annotate(node, arrays[node], start)
        return arrays[output]

    def _input(self, node: Node) -> Objects:
        name, shape = str(node.data), self._shape(node)
        found = self.np.empty(shape, dtype=object)
        given = None if name in self._kept else self._positions(name)
        for at in self.np.ndindex(*shape):
            made = (
                self.graph.input(element_name(name, at))
                if given is None
                else self.graph.constant(int(given[at]))
            )
            found[at] = Element(self.graph, made)
        return found

    def _positions(self, name: str) -> Any:
        if self._point is None:
            raise ValueError(f"{name} holds positions: a program of scalars needs their values")
        return self.np.asarray(self._point[name])

    def _shape(self, node: Node) -> tuple[int, ...]:
        shape = sized(node.shape, self._extents)
        if any(extent < 0 for extent in shape):
            sizes = ", ".join(f"{name} = {n}" for name, n in self._extents.items())
            raise ValueError(f"extents: at {sizes} an array would have the shape {shape}")
        return shape

    def _executed(self, node: Node, args: Sequence[Objects]) -> Objects:
        row, shape = node.op, self._shape(node)
        if node.op is CONSTANT:
            found: Any = Element(self.graph, self.graph.constant(node.data))
        elif row is EXTENT:
            size = evaluated(node.data, self._extents)
            found = Element(self.graph, self.graph.constant(size))
        elif row is STACK:
            found = self.np.stack(args)
        elif isinstance(row, ArrayPrimitive):
            found = self._computed(node, row, args)
        else:
            found = self._elementwise(row, args)
        array = self._wrapped(self.np.asarray(found, dtype=object))
        assert array.shape == shape, f"{node} has the shape {array.shape}, not {shape}"
        return array

    def _wrapped(self, array: Objects) -> Objects:
        """The array with constants of the program for whole numbers that the operation made."""
        found = self.np.empty(array.shape, dtype=object)
        for at in self.np.ndindex(*array.shape):
            found[at] = Element(self.graph, as_node(self.graph, array[at]))
        return found

    def _computed(self, node: Node, row: ArrayPrimitive, args: Sequence[Objects]) -> Any:
        assert row.compute is not None
        given: list[Any] = list(args)
        if row in (INDEX, SCATTER):
            given[1:] = [self._whole(a) for a in args[1:]]
        data = bound(node.data, lambda extent: evaluated(extent, self._extents))
        try:
            return row.compute(self._machine, data, *given)
        except IndexError as error:
            raise ValueError(f"a position is outside its axis: {error}") from None

    def _elementwise(self, row: Primitive, args: Sequence[Objects]) -> Any:
        def one(*elements: Any) -> Element:
            nodes = (as_node(self.graph, e) for e in elements)
            return Element(self.graph, self.graph.intern(row, *nodes))

        return self.np.frompyfunc(one, len(args), 1)(*args) if args else one()

    def _function(self, name: str) -> Callable[..., Any]:
        return lambda *args: self.np.asarray(self._elementwise(lookup(name), args), dtype=object)

    def _pivot(self, column: Objects) -> int:
        """The largest element, if there are values; else the first that is not plainly 0."""
        if self._point is None:
            plain = (as_node(self.graph, e).is_constant(0) for e in column)
            return next((k for k, is_zero in enumerate(plain) if not is_zero), 0)
        sizes = [abs(v) if math.isfinite(v) else math.inf for v in self._numbers(column)]
        self.pivots.append(sizes.index(max(sizes)))
        return self.pivots[-1]

    # values at the point

    def _numbers(self, elements: Objects) -> Any:
        """The values of elements; nan, if they depend on inputs and no point is given."""
        nodes = [as_node(self.graph, e) for e in elements.flat]
        inputs = self._inputs_at_point
        for node in self.graph.nodes[len(self._values) :]:
            if node.op is CONSTANT or node.op is INPUT:
                value = node.data if node.op is CONSTANT else inputs.get(node.data, math.nan)
                self._values.append(value if isinstance(value, bool) else float(value))
            else:
                args = (self._values[a.index] for a in node.args)
                self._values.append(operation(node.op)(*args))
        values = [self._values[node.index] for node in nodes]
        return self.np.array(values, dtype=float).reshape(elements.shape)

    def _whole(self, elements: Objects) -> Any:
        """Positions, as whole numbers."""
        values = self._numbers(elements)
        if not self.np.isfinite(values).all():
            raise ValueError("positions are computed from inputs: their values are needed")
        return values.astype(int)

    @cached_property
    def _inputs_at_point(self) -> dict[str, float]:
        return elements_of({n: v for n, v in (self._point or {}).items() if n in self._kept})

    # what the program says about its nodes

    def _annotate(self, node: Node, array: Objects, start: int) -> None:
        """Names and places of what an operation has become."""
        place, name = self._old.places.get(node), self._old.names.get(node)
        if place is not None:
            for made in self.graph.nodes[start:]:
                self.graph.places.setdefault(made, place)
        if name is not None:
            for at in self.np.ndindex(*array.shape):
                element = as_node(self.graph, array[at])
                if element.args:
                    self.graph.names.setdefault(element, element_name(name, at))


def elements_of(values: Values) -> dict[str, float]:
    """Numbers and arrays as one number for each element, by its name."""
    import numpy as np

    return {
        element_name(name, at): float(array[at])
        for name, array in ((name, np.asarray(value)) for name, value in values.items())
        for at in np.ndindex(*array.shape)
    }


def _check_names(graph: Graph, extents: Mapping[str, int]) -> None:
    missing = sorted(set().union(*map(_names, graph.nodes)) - extents.keys())
    if missing:
        raise ValueError(f"extents: no value for {', '.join(missing)}")


def _names(node: Node) -> set[str]:
    found = extent_names(node.shape)
    bound(node.data, lambda extent: found.update(extent_names((extent,))))
    return found


def position_limits(graph: Graph, extents: Mapping[str, int]) -> dict[str, int]:
    """For inputs that hold positions, a number that these are below, as far as that is known."""
    everywhere = [(k, n) for node in graph.nodes for k, n in _taken(node)]
    limits = {node: evaluated(extent, extents) for node, extent in everywhere}
    for node, extent in everywhere:
        limits[node] = min(limits[node], evaluated(extent, extents))
    least = min(limits.values(), default=1)
    kept = differentiable(graph)
    return {n: limits.get(node, least) for n, node in graph.inputs.items() if n not in kept}


def _taken(node: Node) -> Iterator[tuple[Node, Extent]]:
    """The positions in an index, each with the extent of its axis."""
    if node.op is not INDEX:
        return
    for item, extent in zip(node.data, axes_of(node.data, node.args[0].shape), strict=True):
        if isinstance(item, Take):
            yield node.args[1 + item.argument], extent


def unrolled(
    graph: Graph, output: Node, extents: Mapping[str, int], point: Values | None = None
) -> tuple[Graph, Node]:
    """The program of scalars, and its output: a node, or a list of the elements in C order.

    Its inputs are called `X[0, 1]`.  `extents` has a value for each name in a shape.  Positions,
    given by inputs or computed, have to be known: they are taken from `point`, which has a value
    for each input of the program.  Eliminations choose their pivots there, too.

    Raises `ValueError` where extents do not fit, positions are not known, or no element is left.
    """
    unrolling = Unrolling(graph, extents, point)
    elements = unrolling.run(output)
    return unrolling.graph, gathered(unrolling.graph, elements)


def gathered(graph: Graph, elements: Objects) -> Node:
    """The output of a program of scalars."""
    nodes = [as_node(graph, element) for element in elements.flat]
    if not nodes:
        raise ValueError("extents: the output has no elements")
    return graph.stack(nodes) if elements.shape else nodes[0]

"""Graphs over other kinds of numbers: SymPy expressions, and mpmath at any precision.

Both are built node by node from the graph; no text of a user's is ever handed to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..derivatives import Program
from ..graph import CONSTANT, INPUT, Graph, Node
from ..primitives import Primitive
from ..primitives.row import Counterpart
from .lowering import lower


class Algebra:
    """A module of functions, and where a row says what it is called there."""

    def __init__(
        self,
        module: Any,
        column: Callable[[Primitive], Counterpart],
        constant: Callable[[Any], Any],
    ) -> None:
        self.module, self.column, self.constant = module, column, constant

    @property
    def library(self) -> str:
        """What the module, or a context of it, is called: `sympy`, `mpmath`."""
        named = getattr(self.module, "__name__", type(self.module).__module__)
        return str(named).partition(".")[0]

    def supports(self, row: Primitive) -> bool:
        return self.column(row) is not None or not row.define

    def apply(self, row: Primitive, args: Sequence[Any]) -> Any:
        """The row on values; raises `NotImplementedError` if there is no counterpart."""
        found = self.column(row)
        if found is None:
            raise NotImplementedError(f"{row.name} has no counterpart in {self.library}")
        if not isinstance(found, str):
            return found(self.module, *args)
        counterpart = getattr(self.module, found)
        return counterpart(*args) if row.args else counterpart


def sympy_algebra() -> Algebra:
    """SymPy; constants are exact."""
    import sympy

    special = {"inf": sympy.oo, "-inf": -sympy.oo, "nan": sympy.nan}
    return Algebra(sympy, lambda row: row.sympy, lambda v: special.get(str(v)) or sympy.Rational(v))


def mpmath_algebra(digits: int) -> Algebra:
    """mpmath in a context of its own, so that nobody else's precision changes."""
    import mpmath

    context = mpmath.MPContext()
    context.dps = digits
    return Algebra(context, lambda row: row.mpmath, context.mpf)


class Evaluation:
    """A program prepared for an algebra: its nodes in order, lowered to rows that it has."""

    def __init__(self, graph: Graph, outputs: Sequence[Node], algebra: Algebra) -> None:
        inputs = tuple(graph.inputs.values())
        program = lower(Program("value", graph, inputs, tuple(outputs)), algebra.supports)
        self.graph, self.outputs = program.graph, program.leaves()
        self.nodes = program.graph.ancestors(self.outputs)
        self.algebra = algebra

    def at(self, point: Mapping[str, Any]) -> list[Any]:
        """The outputs at values of the inputs."""
        values: dict[Node, Any] = {}
        self.fill(values, self.nodes, point)
        return [values[node] for node in self.outputs]

    def fill(
        self, values: dict[Node, Any], nodes: Iterable[Node], point: Mapping[str, Any]
    ) -> None:
        """Evaluate `nodes`, in evaluation order, into `values`, which has what they build on."""
        for node in nodes:
            if node.op is CONSTANT:
                values[node] = self.algebra.constant(node.data)
            elif node.op is INPUT:
                values[node] = point[node.data]
            else:
                values[node] = self.apply(node, [values[a] for a in node.args])

    def apply(self, node: Node, args: Sequence[Any]) -> Any:
        """The operation of a node on values of its arguments."""
        return self.algebra.apply(node.op, args)

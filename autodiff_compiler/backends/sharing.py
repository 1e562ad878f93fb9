"""Softmax and the logarithm of a sum of exponentials, which share these if they are of one array.

That is so in every classifier: the value has the logarithm, and its gradient the softmax.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from ..derivatives import Program
from ..graph import ADD, DIVIDE, INDEX, SUBTRACT, Graph, Node
from ..primitives import ARRAYS, ArrayPrimitive, lookup
from ..primitives.axes import ALL, At, Axes
from ..primitives.linear import reduction_text
from ..primitives.row import array_function
from ..primitives.work import each
from .lowering import rebuilt

EXP, LOG = lookup("exp"), lookup("log")
TOP: ArrayPrimitive = array_function(
    "top(x)",
    work=each(),
    shape=lambda axes, x: axes.reduced(x),
    spelling=lambda node, _: reduction_text("_top({0}", node, can_drop=False),
)

BELOW: ArrayPrimitive = array_function(
    "below(x, top)",
    work=each(),
    shape=lambda *given: given[1],
    spelling=lambda *_: "_below({0}, {1})",
)
TOTAL: ArrayPrimitive = array_function(
    "total(x)",
    work=each(),
    shape=lambda axes, x: axes.reduced(x),
    spelling=lambda node, _: reduction_text("_total({0}", node, can_drop=False),
)


def shared(program: Program) -> Program:
    """The program with what several functions of the same exponentials have in common as nodes."""
    nodes = program.graph.ancestors(program.leaves())
    asked = Counter((n.args[0], n.data.axes) for n in nodes if n.op in PARTS)
    if max(asked.values(), default=0) < 2:
        return program

    def make(new: Graph, node: Node, args: list[Node]) -> Node:
        if node.op in PARTS and asked[node.args[0], node.data.axes] > 1:
            return PARTS[node.op](new, args[0], node.data)
        return new.rebuild(node, args, new.intern)

    return rebuilt(program, make)


def _top(graph: Graph, x: Node, axes: Axes) -> Node:
    return graph.make(TOP, (x,), axes._replace(keepdims=True))


def _below(graph: Graph, x: Node, axes: Axes) -> Node:
    """How far the elements are from the largest."""
    return graph.make(BELOW, (x, _top(graph, x, axes)))


def _powers(graph: Graph, x: Node, axes: Axes) -> tuple[Node, Node]:
    """Exponentials that do not overflow, and their sum."""
    powers = graph.intern(EXP, _below(graph, x, axes))
    return powers, graph.make(TOTAL, (powers,), axes._replace(keepdims=True))


def _softmax(graph: Graph, x: Node, axes: Axes) -> Node:
    return graph.intern(DIVIDE, *_powers(graph, x, axes))


def _log_softmax(graph: Graph, x: Node, axes: Axes) -> Node:
    total = _powers(graph, x, axes)[1]
    return graph.intern(SUBTRACT, _below(graph, x, axes), graph.intern(LOG, total))


def _logsumexp(graph: Graph, x: Node, axes: Axes) -> Node:
    total = _powers(graph, x, axes)[1]
    found = graph.intern(ADD, graph.intern(LOG, total), _top(graph, x, axes))
    places = (At(0) if k in axes.axes else ALL for k in range(-len(x.shape), 0))
    return found if axes.keepdims else graph.make(INDEX, (found,), tuple(places))


PARTS: Mapping[object, Callable[[Graph, Node, Axes], Node]] = {
    ARRAYS["logsumexp"]: _logsumexp,
    ARRAYS["softmax"]: _softmax,
    ARRAYS["log_softmax"]: _log_softmax,
}

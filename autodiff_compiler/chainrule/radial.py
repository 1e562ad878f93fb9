"""Adjoints of norms that are to be differentiated again: of functions of a radius, at the centre.

The gradient of `f(r)` with `r = hypot(x, y)` is `f'(r)*x/r`, by convention 0 where `r` is 0.  That
is right where `f` is even, but its own slope there is `f''(0)`, which `x/r` does not know.  So it
is `q*x`, where `q` is `f'(r)/r`, and at 0 the limit of that, the slope of `f'`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..forward import tangents
from ..graph import BROADCAST, CONSTANT, DIVIDE, STACK, WHERE, Graph, Node, dependents
from ..partials import Pen
from ..primitives import ARRAYS, ArrayPrimitive, lookup
from ..primitives.reductions import spread
from ..shapes import Shape
from .chain import Contribution, fitted
from .masks import chain, selecting
from .shortcuts import ABS, HYPOT, Again, Shortcuts, arguments, shortcuts

EQUAL, NORM = lookup("equal"), ARRAYS["norm2"]
SUM, SPREAD = ARRAYS["sum"], frozenset({BROADCAST, ARRAYS["expand_dims"]})
NORMS = frozenset({HYPOT, NORM})
SIZES = NORMS | {ABS}
MAX_STEPS = 256  # from a norm to its adjoint, which are looked at


def radial(
    graph: Graph, norm: Node, bar: Node, argument: Node, short: Shortcuts, along: bool
) -> Contribution | None:
    """What the adjoint `bar` of a norm adds to that of an argument; `None` as the table says.

    Of a number's size too, if it is differentiated `along` several inputs at once: where it is by
    one alone, sign meets sign in a product.
    """
    if norm.op not in (SIZES if along else NORMS):
        return None
    parts = Counter(arguments(norm, short))
    if any(part.op is CONSTANT and part.data for part in parts):
        return None
    ratio = selecting(graph, bar, lambda kept: _ratio(graph, norm, kept))
    if ratio is None:
        return None
    if norm.op is NORM:
        ratio = spread(Pen(graph), norm, ratio)
    elif parts[argument] > 1:
        ratio = chain(graph, ratio, graph.constant(parts[argument]))
    return None, fitted(graph, chain(graph, ratio, argument), argument)


def _ratio(graph: Graph, norm: Node, bar: Node) -> Node | None:
    """An adjoint over its norm, and at the centre the limit of that."""
    slope = slope_of_adjoint(graph, norm, between(norm, bar), bar)
    if slope is None:
        return None
    is_centre = graph.apply(EQUAL, norm, graph.constant(0))
    return graph.apply(WHERE, is_centre, slope, graph.apply(DIVIDE, bar, norm))


def slope_of_adjoint(graph: Graph, norm: Node, nodes: Sequence[Node], bar: Node) -> Node | None:
    """The slope of an adjoint by its norm, element by element; `None` if it has none.

    `nodes` are those between the two.

    What depends on all elements, as a product of matrices, has no slope by one where that is 0 and
    the functions are even, so it is constant here.
    """
    one = graph.constant(1)
    if norm.shape:
        nodes = [n for n in nodes if n is norm or _is_elementwise(n, norm.shape)]
        one = graph.make(BROADCAST, (one,), norm.shape)
    return dict(
        tangents(graph, nodes, {norm: one}, shortcuts(graph, nodes, again=Again.BY_ONE))
    ).get(bar)


def _is_elementwise(node: Node, shape: Shape) -> bool:
    """Whether an element depends on one element of an array of a shape."""
    if node.op is SUM:  # over axes along which elements were repeated
        return all(axis < -len(shape) or shape[axis] == 1 for axis in node.data.axes)
    return node.op in SPREAD or not (isinstance(node.op, ArrayPrimitive) or node.op is STACK)


def between(norm: Node, bar: Node) -> list[Node]:
    """What of an adjoint depends on its norm, in evaluation order; nothing if that is too much."""
    found, pending = {bar}, [bar]
    for node in pending:  # which grows
        new = [a for a in node.args if a.index > norm.index and a not in found]
        pending += new
        found.update(new)
        if len(found) > MAX_STEPS:
            return []
    nodes = sorted(found, key=lambda n: n.index)
    dependent = dependents(nodes, [norm])
    return [node for node in nodes if node in dependent]

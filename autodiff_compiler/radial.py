"""Adjoints of norms that are to be differentiated again: of functions of a radius, at the centre.

The gradient of `f(r)` with `r = hypot(x, y)` is `f'(r)*x/r`, by convention 0 where `r` is 0.  That
is right where `f` is even, but its own slope there is `f''(0)`, which `x/r` does not know.  So it
is `q*x`, where `q` is `f'(r)/r`, and at 0 the limit of that, the slope of `f'`.
"""

from __future__ import annotations

from collections import Counter

from .chain import Contribution, fitted
from .forward import tangents
from .graph import BROADCAST, CONSTANT, DIVIDE, MULTIPLY, STACK, WHERE, Graph, Node, dependents
from .partials import Pen
from .primitives import ARRAYS, ArrayPrimitive, lookup
from .primitives.reductions import spread
from .shortcuts import HYPOT, Shortcuts, arguments, shortcuts

EQUAL, NORM = lookup("equal"), ARRAYS["norm2"]
NORMS = frozenset({HYPOT, NORM})
MAX_STEPS = 256  # from a norm to its adjoint, which are looked at


def radial(
    graph: Graph, norm: Node, bar: Node, argument: Node, short: Shortcuts
) -> Contribution | None:
    """What the adjoint `bar` of a norm adds to that of an argument; `None` as the table says."""
    if norm.op not in NORMS:
        return None
    parts = Counter(arguments(norm, short))
    if any(part.op is CONSTANT and part.data for part in parts):
        return None
    slope = _slope(graph, norm, bar)
    if slope is None:
        return None
    is_centre = graph.apply(EQUAL, norm, graph.constant(0))
    ratio = graph.apply(WHERE, is_centre, slope, graph.apply(DIVIDE, bar, norm))
    if norm.op is NORM:
        ratio = spread(Pen(graph), norm, ratio)
    elif parts[argument] > 1:
        ratio = graph.apply(MULTIPLY, graph.constant(parts[argument]), ratio)
    term = graph.apply(MULTIPLY, ratio, argument)
    return None, term if term.shape == argument.shape else fitted(graph, term, argument.shape)


def _slope(graph: Graph, norm: Node, bar: Node) -> Node | None:
    """The slope of an adjoint by its norm, element by element; `None` if it has none."""
    nodes = _between(norm, bar)
    if norm.shape and any(isinstance(n.op, ArrayPrimitive) or n.op is STACK for n in nodes):
        return None
    one = graph.constant(1)
    if norm.shape:
        one = graph.make(BROADCAST, (one,), norm.shape)
    return dict(tangents(graph, nodes, {norm: one}, shortcuts(graph, nodes, again=True))).get(bar)


def _between(norm: Node, bar: Node) -> list[Node]:
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

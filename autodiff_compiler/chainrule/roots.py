"""Adjoints of roots where they are 0: of functions of a root which are smooth in what is under it.

The slope of `f(sqrt(x))` is `f'(s)/(2*s)` with `s = sqrt(x)`.  Where `f'` is 0 at 0, as for `cos`,
that is 0/0, and its limit is half the slope of `f'`.  So it is with other functions that are 0 at
an end of their domain, where their slope is infinite.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..graph import AND, CONSTANT, DIVIDE, MULTIPLY, WHERE, Graph, Node
from ..partials import Pen
from ..primitives import ArrayPrimitive, Primitive, lookup
from ..primitives.ieee import Number, evaluate, has_python
from .chain import Contribution, fitted, slope_by
from .masks import chain, selecting
from .radial import between, slope_of_adjoint

EQUAL = lookup("equal")
ENDS: Mapping[Primitive, tuple[str, ...]] = {  # functions that are 0 at an end of their domain,
    lookup("sqrt"): ("0.5",),  # and what their partials there are times themselves
    lookup("sqrt_product"): ("0.5*y", "0.5*x"),
    lookup("arccosh"): ("1",),
    lookup("arccos"): ("-1",),
}
INVALID = frozenset({lookup("arccosh"), lookup("arccos")})  # where slopes may be 0/0, and not 1/0
CHOICES = frozenset({MULTIPLY, WHERE})  # 0 if one of their arguments is


# Functions beside these whose slope is infinite somewhere, and they are not.
STEEP = frozenset(
    map(
        lookup, ("arcsin", "log", "power", "xlogx", "xlogy", "xlog1py", "rel_entr", "cbrt", "ratio")
    )
)


def has_steep(graph: Graph) -> bool:
    """Whether there is a slope that may be infinite."""
    return has_roots(graph) or not STEEP.isdisjoint(graph.heads)


def has_roots(graph: Graph) -> bool:
    """Whether there is a root, the slope of which is infinite at 0."""
    return not ENDS.keys().isdisjoint(graph.heads)


def at_root(graph: Graph, root: Node, bar: Node, argument: Node) -> Contribution | None:
    """What the adjoint `bar` of a root adds to that of an argument, if both may be 0."""
    if root.op not in ENDS or bar.shape != root.shape:
        return None
    term = selecting(graph, bar, lambda kept: _term(graph, root, kept, argument))
    return None if term is None else (None, fitted(graph, term, argument))


def _term(graph: Graph, root: Node, bar: Node, argument: Node) -> Node | None:
    """The adjoint times the slope, and where both are 0 the limit of that."""
    nodes = between(root, bar)
    if not nodes or not _may_vanish(root, nodes, bar):
        return None
    slope = slope_of_adjoint(graph, root, nodes, bar)
    if slope is None:
        return None
    both = (graph.apply(EQUAL, node, graph.constant(0)) for node in (root, bar))
    partial = ENDS[root.op][root.args.index(argument)]
    names = dict(zip(root.op.args, root.args, strict=True))
    limit = Pen(graph).written(f"slope*({partial})", slope=slope, **names)
    rest = chain(graph, bar, slope_by(graph, root, argument, {}))
    return graph.apply(WHERE, graph.apply(AND, *both), limit, rest)


def _may_vanish(root: Node, nodes: Sequence[Node], bar: Node) -> bool:
    """Whether an adjoint may be 0 where its root is, whatever the inputs are."""
    values: dict[Node, Number | None] = {root: 0.0}
    for node in nodes:
        if node is not root:
            values[node] = _value(node, [_known(a, values) for a in node.args])
    return values[bar] == 0


def _known(node: Node, values: dict[Node, Number | None]) -> Number | None:
    return node.data if node.op is CONSTANT else values.get(node)


def _value(node: Node, args: Sequence[Number | None]) -> Number | None:
    """The value of an operation of which some arguments are known; 0 if that is possible."""
    if node.op is DIVIDE and args[0] == 0 and args[1] is None:
        return 0.0
    of_numbers = has_python(node.op) and not isinstance(node.op, ArrayPrimitive)
    if 0 in args and (node.op in CHOICES or not of_numbers):
        return 0.0
    known = [a for a in args if a is not None]
    return evaluate(node.op, known) if len(known) == len(args) and of_numbers else None

"""Signs in derivatives: twice the same one is 1, also at 0, where smooth even functions bend."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ..graph import ADD, DIVIDE, MULTIPLY, NEGATIVE, SUBTRACT, WHERE, Graph, Node, Rule
from ..primitives import Primitive, lookup

SIGN = lookup("sign")
ADDED = frozenset({ADD, SUBTRACT, WHERE})  # of which each part has to be divided
OPERATIONS = ADDED | {MULTIPLY, DIVIDE, NEGATIVE}
MAX_LOOK = 32  # operations that are looked through for the other sign


def signs(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """Products of a sign with what has the same sign as a factor.

    The slope of `cos(abs(x))` is `-sin(abs(x))*sign(x)`, and the slope of that has the square of
    `sign(x)`, whose limit at 0 is 1.
    """
    if op is MULTIPLY and SIGN in heads:
        yield Rule(("signs", "sign(x)*sign(x) -> 1, in derivatives"), _multiplied)


def _multiplied(graph: Graph, left: Node, right: Node) -> Node | None:
    sign, other = (right, left) if right.op is SIGN else (left, right)
    if graph.is_program:
        return None
    nodes = _looked_through(other)
    known = {sign}
    for node in nodes:
        if _has_factor(node, known):
            known.add(node)
    return _divided(graph, nodes, known, sign) if other in known else None


def _looked_through(node: Node) -> list[Node]:
    """What a product or a sum is of, as far as one looks, in evaluation order."""
    found = {node}
    pending = [node]
    for top in pending:  # which grows
        if top.op in OPERATIONS and len(found) < MAX_LOOK:
            pending += [a for a in top.args if a not in found]
            found.update(top.args)
    return sorted(found, key=lambda n: n.index)


def _has_factor(node: Node, known: Collection[Node]) -> bool:
    """Whether a node has a factor that nodes of `known` have, or some of its terms have it."""
    return any(node.args[k] in known for k in _parts(node))


def _parts(node: Node) -> range:
    """The places of the arguments of which a node is a multiple, or which it chooses or adds."""
    if node.op not in OPERATIONS:
        return range(0)
    return {WHERE: range(1, 3), DIVIDE: range(1)}.get(node.op, range(len(node.args)))


def _divided(graph: Graph, nodes: list[Node], known: Collection[Node], sign: Node) -> Node:
    """The last of `nodes` without the factor, which all of `known` have."""
    less: dict[Node, Node] = {sign: graph.constant(1)}
    for node in nodes:
        if node in known and node is not sign:
            less[node] = graph.rebuild(node, _arguments(graph, node, less, sign), graph.apply)
    return less[nodes[-1]]


def _arguments(graph: Graph, node: Node, less: Mapping[Node, Node], sign: Node) -> list[Node]:
    """The arguments of an operation without the sign: one of a product, or all terms of a sum.

    A term that has no such factor is divided by the sign, as multiplied with it.
    """
    arguments, places = list(node.args), [k for k in _parts(node) if node.args[k] in less]
    if node.op in ADDED:
        for k in _parts(node):
            arguments[k] = _without(graph, arguments[k], less, sign)
    else:
        arguments[places[0]] = less[arguments[places[0]]]
    return arguments


def _without(graph: Graph, term: Node, less: Mapping[Node, Node], sign: Node) -> Node:
    if term in less or term.is_constant(0):
        return less.get(term, term)
    return graph.apply(MULTIPLY, term, sign)

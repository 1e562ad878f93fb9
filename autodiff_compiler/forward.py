"""The tangent pass: one loop up the trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .chainrule.chain import JOINED, slope_by, tangent_of
from .chainrule.masks import chain, total
from .chainrule.poles import where_not_0
from .chainrule.shortcuts import Again, Quotient, Shortcuts, arguments, shortcuts
from .graph import BROADCAST, CONSTANT, INPUT, STACK, Graph, Node
from .primitives import ArrayPrimitive


def tangents(
    graph: Graph, nodes: Sequence[Node], seeds: Mapping[Node, Node], short: Shortcuts
) -> Iterator[tuple[Node, Node]]:
    """The tangent of every node of `nodes` that depends on a seeded one, appended to `graph`.

    `nodes` are in evaluation order; `seeds` gives the tangents of inputs.  A node without a
    tangent is constant along the direction.  A trace, which shows every step, has nothing `short`.
    """
    dots = dict(seeds)
    for node in nodes:
        if node in dots or dots.keys().isdisjoint(node.args):
            continue
        dot = _tangent(graph, node, dots, short)
        if dot is not None and not dot.is_constant(0):
            dots[node] = dot
            yield node, dot


def _tangent(graph: Graph, node: Node, dots: Mapping[Node, Node], short: Shortcuts) -> Node | None:
    if node.op in JOINED or isinstance(node.op, ArrayPrimitive):
        return tangent_of(graph, node, dots)
    dot = None
    for argument in dict.fromkeys(arguments(node, short)):
        if argument in dots:
            term = _term(graph, node, argument, dots[argument], short)
            if term is not None:
                dot = term if dot is None else total(graph, dot, term, is_last=False)
    if dot is None or dot.shape == node.shape:
        return dot
    return graph.make(BROADCAST, (dot,), node.shape)


def _term(graph: Graph, node: Node, argument: Node, dot: Node, short: Shortcuts) -> Node | None:
    """What a tangent of an argument adds to that of a node."""
    quotient = short.get(node)
    if isinstance(quotient, Quotient) and argument is node.args[1] is not node.args[0]:
        return quotient.adjoint(graph, node, dot)
    slope = slope_by(graph, node, argument, short)
    return None if slope.is_constant(0) else _times(graph, dot, slope)


def _times(graph: Graph, dot: Node, slope: Node) -> Node:
    """A tangent times a slope, which may be infinite where nothing moves."""
    term = chain(graph, dot, slope)
    return where_not_0(graph, dot, term) if graph.still and slope.op is not CONSTANT else term


def forward(
    graph: Graph, nodes: Sequence[Node], seeds: Mapping[Node, Node], again: Again = Again.NO
) -> dict[Node, Node]:
    """Tangent of each node of `nodes` that has one, the seeds included.

    `again` says that the nodes are derivatives themselves.

    What depends on one seed alone has that seed times a derivative.  The derivative is made first,
    of factors that rules bring together as in an adjoint: one by one, they might leave the range.
    """
    single = _single(nodes, seeds)
    one, short = graph.constant(1), shortcuts(graph, nodes, again)
    partials = dict(tangents(graph, list(single), dict.fromkeys(seeds, one), short))
    dots = {n: _times(graph, seeds[single[n]], p) for n, p in partials.items()}
    dots |= tangents(graph, nodes, {**seeds, **dots}, short)
    for node, dot in dots.items():
        name_after(graph, dot, node, "_dot")
    return {**seeds, **dots}


def _single(nodes: Sequence[Node], seeds: Mapping[Node, Node]) -> dict[Node, Node]:
    """The nodes that are elementwise functions of one seeded node, and which that is."""
    found: dict[Node, Node | None] = {x: x if dot.op is INPUT else None for x, dot in seeds.items()}
    for node in nodes:
        roots = {found[a] for a in node.args if a in found}
        if roots and node not in found:
            root = roots.pop() if len(roots) == 1 else None
            plain = not isinstance(node.op, ArrayPrimitive) and node.op is not STACK
            alike = root is not None and plain and node.shape == root.shape
            found[node] = root if alike else None
    return {n: x for n, x in found.items() if x is not None and n not in seeds}


def name_after(graph: Graph, derivative: Node, node: Node, suffix: str) -> None:
    """Name a derivative after the node it belongs to: `h_dot`, `v3_bar`."""
    if derivative.args and graph.label(derivative) is None:
        label = graph.label(node)
        if label is not None:
            graph.labels[derivative] = label + suffix

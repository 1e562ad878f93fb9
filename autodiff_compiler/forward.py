"""The tangent pass: one loop up the trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .chain import JOINED, Shortcuts, arguments, chain, shortcuts, slope_by, tangent_of
from .graph import ADD, BROADCAST, Graph, Node
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
        if dot is not None:
            dots[node] = dot
            yield node, dot


def _tangent(graph: Graph, node: Node, dots: Mapping[Node, Node], short: Shortcuts) -> Node | None:
    if node.op in JOINED or isinstance(node.op, ArrayPrimitive):
        return tangent_of(graph, node, dots)
    total = None
    for argument in dict.fromkeys(arguments(node, short)):
        if argument in dots:
            slope = slope_by(graph, node, argument, short)
            if not slope.is_constant(0):
                term = chain(graph, dots[argument], slope)
                total = term if total is None else graph.apply(ADD, total, term)
    if total is None or total.shape == node.shape:
        return total
    return graph.make(BROADCAST, (total,), node.shape)


def forward(graph: Graph, nodes: Sequence[Node], seeds: Mapping[Node, Node]) -> dict[Node, Node]:
    """Tangent of each node of `nodes` that has one, the seeds included."""
    dots = dict(seeds)
    for node, dot in tangents(graph, nodes, seeds, shortcuts(nodes)):
        dots[node] = dot
        name_after(graph, dot, node, "_dot")
    return dots


def name_after(graph: Graph, derivative: Node, node: Node, suffix: str) -> None:
    """Name a derivative after the node it belongs to: `h_dot`, `v3_bar`."""
    if derivative.args and graph.label(derivative) is None:
        label = graph.label(node)
        if label is not None:
            graph.labels[derivative] = label + suffix

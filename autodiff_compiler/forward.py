"""The tangent pass: one loop up the trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from .chain import chain, partial
from .graph import ADD, STACK, Graph, Node


class Tangent(NamedTuple):
    """One line of the tangent trace: the tangent of `node`, and the terms it is the sum of."""

    node: Node
    value: Node
    terms: tuple[tuple[Node, Node], ...]  # (argument, partial) in order


def tangents(graph: Graph, nodes: Sequence[Node], seeds: Mapping[Node, Node]) -> Iterator[Tangent]:
    """The tangent of every node of `nodes` that depends on a seeded one, appended to `graph`.

    `nodes` are in evaluation order; `seeds` gives the tangents of inputs.  A node without a
    tangent is constant along the direction.
    """
    dots = dict(seeds)
    for node in nodes:
        active = [k for k, a in enumerate(node.args) if a in dots]
        if not active or node in dots:
            continue
        if node.op is STACK:
            dots[node] = graph.stack([dots.get(a, graph.constant(0)) for a in node.args])
            yield Tangent(node, dots[node], ())
            continue
        line = _tangent(graph, node, active, dots)
        if line is not None:
            dots[node] = line.value
            yield line


def _tangent(
    graph: Graph, node: Node, active: list[int], dots: Mapping[Node, Node]
) -> Tangent | None:
    total, terms = None, []
    for k in active:
        slope = partial(graph, node, k)
        if slope.is_constant(0):
            continue
        term = chain(graph, dots[node.args[k]], slope)
        total = term if total is None else graph.apply(ADD, total, term)
        terms.append((node.args[k], slope))
    return None if total is None else Tangent(node, total, tuple(terms))


def forward(graph: Graph, nodes: Sequence[Node], seeds: Mapping[Node, Node]) -> dict[Node, Node]:
    """Tangent of each node of `nodes` that has one, the seeds included."""
    dots = dict(seeds)
    for line in tangents(graph, nodes, seeds):
        dots[line.node] = line.value
        name_after(graph, line.value, line.node, "_dot")
    return dots


def name_after(graph: Graph, derivative: Node, node: Node, suffix: str) -> None:
    """Name a derivative after the node it belongs to: `h_dot`, `v3_bar`."""
    if derivative.args and graph.label(derivative) is None:
        label = graph.label(node)
        if label is not None:
            graph.labels[derivative] = label + suffix

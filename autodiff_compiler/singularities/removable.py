"""Programs in which 0/0 has its limit: what is smooth where a divisor is 0 is its series there.

At `r == g`, `((1 + r)**n - (1 + g)**n)/(r - g)` is `n*(1 + g)**(n - 1)` and its slopes are those
of a Taylor series in `r - g`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial, reduce
from typing import NamedTuple

from ..errors import ExpressionError
from ..graph import ADD, AND, MULTIPLY, OR, STACK, SUBTRACT, WHERE, Graph, Node, replay
from ..limits import Limits
from ..partials import Pen
from ..primitives import lookup
from .divisors import Root, roots
from .expansion import LINES, ROOTED, SQRT, Expansion
from .probes import Probes
from .series import Line

EQUAL = lookup("equal")
NEAR = "abs(h) <= 1e-12*abs(t)"  # to this root, of which there may be several
BY_ROOTS = frozenset({SQRT, *ROOTED})  # functions that may be smooth along a line of squares
BESIDE = 0.1
MAX_ROOTS, MAX_NODES = 8, 400  # that are looked at, of a program
ROOM = Limits(nodes=20_000)  # for all series about one root


class Limit(NamedTuple):
    """What a node is where a condition holds."""

    condition: Node
    value: Node


def removed(
    graph: Graph, output: Node, leaves: Sequence[Node], order: int
) -> tuple[Graph, Node] | None:
    """A program with the limits of what is 0/0 in it, and its output; nothing, if it has none.

    `leaves` are outputs of a program made of this one, for derivatives of this `order`; where they
    are finite, nothing is to be removed.
    """
    new = graph.copy()
    limits: dict[Node, list[Limit]] = {}
    nodes = [n for n in new.ancestors([output]) if n.op is not STACK]
    if len(nodes) > MAX_NODES:
        return None
    failing = Failing(new, leaves)
    for root in roots(new, nodes)[:MAX_ROOTS]:
        with suppress(ExpressionError):  # for want of room
            found = _limits(new, nodes, root, order + 1)
            if found and failing.at(root):
                for node, limit in found.items():
                    limits.setdefault(node, []).append(limit)
    return (new, _replaced(new, output, limits)) if limits else None


class Failing:
    """Outputs of a program, of which some may be infinite, or nan, at a root, and not beside it."""

    def __init__(self, graph: Graph, leaves: Sequence[Node]) -> None:
        self._graph, self._leaves = graph, leaves
        self._nodes = graph.ancestors(leaves)
        self._new = Graph()
        self._probes = Probes(self._new)

    def at(self, root: Root) -> bool:
        """Whether one fails there."""
        known = self._replayed(self._graph.ancestors([root.value]), {})
        beside = self._new.intern(ADD, known[root.value], self._new.constant(BESIDE))
        rounded = self._new.intern(MULTIPLY, known[root.value], self._new.constant(1))
        zeros = dict.fromkeys(root.factors, self._new.constant(0))
        near = self._replayed(self._nodes, {**known, root.t: beside})
        there = self._replayed(self._nodes, {**known, root.t: rounded, **zeros})
        finite = self._probes.finite
        return any(finite(near[leaf]) - finite(there[leaf]) for leaf in self._leaves)

    def _replayed(self, nodes: Sequence[Node], image: dict[Node, Node]) -> dict[Node, Node]:
        return replay(nodes, self._new, image, self._new.intern)


def _limits(graph: Graph, nodes: Sequence[Node], root: Root, count: int) -> dict[Node, Limit]:
    """The nodes that are not finite where their series about a root is, and what they are there."""
    found: dict[Node, Limit] = {}
    for line in LINES if not BY_ROOTS.isdisjoint(graph.heads) else LINES[:1]:
        found = {**dict(_on_line(graph, nodes, root, line, count)), **found}
    return found


def _on_line(
    graph: Graph, nodes: Sequence[Node], root: Root, line: Line, count: int
) -> Iterator[tuple[Node, Limit]]:
    scratch = Graph(None, ROOM)
    image = replay(graph.ancestors([root.value]), scratch, {}, scratch.intern)
    replay(nodes, scratch, image, scratch.intern)
    probes = Probes(scratch, all_branches=True)
    expansion = Expansion(scratch, probes, image[root.t], image[root.value], line)
    expansion.expand(image[node] for node in nodes)
    for node in (n for n in nodes if n.args):
        terms = expansion.power_series(image[node], count)
        if (
            terms
            and all(map(probes.is_finite, terms))
            and not expansion.is_plain(image[node], count)
        ):
            images = replay(scratch.ancestors([*terms, *expansion.assumed]), graph, {}, graph.apply)
            assumed = [images[condition] for condition in expansion.assumed]
            yield node, _limit(graph, root, [images[term] for term in terms], assumed)


def _limit(graph: Graph, root: Root, terms: Sequence[Node], assumed: Sequence[Node]) -> Limit:
    """A power series by Horner's rule, and where it is meant."""
    h = graph.apply(SUBTRACT, root.t, root.value)
    found = terms[-1]
    for term in reversed(terms[:-1]):
        found = graph.apply(ADD, term, graph.apply(MULTIPLY, h, found))
    zeros = (graph.apply(EQUAL, factor, graph.constant(0)) for factor in root.factors)
    near = Pen(graph).written(NEAR, h=h, t=root.t)
    conditions = (reduce(partial(graph.apply, OR), zeros), near, *assumed)
    return Limit(reduce(partial(graph.apply, AND), conditions), found)


def _replaced(graph: Graph, output: Node, limits: Mapping[Node, Sequence[Limit]]) -> Node:
    """The image of the output where nodes are their limits, if these are meant."""
    image = dict[Node, Node]()
    for node in graph.ancestors([output]):
        new = graph.rebuild(node, [image[a] for a in node.args], graph.intern)
        for limit in limits.get(node, ()):
            new = graph.intern(WHERE, limit.condition, limit.value, new)
        image[node] = new
        graph.carry(graph, node, new)
    return image[output]

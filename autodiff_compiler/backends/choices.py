"""Choices put into each other, and sums into them, before they are written as branches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from functools import partial, reduce
from itertools import chain, takewhile

from ..derivatives import Program
from ..graph import ADD, AND, CONSTANT, INPUT, NOT, OR, WHERE, Graph, Node
from .lowering import rebuilt

DEEPEST = 6  # levels of indentation; what is further inside is computed there, needed or not


def nested(program: Program) -> Program:
    """The program with a choice by `p and q` inside one by `p`, if something is chosen by `p`.

    Sums of choices by one condition are sums in its branches, and a choice by `p or q` of what is
    chosen by `p` is one by `q` where `p` does not hold.
    """
    nodes = program.graph.ancestors(program.leaves())
    uses = Counter(chain(program.leaves(), *(n.args for n in nodes)))
    alone = {_bare(n.args[0]) for n in nodes if n.op is WHERE}
    images: dict[Node, Node] = {}

    def make(new: Graph, node: Node, args: list[Node]) -> Node:
        images.update((a, image) for a, image in zip(node.args, args, strict=True) if a.op is INPUT)
        if node.op is WHERE:
            images[node] = _choice(new, node, args, alone, images)
        elif node.op is ADD and all(uses[a] == 1 for a in node.args):
            images[node] = _sum(new, args[0], args[1])
        else:
            images[node] = new.rebuild(node, args, new.apply)
        return images[node]

    return rebuilt(program, make)


def _sum(graph: Graph, x: Node, y: Node, depth: int = 0) -> Node:
    """The sum of two nodes; of choices by one condition, as one such choice."""
    if not (x.op is y.op is WHERE and x.args[0] is y.args[0] and depth < DEEPEST):
        return graph.apply(ADD, x, y)
    yes, no = (_sum(graph, x.args[k], y.args[k], depth + 1) for k in (1, 2))
    return graph.apply(WHERE, x.args[0], yes, no)


def _bare(condition: Node) -> Node:
    """A condition without a `not`."""
    return condition.args[0] if condition.op is NOT else condition


def _parts(condition: Node) -> list[Node]:
    """The conditions that must all hold; itself, if they are more than there are levels."""
    parts, pending = list[Node](), [condition]
    while pending:
        part = pending.pop()
        if len(parts) + len(pending) >= DEEPEST:
            return [condition]
        if part.op is AND:
            pending += reversed(part.args)
        else:
            parts.append(part)
    return parts


def _choice(
    graph: Graph,
    node: Node,
    args: Sequence[Node],
    alone: Container[Node],
    images: Mapping[Node, Node],
) -> Node:
    """A choice made anew, inside others by the first of the conditions that must all hold."""
    parts = _parts(node.args[0])
    outer = _outer(parts, alone) if args[2].op is CONSTANT else []
    inner = [images[part] for part in parts[len(outer) :]]
    chosen, other = args[1:]
    if inner:
        chosen = _either(graph, reduce(partial(graph.apply, AND), inner), chosen, other)
    for part in reversed(outer):
        chosen = graph.apply(WHERE, images[part], chosen, other)
    return chosen


def _outer(parts: Sequence[Node], alone: Container[Node]) -> Sequence[Node]:
    """Those first conditions for which there is an `if` around a choice, if there are others."""
    return [*takewhile(lambda part: _bare(part) in alone, parts)] if len(parts) > 1 else []


def _either(graph: Graph, condition: Node, yes: Node, no: Node) -> Node:
    """A choice; if by `p or q` of what is chosen by `p`, one by `p`, and else by `q`."""
    p = next((p for p in condition.args if yes.op is WHERE and _bare(p) is yes.args[0]), None)
    if condition.op is not OR or p is None:
        return graph.apply(WHERE, condition, yes, no)
    q = condition.args[condition.args[0] is p]
    first, second = yes.args[1:] if p is yes.args[0] else yes.args[:0:-1]
    return graph.apply(WHERE, p, first, _either(graph, q, second, no))

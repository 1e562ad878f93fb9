"""Products and sums of the chain rule, which select where a branch is not taken.

A factor of the form `where(c, p, 0)` selects; it never multiplies what it does not take by 0, so
an infinite slope on a branch that is not taken contributes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, reduce
from typing import NamedTuple

from ..graph import (
    ADD,
    AND,
    BROADCAST,
    CONSTANT,
    MULTIPLY,
    NEGATIVE,
    NOT,
    OR,
    WHERE,
    Graph,
    Node,
    are_opposite,
)
from ..primitives import lookup
from ..shapes import Shape

AT_LEAST = frozenset({lookup("greater_equal"), lookup("less_equal")})
MASKED = frozenset({WHERE, BROADCAST})  # of which the second may be of the first
MAX_PARTS = 8  # of a condition that are looked at


class Masked(NamedTuple):
    """`where(condition, kept, 0)`; no condition means always."""

    condition: Node | None
    kept: Node


def chain(graph: Graph, factor: Node, slope: Node) -> Node:
    """`factor*slope`, selecting instead of multiplying where either one is masked."""
    if slope.op is CONSTANT and slope.data == 1 and graph.rules is not None:
        return factor  # as a rule would say; half of all slopes are 1
    if factor.op not in MASKED and slope.op not in MASKED:
        if slope.op is CONSTANT and slope.data == -1 and graph.rules is not None:
            return graph.apply(NEGATIVE, factor)  # the same
        return graph.apply(MULTIPLY, factor, slope)
    left, right = masked(graph, factor), masked(graph, slope)
    product = graph.apply(MULTIPLY, left.kept, right.kept)
    found = dict.fromkeys(c for c in (left.condition, right.condition) if c is not None)
    return selected(graph, list(found), product)


def total(graph: Graph, before: Node, term: Node, is_last: bool) -> Node:
    """`before + term`; the sum is not taken where neither is, unless it `is_last` of a chain."""
    if before.op is not WHERE or term.op is not WHERE:
        return graph.apply(ADD, before, term)
    condition = before.args[0]
    if condition is term.args[0] and not (_is_masked(before) or before in graph.shown):
        sides = zip(before.args[1:], term.args[1:], strict=True)
        return graph.apply(WHERE, condition, *(graph.apply(ADD, *side) for side in sides))
    return _selected_total(graph, before, term, is_last)


def _selected_total(graph: Graph, before: Node, term: Node, is_last: bool) -> Node:
    """The sum of what is selected by different conditions, or by parts of one."""
    left, right = masked(graph, before), masked(graph, term)
    ours, theirs = _parts(left.condition), _parts(right.condition)
    shared = [c for c in ours if c in theirs]
    one, other = ([c for c in parts if c not in shared] for parts in (ours, theirs))
    if not (one or other):
        return selected(graph, shared, graph.apply(ADD, left.kept, right.kept))
    if len(one) == len(other) == 1 and are_opposite(*one, *other):
        inner = graph.apply(WHERE, *one, left.kept, right.kept)
        return selected(graph, shared, inner)
    whole = graph.apply(ADD, before, term)
    if is_last:
        return whole
    if not (one and other) or (len(one) == len(other) == 1 and _is_one_true(*one, *other)):
        return selected(graph, shared, whole)
    either = [graph.apply(OR, _all(graph, one), _all(graph, other))]
    return selected(graph, [*shared, *either], whole)


def masked(graph: Graph, node: Node) -> Masked:
    """A node as what is selected, and where."""
    if node.op is WHERE:
        condition, yes, no = node.args
        is_shown = node in graph.shown
        if no.is_constant(0):
            return Masked(condition, node if is_shown else yes)
        if yes.is_constant(0):
            return Masked(graph.apply(NOT, condition), node if is_shown else no)
    elif node.op is BROADCAST:
        inner = masked(graph, node.args[0])
        if inner.condition is not None:
            return inner._replace(kept=graph.make(BROADCAST, (inner.kept,), node.shape))
    return Masked(None, node)


def _is_masked(choice: Node) -> bool:
    """Whether one side of a choice is nothing."""
    return any(side.is_constant(0) for side in choice.args[1:])


def selecting(graph: Graph, bar: Node, make: Callable[[Node], Node | None]) -> Node | None:
    """What is made of an adjoint, selected where that is, and not made of what was selected."""
    condition, kept = masked(graph, bar)
    if condition is None:
        return make(bar)
    found = make(stretched(graph, kept, bar.shape))
    return found and selected(graph, [condition], found)


def stretched(graph: Graph, node: Node, shape: Shape) -> Node:
    """A node in a shape to which it broadcasts."""
    return node if node.shape == shape else graph.make(BROADCAST, (node,), shape)


def _parts(condition: Node | None) -> list[Node]:
    """The conditions that must all hold."""
    parts, pending = list[Node](), [] if condition is None else [condition]
    while pending:
        part = pending.pop()
        if part.op is AND and len(parts) + len(pending) < MAX_PARTS:
            pending += reversed(part.args)
        else:
            parts.append(part)
    return parts


def _all(graph: Graph, conditions: Sequence[Node]) -> Node:
    return reduce(partial(graph.apply, AND), conditions)


def selected(graph: Graph, conditions: Sequence[Node], node: Node) -> Node:
    """A node where all conditions hold, and else 0."""
    if not conditions:
        return node
    return graph.apply(WHERE, _all(graph, conditions), node, graph.constant(0))


def _is_one_true(one: Node, other: Node) -> bool:
    """Whether one of two conditions always holds: `x >= y`, and `y >= x`."""
    return one.op is other.op and one.op in AT_LEAST and one.args == other.args[::-1]

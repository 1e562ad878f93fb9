"""When the operations of generated code run, and which of their results are in memory then."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from .backends.base import Schedule, layout
from .backends.memory import freed
from .counts import Count, count, total
from .derivatives import Tree
from .graph import CONSTANT, INPUT, Node
from .primitives import ArrayPrimitive
from .shapes import Shape, evaluated

GIVEN = frozenset({INPUT, CONSTANT})
GUESS = 1000  # every extent that has no value, to find the moment when memory is at its largest


class Buffer(NamedTuple):
    """Memory of a shape, taken when step `born` runs and free after step `dies`."""

    shape: Shape
    born: int
    dies: int


def executed(schedule: Schedule) -> list[Node]:
    """The operations in the order in which the code runs them: operands just before their use."""
    roots = [*schedule.named.values(), *schedule.program.leaves()]
    done = {n for n in schedule.nodes if n.op in GIVEN}
    order: list[Node] = []
    for root in roots:
        pending = [root]
        while pending:
            missing = [a for a in reversed(pending[-1].args) if a not in done]
            pending += missing
            if not missing and (node := pending.pop()) not in done:
                done.add(node)
                order.append(node)
    return order


def storage(order: Iterable[Node]) -> dict[Node, Node]:
    """The node whose memory each node's value is in: its own, or that of what it is a view of."""
    roots: dict[Node, Node] = {}
    for node in order:
        roots[node] = roots.get(node.args[0], node.args[0]) if node.is_view else node
    return roots


def buffers(schedule: Schedule, order: Sequence[Node], held: bool) -> list[Buffer]:
    """The memory of all results: until their last use or, if `held`, as the code keeps them.

    Code keeps what has a name until it deletes it or returns, and everything else until it is used.
    """
    roots, end = storage(order), len(order)
    dies = {node: k for k, node in enumerate(order)}
    born = dict(dies)
    dies |= {a: k for k, node in enumerate(order) for a in node.args if a in born}
    if held:
        dies |= _kept(schedule, born, end)
    dies |= dict.fromkeys(schedule.program.leaves(), end)
    last: dict[Node, int] = {}
    for node in order:
        last[roots[node]] = max(last.get(roots[node], 0), dies[node])
    whole = (n for n in order if roots[n] is n and n not in schedule.passing)
    found = [Buffer(n.shape, born[n], last[n]) for n in whole]
    found += [Buffer(shape, k, k) for k, node in enumerate(order) for shape in _inside(node)]
    return found + [Buffer(shape, end, end) for shape in _copies(schedule.program.outputs)]


def _kept(schedule: Schedule, born: Mapping[Node, int], end: int) -> dict[Node, int]:
    """The last step with each named result: where the code deletes it, or the end."""
    found = {node: end for node in schedule.named.values() if node in born}
    outputs = layout(schedule.program.outputs, schedule.text, lambda _, parts: parts)
    if schedule.program.graph.has_arrays:
        for (target, _), names in zip(schedule.statements, freed(schedule, outputs), strict=True):
            step = born.get(schedule.named[target], 0) if target in schedule.named else end
            found |= {schedule.named[name]: step for name in names}
    return found


def _inside(node: Node) -> Iterator[Shape]:
    """The shapes of arrays that an operation makes and gives up before it returns."""
    if isinstance(node.op, ArrayPrimitive) and node.op.space:
        yield from [node.args[0].shape] * node.op.space


def _copies(outputs: Tree) -> Iterator[Shape]:
    """The shapes of what is returned as a copy: lists, inputs, views, what is returned twice."""
    pending, seen = [outputs], set[Node]()
    while pending:
        tree = pending.pop()
        if isinstance(tree, Node):
            if tree.shape and (tree in seen or tree.op is INPUT or tree.is_view):
                yield tree.shape
            seen.add(tree)
            continue
        if isinstance(tree, list) and tree and isinstance(tree[0], Node):
            yield (len(tree), *tree[0].shape)
        pending += tree


def peak(found: Sequence[Buffer], extents: Mapping[str, int]) -> Count:
    """The memory at the moment when it is largest, where extents have these values.

    An extent that has none is taken to be `GUESS`.
    """
    known = defaultdict(lambda: GUESS, extents)
    change: dict[int, int] = {}
    for buffer in found:
        size = math.prod(evaluated(extent, known) for extent in buffer.shape)
        change[buffer.born] = change.get(buffer.born, 0) + size
        change[buffer.dies + 1] = change.get(buffer.dies + 1, 0) - size
    moment, most, now = 0, 0, 0
    for step in sorted(change):
        now += change[step]
        if now > most:
            moment, most = step, now
    return total(count(1, *b.shape) for b in found if b.born <= moment <= b.dies)

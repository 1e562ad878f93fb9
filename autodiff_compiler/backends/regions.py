"""Which operations on elements are worked through together, a block of the arrays at a time."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple

from ..graph import CONSTANT, INPUT, STACK, Node, users
from ..primitives import ARRAYS, ArrayPrimitive
from ..primitives.axes import Pick, Take
from ..shapes import Shape, named, nominal, size_of
from .vectorised import effort

ASSEMBLE, MATMUL, SUM, EINSUM = (ARRAYS[n] for n in ("assemble", "matmul", "sum", "einsum"))
GIVEN = frozenset({INPUT, CONSTANT, STACK})
LEAST = 3  # operations in a loop whose results are not kept, and
MOST = 1  # so many times as many as those that are, make it pay
WEIGHT = 100  # of one of them and its memory, in additions and products of a matrix product
BLOCK = 32768  # elements of a block


class Region(NamedTuple):
    """Operations on the elements of arrays of one shape, and sums of those, in order."""

    shape: Shape
    nodes: list[Node]


Step = Node | Region
Where = tuple[int, Shape]  # the stage and the shape of a region
ShapeOf = Callable[[Node], Shape]


def is_elementwise(node: Node, shape_of: ShapeOf) -> bool:
    """Whether every element of the result needs only that element of the arguments."""
    return node.op not in GIVEN and not isinstance(node.op, ArrayPrimitive) and shape_of(node) != ()


def is_total(node: Node) -> bool:
    """Whether this is the sum of all elements of an array, or of the product of two."""
    return (node.op is SUM and not node.shape) or is_dot(node)


def is_dot(node: Node) -> bool:
    """Whether this is the sum of the products of the elements of two arrays."""
    if node.op is EINSUM:
        inside, out = node.data
        same = len(inside) == 2 and inside[0] == inside[1] and not out
        return same and len(set(inside[0])) == len(inside[0])
    return node.op is MATMUL and all(len(a.shape) == 1 for a in node.args)


def is_assembly(node: Node) -> bool:
    """Whether this is a sum of arrays of one shape, each placed at slices of a larger one."""
    if node.op is not ASSEMBLE or len({a.shape for a in node.args}) > 1:
        return False
    return not any(isinstance(item, Take | Pick) for index in node.data[0] for item in index)


def ends(node: Node) -> bool:
    """Whether a loop can compute this block by block, though it is there only after the loop."""
    return is_total(node) or is_assembly(node)


def steps(
    nodes: Sequence[Node], leaves: Iterable[Node], shape_of: ShapeOf, always: bool = False
) -> list[Step]:
    """The nodes in an order in which they can run, with those of a region together.

    A region waits for everything else that it needs, and everything else for whole regions.  With
    `always`, there is a loop for every region that is more than one quick operation.
    """
    planner = _Planner(nodes, set(leaves), shape_of, always)
    planner.postpone()
    return planner.steps()


class _Planner:
    """Stages: first what is not in a region, then the regions, and so on."""

    def __init__(
        self, nodes: Sequence[Node], leaves: set[Node], shape_of: ShapeOf, always: bool
    ) -> None:
        self.nodes, self.leaves, self._shape_of, self.always = nodes, leaves, shape_of, always
        self.users = users(nodes)
        self.stage: dict[Node, int] = {}
        self.region: dict[Node, Where] = {}  # of those in one: its stage and shape
        for node in nodes:
            self._put(node)

    def _put(self, node: Node) -> None:
        shape = self._common(node)
        stage = max((self._ready(a, shape) for a in node.args), default=0)
        self.stage[node] = stage
        if shape and (is_elementwise(node, self._shape_of) or self._ends(node, stage, shape)):
            self.region[node] = (stage, shape)
        elif shape:  # a sum of what no region makes
            self.stage[node] = max((self._ready(a, ()) for a in node.args), default=0)

    def _common(self, node: Node) -> Shape:
        """The shape of the region that a node could be in."""
        if is_elementwise(node, self._shape_of):
            return self._shape_of(node)
        return self._shape_of(node.args[0]) if ends(node) else ()

    def _ends(self, node: Node, stage: int, shape: Shape) -> bool:
        return ends(node) and any(self.region.get(a) == (stage, shape) for a in node.args)

    def _ready(self, argument: Node, shape: Shape) -> int:
        """The first stage at which an argument is there, for a region of a shape."""
        stage, where = self.stage[argument], self.region.get(argument)
        inside = where is not None and where[1] == shape and not ends(argument)
        return stage if where is None or inside else stage + 1

    def postpone(self) -> None:
        """Compute late what only later regions need, unless more would have to be kept for it."""
        regions: dict[Where, list[Node]] = {}
        for node, where in self.region.items():
            regions.setdefault(where, []).append(node)
        latest, stages = self._latest(), dict[Shape, list[int]]()
        for stage, shape in sorted(regions, key=itemgetter(0)):
            stages.setdefault(shape, []).append(stage)
        for where, nodes in sorted(regions.items(), key=lambda item: -item[0][0]):
            late = self._late(where, nodes, stages[where[1]], latest)
            kept = {n for n in late if not ends(n) and any(u not in late for u in self.users[n])}
            given = {a for n in late for a in n.args if self.region.get(a) == where} - late.keys()
            if sum(not self._is_result(a, where) for a in given) <= len(kept):
                for node, stage in late.items():
                    self.stage[node], self.region[node] = stage, (stage, where[1])
        for node in self.nodes:
            if node not in self.region:
                self.stage[node] = max((self._ready(a, ()) for a in node.args), default=0)

    def _latest(self) -> dict[Node, int]:
        """The last stage after which everything outside of regions, and every total, is there."""
        end = max(self.stage.values(), default=0) + 1
        latest: dict[Node, int] = {}
        for node in reversed(self.nodes):
            if node not in self.region or is_total(node):
                users = self.users.get(node, ())
                stages = (self.stage[u] if u in self.region else latest[u] for u in users)
                latest[node] = min(stages, default=end) - (node in self.region)
        return latest

    def _late(
        self,
        where: Where,
        nodes: Sequence[Node],
        stages: Sequence[int],
        latest: Mapping[Node, int],
    ) -> dict[Node, int]:
        """What a region need not compute itself, and the last of `stages` that could do it."""
        late: dict[Node, int] = {}
        for node in reversed(nodes):
            if node not in self.leaves and not ends(node):
                users = self.users.get(node, ())
                bounds = (late.get(u, self._asked(u, where, latest)) for u in users)
                last = bisect.bisect_right(stages, min(bounds, default=0))
                if last and stages[last - 1] > where[0]:
                    late[node] = stages[last - 1]
        totals = {n: [late[a] for a in n.args if a in late] for n in nodes if is_total(n)}
        return late | {n: max(stages) for n, stages in totals.items() if stages}

    def _is_result(self, node: Node, where: Where) -> bool:
        """Whether what a region computes is needed elsewhere, as an array."""
        users = self.users.get(node, ())
        elsewhere = node in self.leaves or any(self.region.get(u) != where for u in users)
        return elsewhere and not ends(node)

    def _asked(self, user: Node, where: Where, latest: Mapping[Node, int]) -> int:
        """The last stage at which a region of a shape can make what a user needs."""
        found = self.region.get(user)
        if found is None:
            return self.stage[user] - 1
        if is_total(user) and found == where:
            return latest[user]
        return found[0] if found[1] == where[1] else self.stage[user] - 1

    def steps(self) -> list[Step]:
        """The nodes and regions in order."""
        single: dict[int, list[Node]] = {}
        regions: dict[int, dict[Shape, list[Node]]] = {}
        for node in self.nodes:
            if node not in self.region:
                single.setdefault(self.stage[node], []).append(node)
                continue
            stage, shape = self.region[node]
            regions.setdefault(stage, {}).setdefault(shape, []).append(node)
        found: list[Step] = []
        for stage in range(max(self.stage.values(), default=0) + 1):
            found += single.get(stage, ())
            for shape, nodes in regions.get(stage, {}).items():
                found += [Region(shape, nodes)] if self._pays((stage, shape), nodes) else nodes
        return found

    def _pays(self, where: Where, nodes: Sequence[Node]) -> bool:
        """Whether a loop pays: arrays may be large, few are kept, and nothing else outweighs it."""
        if self.always:
            return self._effort(nodes) > 1
        size, passing = size_of(where[1]), [n for n in nodes if not self._is_result(n, where)]
        may_be_large = not isinstance(size, int) or size > BLOCK
        pays = self._effort(passing) >= max(LEAST, MOST * (len(nodes) - len(passing)))
        counts = WEIGHT * self._effort(nodes) * nominal(size) >= self._largest
        return may_be_large and pays and counts

    def _effort(self, nodes: Sequence[Node]) -> int:
        return sum(effort(n, self._shape_of) for n in nodes)

    @cached_property
    def _largest(self) -> int:
        """The additions and multiplications of the largest operation that is not in a region.

        Not of all of them: a loop is as much worth beside twenty of a kind as beside one.
        """
        found = [n for n in self.nodes if n.op.work and n not in self.region]
        works = (n.op.work(n.data, n.shape, *(a.shape for a in n.args)) for n in found if n.op.work)
        return max((w.at(dict.fromkeys(w.names, nominal(named("n")))) for w in works), default=0)

"""Which matrices are symmetric, as far as the operations that make them say so."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

from ..graph import CONSTANT, INPUT, NEGATIVE, POWER, QUOTIENTS, STACK, SUBTRACT, Graph, Node
from ..primitives import ARRAYS, ArrayPrimitive, Primitive, lookup

EXPAND, TRANSPOSE, MATMUL = (ARRAYS[n] for n in ("expand_dims", "transpose", "matmul"))
INV, DIAG, OUTER, EYE, BROADCAST, PINV = (
    ARRAYS[n] for n in ("inv", "diag", "outer", "eye", "broadcast_to", "pinv")
)
EVEN = frozenset(map(lookup, ("abs", "cos", "cosh", "square")))
ODD = frozenset(map(lookup, ("sin", "tan", "sinh", "tanh", "arctan", "arcsinh")))
FROM_MATRIX = frozenset({INV, PINV})
MAX_LOOKS = 200  # operations that a matrix is made of, whose transposes are not known


class Mirror(NamedTuple):
    """The transpose of a node: another node of the graph, or its negative."""

    node: Node
    sign: int = 1


class Symmetry:
    """Transposes of the nodes of a graph that the graph has, found as they are asked for."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self._mirrors: dict[Node, Mirror] = (
            graph.notes.mirrors
        )  # which stay, whatever is made later
        self._without = set[Node]()

    def of(self, node: Node) -> bool:
        """Whether a matrix is symmetric."""
        return self.sign(node) == 1

    def sign(self, node: Node) -> int:
        """1 for a symmetric matrix, -1 for an antisymmetric one, 0 for any other."""
        if len(node.shape) != 2 or node.shape[0] != node.shape[1]:
            return 0
        for each in self._unknown(node):
            mirror = self._mirror(each)
            if mirror is None:
                self._without.add(each)
            else:
                self._mirrors[each] = mirror
        found = self._mirrors.get(node)
        return found.sign if found is not None and found.node is node else 0

    def _unknown(self, node: Node) -> list[Node]:
        """The node and what it is made of, as far as one looks, in the order it was made."""
        seen, pending = {node}, [node]
        for top in islice(pending, MAX_LOOKS):  # which grows
            if top not in self._mirrors and top not in self._without:
                pending += [a for a in dict.fromkeys(top.args) if a not in seen]
                seen.update(top.args)
        new = [n for n in pending if n not in self._mirrors and n not in self._without]
        return sorted(new, key=attrgetter("index"))

    def _mirror(self, node: Node) -> Mirror | None:
        row = node.op
        if not node.shape:
            return Mirror(node)
        if row in RULES:
            return RULES[row](self, node)
        if row in FROM_MATRIX:
            return self._rebuilt(node)
        if isinstance(row, ArrayPrimitive) or row in (INPUT, CONSTANT, STACK):
            return self._transposed(node)
        return self._elementwise(node)

    def _known(self, op: Primitive, args: tuple[Node, ...], data: object = None) -> Mirror | None:
        found = self.graph.known(op, args, data)
        return None if found is None else Mirror(found)

    def _transposed(self, node: Node) -> Mirror | None:
        if len(node.shape) != 2:
            return self._known(EXPAND, (node,), (-1,)) if len(node.shape) == 1 else None
        return self._known(TRANSPOSE, (node,), (-1, -2))

    def _rebuilt(self, node: Node) -> Mirror | None:
        """Of a function of a matrix that goes through a transpose."""
        inner = self._mirrors.get(node.args[0])
        if inner is None or inner.sign < 0:
            return None
        return Mirror(node) if inner.node is node.args[0] else self._known(node.op, (inner.node,))

    def _expanded(self, node: Node) -> Mirror | None:
        vector = node.args[0]
        if len(vector.shape) != 1:
            return None
        if node.data == (-1,):
            return self._known(EXPAND, (vector,), (-2,)) or Mirror(vector)
        return self._known(EXPAND, (vector,), (-1,)) if node.data == (-2,) else None

    def _turned(self, node: Node) -> Mirror | None:
        return Mirror(node.args[0]) if node.data == (-1, -2) else None

    def _identity(self, node: Node) -> Mirror | None:
        rows, columns, k = node.data
        return Mirror(node) if rows == columns and k == 0 else self._transposed(node)

    def _itself(self, node: Node) -> Mirror | None:
        return Mirror(node)

    def _constant(self, node: Node) -> Mirror | None:
        return Mirror(node) if not node.args[0].shape and len(node.shape) == 2 else None

    def _outer(self, node: Node) -> Mirror | None:
        x, y = node.args
        return Mirror(node) if x is y else self._known(OUTER, (y, x))

    def _product(self, node: Node) -> Mirror | None:
        """`(A @ B)' = B' @ A'`."""
        if len(node.shape) != 2 or any(len(a.shape) != 2 for a in node.args):
            return None
        x, y = map(self._mirrors.get, node.args)
        if x is None or y is None:
            return None
        found = self._known(MATMUL, (y.node, x.node))
        return found and Mirror(found.node, x.sign * y.sign)

    def _elementwise(self, node: Node) -> Mirror | None:
        found = [self._mirrors.get(a) for a in node.args]
        mirrors = [m for m in found if m is not None]
        if len(mirrors) < len(found):
            return None
        sign = self._sign(node, mirrors)
        args = tuple(m.node for m in mirrors)
        if sign is None:
            return None
        if args == node.args or (node.op.commutative and args == node.args[::-1]):
            return Mirror(node, sign)
        if node.op is SUBTRACT and args == node.args[::-1]:
            return Mirror(node, -1)
        known = self._known(node.op, args)
        return known and Mirror(known.node, sign)

    def _sign(self, node: Node, mirrors: list[Mirror]) -> int | None:
        """The sign that an operation on mirrors has; `None` if they make something else."""
        negative = sum(m.sign < 0 for m in mirrors)
        if not negative:
            return 1
        if node.op in EVEN:
            return 1
        if node.op is POWER and node.args[1].op is CONSTANT and node.args[1].data % 2 == 0:
            return 1
        if node.op in ODD or node.op is NEGATIVE or (node.op in QUOTIENTS and negative == 1):
            return -1
        return 1 if node.op in QUOTIENTS else None


RULES: Mapping[Primitive, Callable[[Symmetry, Node], Mirror | None]] = {
    EXPAND: Symmetry._expanded,
    TRANSPOSE: Symmetry._turned,
    EYE: Symmetry._identity,
    DIAG: Symmetry._itself,
    BROADCAST: Symmetry._constant,
    OUTER: Symmetry._outer,
    MATMUL: Symmetry._product,
}

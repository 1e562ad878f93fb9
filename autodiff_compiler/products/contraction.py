"""Products of arrays put together from NumPy's operations, multiplied in the cheapest order.

Out come matrix products, transposes, sums, elementwise and outer products; the inverse of a matrix
that only multiplies becomes a solve.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import permutations

from ..graph import DIVIDE, MULTIPLY, NEGATIVE, Graph, Node
from ..primitives import ARRAYS
from ..primitives.axes import LETTERS, Axes
from ..shapes import Extent, nominal
from .ordering import Order
from .product import Factor, Label, Labels, Product
from .symmetry import Symmetry

(
    MATMUL,
    TRANSPOSE,
    SUM,
    EXPAND,
    BROADCAST,
    DIAG,
    DIAGONAL,
    EINSUM,
    EYE,
    EXTENT,
    OUTER,
    INV,
    SOLVE,
) = (
    ARRAYS[name]
    for name in (
        *("matmul", "transpose", "sum", "expand_dims", "broadcast_to", "diag", "diagonal"),
        *("einsum", "eye", "extent", "outer", "inv", "solve"),
    )
)

MOST_LOOKED_AT = 8  # factors among which a solution that is there is looked for


def einsum(
    graph: Graph, factors: Iterable[tuple[Node, str]], out: str, extents: Mapping[str, Extent]
) -> Node:
    """The product of factors with letters; `extents` are of letters that no factor has."""
    product, labels = Product(), dict[str, Label]()
    for node, letters in factors:
        for letter, extent in zip(letters, node.shape, strict=True):
            if letter not in labels:
                labels[letter] = product.label(extent)
        product.add(node, [labels[c] for c in letters])
    for letter in out:
        if letter not in labels:
            labels[letter] = product.label(extents[letter])
    product.out = tuple(labels[c] for c in out)
    return contract(graph, product)


def contract(graph: Graph, product: Product) -> Node:
    """The product as nodes of a graph."""
    product.settle()
    return _Contraction(graph, product).result()


class _Contraction:
    """One product being computed."""

    def __init__(self, graph: Graph, product: Product) -> None:
        self.graph, self.product = graph, product
        self.extents = product.extents
        self.lengths = {label: nominal(extent) for label, extent in product.extents.items()}
        self.core = tuple(dict.fromkeys(product.out))  # the axes of the result, each once
        self.place = {label: k for k, label in enumerate(self.core)}
        self.symmetry = Symmetry(graph)

    def result(self) -> Node:
        scalars = [f.node for f in self.product.factors if not f.labels]
        arrays = [f for f in self.product.factors if f.labels]
        scalars += self._empty_sums(arrays)
        arrays = [self._reduced(f, arrays[:k] + arrays[k + 1 :]) for k, f in enumerate(arrays)]
        scalars += [f.node for f in arrays if not f.labels]
        arrays = [f for f in arrays if f.labels]
        scales = self._rounds(scalars)
        if scales and arrays and not self.product.divisors:
            small = min(arrays, key=lambda f: self.size(f.labels))
            if 2 * self.size(small.labels) <= self.size(self.core) and len(arrays) > 1:
                k = arrays.index(small)
                arrays[k] = Factor(reduce(self._scaled, scales, small.node), small.labels)
                scales = []
        found = self._multiplied(arrays) if arrays else None
        return self._finished(found, scales)

    def _finished(self, found: Factor | None, scales: Sequence[Node]) -> Node:
        labels = tuple(c for c in self.core if found and c in found.labels)
        parts = [] if found is None else [self.ordered(found, labels)]
        parts += scales
        node = self._times(reduce(self._scaled, parts)) if parts else self._one()
        for divisor in self._rounds(self.product.divisors):
            node = self.graph.apply(DIVIDE, node, divisor)
        return self._spread(node, labels)

    def _scaled(self, node: Node, scale: Node) -> Node:
        return self._multiply(scale, node)  # numbers stand first

    def _multiply(self, a: Node, b: Node) -> Node:
        return self.graph.apply(MULTIPLY, a, b)

    def _one(self) -> Node:
        return self.graph.constant(self.product.coefficient)

    def _times(self, node: Node) -> Node:
        """A node times the coefficient."""
        if abs(self.product.coefficient) != 1:
            return self._multiply(self._one(), node)
        return self.graph.apply(NEGATIVE, node) if self.product.coefficient < 0 else node

    def _rounds(self, numbers: Sequence[Node]) -> list[Node]:
        """Products of numbers in which each stands once: its square may leave the range."""
        rounds: list[list[Node]] = []
        seen = Counter[Node]()
        for number in numbers:
            if seen[number] == len(rounds):
                rounds.append([])
            rounds[seen[number]].append(number)
            seen[number] += 1
        return [reduce(self._multiply, factors) for factors in rounds]

    def size(self, labels: Iterable[Label]) -> float:
        """How many elements axes have, roughly."""
        return math.prod([self.lengths[label] for label in labels], start=1.0)

    def _empty_sums(self, arrays: Sequence[Factor]) -> Iterator[Node]:
        """Sums over axes that no factor has count their elements."""
        seen = {label for f in arrays for label in f.labels} | set(self.core)
        roots = dict.fromkeys(map(self.product.same, self.extents))
        for label in roots:
            extent = self.extents[label]
            if label not in seen and extent != 1:
                yield self._number(extent)

    def _number(self, extent: Extent) -> Node:
        if isinstance(extent, int):
            return self.graph.constant(extent)
        return self.graph.make(EXTENT, (), extent)

    # one factor

    def _reduced(self, factor: Factor, others: Sequence[Factor]) -> Factor:
        """Without repeated axes, and without those that only it has and the result has not."""
        needed = {label for f in others for label in f.labels} | set(self.core)
        factor = self._diagonal(factor)
        if len(factor.labels) == 2 and factor.labels[0] not in needed:
            factor = self._turned(factor, factor.labels[::-1])
        gone = [k for k, label in enumerate(factor.labels) if label not in needed]
        if not gone:
            return factor
        rank = len(factor.labels)
        node = self.graph.make(SUM, (factor.node,), Axes(tuple(k - rank for k in gone)))
        return Factor(node, tuple(c for c in factor.labels if c in needed))

    def _diagonal(self, factor: Factor) -> Factor:
        labels = factor.labels
        distinct = tuple(dict.fromkeys(labels))
        if len(distinct) == len(labels):
            return factor
        if len(labels) == 2:
            return Factor(self.graph.make(DIAGONAL, (factor.node,)), distinct)
        data = ((self._letters(labels),), self._letters(distinct))
        return Factor(self.graph.make(EINSUM, (factor.node,), data), distinct)

    def _letters(self, labels: Labels, order: Sequence[Label] = ()) -> str:
        names = {label: LETTERS[k] for k, label in enumerate(dict.fromkeys([*order, *labels]))}
        return "".join(names[label] for label in labels)

    # order

    def _multiplied(self, factors: Sequence[Factor]) -> Factor:
        """All factors multiplied, in the cheapest order.

        Of arrays that only go element by element the latest come first: an adjoint times what all
        partials have in common, once for all of them.
        """
        pool = list(factors)
        alike = len({f.labels for f in pool}) == 1
        if alike:
            pool.sort(key=lambda f: -f.node.index)
        order = Order(self.core, self.size)
        while len(pool) > 2:
            i, j = (0, 1) if alike else self._there(pool) or order.first([f.labels for f in pool])
            others = [f for k, f in enumerate(pool) if k not in (i, j)]
            pool[i] = self._pair(pool[i], pool[j], others)
            del pool[j]
        return self._pair(pool[0], pool[1], []) if len(pool) == 2 else pool[0]

    def _there(self, pool: Sequence[Factor]) -> tuple[int, int] | None:
        """An inverse and a vector, for which the equations have been solved already."""
        if not self.product.solves or len(pool) > MOST_LOOKED_AT:
            return None
        for (i, inverse), (j, vector) in permutations(enumerate(pool), 2):
            if inverse.node.op is INV and len(vector.labels) == 1:
                matrix = self._matrix(inverse, vector.labels[0])
                if matrix and self.graph.known(SOLVE, (matrix, vector.node)):
                    return i, j
        return None

    def _matrix(self, inverse: Factor, label: Label) -> Node | None:
        """The matrix of the equations that an inverse solves along an axis, if it is there."""
        if len(inverse.labels) != 2 or label not in inverse.labels:
            return None
        (matrix,) = inverse.node.args
        if inverse.labels[1] == label or self.symmetry.of(matrix):
            return matrix
        return self.graph.known(TRANSPOSE, (matrix,), (-1, -2))

    # two factors

    def _pair(self, a: Factor, b: Factor, others: Sequence[Factor]) -> Factor:
        needed = set(self.core).union(*(f.labels for f in others))
        shared = [label for label in a.labels if label in b.labels]
        summed = [label for label in shared if label not in needed]
        kept = [label for label in shared if label in needed]
        left = [label for label in a.labels if label not in shared]
        right = [label for label in b.labels if label not in shared]
        if not summed:
            return self._elementwise(a, b)
        if (
            len(summed) > 1
            or (kept and not (len(left) == len(right) == 1))
            or (len(left) > 1 and len(right) > 1)
        ):
            return self._einsum(a, b, (*kept, *left, *right))
        if self._goes_first(left, right):
            a, b, left, right = b, a, right, left
        if self.product.solves and not kept:
            solved = self._solved(a, b, summed[0]) or self._solved(b, a, summed[0])
            if solved is not None:
                return solved
        return self._matmul(a, b, kept, left, right, summed)

    def _solved(self, inverse: Factor, other: Factor, label: Label) -> Factor | None:
        """A factor that is an inverse, times another, as the solution of equations."""
        node = inverse.node
        if node.op is not INV or node in self.product.kept or len(inverse.labels) != 2:
            return None
        rest = tuple(c for c in other.labels if c != label)
        if len(rest) > 1:
            return None
        own = next(c for c in inverse.labels if c != label)
        matrix = node.args[0]
        if inverse.labels[0] == label and not self.symmetry.of(matrix):
            matrix = self.graph.make(TRANSPOSE, (matrix,), (-1, -2))
        columns = self.ordered(other, (label, *rest))
        return Factor(self.graph.make(SOLVE, (matrix, columns)), (own, *rest))

    def _goes_first(self, left: Sequence[Label], right: Sequence[Label]) -> bool:
        """Whether the second comes first: a matrix before a vector, and as the result wants it."""
        if not left or not right:
            return bool(right)
        if len(left) != len(right):
            return len(left) < len(right)
        far = len(self.core)
        return self.place.get(right[0], far) < self.place.get(left[0], far)

    def _matmul(
        self,
        a: Factor,
        b: Factor,
        kept: Sequence[Label],
        left: Sequence[Label],
        right: Sequence[Label],
        summed: Sequence[Label],
    ) -> Factor:
        x = self.ordered(a, (*kept, *left, *summed))
        y = self.ordered(b, (*kept, *summed, *right))
        return Factor(self.graph.make(MATMUL, (x, y)), (*kept, *left, *right))

    def _einsum(self, a: Factor, b: Factor, out: Labels) -> Factor:
        if len(out) == 1 and set(a.labels) == set(b.labels) and len(a.labels) == 2:
            rest = next(c for c in a.labels if c not in out)
            a, b = (self._turned(f, (*out, rest)) for f in (a, b))
        order = dict.fromkeys((*a.labels, *b.labels))
        out = tuple(sorted(out, key=lambda label: self.place.get(label, len(self.core))))
        letters = [self._letters(labels, tuple(order)) for labels in (a.labels, b.labels, out)]
        data = ((letters[0], letters[1]), letters[2])
        return Factor(self.graph.make(EINSUM, (a.node, b.node), data), out)

    def _turned(self, factor: Factor, labels: Labels) -> Factor:
        """A symmetric matrix with its axes called the other way round, if that is wanted."""
        sign = self.symmetry.sign(factor.node) if factor.labels != labels else 0
        self.product.coefficient *= sign or 1
        return Factor(factor.node, labels) if sign else factor

    def _elementwise(self, a: Factor, b: Factor) -> Factor:
        """An elementwise or outer product, with the axes in the order of the result."""
        if not a.labels or not b.labels:
            return Factor(self._multiply(a.node, b.node), a.labels or b.labels)
        if self.place.get(b.labels[0], 99) < self.place.get(a.labels[0], 99):
            a, b = b, a
        if len(a.labels) == len(b.labels) == 1 and a.labels != b.labels:
            return Factor(self.graph.make(OUTER, (a.node, b.node)), a.labels + b.labels)
        far = len(self.core)
        large, small = (a, b) if len(a.labels) >= len(b.labels) else (b, a)
        if set(small.labels) <= set(large.labels) and not set(large.labels) <= self.place.keys():
            x, y = (self.stretched(f, large.labels) for f in (a, b))  # as it lies: it is summed yet
            return Factor(self._multiply(x, y), large.labels)
        every = dict.fromkeys((*a.labels, *b.labels))
        out = tuple(sorted(every, key=lambda label: self.place.get(label, far)))
        x, y = (self.stretched(f, out) for f in (a, b))
        return Factor(self.graph.apply(MULTIPLY, x, y), out)

    # axes

    def ordered(self, factor: Factor, labels: Labels) -> Node:
        """A factor with its axes in another order."""
        if len(labels) == 2 and labels != factor.labels and self.symmetry.of(factor.node):
            return factor.node
        return transposed(self.graph, factor.node, [factor.labels.index(c) for c in labels])

    def stretched(self, factor: Factor, labels: Labels) -> Node:
        """A factor with axes of extent 1 for the labels that it lacks, if any stand behind."""
        own = tuple(label for label in labels if label in factor.labels)
        node = self.ordered(factor, own)
        first = labels.index(own[0]) if own else len(labels)
        missing = [k - len(labels) for k in range(first, len(labels)) if labels[k] not in own]
        return self.graph.make(EXPAND, (node,), tuple(missing)) if missing else node

    def _spread(self, node: Node, labels: Labels) -> Node:
        """The result: its axes in order, missing ones filled, those that stand twice diagonal."""
        if self.product.out == self.core:
            return self._filled(Factor(node, labels), self.core)
        if self.core == labels and len(labels) == 1 and len(self.product.out) == 2:
            return self.graph.make(DIAG, (node,))
        return self._embedded(Factor(node, labels))

    def _filled(self, factor: Factor, labels: Labels) -> Node:
        if factor.labels == labels:
            return factor.node
        shape = tuple(self.extents[label] for label in labels)
        node = self.stretched(factor, labels) if factor.labels else factor.node
        if all(self.extents[c] == 1 for c in labels if c not in factor.labels):
            lead = len(labels) - len(node.shape)
            axes = tuple(range(-len(labels), lead - len(labels)))
            return self.graph.make(EXPAND, (node,), axes) if axes else node
        return self.graph.make(BROADCAST, (node,), shape)

    def _embedded(self, factor: Factor) -> Node:
        """A product with identity matrices on the axes that stand twice."""
        out, rank = self.product.out, len(self.product.out)
        first = {label: out.index(label) for label in self.core}
        total = self._placed(factor.node, [first[label] for label in factor.labels], rank)
        for k, label in enumerate(out):
            if k != first[label]:
                extent = self.extents[label]
                eye = self.graph.make(EYE, (), (extent, extent, 0))
                total = self.graph.apply(
                    MULTIPLY, total, self._placed(eye, [first[label], k], rank)
                )
        shape = tuple(self.extents[label] for label in out)
        return total if total.shape == shape else self.graph.make(BROADCAST, (total,), shape)

    def _placed(self, node: Node, at: Sequence[int], rank: int) -> Node:
        """A node with its axes at these places of `rank`, and axes of extent 1 elsewhere."""
        if not at:
            return node
        missing = tuple(k - rank for k in range(at[0], rank) if k not in at)
        return self.graph.make(EXPAND, (node,), missing) if missing else node


def transposed(graph: Graph, node: Node, order: Sequence[int]) -> Node:
    """A node with its axes in another order; leading ones that stay are not named."""
    start = next((k for k, axis in enumerate(order) if k != axis), None)
    if start is None:
        return node
    rank = len(order)
    return graph.make(TRANSPOSE, (node,), tuple(axis - rank for axis in order[start:]))

"""A linear map as an array: a tangent or adjoint trace run along all directions at once.

The trace is linear in its seed.  Instead of one seed it is given the identity, as further leading
axes.  The identity is never formed: a value is known by a core array and a label for each axis,
and labels that stand twice say that the value is a diagonal along these axes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from typing import NamedTuple

from ..graph import ADD, STACK, Graph, Node, dependents
from ..primitives import ARRAYS, ArrayPrimitive, Primitive
from ..shapes import Shape, broadcast, size_of
from .contraction import contract, transposed
from .product import Label, Labels, Product, spec

SOLVE, RESHAPE, EXPAND, BROADCAST, CONCATENATE = (
    ARRAYS[n] for n in ("solve", "reshape", "expand_dims", "broadcast_to", "concatenate")
)


class Batched(NamedTuple):
    """A value along all directions: `value[batch, own] = core[labels]`, and 0 off the diagonals.

    `batch` and `own` label the axes of the directions and those of the value itself.  A label that
    `core` has not is one along which it is constant.
    """

    core: Node
    labels: Labels
    batch: Labels
    own: Labels

    @property
    def slots(self) -> Labels:
        """The labels of all axes."""
        return self.batch + self.own

    @property
    def pattern(self) -> tuple[int, ...]:
        """Which axes have the same label."""
        return tuple(map(self.slots.index, self.slots))


def linear_map(graph: Graph, output: Node, seed: Node) -> Node:
    """The derivative of `output`, linear in `seed`, as an array `output.shape + seed.shape`."""
    found = _Batch(graph, seed.shape).run(graph.ancestors([output]), seed).get(output)
    if found is None:
        zero = graph.constant(0)
        return graph.make(BROADCAST, (zero,), output.shape + seed.shape)
    return found


Sum = tuple[Batched, ...]  # terms whose diagonals differ
Part = tuple[Node, Shape, Batched | None]  # of an elementwise operation: constant, or varying


class _Batch:
    """One trace being run along all directions."""

    def __init__(self, graph: Graph, directions: Shape) -> None:
        self.graph, self.directions = graph, directions
        self.values: dict[Node, Sum] = {}

    def run(self, nodes: Sequence[Node], seed: Node) -> dict[Node, Node]:
        """The value of the last node, with the axes of the directions behind its own."""
        labels = tuple(range(len(self.directions)))
        self.values[seed] = (Batched(self.graph.constant(1), (), labels, labels),)
        active = dependents(nodes, [seed])
        for node in (n for n in nodes if n in active and n is not seed):
            self.values[node] = self._value(node)
        last = nodes[-1]
        if last not in self.values:
            return {}
        terms = (self._array(v, last.shape, v.own + v.batch) for v in self.values[last])
        return {last: reduce(self._add, terms)}

    def _value(self, node: Node) -> Sum:
        row = node.op
        if row is SOLVE:
            return (self._solved(node),)
        if row is STACK or (isinstance(row, ArrayPrimitive) and row.labels is None):
            return (self._structural(node),)
        make = self._product if isinstance(row, ArrayPrimitive) else self._elementwise
        return self._merged(node, (make(node, k, v) for k, v in self._terms(node)))

    def _terms(self, node: Node) -> Iterator[tuple[int, Batched]]:
        """The terms of each argument: what is linear is done to one at a time."""
        for k, argument in enumerate(node.args):
            for value in self.values.get(argument, ()):
                yield k, value

    def _merged(self, node: Node, terms: Iterable[Batched]) -> Sum:
        """Terms with the same diagonals as one."""
        found: dict[tuple[int, ...], Batched] = {}
        for term in terms:
            known = found.get(term.pattern)
            found[term.pattern] = term if known is None else self._added(node, known, term)
        return tuple(found.values())

    def _added(self, node: Node, a: Batched, b: Batched) -> Batched:
        zero = self.graph.constant(0)
        return self._applied(ADD, node.shape, [(zero, node.shape, a), (zero, node.shape, b)])

    def _array(self, value: Batched, shape: Shape, out: Labels) -> Node:
        """A value as an array with axes in some order, zeros and all."""
        product, names = self._product_of(value, shape)
        product.add(value.core, [names[c] for c in value.labels])
        product.out = tuple(names[c] for c in out)
        return contract(self.graph, product)

    def _product_of(self, value: Batched, shape: Shape) -> tuple[Product, dict[Label, Label]]:
        product = Product()
        extents = zip(value.slots, self.directions + shape, strict=True)
        names = {label: product.label(extent) for label, extent in dict(extents).items()}
        self._add_hidden(product, names, value)
        return product, names

    def _add_hidden(self, product: Product, names: dict[Label, Label], value: Batched) -> None:
        """Labels of axes of the core that are neither: of extent 1."""
        for label, extent in zip(value.labels, value.core.shape, strict=True):
            if label not in names:
                names[label] = product.label(extent)

    # operations that multiply and sum

    def _product(self, node: Node, position: int, value: Batched) -> Batched:
        inside, out = spec(node)
        product, letters = Product(), dict[str, Label]()
        batch = tuple(product.label(n) for n in self.directions)
        for k, (argument, own) in enumerate(zip(node.args, inside, strict=True)):
            _label(product, letters, own, argument.shape)
            labels = [letters[c] for c in own]
            if k == position:
                product.add(value.core, self._named(product, value, batch, labels))
            else:
                product.add(argument, labels)
        _label(product, letters, out, node.shape)
        return self._contracted(product, batch, tuple(letters[c] for c in out))

    def _contracted(self, product: Product, batch: Labels, own: Labels) -> Batched:
        product.settle()
        batch, own = tuple(map(product.same, batch)), tuple(map(product.same, own))
        present = {label for f in product.factors for label in f.labels}
        product.out = tuple(c for c in dict.fromkeys(batch + own) if c in present)
        constant = {c for c in batch + own if c not in present}  # along these, and not summed over
        for label in [c for c in product.extents if product.same(c) in constant]:
            del product.extents[label]
        return Batched(contract(self.graph, product), product.out, batch, own)

    # elementwise operations

    def _elementwise(self, node: Node, position: int, value: Batched) -> Batched:
        """The operation on one term; other arguments that vary are 0 beside it."""
        zero = self.graph.constant(0)
        parts: list[Part] = []
        for k, argument in enumerate(node.args):
            other = zero if argument in self.values else argument
            parts.append(
                (other, other.shape, None) if k != position else (other, argument.shape, value)
            )
        return self._applied(node.op, broadcast(a.shape for a in node.args), parts)

    def _named(
        self, product: Product, value: Batched, batch: Labels, own: Sequence[Label]
    ) -> Labels:
        names: dict[Label, Label] = {}
        for label, slot in zip(value.slots, (*batch, *own), strict=True):
            if label in names:
                product.join(names[label], slot)
            names.setdefault(label, slot)
        self._add_hidden(product, names, value)
        return tuple(names[c] for c in value.labels)

    def _applied(self, op: Primitive, whole: Shape, given: Sequence[Part]) -> Batched:
        """An elementwise operation on cores that have the same diagonals."""
        product = Product()
        batch = tuple(product.label(n) for n in self.directions)
        own = tuple(product.label(n) for n in whole)
        parts = []
        for node, shape, value in given:
            axes = _stretched_labels(product, own, shape, whole)
            labels = axes if value is None else self._named(product, value, batch, axes)
            parts.append((node if value is None else value.core, labels))
        batch, own = tuple(map(product.same, batch)), tuple(map(product.same, own))
        named = [(node, tuple(map(product.same, labels))) for node, labels in parts]
        present = {c for _, labels in named for c in labels}
        out = tuple(c for c in dict.fromkeys(batch + own) if c in present)
        core = self.graph.apply(op, *(self._stretched(product, n, c, out) for n, c in named))
        if len(core.shape) != len(out):  # a rewrite has found it to be the same for all
            core = self.graph.make(BROADCAST, (core,), tuple(product.extents[c] for c in out))
        return Batched(core, out, batch, own)

    def _stretched(self, product: Product, node: Node, labels: Labels, out: Labels) -> Node:
        """A part with its axes in the order of `out`, and axes of extent 1 for those it lacks."""
        own = tuple(c for c in out if c in labels)
        single = Product()
        names = {c: single.label(product.extents[c]) for c in dict.fromkeys(labels)}
        single.add(node, [names[c] for c in labels])
        single.out = tuple(names[c] for c in own)
        core = contract(self.graph, single)
        first = out.index(own[0]) if own else len(out)
        missing = [k - len(out) for k in range(first, len(out)) if out[k] not in own]
        return self.graph.make(EXPAND, (core,), tuple(missing)) if missing else core

    # everything else

    def _whole(self, value: Sum, shape: Shape) -> Node:
        """The sum as an array, the axes of the directions before its own."""
        return reduce(self._add, (self._array(term, shape, term.slots) for term in value))

    def _add(self, a: Node, b: Node) -> Node:
        return self.graph.apply(ADD, a, b)

    def _structural(self, node: Node) -> Batched:
        """An operation that moves elements, done behind the axes of the directions."""
        row, count = node.op, len(self.directions)
        joined = row in (STACK, CONCATENATE)
        args = [self._led(a, joined or k == 0) for k, a in enumerate(node.args)]
        slots = tuple(range(count + len(node.shape)))
        if row is STACK:
            spread = [self.graph.make(EXPAND, (a,), (-len(node.shape),)) for a in args]
            found = self.graph.make(CONCATENATE, tuple(spread), -len(node.shape))
        else:
            assert isinstance(row, ArrayPrimitive)
            data = row.batched(node.data, self.directions) if row.batched else node.data
            found = self.graph.make(row, tuple(args), data)
        return Batched(found, slots, slots[:count], slots[count:])

    def _led(self, argument: Node, needed: bool) -> Node:
        """An argument with the axes of the directions before its own, if it varies or has to."""
        value = self.values.get(argument)
        if value is not None:
            return self._whole(value, argument.shape)
        if not needed:
            return argument
        return self.graph.make(BROADCAST, (argument,), self.directions + argument.shape)

    def _solved(self, node: Node) -> Batched:
        """Many right-hand sides as the columns of one."""
        a, b = node.args
        array, count = self._whole(self.values[b], b.shape), len(self.directions)
        slots = tuple(range(len(array.shape)))
        if len(a.shape) > 2:  # a stack stays one, behind the axes of the directions
            found = self.graph.make(SOLVE, (a, array))
            return Batched(found, slots, slots[:count], slots[count:])
        rows = slots[-2] if len(b.shape) > 1 else slots[-1]
        order = (rows, *(k for k in slots if k != rows))
        columns = transposed(self.graph, array, order)
        flat = (columns.shape[0], size_of(columns.shape[1:]))
        found = self.graph.make(SOLVE, (a, self.graph.make(RESHAPE, (columns,), flat)))
        core = self.graph.make(RESHAPE, (found,), columns.shape)
        return Batched(core, order, slots[:count], slots[count:])


def _stretched_labels(product: Product, own: Labels, shape: Shape, whole: Shape) -> Labels:
    """Labels for the axes of a part of an elementwise operation; a stretched one has its own."""
    lead = len(whole) - len(shape)
    ending = zip(own[lead:], shape, whole[lead:], strict=True)
    return tuple(c if n == m else product.label(n) for c, n, m in ending)


def _label(product: Product, letters: dict[str, Label], own: str, shape: Shape) -> None:
    """A label of the product for every letter that has none."""
    for letter, extent in zip(own, shape, strict=True):
        if letter not in letters:
            letters[letter] = product.label(extent)

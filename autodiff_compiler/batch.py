"""A linear map as an array: a tangent or adjoint trace run along all directions at once.

The trace is linear in its seed.  Instead of one seed it is given the identity, as further leading
axes.  The identity is never formed: a value is known by a core array and a label for each axis,
and labels that stand twice say that the value is a diagonal along these axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .contraction import Label, Labels, Product, contract, spec
from .graph import STACK, Graph, Node, dependents
from .primitives import ARRAYS, ArrayPrimitive
from .shapes import Shape, broadcast, size_of

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


class _Batch:
    """One trace being run along all directions."""

    def __init__(self, graph: Graph, directions: Shape) -> None:
        self.graph, self.directions = graph, directions
        self.values: dict[Node, Batched] = {}

    def run(self, nodes: Sequence[Node], seed: Node) -> dict[Node, Node]:
        """The value of the last node, with the axes of the directions behind its own."""
        labels = tuple(range(len(self.directions)))
        self.values[seed] = Batched(self.graph.constant(1), (), labels, labels)
        active = dependents(nodes, [seed])
        for node in (n for n in nodes if n in active and n is not seed):
            self.values[node] = self._value(node)
        last = nodes[-1]
        if last not in self.values:
            return {}
        found = self.values[last]
        return {last: self._array(found, last.shape, found.own + found.batch)}

    def _value(self, node: Node) -> Batched:
        row = node.op
        if not isinstance(row, ArrayPrimitive) and row is not STACK:
            return self._elementwise(node)
        if isinstance(row, ArrayPrimitive) and row.labels is not None:
            return self._product(node)
        return self._solved(node) if row is SOLVE else self._structural(node)

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

    def _product(self, node: Node) -> Batched:
        inside, out = spec(node)
        product, letters = Product(), dict[str, Label]()
        batch = tuple(product.label(n) for n in self.directions)
        for argument, own in zip(node.args, inside, strict=True):
            _label(product, letters, own, argument.shape)
            value = self.values.get(argument)
            if value is None:
                product.add(argument, [letters[c] for c in own])
            else:
                self._add(product, value, batch, [letters[c] for c in own])
        _label(product, letters, out, node.shape)
        return self._contracted(product, batch, tuple(letters[c] for c in out))

    def _add(self, product: Product, value: Batched, batch: Labels, own: Sequence[Label]) -> None:
        """A value as a factor, its axes joined with labels of the product."""
        product.add(value.core, self._named(product, value, batch, own))

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

    def _elementwise(self, node: Node) -> Batched:
        whole = broadcast(a.shape for a in node.args)
        given = [self.values.get(a) for a in node.args]
        patterns = {
            self._aligned(v, a.shape, whole).pattern
            for v, a in zip(given, node.args, strict=True)
            if v
        }
        if len(patterns) > 1:
            given = [v and self._dense(v, a.shape) for v, a in zip(given, node.args, strict=True)]
        product = Product()
        batch = tuple(product.label(n) for n in self.directions)
        own = tuple(product.label(n) for n in whole)
        parts = []
        for argument, value in zip(node.args, given, strict=True):
            ending = own[len(own) - len(argument.shape) :]
            axes = [
                c if n == m else product.label(n)
                for c, n, m in zip(
                    ending, argument.shape, whole[len(own) - len(ending) :], strict=True
                )
            ]
            if value is None:
                parts.append((argument, tuple(axes)))
            else:
                parts.append((value.core, self._named(product, value, batch, axes)))
        return self._applied(node, product, parts, batch, own)

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

    def _aligned(self, value: Batched, shape: Shape, whole: Shape) -> Batched:
        """With labels for all axes of the result; those along which it is stretched are its own."""
        lead = len(whole) - len(shape)
        fresh = iter(range(10**6, 10**6 + len(whole)))
        kept = [
            c if n == m else next(fresh)
            for c, n, m in zip(value.own, shape, whole[lead:], strict=True)
        ]
        return value._replace(own=(*(next(fresh) for _ in range(lead)), *kept))

    def _applied(
        self,
        node: Node,
        product: Product,
        parts: Sequence[tuple[Node, Labels]],
        batch: Labels,
        own: Labels,
    ) -> Batched:
        """The operation on cores that have the same axes."""
        batch, own = tuple(map(product.same, batch)), tuple(map(product.same, own))
        named = [(n, tuple(map(product.same, labels))) for n, labels in parts]
        present = {c for _, labels in named for c in labels}
        out = tuple(c for c in dict.fromkeys(batch + own) if c in present)
        stretched = [self._stretched(product, n, labels, out) for n, labels in named]
        core = self.graph.apply(node.op, *stretched)
        if len(core.shape) != len(out):  # a rewrite has found it to be the same for all
            core = self.graph.make(BROADCAST, (core,), tuple(product.extents[c] for c in out))
        return Batched(core, out, batch, own)

    def _stretched(self, product: Product, node: Node, labels: Labels, out: Labels) -> Node:
        """A part with its axes in the order of `out`, and axes of extent 1 for those it lacks."""
        own = tuple(c for c in out if c in labels)
        single = Product()
        names = {c: single.label(product.extents[c]) for c in labels}
        single.add(node, [names[c] for c in labels])
        single.out = tuple(names[c] for c in own)
        core = contract(self.graph, single)
        first = out.index(own[0]) if own else len(out)
        missing = [k - len(out) for k in range(first, len(out)) if out[k] not in own]
        return self.graph.make(EXPAND, (core,), tuple(missing)) if missing else core

    # everything else

    def _dense(self, value: Batched, shape: Shape) -> Batched:
        """The value with a label of its own for every axis."""
        slots = tuple(range(len(value.slots)))
        count = len(value.batch)
        node = self._array(value, shape, value.slots)
        return Batched(node, slots, slots[:count], slots[count:])

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
            return self._array(value, argument.shape, value.slots)
        if not needed:
            return argument
        return self.graph.make(BROADCAST, (argument,), self.directions + argument.shape)

    def _solved(self, node: Node) -> Batched:
        """Many right-hand sides as the columns of one."""
        a, b = node.args
        value = self._dense(self.values[b], b.shape)
        count, rows = len(value.batch), len(value.batch) + len(b.shape) - 1 - (len(b.shape) > 1)
        order = (rows, *(k for k in value.slots if k != rows))
        extents = [(self.directions + b.shape)[k] for k in order]
        product, names = self._product_of(value, b.shape)
        product.add(value.core, [names[c] for c in value.labels])
        product.out = tuple(names[c] for c in order)
        columns = contract(self.graph, product)
        flat = self.graph.make(RESHAPE, (columns,), (extents[0], size_of(extents[1:])))
        found = self.graph.make(RESHAPE, (self.graph.make(SOLVE, (a, flat)),), tuple(extents))
        return Batched(found, order, value.slots[:count], value.slots[count:])


def _label(product: Product, letters: dict[str, Label], own: str, shape: Shape) -> None:
    """A label of the product for every letter that has none."""
    for letter, extent in zip(own, shape, strict=True):
        if letter not in letters:
            letters[letter] = product.label(extent)

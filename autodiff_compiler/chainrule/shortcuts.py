"""Shortcuts of the chain rule: past squares, norms and quotients, and by roots where they are 0."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Reversible, Sequence
from enum import IntEnum
from functools import partial, reduce
from typing import NamedTuple

from ..graph import (
    ADD,
    CONSTANT,
    DIVIDE,
    MULTIPLY,
    NEGATIVE,
    POWER,
    QUOTIENTS,
    SUBTRACT,
    Graph,
    Node,
)
from ..laws.powers import MAX_CHAIN
from ..partials import Pen, partial_builders
from ..primitives import ARRAYS, TABLE, ArrayPrimitive, lookup
from .masks import chain
from .poles import AtPole, OverPoles, past_poles, where_not_0

ABS, HYPOT, SQRT = (lookup(n) for n in ("abs", "hypot", "sqrt"))
ROOTS = frozenset({SQRT, lookup("sqrt_product"), lookup("cbrt")})
MAYBE_ROOTS = ROOTS | {POWER}
SOLVE, EINSUM = ARRAYS["solve"], ARRAYS["einsum"]
ROWS = frozenset({ARRAYS["sum"], ARRAYS["diagonal"]})
RELATIVE = frozenset(  # functions whose partials are themselves times something
    row for row in TABLE if row.partials and all(str(p).startswith("out*") for p in row.partials)
)
MOST_UNDER_ROOT = 32  # operations that are looked through
MOST = 8  # products in a quadratic form that are looked through


class Again(IntEnum):
    """Whether what is differentiated will be once more: by one input, or along all at once."""

    NO = 0
    BY_ONE = 1
    ALONG = 2


class Root(NamedTuple):
    """A node as a function of the base of a power in it, past the squares that make the power.

    The node is the power itself, or something over a power, which counts as a negative exponent.
    """

    base: Node
    exponent: int
    arguments: tuple[Node, ...]

    def slope(self, graph: Graph, node: Node, argument: Node) -> Node | None:
        """The partial of the node by the base; of other arguments, the table knows it."""
        if argument is not self.base:
            return None
        if self.exponent == 2:
            rest = self.base
        elif self.exponent > 0:
            rest = graph.apply(POWER, self.base, graph.constant(self.exponent - 1))
        else:
            rest = graph.apply(DIVIDE, node, self.base)
        return graph.apply(MULTIPLY, graph.constant(self.exponent), rest)


class OfQuotient(NamedTuple):
    """A power of a quotient: where the dividend is 0, it does not move with the divisor.

    The slope of the power may be infinite there.
    """

    arguments: tuple[Node, ...]

    def slope(self, graph: Graph, node: Node, argument: Node) -> Node:
        """The partial by the dividend, the divisor or the exponent."""
        (x, y), exponent = node.args[0].args, node.args[1]
        by_base, by_exponent = partial_builders(POWER)
        assert by_base is not None
        assert by_exponent is not None
        found = list[Node]()
        if argument is x:
            found.append(graph.apply(DIVIDE, by_base(graph, *node.args, node), y))
        if argument is y:
            found.append(Pen(graph).written("-(e*out/y)", e=exponent, out=node, y=y))
        if argument is exponent:
            found.append(by_exponent(graph, *node.args, node))
        return reduce(partial(graph.apply, ADD), found)


class Norm(NamedTuple):
    """A norm of several numbers, past the norms of some of them, which nothing else needs."""

    arguments: Counter[Node]

    def slope(self, graph: Graph, node: Node, argument: Node) -> Node | None:
        """The partial of the node by one of the numbers."""
        build = partial_builders(HYPOT)[0]
        assert build is not None
        slope, count = build(graph, argument, argument, node), self.arguments[argument]
        return slope if count == 1 else graph.apply(MULTIPLY, graph.constant(count), slope)


class Squares(NamedTuple):
    """A product `(x - y)*(x + y)` as the difference of two squares that it is."""

    arguments: tuple[Node, Node]

    def slope(self, graph: Graph, _: Node, argument: Node) -> Node | None:
        """Twice the one, and minus twice the other."""
        factor = 2 if argument is self.arguments[0] else -2
        return graph.apply(MULTIPLY, graph.constant(factor), argument)


class Quotient(NamedTuple):
    """A quotient, whose divisor gets what the dividend gets, times minus the quotient."""

    arguments: tuple[Node, ...]

    def slope(self, graph: Graph, node: Node, argument: Node) -> None:
        """Nothing but what the table knows."""

    def adjoint(self, graph: Graph, node: Node, bar: Node) -> Node:
        """What the divisor gets."""
        build = partial_builders(DIVIDE)[0]
        assert build is not None
        above = chain(graph, bar, build(graph, *node.args, node))
        return chain(graph, chain(graph, above, node), graph.constant(-1))

    def shares(self, argument: Node, bar: Node, active: Collection[Node]) -> bool:
        """Whether an argument is the divisor, and the dividend gets more than a number over it."""
        above, below = self.arguments
        return argument is below is not above and above in active and bar.op is not CONSTANT


class OverRelative(NamedTuple):
    """Something over a function whose slope is relative to it: its square might be out of range."""

    arguments: tuple[Node, ...]

    def slope(self, graph: Graph, node: Node, argument: Node) -> Node:
        """The partial by the dividend, or by an argument of the divisor."""
        above, below = node.args
        pen, names = Pen(graph), dict(zip(below.op.args, below.args, strict=True))
        partials = zip(below.args, below.op.partials, strict=True)
        texts = [f"-({text})" for part, text in partials if part is argument]
        out = graph.apply(DIVIDE, above, below)  # as laws have it in the partial by the dividend
        found = [pen.written(text, out=out, **names) for text in texts]
        found += [graph.apply(DIVIDE, graph.constant(1), below)] if argument is above else []
        return reduce(partial(graph.apply, ADD), found)


class UnderRoot(NamedTuple):
    """A product or a quotient under a root, the slope of which is infinite at 0.

    Where one factor is 0 it is constant in the other, which is said before that is multiplied; and
    a square has no slope where it is 0.
    """

    arguments: tuple[Node, ...]
    quotient: Quotient | None

    def slope(self, graph: Graph, node: Node, argument: Node) -> Node | None:
        """The partial by a factor or by the divisor, selected where the other is not 0."""
        first, second = node.args
        other = second if argument is first else first
        if other.op is CONSTANT or (self.quotient and argument is first):
            return None
        build = partial_builders(node.op)[node.args.index(argument)]
        assert build is not None
        slope = build(graph, *node.args, node)
        if first is second:
            slope = graph.apply(MULTIPLY, graph.constant(2), slope)
        return where_not_0(graph, other, slope)

    def adjoint(self, graph: Graph, node: Node, bar: Node) -> Node:
        """What the divisor gets, where the dividend is not 0."""
        assert self.quotient is not None
        return where_not_0(graph, node.args[0], self.quotient.adjoint(graph, node, bar))

    def shares(self, argument: Node, bar: Node, active: Collection[Node]) -> bool:
        """As of a quotient."""
        return self.quotient is not None and self.quotient.shares(argument, bar, active)


class OfNegative(NamedTuple):
    """A root of `-x`, which for 0 is -0, as is its root: the slope has the sign of other slopes."""

    arguments: tuple[Node, ...]

    def slope(self, graph: Graph, node: Node, _: Node) -> Node:
        """The partial by what is negative."""
        size = graph.apply(ABS, node)
        return graph.apply(DIVIDE, graph.constant(0.5), size)


class OfSquares(NamedTuple):
    """A root of a quadratic form of arrays, which is a norm: by convention, its slope at 0 is 0."""

    arguments: tuple[Node, ...]

    def slope(self, graph: Graph, node: Node, _: Node) -> Node:
        """The partial by the form."""
        return where_not_0(graph, node, graph.apply(DIVIDE, graph.constant(0.5), node))


Shortcut = (
    Root
    | OfQuotient
    | Norm
    | Squares
    | Quotient
    | OverRelative
    | UnderRoot
    | OfNegative
    | OfSquares
    | AtPole
    | OverPoles
)
Shortcuts = Mapping[Node, Shortcut]


def shortcuts(graph: Graph, nodes: Sequence[Node], again: Again = Again.NO) -> Shortcuts:
    """The nodes from which the chain rule goes on to what lies behind their arguments.

    To the base of a power, but not to a function that is its own slope: its power would be divided
    by it, and multiplied with it again.  What is differentiated `again` has no second slope where
    a root is 0, and so no use for the first there.
    """
    powers: dict[Node, tuple[Node, int]] = {}
    found: dict[Node, Shortcut] = {}
    norms = []
    for node in nodes:
        if node.op is MULTIPLY:
            (base, m), (other, n) = (powers.get(a) or (a, 1) for a in node.args)
            if base is other and m + n <= MAX_CHAIN:
                powers[node] = base, m + n
                found[node] = Root(base, m + n, (base,))
            elif squares := _squares(*node.args):
                found[node] = squares
        elif node.op is DIVIDE and node.args[1] in powers:
            above, (base, n) = node.args[0], powers[node.args[1]]
            if above not in (base, node.args[1]) and base.op.partials != ("out",):
                found[node] = Root(base, -n, (above, base))
        elif node.op is DIVIDE:
            found[node] = _quotient(node)
        elif node.op is HYPOT:
            norms.append(node)
        elif not again and node.op in MAYBE_ROOTS:
            found |= _steep(node)
    found |= past_poles(nodes, graph.at_poles) if graph.has_poles else ()
    return found | _norms(nodes, norms) if norms else found


def _steep(node: Node) -> Shortcuts:
    """Past a power whose exponent may be less than 1, or a root."""
    if node.op is POWER and node.args[0].op is DIVIDE and node.args[1].op is not CONSTANT:
        base, exponent = node.args
        return {node: OfQuotient((*dict.fromkeys((*base.args, exponent)),))}
    return _under_root(node) if _is_root(node) else {}


def _quotient(node: Node) -> Shortcut:
    above, below = node.args
    if below.op in RELATIVE:
        return OverRelative((*dict.fromkeys((above, *below.args)),))
    return Quotient(node.args)


def _under_root(root: Node) -> Shortcuts:
    """The products under a root, also in sums of products, and the root of what is negative."""
    if root.op is SQRT and root.args[0].op is NEGATIVE:
        return {root: OfNegative(root.args)}
    if root.op is SQRT and _is_quadratic(root.args[0]):
        return {root: OfSquares(root.args)}
    pending, products, is_sum = list(root.args), list[Node](), False
    for node in itertools.islice(pending, MOST_UNDER_ROOT):  # which grows
        if node.op in QUOTIENTS and not (node.op is MULTIPLY and _squares(*node.args)):
            products.append(node)
            pending += node.args
        elif node.op is ADD and all(a.op is ADD or a.op in QUOTIENTS for a in node.args):
            pending += node.args
            is_sum = True
    if is_sum and not any(n.args[0] is n.args[1] for n in products):
        return {}
    return {n: _under(n) for n in products}


def _under(node: Node) -> UnderRoot:
    quotient = Quotient(node.args) if node.op is DIVIDE else None
    return UnderRoot(tuple(dict.fromkeys(node.args)), quotient)


def _is_quadratic(form: Node) -> bool:
    """Whether arrays are contracted to a sum of squares, or with themselves: `x @ solve(A, x)`."""
    pending, leaves = [form], list[Node]()
    for node in pending:  # which grows
        is_linear = isinstance(node.op, ArrayPrimitive) and node.op.labels is not None
        is_product = node.op is MULTIPLY and node.shape and node.args[0] is not node.args[1]
        if (is_linear or is_product) and len(pending) < MOST:
            pending += node.args
        elif node.op is SOLVE:
            pending.append(node.args[1])
        elif node is not form:
            leaves.append(node)
    squares = any(a.op is MULTIPLY and a.args[0] is a.args[1] for a in leaves)
    return squares or (_is_of_rows(form) and len({*leaves}) < len(leaves))


def _is_of_rows(form: Node) -> bool:
    """Whether what meets itself in a contraction does so element by element, or row by row."""
    if form.op is EINSUM and form.shape:
        inside, out = form.data
        return all(
            set(out) <= set(own)
            for own, a in zip(inside, form.args, strict=True)
            if form.args.count(a) > 1
        )
    return not form.shape or form.op in ROWS


def _is_root(node: Node) -> bool:
    """Whether the slope of a function is infinite at 0, where the function is finite."""
    if node.op is POWER and node.args[1].op is CONSTANT:
        return bool(0 < node.args[1].data < 1)
    return node.op is not POWER


def _squares(one: Node, other: Node) -> Squares | None:
    """What a product is a difference of the squares of."""
    if one.op is ADD:
        one, other = other, one
    if one.op is not SUBTRACT or other.op is not ADD or {*one.args} != {*other.args}:
        return None
    if one.args[0] is one.args[1]:
        return None
    return Squares((one.args[0], one.args[1]))


def _norms(nodes: Iterable[Node], norms: Sequence[Node]) -> dict[Node, Norm]:
    """Norms of norms by the numbers that go into them all.

    Not past a norm that others need: its adjoint is there anyway, for all of them together.
    """
    if not any(a.op is HYPOT for node in norms for a in node.args):
        return {}
    uses = Counter(a for node in nodes for a in node.args)
    numbers: dict[Node, list[Node]] = {}
    for node in norms:
        behind = (numbers.pop(a, [a]) if uses[a] == 1 else [a] for a in node.args)
        numbers[node] = [*itertools.chain(*behind)]
    return {node: Norm(Counter(found)) for node, found in numbers.items() if len(found) > 2}


def arguments(node: Node, short: Shortcuts) -> Reversible[Node]:
    """What the chain rule goes on to from a node."""
    return short[node].arguments if node in short else node.args

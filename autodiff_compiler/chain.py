"""The chain rule, shared by both passes: what goes on to which argument, and by which partial."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Reversible, Sequence
from typing import NamedTuple, NoReturn

from .contraction import einsum
from .errors import ExpressionError
from .graph import (
    ADD,
    BROADCAST,
    CONSTANT,
    DIVIDE,
    MULTIPLY,
    NEGATIVE,
    PLACING,
    POWER,
    STACK,
    SUBTRACT,
    WHERE,
    Graph,
    Node,
)
from .masks import chain
from .partials import Pen, partial_builders
from .primitives import ARRAYS, ArrayPrimitive, lookup
from .primitives.axes import ALL, At, elementwise
from .primitives.reductions import spread
from .primitives.row import Rule
from .product import spec
from .shapes import Shape

ABS, HYPOT, NOT_EQUAL, SQRT = (lookup(n) for n in ("abs", "hypot", "not_equal", "sqrt"))
PRODUCTS = frozenset({MULTIPLY, DIVIDE})
ROOTS = frozenset({SQRT, lookup("sqrt_product"), lookup("cbrt")})
SUM, CONCATENATE, INDEX = ARRAYS["sum"], ARRAYS["concatenate"], ARRAYS["index"]
JOINED = frozenset({STACK, CONCATENATE})  # whose tangent is the same of all tangents


MAYBE_ROOTS = ROOTS | {POWER}
MOST_UNDER_ROOT = 32  # operations that are looked through
MOST = 8  # the largest exponent: beyond, the powers below it may be shared by others


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


class UnderRoot(NamedTuple):
    """A product or a quotient under a root, the slope of which is infinite at 0.

    Where one factor is 0 it is constant in the other, which is said before that is multiplied; and
    a square has no slope where it is 0.
    """

    arguments: tuple[Node, ...]

    def slope(self, graph: Graph, node: Node, argument: Node) -> Node | None:
        """The partial by a factor or by the divisor, selected where the other is not 0."""
        first, second = node.args
        other = second if argument is first else first
        if other.op is CONSTANT or (node.op is DIVIDE and argument is first):
            return None
        build = partial_builders(node.op)[node.args.index(argument)]
        assert build is not None
        slope = build(graph, *node.args, node)
        if first is second:
            slope = graph.apply(MULTIPLY, graph.constant(2), slope)
        is_other = graph.apply(NOT_EQUAL, other, graph.constant(0))
        return graph.apply(WHERE, is_other, slope, graph.constant(0))


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
        is_other = graph.apply(NOT_EQUAL, node, graph.constant(0))
        slope = graph.apply(DIVIDE, graph.constant(0.5), node)
        return graph.apply(WHERE, is_other, slope, graph.constant(0))


Contribution = tuple[Node | None, Node]  # to an adjoint: the slope, if there is one, and the term
Shortcut = Root | Norm | Squares | Quotient | UnderRoot | OfNegative | OfSquares
Shortcuts = Mapping[Node, Shortcut]


def shortcuts(nodes: Sequence[Node]) -> Shortcuts:
    """The nodes from which the chain rule goes on to what lies behind their arguments.

    To the base of a power, but not to a function that is its own slope: its power would be divided
    by it, and multiplied with it again.
    """
    powers: dict[Node, tuple[Node, int]] = {}
    found: dict[Node, Shortcut] = {}
    norms = []
    for node in nodes:
        if node.op is MULTIPLY:
            (base, m), (other, n) = (powers.get(a) or (a, 1) for a in node.args)
            if base is other and m + n <= MOST:
                powers[node] = base, m + n
                found[node] = Root(base, m + n, (base,))
            elif squares := _squares(*node.args):
                found[node] = squares
        elif node.op is DIVIDE and node.args[1] in powers:
            above, (base, n) = node.args[0], powers[node.args[1]]
            if above not in (base, node.args[1]) and base.op.partials != ("out",):
                found[node] = Root(base, -n, (above, base))
        elif node.op is DIVIDE:
            found[node] = Quotient(node.args)
        elif node.op is HYPOT:
            norms.append(node)
        elif node.op in MAYBE_ROOTS and _is_root(node):
            found |= _under_root(node)
    return found | _norms(nodes, norms) if norms else found


def _under_root(root: Node) -> Shortcuts:
    """The products under a root, also in sums of products, and the root of what is negative."""
    if root.op is SQRT and root.args[0].op is NEGATIVE:
        return {root: OfNegative(root.args)}
    if root.op is SQRT and is_quadratic(root.args[0]):
        return {root: OfSquares(root.args)}
    pending, products, is_sum = list(root.args), list[Node](), False
    for node in pending:  # which grows
        if node.op in PRODUCTS:
            products.append(node)
            pending += node.args if len(pending) < MOST_UNDER_ROOT else ()
        elif node.op is ADD and all(a.op is ADD or a.op in PRODUCTS for a in node.args):
            pending += node.args
            is_sum = True
    if is_sum and not any(n.args[0] is n.args[1] for n in products):
        return {}
    return {n: UnderRoot(tuple(dict.fromkeys(n.args))) for n in products}


def is_quadratic(form: Node) -> bool:
    """Whether something is twice in a contraction of arrays, such as `x @ A @ x`."""
    pending, leaves = [form], list[Node]()
    for node in pending:  # which grows
        if isinstance(node.op, ArrayPrimitive) and node.op.labels and len(pending) < MOST:
            pending += node.args
        elif node is not form:
            leaves += node.args if node.op is MULTIPLY else (node,)
    return len({*leaves}) < len(leaves)


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


def slope_by(graph: Graph, node: Node, argument: Node, short: Shortcuts) -> Node:
    """The partial of `node` by one of its `arguments`, built in `graph`.

    An argument that stands in several places has the sum of their partials.
    Raises `ExpressionError` where the table says that there is none.
    """
    if node in short and (slope := short[node].slope(graph, node, argument)) is not None:
        return slope
    builders = partial_builders(node.op)
    total = None
    for k, other in enumerate(node.args):
        if other is argument:
            build = builders[k] or _refuse(graph, node, k)
            slope = build(graph, *node.args, node)
            total = slope if total is None else graph.apply(ADD, total, slope)
    assert total is not None, f"{argument} is no argument of {node}"
    return total


def _refuse(graph: Graph, node: Node, k: int) -> NoReturn:
    row, start = node.op, graph.places.get(node, 0)
    raise ExpressionError(
        f"{row.name} has no derivative by its argument {row.args[k]}: {row.note}",
        span=(start, start + len(row.name)),
        hint="leave what it depends on out of wrt",
    )


def is_position(node: Node, k: int) -> bool:
    """Whether an argument says which elements are meant: between jumps it changes nothing."""
    return k > 0 and node.op in PLACING


def tangent_of(graph: Graph, node: Node, dots: Mapping[Node, Node]) -> Node | None:
    """The tangent of an operation on arrays from those of its arguments."""
    if node.op in JOINED:
        parts = [dots.get(a) or zeros(graph, a.shape) for a in node.args]
        return graph.rebuild(node, parts, graph.apply)
    total = None
    for k, argument in enumerate(node.args):
        if argument in dots and not is_position(node, k):
            term = _tangent_term(graph, node, k, dots[argument])
            total = term if total is None else graph.apply(ADD, total, term)
    return total


def _tangent_term(graph: Graph, node: Node, k: int, dot: Node) -> Node:
    row = node.op
    assert isinstance(row, ArrayPrimitive)
    if row.labels is not None:
        return graph.make(row, (*node.args[:k], dot, *node.args[k + 1 :]), node.data)
    if row.slope is not None:
        return graph.make(SUM, (chain(graph, dot, _slope(graph, node)),), node.data)
    return _ruled(graph, node, row.tangents[k] or _refuse(graph, node, k), f"d{row.args[k]}", dot)


def _slope(graph: Graph, node: Node) -> Node:
    """The partial of a reduction by each element that goes into it."""
    row, pen = node.op, Pen(graph)
    assert isinstance(row, ArrayPrimitive)
    assert row.slope is not None
    x, out = node.args[0], spread(pen, node, node)
    if isinstance(row.slope, str):
        return pen.written(row.slope, x=x, out=out)
    found: Node = row.slope(pen, node, x, out)
    return found


def _ruled(graph: Graph, node: Node, rule: Rule, name: str, value: Node) -> Node:
    """A rule of the table applied: a text, or a function."""
    if isinstance(rule, str):
        nodes = dict(zip(node.op.args, node.args, strict=True))
        return Pen(graph).written(rule, **nodes, out=node, **{name: value})
    found: Node = rule(Pen(graph), node, value)
    return found


def adjoint_of(graph: Graph, node: Node, k: int, bar: Node) -> Node:
    """What the adjoint of an operation on arrays passes on to argument `k`."""
    row = node.op
    if row is STACK:
        index = (At(k), *(ALL for _ in bar.shape[1:]))
        return bar.args[k] if bar.op is STACK else graph.make(INDEX, (bar,), index)
    assert isinstance(row, ArrayPrimitive)
    if row.labels is not None:
        return _adjoint_product(graph, node, k, bar)
    if row.slope is not None:
        return chain(graph, spread(Pen(graph), node, bar), _slope(graph, node))
    if row is CONCATENATE:
        part: Node = row.adjoints[0](Pen(graph), node, bar, k)  # type: ignore[misc,operator]
        return part
    rule = (row.adjoints[k] if k < len(row.adjoints) else None) or _refuse(graph, node, k)
    return _ruled(graph, node, rule, "bar", bar)


def _adjoint_product(graph: Graph, node: Node, k: int, bar: Node) -> Node:
    """The adjoint times all other factors, summed over the axes that argument `k` has not."""
    inside, out = spec(node)
    others = [(a, inside[j]) for j, a in enumerate(node.args) if j != k]
    extents = dict(zip(inside[k], node.args[k].shape, strict=True))
    return einsum(graph, [(bar, out), *others], inside[k], extents)


def fitted(graph: Graph, node: Node, shape: Shape) -> Node:
    """A contribution of an elementwise operation in the shape of the argument it is for.

    Sums over the axes along which the argument was repeated.
    """
    (own, whole), _ = elementwise(None, shape, node.shape)
    extents = dict(zip(own, shape, strict=True))
    return einsum(graph, [(node, whole)], own, extents)


def zeros(graph: Graph, shape: Shape) -> Node:
    """Nothing, in a shape."""
    zero = graph.constant(0)
    return graph.make(BROADCAST, (zero,), shape) if shape else zero

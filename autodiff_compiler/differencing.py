"""Differences of one formula at two points, by the rules of differences instead of by subtraction.

As the chain rule takes a derivative apart, these rules take `f(g(x + h)) - f(g(x))` apart, down to
`(x + h) - x`, where the terms cancel before anything is computed; and so they do with its quotient
by `h`, which then has its limit.  See Reps and Rall, Computational divided differencing and
divided-difference arithmetics, Higher-Order and Symbolic Computation 16 (2003).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

from .algebra import SUMS, added, collected, polynomial
from .graph import (
    ADD,
    CONSTANT,
    DIVIDE,
    MULTIPLY,
    NEGATIVE,
    SUBTRACT,
    WHERE,
    Graph,
    Node,
    Rule,
)
from .lowest import reduced
from .primitives import Primitive, lookup
from .remainder import proportion
from .rewrite import CONSTANTS, Law
from .values import CONSTANT_HEADS, arguments_of

ABS, LESS = lookup("abs"), lookup("less")
MAX_PAIRS = 24  # of nodes that are compared, one from each side
DIFFERENCE, QUOTIENT = "d = x - y", "r = (x - y)/(u - v)"
DIFFERENCED = ("stable", "a formula at two points, by the rules of differences")

Pair = tuple[Node, Node]


class Step(NamedTuple):
    """One difference, or its quotient by `under`, from what its arguments' are.

    `whole` is how it is written; without it, as a difference of the pair.
    """

    graph: Graph
    op: Primitive
    pair: Pair
    under: Node | None
    whole: Node | None
    arguments: Sequence[Pair]
    law: Known | None

    def written(self) -> Node:
        """The difference as it is written, or the quotient."""
        if self.whole is not None:
            return self.whole
        less = self.graph.intern(SUBTRACT, *self.pair)
        return less if self.under is None else self.graph.intern(DIVIDE, less, self.under)

    def chosen(self, near: Node, pair: Pair) -> Node:
        """What the rules give where the two values of one argument are near each other."""
        graph, less = self.graph, self.graph.apply(SUBTRACT, *pair)
        double = graph.apply(MULTIPLY, graph.constant(2), graph.apply(ABS, less))
        is_near = graph.apply(LESS, double, graph.apply(ABS, pair[1]))
        return graph.apply(WHERE, is_near, near, self.written())

    def combined(self, values: Sequence[Node]) -> Node:
        """The difference, or the quotient, from those of the arguments."""
        if self.law is None:
            return COMBINED[self.op](self, *values)
        ours, theirs = zip(*self.arguments, strict=True)
        bound = dict(zip(self.law.names, ours, strict=True)) | {"y": theirs[self.law.place]}
        nodes = [bound.get(name, self.under) for name in self.law.law.names]
        out = [self.written()] if "out" in self.law.law.extra else []
        return self.law.law.build(self.graph, *nodes, values[self.law.place], *out)


class Known(NamedTuple):
    """A law about the difference of a function of x and of y, and what its arguments are called."""

    law: Law
    names: Sequence[str]

    @property
    def place(self) -> int:
        """Which argument differs."""
        return self.names.index("x")

    def fits(self, arguments: Sequence[Pair]) -> bool:
        """Whether no other argument differs."""
        return all(
            name == "x" or (a is b and (name not in CONSTANTS or a.op is CONSTANT))
            for name, (a, b) in zip(self.names, arguments, strict=True)
        )


class Differencing:
    """The rules for differences of two nodes made alike, and for their quotients."""

    def __init__(self, laws: Iterable[Law]) -> None:
        self._laws = laws

    @cached_property
    def _differences(self) -> Mapping[Primitive, Sequence[Known]]:
        return _by_function(self._laws, DIFFERENCE)

    @cached_property
    def _quotients(self) -> Mapping[Primitive, Sequence[Known]]:
        return _by_function(self._laws, QUOTIENT)

    def of_functions(self, op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
        """The rule for a difference of two values of a function."""
        if op in SUMS and self._alike(op, heads) in self._differences:
            yield Rule(DIFFERENCED, self._difference(op))

    def of_operations(self, op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
        """The rules for a difference of products or quotients, and for what is divided."""
        if op in SUMS and self._alike(op, heads) in COMBINED:
            yield Rule(DIFFERENCED, self._difference(op))
        elif op is DIVIDE and heads[1] is not CONSTANT:
            yield Rule(DIFFERENCED, self._quotient)

    def _alike(self, op: Primitive, heads: Sequence[Primitive]) -> Primitive | None:
        """The operation that both sides may be of; a constant may be of any."""
        found = {head for head in heads if head not in CONSTANT_HEADS}
        is_pair = op is SUBTRACT or not CONSTANT_HEADS.isdisjoint(heads)
        return found.pop() if is_pair and len(found) == 1 else None

    def _difference(self, op: Primitive) -> Callable[..., Node | None]:
        def step(graph: Graph, left: Node, right: Node) -> Node | None:
            pair = _pair(graph, op, left, right) if graph.is_program else None
            if pair is None or collected(graph, *pair, -1) is not None:
                return None
            found = self._taken_apart(graph, pair, None, graph.intern(op, left, right))
            if found is not None:
                graph.differences[found] = pair
            return found

        return step

    def _quotient(self, graph: Graph, above: Node, below: Node) -> Node | None:
        if not graph.is_program:
            return None
        pair = graph.differences.get(above)
        if pair is None and above.op is MULTIPLY:
            return self._product_over(graph, above, below)
        if pair is None and above.op in SUMS:
            pair = _pair(graph, above.op, *above.args)
        written = graph.intern(DIVIDE, above, below) if pair else None
        return self._taken_apart(graph, pair, below, written) if pair else None

    def _product_over(self, graph: Graph, above: Node, below: Node) -> Node | None:
        """A product with a difference that was taken apart, divided."""
        for factor, other in (above.args, above.args[::-1]):
            if factor in graph.differences:
                found = self._quotient(graph, factor, below)
                return None if found is None else graph.apply(MULTIPLY, found, other)
        return None

    def _taken_apart(
        self, graph: Graph, root: Pair, under: Node | None, whole: Node | None
    ) -> Node | None:
        """A difference of two nodes, by the differences of their arguments."""
        pairs, found, steps = [root], dict[Pair, Node](), dict[Pair, Step]()
        for pair in pairs:  # which grows
            leaf = _leaf(graph, pair, under) if pair is not root else None
            if leaf is not None:
                found[pair] = leaf
                continue
            step = self._step(graph, pair, under, whole if pair is root else None)
            if step is None or len(pairs) > MAX_PAIRS:
                return None
            steps[pair] = step
            pairs += step.arguments
        for pair in reversed(pairs):
            if pair not in found:
                found[pair] = steps[pair].combined([found[p] for p in steps[pair].arguments])
        return found[root]

    def _step(
        self, graph: Graph, pair: Pair, under: Node | None, whole: Node | None
    ) -> Step | None:
        """How the difference of two nodes that are made alike comes from their arguments'."""
        left, right = pair
        op = right.op if left.op in CONSTANT_HEADS else left.op
        known = (self._differences if under is None else self._quotients).get(op, ())
        if op not in COMBINED and not known:
            return None
        ours, theirs = arguments_of(graph, left, right), arguments_of(graph, right, left)
        arguments = list(zip(ours, theirs, strict=False))
        law = next((k for k in known if k.fits(arguments)), None) if arguments else None
        if not arguments or (law is None and op not in COMBINED):
            return None
        return Step(graph, op, pair, under, whole, arguments, law)


def _by_function(laws: Iterable[Law], given: str) -> Mapping[Primitive, Sequence[Known]]:
    """The laws about the difference of a function of x and the same of y."""
    found: dict[Primitive, list[Known]] = {}
    for law in laws:
        pattern = law.variants[0] if law.given == given else None
        less = pattern.args[0] if pattern and pattern.op is DIVIDE else pattern
        first, second = less.args if less and less.op is SUBTRACT else (None, None)
        if first and second and first.op is not None and first.op is second.op:
            names = [str(a.data) for a in first.args if a.op is None]
            if names.count("x") == 1 and len(names) == len(first.args):
                found.setdefault(first.op, []).append(Known(law, names))
    return found


def _pair(graph: Graph, op: Primitive, left: Node, right: Node) -> Pair | None:
    """Two nodes whose difference a sum is."""
    if op is SUBTRACT:
        return left, right
    if left.op is CONSTANT:
        left, right = right, left
    return (left, graph.apply(NEGATIVE, right)) if right.op is CONSTANT else None


def _leaf(graph: Graph, pair: Pair, under: Node | None) -> Node | None:
    """The difference of two nodes, or its quotient, if terms of it cancel."""
    if pair[0] is pair[1]:
        return graph.constant(0)
    less = collected(graph, *pair, -1)
    if under is None:
        return less
    ratio = reduced(graph, less, under) if less is not None else None
    if ratio is not None:
        return ratio
    over = added(polynomial(graph, pair[0]), polynomial(graph, pair[1]), -1)
    return proportion(graph, over, polynomial(graph, under))


def _of_sum(step: Step, *values: Node) -> Node:
    return step.graph.apply(step.op, *values)


def _of_product(step: Step, first: Node, second: Node) -> Node:
    graph, ((a, b), (c, _)) = step.graph, step.arguments
    near = graph.apply(ADD, graph.apply(MULTIPLY, first, c), graph.apply(MULTIPLY, b, second))
    if first.is_constant(0) or second.is_constant(0):
        return near
    return step.chosen(near, (a, b))


def _of_quotient(step: Step, first: Node, second: Node) -> Node:
    graph, ((_, u), (v, w)) = step.graph, step.arguments
    lost = graph.apply(MULTIPLY, graph.apply(DIVIDE, u, w), second)
    near = graph.apply(DIVIDE, graph.apply(SUBTRACT, first, lost), v)
    return near if second.is_constant(0) else step.chosen(near, (v, w))


COMBINED: Mapping[Primitive, Callable[..., Node]] = {
    ADD: _of_sum,
    SUBTRACT: _of_sum,
    NEGATIVE: _of_sum,
    MULTIPLY: _of_product,
    DIVIDE: _of_quotient,
}

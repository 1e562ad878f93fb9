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

from ..graph import (
    ADD,
    CONSTANT,
    DIVIDE,
    MULTIPLY,
    NEGATIVE,
    SUBTRACT,
    SUMS,
    WHERE,
    Graph,
    Node,
    Rule,
)
from ..primitives import Primitive
from ..rewrite import CONSTANTS, Law
from .algebra import added, collected, polynomial
from .lowest import reduced
from .powers import is_near
from .remainder import proportion
from .values import CONSTANT_HEADS, arguments_of

MAX_PAIRS = 24  # of nodes that are compared, one from each side
DIFFERENCE, QUOTIENT = "d = x - y", "r = (x - y)/(u - v)"
DIFFERENCED = ("stable", "a formula at two points, by the rules of differences")

Pair = tuple[Node, Node]


class Known(NamedTuple):
    """A law about the difference of a function of x and of y, and what its arguments are called."""

    law: Law
    names: Sequence[str]

    @property
    def place(self) -> int:
        """Which argument differs."""
        return self.names.index("x")

    def fits(self, arguments: Sequence[Pair]) -> bool:
        """Whether no other argument differs, and constants are what the law asks for."""
        named = dict(zip(self.names, arguments, strict=True))
        constants = {name: a for name, (a, _) in named.items() if name in CONSTANTS}
        if any(a is not b for name, (a, b) in named.items() if name != "x"):
            return False
        if any(a.op is not CONSTANT for a in constants.values()):
            return False
        when = self.law.when
        return when is None or when(**{name: a.data for name, a in constants.items()})

    def applied(self, question: Question, step: Step, value: Node) -> Node:
        """What the law makes of the difference of the argument that differs."""
        ours, theirs = zip(*step.arguments, strict=True)
        bound = dict(zip(self.names, ours, strict=True)) | {"y": theirs[self.place]}
        nodes = [bound.get(name, question.under) for name in self.law.names]
        question.graph.note(("stable", self.law.name))
        out = [question.written(step.pair)] if "out" in self.law.extra else []
        return self.law.build(question.graph, *nodes, value, *out)


Laws = Mapping[Primitive, Sequence[Known]]


class Step(NamedTuple):
    """A pair of nodes made alike, the pairs of their arguments, and the law about their function.

    Without a law, it is a sum, a product or a quotient.
    """

    op: Primitive
    pair: Pair
    arguments: Sequence[Pair]
    law: Known | None


class Question(NamedTuple):
    """The difference of a pair, or its quotient by `under`, which is written as `spelling`."""

    graph: Graph
    laws: Laws
    pair: Pair
    spelling: tuple[Primitive, Node, Node]
    under: Node | None = None

    def answer(self) -> Node | None:
        """The difference, by the differences of the arguments; `None` if it comes to none."""
        pairs, found, steps = [self.pair], dict[Pair, Node](), dict[Pair, Step]()
        for pair in pairs:  # which grows
            leaf = self._leaf(pair) if pair is not self.pair else None
            if leaf is not None:
                found[pair] = leaf
                continue
            step = self._step(pair)
            if step is None or len(pairs) > MAX_PAIRS:
                return None
            steps[pair] = step
            pairs += step.arguments
        for pair in reversed(pairs):
            if pair not in found:
                step = steps[pair]
                found[pair] = self._combined(step, [found[p] for p in step.arguments])
        return found[self.pair]

    def _leaf(self, pair: Pair) -> Node | None:
        """The difference of two nodes, or its quotient, if terms of it cancel."""
        graph, (left, right) = self.graph, pair
        if left is right:
            return graph.constant(0)
        less = collected(graph, left, right, -1)
        if self.under is None:
            return less
        ratio = reduced(graph, less, self.under) if less is not None else None
        if ratio is not None:
            return ratio
        over = added(polynomial(graph, left), polynomial(graph, right), -1)
        return proportion(graph, over, polynomial(graph, self.under))

    def _step(self, pair: Pair) -> Step | None:
        """How the difference of two nodes comes from their arguments', if they are made alike."""
        left, right = pair
        op = right.op if left.op in CONSTANT_HEADS else left.op
        if op not in COMBINED and op not in self.laws:
            return None
        ours = arguments_of(self.graph, left, right)
        theirs = arguments_of(self.graph, right, left)
        if not (ours and theirs):
            return None
        arguments = list(zip(ours, theirs, strict=True))
        law = next((k for k in self.laws.get(op, ()) if k.fits(arguments)), None)
        return Step(op, pair, arguments, law) if law or op in COMBINED else None

    def _combined(self, step: Step, values: Sequence[Node]) -> Node:
        if step.law is not None:
            return step.law.applied(self, step, values[step.law.place])
        return COMBINED[step.op](self, step, *values)

    def written(self, pair: Pair) -> Node:
        """A difference as it is written, or its quotient."""
        if pair is self.pair:
            return self.graph.intern(*self.spelling)
        less = self.graph.intern(SUBTRACT, *pair)
        return less if self.under is None else self.graph.intern(DIVIDE, less, self.under)

    def chosen(self, step: Step, near: Node, k: int) -> Node:
        """What a rule gives where the two values of argument `k` are near each other."""
        graph, (value, other) = self.graph, step.arguments[k]
        condition = is_near(graph, graph.apply(SUBTRACT, value, other), other)
        return graph.apply(WHERE, condition, near, self.written(step.pair))


class Differencing:
    """The rules for differences of two nodes made alike, and for their quotients."""

    def __init__(self, laws: Iterable[Law]) -> None:
        self._laws = laws

    @cached_property
    def _differences(self) -> Laws:
        return _by_function(self._laws, DIFFERENCE)

    @cached_property
    def _quotients(self) -> Laws:
        return _by_function(self._laws, QUOTIENT)

    def of_functions(self, op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
        """The rule for a difference of two values of a function."""
        if op in SUMS and _alike(op, heads) in self._differences:
            yield Rule(DIFFERENCED, self._difference(op))

    def of_operations(self, op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
        """The rules for a difference of products or quotients, and for what is divided."""
        if op in SUMS and _alike(op, heads) in COMBINED:
            yield Rule(DIFFERENCED, self._difference(op))
        elif op is DIVIDE and heads[1] is not CONSTANT:
            yield Rule(DIFFERENCED, self._quotient)

    def _difference(self, op: Primitive) -> Callable[..., Node | None]:
        def step(graph: Graph, left: Node, right: Node) -> Node | None:
            pair = _pair(graph, op, left, right) if graph.is_program else None
            if pair is None or collected(graph, *pair, -1) is not None:
                return None
            found = Question(graph, self._differences, pair, (op, left, right)).answer()
            if found is not None:
                graph.notes.differences[found] = pair
            return found

        return step

    def _quotient(self, graph: Graph, above: Node, below: Node) -> Node | None:
        if not graph.is_program:
            return None
        pair = graph.notes.differences.get(above)
        if pair is None and above.op is MULTIPLY:
            return self._product_over(graph, above, below)
        if pair is None and above.op in SUMS:
            pair = _pair(graph, above.op, *above.args)
        if pair is None:
            return None
        return Question(graph, self._quotients, pair, (DIVIDE, above, below), below).answer()

    def _product_over(self, graph: Graph, above: Node, below: Node) -> Node | None:
        """A product with a difference that was taken apart, divided."""
        for factor, other in (above.args, above.args[::-1]):
            if factor in graph.notes.differences:
                found = self._quotient(graph, factor, below)
                return None if found is None else graph.apply(MULTIPLY, found, other)
        return None


def _alike(op: Primitive, heads: Sequence[Primitive]) -> Primitive | None:
    """The operation that both sides may be of; a constant may be of any."""
    found = {head for head in heads if head not in CONSTANT_HEADS}
    is_pair = op is SUBTRACT or not CONSTANT_HEADS.isdisjoint(heads)
    return found.pop() if is_pair and len(found) == 1 else None


def _by_function(laws: Iterable[Law], given: str) -> Laws:
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


def _of_sum(question: Question, step: Step, *values: Node) -> Node:
    return question.graph.apply(step.op, *values)


def _of_product(question: Question, step: Step, first: Node, second: Node) -> Node:
    graph, ((_, b), (c, _)) = question.graph, step.arguments
    near = graph.apply(ADD, graph.apply(MULTIPLY, first, c), graph.apply(MULTIPLY, b, second))
    if first.is_constant(0) or second.is_constant(0):
        return near
    return question.chosen(step, near, 0)


def _of_quotient(question: Question, step: Step, first: Node, second: Node) -> Node:
    graph, ((_, u), (v, w)) = question.graph, step.arguments
    lost = graph.apply(MULTIPLY, graph.apply(DIVIDE, u, w), second)
    near = graph.apply(DIVIDE, graph.apply(SUBTRACT, first, lost), v)
    return near if second.is_constant(0) else question.chosen(step, near, 1)


COMBINED: Mapping[Primitive, Callable[..., Node]] = {
    ADD: _of_sum,
    SUBTRACT: _of_sum,
    NEGATIVE: _of_sum,
    MULTIPLY: _of_product,
    DIVIDE: _of_quotient,
}

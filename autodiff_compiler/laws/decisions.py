"""What the condition of a choice decides of the choices in its two sides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial, reduce

from ..graph import AND, NOT, NOT_EQUAL, OR, WHERE, Graph, Node, Rule
from ..primitives import Primitive, lookup

Pair = tuple[Node, Node]
Orders = frozenset[int]  # -1, 0, 1: the first number of a pair is less, equal, greater
NONE: Orders = frozenset()

ORDERS: Mapping[Primitive, Orders] = {  # of two numbers, for which a comparison holds
    lookup("less"): frozenset({-1}),
    lookup("less_equal"): frozenset({-1, 0}),
    lookup("equal"): frozenset({0}),
    NOT_EQUAL: frozenset({0}),  # for which it does not hold; of nan, it does
    lookup("greater_equal"): frozenset({0, 1}),
    lookup("greater"): frozenset({1}),
}
DEEPEST = 4  # choices in choices, and conditions in conditions, that are looked at
MOST = 8  # parts of a condition


def decisions(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """The rule for choices in choices."""
    if op is WHERE and WHERE in heads[1:]:
        yield Rule(("simplify", "what is decided around a choice"), _decided)


def _decided(graph: Graph, condition: Node, yes: Node, no: Node) -> Node | None:
    sides = _sides(graph, condition, (yes, no), Facts(()), 0)
    return None if sides == [yes, no] else graph.apply(WHERE, condition, *sides)


def _sides(
    graph: Graph, condition: Node, sides: Iterable[Node], facts: Facts, depth: int
) -> list[Node]:
    """The sides of a choice, each without what is decided where it is taken."""
    if depth == DEEPEST:
        return [*sides]
    truths = zip(sides, (True, False), strict=True)
    return [_taken(graph, side, facts.where(condition, truth), depth) for side, truth in truths]


def _taken(graph: Graph, choice: Node, facts: Facts, depth: int) -> Node:
    """A choice without what is decided."""
    if choice.op is not WHERE:
        return choice
    condition, *sides = choice.args
    known = facts.decide(condition)
    if known is not None:
        return _taken(graph, sides[not known], facts, depth)
    left = facts.left_of(graph, condition)
    sides = _sides(graph, condition, sides, facts, depth + 1)
    if (left, *sides) == choice.args:
        return choice
    return graph.apply(WHERE, left, *sides)


class Facts:
    """What is known where some conditions hold, and others do not."""

    def __init__(self, given: Iterable[tuple[Node, bool]]) -> None:
        self._given = tuple(given)
        self._known: dict[Node, bool] = {}
        self._possible: dict[Pair, Orders] = {}  # of what is no nan
        self._impossible: dict[Pair, Orders] = {}
        for condition, holds in self._given:
            self._add(condition, holds)

    def where(self, condition: Node, holds: bool) -> Facts:
        """What is known where one more condition holds, or does not."""
        return Facts((*self._given, (condition, holds)))

    def _add(self, condition: Node, holds: bool) -> None:
        """A condition, and the parts of it that hold, or do not, with the whole."""
        pending = [(condition, holds)]
        for part, truth in pending:  # which grows
            self._known[part] = truth
            if part.op in ORDERS:
                self._compare(part, truth)
            elif part.op is NOT:
                pending.append((part.args[0], not truth))
            elif part.op is (AND if truth else OR) and len(pending) < MOST:
                pending += [(a, truth) for a in part.args]

    def _compare(self, comparison: Node, truth: bool) -> None:
        pair, orders = _read(comparison)
        if truth is not (comparison.op is NOT_EQUAL):
            self._possible[pair] = orders & self._possible.get(pair, orders)
        else:
            self._impossible[pair] = orders | self._impossible.get(pair, orders)

    def decide(self, condition: Node, depth: int = 0) -> bool | None:
        """Whether a condition holds; `None` if that is open, or too deep in it."""
        if condition in self._known or depth == DEEPEST:
            return self._known.get(condition)
        if condition.op is NOT:
            inner = self.decide(condition.args[0], depth + 1)
            return None if inner is None else not inner
        if condition.op in (AND, OR):
            parts = {self.decide(part, depth + 1) for part in condition.args}
            decisive = condition.op is OR
            return decisive if decisive in parts else None if None in parts else not decisive
        return self._ordered(condition) if condition.op in ORDERS else None

    def _ordered(self, comparison: Node) -> bool | None:
        found = self._among(*_read(comparison))
        return found if found is None or comparison.op is not NOT_EQUAL else not found

    def _among(self, pair: Pair, orders: Orders) -> bool | None:
        """Whether two numbers are in one of these orders."""
        never = self._impossible.get(pair, NONE)
        if orders <= never:
            return False
        if pair not in self._possible:
            return None
        possible = self._possible[pair] - never
        return True if possible <= orders else False if possible.isdisjoint(orders) else None

    def left_of(self, graph: Graph, condition: Node, depth: int = 0) -> Node:
        """What is still to be asked of a condition that is open."""
        if condition.op not in (AND, OR) or depth == DEEPEST:
            return condition
        parts = [part for part in condition.args if self.decide(part, depth) is None]
        left = [self.left_of(graph, part, depth + 1) for part in parts or condition.args]
        return reduce(partial(graph.apply, condition.op), left)


def _read(comparison: Node) -> tuple[Pair, Orders]:
    """Two numbers, in the order of the trace, and their orders for which a comparison holds."""
    x, y = comparison.args
    orders = ORDERS[comparison.op]
    if x.index <= y.index:
        return (x, y), orders
    return (y, x), frozenset(-order for order in orders)

"""Constants beside a function that are values of it: in `sin(1 + h) - sin(1)`, and `2**x - 8`.

A constant knows what it was folded from; one that was written is the value at what an inverse
gives, if that is exact.  What laws say about two values of the function, they then say here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from .algebra import SUMS, Polynomial, made, polynomial, term
from .graph import (
    ADD,
    CONSTANT,
    DIVIDE,
    MULTIPLY,
    NEGATIVE,
    POWER,
    SUBTRACT,
    WHERE,
    Graph,
    Node,
    Rule,
    Rules,
)
from .primitives import Primitive, lookup
from .primitives.ieee import Number, whole
from .regroup import note
from .rewrite import Law, Pattern

MAX_EXPONENT = 64  # of a whole power that is looked for
MAX_ROOT = 16  # the denominator of an exponent that is no whole number
E, EXP, LOG, CBRT, LOG2, LOG10 = map(lookup, ("e", "exp", "log", "cbrt", "log2", "log10"))
ABS, LESS = lookup("abs"), lookup("less")
CONSTANTS = frozenset({CONSTANT, E})
RESTORED = ("stable", "a constant as a value of the function beside it")
POWERS = ("stable", "a power less that of its constant part")


class Values:
    """Differences of a function and a constant, by those of `rules` about two of its values."""

    def __init__(self, rules: Rules, laws: Iterable[Law]) -> None:
        self._rules, self._laws = rules, laws

    @cached_property
    def _functions(self) -> frozenset[Primitive]:
        return frozenset(_functions(p for law in self._laws for p in law.variants))

    def __call__(self, op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
        """The rules for a sum with a constant, and for its quotient by another sum."""
        if op in SUMS and not CONSTANTS.isdisjoint(heads):
            if not self._functions.isdisjoint(heads):
                yield Rule(RESTORED, self._difference(op))
            if MULTIPLY in heads:
                yield Rule(POWERS, _powers_apart(op))
        elif op is DIVIDE and SUMS.issuperset(heads):
            yield Rule(RESTORED, self._quotient)

    def _difference(self, op: Primitive) -> Callable[..., Node | None]:
        def step(graph: Graph, left: Node, right: Node) -> Node | None:
            pair = self._pair(graph, op, left, right)
            if pair is None:
                return None
            spelled = graph.spelled(graph.intern(op, left, right), SUBTRACT, *pair)
            return self._by_law(graph, spelled)

        return step

    def _quotient(self, graph: Graph, above: Node, below: Node) -> Node | None:
        pair = self._pair(graph, above.op, *above.args)
        if pair is None:
            return None
        over, under = graph.spelled(above, SUBTRACT, *pair), _as_difference(graph, below)
        spelled = graph.spelled(graph.intern(DIVIDE, above, below), DIVIDE, over, under)
        return self._by_law(graph, spelled)

    def _by_law(self, graph: Graph, node: Node) -> Node | None:
        """What the first law that knows a node makes of it."""
        for origin, step in self._rules[node.op, node.args[0].op, node.args[1].op]:
            better = step(graph, *node.args)
            if better is not None:
                note(graph, origin)
                return better
        return None

    def _pair(self, graph: Graph, op: Primitive, left: Node, right: Node) -> Pair | None:
        """Two values of a function whose difference this is."""
        function, constant = (left, right) if right.op in CONSTANTS else (right, left)
        if constant.op not in CONSTANTS or function.op not in self._functions:
            return None
        if op is ADD:
            constant = graph.apply(NEGATIVE, constant)
        value = _value(graph, function, constant)
        if value is None:
            return None
        return (value, function) if op is SUBTRACT and constant is left else (function, value)


Pair = tuple[Node, Node]


def _functions(patterns: Iterable[Pattern]) -> Iterator[Primitive]:
    """The functions that patterns have two of, one less the other."""
    for pattern in patterns:
        less = pattern.args[0] if pattern.op is DIVIDE else pattern
        heads = [a.op for a in less.args] if less.op is SUBTRACT else []
        if heads and heads[0] is heads[1] and heads[0] is not None:
            yield heads[0]


def _as_difference(graph: Graph, total: Node) -> Node:
    if total.op is SUBTRACT:
        return total
    left, right = total.args
    return graph.spelled(total, SUBTRACT, left, graph.apply(NEGATIVE, right))


def _value(graph: Graph, function: Node, constant: Node) -> Node | None:
    """The function of constants that a constant is, as it was before it was folded."""
    op, arguments = graph.folded.get(constant, (CONSTANT, ()))
    others = [a for a, b in zip(arguments, function.args, strict=False) if a is not b]
    if op is not function.op or len(others) != 1:
        arguments = _arguments(graph, function, constant)
    return graph.intern(function.op, *arguments) if arguments else None


def _arguments(graph: Graph, function: Node, constant: Node) -> tuple[Node, ...]:
    """Constants of which a constant is the function's exact value; none, if there are none."""
    if constant.op is E:
        return (graph.constant(1),) if function.op is EXP else ()
    if constant.is_constant(1) and function.op is LOG:
        return (graph.intern(E),)
    find = INVERSES.get(function.op)
    if find is None or isinstance(constant.data, bool) or not math.isfinite(constant.data):
        return ()
    constants = [a.data if a.op is CONSTANT else None for a in function.args]
    found = find(Fraction(constant.data), *constants)
    if found is None or float(found) != found:
        return ()
    argument = graph.constant(whole(float(found)))
    return tuple(
        argument if c is None else a for a, c in zip(function.args, constants, strict=True)
    )


def _logarithm(value: Fraction, base: float) -> Fraction | None:
    """The whole number whose power of the base this is."""
    if base <= 0 or base == 1 or value <= 0 or not math.isfinite(base):
        return None
    exponent = round(math.log(value) / math.log(base))
    small = abs(exponent) <= MAX_EXPONENT
    return Fraction(exponent) if small and Fraction(base) ** exponent == value else None


def _root(value: Fraction, exponent: float) -> Fraction | None:
    """The number whose power this is, if the exponent is a fraction such as 2/3, rounded."""
    if value <= 0 or not math.isfinite(exponent):
        return None
    power = Fraction(exponent).limit_denominator(MAX_ROOT)
    if float(power) != exponent or not 0 < abs(power) <= MAX_EXPONENT:
        return None
    p, q = power.numerator, power.denominator
    root = Fraction(float(value) ** (q / p))
    found = (f for f in (root, Fraction(round(root))) if f > 0 and f**p == value**q)
    return next(found, None)


def _power(value: Fraction, base: float | None, exponent: float | None) -> Fraction | None:
    if base is not None:
        return _logarithm(value, base)
    return None if exponent is None else _root(value, exponent)


def _reciprocal(value: Fraction, over: float | None, under: float | None) -> Fraction | None:
    return 1 / value if over == 1 and under is None and value else None


def _exponential(value: Fraction, base: int) -> Fraction | None:
    whole = value.denominator == 1 and abs(value) <= MAX_EXPONENT
    return Fraction(base) ** int(value) if whole else None


INVERSES: Mapping[Primitive, Callable[..., Fraction | None]] = {
    CBRT: lambda value, _: value**3,
    LOG2: lambda value, _: _exponential(value, 2),
    LOG10: lambda value, _: _exponential(value, 10),
    POWER: _power,
    DIVIDE: _reciprocal,
}


def _powers_apart(op: Primitive) -> Callable[..., Node | None]:
    """The rule for a sum of a product and a constant."""

    def step(graph: Graph, left: Node, right: Node) -> Node | None:
        product, constant = (left, right) if right.op is CONSTANT else (right, left)
        if product.op is not MULTIPLY or constant.op is not CONSTANT:
            return None
        power = _power_of_sum(graph, product)
        if power is None or not power.starts_at(-constant.data if op is ADD else constant.data):
            return None
        near = graph.apply(MULTIPLY, power.rest, power.quotient(graph))
        if op is SUBTRACT and product is right:
            near = graph.apply(NEGATIVE, near)
        return graph.apply(WHERE, power.is_near(graph), near, graph.intern(op, left, right))

    return step


class Power(NamedTuple):
    """A power of a sum: of its constant part, and of the rest."""

    base: Node
    start: Number
    rest: Node
    exponent: int

    def starts_at(self, value: Number) -> bool:
        """Whether the power of the constant part is exactly this."""
        return math.isfinite(value) and Fraction(self.start) ** self.exponent == Fraction(value)

    def is_near(self, graph: Graph) -> Node:
        """Whether the rest is so small that the power less that of the constant part cancels."""
        double = graph.apply(MULTIPLY, graph.constant(2), graph.apply(ABS, self.rest))
        return graph.apply(LESS, double, graph.constant(abs(self.start)))

    def quotient(self, graph: Graph) -> Node:
        """The power less that of the constant part, over the rest: a sum of products of powers."""
        total = graph.apply(ADD, self.base, graph.constant(self.start))
        for k in range(2, self.exponent):
            product = graph.apply(MULTIPLY, total, self.base)
            total = graph.apply(ADD, product, graph.constant(self.start**k))
        return total


def _power_of_sum(graph: Graph, product: Node) -> Power | None:
    whole = term(graph, product)
    if len(whole.powers) != 1 or whole.coefficient != 1 or not whole.sums:
        return None
    ((index, exponent),) = whole.powers.items()
    base = graph.nodes[index]
    terms: Polynomial = dict(polynomial(graph, base)) if base.op in SUMS else {}
    start = terms.pop((), 0)
    if exponent < 2 or not start or not terms:
        return None
    return Power(base, start, made(graph, terms, {}), exponent)

"""A pass over whole sums and products, for pairs that a stable law knows.

A law sees the two operands of an operation.  This pass looks through `(a + b) - c` and
`(a*b)/c` for a pair that was not written side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property, partial, reduce
from itertools import product
from typing import NamedTuple

from ..graph import ADD, CONSTANT, DIVIDE, MULTIPLY, SUBTRACT, SUMS, WHERE, Graph, Node, Rule, Rules
from ..primitives import Primitive
from ..primitives.ieee import Number
from ..rewrite import Law, Pattern
from .algebra import Powers, made_product, multiplied, term
from .lowest import reduced
from .norms import summed
from .sight import MAX_FACTORS, PRODUCTS, SQUARES

SUMMED = SUMS | SQUARES

MAX_LOOK = 4  # terms on each side of a sum that are looked through


class Signed(NamedTuple):
    """A term of a sum."""

    sign: int
    node: Node


def _terms(node: Node, sign: int) -> list[Signed]:
    """The terms of one side of a sum, as far as one looks."""
    found: list[Signed] = []
    while node.op in SUMS and len(found) < MAX_LOOK - 1:
        found.append(Signed(sign if node.op is ADD else -sign, node.args[1]))
        node = node.args[0]
    return [Signed(sign, node), *reversed(found)]


def operations(patterns: Iterable[Pattern]) -> frozenset[Primitive]:
    """The functions that patterns are of; products and constants are too common to tell."""
    found = {pattern.op for pattern in patterns if pattern.op is not None}
    return frozenset(found - PRODUCTS - SUMS - {CONSTANT})


class Regroup:
    """Pairs of terms, or of factors, that stand apart and that one of `rules` knows.

    `laws` are those among the rules; their patterns tell what is worth looking at.
    """

    def __init__(self, rules: Rules, laws: Iterable[Law]) -> None:
        self._rules, self._laws = rules, laws

    @cached_property
    def _terms(self) -> frozenset[Primitive]:
        """Of what the terms are that a law knows."""
        return operations(a for p in self._patterns() if p.op in SUMS for a in p.args)

    @cached_property
    def _above(self) -> frozenset[Primitive]:
        """Of what the dividends are that a law knows."""
        return operations(p.args[0] for p in self._patterns() if p.op is DIVIDE)

    @cached_property
    def _under(self) -> frozenset[Primitive]:
        """Of what the divisors are that a law knows of a multiple of something, or a difference."""
        laws = (law for law in self._laws if law.is_relative)
        patterns = (p for law in laws for p in law.variants if p.args[0].op in (None, SUBTRACT))
        return operations(p.args[1] for p in patterns if all(a.op is None for a in p.args[0].args))

    @cached_property
    def _differences(self) -> frozenset[Primitive]:
        """Of what the two terms of a dividend are that a law knows."""
        above = (p.args[0] for p in self._patterns() if p.op is DIVIDE)
        return operations(a for p in above if p.op is SUBTRACT for a in p.args)

    @cached_property
    def _partners(self) -> Mapping[Primitive, frozenset[Primitive]]:
        """The functions whose products with others a law knows, and those others."""
        found: dict[Primitive, frozenset[Primitive]] = {}
        for pattern in self._patterns():
            pair = operations(pattern.args) if pattern.op is MULTIPLY else frozenset()
            for function in pair if len(pair) > 1 else ():
                found[function] = found.get(function, frozenset()) | pair - {function}
        return found

    def _may_be_over(self, node: Node) -> bool:
        """Whether a law knows a quotient of such a node: a function, or the difference of two."""
        if node.op is SUBTRACT:
            return node.args[0].op is node.args[1].op and node.args[0].op in self._differences
        return node.op in self._above

    def _patterns(self) -> Iterator[Pattern]:
        return (variant for law in self._laws for variant in law.variants)

    def __call__(self, op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
        """The rule for an operation on sums, or on products."""
        if op in SUMS and not SUMS.isdisjoint(heads):
            yield Rule(("regroup", "terms brought together"), self._sums(op))
        apart = op in (MULTIPLY, DIVIDE) and not PRODUCTS.isdisjoint(heads)
        if apart and (op is DIVIDE or SUBTRACT in heads or not self._above.isdisjoint(heads)):
            yield Rule(("regroup", "factors brought together"), self._products(op))
        if op is MULTIPLY and heads[0] is MULTIPLY and heads[1] in self._partners:
            yield Rule(("regroup", "factors brought together"), self._multiply_apart)
        if op is DIVIDE and WHERE in heads and CONSTANT not in heads:
            yield Rule(("regroup", "what is chosen, divided"), self._divide_chosen)
        if op is DIVIDE and DIVIDE in heads:
            yield Rule(("regroup", "a constant divisor, last"), self._divide_scaled)
        if op is MULTIPLY and {*heads} == {DIVIDE, WHERE}:
            yield Rule(("regroup", "what is chosen, divided"), self._multiply_chosen)
        if op is DIVIDE and heads[0] is MULTIPLY:
            yield Rule(("regroup", "what is chosen, divided"), self._divide_factor)

    def _sums(self, op: Primitive) -> Callable[..., Node | None]:
        rules = self._rules

        def step(graph: Graph, left: Node, right: Node) -> Node | None:
            if self._terms.isdisjoint(graph.heads) and SUMMED.isdisjoint(graph.divisors):
                return None
            ours, theirs = _terms(left, 1), _terms(right, 1 if op is ADD else -1)
            if not any(self._is_promising(graph, t.node.op) for t in (*theirs, *ours)):
                return None
            for a in ours:
                for b in theirs:
                    pair = ADD if a.sign == b.sign else SUBTRACT
                    for origin, better in rules[pair, a.node.op, b.node.op]:
                        node = better(graph, a.node, b.node)
                        if node is not None:
                            graph.note(origin)
                            rest = [t for t in (*ours, *theirs) if t is not a and t is not b]
                            return summed(graph, [*rest, Signed(a.sign, node)])
            return None

        return step

    def _is_promising(self, graph: Graph, op: Primitive) -> bool:
        """Whether a term may go with another: by a law, or over a divisor that is a sum."""
        return op in self._terms or (op in PRODUCTS and not graph.divisors.isdisjoint(SUMMED))

    def _products(self, op: Primitive) -> Callable[..., Node | None]:
        return self._multiply if op is MULTIPLY else self._divide

    def _multiply(self, graph: Graph, left: Node, right: Node) -> Node | None:
        """A product with a function, one of the divisors of which goes with the function."""
        over, rest = (left, right) if self._may_be_over(left) else (right, left)
        rules = self._rules
        if not self._may_be_over(over) or not any(
            rules[DIVIDE, over.op, d] for d in graph.divisors
        ):
            return None
        whole = term(graph, rest)
        if not whole.below:
            return None
        below = {j: e for j, e in whole.powers.items() if e < 0}
        found = self._quotient(graph, {over.index: 1}, below)
        if found is None:
            return None
        powers = multiplied(multiplied(whole.powers, {over.index: 1}), found.powers, -1)
        node = made_product(graph, found.node, powers)
        return graph.apply(MULTIPLY, graph.constant(whole.coefficient * found.scale), node)

    def _multiply_chosen(self, graph: Graph, left: Node, right: Node) -> Node | None:
        """A quotient times what a law chose between, where another knows that over the divisor."""
        choice, (above, below) = (left, right.args) if left.op is WHERE else (right, left.args)
        found = self._divide_chosen(graph, choice, below)
        return found and graph.apply(MULTIPLY, above, found)

    def _multiply_apart(self, graph: Graph, left: Node, right: Node) -> Node | None:
        """A product with a function, one factor of which goes with it."""
        factors, partners = _factors(left), self._partners[right.op]
        for k, factor in enumerate(factors):
            if factor.op in partners and (found := self._known(graph, factor, right, MULTIPLY)):
                return reduce(
                    partial(graph.apply, MULTIPLY), [*factors[:k], *factors[k + 1 :], found]
                )
        return None

    def _divide(self, graph: Graph, left: Node, right: Node) -> Node | None:
        """A quotient of products, in which some factors go with divisors."""
        if not (self._may_divide(graph, right) or self._is_difference_over_sum(left, right)):
            return None
        ours, theirs = term(graph, left), term(graph, right)
        powers = multiplied(ours.powers, theirs.powers, -1)
        scale, left_over = self._divided(graph, ours.coefficient, powers, left)
        if left_over is powers:
            return None
        if scale == theirs.coefficient:
            return made_product(graph, graph.constant(1), left_over)
        node = made_product(graph, graph.constant(scale), left_over)
        return graph.apply(DIVIDE, node, graph.constant(theirs.coefficient))

    def _divide_chosen(self, graph: Graph, left: Node, right: Node) -> Node | None:
        """A quotient of what a law chose between, where another knows the first one's quotient."""
        choice = left if left.op is WHERE else right
        sides = [[b if a is choice else a for a in (left, right)] for b in choice.args[1:]]
        near = self._divide(graph, *sides[0]) or reduced(graph, *sides[0])
        if near is None or not graph.is_program:
            return None
        condition, far = choice.args[0], _as_chosen(graph, *sides[1])
        return graph.apply(WHERE, condition, _where_true(graph, near, condition), far)

    def _divide_factor(self, graph: Graph, left: Node, right: Node) -> Node | None:
        """A quotient of a product, one factor of which a law chose between."""
        factors = _factors(left)
        for k, factor in enumerate(factors):
            if factor.op is WHERE and (near := self._divide_chosen(graph, factor, right)):
                whole = (*factors[:k], near, *factors[k + 1 :])
                return reduce(partial(graph.apply, MULTIPLY), whole)
        return None

    def _divide_scaled(self, graph: Graph, left: Node, right: Node) -> Node | None:
        """A quotient in which the dividend or the divisor is divided by a constant."""
        over, above = _without_constant(left)
        under, below = _without_constant(right)
        if above is below:
            return None
        found = self._known(graph, over, under)
        if found and above:
            found = graph.apply(DIVIDE, found, above)
        return graph.apply(MULTIPLY, found, below) if found and below else found

    def _divided(
        self, graph: Graph, scale: Number, powers: Powers, kept: Node
    ) -> tuple[Number, Powers]:
        """A term with factors divided by others, as long as a rule knows a quotient.

        The quotient that is `kept` is where a rule left it as it was.
        """
        for _ in range(MAX_FACTORS):
            above, below = ({i: e for i, e in powers.items() if sign * e > 0} for sign in (1, -1))
            found = self._quotient(graph, above, below, kept)
            if found is None:
                break
            made = term(graph, found.node)
            scale *= made.coefficient * found.scale
            powers = multiplied(multiplied(powers, found.powers, -1), made.powers)
        return scale, powers

    def _over_powers(self, graph: Graph, overs: Iterable[int], below: Powers) -> Iterator[Fraction]:
        """Functions over squares and cubes."""
        nodes = graph.nodes
        for i, j in product(overs, below):
            if below[j] < -1 and self._may_be_over(nodes[i]):
                power = {j: -below[j]}
                under = made_product(graph, graph.constant(1), power)
                yield Fraction(nodes[i], under, multiplied({i: 1}, power, -1), 1)

    def _is_difference_over_sum(self, left: Node, right: Node) -> bool:
        """Whether, at sight, this is a difference that a law knows over what may be a sum."""
        factors = left.args if left.op is MULTIPLY else (left,)
        known = any(f.op is SUBTRACT and self._may_be_over(f) for f in factors)
        return known and (right.op in SUMS or right.op in PRODUCTS)

    def _may_divide(self, graph: Graph, divisor: Node) -> bool:
        """Whether a law knows a function of the graph divided by this, or by a factor of it."""
        rules = self._rules
        unders = [a.op for a in divisor.args] if divisor.op is MULTIPLY else [divisor.op]
        if not self._under.isdisjoint(unders):
            return True
        functions = self._above & graph.heads
        return any(u in PRODUCTS or rules[DIVIDE, f, u] for f in functions for u in unders)

    def _quotient(
        self, graph: Graph, above: Powers, below: Powers, kept: Node | None = None
    ) -> Quotient | None:
        """Some factors divided by others, if a rule knows the quotient."""
        for over, under, taken, scale in self._fractions(graph, above, below):
            is_kept = kept is not None and _divides(kept, over, under)
            node = None if is_kept else self._known(graph, over, under)
            if node is not None:
                return Quotient(node, taken, scale)
        return None

    def _known(self, graph: Graph, over: Node, under: Node, op: Primitive = DIVIDE) -> Node | None:
        """The quotient of two nodes, or their product, if a rule knows it."""
        for origin, better in self._rules[op, over.op, under.op]:
            node = better(graph, over, under)
            if node is not None and node is not graph.known(op, (over, under)):
                graph.note(origin)
                return node
        return None

    def _fractions(self, graph: Graph, above: Powers, below: Powers) -> Iterator[Fraction]:
        """What a rule may know: first, functions over all of their argument, or the inverse."""
        nodes = graph.nodes
        overs = sorted(above, key=lambda i: not self._may_be_over(nodes[i]))
        for i in overs:
            if self._may_be_over(nodes[i]):
                yield from _over_argument(graph, i, 1, below)
        for j in below:
            if nodes[j].op in self._under:
                yield from _over_argument(graph, j, -1, above)
        if graph.is_program:
            yield from self._over_powers(graph, overs, below)
        for i, j in product(overs, below):
            if self._may_be_over(nodes[i]) or nodes[j].op in self._under:
                taken = multiplied({i: 1}, {j: 1}, -1)
                yield Fraction(nodes[i], nodes[j], taken, 1)


def _without_constant(node: Node) -> tuple[Node, Node | None]:
    """What is divided by a constant, and that."""
    if node.op is DIVIDE and node.args[1].op is CONSTANT:
        return node.args[0], node.args[1]
    return node, None


def _as_chosen(graph: Graph, left: Node, right: Node) -> Node:
    """A quotient of what is chosen far off: as written, or the same choice would be made in it."""
    is_choice = WHERE in (left.op, right.op)
    return (graph.apply if is_choice else graph.intern)(DIVIDE, left, right)


def _divides(quotient: Node, over: Node, under: Node) -> bool:
    """Whether a node is a quotient of these two, or of a product with the one by the other."""
    if quotient.op is not DIVIDE or quotient.args[1] is not under:
        return False
    return over in _factors(quotient.args[0])


def _factors(node: Node) -> list[Node]:
    """The factors of a product, as far as one looks."""
    found: list[Node] = []
    while node.op is MULTIPLY and len(found) < MAX_LOOK - 1:
        found.append(node.args[1])
        node = node.args[0]
    return [node, *reversed(found)]


def _over_argument(graph: Graph, i: int, sign: int, powers: Powers) -> Iterator[Fraction]:
    """A function over its argument, or the inverse, if all factors of that are in `powers`."""
    function = graph.nodes[i]
    argument, *more = function.args
    whole = term(graph, argument)
    taken = {j: -sign * e for j, e in whole.powers.items()}
    if more or len(taken) < 2 or any(t * (powers.get(j, 0) - t) < 0 for j, t in taken.items()):
        return
    if sign > 0:
        yield Fraction(function, argument, multiplied({i: 1}, taken), whole.coefficient)
    else:
        yield Fraction(argument, function, multiplied({i: -1}, taken), 1 / whole.coefficient)


def _where_true(graph: Graph, node: Node, condition: Node) -> Node:
    """A product, where a condition holds: of choices by it, the branches that are taken."""
    whole = term(graph, node)
    scale, powers = whole.coefficient, whole.powers
    for i, exponent in whole.powers.items():
        choice = graph.nodes[i]
        if choice.op is WHERE and choice.args[0] is condition:
            taken = term(graph, choice.args[1])
            scale *= taken.coefficient**exponent
            rest = multiplied(powers, {i: exponent}, -1)
            powers = multiplied(rest, {k: e * exponent for k, e in taken.powers.items()})
    if powers is whole.powers:
        return node
    return made_product(graph, graph.constant(scale), powers)


class Fraction(NamedTuple):
    """One node over another, which is, times `scale`, powers that a product may have."""

    over: Node
    under: Node
    powers: Powers
    scale: Number


class Quotient(NamedTuple):
    """A node that is, times `scale`, powers of a product."""

    node: Node
    powers: Powers
    scale: Number

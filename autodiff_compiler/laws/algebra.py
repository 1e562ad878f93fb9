"""Small polynomials over the nodes of a graph: sums whose terms cancel, before they are computed.

A node is read as a `Term`, a coefficient times integer powers of other nodes, and a sum as a
`Polynomial` of them.  What would have many terms is left as it is, so all takes linear time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial, reduce
from itertools import chain, islice, repeat, zip_longest
from typing import NamedTuple

from ..graph import ADD, CONSTANT, DIVIDE, MULTIPLY, NEGATIVE, SUBTRACT, SUMS, Graph, Node
from ..primitives import lookup
from ..primitives.ieee import Number, doubles, is_power_of_two, plus, split
from .sight import MAX_APART, MAX_FACTORS, MAX_LOOKS, OPEN, PRODUCTS, SQUARES, are_unlike, is_term

ABS, HYPOT, NONZERO, RATIO = map(lookup, ("abs", "hypot", "nonzero", "ratio"))
SQRT, SQRT_PRODUCT = map(lookup, ("sqrt", "sqrt_product"))
MAX_POWER = 64  # of a factor: each is multiplied by itself as often
MAX_TERMS = 12  # of a polynomial
MAX_DEGREE = 3  # of what is multiplied out

Powers = Mapping[int, int]  # exponent of each node, by its index in the graph
Monomial = tuple[tuple[int, int], ...]  # the same, sorted
Polynomial = dict[Monomial, Number]


class Term(NamedTuple):
    """A coefficient times powers of nodes; whether some may stand below the line, or are sums."""

    coefficient: Number
    powers: Powers
    below: bool
    sums: bool


def term(graph: Graph, node: Node) -> Term:
    """A node as a term; a node that is no product is its own first power."""
    known: dict[Node, Term] = graph.terms
    found = known.get(node)
    if found is not None:
        return found
    pending = [node]
    while pending:
        top, ready = pending[-1], True
        for argument in top.args if top.op in PRODUCTS else ():
            if argument not in known:
                if argument.op in PRODUCTS:
                    pending.append(argument)
                    ready = False
                else:
                    known[argument] = _factor(argument)
        if ready:
            known[pending.pop()] = _product(top, known) if top.op in PRODUCTS else _factor(top)
    return known[node]


def _factor(node: Node) -> Term:
    if node.op is CONSTANT and _is_small(node.data):
        return Term(node.data, {}, False, False)
    return Term(1, {node.index: 1}, False, node.op in SUMS or node.op in SQUARES)


def _product(node: Node, known: Mapping[Node, Term]) -> Term:
    left = known[node.args[0]]
    if node.op is NONZERO:
        return left
    if node.op is NEGATIVE:
        return left._replace(coefficient=-left.coefficient)
    right, over = known[node.args[1]], node.op is not MULTIPLY
    powers = multiplied(left.powers, right.powers, -1 if over else 1)
    if len(powers) > MAX_FACTORS or (over and not is_power_of_two(right.coefficient)):
        return _factor(node)
    shared = len(powers) < len(left.powers) + len(right.powers)
    if shared and max(map(abs, powers.values()), default=0) > MAX_POWER:
        return _factor(node)
    scale = left.coefficient
    if right.coefficient != 1:
        scale = scale / right.coefficient if over else scale * right.coefficient
    return Term(scale, powers, left.below or right.below or over, left.sums or right.sums)


def _is_small(value: Number) -> bool:
    """Whether a constant is a number that products with a few others keep finite."""
    return not isinstance(value, bool) and 1e-30 < abs(value) < 1e30


def multiplied(left: Powers, right: Powers, sign: int = 1) -> dict[int, int]:
    """Powers of a product, or of a quotient with `sign` -1."""
    if sign > 0 and left.keys().isdisjoint(right):
        return {**left, **right}
    powers = dict(left)
    for index, exponent in right.items():
        total = powers.get(index, 0) + sign * exponent
        if total:
            powers[index] = total
        else:
            del powers[index]
    return powers


def shares_factor(left: Term, right: Term) -> bool:
    """Whether two products have a factor in common, on the same side of the line."""
    return any(e * left.powers.get(i, 0) > 0 for i, e in right.powers.items())


def polynomial(graph: Graph, node: Node) -> Polynomial:
    """A sum as the polynomial of its terms; products of sums in it are not multiplied out."""
    known: dict[Node, Polynomial] = graph.sums
    pending = [node]
    while pending:
        top = pending[-1]
        missing = [a for a in top.args if a not in known] if top.op in SUMS else []
        if missing and top not in known:
            pending += missing
        else:
            known[pending.pop()] = known.get(top) or _polynomial(graph, top, known)
    return known[node]


def _polynomial(graph: Graph, node: Node, known: Mapping[Node, Polynomial]) -> Polynomial:
    if node.op in SUMS:
        left, right = (known[a] for a in node.args)
        total = added(left, right, 1 if node.op is ADD else -1)
        return total if 0 < len(total) <= MAX_TERMS else {((node.index, 1),): 1}
    found = term(graph, node)
    return {monomial_of(found.powers): found.coefficient}


def monomial_of(powers: Powers) -> Monomial:
    """Powers as a key."""
    return tuple(sorted(powers.items()))


def added(left: Polynomial, right: Polynomial, sign: int = 1) -> Polynomial:
    """The sum, or with `sign` -1 the difference; terms that cancel are gone."""
    total = dict(left)
    if left.keys().isdisjoint(right):
        return {**left, **(right if sign > 0 else {m: -c for m, c in right.items()})}
    for monomial, coefficient in right.items():
        total[monomial] = plus(total.get(monomial, 0), sign * coefficient)
    return {monomial: c for monomial, c in total.items() if c}


def times(left: Polynomial, right: Polynomial) -> Polynomial:
    """The product, multiplied out."""
    total: Polynomial = {}
    for m, c in left.items():
        for n, d in right.items():
            key = monomial_of(multiplied(dict(m), dict(n)))
            total[key] = plus(total.get(key, 0), c * d)
    return {monomial: c for monomial, c in total.items() if c}


def expanded(graph: Graph, coefficient: Number, powers: Powers) -> Polynomial | None:
    """A term multiplied out, squares of roots included; `None` if it is too large."""
    factors = list(chain.from_iterable(_factors(graph, i, e) for i, e in powers.items()))
    total: Polynomial = {(): coefficient}
    for factor in factors:
        total = times(total, factor)
        if len(total) > MAX_TERMS:
            return None
    return total


def _factors(graph: Graph, index: int, exponent: int) -> Iterable[Polynomial]:
    node = graph.nodes[index]
    if exponent > 0 and node.op in SUMS:
        return repeat(polynomial(graph, node), exponent)
    rest: Polynomial = {((index, exponent % 2),): 1} if exponent % 2 else {(): 1}
    square = _square(graph, node) if exponent > 1 and node.op in SQUARES else None
    if square is not None and len(square) <= MAX_TERMS:
        return [rest, *repeat(square, exponent // 2)]
    return [{((index, exponent),): 1}]


def _square(graph: Graph, node: Node) -> Polynomial:
    """The square of a root or a norm."""
    parts = [polynomial(graph, a) for a in node.args]
    if node.op is SQRT:
        return parts[0]
    if node.op is SQRT_PRODUCT:
        return times(*parts)
    return reduce(added, (times(part, part) for part in parts))


def lessened(left: Polynomial, right: Polynomial, sign: int) -> Polynomial | None:
    """The sum or difference, if terms of the two cancel and a shorter one remains."""
    if not any(m in left and left[m] * c * sign < 0 for m, c in right.items()):
        return None
    total = added(left, right, sign)
    one, other, both = (doubles(p.values()) for p in (left, right, total))
    longest = max(2, 1 + len(left) // 2) if left.keys() == right.keys() else max(one, other)
    digits = one + other > len(left) + len(right)  # are won
    return total if 0 < both < longest + digits else None


def collected(graph: Graph, left: Node, right: Node, sign: int) -> Node | None:
    """`left + sign*right` with its common factors taken out, if what they leave cancels."""
    if are_unlike(left, right):
        return None
    a, b = term(graph, left), term(graph, right)
    if len(a.powers.keys() ^ b.powers.keys()) > MAX_APART or not (a.sums or b.sums):
        return None
    if a.below or b.below or not a.powers.keys().isdisjoint(b.powers):
        return _divided_out(graph, a, b, sign, (left, right))
    degrees = sum(a.powers.values()), sum(b.powers.values())
    if max(degrees) == 1 or is_term(left, right) or is_term(right, left):
        total = lessened(polynomial(graph, left), polynomial(graph, right), sign)
        return None if total is None else made(graph, _kept(graph, total, (left, right)), {})
    return _divided_out(graph, a, b, sign, (left, right)) if min(degrees) == 0 else None


def _divided_out(graph: Graph, a: Term, b: Term, sign: int, pair: tuple[Node, Node]) -> Node | None:
    """The sum of two terms as their common factors times what is left, if that cancels."""
    p, q = _above(a.powers, b.powers), _above(b.powers, a.powers)
    if not (_may_match(graph, p, q) and _may_match(graph, q, p)):
        return None
    first, second = expanded(graph, a.coefficient, p), expanded(graph, b.coefficient, q)
    total = lessened(first, second, sign) if first is not None and second is not None else None
    if total is None:
        return None
    common = multiplied(a.powers, p, -1)
    return made(graph, _kept(graph, total, pair), _guarded(graph, common, pair))


def _kept(graph: Graph, total: Polynomial, pair: Sequence[Node]) -> Polynomial:
    """The terms, with norms that leave nothing where they are 0 as in what they were made of."""
    if all(e > 0 for monomial in total for _, e in monomial):
        return total
    return {monomial_of(_guarded(graph, dict(m), pair)): c for m, c in total.items()}


def _guarded(graph: Graph, powers: Powers, pair: Sequence[Node]) -> Powers:
    """The powers, with norms that leave nothing where they are 0 if they did so in both terms."""
    found = {
        i: guard.index
        for i, e in powers.items()
        if e < 0 and (guard := graph.known(NONZERO, (graph.nodes[i],)))
    }
    if not found or any(map(_has_bare_norm, pair)):
        return powers
    return {found.get(i, i): e for i, e in powers.items()}


def _has_bare_norm(product: Node) -> bool:
    """Whether a norm divides also where it is 0."""
    pending = [(product, False)]
    for node, divides in islice(pending, MAX_LOOKS):  # which grows
        if node.op is DIVIDE:
            pending += [(node.args[0], divides), (node.args[1], not divides)]
        elif node.op in OPEN - SQUARES and node.op is not NONZERO:
            pending += [(a, divides) for a in node.args]
    return any(divides and node.op is HYPOT for node, divides in pending)


def _above(one: Powers, other: Powers) -> dict[int, int]:
    """The powers of one term that another has not."""
    above = {i: e - other.get(i, 0) for i, e in one.items() if e > other.get(i, 0)}
    below = {i: -e for i, e in other.items() if e < 0 and i not in one}
    return {**above, **below} if below else above


def _may_match(graph: Graph, one: Powers, other: Powers) -> bool:
    """Whether the factors of `one` that are no sums occur in what the other is multiplied out."""
    if sum(one.values()) > MAX_DEGREE:
        return False
    plain = [i for i, e in one.items() if i not in other and not _expands(graph.nodes[i], e)]
    if not plain:
        return True
    sums = [n for n in map(graph.nodes.__getitem__, other) if n.op in SUMS or n.op in SQUARES]
    found = {i for node in sums for monomial in _expansion(graph, node) for i, _ in monomial}
    return found.issuperset(plain)


def _expands(node: Node, exponent: int) -> bool:
    return node.op in SUMS or (node.op in SQUARES and exponent > 1)


def _expansion(graph: Graph, node: Node) -> Iterable[Monomial]:
    """The terms of a sum, or of the arguments of a root or a norm."""
    if node.op in SQUARES:
        return [m for a in node.args for m in polynomial(graph, a)]
    return polynomial(graph, node)


def made(graph: Graph, total: Polynomial, factor: Powers) -> Node:
    """The node of a polynomial times powers, its common factors in front."""
    if len(total) == 1:
        ((monomial, coefficient),) = total.items()
        node = made_term(graph, abs(coefficient), multiplied(factor, dict(monomial)))
        return graph.apply(NEGATIVE, node) if coefficient < 0 else node
    shared = _shared(list(total))
    rest = {monomial_of(multiplied(dict(m), shared, -1)): c for m, c in total.items()}
    positive = [made_term(graph, c, dict(m)) for m, c in rest.items() if c > 0]
    negative = [made_term(graph, -c, dict(m)) for m, c in rest.items() if c < 0]
    node = _sum(graph, positive, negative)
    return made_product(graph, node, multiplied(factor, shared))


def _shared(monomials: Sequence[Monomial]) -> dict[int, int]:
    """The powers that all of several monomials have, on the same side of the line."""
    first, *rest = map(dict, monomials)
    return {
        i: min(e, *(m[i] for m in rest))
        for i, e in first.items()
        if all(e * m.get(i, 0) > 0 for m in rest)
    }


def _sum(graph: Graph, positive: list[Node], negative: list[Node]) -> Node:
    less = reduce(lambda a, b: graph.apply(ADD, a, b), negative) if negative else None
    if not positive:
        assert less is not None, "an empty sum"
        return graph.apply(NEGATIVE, less)
    more = reduce(lambda a, b: graph.apply(ADD, a, b), positive)
    return more if less is None else graph.apply(SUBTRACT, more, less)


def made_term(graph: Graph, coefficient: Number, powers: Powers) -> Node:
    """The node of a term."""
    constants = map(graph.constant, split(coefficient))
    return made_product(graph, reduce(partial(graph.apply, ADD), constants), powers)


def made_product(graph: Graph, node: Node, powers: Powers) -> Node:
    """`node` times powers; factors and divisors take turns, lest a product overflow."""
    above = [graph.nodes[i] for i, e in powers.items() for _ in range(e)]
    below = [graph.nodes[i] for i, e in powers.items() for _ in range(-e)]
    if above and node.is_constant(1):
        node = above.pop(0)
    for factor, divisor in zip_longest(above, below):
        if divisor is not None:
            node = graph.apply(DIVIDE, node, divisor)
        if factor is not None:
            node = graph.apply(MULTIPLY, node, factor)
    return node

"""Products with gamma functions, as densities have: in range where factors of them are not.

There, they are exponentials of sums of logarithms.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial, reduce
from itertools import zip_longest
from typing import NamedTuple

from ..graph import (
    ADD,
    AND,
    CONSTANT,
    DIVIDE,
    MULTIPLY,
    NOT,
    POWER,
    QUOTIENTS,
    SUBTRACT,
    WHERE,
    Graph,
    Node,
    Rule,
)
from ..partials import Pen
from ..primitives import Primitive, lookup

ABS, EXP, LOG = map(lookup, ("abs", "exp", "log"))
LARGE = 290  # beyond ten to this, and its inverse, the logarithms of factors are summed;
SQUARED = 153  # and already beyond this, if slopes have squares of factors
MOST = 16  # factors that are looked at


class Logarithm(NamedTuple):
    """The logarithm of a factor, over its arguments, and where it is one."""

    text: str
    where: tuple[str, ...] = ()


GAMMAS: Mapping[Primitive, Logarithm] = {
    lookup("gamma"): Logarithm("gammaln(x)", ("x > 0",)),
    lookup("factorial"): Logarithm("gammaln(x + 1)", ("x > -1",)),
    lookup("beta"): Logarithm("betaln(a, b)", ("a > 0", "b > 0")),
    lookup("binom"): Logarithm(
        "(gammaln(n + 1) - gammaln(n - k + 1)) - gammaln(k + 1)", ("k > -1", "n - k > -1")
    ),
}
FACTORS: Mapping[Primitive, Logarithm] = {
    **GAMMAS,
    EXP: Logarithm("x"),
    lookup("exp_quotient"): Logarithm("x - y"),
    POWER: Logarithm("y*log(x)", ("x > 0",)),
}
ALONE = FACTORS.keys() | {WHERE}  # one of which, or a quotient, ends such a product


class Product(NamedTuple):
    """Factors above and below the line: those with logarithms, and the others."""

    above: list[Node]
    below: list[Node]
    rest: list[Node]
    divisors: list[Node]


def densities(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """The rule for products of several such factors, one of them a gamma function."""
    kinds = {MULTIPLY: ALONE, DIVIDE: ALONE | QUOTIENTS}.get(op)
    if kinds is not None and not kinds.isdisjoint(heads):
        rule = ("stable", "x**y*exp(z)/gamma(w) -> exp(y*log(x) + z - gammaln(w)), out of range")
        yield Rule(rule, partial(_product, op))


def logarithms(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """The rule for the logarithm of a product with powers, exponentials or gamma functions."""
    if op is LOG and heads[0] in (MULTIPLY, DIVIDE, WHERE, *GAMMAS):
        rule = ("stable", "log(x**y*exp(z)*gamma(w)) -> y*log(x) + z + gammaln(w)")
        yield Rule(rule, _logarithm_of_product)


def _logarithm_of_product(graph: Graph, product: Node) -> Node | None:
    if not graph.is_program or FACTORS.keys().isdisjoint(graph.heads):
        return None
    plain = graph.notes.products.get(product, product)
    found = _factors(graph, [(plain, True)])
    large = found.above + found.below
    if all(factor.op is POWER and factor.args[1].op is CONSTANT for factor in large):
        return None
    rest = _times(graph, found, graph.constant(1))
    inside = graph.apply(ADD, _logarithm(graph, found), graph.apply(LOG, rest))
    where = _where(graph, large)
    if not where:
        return inside
    return graph.apply(WHERE, _all(graph, where), inside, graph.intern(LOG, plain))


def _product(op: Primitive, graph: Graph, left: Node, right: Node) -> Node | None:
    if not graph.is_program or GAMMAS.keys().isdisjoint(graph.heads):
        return None
    found = _factors(graph, [(left, True), (right, op is MULTIPLY)])
    large = found.above + found.below
    if len(large) < 2 or all(factor.op not in GAMMAS for factor in large):
        return None
    plain = graph.intern(op, *(graph.notes.products.get(side, side) for side in (left, right)))
    whole = graph.apply(WHERE, _is_far(graph, plain, large), _far(graph, found), plain)
    graph.notes.products[whole] = plain
    return whole


def _far(graph: Graph, found: Product) -> Node:
    """The product by the sum of the logarithms."""
    return _times(graph, found, graph.apply(EXP, _logarithm(graph, found)))


def _times(graph: Graph, found: Product, node: Node) -> Node:
    """A node times the factors that have no logarithms of their own."""
    node = reduce(partial(graph.apply, MULTIPLY), found.rest, node)
    return reduce(partial(graph.apply, DIVIDE), found.divisors, node)


def _factors(graph: Graph, parts: Iterable[tuple[Node, bool]]) -> Product:
    """What parts of a product are of, each of which is above the line, or below."""
    found, pending = Product([], [], [], []), [*parts]
    for node, is_above in pending:  # which grows
        whole = graph.notes.products.get(node, node)
        if whole.op in QUOTIENTS and len(pending) < MOST:
            pending += [
                (whole.args[0], is_above),
                (whole.args[1], is_above == (whole.op is MULTIPLY)),
            ]
        elif whole.op in FACTORS:
            (found.above if is_above else found.below).append(whole)
        else:
            (found.rest if is_above else found.divisors).append(whole)
    return found


def _written(graph: Graph, factor: Node, text: str) -> Node:
    return Pen(graph).written(text, **dict(zip(factor.op.args, factor.args, strict=True)))


def _logarithm(graph: Graph, product: Product) -> Node:
    """Gamma functions come first and in pairs, of which laws know the differences."""
    sides = [
        sorted(side, key=lambda f: f.op not in GAMMAS) for side in (product.above, product.below)
    ]
    logs = [[_written(graph, f, FACTORS[f.op].text) for f in side] for side in sides]
    pairs = [_difference(graph, *pair) for pair in zip_longest(*logs)]
    return reduce(partial(graph.apply, ADD), pairs)


def _difference(graph: Graph, more: Node | None, less: Node | None) -> Node:
    if less is None:
        assert more is not None
        return more
    return graph.apply(SUBTRACT, more or graph.constant(0), less)


def _is_far(graph: Graph, plain: Node, factors: Sequence[Node]) -> Node:
    """Whether a product, or a factor, is out of range, and all factors have logarithms."""
    digits = LARGE if all(factor.op in GAMMAS for factor in factors) else SQUARED
    size = graph.intern(ABS, plain)  # as it is: a law would make the product anew
    in_range = f"1e-{digits} < x < 1e{digits}"
    near = [Pen(graph).written(in_range, x=node) for node in (size, *factors)]
    return _all(graph, [graph.apply(NOT, _all(graph, near)), *_where(graph, factors)])


def _where(graph: Graph, factors: Iterable[Node]) -> list[Node]:
    """The conditions for all factors to have logarithms."""
    texts = ((factor, FACTORS[factor.op].where) for factor in factors)
    return [_written(graph, factor, part) for factor, parts in texts for part in parts]


def _all(graph: Graph, conditions: Iterable[Node]) -> Node:
    return reduce(partial(graph.apply, AND), dict.fromkeys(conditions))

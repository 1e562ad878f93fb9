"""Stable forms of sums of three terms, in whatever order, of triangles and divergences; angles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial, reduce
from itertools import combinations, islice, product
from typing import NamedTuple

from ..graph import ADD, CONSTANT, DIVIDE, MULTIPLY, NEGATIVE, SUMS, WHERE, Graph, Node, Rule
from ..partials import Pen
from ..primitives import Primitive, lookup
from ..primitives.ieee import Number, whole
from .algebra import (
    MAX_TERMS,
    Monomial,
    Polynomial,
    Powers,
    added,
    made,
    made_term,
    monomial_of,
    multiplied,
    polynomial,
    term,
    times,
)

ABS, ARCCOS, COS = map(lookup, ("abs", "arccos", "cos"))
HYPOT, LOG, REL_ENTR = map(lookup, ("hypot", "log", "rel_entr"))


class Form(NamedTuple):
    """What stands for a sum where a condition holds, both as texts of the table."""

    condition: str
    text: str


# The side of a triangle that is opposite to an angle, squared, and the angle opposite to a side:
# W. Kahan, "Miscalculating Area and Angles of a Needle-like Triangle".
SIDE = Form("x*y > 0", "h = sin(t/2); (x - y)*(x - y) + 4*(x*y)*(h*h)")
ANGLE = Form(
    "x*y > 0",
    "d = x - y; s = abs(x + y); c = abs(z);"
    " 2*arctan2(sqrt_product(c - d, c + d), sqrt_product(s - c, s + c))",
)
DIVERGENCE = Form("x >= 0 and y > 0", "kl_div(x, y)")
CHANGE = Form("abs(t) < 0.5", "n*expm1mx(t)")
LOG_OF_RATIO = "where(2*abs(x - y) < abs(y), log1p((x - y)/y), log(x/y))"

MOST_COMPONENTS = 4  # of vectors; the sine has a number for each pair
EXPONENTS = (1, -1, 2, -2)  # of a ratio, in sums with its logarithm


class Found(NamedTuple):
    """Terms of a sum that a form stands for, with nodes for its names, and the other terms."""

    form: Form
    nodes: Mapping[str, Node]
    rest: Polynomial


Finder = Callable[[Graph, Polynomial], Found | None]


def threefold(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """The rules for sums of three terms, one of which has a function that tells what they are."""
    if op in SUMS and not SUMS.isdisjoint(heads):
        yield Rule(("stable", "three terms of a sum, brought together"), partial(_of_sum, op))
    if op is ARCCOS and heads[0] is DIVIDE:
        yield Rule(("stable", "arccos((x*x + y*y - z*z)/(2*x*y)), by the sides"), _angle)
        yield Rule(("stable", "the angle between two vectors, by arctan2"), _between)


def _of_sum(op: Primitive, graph: Graph, left: Node, right: Node) -> Node | None:
    """A sum, or minus a sum, in a form that does not cancel."""
    if not graph.is_program or OF_SUMS.keys().isdisjoint(graph.heads):
        return None
    if graph.heads.isdisjoint(BESIDE_OTHERS) and not _has_constant(left, right):
        return None
    total = added(polynomial(graph, left), polynomial(graph, right), 1 if op is ADD else -1)
    minus = {monomial: -c for monomial, c in total.items()}
    known = [find for function, find in OF_SUMS.items() if function in graph.heads]
    for find in known if len(total) >= 3 else ():
        for terms, sign in ((total, 1), (minus, -1)):
            found = find(graph, terms)
            if found is not None:
                return _chosen(graph, found, sign, graph.intern(op, left, right))
    return None


def _has_constant(left: Node, right: Node) -> bool:
    """Whether, at sight, a constant is a term of a sum."""
    pending = [left, right]
    for node in islice(pending, MAX_TERMS):  # which grows
        if node.op in SUMS:
            pending += node.args
    return any(node.op is CONSTANT for node in pending)


def _chosen(graph: Graph, found: Found, sign: int, out: Node) -> Node:
    """The form where it holds, and else what was written."""
    near = Pen(graph).written(found.form.text, **found.nodes)
    if found.rest:
        near = graph.apply(ADD, near, made(graph, found.rest, {}))
    near = near if sign > 0 else graph.apply(NEGATIVE, near)
    return graph.apply(WHERE, Pen(graph).written(found.form.condition, **found.nodes), near, out)


def _without(total: Polynomial, part: Polynomial) -> Polynomial | None:
    """What is left of a sum without some of its terms, if it has them."""
    if any(total.get(monomial) != c for monomial, c in part.items()):
        return None
    return {monomial: c for monomial, c in total.items() if monomial not in part}


def _side(graph: Graph, total: Polynomial) -> Found | None:
    """`x*x + y*y - 2*x*y*cos(t)`."""
    for monomial, scale in total.items():
        cosines = [i for i, e in monomial if e == 1 and graph.nodes[i].op is COS]
        powers = multiplied(dict(monomial), {cosines[0]: 1}, -1) if cosines else {}
        others = [m for m in total if m != monomial] if cosines else []
        for pair in combinations(others, 2):
            roots = _roots(graph, {m: total[m] for m in pair}, powers, -scale)
            if roots is not None:
                rest = {m: total[m] for m in others if m not in pair}
                return Found(SIDE, {**roots, "t": graph.nodes[cosines[0]].args[0]}, rest)
    return None


def _angle(graph: Graph, cosine: Node) -> Node | None:
    """The angle of which this is the cosine, by the sides of a triangle."""
    above, below = (polynomial(graph, part) for part in cosine.args)
    if not graph.is_program or len(above) != 3 or len(below) != 1:
        return None
    ((monomial, double),) = below.items()
    for opposite, scale in above.items():
        squares = {m: c for m, c in above.items() if m != opposite}
        roots = _roots(graph, squares, dict(monomial), double)
        third = _root(graph, opposite, -scale)
        if roots is not None and third is not None:
            out = graph.intern(ARCCOS, cosine)
            return _chosen(graph, Found(ANGLE, {**roots, "z": third}, {}), 1, out)
    return None


def _between(graph: Graph, cosine: Node) -> Node | None:
    """The angle between two vectors of which this is the cosine, by the sine of it, too."""
    powers = term(graph, cosine).powers
    dots = [graph.nodes[i] for i, e in powers.items() if e == 1]
    norms = [graph.nodes[i] for i, e in powers.items() if e == -1]
    if not graph.is_program or (len(dots), len(norms), len(powers)) != (1, 2, 3):
        return None
    pairs = _pairs(graph, dots[0], *(_components(graph, norm) for norm in norms))
    if pairs is None:
        return None
    minors = [
        Pen(graph).written("u*y - v*x", u=u, x=x, v=v, y=y)
        for (u, x), (v, y) in combinations(pairs, 2)
    ]
    sine = reduce(partial(graph.apply, HYPOT), minors[1:], graph.apply(ABS, minors[0]))
    return Pen(graph).written("arctan2(sine, dot)", sine=sine, dot=dots[0])


def _components(graph: Graph, norm: Node) -> list[int]:
    """The numbers of which this is the norm, by their indices; nothing if it is none."""
    total = graph.notes.squares.get(norm)
    squares = polynomial(graph, total) if total else {}
    if any(scale != 1 or [e for _, e in m] != [2] for m, scale in squares.items()):
        return []
    return [m[0][0] for m in squares]


def _pairs(
    graph: Graph, dot: Node, ours: Sequence[int], theirs: Sequence[int]
) -> list[tuple[Node, Node]] | None:
    """The components of two vectors that are multiplied with each other in a product of them."""
    total = polynomial(graph, dot)
    found = [
        (graph.nodes[i], graph.nodes[j])
        for i, j in product(ours, theirs)
        if total.get(monomial_of(multiplied({i: 1}, {j: 1}))) == 1
    ]
    sizes = {len(found), len(total), len(ours), len(theirs)}
    return found if len(sizes) == 1 and 1 < len(found) <= MOST_COMPONENTS else None


def _roots(
    graph: Graph, squares: Polynomial, powers: Powers, double: Number
) -> dict[str, Node] | None:
    """The two numbers whose squares these are, if twice their product is `double` times powers."""
    (one, a), (other, b) = squares.items()
    if multiplied(dict(one), dict(other)) != {i: 2 * e for i, e in powers.items()}:
        return None
    x, y = _root(graph, one, a), _root(graph, other, b)
    if x is None or y is None or 4 * a * b != double * double or double < 0:
        return None
    return {"x": x, "y": y}


def _root(graph: Graph, square: Monomial, scale: Number) -> Node | None:
    """What a monomial is the square of."""
    root = math.sqrt(max(scale, 0))
    if scale <= 0 or root * root != scale or any(e % 2 for _, e in square):
        return None
    return made_term(graph, whole(root), {i: e // 2 for i, e in square})


def _information(graph: Graph, total: Polynomial) -> Found | None:
    """`x*log(x/y) - x + y`, the first of which another law has made a choice."""
    for monomial, choice, scale in _nodes(graph, total, WHERE):
        if scale == 1 and choice.args[1].op is REL_ENTR:
            x, y = choice.args[1].args
            others = added(polynomial(graph, y), polynomial(graph, x), -1)
            rest = _without(total, added({monomial: 1}, others))
            if rest is not None:
                return Found(DIVERGENCE, {"x": x, "y": y}, rest)
    return None


def _change(graph: Graph, total: Polynomial) -> Found | None:
    """`n*(w - 1 - log(w))`, where `w` is a power of `x`, and its logarithm is that of `x`."""
    total = _distributed(graph, total)
    for monomial, logarithm, scale in _nodes(graph, total, LOG):
        (x,) = logarithm.args
        for exponent in EXPONENTS:
            n = -scale / exponent
            power = _power(polynomial(graph, x), exponent)
            changed = added({m: n * c for m, c in power.items()}, {(): n}, -1)
            rest = _without(total, added({monomial: scale}, changed))
            if rest is not None and power:
                scaled = graph.constant(exponent)
                nodes = {"t": graph.apply(MULTIPLY, scaled, _log(graph, logarithm))}
                return Found(CHANGE, {**nodes, "n": graph.constant(whole(n))}, rest)
    return None


def _distributed(graph: Graph, total: Polynomial) -> Polynomial:
    """A sum in which products with a sum are sums of products; squares of sums stay."""
    spread: Polynomial = {}
    for monomial, scale in total.items():
        inner = next((i for i, e in monomial if e == 1 and graph.nodes[i].op in SUMS), None)
        powers = {i: e for i, e in monomial if i != inner}
        one: Polynomial = {(): 1}
        parts = one if inner is None else polynomial(graph, graph.nodes[inner])
        spread = added(spread, times({monomial_of(powers): scale}, parts))
    return spread


def _power(base: Polynomial, exponent: int) -> Polynomial:
    """A power of a sum that is one term; the first power of any."""
    if exponent == 1 or len(base) > 1:
        return base if exponent == 1 else {}
    ((monomial, scale),) = base.items()
    return {tuple((i, e * exponent) for i, e in monomial): scale**exponent}


def _log(graph: Graph, logarithm: Node) -> Node:
    """A logarithm, of a ratio without the rounding of that."""
    (x,) = logarithm.args
    if x.op is not DIVIDE:
        return logarithm
    return Pen(graph).written(LOG_OF_RATIO, x=x.args[0], y=x.args[1])


def _nodes(
    graph: Graph, total: Polynomial, op: Primitive
) -> Iterator[tuple[Monomial, Node, Number]]:
    """The terms that are multiples of an operation."""
    for monomial, scale in total.items():
        if len(monomial) == 1 and monomial[0][1] == 1:
            node = graph.nodes[monomial[0][0]]
            if node.op is op:
                yield monomial, node, scale


OF_SUMS: Mapping[Primitive, Finder] = {COS: _side, REL_ENTR: _information, LOG: _change}
BESIDE_OTHERS = frozenset({COS, REL_ENTR})  # in sums without a constant, too

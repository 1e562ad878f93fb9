"""What laws ask for beside patterns: what remains of sums in which terms cancel, and ratios."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from ..graph import ADD, CONSTANT, DIVIDE, MULTIPLY, NEGATIVE, SUMS, Graph, Node
from ..parser import parse
from ..primitives.ieee import Number, whole
from .algebra import (
    MAX_TERMS,
    Monomial,
    Polynomial,
    Powers,
    added,
    expanded,
    lessened,
    made,
    made_term,
    monomial_of,
    multiplied,
    polynomial,
    shares_factor,
    term,
    times,
)
from .sight import are_apart

ROUNDING = 1e-15  # relative difference of ratios that are meant to be equal
Scaled = tuple[Node, float]
Multiples = dict[Node | None, float]
SMALLEST = 1e-10  # of a ratio that takes nothing out of the range


class Given:
    """A name for what remains of a sum that cancels, or of a quotient that divides.

    `Given("d = u - b*b", names)` finds, for nodes of `names`, the difference with like terms
    cancelled; `"q = d/y"` the quotient if `y` divides every term.  Without cancellation there is
    nothing.
    """

    def __init__(self, text: str, names: Iterable[str]) -> None:
        self.name, _, body = (part.strip() for part in text.partition("="))
        self._graph, self._output = parse(body, inputs=tuple(names))
        inputs = list(self._graph.inputs.values())
        sides = [self._graph.ancestors([side]) for side in self._output.args]
        self._sides = [[k for k, name in enumerate(inputs) if name in side] for side in sides]

    def __call__(self, graph: Graph, *nodes: Node) -> Node | None:
        """The node in `graph`, or `None`."""
        if self._is_apart(nodes):
            return None
        total = self._total([_read(graph, node) for node in nodes])
        if total is None and len(self._graph.nodes) > len(nodes) + 1:
            total = self._total([_read_whole(graph, node) for node in nodes])
        return None if total is None else made(graph, total, {})

    def _total(self, known: Sequence[Polynomial | None]) -> Polynomial | None:
        """What remains, for the names as polynomials."""
        found = dict(zip(self._graph.inputs.values(), known, strict=True))
        for line in self._graph.nodes:
            if line not in found and line is not self._output:
                found[line] = _evaluated(line, found)
        left, right = (found[a] for a in self._output.args)
        return None if left is None or right is None else _concluded(self._output, left, right)

    def _is_apart(self, nodes: Sequence[Node]) -> bool:
        """Whether, at sight, the two sides have nothing in common that could cancel."""
        ours, theirs = self._sides
        single = len(ours) == len(theirs) == 1 and self._output.op is not DIVIDE
        return single and are_apart(nodes[ours[0]], nodes[theirs[0]])


def _evaluated(line: Node, found: Mapping[Node, Polynomial | None]) -> Polynomial | None:
    if line.op is CONSTANT:
        return {(): line.data}
    left, right = (found[a] for a in line.args)
    if left is None or right is None or len(left) * len(right) > MAX_TERMS:
        return None
    if line.op is MULTIPLY:
        return times(left, right)
    return added(left, right, 1 if line.op is ADD else -1)


def _read(graph: Graph, node: Node) -> Polynomial | None:
    """A node as a polynomial, a product of sums multiplied out."""
    found = polynomial(graph, node)
    whole = term(graph, node)
    if len(found) > 1 or not whole.sums:
        return found
    return expanded(graph, whole.coefficient, whole.powers)


def _read_whole(graph: Graph, node: Node) -> Polynomial:
    """A node as a polynomial, but a sum without products in it as one thing: to be squared."""
    found = polynomial(graph, node)
    degrees = (e for monomial in found for _, e in monomial)
    return {((node.index, 1),): 1} if node.op in SUMS and max(degrees, default=1) == 1 else found


def _concluded(line: Node, left: Polynomial, right: Polynomial) -> Polynomial | None:
    if line.op is DIVIDE:
        return _divided(left, right)
    return lessened(left, right, 1 if line.op is ADD else -1)


def _divided(left: Polynomial, right: Polynomial) -> Polynomial | None:
    """The quotient by a polynomial of one term, if that divides every term."""
    if len(right) != 1 or not next(iter(right)):
        return None
    ((monomial, divisor),) = right.items()
    divides = all(dict(m).get(i, 0) >= e for m in left for i, e in monomial)
    if not divides:
        return None
    return {
        monomial_of(multiplied(dict(m), dict(monomial), -1)): c / divisor for m, c in left.items()
    }


class Proportion:
    """A name for what one of two nodes is times the other, as `"r = x/y"` asks.

    Either it is a constant, and both are read as sums of multiples: `(25 - v)/10` is 0.1 times
    `25 - v`, and `0.1*v - 2.5` is -0.1 times it; or both are products with a factor in common, as
    `a*x` and `b*x`, of a program: in derivatives, the quotient could leave the range.  Both sides
    may be differences: `"r = (x - y)/(u - v)"`, which is `t` for `a*t`, `b*t`, `a` and `b`.  It can
    be asked for constants alone.
    """

    def __init__(self, text: str, names: Sequence[str], is_constant: bool) -> None:
        self.name, _, body = (part.strip() for part in text.partition("="))
        sides = [side.strip("() ").split(" - ") for side in body.split("/")]
        self._sides = [[names.index(name) for name in side] for side in sides]
        self._is_constant = is_constant

    def __call__(self, graph: Graph, *nodes: Node) -> Node | None:
        """The quotient in `graph`, or `None`."""
        sides = [[nodes[k] for k in side] for side in self._sides]
        if any(len(side) > 1 for side in sides):
            return proportion(graph, *(_difference(graph, *side) for side in sides))
        (over,), (under,) = sides
        for parts in (_multiple, _parts):
            ratio = _ratio(_multiples(over, parts), _multiples(under, parts))
            if ratio is not None:
                return graph.constant(ratio)
        found = _without_common(graph, over, under) if graph.is_program else None
        return None if found and self._is_constant and found.op is not CONSTANT else found


def _difference(graph: Graph, first: Node, *second: Node) -> Polynomial:
    """A node as a polynomial, or the difference of two."""
    total = polynomial(graph, first)
    return added(total, polynomial(graph, *second), -1) if second else total


def proportion(graph: Graph, over: Polynomial, under: Polynomial) -> Node | None:
    """The product that one polynomial of several terms is times the other; of one, a sum."""
    if len(under) == 1 < len(over):
        return _termwise(graph, over, under)
    if len(over) != len(under) or len(over) < 2:
        return None
    divisor, scale = next(iter(under.items()))
    for monomial, coefficient in over.items():
        powers = multiplied(dict(monomial), dict(divisor), -1)
        ratio = coefficient / scale
        if all(_times(over, m, powers) == ratio * c for m, c in under.items()):
            return made_term(graph, whole(ratio), powers)
    return None


def _termwise(graph: Graph, over: Polynomial, under: Polynomial) -> Node | None:
    """A sum over a product that every term has as a factor."""
    ((divisor, scale),) = under.items()
    total: Polynomial = {}
    for monomial, coefficient in over.items():
        powers = multiplied(dict(monomial), dict(divisor), -1)
        if any(exponent < 0 for exponent in powers.values()):
            return None
        total[monomial_of(powers)] = whole(coefficient / scale)
    return made(graph, total, {})


def _times(total: Polynomial, monomial: Monomial, powers: Powers) -> Number | None:
    """The coefficient of a monomial times powers."""
    return total.get(monomial_of(multiplied(dict(monomial), powers)))


def _without_common(graph: Graph, over: Node, under: Node) -> Node | None:
    """The quotient of two products that have a factor in common, which is gone."""
    a, b = term(graph, over), term(graph, under)
    if not shares_factor(a, b):
        return None
    ratio = whole(a.coefficient / b.coefficient)
    return made_term(graph, ratio, multiplied(a.powers, b.powers, -1))


def _ratio(above: Multiples, below: Multiples) -> Number | None:
    """What one sum is times the other, where both are 0 at the same place, rounded alike."""
    if above.keys() != below.keys() or not above or above.keys() == {None}:
        return None
    key = next(key for key in above if key is not None)
    if None in above and above[None] / above[key] != below[None] / below[key]:
        return None
    ratios = [above[key] / below[key] for key in above]
    close = max(ratios) - min(ratios) <= ROUNDING * abs(ratios[0])
    if not close or not SMALLEST < abs(ratios[0]) < 1 / SMALLEST:
        return None
    found: Number = whole(float(Fraction(repr(above[key])) / Fraction(repr(below[key]))))
    return found  # of 0.01 and 0.1, 0.1


def _multiples(node: Node, parts_of: Callable[[Node, float], Iterator[Scaled]]) -> Multiples:
    """A sum by the multiples of its terms, that of 1 under `None`; a long one is its own term."""
    found: Multiples = {}
    pending = [(node, 1.0)]
    while pending:
        top, scale = pending.pop()
        parts = list(parts_of(top, scale))
        if not parts:
            key, value = (None, scale * top.data) if top.op is CONSTANT else (top, scale)
            found[key] = found.get(key, 0.0) + value
        pending += parts
        if len(found) + len(pending) > MAX_TERMS:
            return {node: 1.0}
    return {key: value for key, value in found.items() if value}


def _parts(node: Node, scale: float) -> Iterator[Scaled]:
    """The terms of a sum, or what is multiplied by a constant; nothing of anything else."""
    if node.op in SUMS:
        yield node.args[0], scale
        yield node.args[1], scale if node.op is ADD else -scale
    else:
        yield from _multiple(node, scale)


def _multiple(node: Node, scale: float) -> Iterator[Scaled]:
    """What is multiplied by a constant; nothing of anything else."""
    if node.op is NEGATIVE:
        yield node.args[0], -scale
    elif node.op in (MULTIPLY, DIVIDE):
        left, right = node.args
        if right.op is CONSTANT and right.data:
            yield left, scale * right.data if node.op is MULTIPLY else scale / right.data
        elif left.op is CONSTANT and node.op is MULTIPLY:
            yield right, scale * left.data

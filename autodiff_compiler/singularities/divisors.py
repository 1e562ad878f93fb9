"""Where the divisors of a program are 0: by inverting what they are made of, step by step."""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from ..graph import (
    CONSTANT,
    DIVIDE,
    INPUT,
    MULTIPLY,
    POWER,
    SUBTRACT,
    SUMS,
    Graph,
    Node,
    dependents,
    replay,
)
from ..partials import Pen
from ..primitives import Primitive, lookup
from .probes import Probes, value

# What an argument is, by the others and the value: a text for each argument, or for each root.
INVERSES: Mapping[Primitive, tuple[str, ...]] = {
    lookup(name): texts
    for name, texts in {
        "add": ("out - y", "out - x"),
        "subtract": ("out + y", "x - out"),
        "multiply": ("out/y", "out/x"),
        "divide": ("out*y", "x/out"),
        "power": ("out**(1/y)", "log(out)/log(x)"),
        "negative": ("-out",),
        "sqrt": ("out*out",),
        "cbrt": ("out**3",),
        "exp": ("log(out)",),
        "expm1": ("log1p(out)",),
        "log": ("exp(out)",),
        "log1p": ("expm1(out)",),
        "log2": ("2**out",),
        "log10": ("10**out",),
        "sin": ("arcsin(out)",),
        "cos": ("arccos(out)",),
        "tan": ("arctan(out)",),
        "sinh": ("arcsinh(out)",),
        "tanh": ("arctanh(out)",),
    }.items()
}
SQUARE_ROOTS = ("sqrt(out)", "-sqrt(out)")  # what a square is the square of
POLES = frozenset(  # which, or the slopes of which, are infinite where their argument is 0
    map(lookup, ("coth", "csch", "cot", "csc", "reciprocal", "sqrt"))
)
MAX_DIVISORS, MAX_INPUTS, MAX_NODES, MAX_STEPS = 16, 8, 200, 32
GUESSES = (0, 1, -1, 2, 0.5)
MAX_GUESSED = 40  # nodes of a factor of which a root is guessed, where none can be solved for


class Root(NamedTuple):
    """A value of an input at which factors of divisors are 0; it is made of other inputs."""

    t: Node
    value: Node
    factors: list[Node]


def has_divisors(graph: Graph) -> bool:
    """Whether something may be infinite for a divisor that is 0."""
    return (
        not graph.divisors <= {CONSTANT}
        or POWER in graph.heads
        or not POLES.isdisjoint(graph.heads)
    )


def roots(graph: Graph, nodes: Sequence[Node]) -> list[Root]:
    """Where divisors of nodes of a graph are 0; the values are added to the graph."""
    found: dict[tuple[Node, Node], Root] = {}
    for factor in itertools.islice(_factors(nodes), MAX_DIVISORS):
        for solution in _roots(graph, factor):
            found.setdefault(solution, Root(*solution, [])).factors.append(factor)
    return list(found.values())


def _roots(graph: Graph, factor: Node) -> list[tuple[Node, Node]]:
    """The roots of one factor, once each: by the input of which the value is the simplest."""
    behind = graph.ancestors([factor])
    inputs = [n for n in behind if n.op is INPUT]
    if len(behind) > MAX_NODES or len(inputs) > MAX_INPUTS:
        return []
    solutions = [(t, v) for t in inputs for v in _solutions(graph, behind, t)]
    solutions.sort(key=lambda solution: len(graph.ancestors(solution[1:])))
    found = list[tuple[Node, Node]]()
    for t, v in solutions:
        apart = graph.intern(SUBTRACT, t, v)
        found += [(t, v)] if not any(_is_root(graph, apart, *other) for other in found) else []
    return found


def _factors(nodes: Sequence[Node]) -> Iterator[Node]:
    """The factors of what something is divided by, once each."""
    pending = [a for node in nodes for a in _divisors(node)]
    seen = set[Node]()
    for node in pending:  # which grows
        if node in seen or node.op is CONSTANT:
            continue
        seen.add(node)
        if node.op is MULTIPLY:
            pending += node.args
        else:
            yield node


def _divisors(node: Node) -> tuple[Node, ...]:
    if node.op is DIVIDE:
        return node.args[1:]
    return node.args[:1] if node.op is POWER or node.op in POLES else ()


def _solutions(graph: Graph, behind: Sequence[Node], t: Node) -> list[Node]:
    """The values of an input at which a factor is 0; `behind` is what that is made of."""
    found = _checked(graph, behind[-1], t, _solved(graph, behind[-1], t, dependents(behind, [t])))
    if found or len(behind) > MAX_GUESSED:
        return found
    guesses = (*map(graph.constant, GUESSES), *(n for n in behind if n.op is INPUT))
    return _checked(graph, behind[-1], t, (n for n in guesses if n is not t))


def _checked(graph: Graph, factor: Node, t: Node, values: Iterable[Node]) -> list[Node]:
    """Those values at which a factor is 0, whatever the other inputs are."""
    found = (_settled(graph, value) for value in dict.fromkeys(values))
    return [v for v in dict.fromkeys(found) if _is_root(graph, factor, t, v)]


def _settled(graph: Graph, value: Node) -> Node:
    """A value, as a number if it is a small one whatever the inputs are, as `1**(1/n)` is."""
    numbers = [graph.constant(k) for k in GUESSES]
    apart = [graph.intern(SUBTRACT, value, number) for number in numbers]
    new = Graph()
    image = replay(graph.ancestors(apart), new, {}, new.intern)
    probes = Probes(new)
    return next(
        (n for n, d in zip(numbers, apart, strict=True) if probes.vanishes(image[d])), value
    )


def _is_root(graph: Graph, factor: Node, t: Node, root: Node) -> bool:
    """Whether a factor is 0 where an input has this value, which is finite."""
    new = Graph()
    image = replay(graph.ancestors([root]), new, {}, new.intern)
    image[t] = image[root]
    replay(graph.ancestors([factor]), new, image, new.intern)
    probes = Probes(new)
    both = (image[root], image[factor])
    return all(map(probes.is_finite, both)) and probes.vanishes(both[1])


def _solved(graph: Graph, factor: Node, t: Node, moving: Container[Node]) -> Iterator[Node]:
    pending = [(factor, graph.constant(0))]
    for node, out in itertools.islice(pending, MAX_STEPS):  # which grows
        if node is t:
            yield out
        else:
            pending += _inverted(graph, node, out, moving)


def _inverted(
    graph: Graph, node: Node, out: Node, moving: Container[Node]
) -> Iterator[tuple[Node, Node]]:
    """What an argument of a node may have to be for the node to be `out`."""
    places = [k for k, a in enumerate(node.args) if a in moving]
    if out.is_constant(0) and node.op not in SUMS:
        for k in places:
            yield from ((node.args[k], graph.constant(n)) for n in _zeros(node.op))
    elif node.op is MULTIPLY and node.args[0] is node.args[1]:
        yield from ((node.args[0], Pen(graph).written(text, out=out)) for text in SQUARE_ROOTS)
    elif len(places) == 1 and node.op in INVERSES:
        names = dict(zip(node.op.args, node.args, strict=True))
        text = INVERSES[node.op][places[0]]
        yield node.args[places[0]], Pen(graph).written(text, out=out, **names)


def _zeros(row: Primitive) -> list[int]:
    """Numbers at which a function is 0; of several arguments, one of them."""
    return [n for n in (0, 1) if value(row, [n]) == 0] if row.arity == 1 else [0]

"""Shortcuts of the chain rule past quotients that are infinite, where what is made of them is not.

At a pole of the inner function, the slope of the outer one is 0 and that of the inner one infinite.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterator, Sequence
from functools import partial, reduce
from typing import NamedTuple

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
)
from .partials import Pen, partial_builders
from .primitives import ArrayPrimitive, lookup

NOT_EQUAL = lookup("not_equal")
GROWING = frozenset(map(lookup, ("expm1", "cosh", "sinh")))
SUMS = frozenset({ADD, SUBTRACT, NEGATIVE})
MOST = 32  # operations that are looked through
MOST_TERMS = 6


def where_not_0(graph: Graph, node: Node, slope: Node) -> Node:
    """A slope, where a node is not 0, and else 0."""
    condition = graph.apply(NOT_EQUAL, node, graph.constant(0))
    return graph.apply(WHERE, condition, slope, graph.constant(0))


class AtPole(NamedTuple):
    """A function of a quotient by what may be 0, where the function may be flat.

    Its slope falls faster than any power of the quotient grows: where it is 0, so is all that is
    made of it, whatever the slope of the quotient.  Something over a function that grows as fast
    goes past that function.
    """

    arguments: tuple[Node, ...]

    def slope(self, graph: Graph, node: Node, argument: Node) -> Node | None:
        """The partial by the quotient, selected where it is not 0."""
        if argument is not self.arguments[-1]:
            return None
        growth = node.args[-1] if node.op is DIVIDE else node
        build = partial_builders(growth.op)[-1]
        assert build is not None
        slope = build(graph, *growth.args, growth)
        if node.op is DIVIDE:
            slope = Pen(graph).written("-(y*(s/g))", y=node, s=slope, g=growth)
        return where_not_0(graph, slope, slope)


class Term(NamedTuple):
    """A term of a sum: `sign*node`."""

    sign: int
    node: Node


class OverPoles(NamedTuple):
    """`y/(k/x + rest)`: where `x` is 0 so is it, and its slopes are those of `y*x/(k + x*rest)`."""

    arguments: tuple[Node, ...]
    terms: tuple[Term, ...]
    poles: tuple[Node, ...]

    def slope(self, graph: Graph, node: Node, argument: Node) -> Node | None:
        """The partial by the dividend, a term, or what a term is a quotient of."""
        parts = [p for term in self.terms for p in self._parts(Pen(graph), node, term, argument)]
        if argument is node.args[0]:
            parts.append(graph.apply(DIVIDE, graph.constant(1), node.args[1]))
        return reduce(partial(graph.apply, ADD), parts)

    def _parts(self, pen: Pen, node: Node, term: Term, argument: Node) -> Iterator[Node]:
        if term.node not in self.poles:
            if argument is term.node:
                yield pen.written("-(s*(f/d))", s=pen.constant(term.sign), f=node, d=node.args[1])
            return
        k, x = term.node.args
        if argument not in (k, x):
            return
        cleared = pen.written(
            "s*k + x*rest", s=pen.constant(term.sign), k=k, x=x, rest=self._rest(pen, term)
        )
        if argument is k:
            yield pen.written("-(s*(f/p))", s=pen.constant(term.sign), f=node, p=cleared)
        if argument is x:
            yield pen.written(
                "s*((y/p)*(k/p))", s=pen.constant(term.sign), y=node.args[0], k=k, p=cleared
            )

    def _rest(self, pen: Pen, term: Term) -> Node:
        others = (t for t in self.terms if t is not term)
        signed = (pen.written("s*t", s=pen.constant(t.sign), t=t.node) for t in others)
        return reduce(partial(pen.apply, ADD), signed)


def at_poles(nodes: Sequence[Node]) -> Iterator[tuple[Node, AtPole | OverPoles]]:
    """The functions that are flat where their last argument has a pole, and what is over poles."""
    squares = {n for n in nodes if n.op is MULTIPLY and n.args[0] is n.args[1]}
    for node in nodes:
        if node.op is DIVIDE:
            found = _over(node, squares)
        elif node.op.flat or (node.op is POWER and node.args[0].op is CONSTANT):
            found = AtPole(node.args) if _has_pole(node.args[-1], squares) else None
        else:
            continue
        if found is not None:
            yield node, found


def has_poles(graph: Graph, output: Node) -> bool:
    """Whether derivatives at poles differ from others."""
    if graph.divisors <= {CONSTANT}:
        return False
    return next(at_poles(graph.ancestors([output])), None) is not None


def _over(node: Node, squares: Container[Node]) -> AtPole | OverPoles | None:
    """Something over what grows with a pole, or over a sum of poles."""
    above, below = node.args
    if below.op in GROWING and above is not below.args[0] and _has_pole(below.args[0], squares):
        return AtPole((above, *below.args))
    if below.op is not ADD and below.op is not SUBTRACT:
        return None
    terms = _terms(below)
    poles = [t.node for t in terms if t.node.op is DIVIDE and _is_pole(t.node, squares)]
    if not poles:
        return None
    behind = (t.node.args if t.node in poles else (t.node,) for t in terms)
    arguments = dict.fromkeys((above, *itertools.chain(*behind)))
    return OverPoles(tuple(arguments), tuple(terms), tuple(poles))


def _terms(total: Node) -> list[Term]:
    """What a sum is of; nothing if that is too much."""
    pending, terms = [Term(1, total)], list[Term]()
    while pending:
        sign, node = pending.pop()
        if node.op not in SUMS:
            terms.append(Term(sign, node))
        elif len(pending) + len(terms) > MOST_TERMS:
            return []
        else:
            last = sign if node.op is ADD else -sign
            pending.append(Term(last, node.args[-1]))
            if len(node.args) > 1:
                pending.append(Term(sign, node.args[0]))
    return terms


def _has_pole(root: Node, squares: Container[Node]) -> bool:
    """Whether something elementwise is made of a quotient with a pole, but not of its square."""
    pending = [root]
    for node in itertools.islice(pending, MOST):  # which grows
        if node.op is DIVIDE and _is_pole(node, squares):
            return True
        if not isinstance(node.op, ArrayPrimitive) and node not in squares:
            pending += node.args
    return False


def _is_pole(quotient: Node, squares: Container[Node]) -> bool:
    """Whether a quotient is infinite where its divisor is 0.

    Not what varies over a square: that is the exponent of a Gaussian, the width of which is not 0.
    """
    above, below = quotient.args
    is_square = below in squares or any(a in squares for a in below.args)
    return below.op is not CONSTANT and (above.op is CONSTANT or not is_square)

"""Shortcuts of the chain rule past quotients that are infinite, where what is made of them is not.

At a pole of the inner function, the slope of the outer one is 0 and that of the inner one infinite.
"""

from __future__ import annotations

import itertools
from collections.abc import Container, Iterator, Mapping, Sequence
from functools import partial, reduce
from typing import NamedTuple

from ..graph import (
    ADD,
    CONSTANT,
    DIVIDE,
    INPUT,
    MULTIPLY,
    NEGATIVE,
    NOT_EQUAL,
    POWER,
    SUBTRACT,
    WHERE,
    Graph,
    Node,
)
from ..laws.norms import signed
from ..partials import Pen, partial_builders
from ..primitives import ArrayPrimitive, Primitive, lookup

# What is divided by these falls as fast; its partial by their argument.
GROWING: Mapping[Primitive, str] = {
    lookup("expm1"): "out/expm1(-x)",
    lookup("cosh"): "-out*tanh(x)",
    lookup("sinh"): "-out/tanh(x)",
}
ALGEBRAIC = frozenset({ADD, DIVIDE, INPUT, MULTIPLY, NEGATIVE, POWER, SUBTRACT, lookup("sqrt")})
BARE = frozenset({CONSTANT, INPUT})  # not a deviation, as (x - m)/s, where s is not 0
# At a peak the slope is 0 too, but not that of the slope, which is asked for there.
SELECTED = "where(slope != 0 or abs(x) < 100, slope, 0)"
MOST = 32  # operations that are looked through
MOST_TERMS = 6


def where_not_0(graph: Graph, node: Node, slope: Node) -> Node:
    """A slope, where a node is not 0, and else 0."""
    condition = graph.apply(NOT_EQUAL, node, graph.constant(0))
    return graph.apply(WHERE, condition, slope, graph.constant(0))


class AtPole(NamedTuple):
    """A function of a quotient by what may be 0, where the function may be flat.

    Its slope falls faster than any power of the quotient grows: where it is 0 far out, so is all
    that is made of it, whatever the slope of the quotient.  Something over a function that grows as
    fast goes past that function.
    """

    arguments: tuple[Node, ...]

    @property
    def chooses(self) -> bool:
        """Its slope is another far out."""
        return True

    def slope(self, graph: Graph, node: Node, argument: Node) -> Node | None:
        """The partial by the quotient, selected where it is not 0, or not for being far out."""
        if argument is not self.arguments[-1]:
            return None
        if node.op is DIVIDE:
            slope = Pen(graph).written(GROWING[node.args[1].op], x=argument, out=node)
        else:
            build = partial_builders(node.op)[-1]
            assert build is not None
            slope = build(graph, *node.args, node)
        return Pen(graph).written(SELECTED, slope=slope, x=argument)


# The partials of `y/d`, where `d = s*w + r`, by what a term `w` is made of: a quotient `k/x`, with
# its sum cleared of it; a power of one, in powers of the inverse where it is infinite.
OF_TERM = {"w": "-(s*(f/d))"}
OF_QUOTIENT = {
    "k": "-(s*(f/(s*k + x*r)))",
    "x": "p = s*k + x*r; s*((y/p)*(k/p))",
}
OF_POWER = {
    "k": "v = (x/k)**e; where(abs(w) == inf,"
    " y*s*where(x == 0, -e*v/k, -e*(x/k)**(e + 1)/x)/(s + r*v)**2,"
    " -s*(f/d)*e*(k/x)**(e - 1)/x)",
    "x": "v = (x/k)**e; where(abs(w) == inf,"
    " y*s*where(k == 0, e*v/x, e/k*(x/k)**(e - 1))/(s + r*v)**2,"
    " s*(f/d)*e*w/x)",
    "e": "where(w == 0 or abs(w) == inf, 0, -s*(f/d)*w*log(k/x))",
}


class Term(NamedTuple):
    """A term of a sum, `sign*node`, and what it is made of, by the names in its partials."""

    sign: int
    node: Node
    partials: Mapping[str, str]
    parts: Mapping[str, Node]
    exponent: int = 1  # of an integer power; another is among its parts


class OverPoles(NamedTuple):
    """Something over a sum with terms that may be infinite, where it is 0, and its slopes not."""

    arguments: tuple[Node, ...]
    terms: tuple[Term, ...]

    @property
    def chooses(self) -> bool:
        """Whether a slope is another where a term is infinite."""
        return any(term.partials is OF_POWER for term in self.terms)

    def slope(self, graph: Graph, node: Node, argument: Node) -> Node | None:
        """The partial by the dividend, or by what a term is made of."""
        found = [graph.apply(DIVIDE, graph.constant(1), node.args[1])]
        found = found if argument is node.args[0] else []
        for term in self.terms:
            names = [name for name, part in term.parts.items() if part is argument]
            found += [self._partial(Pen(graph), node, term, name) for name in names]
        return reduce(partial(graph.apply, ADD), found)

    def _partial(self, pen: Pen, node: Node, term: Term, name: str) -> Node:
        others = (t for t in self.terms if t is not term)
        signed = (pen.written("s*t", s=pen.constant(t.sign), t=t.node) for t in others)
        rest = reduce(partial(pen.apply, ADD), signed)
        above, below = node.args
        known = {"y": above, "d": below, "f": node, "s": pen.constant(term.sign), "r": rest}
        known |= {"e": pen.constant(term.exponent), "w": term.node, **term.parts}
        return pen.written(term.partials[name], **known)


def past_poles(
    nodes: Sequence[Node], choices: bool = True
) -> Iterator[tuple[Node, AtPole | OverPoles]]:
    """The functions that are flat where their last argument has a pole, and what is over poles.

    Without `choices`, only those whose slopes choose nothing, and so take no more time.
    """
    squares = {n for n in nodes if n.op is MULTIPLY and n.args[0] is n.args[1]}
    for node in nodes:
        if node.op is DIVIDE:
            found = _over(node, squares)
        elif node.op.flat or (node.op is POWER and node.args[0].op is CONSTANT):
            found = AtPole(node.args) if _has_pole(node.args[-1], squares) else None
        else:
            continue
        if found is not None and (choices or not found.chooses):
            yield node, found


def has_poles(graph: Graph, nodes: Sequence[Node]) -> bool:
    """Whether derivatives of the nodes of a program are others at poles."""
    return not graph.divisors <= {CONSTANT} and next(past_poles(nodes), None) is not None


def _over(node: Node, squares: Container[Node]) -> AtPole | OverPoles | None:
    """Something over what grows with a pole, or over a sum of poles."""
    above, below = node.args
    if below.op in GROWING and above is not below.args[0] and _has_pole(below.args[0], squares):
        return AtPole((above, *below.args))
    if (below.op is not ADD and below.op is not SUBTRACT) or _has_pole(above, squares):
        return None
    terms = [_term(sign, node, squares) for sign, node in signed(below, MOST_TERMS)]
    if all(term.partials is OF_TERM for term in terms):
        return None
    behind = itertools.chain(*(term.parts.values() for term in terms))
    return OverPoles((*dict.fromkeys((above, *behind)),), (*terms,))


def _term(sign: int, node: Node, squares: Container[Node]) -> Term:
    if node.op is DIVIDE and _is_plain(node, squares):
        return Term(sign, node, OF_QUOTIENT, dict(zip("kx", node.args, strict=True)))
    if node.op is POWER and node.args[0].op is DIVIDE and _is_plain(node.args[0], squares):
        base, exponent = node.args
        return Term(sign, node, OF_POWER, dict(zip("kxe", (*base.args, exponent), strict=True)))
    base, times = _multiplied(node)
    if times > 1 and base.op is DIVIDE and base.args[0].op in BARE and _is_plain(base, squares):
        return Term(sign, node, OF_POWER, dict(zip("kx", base.args, strict=True)), times)
    return Term(sign, node, OF_TERM, {"w": node})


def _is_plain(quotient: Node, squares: Container[Node]) -> bool:
    """Whether a quotient has a pole where its divisor is 0, and the divisor itself none."""
    below = quotient.args[1]
    plain = below.op in ALGEBRAIC and not _has_pole(below, squares)
    return plain and _is_pole(quotient, squares)


def _multiplied(node: Node) -> tuple[Node, int]:
    """What an integer power is a power of, and its exponent; anything is its own first power."""
    factors, pending = list[Node](), [node]
    while pending and len(factors) < MOST:
        top = pending.pop()
        if top.op is MULTIPLY:
            pending += top.args
        else:
            factors.append(top)
    return (factors[0], len(factors)) if len({*factors, *pending}) == 1 else (node, 1)


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

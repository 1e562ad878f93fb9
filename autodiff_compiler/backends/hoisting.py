"""Fewer and cheaper operations inside loops: by what a number outside can do instead."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence

from ..derivatives import Program
from ..graph import CONSTANT, DIVIDE, MULTIPLY, NEGATIVE, QUOTIENTS, Graph, Node
from ..primitives import ARRAYS, ArrayPrimitive, Primitive
from ..primitives.ieee import is_power_of_two
from .lowering import rebuilt

EXPAND, OUTER = ARRAYS["expand_dims"], ARRAYS["outer"]


def hoisted(program: Program, is_outside: Callable[[Node], bool]) -> Program:
    """The program with `-(s*x)` as `(-s)*x` and `2*x*y/s` as `x*y/(s/2)`, where `s` is outside.

    And `x/2` as `0.5*x`.  Outer products that only elements are needed of are products of elements.
    The results are the same to the bit: signs round nothing, and neither do powers of two.
    """
    nodes = program.graph.ancestors(program.leaves())
    uses = Counter([a for node in nodes for a in node.args] + program.leaves())
    outside, once = set[Node](), set[Node]()  # of the new graph: numbers, and what has one use
    whole = {a for node in nodes if isinstance(node.op, ArrayPrimitive) for a in node.args}
    whole.update(program.leaves())

    def make(new: Graph, node: Node, args: list[Node]) -> Node:
        images = [*zip(node.args, args, strict=True)]
        outside.update(image for a, image in images if is_outside(a))
        once.update(image for a, image in images if uses[a] == 1)
        found = None
        if node.op is NEGATIVE and uses[node.args[0]] == 1:
            found = _sign_taken(new, args[0], outside)
        elif node.op in QUOTIENTS:
            found = _by_number(new, node.op, args, outside, once)
        elif node.op is OUTER and node not in whole:
            found = new.intern(MULTIPLY, new.make(EXPAND, (args[0],), (-1,)), args[1])
        return found or new.rebuild(node, args, new.intern)

    return rebuilt(program, make)


def _sign_taken(graph: Graph, product: Node, outside: Collection[Node]) -> Node | None:
    """The negative of a product, by a factor that is a number."""
    for k, factor in enumerate(product.args) if product.op in QUOTIENTS else ():
        if factor in outside or factor.op is CONSTANT:  # which may have been made just now
            factors = [*product.args]
            factors[k] = _negated(graph, factor)
            return graph.intern(product.op, *factors)
    return None


def _negated(graph: Graph, node: Node) -> Node:
    if node.op is CONSTANT:
        return graph.constant(-float(node.data))  # of an int, 0 would lose its sign
    return graph.intern(NEGATIVE, node)


def _by_number(
    graph: Graph,
    op: Primitive,
    args: Sequence[Node],
    outside: Collection[Node],
    once: Collection[Node],
) -> Node | None:
    """A product with, or a quotient by, a number outside, with fewer operations."""
    x, s = args if op is DIVIDE or args[1] in outside else reversed(args)
    if x in outside or s not in outside:
        return None
    if s.op is CONSTANT:
        reciprocal = op is DIVIDE and _is_power_of_two(s)
        return graph.intern(MULTIPLY, graph.constant(1 / s.data), x) if reciprocal else None
    if (found := _split(graph, x, once)) is None:
        return None
    power, rest = found
    scale = graph.constant(1 / power.data if op is DIVIDE else power.data)
    return graph.intern(op, rest, graph.intern(MULTIPLY, scale, s))


def _split(graph: Graph, x: Node, once: Collection[Node]) -> tuple[Node, Node] | None:
    """A power of two in a product, or in a factor of it, that nothing else needs; and the rest."""
    if x.op is not MULTIPLY or x not in once:
        return None
    for k, factor in enumerate(x.args):
        other = x.args[1 - k]
        if _is_power_of_two(factor):
            return factor, other
        if factor.op is MULTIPLY and factor in once and _is_power_of_two(factor.args[0]):
            factors = (factor.args[1], other) if k == 0 else (other, factor.args[1])
            return factor.args[0], graph.intern(MULTIPLY, *factors)
    return None


def _is_power_of_two(node: Node) -> bool:
    """Whether this is a power of two that half precision has, and whose reciprocal it has, too."""
    if node.op is not CONSTANT or not 2**-14 <= abs(node.data) <= 2**14:
        return False
    return is_power_of_two(node.data)

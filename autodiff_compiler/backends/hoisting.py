"""Fewer and cheaper operations inside loops: by what a number outside can do instead."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection

from ..derivatives import Program
from ..graph import CONSTANT, DIVIDE, MULTIPLY, NEGATIVE, Graph, Node
from ..primitives import ARRAYS, ArrayPrimitive
from .lowering import rebuilt

PRODUCTS = (MULTIPLY, DIVIDE)
EXPAND, OUTER = ARRAYS["expand_dims"], ARRAYS["outer"]


def hoisted(program: Program, is_outside: Callable[[Node], bool]) -> Program:
    """The program with `-(s*x)` as `(-s)*x`, where `s` is outside, and `x/2` as `0.5*x`.

    Outer products that only elements are needed of are products of elements.  The results are the
    same to the bit: signs round nothing, and neither do powers of two.
    """
    nodes = program.graph.ancestors(program.leaves())
    uses = Counter([a for node in nodes for a in node.args] + program.leaves())
    outside = set[Node]()  # of the new graph
    whole = {a for node in nodes if isinstance(node.op, ArrayPrimitive) for a in node.args}
    whole.update(program.leaves())

    def make(new: Graph, node: Node, args: list[Node]) -> Node:
        outside.update(image for a, image in zip(node.args, args, strict=True) if is_outside(a))
        found = None
        if node.op is NEGATIVE and uses[node.args[0]] == 1:
            found = _sign_taken(new, args[0], outside)
        elif node.op is DIVIDE and args[0] not in outside:
            found = _as_product(new, *args)
        elif node.op is OUTER and node not in whole:
            found = new.intern(MULTIPLY, new.make(EXPAND, (args[0],), (-1,)), args[1])
        return found or new.rebuild(node, args, new.intern)

    return rebuilt(program, make)


def _sign_taken(graph: Graph, product: Node, outside: Collection[Node]) -> Node | None:
    """The negative of a product, by a factor that is a number."""
    for k, factor in enumerate(product.args) if product.op in PRODUCTS else ():
        if factor in outside or factor.op is CONSTANT:  # which may have been made just now
            factors = [*product.args]
            factors[k] = _negated(graph, factor)
            return graph.intern(product.op, *factors)
    return None


def _negated(graph: Graph, node: Node) -> Node:
    if node.op is CONSTANT:
        return graph.constant(-float(node.data))  # of an int, 0 would lose its sign
    return graph.intern(NEGATIVE, node)


def _as_product(graph: Graph, x: Node, divisor: Node) -> Node | None:
    """A quotient by a power of two whose reciprocal half precision has, too."""
    if divisor.op is not CONSTANT or not 2**-14 <= abs(divisor.data) <= 2**14:
        return None
    exact = abs(math.frexp(divisor.data)[0]) == 0.5
    return graph.intern(MULTIPLY, graph.constant(1 / divisor.data), x) if exact else None

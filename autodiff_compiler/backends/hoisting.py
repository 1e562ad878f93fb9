"""Fewer and cheaper operations inside loops: by what a number outside can do instead."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

from ..derivatives import Program
from ..graph import CONSTANT, DIVIDE, MULTIPLY, NEGATIVE, Graph, Node
from .lowering import rebuilt

PRODUCTS = (MULTIPLY, DIVIDE)


def hoisted(program: Program, is_outside: Callable[[Node], bool]) -> Program:
    """The program with `-(s*x)` as `(-s)*x`, where `s` is outside, and `x/2` as `0.5*x`.

    The results are the same to the bit: signs round nothing, and neither do powers of two.
    """
    nodes = program.graph.ancestors(program.leaves())
    uses = Counter([a for node in nodes for a in node.args] + program.leaves())
    outside = set[Node]()  # of the new graph

    def make(new: Graph, node: Node, args: list[Node]) -> Node:
        outside.update(image for a, image in zip(node.args, args, strict=True) if is_outside(a))
        if node.op is NEGATIVE and args[0].op in PRODUCTS and uses[node.args[0]] == 1:
            for k, factor in enumerate(args[0].args):
                if factor in outside or factor.op is CONSTANT:
                    factors = [*args[0].args]
                    factors[k] = _negated(new, factor)
                    return new.intern(args[0].op, *factors)
        if node.op is DIVIDE and _is_power_of_two(args[1]) and args[0] not in outside:
            return new.intern(MULTIPLY, new.constant(1 / args[1].data), args[0])
        return new.rebuild(node, args, new.intern)

    return rebuilt(program, make)


def _negated(graph: Graph, node: Node) -> Node:
    if node.op is CONSTANT:
        return graph.constant(-node.data)
    return graph.intern(NEGATIVE, node)


def _is_power_of_two(node: Node) -> bool:
    """Whether this is a constant whose reciprocal is a double, too."""
    return (
        node.op is CONSTANT
        and abs(math.frexp(node.data)[0]) == 0.5
        and 1e-300 < abs(node.data) < 1e300
    )

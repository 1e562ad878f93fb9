"""Fewer operations inside loops: signs that a number outside can take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from ..derivatives import Program
from ..graph import CONSTANT, DIVIDE, MULTIPLY, NEGATIVE, Graph, Node
from .lowering import rebuilt


def hoisted(program: Program, is_outside: Callable[[Node], bool]) -> Program:
    """The program with `-(s*x)` as `(-s)*x`, always the same, where `s` is outside."""
    nodes = program.graph.ancestors(program.leaves())
    uses = Counter([a for node in nodes for a in node.args] + program.leaves())

    def make(new: Graph, node: Node, args: list[Node]) -> Node:
        (inner,) = node.args if node.op is NEGATIVE else (None,)
        if inner is None or inner.op not in (MULTIPLY, DIVIDE) or uses[inner] > 1:
            return new.rebuild(node, args, new.intern)
        outside = [is_outside(a) and a.op is not CONSTANT for a in inner.args]
        if not any(outside):
            return new.rebuild(node, args, new.intern)
        x, y = args[0].args
        if outside[0]:
            return new.intern(inner.op, new.intern(NEGATIVE, x), y)
        return new.intern(inner.op, x, new.intern(NEGATIVE, y))

    return rebuilt(program, make)

"""The chain rule, shared by both passes: an adjoint or a tangent times a partial.

A factor of the form `where(c, p, 0)` selects; it never multiplies what it does not take by 0, so
an infinite slope on a branch that is not taken contributes nothing.
"""

from __future__ import annotations

from typing import NamedTuple, NoReturn

from .errors import ExpressionError
from .graph import ADD, AND, MULTIPLY, NOT, WHERE, Graph, Node
from .partials import partial_builders


class Masked(NamedTuple):
    """`where(condition, kept, 0)`; no condition means always."""

    condition: Node | None
    kept: Node


def slope_by(graph: Graph, node: Node, argument: Node) -> Node:
    """The partial of `node` by one of its arguments, built in `graph`.

    An argument that stands in several places has the sum of their partials.
    Raises `ExpressionError` where the table says that there is none.
    """
    builders = partial_builders(node.op)
    total = None
    for k, other in enumerate(node.args):
        if other is argument:
            build = builders[k] or _refuse(graph, node, k)
            slope = build(graph, *node.args, node)
            total = slope if total is None else graph.apply(ADD, total, slope)
    assert total is not None, f"{argument} is no argument of {node}"
    return total


def _refuse(graph: Graph, node: Node, k: int) -> NoReturn:
    row, start = node.op, graph.places.get(node, 0)
    raise ExpressionError(
        f"{row.name} has no derivative by its argument {row.args[k]}: {row.note}",
        span=(start, start + len(row.name)),
        hint="leave what it depends on out of wrt",
    )


def chain(graph: Graph, factor: Node, slope: Node) -> Node:
    """`factor*slope`, selecting instead of multiplying where either one is masked."""
    if factor.op is not WHERE and slope.op is not WHERE:
        return graph.apply(MULTIPLY, factor, slope)
    left, right = _masked(graph, factor), _masked(graph, slope)
    product = graph.apply(MULTIPLY, left.kept, right.kept)
    if left.condition is None or right.condition is None or left.condition is right.condition:
        condition = left.condition or right.condition
    else:
        condition = graph.apply(AND, left.condition, right.condition)
    return (
        product if condition is None else graph.apply(WHERE, condition, product, graph.constant(0))
    )


def _masked(graph: Graph, node: Node) -> Masked:
    if node.op is WHERE:
        condition, yes, no = node.args
        if no.is_constant(0):
            return Masked(condition, yes)
        if yes.is_constant(0):
            return Masked(graph.apply(NOT, condition), no)
    return Masked(None, node)

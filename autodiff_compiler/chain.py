"""The chain rule, shared by both passes: an adjoint or a tangent times a partial.

A factor of the form `where(c, p, 0)` selects; it never multiplies what it does not take by 0, so
an infinite slope on a branch that is not taken contributes nothing.
"""

from __future__ import annotations

from typing import NamedTuple

from .errors import ExpressionError
from .graph import AND, MULTIPLY, NOT, WHERE, Graph, Node
from .partials import partial_templates


class Masked(NamedTuple):
    """`where(condition, kept, 0)`; no condition means always."""

    condition: Node | None
    kept: Node


def partial(graph: Graph, node: Node, image: Node, arguments: list[Node], k: int) -> Node:
    """The partial of `node` by its `k`-th argument, built in `graph`.

    `image` and `arguments` are the node and its arguments there.
    Raises `ExpressionError` where the table says that there is none.
    """
    template = partial_templates(node.op)[k]
    if template is None:
        row = node.op
        raise ExpressionError(
            f"{row.name} has no derivative by its argument {row.args[k]}: {row.note}",
            hint="leave what it depends on out of wrt",
        )
    return template.build(graph, [*arguments, image])


def chain(graph: Graph, factor: Node, slope: Node) -> Node:
    """`factor*slope`, selecting instead of multiplying where either one is masked."""
    left, right = _masked(graph, factor), _masked(graph, slope)
    product = graph.apply(MULTIPLY, left.kept, right.kept)
    conditions = [c for c in (left.condition, right.condition) if c is not None]
    if not conditions:
        return product
    condition = conditions[0]
    if len(conditions) == 2 and conditions[1] is not condition:
        condition = graph.apply(AND, *conditions)
    return graph.apply(WHERE, condition, product, graph.constant(0))


def _masked(graph: Graph, node: Node) -> Masked:
    if node.op is WHERE:
        condition, yes, no = node.args
        if no.is_constant(0):
            return Masked(condition, yes)
        if yes.is_constant(0):
            return Masked(graph.apply(NOT, condition), no)
    return Masked(None, node)

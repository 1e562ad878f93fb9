"""The chain rule, shared by both passes: what goes on to which argument, and by which partial."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NoReturn

from ..errors import ExpressionError
from ..graph import ADD, BROADCAST, PLACING, STACK, WHERE, Graph, Node
from ..partials import Pen, partial_builders
from ..primitives import ARRAYS, ArrayPrimitive, lookup
from ..primitives.axes import ALL, At, elementwise
from ..primitives.reductions import spread
from ..primitives.row import Rule
from ..products.contraction import einsum
from ..products.product import spec
from ..shapes import Shape
from .masks import chain, masked, selected, stretched
from .shortcuts import Shortcuts

GREATER = lookup("greater")
SUM, CONCATENATE, INDEX = ARRAYS["sum"], ARRAYS["concatenate"], ARRAYS["index"]
JOINED = frozenset({STACK, CONCATENATE})  # whose tangent is the same of all tangents
Contribution = tuple[Node | None, Node]  # to an adjoint: the slope, if there is one, and the term


def slope_by(graph: Graph, node: Node, argument: Node, short: Shortcuts) -> Node:
    """The partial of `node` by one of its `arguments`, built in `graph`.

    An argument that stands in several places has the sum of their partials.
    Raises `ExpressionError` where the table says that there is none.
    """
    if node in short and (slope := short[node].slope(graph, node, argument)) is not None:
        return slope
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


def is_position(node: Node, k: int) -> bool:
    """Whether an argument says which elements are meant: between jumps it changes nothing."""
    return k > 0 and node.op in PLACING


def tangent_of(graph: Graph, node: Node, dots: Mapping[Node, Node]) -> Node | None:
    """The tangent of an operation on arrays from those of its arguments."""
    if node.op in JOINED:
        parts = [dots.get(a) or zeros(graph, a.shape) for a in node.args]
        return graph.rebuild(node, parts, graph.apply)
    total = None
    for k, argument in enumerate(node.args):
        if argument in dots and not is_position(node, k):
            term = _tangent_term(graph, node, k, dots[argument])
            total = term if total is None else graph.apply(ADD, total, term)
    return total


def _tangent_term(graph: Graph, node: Node, k: int, dot: Node) -> Node:
    row = node.op
    assert isinstance(row, ArrayPrimitive)
    if row.labels is not None:
        return graph.make(row, (*node.args[:k], dot, *node.args[k + 1 :]), node.data)
    if row.slope is not None:
        return graph.make(SUM, (chain(graph, dot, _slope(graph, node)),), node.data)
    return _ruled(graph, node, row.tangents[k] or _refuse(graph, node, k), f"d{row.args[k]}", dot)


def _slope(graph: Graph, node: Node) -> Node:
    """The partial of a reduction by each element that goes into it."""
    row, pen = node.op, Pen(graph)
    assert isinstance(row, ArrayPrimitive)
    assert row.slope is not None
    x, out = node.args[0], spread(pen, node, node)
    if isinstance(row.slope, str):
        return pen.written(row.slope, x=x, out=out)
    found: Node = row.slope(pen, node, x, out)
    return found


def _ruled(graph: Graph, node: Node, rule: Rule, name: str, value: Node) -> Node:
    """A rule of the table applied: a text, or a function."""
    if isinstance(rule, str):
        nodes = dict(zip(node.op.args, node.args, strict=True))
        return Pen(graph).written(rule, **nodes, out=node, **{name: value})
    found: Node = rule(Pen(graph), node, value)
    return found


def adjoint_of(graph: Graph, node: Node, k: int, bar: Node) -> Node:
    """What the adjoint of an operation on arrays passes on to argument `k`.

    A number, or the adjoint of a sum, is selected after the operation instead of before it.
    """
    condition, kept = masked(graph, bar)
    if condition is None or (condition.shape and node.op is not SUM):
        return _passed_on(graph, node, k, bar)
    if condition.shape:
        condition = spread(Pen(graph), node, stretched(graph, condition, bar.shape))
    found = _passed_on(graph, node, k, stretched(graph, kept, bar.shape))
    return selected(graph, [condition], found)


def _passed_on(graph: Graph, node: Node, k: int, bar: Node) -> Node:
    row = node.op
    if row is STACK:
        index = (At(k), *(ALL for _ in bar.shape[1:]))
        return bar.args[k] if bar.op is STACK else graph.make(INDEX, (bar,), index)
    assert isinstance(row, ArrayPrimitive)
    if row.labels is not None:
        return _adjoint_product(graph, node, k, bar)
    if row.slope is not None:
        return chain(graph, spread(Pen(graph), node, bar), _slope(graph, node))
    if row is CONCATENATE:
        part: Node = row.adjoints[0](Pen(graph), node, bar, k)  # type: ignore[misc,operator]
        return part
    rule = (row.adjoints[k] if k < len(row.adjoints) else None) or _refuse(graph, node, k)
    return _ruled(graph, node, rule, "bar", bar)


def _adjoint_product(graph: Graph, node: Node, k: int, bar: Node) -> Node:
    """The adjoint times all other factors, summed over the axes that argument `k` has not."""
    inside, out = spec(node)
    others = [(a, inside[j]) for j, a in enumerate(node.args) if j != k]
    extents = dict(zip(inside[k], node.args[k].shape, strict=True))
    return einsum(graph, [(bar, out), *others], inside[k], extents)


def fitted(graph: Graph, node: Node, argument: Node) -> Node:
    """A contribution of an elementwise operation in the shape of the argument it is for.

    Sums over the axes along which the argument was repeated: nothing, if nothing is selected.
    """
    if node.shape == argument.shape:
        return node
    condition, kept = masked(graph, node)
    if condition is None or not argument.args:
        return _summed(graph, node, argument.shape)
    if not condition.shape:
        found = _summed(graph, stretched(graph, kept, node.shape), argument.shape)
        return selected(graph, [condition], found)
    one, zero = graph.constant(1), graph.constant(0)
    ones = stretched(graph, graph.apply(WHERE, condition, one, zero), node.shape)
    some = graph.apply(GREATER, _summed(graph, ones, argument.shape), zero)
    return selected(graph, [some], _summed(graph, node, argument.shape))


def _summed(graph: Graph, node: Node, shape: Shape) -> Node:
    (own, whole), _ = elementwise(None, shape, node.shape)
    extents = dict(zip(own, shape, strict=True))
    return einsum(graph, [(node, whole)], own, extents)


def zeros(graph: Graph, shape: Shape) -> Node:
    """Nothing, in a shape."""
    zero = graph.constant(0)
    return graph.make(BROADCAST, (zero,), shape) if shape else zero

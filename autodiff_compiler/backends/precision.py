"""The type of the numbers, and which of them NumPy would make doubles without need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum

from ..graph import CONSTANT, INPUT, PLACING, STACK, WHERE, Graph, Node, differentiable
from ..primitives import ARRAYS, ArrayPrimitive

SUM = ARRAYS["sum"]


def common_type(graph: Graph, arrays: Mapping[Node, str]) -> str:
    """The type of the results as text: that of the arrays which are no positions."""
    kept = set(differentiable(graph))
    names = sorted(arrays, key=lambda node: node.data not in kept)
    return f"{arrays[names[0]]}.dtype" if names else "float"


class Kind(IntEnum):
    """What decides the type of a number: nothing, as of a literal; an argument; or NumPy."""

    WEAK = 0
    GIVEN = 1
    DOUBLE = 2


def doubles(nodes: Iterable[Node], has_arrays: bool) -> set[Node]:
    """The nodes whose values are doubles; of programs of arrays, numbers are like literals."""
    kinds: dict[Node, Kind] = {}
    for node in nodes:
        kinds[node] = _kind(node, [kinds[a] for a in node.args], has_arrays)
    return {node for node, kind in kinds.items() if kind is Kind.DOUBLE}


def _kind(node: Node, args: list[Kind], has_arrays: bool) -> Kind:
    if node.op is CONSTANT or node.op is INPUT:
        given = node.op is INPUT and (node.shape or not has_arrays)
        return Kind.GIVEN if given else Kind.WEAK
    if node.op is WHERE:
        kind = max(args[1:])
        return Kind.DOUBLE if kind is Kind.WEAK else kind
    if node.op.double:
        return Kind.DOUBLE
    if node.op is STACK and not node.args[0].shape:
        return Kind.DOUBLE  # NumPy's of a list of numbers
    if node.op is SUM and node.args[0].is_boolean:
        return Kind.DOUBLE
    made = node.shape if isinstance(node.op, ArrayPrimitive) else not node.op.symbol
    kind = max(args[:1] if node.op in PLACING else args, default=Kind.WEAK)
    return Kind.DOUBLE if made and kind is Kind.WEAK else kind

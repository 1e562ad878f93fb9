"""A row's texts as nodes: partial derivatives and definitions, parsed once and replayed.

A text is replayed by a small Python function, generated from it, that makes its nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from .graph import CONSTANT, INPUT, Graph, Node
from .parser import parse
from .primitives import ArrayPrimitive, Primitive
from .primitives.ieee import evaluate

Builder = Callable[..., Node]


def builder(text: str, names: Iterable[str], constants: Collection[str] = ()) -> Builder:
    """`build(graph, *nodes)`: the text's value in `graph`, with `nodes` for its names.

    Operations on names that stand for `constants` are evaluated, not made.
    """
    names = tuple(names)
    graph, output = parse(text, inputs=names, constants=True)
    spelled = {graph.inputs[name]: f"n{k}" for k, name in enumerate(names)}
    known = {graph.inputs[name] for name in names if name in constants}
    pool: dict[str, Any] = {"evaluate": evaluate}
    lines = [f"def build({', '.join(['graph', *spelled.values()])}):"]
    for node in graph.nodes:
        if node.op is not INPUT:
            evaluated = bool(node.args) and known.issuperset(node.args)
            known |= {node} if evaluated else set()
            spelled[node] = f"t{node.index}"
            lines.append(f"    t{node.index} = {_made(node, spelled, evaluated, pool)}")
    return function([*lines, f"    return {spelled[output]}"], pool)


def _made(node: Node, spelled: Mapping[Node, str], evaluated: bool, pool: dict[str, Any]) -> str:
    """The expression that makes a node; what it refers to goes into the pool."""
    name = f"p{len(pool)}"
    pool[name] = node.data if node.op is CONSTANT else node.op
    if node.op is CONSTANT:
        return f"graph.constant({name})"
    if isinstance(node.op, ArrayPrimitive):
        pool[f"{name}d"] = node.data
        return f"graph.make({name}, ({''.join(spelled[a] + ', ' for a in node.args)}), {name}d)"
    if evaluated:
        values = ", ".join(f"{spelled[a]}.data" for a in node.args)
        return f"graph.constant(evaluate({name}, [{values}]))"
    return f"graph.apply({', '.join([name, *(spelled[a] for a in node.args)])})"


def function(lines: Sequence[str], pool: dict[str, Any]) -> Builder:
    """The function `build` that `lines` define, with `pool` as its globals."""
    namespace = dict(pool)
    exec("\n".join(lines), namespace)
    made: Builder = namespace["build"]
    return made


@cache
def partial_builders(row: Primitive) -> tuple[Builder | None, ...]:
    """One builder for each argument of a row, over its arguments and `out`."""
    names = (*row.args, "out")
    return tuple(None if text is None else builder(text, names) for text in row.partials)


class Pen:
    """A graph to write into, for the rules of the table: its operations, and texts."""

    def __init__(self, graph: Graph) -> None:
        self.make, self.apply, self.constant = graph.make, graph.apply, graph.constant
        self._graph = graph

    def written(self, text: str, **nodes: Node) -> Node:
        """A text of the table, with nodes for its names."""
        return _written(text, tuple(nodes))(self._graph, *nodes.values())


@cache
def _written(text: str, names: tuple[str, ...]) -> Builder:
    return builder(text, names)


@cache
def definition(row: Primitive) -> Builder:
    """The row's definition in the language, as a builder over its arguments."""
    assert row.define is not None, row
    return builder(row.define, row.args)

"""A row's texts as nodes: partial derivatives and definitions, parsed once and replayed.

A text is replayed by a small Python function, generated from it, that makes its nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from typing import Any

from .graph import CONSTANT, INPUT, Node
from .parser import parse
from .primitives import Primitive

Builder = Callable[..., Node]


def builder(text: str, names: Iterable[str]) -> Builder:
    """`build(graph, *nodes)`: the text's value in `graph`, with `nodes` for its names."""
    names = tuple(names)
    graph, output = parse(text, inputs=names, constants=True)
    spelled: dict[Node, str] = {graph.inputs[name]: f"n{k}" for k, name in enumerate(names)}
    pool: dict[str, Any] = {}
    lines = []
    for node in graph.nodes:
        if node.op is not INPUT:
            spelled[node] = f"t{node.index}"
            lines.append(
                f"    t{node.index} = {_make(node, [spelled[a] for a in node.args], pool)}"
            )
    head = f"def build({', '.join(['graph', *spelled.values()][: len(names) + 1])}):"
    return function([head, *lines, f"    return {spelled[output]}"], pool)


def _make(node: Node, args: Sequence[str], pool: dict[str, Any]) -> str:
    """The call that makes a node; what it refers to goes into the pool."""
    name = f"p{len(pool)}"
    if node.op is CONSTANT:
        pool[name] = node.data
        return f"graph.constant({name})"
    pool[name] = node.op
    return f"graph.apply({', '.join([name, *args])})"


def function(lines: Sequence[str], pool: dict[str, Any]) -> Builder:
    """The last function that `lines` define, with `pool` as its globals."""
    namespace = dict(pool)
    exec("\n".join(lines), namespace)
    made: Builder = namespace["build"]
    return made


@cache
def partial_builders(row: Primitive) -> tuple[Builder | None, ...]:
    """One builder for each argument of a row, over its arguments and `out`."""
    names = (*row.args, "out")
    return tuple(None if text is None else builder(text, names) for text in row.partials)


@cache
def definition(row: Primitive) -> Builder:
    """The row's definition in the language, as a builder over its arguments."""
    assert row.define is not None, row
    return builder(row.define, row.args)

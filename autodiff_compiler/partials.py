"""A row's texts as nodes: partial derivatives and definitions, parsed once and replayed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import NamedTuple

from .graph import CONSTANT, INPUT, Graph, Node, Number
from .parser import parse
from .primitives import Primitive


class Step(NamedTuple):
    """One node of a template: a constant, or an operation on earlier values."""

    op: Primitive
    operands: tuple[int, ...]
    data: Number | None


class Template:
    """A text over named arguments, as steps that any graph can replay on its own nodes."""

    __slots__ = ("result", "steps")

    def __init__(self, text: str, names: Iterable[str]) -> None:
        names = tuple(names)
        graph, output = parse(text, inputs=names, constants=True)
        position = {graph.inputs[name]: k for k, name in enumerate(names)}
        steps = []
        for node in graph.nodes:
            if node.op is not INPUT:
                position[node] = len(names) + len(steps)
                steps.append(Step(node.op, tuple(position[a] for a in node.args), node.data))
        self.steps: tuple[Step, ...] = tuple(steps)
        self.result: int = position[output]

    def build(self, graph: Graph, arguments: Sequence[Node]) -> Node:
        """The text's value in `graph`, with `arguments` for its names."""
        values = list(arguments)
        for op, operands, data in self.steps:
            if op is CONSTANT and data is not None:
                values.append(graph.constant(data))
            else:
                values.append(graph.apply(op, *[values[k] for k in operands]))
        return values[self.result]


@cache
def partial_templates(row: Primitive) -> tuple[Template | None, ...]:
    """One template for each argument of a row, over its arguments and `out`."""
    names = (*row.args, "out")
    return tuple(None if text is None else Template(text, names) for text in row.partials)


@cache
def definition(row: Primitive) -> Template:
    """The row's definition in the language, as a template over its arguments."""
    assert row.define is not None, row
    return Template(row.define, row.args)

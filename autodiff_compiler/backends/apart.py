"""Rows that have a function of their own in a generated module, made from their definitions."""

from __future__ import annotations

from collections.abc import Sequence

from ..derivatives import Program
from ..parser import parse
from ..passes import LOCAL, optimise, pipeline
from ..primitives import Primitive

OTHERS = tuple(name for name in LOCAL if name not in ("fold", "powers"))


def definition(row: Primitive) -> Program:
    """The definition of a row as a program, as it is written in the table, with its names."""
    assert row.define is not None, row
    parsed = parse(row.define, inputs=row.args, constants=True)
    graph, output, _ = optimise(*parsed, pipeline(OTHERS))
    graph.labels.clear()  # v1, v2 ... would stand beside names of one letter
    return Program("value", graph, tuple(graph.inputs.values()), output)


def doc(row: Primitive) -> Sequence[str]:
    """The docstring of such a function."""
    return [f"{row.note}."]

"""The language itself: graphs as formulas that `compile` reads back, and as text for traces."""

from __future__ import annotations

from functools import cache

from ..derivatives import Program, Tree, differentiate
from ..graph import WHERE, Graph, Node
from ..passes import optimise
from ..primitives import BY_NAME, Primitive
from ..primitives.arithmetic import COMPARISON, PRODUCT
from ..primitives.ieee import Number
from ..scope import WORDS
from .base import Schedule, Spelling, call, infix, layout, literal


class FormulaSpeller:
    """Operators and function names of the language; with `spaced`, a space around each operator."""

    keywords = WORDS

    def __init__(self, spaced: bool = False) -> None:
        self._spaced = spaced

    def constant(self, value: Number) -> Spelling:
        text = repr(value)
        if text in LITERALS:
            return Spelling(LITERALS[text], COMPARISON, ())
        return literal(text)

    def spell(self, row: Primitive) -> Spelling:
        return _spelling(row, self._spaced)


# What the language has no names for.
LITERALS = {"inf": "1/0", "-inf": "-1/0", "nan": "0/0", "True": "1 == 1", "False": "1 == 0"}


@cache
def _spelling(row: Primitive, spaced: bool) -> Spelling:
    if row.symbol and row is not WHERE:
        return infix(row, row.symbol, not spaced and row.precedence >= PRODUCT)
    return call(row.name, row.arity)


def derivative(graph: Graph, output: Node, name: str) -> str:
    """The derivative of `output` by one input, as a program: intermediates, then the formula."""
    better, target, _ = optimise(graph, output, "", without=("powers",))
    program = differentiate(better, target, (name,), "jacobian")
    assert isinstance(program.outputs, tuple)
    return write(program._replace(outputs=program.outputs[0]))


def write(program: Program) -> str:
    """The outputs of a program as text in the language; lists as list literals."""
    schedule = Schedule(program, FormulaSpeller(), reserved=BY_NAME)
    lines = [f"{name} = {text}" for name, text in schedule.statements]
    outputs: Tree = program.outputs
    return "\n".join([*lines, layout(schedule, outputs, lambda parts: f"[{', '.join(parts)}]")])

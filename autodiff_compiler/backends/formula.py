"""The language itself: graphs as formulas that `compile` reads back, and as text for traces."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cache

from ..derivatives import Program, Tree
from ..graph import MULTIPLY, WHERE, Graph, Node
from ..language.scope import WORDS
from ..passes import Pipeline, optimise, pipeline
from ..primitives import BY_NAME, Primitive
from ..primitives.arithmetic import COMPARISON, PRODUCT
from ..primitives.ieee import Number, evaluator
from ..products.flatten import flattened
from ..rewrite import Law, LawPass
from ..shapes import Extent
from ..singular import differentiate
from .base import Expressions, Schedule, Spelling, call, infix, layout, literal
from .latex import LatexSpeller, brackets, symbol
from .notation import spelling
from .readable import readable


class FormulaSpeller:
    """Operators and function names of the language; with `spaced`, a space around each operator."""

    keywords = WORDS

    def __init__(self, inputs: Collection[str] = (), spaced: bool = False) -> None:
        self._inputs, self._spaced = inputs, spaced

    def constant(self, value: Number) -> Spelling:
        text = repr(value)
        if text in LITERALS:
            return Spelling(LITERALS[text], COMPARISON, ())
        return literal(text)

    def spell(self, row: Primitive) -> Spelling:
        if not row.args and row.name in self._inputs:  # an input called pi or e hides the constant
            return literal(repr(float(evaluator(row)())))
        return _spelling(row, self._spaced)

    def spell_node(self, node: Node, _size: Callable[[Extent], str]) -> Spelling:
        """How an operation on arrays is written; extents have their own names."""
        return spelling(node)


# What the language has no names for.
LITERALS = {"inf": "1/0", "-inf": "-1/0", "nan": "0/0", "True": "1 == 1", "False": "1 == 0"}


@cache
def _spelling(row: Primitive, spaced: bool) -> Spelling:
    if row.symbol and row is not WHERE:
        found = infix(row, row.symbol, not spaced and row.precedence >= PRODUCT)
        if row is not MULTIPLY or spaced:
            return found
        # A person writes no brackets inside a product, though an ulp may be lost with them.
        return found._replace(operands=(PRODUCT, PRODUCT))
    return call(row.name, row.arity)


# Algebra that may round differently: a formula to read comes out shorter by it.
# Constants merge before they move to the front, where else two of them would change places forever.
TIDY = (
    Law("m*(n*x)", "(m*n)*x", exact=False),
    Law("m*(n/x)", "(m*n)/x", exact=False),
    Law("x*(n*y)", "n*(x*y)", exact=False),
    Law("x*(n/y)", "n*(x/y)", exact=False),
    Law("(n*x)/y", "n*(x/y)", exact=False),
    Law("(n/x)/y", "n/(x*y)", exact=False),
    Law("x/x", "1", exact=False),
)


@cache
def _readable() -> Pipeline:
    passes = pipeline(("powers", "stable", "regroup")).passes
    return Pipeline({**passes, "tidy": LawPass("tidy", TIDY)})


def derivative(graph: Graph, output: Node, name: str, form: str) -> str:
    """The derivative of `output` by one input: intermediates, then the formula.

    `form` is one of `FORMS`; the text is a program in the language.
    """
    better, target, _ = optimise(graph, output, _readable())
    program = differentiate(better, target, (name,), "jacobian")
    assert isinstance(program.outputs, tuple)
    program = program._replace(outputs=program.outputs[0])
    return FORMS[form](readable(flattened(program)) if graph.has_arrays else program)


def write(program: Program) -> str:
    """The outputs of a program as text in the language; lists as list literals."""
    schedule = Schedule(program, FormulaSpeller(program.graph.inputs), reserved=BY_NAME)
    lines = [f"{name} = {text}" for name, text in schedule.statements]
    outputs: Tree = program.outputs
    last = layout(outputs, schedule.text, lambda _, parts: f"[{parts}]")
    if schedule.statements and last == schedule.statements[-1][0]:
        last = lines.pop().partition(" = ")[2]
    return "\n".join([*lines, last])


def write_latex(program: Program) -> str:
    """The outputs of a program in LaTeX; intermediates are equations before them."""
    schedule = Schedule(program, FormulaSpeller(program.graph.inputs), reserved=BY_NAME)
    steps = [node for node in schedule.named.values() if node is not program.outputs]
    names = {node: name for name, node in schedule.named.items() if node in steps}
    names |= {node: str(node.data) for node in program.arguments()}
    known = {node: symbol(name) for node, name in names.items()}
    expressions = Expressions(LatexSpeller(), known.get, brackets)
    outputs = [expressions.text(node) for node in program.leaves()]
    joined = ", ".join(outputs)
    last = rf"\left[{joined}\right]" if isinstance(program.outputs, list) else joined
    lines = [rf"{known[n]} &= {expressions.operation(n)} \\" for n in steps]
    if not lines:
        return last
    return "\n".join([r"\begin{aligned}", *lines, f"& {last}", r"\end{aligned}"])


FORMS: Mapping[str, Callable[[Program], str]] = {"text": write, "latex": write_latex}

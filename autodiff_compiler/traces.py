"""Evaluation traces as lectures draw them: primal, tangent and adjoint, line by line.

Inputs are v-(n-1) ... v0 and operations v1, v2 ..., as in Griewank and Walther, Evaluating
Derivatives (2008); an operation that the program names keeps its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from . import given
from .arrayruntime import callables
from .backends.base import ATOM, Expressions
from .backends.formula import FormulaSpeller
from .backends.latex import LatexSpeller, brackets
from .backends.latex import symbol as latex_symbol
from .backends.style import PLAIN
from .chainrule.masks import masked
from .derivatives import Program
from .forward import tangents
from .graph import (
    ADD,
    CONSTANT,
    INPUT,
    MULTIPLY,
    NEGATIVE,
    STACK,
    SUBTRACT,
    WHERE,
    Graph,
    Node,
    free,
)
from .passes import STABLE_PASSES, pipeline
from .report import Report
from .reverse import accumulations
from .shapes import Shape
from .symbols import all_symbols, output_symbols
from .tables import FORMATS, Section, short

FINITE = frozenset({ADD, CONSTANT, INPUT, MULTIPLY, NEGATIVE, SUBTRACT})
MOST_FINITE = 64  # operations of a slope that are looked at
MODES = ("primal", "forward", "reverse")


class Row(NamedTuple):
    """One line: what is computed, how, and its value at the point, if there is one.

    The value is a float, or an array.
    """

    symbol: str
    formula: str
    value: Any


class Line(NamedTuple):
    """A row before it is printed: symbol, formula in both scripts, and the node it evaluates."""

    symbol: str
    formula: str
    latex: str
    node: Node | None


class Trace(Report):
    """A trace: `rows` of the mode asked for, and `primal`, the rows that they build on.

    It prints as text, and shows itself as a table in a notebook.
    """

    def __init__(self, sections: Sequence[Section[Row]], mode: str) -> None:
        self.sections, self.mode = tuple(sections), mode

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of the mode: values, tangents, or one for each accumulation of an adjoint."""
        return self.sections[-1].rows

    @property
    def primal(self) -> tuple[Row, ...]:
        """The rows of values."""
        return self.sections[0].rows

    def latex(self) -> str:
        """`array` environments for a lecture's notes."""
        return self.render("latex")

    @property
    def _writers(self) -> Mapping[str, Callable[[], str]]:
        return {form: partial(write, self.sections) for form, write in FORMATS.items()}

    def __repr__(self) -> str:
        return f"<{self.mode} trace of {len(self.rows)} rows>"


class _Drafter:
    """Collects the lines of a trace, then evaluates all of them at once."""

    def __init__(self, graph: Graph, output: Node, wrt: Sequence[str]) -> None:
        rules = pipeline(("powers", *STABLE_PASSES))
        self.graph = graph.copy(rules)
        self.output, self.wrt = output, [graph.inputs[name] for name in wrt]
        self.parts = output.parts
        self.outputs = output_symbols(graph, output)
        self.symbols = all_symbols(graph)
        self.nodes = graph.nodes
        self.names = dict(self.symbols)  # of derivatives too, as they come
        self.graph.shown = self.names
        self.taken = {*graph.inputs, *graph.names.values()}
        self.seeds: dict[Node, Any] = {}
        self.text = Expressions(FormulaSpeller(spaced=True), self.names.get)
        self.latex = Expressions(LatexSpeller(), self._latex, brackets)

    def line(self, symbol: str, node: Node, source: str | None = None) -> Line:
        """A line whose formula is another symbol, or the node's operation."""
        if source is not None:
            return Line(symbol, source, latex_symbol(source), node)
        return Line(symbol, self.text.operation(node), self.latex.operation(node), node)

    def _latex(self, node: Node) -> str | None:
        return latex_symbol(self.names[node]) if node in self.names else None

    def primal(self) -> Iterator[Line]:
        """The inputs, the operations and the outputs."""
        for name, node in self.graph.inputs.items():
            if node in self.symbols:
                yield self.line(self.symbols[node], node, name)
        for node in self.nodes:
            if node.args and node.op is not STACK:
                yield self.line(self.symbols[node], node)
        yield from self._outputs()

    def _outputs(self) -> Iterator[Line]:
        for name, part in zip(self.outputs, self.parts, strict=True):
            if part.op is CONSTANT:
                yield self.line(name, part)
            else:
                yield self.line(name, part, self.names.get(part) or str(part.op.name))

    def forward(self, seed: Sequence[Any]) -> Iterator[Line]:
        """The tangent of every operation, from tangents of the inputs."""
        dots: dict[Node, Node] = {}
        for x, start in zip(self.wrt, seed, strict=True):
            name = self._derived(x.data, "_dot")
            dots[x] = self._seed(name, start, x.shape)
            self.names[dots[x]] = self._derived(self.symbols[x], "_dot")
            yield self.line(self.names[dots[x]], dots[x], name)
        for node, value in tangents(self.graph, self.nodes, dots, {}):
            dots[node] = value
            if node.op is not STACK:
                yield self._tangent(node, value)
        for name, part in zip(self.outputs, self.parts, strict=True):
            yield self._result(name, part, dots.get(part), "_dot")

    def _tangent(self, node: Node, value: Node) -> Line:
        symbol = self._derived(self.symbols[node], "_dot")
        line = self.line(symbol, value, self.names.get(value))
        if value.op is not CONSTANT:
            self.names.setdefault(value, symbol)
        return line

    def _derived(self, name: str, suffix: str) -> str:
        """What a derivative is called: after what it is of, unless the program has that name."""
        return free(name + suffix, self.taken)

    def _result(self, name: str, node: Node, derivative: Node | None, suffix: str) -> Line:
        symbol = self._derived(name, suffix)
        if derivative is None:
            return Line(symbol, "0", "0", self.graph.constant(0))
        return self.line(symbol, derivative, self._derived(self.symbols.get(node, name), suffix))

    def _seed(self, name: str, value: Any, shape: Shape) -> Node:
        node = self.graph.fresh_input(name, shape)
        self.seeds[node] = value
        return node

    def reverse(self, seed: Sequence[Any]) -> Iterator[Line]:
        """Every accumulation, from adjoints of the outputs."""
        bars: dict[Node, Node] = {}
        for output, part, value in zip(self.outputs, self.parts, seed, strict=True):
            name, before = self._derived(output, "_bar"), bars.get(part)
            seeded = self._seed(name, value, part.shape)
            bars[part] = self._start(before, seeded)
            if part in self.symbols:
                own = self._derived(self.symbols[part], "_bar")
                yield self.line(own, bars[part], name if before is None else f"{own} + {name}")
                self._rename(bars[part], own)
        for step in accumulations(self.graph, self.nodes, dict(bars), self.wrt, {}):
            node, argument, _, before, total = step
            if before is not None and argument in self.symbols:
                self._rename(before, self._derived(self.symbols[argument], "_bar"))
            if node in self.symbols:
                self._rename(bars[node], self._derived(self.symbols[node], "_bar"))
            bars[argument] = total
            if argument in self.symbols:  # but for a list, which is shown where it is used
                yield self._accumulation(bars[node], *step)
            if self.graph.has_arrays and before is not None and before is not total:
                self.names.pop(before, None)  # its name is now that of the total
        for x in self.wrt:
            yield self._result(x.data, x, bars.get(x), "_bar")

    def _rename(self, bar: Node, name: str) -> None:
        """Rules of arrays refer to adjoints by name; the slopes of numbers are other nodes."""
        if self.graph.has_arrays:
            self.names[bar] = name

    def _start(self, before: Node | None, seed: Node) -> Node:
        return seed if before is None else self.graph.apply(ADD, before, seed)

    def _accumulation(
        self,
        bar: Node,
        node: Node,
        argument: Node,
        slope: Node | None,
        before: Node | None,
        total: Node,
    ) -> Line:
        own = self._derived(self.symbols[argument], "_bar")
        if slope is None or node.shape != argument.shape:  # what need not be a product
            line = self.line(own, total, self.names.get(total))
            self._rename(total, own)
            return line
        term, tex = self._term(self._derived(self.symbols[node], "_bar"), bar, slope)
        if before is not None:
            term, tex = f"{own} + {term}", f"{latex_symbol(own)} + {tex}"
        self._rename(total, own)
        return Line(own, term, tex, total)

    def _term(self, above: str, bar: Node, slope: Node) -> tuple[str, str]:
        """An adjoint times a slope, where it is taken: if it is not, the slope may be infinite."""
        name = self.names.get(slope)
        term = f"{above} * {name or self.text.operation(slope, ATOM)}"
        tex = latex_symbol(name) if name else self.latex.operation(slope, ATOM)
        tex = rf"{latex_symbol(above)} \cdot {tex}"
        condition = masked(self.graph, bar).condition
        if condition is None or _is_polynomial(slope):
            return term, tex
        assert WHERE.latex is not None
        condition_tex = self.latex.text(condition)
        cases = WHERE.latex.format(c=condition_tex, a=tex, b="0")
        return f"where({self.text.text(condition)}, {term}, 0)", cases

    def evaluate(self, lines: Sequence[Line], point: Sequence[Any]) -> list[Any]:
        """The value of every line at a point."""
        outputs = tuple(n for n in (line.node for line in lines) if n is not None)
        parameters = tuple(self.graph.inputs.values())
        program = Program("value", self.graph, parameters, outputs)
        found = callables(program, (), PLAIN)
        run = found.fast() if self.graph.has_arrays else found.general
        return list(run(*point, *self.seeds.values()))

    def point(self, at: given.Point | None) -> tuple[list[Any] | None, dict[str, int]]:
        """Values of the inputs, if a point is given, and the extents that they have."""
        if at is None or not self.graph.has_arrays:
            return None if at is None else given.vector(at, tuple(self.graph.inputs), "at"), {}
        wanted = [(name, node.shape) for name, node in self.graph.inputs.items()]
        found = given.point(at, wanted)
        return found, given.lengths(wanted, found)

    def start(
        self, seed: Any, named: Sequence[tuple[str, Node]], extents: Mapping[str, int]
    ) -> list[Any]:
        """A seed for each name, by default 1 for the first."""
        if not self.graph.has_arrays:
            return given.seed_vector(seed, tuple(name for name, _ in named))
        return given.direction(seed, [(name, node.shape) for name, node in named], extents)


def trace(
    graph: Graph,
    output: Node,
    wrt: Sequence[str],
    mode: str,
    at: given.Point | None,
    seed: given.Point | float | None,
) -> Trace:
    """The trace of a program as written; see `Function.trace`."""
    if mode not in MODES:
        raise ValueError(f"mode: expected one of {', '.join(MODES)}, got {mode!r}")
    if mode == "primal" and seed is not None:
        raise ValueError("seed: a primal trace takes none; mode is 'forward' or 'reverse'")
    draft = _Drafter(graph, output, wrt)
    point, extents = draft.point(at)
    titled = [("Primal trace", list(draft.primal()))]
    if mode == "forward":
        start = draft.start(seed, [(str(x.data), x) for x in draft.wrt], extents)
        titled.append((f"Tangent trace, {_seeded(start)}", list(draft.forward(start))))
    if mode == "reverse":
        ends = list(zip(draft.outputs, draft.parts, strict=True))
        start = draft.start(seed, ends, extents)
        titled.append((f"Adjoint trace, {_seeded(start)}", list(draft.reverse(start))))
    lines = [line for _, section in titled for line in section]
    values: Sequence[Any] = [None] * len(lines) if point is None else draft.evaluate(lines, point)
    return Trace(list(_sections(titled, values)), mode)


def _is_polynomial(slope: Node) -> bool:
    """Whether a slope is finite wherever its inputs are."""
    pending = [slope]
    for node in pending:  # which grows
        if node.op not in FINITE or len(pending) > MOST_FINITE:
            return False
        pending += node.args
    return True


def _sections(
    titled: Sequence[tuple[str, Sequence[Line]]], values: Sequence[Any]
) -> Iterator[Section[Row]]:
    rest = iter(values)
    for title, lines in titled:
        rows = tuple(Row(line.symbol, line.formula, next(rest)) for line in lines)
        latex = tuple((latex_symbol(line.symbol), line.latex) for line in lines)
        shapes = tuple(line.node.shape if line.node else () for line in lines)
        yield Section(title, rows, latex, shapes if any(shapes) else ())


def _seeded(values: Sequence[Any]) -> str:
    """What a trace starts from."""
    texts = (f"{v:g}" if isinstance(v, float) else str(v) for v in map(_shortened, values))
    return f"seed ({', '.join(texts)})"


def _shortened(value: Any) -> Any:
    return value if isinstance(value, float | str) else short(value)

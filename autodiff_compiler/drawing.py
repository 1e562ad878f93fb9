"""The drawing of a program: its evaluation trace as a graph, in DOT and in Mermaid."""

from __future__ import annotations

import html
from collections.abc import Iterator

from .backends.base import Expressions
from .backends.formula import FormulaSpeller
from .graph import CONSTANT, INPUT, Graph, Node
from .shapes import shown
from .symbols import all_symbols, output_symbols


class Drawing:
    """One box for each line of the primal trace, one arrow for each argument.

    The names are those of the trace and of the generated code.  Arrays have their shape on a line
    of its own.
    """

    def __init__(self, graph: Graph, output: Node) -> None:
        self._graph, self._output = graph, output
        self._symbols = all_symbols(graph)
        self._texts = Expressions(FormulaSpeller(spaced=True), self._symbols.get)

    def _boxes(self) -> Iterator[tuple[str, str]]:
        """Identifier and label of each node."""
        for node, symbol in self._symbols.items():
            text = node.data if node.op is INPUT else self._texts.operation(node)
            yield self._identifier(node), f"{symbol} = {text}{self._shape(node)}"
        names = output_symbols(self._graph, self._output)
        for k, (name, part) in enumerate(zip(names, self._output.parts, strict=True), 1):
            yield f"out{k}", f"{name} = {self._texts.text(part)}{self._shape(part)}"

    def _arrows(self) -> Iterator[tuple[str, str]]:
        for node in self._symbols:
            for argument in dict.fromkeys(node.args):
                if argument.op is not CONSTANT and argument in self._symbols:
                    yield self._identifier(argument), self._identifier(node)
        for k, part in enumerate(self._output.parts, 1):
            if part in self._symbols:
                yield self._identifier(part), f"out{k}"

    @staticmethod
    def _shape(node: Node) -> str:
        return f"\n{shown(node.shape)}" if node.shape else ""

    @staticmethod
    def _identifier(node: Node) -> str:
        return f"n{node.index}"

    def dot(self) -> str:
        """Graphviz's language."""
        lines = ["digraph trace {", "  rankdir=LR;", "  node [shape=box, fontname=monospace];"]
        for name, label in self._boxes():
            escaped = label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            lines.append(f'  {name} [label="{escaped}"];')
        lines += [f"  {tail} -> {head};" for tail, head in self._arrows()]
        return "\n".join([*lines, "}"])

    def mermaid(self) -> str:
        """Mermaid's flowchart, as GitHub and notebooks draw it."""
        lines = ["flowchart LR"]
        for name, label in self._boxes():
            escaped = html.escape(label, quote=True).replace("&", "#").replace("#amp;", "#38;")
            escaped = escaped.replace("\n", "<br/>")
            lines.append(f'  {name}["{escaped}"]')
        lines += [f"  {tail} --> {head}" for tail, head in self._arrows()]
        return "\n".join(lines)

    __str__ = dot

    def __repr__(self) -> str:
        return f"<drawing of {len(self._symbols)} nodes: .dot(), .mermaid()>"

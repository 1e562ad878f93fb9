"""The subexpression where a program loses its digits at a point.

The error is followed from the result down to where it is made: an operation whose arguments,
exact and then rounded to doubles, already give a wrong result loses the digits itself.  Any other
has its error from an argument, the one that spoils it most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..backends.base import Expressions
from ..backends.formula import FormulaSpeller
from ..derivatives import Program
from ..errors import line_and_column
from ..graph import CONSTANT, INPUT, STACK, Graph, Node
from ..runtime import operation
from .certificate import Culprit
from .exact import Digits, bits, double

MORE = "..."
WIDTH = 60  # columns of a subexpression
SIZES = (24, 12, 6, 3, 1)  # operations written out in each argument, the most that fit

Values = Mapping[Node, Any]


class Detective:
    """Finds culprits in one program; `source` is the text its places refer to."""

    def __init__(self, program: Program, source: str) -> None:
        self._digits = Digits(program.graph, program.leaves())
        self._graph, self._source = self._digits.graph, source

    def find(self, point: Mapping[str, float], k: int, want: float, lost: float) -> Culprit | None:
        """Where output `k` loses digits; `None` if its operations, done exactly, lose them too.

        `want` is what it should be, `lost` the bits of its error.
        """
        target = self._digits.outputs[k]
        exact = self._digits.known(point, target)
        if exact is None or exact[target] is None:
            return None
        if bits(double(exact[target]), want) > lost / 2:
            return None
        search = _Search(exact, self._doubles(point))
        node = search.from_result(target)
        place = self._graph.places.get(node)
        line, column = (None, None) if place is None else line_and_column(self._source, place)
        return Culprit(_text(self._graph, node), line, column)

    def _doubles(self, point: Mapping[str, float]) -> dict[Node, Any]:
        """The value of every node as the compiled program has it."""
        found: dict[Node, Any] = {}
        for node in self._digits.nodes:
            if node.op is CONSTANT:
                found[node] = node.data if isinstance(node.data, bool) else float(node.data)
            elif node.op is INPUT:
                found[node] = point[node.data]
            else:
                found[node] = operation(node.op)(*(found[a] for a in node.args))
        return found


class _Search:
    """Exact values and doubles of all nodes, and the way from a wrong result to its cause."""

    def __init__(self, exact: Values, got: Values) -> None:
        self._exact, self._got = exact, got

    def from_result(self, node: Node) -> Node:
        while True:
            cause = self._cause(node)
            if cause is None:
                return node
            node = cause

    def _cause(self, node: Node) -> Node | None:
        """The argument that a node has its error from; `None` if the node makes it."""
        right = [self._rounded(a) for a in node.args]
        whole = self._error(node, self._got[node])
        if self._error(node, self._apply(node, right)) >= whole / 2:
            return next((a for a in node.args if self._is_beyond(a)), None)
        errors = [
            self._error(node, self._apply(node, [*right[:k], self._got[a], *right[k + 1 :]]))
            for k, a in enumerate(node.args)
        ]
        worst, k = max((error, k) for k, error in enumerate(errors))
        return node.args[k] if worst and node.args[k].args else None

    def _apply(self, node: Node, values: Sequence[Any]) -> Any:
        return operation(node.op)(*values) if values else self._got[node]

    def _rounded(self, node: Node) -> Any:
        value = self._exact[node]
        if value is None:  # on a branch not taken
            return self._got[node]
        return value if isinstance(value, bool) else double(value)

    def _error(self, node: Node, value: Any) -> float:
        return bits(float(value), float(self._rounded(node)))

    def _is_beyond(self, node: Node) -> bool:
        """Whether an operation's exact value has no double close to it: too large, or too small."""
        value = self._exact[node]
        if value is None or not node.args or isinstance(value, bool):
            return False
        return bool(abs(value - double(value)) > abs(value) * 2.0**-50)


def _text(graph: Graph, node: Node) -> str:
    """A node in the language, over what the program names; large arguments as traces call them."""
    sizes: dict[Node, int] = {}
    for part in graph.ancestors([node]):
        sizes[part] = 1 + sum(sizes[a] for a in part.args)
    texts = (_written(graph, node, sizes, limit) for limit in SIZES)
    first = next(texts)
    fitting = (t for t in (first, *texts) if len(t) <= WIDTH and MORE not in t)
    return next(fitting, first if len(first) <= WIDTH else first[: WIDTH - len(MORE)] + MORE)


def _written(graph: Graph, node: Node, sizes: Mapping[Node, int], limit: int) -> str:
    """A node in the language, arguments of more operations than the limit by their names."""
    symbol = _symbols(graph, sizes, limit)
    return Expressions(FormulaSpeller(graph.inputs), symbol).operation(node)


def _symbols(graph: Graph, sizes: Mapping[Node, int], limit: int) -> Callable[[Node], str | None]:
    def symbol(node: Node) -> str | None:
        if node.op in (CONSTANT, INPUT, STACK):
            return None
        name = graph.names.get(node)
        return name or (None if sizes[node] <= limit else graph.label(node) or MORE)

    return symbol

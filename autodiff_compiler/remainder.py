"""What remains of a sum in which terms cancel, as laws ask for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from .algebra import (
    MAX_TERMS,
    Polynomial,
    added,
    are_apart,
    expanded,
    lessened,
    made,
    monomial_of,
    multiplied,
    polynomial,
    term,
    times,
)
from .graph import ADD, CONSTANT, DIVIDE, INPUT, MULTIPLY, Graph, Node
from .parser import parse


class Given:
    """A name for what remains of a sum that cancels, or of a quotient that divides.

    `Given("d = u - b*b", names)` finds, for nodes of `names`, the difference with like terms
    cancelled; `"q = d/y"` the quotient if `y` divides every term.  Without cancellation there is
    nothing.
    """

    def __init__(self, text: str, names: Iterable[str]) -> None:
        self.name, _, body = (part.strip() for part in text.partition("="))
        self._graph, self._output = parse(body, inputs=tuple(names))
        inputs = list(self._graph.inputs.values())
        sides = [self._graph.ancestors([side]) for side in self._output.args]
        self._sides = [[k for k, name in enumerate(inputs) if name in side] for side in sides]

    def __call__(self, graph: Graph, *nodes: Node) -> Node | None:
        """The node in `graph`, or `None`."""
        if self._is_apart(nodes):
            return None
        found: dict[Node, Polynomial | None] = {}
        known = dict(zip(self._graph.inputs.values(), nodes, strict=True))
        for line in self._graph.nodes:
            if line is self._output:
                break
            found[line] = _evaluated(graph, line, known, found)
        left, right = (found[a] for a in self._output.args)
        if left is None or right is None:
            return None
        total = _concluded(self._output, left, right)
        return None if total is None else made(graph, total, {})

    def _is_apart(self, nodes: Sequence[Node]) -> bool:
        """Whether, at sight, the two sides have nothing in common that could cancel."""
        ours, theirs = self._sides
        single = len(ours) == len(theirs) == 1 and self._output.op is not DIVIDE
        return single and are_apart(nodes[ours[0]], nodes[theirs[0]])


def _evaluated(
    graph: Graph,
    line: Node,
    known: Mapping[Node, Node],
    found: Mapping[Node, Polynomial | None],
) -> Polynomial | None:
    if line.op is INPUT:
        return _read(graph, known[line])
    if line.op is CONSTANT:
        return {(): line.data}
    left, right = (found[a] for a in line.args)
    if left is None or right is None or len(left) * len(right) > MAX_TERMS:
        return None
    if line.op is MULTIPLY:
        return times(left, right)
    return added(left, right, 1 if line.op is ADD else -1)


def _read(graph: Graph, node: Node) -> Polynomial | None:
    found = polynomial(graph, node)
    whole = term(graph, node)
    if len(found) > 1 or not whole.sums:
        return found
    return expanded(graph, whole.coefficient, whole.powers)


def _concluded(line: Node, left: Polynomial, right: Polynomial) -> Polynomial | None:
    if line.op is DIVIDE:
        return _divided(left, right)
    return lessened(left, right, 1 if line.op is ADD else -1)


def _divided(left: Polynomial, right: Polynomial) -> Polynomial | None:
    """The quotient by a polynomial of one term, if that divides every term."""
    if len(right) != 1 or not next(iter(right)):
        return None
    ((monomial, divisor),) = right.items()
    divides = all(dict(m).get(i, 0) >= e for m in left for i, e in monomial)
    if not divides:
        return None
    return {
        monomial_of(multiplied(dict(m), dict(monomial), -1)): c / divisor for m, c in left.items()
    }

"""The pipeline: named passes in order, each of which can be switched off.

The local passes look at one operation that is about to be made.  They run together wherever nodes
are made: on the program before it is differentiated, and on its derivatives while they grow.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache
from typing import NamedTuple

from .errors import line_and_column
from .folding import fold
from .graph import CONSTANT, DIVIDE, INPUT, MULTIPLY, POWER, Graph, Node, Rewrite
from .primitives import Primitive
from .rewrite import Rewritten, RuleSet
from .simplify import SIMPLIFY

LocalPass = Callable[[Graph, Primitive, tuple[Node, ...]], Rewritten | None]

MAX_CHAIN = 16  # largest exponent turned into multiplications


def powers(graph: Graph, op: Primitive, args: tuple[Node, ...]) -> Rewritten | None:
    """Small integer powers as multiplications, `x**4` as `(x*x)*(x*x)`."""
    if op is not POWER or args[1].op is not CONSTANT:
        return None
    exponent = args[1].data
    if exponent != int(exponent if abs(exponent) <= MAX_CHAIN else 0) or abs(exponent) < 2:
        return None
    result = _chain(graph, args[0], abs(int(exponent)))
    if exponent < 0:
        result = graph.apply(DIVIDE, graph.constant(1), result)
    return Rewritten(result, "integer power by multiplication")


def _chain(graph: Graph, base: Node, exponent: int) -> Node:
    """`base**exponent` by repeated squaring."""
    result = None
    square = base
    while exponent:
        if exponent & 1:
            result = square if result is None else graph.apply(MULTIPLY, square, result)
        exponent >>= 1
        if exponent:
            square = graph.apply(MULTIPLY, square, square)
    assert result is not None
    return result


@cache
def _simplify() -> RuleSet:
    return RuleSet(SIMPLIFY)


def simplify(graph: Graph, op: Primitive, args: tuple[Node, ...]) -> Rewritten | None:
    """Algebra that rounds no differently: the rules of `simplify.py`."""
    return _simplify()(graph, op, args)


LOCAL: Mapping[str, LocalPass] = {"fold": fold, "simplify": simplify, "powers": powers}
PRUNE = "prune"  # dead-code removal, where the code is scheduled
PASSES: tuple[str, ...] = (*LOCAL, PRUNE)


class Applied(NamedTuple):
    """What a pass did: which pass, by which rule, and where in the source."""

    name: str
    rule: str
    line: int
    column: int


def pipeline(without: Collection[str] = (), log: list[tuple[str, str]] | None = None) -> Rewrite:
    """The local passes that are switched on, as one rewrite for `Graph.rewrite`."""
    steps = [(name, step) for name, step in LOCAL.items() if name not in without]

    def rewrite(graph: Graph, op: Primitive, args: tuple[Node, ...]) -> Node | None:
        for name, step in steps:
            found = step(graph, op, args)
            if found is not None:
                if log is not None:
                    log.append((name, found.rule))
                return found.node
        return None

    return rewrite


def optimise(
    graph: Graph, output: Node, source: str, without: Collection[str] = ()
) -> tuple[Graph, Node, list[Applied]]:
    """The program rewritten node by node, its new output, and what was done where.

    Names carry over: what the user called `h`, and the trace calls `v3`, keeps that name.
    """
    log: list[tuple[str, str]] = []
    better = Graph(pipeline(without, log))
    image = {node: better.input(name, node.shape) for name, node in graph.inputs.items()}
    applied: list[Applied] = []
    symbols = trace_symbols(graph)
    for node in graph.nodes:
        if node not in image:
            image[node] = better.rebuild(node, [image[a] for a in node.args], better.apply)
        if node in symbols and image[node].args:
            names = better.names if node in graph.names else better.labels
            names.setdefault(image[node], symbols[node])
        if log:
            line, column = line_and_column(source, graph.places.get(node, 0))
            applied.extend(Applied(name, rule, line, column) for name, rule in log)
            log.clear()
    better.rewrite = pipeline(without)
    return better, image[output], applied


def trace_symbols(graph: Graph) -> dict[Node, str]:
    """The name of each operation of a program: the user's, or v1, v2 ... in evaluation order."""
    taken = {*graph.inputs, *graph.names.values()}
    symbols: dict[Node, str] = {}
    for number, node in enumerate((n for n in graph.nodes if n.args), 1):
        symbol = graph.names.get(node, f"v{number}")
        if node not in graph.names and symbol in taken:
            symbol += "_"
        symbols[node] = symbol
    return symbols


def verify(graph: Graph, outputs: Iterable[Node]) -> None:
    """Check what every pass must leave true; raises `AssertionError`, naming the node.

    Arguments come before the nodes that use them, each row has its arity, equal operations are one
    node, and the outputs are in the graph.
    """
    seen: dict[object, Node] = {}
    members: set[Node] = set()
    for position, node in enumerate(graph.nodes):
        assert node.index == position, f"{node} is not at its index"
        assert members.issuperset(node.args), f"{node} comes before its arguments"
        assert not node.op.args or len(node.args) == node.op.arity, f"{node} has a wrong arity"
        key = (node.op, node.args, type(node.data), repr(node.data))
        assert node.op.name == "parameter" or key not in seen, f"{node} is there twice"
        seen[key] = node
        members.add(node)
    assert members.issuperset(outputs), "an output is not in the graph"
    assert all(graph.inputs[n.data] is n for n in graph.nodes if n.op is INPUT), "a stray input"

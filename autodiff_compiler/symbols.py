"""What traces, drawings and reports call the nodes of a program."""

from __future__ import annotations

import itertools
import re

from .graph import STACK, Graph, Node

STEMS = "vwu"  # of the names in traces: v1, v2 ...
NUMBERED = re.compile(r"([^\W\d_]+)_?\d")


def trace_symbols(graph: Graph) -> dict[Node, str]:
    """The name of each operation of a program: the user's, or v1, v2 ... in evaluation order."""
    stem, operations = _stem(graph), (n for n in graph.nodes if n.args)
    return {n: graph.names.get(n, f"{stem}{k}") for k, n in enumerate(operations, 1)}


def all_symbols(graph: Graph) -> dict[Node, str]:
    """The symbols of the inputs, v-(n-1) to v0, and of the operations, in evaluation order."""
    first, stem = 1 - len(graph.inputs), _stem(graph)
    inputs = {node: f"{stem}{k}" for k, node in enumerate(graph.inputs.values(), first)}
    return inputs | {n: s for n, s in trace_symbols(graph).items() if n.op is not STACK}


def _stem(graph: Graph) -> str:
    """What the numbers of a trace come after: v, or another letter if a name looks like v1."""
    names = (name for name in (*graph.inputs, *graph.names.values()) if name[0] in STEMS)
    taken = {found[1] for found in map(NUMBERED.match, names) if found}
    stems = itertools.chain(STEMS, ("v" * k for k in itertools.count(2)))
    return next(stem for stem in stems if stem not in taken)


def output_symbols(graph: Graph, output: Node) -> list[str]:
    """What traces call the outputs: y, or y1, y2 ...; another letter if an input has that name."""
    taken = {*graph.inputs, *graph.names.values()}
    count = len(output.args) if output.op is STACK else 0
    for stem in itertools.chain("yfgz", (f"out{'_' * k}" for k in itertools.count())):
        names = [f"{stem}{k}" for k in range(1, count + 1)] if count else [stem]
        if taken.isdisjoint(names):
            return names
    raise AssertionError("one of infinitely many names is free")

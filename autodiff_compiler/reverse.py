"""The adjoint pass: one loop down the trace."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial, reduce

from .chain import Shortcuts, adjoint_of, arguments, fitted, is_position, shortcuts, slope_by
from .forward import name_after
from .graph import ADD, STACK, Graph, Node, dependents
from .masks import chain, total
from .primitives import ArrayPrimitive

# One line of the adjoint trace: `node` passes `adjoint*slope` on to `argument`, whose adjoint was
# `before`, if it had one, and is now `total`.  An operation on arrays has a rule, and no slope.  A
# plain tuple, because there are so many.
Accumulation = tuple[Node, Node, Node | None, Node | None, Node]


def accumulations(
    graph: Graph,
    nodes: Sequence[Node],
    seeds: Mapping[Node, Node],
    by: Sequence[Node],
    short: Shortcuts,
) -> Iterator[Accumulation]:
    """Every contribution to an adjoint, from the outputs down, appended to `graph`.

    `nodes` are in evaluation order; `seeds` gives the adjoints of outputs; only nodes that depend
    on `by` receive adjoints, and none that `short` passes by: a trace, which shows all, has none.
    """
    active = dependents(nodes, by)
    bars = dict(seeds)
    for node in reversed(nodes):
        bar = bars.get(node)
        if bar is None:
            continue
        for argument in dict.fromkeys(reversed(arguments(node, short))):
            if argument in active:
                line = _accumulation(graph, node, bar, argument, bars.get(argument), short)
                if line is not None:
                    bars[argument] = line[-1]
                    yield line


def _accumulation(
    graph: Graph, node: Node, bar: Node, argument: Node, before: Node | None, short: Shortcuts
) -> Accumulation | None:
    slope = None
    if node.op is STACK or (graph.has_arrays and isinstance(node.op, ArrayPrimitive)):
        places = (k for k, a in enumerate(node.args) if a is argument)
        terms = [adjoint_of(graph, node, k, bar) for k in places if not is_position(node, k)]
        if not terms:
            return None
        term = reduce(partial(graph.apply, ADD), terms)
    else:
        slope = slope_by(graph, node, argument, short)
        if slope.is_constant(0):
            return None
        term = chain(graph, bar, slope)
        if term.shape != argument.shape:
            term = fitted(graph, term, argument.shape)
    bar_of_argument = term if before is None else total(graph, before, term, not argument.args)
    return node, argument, slope, before, bar_of_argument


def reverse(
    graph: Graph, nodes: Sequence[Node], seeds: Mapping[Node, Node], by: Sequence[Node]
) -> dict[Node, Node]:
    """Adjoint of each node of `nodes` that has one; an input without one has gradient 0."""
    found = accumulations(graph, nodes, seeds, by, shortcuts(nodes))
    bars = {**seeds, **{argument: total for _, argument, _, _, total in found}}
    for node, bar in bars.items():
        name_after(graph, bar, node, "_bar")
    return bars

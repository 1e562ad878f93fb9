"""The adjoint pass: one loop down the trace."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial, reduce

from .chainrule.chain import Contribution, adjoint_of, fitted, is_position, slope_by
from .chainrule.masks import chain, total
from .chainrule.radial import radial
from .chainrule.roots import at_root
from .chainrule.shortcuts import Again, Quotient, Shortcuts, UnderRoot, arguments, shortcuts
from .forward import name_after
from .graph import ADD, STACK, Graph, Node, dependents
from .primitives import ArrayPrimitive

# One line of the adjoint trace: `node` passes `adjoint*slope` on to `argument`, whose adjoint was
# `before`, if it had one, and is now `total`.  An operation on arrays has a rule, and no slope.  A
# plain tuple, because there are so many.
Accumulation = tuple[Node, Node, Node | None, Node | None, Node]
SHARING = (Quotient, UnderRoot)  # shortcuts whose divisors share what the dividends get


def accumulations(
    graph: Graph,
    nodes: Sequence[Node],
    seeds: Mapping[Node, Node],
    by: Sequence[Node],
    short: Shortcuts,
    again: Again = Again.NO,
) -> Iterator[Accumulation]:
    """Every contribution to an adjoint, from the outputs down, appended to `graph`.

    `nodes` are in evaluation order; `seeds` gives the adjoints of outputs; only nodes that depend
    on `by` receive adjoints, and none that `short` passes by: a trace, which shows all, has none.
    They may be differentiated `again`.
    """
    active = dependents(nodes, by)
    bars = dict(seeds)
    for node in reversed(nodes):
        bar = bars.get(node)
        if bar is None:
            continue
        for argument in dict.fromkeys(reversed(arguments(node, short))):
            if argument in active:
                along = again is Again.ALONG
                found = radial(graph, node, bar, argument, short, along) if again else None
                if graph.at_poles and not again:
                    found = at_root(graph, node, bar, argument)
                found = found or _contribution(graph, node, bar, argument, active, short)
                if found is None or found[1].is_constant(0):
                    continue
                before, (slope, term) = bars.get(argument), found
                whole = term if before is None else total(graph, before, term, not argument.args)
                bars[argument] = whole
                yield node, argument, slope, before, whole


def _contribution(
    graph: Graph, node: Node, bar: Node, argument: Node, active: Collection[Node], short: Shortcuts
) -> Contribution | None:
    """What the adjoint of a node adds to that of an argument, and the slope it has been times."""
    if node.op is STACK or (graph.has_arrays and isinstance(node.op, ArrayPrimitive)):
        places = (k for k, a in enumerate(node.args) if a is argument)
        terms = [adjoint_of(graph, node, k, bar) for k in places if not is_position(node, k)]
        return (None, reduce(partial(graph.apply, ADD), terms)) if terms else None
    slope, quotient = None, short.get(node)
    if isinstance(quotient, SHARING) and quotient.shares(argument, bar, active):
        term = quotient.adjoint(graph, node, bar)
    else:
        slope = slope_by(graph, node, argument, short)
        if slope.is_constant(0):
            return None
        term = chain(graph, bar, slope)
    return slope, fitted(graph, term, argument)


def reverse(
    graph: Graph,
    nodes: Sequence[Node],
    seeds: Mapping[Node, Node],
    by: Sequence[Node],
    again: Again = Again.NO,
) -> dict[Node, Node]:
    """Adjoint of each node of `nodes` that has one; an input without one has gradient 0.

    They may be differentiated `again`.
    """
    found = accumulations(graph, nodes, seeds, by, shortcuts(graph, nodes, again), again)
    bars = {**seeds, **{argument: total for _, argument, _, _, total in found}}
    for node, bar in bars.items():
        name_after(graph, bar, node, "_bar")
    return bars

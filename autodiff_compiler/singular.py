"""The program of one kind of derivative, and the one for where something is divided by 0."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from .chainrule.poles import has_poles
from .chainrule.roots import has_roots, has_steep
from .derivatives import ALONG, AT_POLES, KINDS, SECOND, Problem, Program
from .graph import Graph, Node
from .singularities.divisors import has_divisors
from .singularities.removable import removed

ORDERS = {"value": 0, **dict.fromkeys(SECOND, 2)}  # of derivatives; others are first ones


def limited(program: Program, graph: Graph, output: Node, wrt: Sequence[str]) -> Program:
    """The program of a derivative, with limits for what is 0/0: the pass `limits`."""
    if graph.has_arrays or not has_divisors(graph):
        return program
    return program._replace(at_poles=partial(_at_zeros, graph, output, wrt, program))


def _at_zeros(graph: Graph, output: Node, wrt: Sequence[str], program: Program) -> Program:
    program = program.at_poles() if program.at_poles else program
    found = removed(graph, output, program.leaves(), ORDERS.get(program.kind, 1))
    return _at_poles(*found, wrt, program.kind) if found else program


def differentiate(graph: Graph, output: Node, wrt: Sequence[str], kind: str) -> Program:
    """The program of one kind of derivative of `output` by the inputs named in `wrt`."""
    problem = Problem(graph, output, wrt)
    plain = partial(KINDS[kind], problem)
    if kind == "value":
        return plain()
    at_poles = partial(_at_poles, graph, output, wrt, kind)
    if not has_poles(graph, problem.nodes):
        may_rest = kind == "jvp" or _is_along(graph, kind)
        steep = has_roots(graph) or (may_rest and has_steep(graph))
        return plain()._replace(at_poles=at_poles if steep else None)
    problem.graph.has_poles = True
    if graph.has_arrays and kind not in SECOND:
        return plain()._replace(at_poles=at_poles)
    # The terms of second derivatives do not cancel near poles then, either.
    program = at_poles(still=False)
    if _is_along(graph, kind):
        program = program._replace(at_poles=at_poles)
    return program if kind in SECOND else program._replace(elsewhere=plain)


def _is_along(graph: Graph, kind: str) -> bool:
    """Whether this is of numbers along a direction, in which not everything moves."""
    return kind in ALONG and not graph.has_arrays


def by_poles(program: Program) -> tuple[Program, Program | None]:
    """The program for where nothing is divided by 0, and for where something is, if another."""
    made = (make() if make else program for make in (program.elsewhere, program.at_poles))
    fast, slow = (p._replace(at_poles=None, elsewhere=None) for p in made)
    same = fast.graph is slow.graph or _operations(fast) == _operations(slow)
    return fast, None if same else slow


def _operations(program: Program) -> list[tuple[object, ...]]:
    """The operations of a program, by their places in it, and then the places of its outputs."""
    nodes = program.graph.ancestors(program.leaves())
    place = {node: k for k, node in enumerate(nodes)}
    operations = [(n.op, repr(n.data), *(place[a] for a in n.args)) for n in nodes]
    return [*operations, tuple(place[leaf] for leaf in program.leaves())]


def _at_poles(
    graph: Graph, output: Node, wrt: Sequence[str], kind: str, still: bool = True
) -> Program:
    problem = Problem(graph, output, wrt)
    problem.graph.at_poles = problem.graph.has_poles = True
    problem.graph.still = still and _is_along(graph, kind)
    return (AT_POLES.get(kind, KINDS[kind]) if still else KINDS[kind])(problem)

"""Rows that a backend has no counterpart for, replaced by their definitions in the language."""

from __future__ import annotations

from collections.abc import Callable

from ..derivatives import Program
from ..graph import INPUT, Graph, Node
from ..laws.folding import waiting
from ..partials import definition
from ..passes import settled
from ..primitives import Primitive


def lower(program: Program, supports: Callable[[Primitive], bool], prune: bool = True) -> Program:
    """The program with only rows that `supports` accepts; itself, if there are no others.

    Without `prune`, also what the outputs do not need will be written.
    """
    while any(row.define and not supports(row) for row in _rows(program, prune)):
        program = _lower_once(program, supports)
    if waiting(program.graph.nodes):
        return rebuilt(program, lambda new, node, args: new.rebuild(node, args, new.apply))
    return program


def _rows(program: Program, prune: bool) -> set[Primitive]:
    """The operations of a program; those it does not need are looked at only if that matters."""
    rows = {node.op for node in program.graph.nodes}
    if not prune or not any(row.define for row in rows):
        return rows
    return {node.op for node in program.graph.ancestors(program.leaves())}


def _lower_once(program: Program, supports: Callable[[Primitive], bool]) -> Program:
    def lowered(new: Graph, node: Node, args: list[Node]) -> Node:
        if node.op.define and not supports(node.op):
            return definition(node.op)(new, *args)
        return new.rebuild(node, args, new.apply)

    return rebuilt(program, lowered)


def rebuilt(
    program: Program, make: Callable[[Graph, Node, list[Node]], Node], new: Graph | None = None
) -> Program:
    """The program in a `new` graph; `make` gives a node's image from those of its arguments.

    Without one, nothing will be differentiated or collected any more: all sums of constants may be
    folded.
    """
    old = program.graph
    if new is None:
        new = Graph(settled(old.rules), old.limits)
        new.has_arrays, new.exact = old.has_arrays, False
    image: dict[Node, Node] = {n: new.input(n.data, n.shape) for n in old.nodes if n.op is INPUT}
    for node in old.ancestors(program.leaves()):
        if node not in image:
            image[node] = make(new, node, [image[a] for a in node.args])
        new.carry(old, node, image[node])
    return program.moved(new, image)

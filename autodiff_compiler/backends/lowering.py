"""Rows that a backend has no counterpart for, replaced by their definitions in the language."""

from __future__ import annotations

from collections.abc import Callable

from ..derivatives import Group, Program, mapped
from ..folding import waiting
from ..graph import INPUT, Graph, Node
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


def rebuilt(program: Program, make: Callable[[Graph, Node, list[Node]], Node]) -> Program:
    """The program in a new graph; `make` gives a node's image from those of its arguments.

    Nothing will be differentiated or collected any more: all sums of constants may be folded.
    """
    old, new = program.graph, Graph(settled(program.graph.rules), program.graph.limits)
    new.has_arrays, new.exact = old.has_arrays, False
    image: dict[Node, Node] = {n: new.input(n.data, n.shape) for n in old.nodes if n.op is INPUT}
    for node in old.ancestors(program.leaves()):
        if node not in image:
            image[node] = make(new, node, [image[a] for a in node.args])
        _carry(old, node, new, image[node])
    parameters = tuple(
        Group(p.name, tuple(image[n] for n in p.elements)) if isinstance(p, Group) else image[p]
        for p in program.parameters
    )
    return Program(program.kind, new, parameters, mapped(program.outputs, image))


def _carry(old: Graph, node: Node, new: Graph, image: Node) -> None:
    """Names, labels and places, for who reads the lowered program."""
    if image.args and node in old.names:
        new.names.setdefault(image, old.names[node])
    if image.args and node in old.labels:
        new.labels.setdefault(image, old.labels[node])
    if node in old.places:
        new.places.setdefault(image, old.places[node])

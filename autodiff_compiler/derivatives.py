"""Gradient, Jacobian, Hessian and products: compositions of the tangent and the adjoint pass.

Each builds a `Program`: a copy of the optimised graph, grown by the passes, with a signature and a
tree of outputs that every backend prints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter
from typing import NamedTuple

from .forward import forward
from .graph import STACK, Graph, Node
from .reverse import reverse

Tree = Node | tuple["Tree", ...] | list["Tree"]  # a tuple stays one, a list becomes an array


class Group(NamedTuple):
    """A parameter that is a sequence: `primals`, unpacked into its elements."""

    name: str
    elements: tuple[Node, ...]


class Program(NamedTuple):
    """What a generated function computes."""

    kind: str
    graph: Graph
    parameters: tuple[Node | Group, ...]
    outputs: Tree

    def leaves(self) -> list[Node]:
        """The output nodes, in order."""
        return leaves(self.outputs)

    def arguments(self) -> list[Node]:
        """Every input node of the signature, in order."""
        return [n for p in self.parameters for n in (p.elements if isinstance(p, Group) else (p,))]


def leaves(tree: Tree) -> list[Node]:
    """The nodes of a tree of outputs, in order; such a tree is at most three levels deep."""
    return [tree] if isinstance(tree, Node) else [n for branch in tree for n in leaves(branch)]


class Problem:
    """A program to differentiate: its own copy of the graph, its output, and by what."""

    def __init__(self, graph: Graph, output: Node, wrt: Sequence[str]) -> None:
        self.graph = graph.copy()
        self.output = output
        self.inputs = tuple(graph.inputs.values())
        self.wrt = tuple(graph.inputs[name] for name in wrt)
        self.nodes = graph.ancestors([output])

    @property
    def value(self) -> Tree:
        """The output as a tree: a list literal as a list."""
        return list(self.output.args) if self.output.op is STACK else self.output

    def seeds(self, nodes: Sequence[Node], suffix: str) -> Group:
        """A further input for each node, named after it."""
        return Group("", tuple(self.graph.fresh_input(f"{n.data}{suffix}") for n in nodes))

    def program(self, kind: str, outputs: Tree, *groups: Group) -> Program:
        """The program of these outputs; its parameters are the inputs, or the groups."""
        return Program(kind, self.graph, groups or self.inputs, outputs)

    def zero(self) -> Node:
        """What an output that does not depend on an input has as its partial."""
        return self.graph.constant(0)

    def adjoints(self, output: Node, seed: Node, nodes: Sequence[Node]) -> tuple[Node, ...]:
        """The gradient of one scalar of the program, scaled by `seed`."""
        bars = reverse(self.graph, nodes, {output: seed}, self.wrt)
        return tuple(bars.get(x) or self.zero() for x in self.wrt)

    def gradient(self) -> tuple[Node, ...]:
        """The partials of a scalar output by each of `wrt`."""
        return self.adjoints(self.output, self.graph.constant(1), self.nodes)


def value(problem: Problem) -> Program:
    """The value."""
    return problem.program("value", problem.value)


def gradient(problem: Problem) -> Program:
    """The partials of a scalar output: one adjoint pass."""
    return problem.program("gradient", problem.gradient())


def value_and_gradient(problem: Problem) -> Program:
    """Value and gradient, which share their nodes."""
    return problem.program("value_and_gradient", (problem.value, problem.gradient()))


def jacobian(problem: Problem) -> Program:
    """By rows (one adjoint pass for each output) or by columns, whichever takes fewer passes."""
    if problem.output.op is not STACK:
        return problem.program("jacobian", problem.gradient())
    rows = problem.output.args
    build = _by_rows if len(rows) <= len(problem.wrt) else _by_columns
    return problem.program("jacobian", build(problem, rows))


def _by_rows(problem: Problem, rows: Sequence[Node]) -> Tree:
    graph = problem.graph
    table = [problem.adjoints(f, graph.constant(1), graph.ancestors([f])) for f in rows]
    return tuple(list(column) for column in zip(*table, strict=True))


def _by_columns(problem: Problem, rows: Sequence[Node]) -> Tree:
    return tuple(
        [dots.get(f) or problem.zero() for f in rows]
        for dots in _directions(problem, problem.nodes)
    )


def _directions(problem: Problem, nodes: Sequence[Node]) -> list[dict[Node, Node]]:
    """The tangents of `nodes` along each of `wrt`, one pass for each over what depends on it."""
    users = _users(nodes)
    one = problem.graph.constant(1)
    return [forward(problem.graph, _descendants(users, x), {x: one}) for x in problem.wrt]


def _users(nodes: Sequence[Node]) -> dict[Node, list[Node]]:
    users: dict[Node, list[Node]] = {}
    for node in nodes:
        for argument in set(node.args):
            users.setdefault(argument, []).append(node)
    return users


def _descendants(users: Mapping[Node, Sequence[Node]], root: Node) -> list[Node]:
    pending, seen = [root], {root}
    while pending:
        for user in users.get(pending.pop(), ()):
            if user not in seen:
                seen.add(user)
                pending.append(user)
    return sorted(seen, key=attrgetter("index"))


def jvp(problem: Problem) -> Program:
    """The tangent pass from tangents that are further inputs."""
    dots = problem.seeds(problem.wrt, "_dot")
    tangents = forward(
        problem.graph, problem.nodes, dict(zip(problem.wrt, dots.elements, strict=True))
    )
    outputs = (problem.value, _along(problem, tangents))
    return problem.program("jvp", outputs, *_groups(problem, "tangents", dots))


def _along(problem: Problem, tangents: Mapping[Node, Node]) -> Tree:
    zero, output = problem.zero(), problem.output
    if output.op is STACK:
        return [tangents.get(f) or zero for f in output.args]
    return tangents.get(output) or zero


def _groups(problem: Problem, name: str, seeds: Group) -> tuple[Group, Group]:
    return Group("primals", problem.inputs), Group(name, seeds.elements)


def vjp(problem: Problem) -> Program:
    """The adjoint pass from a cotangent that is a further input."""
    graph, output = problem.graph, problem.output
    parts = output.args if output.op is STACK else (output,)
    names = [f"cotangent{k}" for k in range(len(parts))] if output.op is STACK else ["cotangent"]
    bars = [graph.fresh_input(name) for name in names]
    seeds: Node | Group = Group("cotangent", tuple(bars)) if output.op is STACK else bars[0]
    top = graph.stack(bars) if output.op is STACK else bars[0]
    adjoints = problem.adjoints(output, top, problem.nodes)
    parameters = (Group("primals", problem.inputs), seeds)
    return Program("vjp", graph, parameters, (problem.value, adjoints))


def hessian(problem: Problem) -> Program:
    """Forward over reverse: the tangent of the gradient along each input; symmetric."""
    gradient = problem.gradient()
    rows = _directions(problem, problem.graph.ancestors(gradient))
    table = [
        tuple(rows[min(i, j)].get(gradient[max(i, j)]) or problem.zero() for j in range(len(rows)))
        for i in range(len(rows))
    ]
    return problem.program("hessian", tuple(table))


def hvp(problem: Problem) -> Program:
    """Forward over reverse along a direction that is a further input."""
    gradient = problem.gradient()
    dots = problem.seeds(problem.wrt, "_dot")
    seeds = dict(zip(problem.wrt, dots.elements, strict=True))
    tangents = forward(problem.graph, problem.graph.ancestors(gradient), seeds)
    products = tuple(tangents.get(g) or problem.zero() for g in gradient)
    return problem.program("hvp", products, *_groups(problem, "direction", dots))


KINDS: Mapping[str, Callable[[Problem], Program]] = {
    "value": value,
    "gradient": gradient,
    "value_and_gradient": value_and_gradient,
    "jacobian": jacobian,
    "jvp": jvp,
    "vjp": vjp,
    "hessian": hessian,
    "hvp": hvp,
}
SCALAR_ONLY = frozenset({"gradient", "value_and_gradient", "hessian", "hvp"})


def differentiate(graph: Graph, output: Node, wrt: Sequence[str], kind: str) -> Program:
    """The program of one kind of derivative of `output` by the inputs named in `wrt`."""
    return KINDS[kind](Problem(graph, output, wrt))

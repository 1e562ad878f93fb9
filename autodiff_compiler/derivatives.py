"""Gradient, Jacobian, Hessian and products: compositions of the tangent and the adjoint pass.

Each builds a `Program`: a copy of the optimised graph, grown by the passes, with a signature and a
tree of outputs that every backend prints.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from operator import attrgetter
from typing import NamedTuple

from .chainrule.chain import zeros
from .chainrule.poles import where_not_0
from .chainrule.shortcuts import Again
from .forward import forward
from .graph import ADD, CONSTANT, MULTIPLY, STACK, Graph, Node, users
from .primitives import ARRAYS
from .primitives.axes import Axes
from .products.batch import linear_map
from .products.contraction import transposed
from .reverse import reverse
from .shapes import Shape, nominal, size_of

SUM = ARRAYS["sum"]
Tree = Node | tuple["Tree", ...] | list["Tree"]  # a tuple stays one, a list becomes an array


class Group(NamedTuple):
    """A parameter that is a sequence: `primals`, unpacked into its elements."""

    name: str
    elements: tuple[Node, ...]


class Program(NamedTuple):
    """What a generated function computes.

    `at_poles` makes the program for where a quotient in this one is infinite, if it may be another;
    `elsewhere` one for where none is, which takes less time for arrays.
    """

    kind: str
    graph: Graph
    parameters: tuple[Node | Group, ...]
    outputs: Tree
    at_poles: Callable[[], Program] | None = None
    elsewhere: Callable[[], Program] | None = None

    def moved(self, graph: Graph, image: Mapping[Node, Node]) -> Program:
        """The program in another graph, where every node of it has an image."""
        parameters = tuple(
            Group(p.name, tuple(image[n] for n in p.elements)) if isinstance(p, Group) else image[p]
            for p in self.parameters
        )
        return Program(self.kind, graph, parameters, mapped(self.outputs, image))

    def leaves(self) -> list[Node]:
        """The output nodes, in order."""
        return leaves(self.outputs)

    def arguments(self) -> list[Node]:
        """Every input node of the signature, in order."""
        return [n for p in self.parameters for n in (p.elements if isinstance(p, Group) else (p,))]


def mapped(tree: Tree, image: Mapping[Node, Node]) -> Tree:
    """A tree of outputs with every node replaced."""
    if isinstance(tree, Node):
        return image[tree]
    branches = [mapped(branch, image) for branch in tree]
    return tuple(branches) if isinstance(tree, tuple) else branches


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

    def dots(self) -> Group:
        """A tangent, as a further input, for each of `wrt`."""
        made = (self.graph.fresh_input(f"{n.data}_dot", n.shape) for n in self.wrt)
        return Group("", tuple(made))

    def program(self, kind: str, outputs: Tree, *groups: Group | Node) -> Program:
        """The program of these outputs; its parameters are the inputs, or these."""
        return Program(kind, self.graph, groups or self.inputs, outputs)

    def zero(self, *shapes: Shape) -> Node:
        """What an output that does not depend on an input has as its partial."""
        return zeros(self.graph, sum(shapes, ()))

    def adjoints(
        self, output: Node, seed: Node, nodes: Sequence[Node], again: Again = Again.NO
    ) -> tuple[Node, ...]:
        """The gradient of one scalar of the program, scaled by `seed`; to differentiate `again`."""
        bars = reverse(self.graph, nodes, {output: seed}, self.wrt, again)
        return tuple(bars.get(x) or self.zero(x.shape) for x in self.wrt)

    def gradient(self, again: Again = Again.NO) -> tuple[Node, ...]:
        """The partials of a scalar output by each of `wrt`; to be differentiated `again`."""
        return self.adjoints(self.output, self.graph.constant(1), self.nodes, again)


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
    if problem.graph.has_arrays and problem.output.shape:
        return problem.program("jacobian", _whole_jacobian(problem))
    if problem.output.op is not STACK:
        return problem.program("jacobian", problem.gradient())
    rows = problem.output.args
    build = _by_rows if len(rows) <= len(problem.wrt) else _by_columns
    return problem.program("jacobian", build(problem, rows))


def _whole_jacobian(problem: Problem) -> Tree:
    """By each input, the tangents along all its elements, or the adjoints of all outputs."""
    size = nominal(size_of(problem.output.shape))
    by_tangents = [x for x in problem.wrt if nominal(size_of(x.shape)) <= size]
    found = {x: _tangent_map(problem, problem.output, problem.nodes, x) for x in by_tangents}
    found |= _adjoint_maps(problem, [x for x in problem.wrt if x not in found])
    return tuple(found[x] for x in problem.wrt)


def _tangent_map(
    problem: Problem, output: Node, nodes: Sequence[Node], x: Node, again: Again = Again.NO
) -> Node:
    """The derivative of a node by an input, of shape `output.shape + x.shape`."""
    graph = problem.graph
    seed = graph.fresh_input(f"{x.data}_dot", x.shape)
    dot = forward(graph, nodes, {x: seed}, again).get(output)
    return problem.zero(output.shape, x.shape) if dot is None else linear_map(graph, dot, seed)


def _adjoint_maps(problem: Problem, wrt: Sequence[Node]) -> dict[Node, Node]:
    graph, output = problem.graph, problem.output
    seed = graph.fresh_input("cotangent", output.shape)
    bars = reverse(graph, problem.nodes, {output: seed}, wrt) if wrt else {}
    count = len(output.shape)
    found = {}
    for x in wrt:
        if x not in bars:
            found[x] = problem.zero(output.shape, x.shape)
            continue
        array = linear_map(graph, bars[x], seed)
        rank = len(array.shape)
        found[x] = transposed(graph, array, [*range(rank - count, rank), *range(rank - count)])
    return found


def _by_rows(problem: Problem, rows: Sequence[Node]) -> Tree:
    graph = problem.graph
    table = [problem.adjoints(f, graph.constant(1), graph.ancestors([f])) for f in rows]
    return tuple(list(column) for column in zip(*table, strict=True))


def _by_columns(problem: Problem, rows: Sequence[Node]) -> Tree:
    return tuple(
        [dots.get(f) or problem.zero() for f in rows]
        for dots in _directions(problem, problem.nodes)
    )


def _directions(
    problem: Problem, nodes: Sequence[Node], again: Again = Again.NO
) -> list[dict[Node, Node]]:
    """The tangents of `nodes` along each of `wrt`, one pass for each over what depends on it."""
    used, one = users(nodes), problem.graph.constant(1)
    return [forward(problem.graph, _descendants(used, x), {x: one}, again) for x in problem.wrt]


def _descendants(used: Mapping[Node, Sequence[Node]], root: Node) -> list[Node]:
    pending, seen = [root], {root}
    while pending:
        for user in used.get(pending.pop(), ()):
            if user not in seen:
                seen.add(user)
                pending.append(user)
    return sorted(seen, key=attrgetter("index"))


def jvp(problem: Problem) -> Program:
    """The tangent pass from tangents that are further inputs."""
    dots = problem.dots()
    tangents = forward(
        problem.graph, problem.nodes, dict(zip(problem.wrt, dots.elements, strict=True))
    )
    outputs = (problem.value, _along(problem, tangents))
    return problem.program("jvp", outputs, *_groups(problem, "tangents", dots))


def _jvp_at_poles(problem: Problem) -> Program:
    """By the gradient of a number, which knows more limits; what does not move adds nothing."""
    graph, output = problem.graph, problem.output
    if output.shape:
        return jvp(problem)
    dots = problem.dots()
    along = _moved(graph, dots.elements, problem.gradient())
    return problem.program("jvp", (problem.value, along), *_groups(problem, "tangents", dots))


def _moved(graph: Graph, dots: Sequence[Node], slopes: Sequence[Node]) -> Node:
    """The sum of tangents times slopes, without those that do not move."""
    terms = [graph.constant(0)]
    for dot, slope in zip(dots, slopes, strict=True):
        term = graph.apply(MULTIPLY, dot, slope)
        term = term if slope.op is CONSTANT else where_not_0(graph, dot, term)
        axes = tuple(range(-len(dot.shape), 0))
        terms.append(graph.make(SUM, (term,), Axes(axes)) if axes else term)
    return reduce(partial(graph.apply, ADD), terms)


def _along(problem: Problem, tangents: Mapping[Node, Node]) -> Tree:
    output = problem.output
    if output.op is STACK:
        return [tangents.get(f) or problem.zero(f.shape) for f in output.args]
    return tangents.get(output) or problem.zero(output.shape)


def _groups(problem: Problem, name: str, seeds: Group) -> tuple[Group, Group]:
    return _primals(problem), Group(name, seeds.elements)


def _primals(problem: Problem) -> Group:
    return Group("primals", problem.inputs)


def vjp(problem: Problem) -> Program:
    """The adjoint pass from a cotangent that is a further input; of a number, scaled by it."""
    graph, output = problem.graph, problem.output
    if not output.shape:
        return _scaled_gradient(problem, graph.fresh_input("cotangent"))
    is_list = output.op is STACK
    names = [f"cotangent{k}" for k in range(len(output.args))] if is_list else ["cotangent"]
    bars = [graph.fresh_input(n, p.shape) for n, p in zip(names, output.parts, strict=True)]
    seeds: Node | Group = Group("cotangent", tuple(bars)) if is_list else bars[0]
    top = graph.stack(bars) if is_list else bars[0]
    adjoints = problem.adjoints(output, top, problem.nodes)
    return problem.program("vjp", (problem.value, adjoints), _primals(problem), seeds)


def _scaled_gradient(problem: Problem, bar: Node) -> Program:
    """Laws know the slopes themselves, and then find the same in them."""
    graph = problem.graph
    partials = tuple(
        g if g is problem.zero(x.shape) else graph.apply(MULTIPLY, bar, g)
        for x, g in zip(problem.wrt, problem.gradient(), strict=True)
    )
    return problem.program("vjp", (problem.value, partials), _primals(problem), bar)


def hessian(problem: Problem) -> Program:
    """Forward over reverse: the tangent of the gradient along each input; symmetric."""
    gradient = problem.gradient(again=Again.BY_ONE)
    if problem.graph.has_arrays:
        return problem.program("hessian", _whole_hessian(problem, gradient))
    rows = _directions(problem, problem.graph.ancestors(gradient), again=Again.BY_ONE)
    table = [
        tuple(rows[min(i, j)].get(gradient[max(i, j)]) or problem.zero() for j in range(len(rows)))
        for i in range(len(rows))
    ]
    return problem.program("hessian", tuple(table))


def _whole_hessian(problem: Problem, gradient: Sequence[Node]) -> Tree:
    """The blocks below the diagonal by tangents of the gradient, the others by symmetry."""
    nodes = problem.graph.ancestors(gradient)
    blocks: dict[tuple[int, int], Node] = {}
    for i, g in enumerate(gradient):
        for j, x in enumerate(problem.wrt[: i + 1]):
            block = blocks[i, j] = _tangent_map(problem, g, nodes, x, again=Again.BY_ONE)
            rank = len(block.shape)
            order = [*range(len(g.shape), rank), *range(len(g.shape))]
            blocks.setdefault((j, i), transposed(problem.graph, block, order))
    count = range(len(gradient))
    return tuple(tuple(blocks[i, j] for j in count) for i in count)


def hvp(problem: Problem) -> Program:
    """Forward over reverse along a direction that is a further input."""
    again = Again.ALONG if len(problem.wrt) > 1 else Again.BY_ONE
    gradient = problem.gradient(again)
    dots = problem.dots()
    seeds = dict(zip(problem.wrt, dots.elements, strict=True))
    tangents = forward(problem.graph, problem.graph.ancestors(gradient), seeds, again)
    products = tuple(tangents.get(g) or problem.zero(g.shape) for g in gradient)
    return problem.program("hvp", products, *_groups(problem, "direction", dots))


def _hvp_at_poles(problem: Problem) -> Program:
    """By the Hessian, if that is small; what does not move adds nothing."""
    graph = problem.graph
    if graph.has_arrays or len(problem.wrt) > MAX_ROWS:
        return hvp(problem)
    graph.still = False  # of the entries it is not known what they are times
    rows = leaves(hessian(problem).outputs)
    dots, count = problem.dots(), len(problem.wrt)
    starts = range(0, count**2, count)
    products = tuple(_moved(graph, dots.elements, rows[k : k + count]) for k in starts)
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
AT_POLES: Mapping[str, Callable[[Problem], Program]] = {"jvp": _jvp_at_poles, "hvp": _hvp_at_poles}
MAX_ROWS = 8  # of a Hessian that a product with it may be made of
SECOND = frozenset({"hessian", "hvp"})
ALONG = frozenset({"jvp", "hvp"})
SCALAR_ONLY = frozenset({"gradient", "value_and_gradient", "hessian", "hvp"})

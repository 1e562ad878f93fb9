"""The graph is the evaluation trace: an append-only list of hash-consed nodes.

List order is evaluation order, so every pass is one loop over `Graph.nodes` and nothing recurses.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from .limits import DEFAULT, Limits
from .primitives import ARRAYS, ArrayPrimitive, Primitive, function, lookup
from .primitives.ieee import Number
from .shapes import SCALAR, Shape, ShapeError, broadcast, shown

INPUT = function("input()")
PARAMETER = function("parameter()")  # of a function defined in the source, or of a rule
CONSTANT = function("constant()")
STACK = function("stack()")  # a list literal: its elements are the arguments

ADD, SUBTRACT, MULTIPLY = lookup("add"), lookup("subtract"), lookup("multiply")
DIVIDE, POWER, NEGATIVE = lookup("divide"), lookup("power"), lookup("negative")
WHERE, AND, OR, NOT = (lookup(n) for n in ("where", "logical_and", "logical_or", "logical_not"))
NOT_EQUAL, MOD = lookup("not_equal"), lookup("mod")
SUMS, QUOTIENTS = frozenset({ADD, SUBTRACT}), frozenset({MULTIPLY, DIVIDE})
BROADCAST, INDEX = ARRAYS["broadcast_to"], ARRAYS["index"]
PLACING = frozenset({INDEX, ARRAYS["scatter"]})  # whose further arguments are positions

MAX_AXES = 32  # as many as every NumPy has
_operation = attrgetter("op")


class Node:
    """One line of the trace: an operation on earlier nodes.

    `data` is the value of a constant, the name of an input; `shape` is a tuple of extents; `index`
    is the position in the trace.  Nodes of one graph are equal exactly when they are identical.
    Only a graph makes them: it sets their attributes, because an `__init__` would take half of it.
    """

    __slots__ = ("args", "data", "index", "op", "shape")

    op: Primitive
    args: tuple[Node, ...]
    data: Any
    shape: Shape
    index: int

    def __repr__(self) -> str:
        if self.op is CONSTANT or self.op is INPUT:
            return f"v{self.index}={self.data}"
        return f"v{self.index}={self.op.name}({', '.join(f'v{a.index}' for a in self.args)})"

    @property
    def is_boolean(self) -> bool:
        """Whether this is a truth value, not a number."""
        return self.op.boolean or (self.op is CONSTANT and isinstance(self.data, bool))

    @property
    def parts(self) -> tuple[Node, ...]:
        """The elements of a list; of anything else, itself alone."""
        return self.args if self.op is STACK else (self,)

    @property
    def is_view(self) -> bool:
        """Whether NumPy gives a view of the first argument, which holds no memory of its own."""
        row = self.op
        if not isinstance(row, ArrayPrimitive) or not self.shape:
            return False
        return row.view(self.data, *(a.shape for a in self.args[1:]))

    def is_constant(self, value: Number) -> bool:
        """Whether this is the constant `value`, as an int or as a float."""
        return self.op is CONSTANT and bool(self.data == value)


Step = Callable[..., Node | None]  # of the graph and the arguments: a better node, if it has one


class Rule(NamedTuple):
    """A rewrite that may apply where a node is about to be made."""

    origin: tuple[str, str]  # the pass, and what it calls the rule
    step: Step


# For an operation followed by the operations of its arguments: the rules to try, in order.
Rules = Mapping[tuple[Primitive, ...], Sequence[Rule]]


class Notes:
    """What laws note of the nodes of one graph, for other laws.

    Attributes:
        folded: constants of a program, by operation, to the constants they were folded from.
        differences: nodes that stand for the difference of two others.
        products: nodes that stand for products of factors out of range, to these products.
        norms, squares: the norms of sums of squares, and the sums of squares of norms.
        mirrors: the transposes of matrices, and of what they are made of, that are known.
    """

    __slots__ = ("differences", "folded", "mirrors", "norms", "products", "squares")

    def __init__(self) -> None:
        self.folded: dict[Node, dict[Primitive, tuple[Node, ...]]] = {}
        self.differences: dict[Node, tuple[Node, Node]] = {}
        self.products: dict[Node, Node] = {}
        self.norms: dict[Node, Node] = {}
        self.squares: dict[Node, Node] = {}
        self.mirrors: dict[Node, Any] = {}


class Graph:
    """An evaluation trace under construction.

    Attributes:
        nodes: the trace, in evaluation order.
        inputs: name of each input to its node, in argument order.
        names: the user's name of nodes that have one.
        labels: what the trace calls the other nodes, and what derivatives are called after them.
        places: node to the character offset of the operator or name that made it.
        rules: what `apply` tries before it makes a node; `None` keeps the program as written.
        log: where `apply` notes the rules it used, if it is a list.
        notes: what laws know of single nodes; a copy of the graph begins without.
        depth, block: of laws in the replacements of laws, and where the last one is; see `rewrite`.
        terms, sums: nodes as products and as sums of products, as far as they were asked for.
        heads: the operations it has.
        divisors: those by whose values something is divided, or by a product with them.
        is_program: whether it is a program being rewritten, not one being differentiated.
        exact: whether sums of constants wait where one would lose digits of another.
        at_poles: whether derivatives are right where functions of what is infinite are finite.
        has_poles: whether something is made of quotients that may be infinite, and is finite.
        still: whether what does not move adds nothing to a tangent, be its slope infinite.
        shown: nodes that are lines of a trace; what refers to them does so by name.
        has_shapes: whether some node is no number.
        has_arrays: whether some node has a shape that is not that of a list of numbers.
        limits: how large it may grow.
        generic: whether operations on arrays have no shapes, in texts of the table.
    """

    def __init__(self, rules: Rules | None = None, limits: Limits = DEFAULT) -> None:
        self.nodes: list[Node] = []
        self.inputs: dict[str, Node] = {}
        self.names: dict[Node, str] = {}
        self.labels: dict[Node, str] = {}
        self.places: dict[Node, int] = {}
        self.rules, self.limits = rules, limits
        self.generic = False
        self.log: list[tuple[str, str]] | None = None
        self.notes = Notes()
        self.depth = self.block = 0
        self.terms: dict[Node, Any] = {}
        self.sums: dict[Node, Any] = {}
        self.heads: set[Primitive] = set()
        self.divisors: set[Primitive] = set()
        self.exact, self.is_program = True, False
        self.has_shapes = self.has_arrays = self.at_poles = self.still = False
        self.has_poles = False
        self.shown: Collection[Node] = ()
        self._interned: dict[Any, Node] = {}
        self._room = limits.nodes

    def copy(self, rules: Rules | None = None) -> Graph:
        """A graph that can grow on its own; the nodes so far are shared."""
        twin = Graph(self.rules if rules is None else rules, self.limits)
        twin.nodes, twin.inputs = self.nodes.copy(), self.inputs.copy()
        twin.names, twin.labels = self.names.copy(), self.labels.copy()
        twin.places = self.places.copy()
        twin.heads, twin.divisors = self.heads.copy(), self.divisors.copy()
        twin.terms, twin.sums = self.terms.copy(), self.sums.copy()
        twin.has_shapes, twin.has_arrays = self.has_shapes, self.has_arrays
        twin.exact = self.exact
        twin._interned = self._interned.copy()
        return twin

    def intern(self, op: Primitive, *args: Node) -> Node:
        """The node `op(*args)`, made now or earlier; never rewritten."""
        key = (op, *args)
        node = self._interned.get(key)
        if node is not None:
            return node
        if op.commutative and self.rules is not None:
            node = self._interned.get((op, args[1], args[0]))
            if node is not None:
                return node
        shape = broadcast([a.shape for a in args]) if self.has_shapes else SCALAR
        if op is DIVIDE:
            divisor = args[1]
            self.divisors.update(map(_operation, divisor.args) if divisor.op is MULTIPLY else ())
            self.divisors.add(divisor.op)
        return self._append(key, op, args, None, shape)

    def remember(self, constant: Node, op: Primitive, args: Iterable[Node]) -> None:
        """Note what a constant was folded from; nan is no value of anything."""
        if constant.data == constant.data:
            self.notes.folded.setdefault(constant, {}).setdefault(op, tuple(args))

    def apply(self, op: Primitive, *args: Node) -> Node:
        """The node `op(*args)` as the graph's rewrite rules would have it."""
        rules = self.rules
        if rules is not None:
            if self.shown:
                key: tuple[Primitive, ...] = (
                    op,
                    *(INPUT if a in self.shown else a.op for a in args),
                )
            elif len(args) == 2:  # as most have, and a tuple display is faster than what is general
                key = (op, args[0].op, args[1].op)
            else:
                key = (op, *map(_operation, args))
            call = (self, *args)  # made once for all rules
            for origin, step in rules[key]:
                better = step(*call)
                if better is not None:
                    self.note(origin)
                    return self._spread(better, args) if self.has_arrays else better
        return self.intern(op, *args)

    def note(self, origin: tuple[str, str]) -> None:
        """Tell the log that a rule was used: the pass, and what it calls the rule."""
        if self.log is not None:
            self.log.append(origin)

    def _spread(self, node: Node, args: Sequence[Node]) -> Node:
        """What stands for an operation on `args`, in the shape that the operation has."""
        shape = broadcast([a.shape for a in args])
        return node if node.shape == shape else self.make(BROADCAST, (node,), shape)

    def make(self, op: ArrayPrimitive, args: tuple[Node, ...], data: Any = None) -> Node:
        """The node of an operation on whole arrays; raises `ShapeError`."""
        key = (op, data, *args)
        found = self._interned.get(key)
        if found is not None:
            return found
        if self.generic:
            return self._append(key, op, args, data, SCALAR)
        self.has_arrays = True
        if op.fold is not None and self.rules is not None:
            better: Node | None = op.fold(self, data, *args)
            if better is not None:
                return better
        assert op.shape is not None
        return self._append(key, op, args, data, op.shape(data, *(a.shape for a in args)))

    def known(self, op: Primitive, args: tuple[Node, ...], data: Any = None) -> Node | None:
        """The node of an operation, if the graph has it."""
        key = (op, data, *args) if isinstance(op, ArrayPrimitive) else (op, *args)
        return self._interned.get(key)

    def constant(self, value: Number) -> Node:
        """A constant, keyed by type and bits: `0.0`, `-0.0`, `0` and `nan` are four constants."""
        key: Any = value
        if type(value) is not int:  # as most are
            if isinstance(value, float) and math.isnan(value):
                value = math.nan  # one object, so that it equals itself as a key
            key = (CONSTANT, type(value), value, 0 if value else math.copysign(1.0, value))
        return self._interned.get(key) or self._append(key, CONSTANT, (), value, SCALAR)

    def input(self, name: str, shape: Shape = SCALAR) -> Node:
        """The input called `name`, declared on first use."""
        node = self.inputs.get(name)
        if node is None:
            node = self.inputs[name] = self._append((INPUT, name), INPUT, (), name, shape)
        return node

    def fresh_input(self, name: str, shape: Shape = SCALAR) -> Node:
        """A further input, under the name or with underscores after it."""
        return self.input(free(name, self.inputs), shape)

    def parameter(self, name: str) -> Node:
        """A fresh placeholder, to be substituted later."""
        return self._append((PARAMETER, name, len(self.nodes)), PARAMETER, (), name, SCALAR)

    def stack(self, elements: Sequence[Node]) -> Node:
        """An array of elements, along a new first axis; raises `ShapeError` if they differ."""
        key = (STACK, *elements)
        found = self._interned.get(key)
        if found is not None:
            return found
        shape = elements[0].shape
        if any(e.shape != shape for e in elements):
            shapes = sorted({shown(e.shape) for e in elements})
            raise ShapeError(f"the elements of a list differ in shape: {', '.join(shapes)}")
        return self._append(key, STACK, tuple(elements), None, (len(elements), *shape))

    def rebuild(self, node: Node, args: Iterable[Node], fresh: Callable[..., Node]) -> Node:
        """`node` of any graph made anew in this one, with its arguments replaced by `args`.

        `fresh` makes the operations: `self.apply` or `self.intern`.
        """
        if node.op is CONSTANT:
            return self.constant(node.data)
        if node.op is INPUT:
            return self.input(node.data, node.shape)
        if node.op is STACK:
            return self.stack(tuple(args))
        if isinstance(node.op, ArrayPrimitive):
            return self.make(node.op, tuple(args), node.data)
        return fresh(node.op, *args)

    def carry(self, old: Graph, node: Node, image: Node) -> None:
        """Take over what another graph knows of a node that has an image here.

        Its name and its label, if they are not those of an input or a constant, and its place.
        """
        if image.args:
            for known, ours in ((old.names, self.names), (old.labels, self.labels)):
                if node in known:
                    ours.setdefault(image, known[node])
        if node in old.places:
            self.places.setdefault(image, old.places[node])

    def label(self, node: Node) -> str | None:
        """What to call a node: an input's or the user's name, or a label."""
        name = node.data if node.op is INPUT else self.names.get(node)
        return name or self.labels.get(node)

    def ancestors(self, outputs: Iterable[Node]) -> list[Node]:
        """Everything `outputs` depend on, themselves included, in evaluation order."""
        pending, seen = list(outputs), set[Node]()
        for node in pending:  # which grows
            if node not in seen:
                seen.add(node)
                pending.extend(node.args)
        return sorted(seen, key=attrgetter("index"))

    def _append(
        self, key: Any, op: Primitive, args: tuple[Node, ...], data: Any, shape: Shape
    ) -> Node:
        nodes = self.nodes
        if len(nodes) >= self._room:
            raise self.limits.exceeded("nodes", "the program has too many operations")
        node = Node()
        node.op, node.args, node.data, node.shape, node.index = op, args, data, shape, len(nodes)
        nodes.append(node)
        self.heads.add(op)
        if shape:
            self.has_shapes = True
            self.has_arrays |= op is not STACK or len(shape) > 1
            if len(shape) > MAX_AXES:
                raise ShapeError(f"an array has {MAX_AXES} axes at most, not {len(shape)}")
        self._interned[key] = node
        return node


def dependents(nodes: Iterable[Node], roots: Iterable[Node]) -> set[Node]:
    """Those of `nodes` (in evaluation order) that depend on `roots`, the roots included."""
    active = set(roots)
    for node in nodes:
        if node not in active and not active.isdisjoint(node.args):
            active.add(node)
    return active


def replay(
    nodes: Iterable[Node], graph: Graph, image: dict[Node, Node], fresh: Callable[..., Node]
) -> dict[Node, Node]:
    """The images of nodes in a graph, made by `fresh`, but for those that `image` has already."""
    for node in nodes:
        if node not in image:
            image[node] = graph.rebuild(node, [image[a] for a in node.args], fresh)
    return image


def are_opposite(p: Node, q: Node) -> bool:
    """Whether one of two conditions is `not` the other."""
    return (p.op is NOT and p.args[0] is q) or (q.op is NOT and q.args[0] is p)


def users(nodes: Iterable[Node]) -> dict[Node, list[Node]]:
    """What each node is an argument of, in the order of `nodes`; twice what it is twice of."""
    found: dict[Node, list[Node]] = {}
    for node in nodes:
        for argument in node.args:
            found.setdefault(argument, []).append(node)
    return found


def differentiable(graph: Graph) -> list[str]:
    """The inputs that are not only positions in an index, or what positions are computed from."""
    if not graph.has_arrays:
        return list(graph.inputs)
    positions, values = set[Node](), set(graph.nodes).difference(*(n.args for n in graph.nodes))
    for node in reversed(graph.nodes):
        at = 1 if node.op in PLACING else len(node.args)
        if node in values:
            values.update(node.args[:at])
            positions.update(node.args[at:])
        if node in positions:
            positions.update(node.args)
    return [name for name, node in graph.inputs.items() if node not in positions - values]


def free(name: str, taken: Container[str]) -> str:
    """A name that is not taken: itself, or with underscores after it."""
    while name in taken:
        name += "_"
    return name

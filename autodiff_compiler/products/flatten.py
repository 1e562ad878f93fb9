"""Chains of products of arrays taken apart and multiplied anew: the pass `contract`.

Matrix products, transposes, traces, sums over axes, outer and elementwise products are one
product when only the last of them is asked for, or all that ask for it sum it up.  Its factors
are then multiplied in the cheapest order: the trace of a product never forms it, transposes
cancel, numbers are multiplied last.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..derivatives import Program
from ..graph import ADD, CONSTANT, DIVIDE, MULTIPLY, NEGATIVE, Graph, Node, Rules
from ..primitives import ARRAYS, ArrayPrimitive
from ..primitives.axes import At, Index, New, Slice, elementwise
from ..primitives.moving import may_repeat
from ..shapes import nominal, size_of
from .contraction import contract
from .product import VIEWS, Label, Labels, Product, spec

MAX_PARTS = 32  # of a sum of placed arrays
RANGE = 1e4  # of constants: nine of them multiplied stay finite in single precision
INDEX, SCATTER, ASSEMBLE = (ARRAYS[n] for n in ("index", "scatter", "assemble"))
EXPAND, INV, SOLVE, TRANSPOSE, OUTER = (
    ARRAYS[n] for n in ("expand_dims", "inv", "solve", "transpose", "outer")
)


def flattened(program: Program) -> Program:
    """The program with its products of arrays multiplied in the cheapest order."""
    found = _Flattener(program, set()).run()
    both = _both(found)
    found = _Flattener(program, both).run() if both else found
    at_poles = program.at_poles
    return found._replace(at_poles=at_poles and (lambda: flattened(at_poles())))


def _both(program: Program) -> set[int]:
    """Inverses that are asked for beside solves with the same matrix, by index in the old graph."""
    alive = program.graph.ancestors(program.leaves())
    solved = {_untransposed(n.args[0]) for n in alive if n.op is SOLVE}
    inverted = {n.args[0] for n in alive if n.op is INV}
    return {matrix.index for matrix in solved & inverted}


def _untransposed(node: Node) -> Node:
    return node.args[0] if node.op is TRANSPOSE else node


class _Flattener:
    """One program being rewritten into a new graph."""

    def __init__(self, program: Program, kept: set[int]) -> None:
        self.program, self.old = program, program.graph
        self.rules: Rules | None = program.graph.rules
        self.new = Graph(self.rules, program.graph.limits)
        self.new.has_arrays = True
        self.image: dict[Node, Node] = {}
        self.sums: dict[Node, tuple[Node, Node]] = {}  # something, and what is mostly zeros
        self.kept = kept
        self.inverses = set[Node]()  # of what is kept
        self.nodes = self.old.ancestors(program.leaves())
        self.outputs = set(program.leaves())
        self.users: dict[Node, list[tuple[Node, int]]] = {}
        for node in self.nodes:
            for k, argument in enumerate(node.args):
                self.users.setdefault(argument, []).append((node, k))
        self.absorbed = self._absorbed()

    def run(self) -> Program:
        """The program in the new graph."""
        for node in self.program.arguments():
            self.image[node] = self.new.input(node.data, node.shape)
        for node in self.nodes:
            if node not in self.image and node not in self.absorbed:
                image = self.image[node] = self._made(node)
                self.new.carry(self.old, node, image)
                if image.op is INV and image.args[0].index in self.kept:
                    self.inverses.add(image)
        return self.program.moved(self.new, self.image)

    def _absorbed(self) -> set[Node]:
        """The products that only other products ask for: once, or without cost, or to sum them."""
        users, found = self.users, set[Node]()
        summed: set[Node] = set()  # what all that use it sum up
        once: dict[Node, bool] = {}  # whether a node would be in one product alone
        beside: dict[Node, bool] = {}  # and whether something else there has a unit too
        units = self._units()
        for node in reversed(self.nodes):
            uses = users.get(node, [])
            once[node] = len(uses) == 1 and all(once[user] for user, _ in uses if user in found)
            beside[node] = any(
                (user in found and beside[user]) or sum(a in units for a in user.args) > 1
                for user, _ in uses
            )
            sums = all(_sums(user) or user in summed for user, _ in uses)
            if sums and (_is_scaled(node) or (_is_even(node) and _is_apart(uses))):
                summed.add(node)
            if (
                _is_product(node)
                and node not in self.outputs
                and node not in self.old.names
                and all(_is_product(user) and _takes(user, k) for user, k in uses)
                and (len(uses) == 1 or _is_cheap(node) or node in summed)
                and ((once[node] and not beside[node]) or not _is_measured(node))
            ):
                found.add(node)
            else:
                summed.discard(node)
        return found

    def _units(self) -> set[Node]:
        """The products that have an array in units of a number as a factor."""
        found = set[Node]()
        for node in self.nodes:
            if _is_measured(node) or (_is_product(node) and not found.isdisjoint(node.args)):
                found.add(node)
        return found

    def _made(self, node: Node) -> Node:
        if not _is_product(node) or self._is_plain(node):
            return self._rebuilt(node)
        product = Product()
        product.solves = True
        product.kept = self.inverses
        product.out = tuple(product.label(extent) for extent in node.shape)
        self._expand(product, node, product.out)
        return contract(self.new, product)

    def _is_plain(self, node: Node) -> bool:
        """Whether an elementwise product has nothing to be taken apart."""
        inner = any(a in self.absorbed for a in node.args)
        return node.op in (MULTIPLY, DIVIDE, NEGATIVE) and not inner

    def _rebuilt(self, node: Node) -> Node:
        args = tuple(self.image[a] for a in node.args)
        if node.op is INDEX and _makes_axes(node):
            return self._index(node, args)
        if node.op is ADD:
            return self._sum(node, args)
        return self.new.rebuild(node, args, self.new.apply)

    def _sum(self, node: Node, args: tuple[Node, ...]) -> Node:
        """A sum, in which arrays that are mostly zeros are put into one."""
        alike = [a for a in node.args if a.shape == node.shape and self._is_placed(a)]
        placed = [self.image[a] for a in alike]
        rest = [a for a in node.args if a not in alike]
        if len(placed) != 1:
            return self._assembled(placed) if placed else self.new.apply(ADD, *args)
        whole, before = self.image[rest[0]], self.sums.get(rest[0])
        joins = before is not None and self._is_passing(rest[0]) and _is_short(before[1])
        if before and joins and before[1].shape == placed[0].shape:
            whole, placed = before[0], [self._assembled([before[1], *placed])]
        self.sums[node] = whole, placed[0]
        return self.new.apply(ADD, whole, placed[0])

    def _is_placed(self, node: Node) -> bool:
        """Whether a node puts elements into zeros, and only this sum asks for it."""
        image = self.image[node]
        basic = image.op is ASSEMBLE or (image.op is SCATTER and len(image.args) == 1)
        if image.op is SCATTER and any(map(may_repeat, image.data[0])):
            return False  # what meets an element twice is added to it twice
        return basic and _is_short(image) and self._is_passing(node)

    def _is_passing(self, node: Node) -> bool:
        """Whether only one operation asks for a node."""
        return len(self.users.get(node, ())) == 1 and node not in self.outputs

    def _assembled(self, args: Sequence[Node]) -> Node:
        """Arrays that are mostly zeros, added up."""
        parts: dict[Index, Node] = {}
        for argument in args:
            held = argument.data[0]
            indices = [held] if argument.op is SCATTER else held
            for index, part in zip(indices, argument.args, strict=True):
                known = parts.get(index)
                parts[index] = part if known is None else self.new.apply(ADD, known, part)
        return self.new.make(ASSEMBLE, tuple(parts.values()), (tuple(parts), args[0].shape))

    def _index(self, node: Node, args: tuple[Node, ...]) -> Node:
        """An index that also makes new axes, in two steps: what is taken is the same without."""
        part = self.new.make(INDEX, args, tuple(i for i in node.data if not isinstance(i, New)))
        kept = [item for item in node.data if not isinstance(item, At)]
        axes = (k - len(kept) for k, item in enumerate(kept) if isinstance(item, New))
        return self.new.make(EXPAND, (part,), tuple(axes))

    def _expand(self, product: Product, node: Node, labels: Labels) -> None:
        """The factors of a node, whose axes have these labels."""
        pending = [(node, labels, True)]
        while pending:
            current, axes, top = pending.pop()
            if not top and current not in self.absorbed and not _is_cheap_outer(current):
                product.add(self.image[current], axes)
            elif current.op is NEGATIVE:
                product.coefficient = -product.coefficient
                pending.append((current.args[0], axes, False))
            elif current.op is DIVIDE:
                product.divisors.append(self.image[current.args[1]])
                pending.append((current.args[0], axes, False))
            else:
                inner = _labelled(product, current, axes)
                parts = list(zip(current.args, inner, strict=True))
                pending += [(a, own, False) for a, own in reversed(parts)]


def _labelled(product: Product, node: Node, labels: Labels) -> list[Labels]:
    """The labels of a node's arguments, where its own axes have `labels`."""
    shapes = [a.shape for a in node.args]
    inside, out = elementwise(None, *shapes) if node.op is MULTIPLY else spec(node)
    names: dict[str, Label] = {}
    for letter, label in zip(out, labels, strict=True):
        if letter in names:
            product.join(names[letter], label)
        names.setdefault(letter, label)
    for own, shape in zip(inside, shapes, strict=True):
        for letter, extent in zip(own, shape, strict=True):
            if letter not in names:
                names[letter] = product.label(extent)
    return [tuple(names[c] for c in own) for own in inside]


def _makes_axes(node: Node) -> bool:
    """Whether an index makes new axes, and takes nothing by arrays of positions."""
    new = any(isinstance(item, New) for item in node.data)
    return new and all(isinstance(item, New | At | Slice) for item in node.data)


def _is_extreme(node: Node) -> bool:
    """Whether a node is a constant that is not multiplied with others."""
    return node.op is CONSTANT and node.data != 0 and not RANGE > abs(node.data) > 1 / RANGE


def _is_short(placed: Node) -> bool:
    """Whether a sum of parts may have more: each is listed anew for every part that is added."""
    return len(placed.args) < MAX_PARTS


def _is_product(node: Node) -> bool:
    """Whether a node is linear in each of its arguments, and one of them is an array."""
    if not node.args or not any(a.shape for a in node.args) or any(map(_is_extreme, node.args)):
        return False
    if isinstance(node.op, ArrayPrimitive):
        return node.op.labels is not None
    return node.op in (MULTIPLY, NEGATIVE) or (node.op is DIVIDE and not node.args[1].shape)


def _takes(user: Node, k: int) -> bool:
    """Whether argument `k` may be taken apart in what uses it."""
    return user.op is not DIVIDE or k == 0


def _is_cheap(node: Node) -> bool:
    """Whether a node holds nothing that its arguments do not."""
    return node.op in VIEWS or node.op is NEGATIVE or _is_cheap_outer(node)


def _is_scaled(node: Node) -> bool:
    """Whether a node is an array times numbers, which may be multiplied after a sum."""
    arrays = [a for a in node.args if a.shape]
    return node.op in (MULTIPLY, DIVIDE, NEGATIVE) and len(arrays) == 1


def _is_measured(node: Node) -> bool:
    """Whether a node is an array in units of a number: products of units may leave the range."""
    units = [a for a in node.args if not a.shape and a.op is not CONSTANT]
    return bool(units) and _is_scaled(node)


def _is_even(node: Node) -> bool:
    """Whether a node is the elementwise product of arrays of its shape, which sums take as well."""
    return node.op is MULTIPLY and all(a.shape == node.shape for a in node.args)


def _is_apart(uses: Sequence[tuple[Node, int]]) -> bool:
    """Whether a product may be taken apart in two sums; twice in its own power, it would double."""
    return len(uses) <= 2 and not any(_is_even(user) for user, _ in uses)


def _sums(user: Node) -> bool:
    """Whether a node is smaller than the matrices it is made of, or, without any, the vectors."""
    size = nominal(size_of(user.shape))
    large = [a for a in user.args if len(a.shape) > 1] or [a for a in user.args if a.shape]
    return all(nominal(size_of(a.shape)) > size for a in large)


def _is_cheap_outer(node: Node) -> bool:
    """Whether a node is larger than all that it is made of."""
    if not _is_product(node) or node.op not in (OUTER, MULTIPLY):
        return False
    size = nominal(size_of(node.shape))
    return all(nominal(size_of(a.shape)) < size for a in node.args)

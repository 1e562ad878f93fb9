"""Calls of functions of whole arrays: their arguments, bound to parameters and understood."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from ..errors import ExpressionError, counted, nearest
from ..graph import ADD, CONSTANT, DIVIDE, INPUT, MULTIPLY, NEGATIVE, STACK, SUBTRACT, Graph, Node
from ..primitives import ARRAYS, ArrayPrimitive, lookup
from ..primitives.axes import Axes, everything
from ..shapes import Extent, Shape
from .lexer import Word

if TYPE_CHECKING:
    from .scope import Scope

ABS, EXTENT = lookup("abs"), ARRAYS["extent"]


class Keyword(NamedTuple):
    """`name=value` in a call."""

    name: Word
    value: Node | Word | Ragged


class Ragged:
    """A list of arrays of different shapes: to be joined, and no value itself.

    Whoever takes it for one is told so.
    """

    def __init__(self, parts: Sequence[Node], error: ExpressionError) -> None:
        self.parts, self.error = parts, error

    def __getattr__(self, name: str) -> NoReturn:
        raise self.error


Argument = Node | Word | Ragged  # a word is a text in quotes


class Call(NamedTuple):
    """One call in a source, being turned into nodes."""

    scope: Scope
    token: Word
    args: Mapping[str, Argument]
    rest: Sequence[Node]

    def fail(self, problem: str, hint: str | None = None) -> ExpressionError:
        """An error at the call."""
        return self.scope.fail(problem, self.token, hint)

    @property
    def graph(self) -> Graph:
        """The graph of the program."""
        return self.scope.graph

    def array(self, name: str) -> Node:
        """An argument; a list of numbers is an array of them."""
        node = self.args[name]
        if isinstance(node, Ragged):
            raise node.error
        if not isinstance(node, Node):
            raise self.fail(f"{self.token}: {name} is no text")
        return self.scope.number(node)

    def make(self, row: ArrayPrimitive, *args: Node, data: object = None) -> Node:
        """An operation on arrays; what is wrong with the shapes is told at the call."""
        return self.scope.make(row, args, data, self.token)

    def integer(self, name: str, default: int) -> int:
        """An option that is a whole number, written as such."""
        node = self.args.get(name)
        if node is None:
            return default
        value = node.data if isinstance(node, Node) and node.op is CONSTANT else None
        if not isinstance(value, int):
            raise self.fail(f"{self.token}: {name} is a whole number, written as such")
        return value

    def axis(self, rank: int, default: int) -> int:
        """One axis, counted from the last."""
        return self._negative(self.integer("axis", default), rank)

    def _negative(self, axis: int, rank: int) -> int:
        if not -rank <= axis < rank:
            raise self.fail(f"{self.token}: there is no axis {axis} in an array of {rank}")
        return axis if axis < 0 else axis - rank

    def axes(self, shape: Shape) -> Axes:
        """The axes that a reduction goes over: all, unless the call says which."""
        keepdims = bool(self.integer("keepdims", 0))
        if "axis" not in self.args:
            return everything(shape)._replace(keepdims=keepdims)
        given = self.args["axis"]
        parts = given.parts if isinstance(given, Node) else (given,)
        calls = [self._replace(args={"axis": part}) for part in parts]
        found = sorted(c.axis(len(shape), 0) for c in calls)
        if len({*found}) < len(found):
            raise self.fail(f"{self.token}: an axis is given twice")
        return Axes(tuple(found), keepdims)

    def extent(self, node: Argument, least: int | None = 0) -> Extent:
        """A number that a shape can have: whole, or made of the names of extents."""
        found = extent_of(self.graph, node) if isinstance(node, Node) else None
        if found is None:
            hint = "extents are whole numbers, names of extents, and sums and products of them"
            raise self.fail(f"{self.token}: this is no extent", hint)
        if least is not None and isinstance(found, int) and found < least:
            raise self.fail(f"{self.token}: {found} is no extent: it is negative")
        return found

    def shape(self, name: str, least: int | None = 0) -> Shape:
        """A shape, written as a number or as several in brackets."""
        nodes = [self.args[name], *self.rest]
        first = nodes[0]
        if isinstance(first, Node) and first.op is STACK:
            nodes = [*first.args, *self.rest]
        return tuple(self.extent(node, least) for node in nodes)


def extent_of(graph: Graph, node: Node) -> Extent | None:
    """The extent that a number stands for, if it is one."""
    found: dict[Node, Extent | None] = {}
    for each in graph.ancestors([node]):
        args = [found[a] for a in each.args]
        value: Extent | None = None
        if (each.op is CONSTANT and type(each.data) is int) or each.op is EXTENT:
            value = each.data
        elif each.op in ARITHMETIC and None not in args:
            value = ARITHMETIC[each.op](*args)
        found[each] = value
    return found[node]


def _quotient(a: Extent, b: Extent) -> Extent | None:
    """`a/b`, if nothing is left over."""
    if not isinstance(b, int) or not b:
        return None
    return a // b if a - (a // b) * b == 0 else None


ARITHMETIC: Mapping[object, Callable[..., Extent | None]] = {
    ADD: lambda a, b: a + b,
    SUBTRACT: lambda a, b: a - b,
    MULTIPLY: lambda a, b: a * b,
    NEGATIVE: lambda a: -a,
    DIVIDE: _quotient,
}


class ArrayFunction(NamedTuple):
    """A function of arrays: its parameters, those that may be left out after `*`, and its nodes."""

    parameters: str
    build: Callable[[Call], Node]
    rest: bool = False  # whether further arguments are taken
    numbers: bool = False  # whether the first may be a number


def call(
    scope: Scope, token: Word, function: ArrayFunction, args: Sequence[Argument | Keyword]
) -> Node:
    """A call of a function of arrays; raises `ExpressionError`."""
    name = str(token)
    required, _, optional = (part.split() for part in function.parameters.partition("*"))
    allowed = [*required, *optional]
    positional = [a for a in args if not isinstance(a, Keyword)]
    if len(positional) > len(allowed) and not function.rest:
        raise scope.fail(
            f"{name} takes {counted(len(allowed), 'argument')}, not {len(positional)}", token
        )
    bound = dict(zip(allowed, positional, strict=False))
    rest = [a for a in positional[len(allowed) :] if isinstance(a, Node)]
    for keyword in (a for a in args if isinstance(a, Keyword)):
        _bind(scope, token, keyword, allowed, bound)
    missing = [p for p in required if p not in bound]
    if missing:
        usage = f"write {name}({', '.join(required)})"
        raise scope.fail(f"{name} lacks {', '.join(missing)}", token, usage)
    first = next(iter(bound.values()))
    if not (function.numbers or scope.internal) and _is_number(first):
        reduces = "keepdims" in allowed and "ddof" not in allowed  # a number has no spread
        return _of_number(scope, token, first, reduces)
    return function.build(Call(scope, token, bound, rest))


def _bind(
    scope: Scope, token: Word, keyword: Keyword, allowed: Sequence[str], bound: dict[str, Argument]
) -> None:
    name = str(keyword.name)
    if name not in allowed:
        close = nearest(name, allowed)
        hint = f"did you mean {close}?" if close else f"{token} takes {', '.join(allowed)}"
        raise scope.fail(f"{token} takes no {name}", keyword.name, hint)
    if name in bound:
        raise scope.fail(f"{token} is given {name} twice", keyword.name)
    bound[name] = keyword.value


def _is_number(value: Argument) -> bool:
    return isinstance(value, Node) and not value.shape


def _of_number(scope: Scope, token: Word, number: Argument, reduces: bool) -> Node:
    """A reduction of a number is itself; an input that is one lacks its declaration."""
    assert isinstance(number, Node)
    name = number.data if number.op is INPUT else None
    if reduces and name is None and scope.graph.has_arrays:
        return scope.graph.intern(ABS, number) if token.startswith("norm") else number
    what = f"{name} is" if name else "this is"
    hint = f"declare its shape: {name or 'x'}: [n]"
    raise scope.fail(f"{token} takes an array, and {what} a number", token, hint)

"""A program while it is being read: its graph so far, and what its names mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cached_property, reduce
from operator import attrgetter

from ..errors import ExpressionError, counted
from ..graph import INPUT, NOT_EQUAL, POWER, STACK, WHERE, Graph, Node
from ..limits import DEFAULT, Limits
from ..primitives import ARRAYS, BY_NAME, CONSTANTS, ArrayPrimitive, Primitive, lookup, special
from ..shapes import Shape, ShapeError, extent_names, named, shown
from .arrays import FUNCTIONS
from .calls import Argument, Keyword, Ragged, call
from .functions import Function, Reading, check_size
from .hints import extents_hint, shape_hint, undeclared, unknown_function, usage
from .lexer import Word, flatten, span, statement_start

INFIX: dict[str, Primitive] = {
    row.symbol: row for row in BY_NAME.values() if row.symbol and row.arity == 2
}
INFIX["^"] = POWER
FOLDED = {"maximum", "minimum", "fmax", "fmin", "hypot", "logaddexp"}  # of any number of arguments
REDUCTIONS = {
    "sum": ("add", None),
    "prod": ("multiply", None),
    "max": ("maximum", None),
    "min": ("minimum", None),
    "logsumexp": ("logaddexp", None),
    "norm1": ("add", "abs"),
    "norm2": ("hypot", "abs"),
    "norm_inf": ("maximum", "abs"),
}  # of a list: what joins its elements, and what is done to each
_shape = attrgetter("shape")
MAX_DEPTH = 40  # of functions of arrays that call each other
STATE = (
    *("parameters", "variables", "functions", "output"),
    *("last_defined", "unused", "statements", "depth"),
)  # what belongs to the text being read
WORDS = frozenset({"and", "or", "not", "if", "else", "True", "False", "None"})
RESERVED = {"True": "1", "False": "0", "None": "a number, or leave it out"}


class Scope:
    """One program being read: its graph, and what its names mean so far."""

    def __init__(
        self,
        source: str,
        inputs: Sequence[str] | None,
        shapes: dict[str, Shape],
        constants: bool,
        limits: Limits = DEFAULT,
    ) -> None:
        self.source, self.graph, self.shapes = source, Graph(limits=limits), shapes
        self.closed, self.internal = inputs is not None, constants
        self.variables: dict[str, Node] = {}
        self.numbers: dict[str, Node] = {}  # by their texts
        self.functions: dict[str, Function] = {}
        self.parameters: dict[str, Node] = {}
        self.output: Node | None = None
        self.unused: int | None = None  # which statement is a value that nothing takes
        self.statements = 0
        self.last_defined: Function | None = None
        self.written_out = 0  # operations that functions and lists have come to
        self.extents = {n for shape in shapes.values() for n in extent_names(shape)}
        self.shapeless = False  # whether a function being defined needs to know shapes
        self.depth = 0  # of functions being read again
        self.graph.generic = constants
        if constants:
            self.variables |= {n: self.graph.constant(float(n)) for n in ("inf", "nan")}
        for name in inputs or ():
            self.variables[name] = self.graph.input(name, shapes.get(name, ()))

    @cached_property
    def text(self) -> str:
        """The source as it is read: without comments."""
        return flatten(self.source)

    def fail(self, problem: str, token: Word | None, hint: str | None = None) -> ExpressionError:
        """An error at `token`, or at the start of the source."""
        start = token.start_pos if token is not None and token.start_pos is not None else 0
        return ExpressionError(problem, self.source, (start, start + len(token or " ")), hint)

    def write_out(self, count: int, token: Word | None) -> None:
        """Count operations that one call or one list stands for, whether they are new or not."""
        self.written_out += count
        limits = self.graph.limits
        if self.written_out > limits.nodes:
            what = "the program, its functions and lists written out, has too many operations"
            raise limits.exceeded("nodes", what, self.source, span(token) if token else (0, 0))

    def declare(self, name: str, token: Word | None) -> Node:
        """The input called `name`, whatever else has that name; only a declared one, if any are."""
        if self.closed and name not in self.graph.inputs:
            raise self.fail(f"{name} is not among the inputs", token)
        return self.graph.input(name, self.shapes.get(name, ()))

    def statement(self, is_value: bool) -> None:
        """A statement ends here; a value that is not the program's last line has no effect."""
        if self.unused is not None:
            start = statement_start(self.text, self.unused)
            raise ExpressionError(
                "this line has no effect: only the last one is the output",
                self.source,
                (start, start + 1),
                "give it a name, or put the formula in ( ) to continue it on the next line",
            )
        self.unused = self.statements if is_value else None
        self.statements += 1

    def resolve(self, token: Word) -> Node:
        """The node a bare name stands for; an unknown name becomes an input."""
        name = str(token)
        node = self.parameters.get(name) or self.variables.get(name)
        if node is not None:
            return node
        if name in ("True", "False") and self._follows_equals(token):
            return self.graph.constant(name == "True")
        if name in RESERVED:
            raise self.fail(f"{name} is not part of the language", token, f"write {RESERVED[name]}")
        if name in self.extents:
            return self.make(ARRAYS["extent"], (), named(name), token)
        if name in CONSTANTS:
            return self.graph.intern(lookup(name))
        return self._input(name, token)

    def _follows_equals(self, token: Word) -> bool:
        """Whether a word is the value of a keyword."""
        before = self.source[: token.start_pos].rstrip()
        return before.endswith("=") and before[-2:-1] not in ("=", "<", ">", "!")

    def declare_shape(self, token: Word, shape: Shape) -> None:
        """`X: [N, 2]`: the shape of an input, before it is used."""
        name = str(token)
        node = self.graph.inputs.get(name)
        used = node is not None and any(node in other.args for other in self.graph.nodes)
        if used or (name in self.variables and self.variables[name] is not node):
            raise self.fail(f"{name} has been used before", token, "declare its shape first")
        if self.shapes.get(name, shape) != shape:
            raise self.fail(f"{name} has the shape {shown(self.shapes[name])} already", token)
        node = self.declare(name, token)
        node.shape = self.shapes[name] = shape
        self.variables[name] = node
        self.extents |= extent_names(shape)
        if shape:
            self.graph.has_shapes = self.graph.has_arrays = True

    def check_extents(self) -> None:
        """Refuse a name that is a length in a shape and something else as well."""
        for name in sorted(self.extents & (self.variables.keys() | self.shapes.keys())):
            problem = f"{name} is a length in a shape, and an input or a variable as well"
            raise self.fail(problem, None, "call one of them something else")

    def _input(self, name: str, token: Word) -> Node:
        if name in self.functions or self._is_function(name):
            raise self._function_as_variable(name, token)
        if name.startswith("__") and name.endswith("__") and name.strip("_"):
            raise self.fail(f"{name} is not a variable's name", token, "use another name")
        if self.closed:
            hint = undeclared(name, self.variables)
            raise self.fail(f"{name} is not among the inputs", token, hint)
        node = self.variables[name] = self.graph.input(name, self.shapes.get(name, ()))
        return node

    def _is_function(self, name: str) -> bool:
        """Whether a bare name can only be meant as a function.

        The special functions have names that are variables elsewhere (y1, k0, beta, gamma): they
        are functions only in programs that call them.
        """
        row = BY_NAME.get(name)
        if row is None or row not in special.ROWS:
            return row is not None
        return re.search(rf"\b{re.escape(name)}[ \t]*\(", self.source) is not None

    def _function_as_variable(self, name: str, token: Word) -> ExpressionError:
        power = re.match(r"\s*(?:\*\*|\^)\s*(\w+)\s*\(", self.source[token.start_pos + len(name) :])
        hint = f"write {name}(...), or declare {name} among the inputs to use it as a variable"
        if power:
            hint = f"write {name}(...)**{power[1]}"
        return self.fail(f"{name} is a function", token, hint)

    def operate(self, row: Primitive, args: Sequence[Node], token: Word | None) -> Node:
        """`row(*args)`, element by element over list literals."""
        for argument in args:  # most are numbers without axes
            if argument.shape or argument.op.boolean:
                return self._operate_widely(row, args, token)
        return self._operate(row, args, token)

    def _operate_widely(self, row: Primitive, args: Sequence[Node], token: Word | None) -> Node:
        if any(map(_shape, args)) and all(not a.shape or is_list(a) for a in args):
            return self.each(lambda *parts: self.operate(row, parts, token), args, token)
        return self._operate(row, [self.number(a) for a in args], token)

    def _operate(self, row: Primitive, args: Sequence[Node], token: Word | None) -> Node:
        return self._placed(lambda: self.graph.intern(row, *args), args, token)

    def _placed(self, made: Callable[[], Node], args: Sequence[Node], token: Word | None) -> Node:
        """A node that a token of the source stands for; shapes that do not fit are told there."""
        try:
            node = made()
        except ShapeError as error:
            raise self.fail(str(error), token, extents_hint(args)) from None
        if token is not None:
            self.graph.places.setdefault(node, token.start_pos)
        return node

    def make(
        self, row: ArrayPrimitive, args: Sequence[Node], data: object, token: Word | None
    ) -> Node:
        """An operation on whole arrays."""
        node = self._placed(lambda: self.graph.make(row, tuple(args), data), args, token)
        check_size(node, self.graph.limits, self.source, span(token) if token else (0, 0))
        return node

    def multiply_arrays(self, x: Node, y: Node, token: Word) -> Node:
        """`x @ y`."""
        if self.is_open():
            return self.unknown()
        if not self.internal and not (x.shape and y.shape):
            number = y if x.shape else x
            raise self.fail("@ multiplies arrays", token, shape_hint(number))
        if is_list(x) and is_list(y) and len(x.args) == len(y.args):
            products = self.operate(INFIX["*"], (x, y), token)
            return self.reduce("add", None, products.args, token)
        return self.make(ARRAYS["matmul"], (self.number(x), self.number(y)), None, token)

    def is_open(self) -> bool:
        """Whether shapes matter to a function that is being defined, and are not known."""
        self.shapeless |= bool(self.parameters) and not self.depth
        return bool(self.parameters) and not self.depth

    def unknown(self) -> Node:
        """What stands for a value that depends on shapes."""
        return self.graph.parameter("unknown")

    def each(self, function: Callable[..., Node], args: Sequence[Node], token: Word | None) -> Node:
        """A function of scalars applied element by element; scalars go with every element."""
        lengths = {len(a.args) for a in args if a.shape}
        if len(lengths) > 1:
            raise self.fail(f"lists of lengths {sorted(lengths)} do not go together", token)
        self.write_out(max(lengths), token)
        columns = [a.args if a.shape else [a] * max(lengths) for a in args]
        return self.graph.stack([function(*c) for c in zip(*columns, strict=True)])

    def number(self, node: Node) -> Node:
        """A truth value as 0 or 1; anything else as it is."""
        if not node.is_boolean or self.internal:
            return node  # a list holds numbers already; a text of the table may be a condition
        one, zero = self.graph.constant(1), self.graph.constant(0)
        return self.graph.intern(WHERE, node, one, zero)

    def condition(self, node: Node) -> Node:
        """A number as the condition that it is not 0; a condition as it is, or as it was.

        In the table's own texts a bare name in the place of a condition is one.
        """
        if node.is_boolean or (self.internal and node.op is INPUT):
            return node
        if is_list(node):
            raise self.fail("a list is not a condition", None, "write a condition on its elements")
        if node.op is WHERE and node.args[1].is_constant(1) and node.args[2].is_constant(0):
            return node.args[0]
        return self.graph.intern(NOT_EQUAL, node, self.graph.constant(0))

    def select(self, condition: Node, yes: Node, no: Node, token: Word | None) -> Node:
        """`yes if condition else no`, element by element over list literals."""
        parts = (condition, yes, no)
        if any(map(is_list, parts)) and all(not p.shape or is_list(p) for p in parts):
            return self.each(lambda c, a, b: self.select(c, a, b, token), parts, token)
        given = self.condition(condition), self.number(yes), self.number(no)
        return self._placed(lambda: self.graph.intern(WHERE, *given), parts, token)

    def call(self, token: Word, given: Sequence[Argument | Keyword]) -> Node:
        """A call by name: of a function of the source, or of the table."""
        name = str(token)
        args = [a for a in given if isinstance(a, Node)]
        plain = len(args) == len(given)
        if name in self.functions and plain:
            return self.inline(self.functions[name], token, args)
        if name in REDUCTIONS and plain and len(args) == 1 and is_list(args[0]):
            return self.reduce(*REDUCTIONS[name], args[0].args, token)
        row = BY_NAME.get(name)
        if name in FUNCTIONS and (row is None or not plain or len(args) == 1):
            return self.unknown() if self.is_open() else call(self, token, FUNCTIONS[name], given)
        if row is None or not row.args:
            raise self._not_callable(name, token)
        if not plain:
            raise self._no_keywords(given, token)
        return self.primitive(row, token, args)

    def _no_keywords(self, given: Sequence[Argument | Keyword], token: Word) -> ExpressionError:
        found = next(a for a in given if not isinstance(a, Node))
        if isinstance(found, Ragged):
            return found.error
        if isinstance(found, Keyword):
            return self.fail(f"{token} takes no keyword arguments", found.name)
        return self.fail(f"{token} takes no text", found)

    def reduce(self, joint: str, each: str | None, elements: Sequence[Node], token: Word) -> Node:
        """The elements of a list joined into one number."""
        if each is not None:
            elements = [self.operate(lookup(each), [x], token) for x in elements]
        return reduce(lambda a, b: self.operate(lookup(joint), [a, b], token), elements)

    def inline(self, function: Function, token: Word, args: Sequence[Node]) -> Node:
        """A function of the source on arguments, element by element over list literals."""
        self.count(token, args, len(function.parameters))
        if function.reading is not None and self.is_open():
            return self.unknown()
        if function.reading is not None:
            return self.read_again(function, function.reading, token, args)
        if any(a.shape for a in args) and all(not a.shape or is_list(a) for a in args):
            if function.body.shape:
                raise self.fail(f"{function.name} gives a list, and takes none", token)
            return self.each(lambda *parts: self.inline(function, token, parts), args, token)
        self.write_out(len(function.nodes), token)
        try:
            return function.inline(self.graph, [self.number(a) for a in args])
        except ShapeError as error:
            raise self.fail(f"in {function.name}: {error}", token) from None

    def read_again(
        self, function: Function, reading: Reading, token: Word, args: Sequence[Node]
    ) -> Node:
        """A function whose text is read with `args` in the place of its parameters."""
        if self.depth == MAX_DEPTH:
            raise self.fail(f"functions of arrays call each other {MAX_DEPTH} deep", token)
        given = tuple(map(self.number, args))
        if given in reading.known:
            return reading.known[given]
        kept, before = {name: getattr(self, name) for name in STATE}, len(self.graph.nodes)
        names = [str(p.data) for p in function.parameters]
        self.parameters = dict(zip(names, given, strict=True))
        self.variables, self.functions = dict(reading.variables), dict(reading.functions)
        self.unused, self.depth = None, self.depth + 1
        try:
            reading.read()
            assert self.output is not None
            return reading.known.setdefault(given, self.output)
        except ExpressionError as error:
            line, values = self.text.count("\n", 0, token.start_pos) + 1, map(_described, args)
            error.add_note(f"in {function.name}, called on line {line} with {', '.join(values)}")
            raise
        finally:
            vars(self).update(kept)
            self.write_out(len(self.graph.nodes) - before, token)

    def _not_callable(self, name: str, token: Word) -> ExpressionError:
        if name in self.variables or name in self.parameters:
            return self.fail(f"{name} is a variable, not a function", token, f"write {name}*(...)")
        known = [*self.functions, *BY_NAME, *REDUCTIONS, *FUNCTIONS]
        problem, hint = unknown_function(name, known, self.source)
        return self.fail(problem, token, hint)

    def primitive(self, row: Primitive, token: Word, args: Sequence[Node]) -> Node:
        """A row of the table on arguments; `max` and its like take any number of them."""
        if row is WHERE:
            self.count(token, args, 3)
            return self.select(args[0], args[1], args[2], token)
        if row.name == "log" and len(args) == 2:
            parts = [self.operate(row, [a], token) for a in args]
            return self.operate(INFIX["/"], parts, token)
        if row.name not in FOLDED or len(args) < row.arity:
            self.count(token, args, row.arity)
            return self.operate(row, args, token)
        total = args[0]
        for other in args[1:]:
            total = self.operate(row, [total, other], token)
        return total

    def count(self, token: Word, args: Sequence[Node], wanted: int) -> None:
        """Refuse a wrong number of arguments."""
        if len(args) != wanted:
            raise self.fail(
                f"{token} takes {counted(wanted, 'argument')}, not {len(args)}",
                token,
                usage(str(token)),
            )


def is_list(node: Node) -> bool:
    """Whether a node is a list literal of numbers, whose elements are known one by one."""
    return node.op is STACK and len(node.shape) == 1


def _described(node: Node) -> str:
    return f"an array of shape {shown(node.shape)}" if node.shape else "a number"

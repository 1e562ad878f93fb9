"""Text to graph: Lark's LALR parser reduces each rule straight into nodes; no tree is built."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from .errors import ExpressionError, nearest
from .graph import AND, CONSTANT, INPUT, NEGATIVE, NOT, NOT_EQUAL, PARAMETER, POWER, STACK, WHERE, Graph, Node
from .hints import explain, unbalanced
from .primitives import BY_NAME, CONSTANTS, Primitive, lookup
from .shapes import Shape

INFIX: dict[str, Primitive] = {
    row.symbol: row for row in BY_NAME.values() if row.symbol and row.arity == 2
}
INFIX["^"] = POWER
OR = INFIX["or"]
FOLDED = {"maximum", "minimum", "fmax", "fmin", "hypot", "logaddexp"}  # of any number of arguments
RESERVED = {"True": "1", "False": "0", "None": "nothing"}


class Function:
    """A function defined in the source: its parameters and body, inlined where it is called."""

    def __init__(self, name: str, parameters: tuple[Node, ...], body: Node, stop: int) -> None:
        self.name, self.parameters, self.body, self.stop = name, parameters, body, stop

    def inline(self, graph: Graph, args: Sequence[Node]) -> Node:
        """The body with `args` in place of the parameters: one loop over the body's nodes."""
        image = dict(zip(self.parameters, args, strict=True))
        for node in graph.nodes[self.parameters[0].index : self.stop]:
            if node not in image and not image.keys().isdisjoint(node.args):
                image[node] = graph.rebuild(node, [image.get(a, a) for a in node.args], graph.intern)
        return image.get(self.body, self.body)


class Scope:
    """One program being read: its graph, and what its names mean so far."""

    def __init__(
        self, source: str, inputs: Sequence[str] | None, shapes: dict[str, Shape], constants: bool
    ) -> None:
        self.source, self.graph, self.shapes = source, Graph(), shapes
        self.closed, self.internal = inputs is not None, constants
        self.variables: dict[str, Node] = {}
        self.functions: dict[str, Function] = {}
        self.parameters: dict[str, Node] = {}
        self.output: Node | None = None
        self.last_defined: Function | None = None
        if constants:
            self.variables |= {n: self.graph.constant(float(n)) for n in ("inf", "nan")}
        for name in inputs or ():
            self.variables[name] = self.graph.input(name, shapes.get(name, ()))

    def fail(self, problem: str, token: Token | None, hint: str | None = None) -> ExpressionError:
        """An error at `token`, or at the start of the source."""
        start = token.start_pos if token is not None and token.start_pos is not None else 0
        return ExpressionError(
            problem, self.source, (start, start + len(token or " ")), hint
        )

    def resolve(self, token: Token) -> Node:
        """The node a bare name stands for; an unknown name becomes an input."""
        name = str(token)
        node = self.parameters.get(name) or self.variables.get(name)
        if node is not None:
            return node
        if name in RESERVED:
            raise self.fail(f"{name} is not a number", token, f"write {RESERVED[name]}")
        if name in CONSTANTS:
            return self.graph.intern(lookup(name))
        return self._input(name, token)

    def _input(self, name: str, token: Token) -> Node:
        if name in self.functions or name in BY_NAME:
            raise self.fail(
                f"{name} is a function",
                token,
                f"write {name}(...), or declare {name} among the inputs to use it as a variable",
            )
        if name.startswith("__") and name.endswith("__"):
            raise self.fail(f"{name} is not a variable's name", token, "use another name")
        if self.closed:
            close = nearest(name, self.variables)
            hint = f"did you mean {close}?" if close else "declare it among the inputs"
            raise self.fail(f"{name} is not among the inputs", token, hint)
        node = self.variables[name] = self.graph.input(name, self.shapes.get(name, ()))
        return node

    def operate(self, row: Primitive, args: Sequence[Node], token: Token | None) -> Node:
        """`row(*args)`, element by element over list literals."""
        for a in args:
            if a.shape:
                return self._elementwise(row, args, token)
        node = self.graph.intern(row, *[self.number(a) if a.op.boolean else a for a in args])
        if token is not None:
            self.graph.places.setdefault(node, token.start_pos or 0)
        return node

    def _elementwise(self, row: Primitive, args: Sequence[Node], token: Token | None) -> Node:
        lengths = {len(a.args) for a in args if a.op is STACK}
        if len(lengths) > 1:
            raise self.fail(f"lists of lengths {sorted(lengths)} do not go together", token)
        columns = [a.args if a.op is STACK else [a] * max(lengths) for a in args]
        return self.graph.stack([self.operate(row, c, token) for c in zip(*columns, strict=True)])

    def number(self, node: Node) -> Node:
        """A truth value as 0 or 1; anything else as it is."""
        if not node.is_boolean:
            return node
        one, zero = self.graph.constant(1), self.graph.constant(0)
        return self.graph.intern(WHERE, node, one, zero)

    def condition(self, node: Node) -> Node:
        """A number as the condition that it is not 0; a condition as it is.

        In the table's own texts a bare name in the place of a condition is one.
        """
        if node.is_boolean or (self.internal and node.op is INPUT):
            return node
        return self.graph.intern(NOT_EQUAL, node, self.graph.constant(0))

    def select(self, condition: Node, yes: Node, no: Node, token: Token | None) -> Node:
        node = self.graph.intern(WHERE, self.condition(condition), self.number(yes), self.number(no))
        if token is not None:
            self.graph.places.setdefault(node, token.start_pos or 0)
        return node

    def call(self, token: Token, args: Sequence[Node]) -> Node:
        """A call by name: of a function of the source, or of the table."""
        name = str(token)
        if name in self.functions:
            function = self.functions[name]
            self.count(token, args, len(function.parameters))
            return function.inline(self.graph, args)
        row = BY_NAME.get(name)
        if row is None or name in self.parameters or name in self.variables:
            raise self._not_callable(name, token)
        return self.primitive(row, token, args)

    def _not_callable(self, name: str, token: Token) -> ExpressionError:
        if name in self.variables or name in self.parameters:
            return self.fail(f"{name} is a variable, not a function", token, f"write {name}*(...)")
        close = nearest(name, [*self.functions, *BY_NAME])
        return self.fail(
            f"unknown function {name}", token, f"did you mean {close}?" if close else None
        )

    def primitive(self, row: Primitive, token: Token, args: Sequence[Node]) -> Node:
        if row is WHERE:
            self.count(token, args, 3)
            return self.select(args[0], args[1], args[2], token)
        if row.name == "log" and len(args) == 2:
            parts = [self.operate(row, [a], token) for a in args]
            return self.operate(INFIX["/"], parts, token)
        if row.name not in FOLDED or not args:
            self.count(token, args, row.arity)
            return self.operate(row, args, token)
        total = args[0]
        for other in args[1:]:
            total = self.operate(row, [total, other], token)
        return total

    def count(self, token: Token, args: Sequence[Node], wanted: int) -> None:
        if len(args) != wanted:
            raise self.fail(
                f"{token} takes {wanted} argument{'s' * (wanted != 1)}, not {len(args)}",
                token,
                _usage(str(token)),
            )


def _usage(name: str) -> str | None:
    row = BY_NAME.get(name)
    return f"write {name}({', '.join(row.args)})" if row else None


class Reducer(Transformer[Token, Node]):
    """What each rule of the grammar does, called by Lark while it parses."""

    def __init__(self) -> None:
        super().__init__()
        self.scope = Scope("", None, {}, False)

    def start(self, children: list[Any]) -> Scope:
        return self.scope

    def result(self, children: list[Any]) -> None:
        self.scope.output, self.scope.last_defined = self.scope.number(children[0]), None

    def assignment(self, children: list[Any]) -> None:
        name, scope = children[0], self.scope
        if str(name) in RESERVED:
            raise scope.fail(f"{name} cannot be assigned", name)
        node = scope.number(children[1])
        scope.variables[str(name)] = scope.output = node
        scope.last_defined = None
        if node.args:
            scope.graph.names.setdefault(node, str(name))

    def HEAD(self, token: Token) -> Token:
        """`f(x, y) =`: from here to the end of the statement the parameters have meaning."""
        names = re.findall(r"\w+", token)[1:]
        if len(set(names)) < len(names):
            raise self.scope.fail("a parameter is named twice", token)
        self.scope.parameters = {name: self.scope.graph.parameter(name) for name in names}
        return token

    def definition(self, children: list[Any]) -> None:
        scope, name = self.scope, re.match(r"\w+", children[0])
        assert name is not None
        parameters = tuple(scope.parameters.values())
        body = scope.number(children[1])
        function = Function(name[0], parameters, body, len(scope.graph.nodes))
        scope.functions[name[0]] = scope.last_defined = function
        scope.parameters = {}

    def number(self, children: list[Token]) -> Node:
        text = children[0].replace("_", "")
        value = float(text)
        if math.isinf(value):
            raise self.scope.fail("this number is too large for a double", children[0])
        return self.scope.graph.constant(int(text) if text.isdigit() else value)

    def name(self, children: list[Token]) -> Node:
        return self.scope.resolve(children[0])

    def call(self, children: list[Any]) -> Node:
        return self.scope.call(children[0], children[1:])

    def keyword(self, children: list[Any]) -> Node:
        raise self.scope.fail("keyword arguments are not part of the language", children[0])

    def list(self, children: list[Any]) -> Node:
        bracket, *elements = children
        if not elements:
            raise self.scope.fail("an empty list has no value", bracket, "write [a, b]")
        if any(e.shape for e in elements):
            raise self.scope.fail("a list holds scalars", bracket, "write [a, b], not [[a], [b]]")
        return self.scope.graph.stack([self.scope.number(e) for e in elements])

    def chain(self, children: list[Any]) -> Node:
        """`a + b - c` or `a*b/c`: operands and operators in turn, combined from the left."""
        total = children[0]
        for k in range(1, len(children), 2):
            token, operand = children[k], children[k + 1]
            row = INFIX.get(str(token))
            if row is None:
                raise self._not_infix(token)
            total = self.scope.operate(row, (total, operand), token)
        return total

    def _not_infix(self, token: Token) -> ExpressionError:
        if token == "@":
            return self.scope.fail("@ multiplies arrays", token, "write * for numbers")
        return self.scope.fail("// is not part of the language", token, "write floor(x/y)")

    def power(self, children: list[Any]) -> Node:
        base, token, exponent = children
        return self.scope.operate(POWER, (base, exponent), token)

    def minus(self, children: list[Any]) -> Node:
        token, operand = children
        if operand.op is CONSTANT:
            return self.scope.graph.constant(-operand.data)
        return self.scope.operate(NEGATIVE, (operand,), token)

    def plus(self, children: list[Any]) -> Node:
        return self.scope.number(children[1])  # type: ignore[no-any-return]

    def comparison(self, children: list[Any]) -> Node:
        """`a < b <= c`: every link holds."""
        links = [
            self.scope.operate(INFIX[str(children[k])], (children[k - 1], children[k + 1]), children[k])
            for k in range(1, len(children), 2)
        ]
        return self._join(AND, links)

    def all_of(self, children: list[Node]) -> Node:
        return self._join(AND, children)

    def any_of(self, children: list[Node]) -> Node:
        return self._join(OR, children)

    def _join(self, row: Primitive, conditions: Iterable[Node]) -> Node:
        first, *rest = map(self.scope.condition, conditions)
        for condition in rest:
            first = self.scope.graph.intern(row, first, condition)
        return first

    def negation(self, children: list[Node]) -> Node:
        return self.scope.graph.intern(NOT, self.scope.condition(children[0]))

    def conditional(self, children: list[Node]) -> Node:
        yes, condition, no = children
        return self.scope.select(condition, yes, no, None)

    def transpose(self, children: list[Node]) -> Node:
        return children[0]  # of a scalar, or of a vector, it is the same again

    def attribute(self, children: list[Any]) -> Node:
        if children[1] != "T":
            raise self.scope.fail("there are no attributes but .T", children[1])
        return children[0]  # type: ignore[no-any-return]

    def item(self, children: list[Any]) -> Node:
        array, bracket, *index = children
        if array.op is not STACK:
            raise self.scope.fail("a scalar has no elements", bracket)
        return _element(self.scope, array, bracket, index)


def _element(scope: Scope, array: Node, bracket: Token, index: list[Any]) -> Node:
    position = index[0].data if len(index) == 1 and isinstance(index[0], Node) else None
    if not isinstance(position, int):
        raise scope.fail("the index of a list is one whole number", bracket, "write v[0]")
    if not -len(array.args) <= position < len(array.args):
        raise scope.fail(f"index {position} is outside a list of {len(array.args)}", bracket)
    return array.args[position]


class Parser:
    """The grammar, loaded once.  One program is reduced at a time: the reducer holds its scope."""

    def __init__(self) -> None:
        self._reducer = Reducer()
        self._lock = threading.Lock()
        self._lark = Lark(
            grammar_text(), parser="lalr", transformer=self._reducer, maybe_placeholders=False
        )

    def read(self, text: str, scope: Scope) -> Scope:
        with self._lock:
            self._reducer.scope = scope
            try:
                self._lark.parse(text)
            except UnexpectedInput as error:
                raise _syntax_error(error, scope.source) from None
        return scope


@lru_cache(maxsize=1)
def _parser() -> Parser:
    return Parser()


def grammar_text() -> str:
    """The grammar: inside the package in a wheel, beside it in a checkout or editable install."""
    package = Path(__file__).resolve().parent
    for folder in (package / "grammar", package.parent / "grammar"):
        path = folder / "expression.lark"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError("expression.lark is neither in the package nor beside it")


_LAYOUT = re.compile(r"#[^\n]*|\\\r?\n|[(\[{]|[)\]}]|\n")


def flatten(source: str) -> str:
    """The source with comments, and line breaks inside brackets, blanked out.

    Every other character keeps its offset.
    """
    if "\n" not in source and "#" not in source:
        return source
    depth = 0

    def blank(match: re.Match[str]) -> str:
        nonlocal depth
        text = match[0]
        depth = max(0, depth + (text in "([{") - (text in ")]}"))
        return " " * len(text) if text[0] in "#\\" or (text == "\n" and depth) else text

    return _LAYOUT.sub(blank, source)


def parse(
    source: str,
    inputs: Sequence[str] | None = None,
    shapes: dict[str, Shape] | None = None,
    constants: bool = False,
) -> tuple[Graph, Node]:
    """The evaluation trace of a program, and its output.

    `inputs` declares the inputs, in order; without it they are found.  `constants` gives the names
    `inf` and `nan` their values, for the table's own texts.  Raises `ExpressionError`.
    """
    if not source.strip():
        raise ExpressionError("there is nothing to compile", source, hint="write a formula: x**2")
    scope = _parser().read(flatten(source), Scope(source, inputs, shapes or {}, constants))
    output = _output(scope)
    return _compact(scope.graph, output)


def _output(scope: Scope) -> Node:
    defined = scope.last_defined
    if defined is not None:  # the source ends by defining f(x, y): it is the program
        names = [str(p.data) for p in defined.parameters]
        args = [scope.variables.get(n) or scope.graph.input(n, scope.shapes.get(n, ())) for n in names]
        return defined.inline(scope.graph, args)
    if scope.output is None:
        raise ExpressionError("the program has no output", scope.source, hint="end with a formula")
    return scope.output


def _compact(graph: Graph, output: Node) -> tuple[Graph, Node]:
    """The graph without what the output does not need; declared inputs stay."""
    alive = graph.ancestors([output])
    if len(alive) == len(graph.nodes):
        return graph, output
    small = Graph()
    image = {node: small.input(name, node.shape) for name, node in graph.inputs.items()}
    for node in alive:
        if node not in image:
            image[node] = small.rebuild(node, [image[a] for a in node.args], small.intern)
        if node in graph.names and node.args:
            small.names[image[node]] = graph.names[node]
        if node in graph.places:
            small.places[image[node]] = graph.places[node]
    return small, image[output]


def _syntax_error(error: UnexpectedInput, source: str) -> ExpressionError:
    position, width, at_end = _where(error, source)
    bracket = unbalanced(source)
    if bracket is not None and (at_end or bracket[0] == position):
        return ExpressionError(bracket[1], source, (bracket[0], bracket[0] + 1))
    known = explain(source, position)
    if known is not None:
        return ExpressionError(known[0], source, (position, position + width), known[1])
    what = "the end" if at_end else repr(source[position : position + min(width, 20)])
    expected = _expected(error, source[:position])
    return ExpressionError(
        f"unexpected {what}; expected {expected}", source, (position, position + width)
    )


def _where(error: UnexpectedInput, source: str) -> tuple[int, int, bool]:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return len(source.rstrip()), 1, True
    position = error.pos_in_stream or 0
    width = len(error.token) if isinstance(error, UnexpectedToken) else 1
    return position, max(1, width), False


OPERAND = {"NAME", "NUMBER", "LPAR"}
OPERATOR = {"PLUS", "TIMES", "POWER"}


def _expected(error: UnexpectedInput, before: str) -> str:
    names: set[str] = set()
    if isinstance(error, UnexpectedToken):
        names = set(error.expected)
    elif isinstance(error, UnexpectedCharacters):
        names = set(error.allowed or ())
    groups = [
        ("a number, a name or (", OPERAND <= names),
        ("an operator", bool(OPERATOR & names) and not OPERAND <= names),
        (")", "RPAR" in names and before.count("(") > before.count(")")),
        ("]", "RSQB" in names and before.count("[") > before.count("]")),
    ]
    return ", ".join(text for text, present in groups if present) or "the end of the formula"

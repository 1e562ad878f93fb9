"""Text to graph: Lark's LALR parser reduces each rule straight into nodes; no tree is built."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from lark import Lark, Transformer
from lark.exceptions import UnexpectedInput

from .errors import ExpressionError
from .graph import AND, CONSTANT, NEGATIVE, NOT, OR, POWER, Graph, Node
from .language.arrays import transposed
from .language.calls import Keyword, Ragged, extent_of
from .language.characters import inspect
from .language.driver import Driver, StuckError, TooDeepError
from .language.functions import Function, Reading
from .language.hints import syntax_error
from .language.indexing import Range, indexed
from .language.lexer import FormulaLexer, Word, flatten, span
from .language.scope import INFIX, RESERVED, WORDS, Scope
from .limits import DEFAULT, Limits
from .primitives import ARRAYS, Primitive
from .shapes import Extent, Polynomial, Shape, ShapeError, named

STATEMENT_END = re.compile(r"[;\n]|\Z")


class Reducer(Transformer[Word, Node]):
    """What each rule of the grammar does, called by Lark while it parses."""

    def __init__(self) -> None:
        super().__init__()
        self.scope = Scope("", None, {}, False)
        self.read: Callable[[str], object] = str  # reduces a text into the scope

    def start(self, children: list[Any]) -> Scope:
        """The source may end by defining f(x, y): that is the program, then."""
        scope, defined = self.scope, self.scope.last_defined
        if defined is not None:
            names = [str(p.data) for p in defined.parameters]
            inputs = [scope.declare(name, None) for name in names]
            scope.last_defined = None
            scope.output = scope.inline(defined, defined.head, inputs)
        scope.check_extents()
        return scope

    def result(self, children: list[Any]) -> None:
        self.scope.statement(is_value=True)
        self.scope.output, self.scope.last_defined = self.scope.number(children[0]), None

    def assignment(self, children: list[Any]) -> None:
        name, scope = children[0], self.scope
        scope.statement(is_value=False)
        if str(name) in RESERVED:
            raise scope.fail(f"{name} cannot be assigned", name)
        node, earlier = scope.number(children[1]), scope.variables.get(str(name))
        scope.variables[str(name)] = scope.output = node
        scope.last_defined, names = None, scope.graph.names
        if earlier is not None and names.get(earlier) == str(name):
            del names[earlier]  # a name is that of the last value it has
        if node.args:
            names.setdefault(node, str(name))

    def HEAD(self, token: Word) -> Word:
        """`f(x, y) =`: from here to the end of the statement the parameters have meaning."""
        names = re.findall(r"\w+", token)[1:]
        for name in re.findall(r"\w+", token):
            if name in WORDS or not name.isidentifier():
                raise self.scope.fail(f"{name} is not a name that can be defined", token)
        if len(set(names)) < len(names):
            raise self.scope.fail("a parameter is named twice", token)
        self.scope.parameters = {name: self.scope.graph.parameter(name) for name in names}
        return token

    def definition(self, children: list[Any]) -> None:
        scope, name = self.scope, re.match(r"\w+", children[0])
        assert name is not None
        scope.statement(is_value=False)
        parameters = tuple(scope.parameters.values())
        body = scope.number(children[1])
        nodes = scope.graph.nodes[parameters[0].index :]
        scope.parameters = {}
        function = Function(children[0], parameters, body, nodes, self._reading(children[0]))
        scope.functions[name[0]] = scope.last_defined = function

    def _reading(self, head: Word) -> Reading | None:
        """How to read a function's text again, if that is needed."""
        scope = self.scope
        needed, scope.shapeless = scope.shapeless, False
        if not needed:
            return None
        start = head.start_pos + len(head)
        end = STATEMENT_END.search(scope.text, start)
        assert end is not None
        text = " " * start + scope.text[start : end.start()]
        return Reading(lambda: self.read(text), dict(scope.variables), dict(scope.functions), {})

    def declaration(self, children: list[Any]) -> None:
        """`X: [N, 2]`."""
        self.scope.statement(is_value=False)
        self.scope.declare_shape(children[0], tuple(children[3:]))

    def extent(self, children: list[Word]) -> Extent:
        """Sums of products of names and whole numbers."""
        total: Extent = 0
        product: Extent = 1
        sign = 1
        for k, token in enumerate(children):
            if token.type in ("PLUS", "MINUS"):
                total = total + product * sign if k else total
                sign, product = (1 if token == "+" else -1), 1
            elif token.type == "TIMES":
                if token != "*":
                    raise self.scope.fail(f"{token} is not part of an extent", token)
            else:
                product = product * self._factor(token)
        total = total + product * sign
        if isinstance(total, int) and total < 0:
            raise self.scope.fail("an extent is not negative", children[0], "write X: [N, 2]")
        return total

    def _factor(self, token: Word) -> Extent:
        if token.type == "NAME":
            return named(str(token))
        if not token.isdigit():
            raise self.scope.fail("an extent is a whole number or a name", token, "write X: [N, 2]")
        return int(token)

    def number(self, children: list[Word]) -> Node:
        known = self.scope.numbers.get(children[0])
        return known or self.scope.numbers.setdefault(children[0], self._number(children))

    def _number(self, children: list[Word]) -> Node:
        text, limits = children[0].replace("_", ""), self.scope.graph.limits
        if len(text) > limits.digits:
            what = f"this number of {len(text):,} characters is too large"
            raise limits.exceeded("digits", what, self.scope.source, span(children[0]))
        value = float(text)
        if math.isinf(value):
            raise self.scope.fail("this number is too large for a double", children[0])
        exact = int(text.lstrip("0") or "0") if text.isdigit() else value
        return self.scope.graph.constant(exact)

    def name(self, children: list[Word]) -> Node:
        return self.scope.resolve(children[0])

    def call(self, children: list[Any]) -> Node:
        return self.scope.call(children[0], children[1:])

    def keyword(self, children: list[Any]) -> Keyword:
        return Keyword(*children)

    def text(self, children: list[Word]) -> Word:
        return children[0]

    def vector(self, children: list[Any]) -> Node | Ragged:
        elements = [self.scope.number(e) for e in children if not isinstance(e, Word)]
        if not elements:
            raise self.scope.fail("an empty list has no value", children[0], "write [a, b]")
        try:
            return self.scope.graph.stack(elements)
        except ShapeError as error:
            token = children[0] if isinstance(children[0], Word) else None
            return Ragged(elements, self.scope.fail(str(error), token))

    def chain(self, children: list[Any]) -> Node:
        """`a + b - c` or `a*b/c`: operands and operators in turn, combined from the left."""
        total: Node = children[0]
        for k in range(1, len(children), 2):
            token, operand = children[k], children[k + 1]
            row = INFIX.get(str(token))
            if row is not None:
                total = self.scope.operate(row, (total, operand), token)
            elif token == "@":
                total = self.scope.multiply_arrays(total, operand, token)
            else:
                total = self._whole_part(total, operand, token)
        return total

    def _whole_part(self, x: Node, y: Node, token: Word) -> Node:
        """`n//2`, of extents."""
        above, below = (extent_of(self.scope.graph, v) for v in (x, y))
        if isinstance(above, Polynomial) and isinstance(below, int) and below > 0:
            return self.scope.make(ARRAYS["extent"], (), above // below, token)
        raise self.scope.fail("// is only for extents", token, "write floor(x/y)")

    def power(self, children: list[Any]) -> Node:
        base, token, exponent = children
        return self.scope.operate(POWER, (base, exponent), token)

    def minus(self, children: list[Any]) -> Node:
        token, operand = children
        if operand.op is CONSTANT:
            return self.scope.graph.constant(-operand.data)
        return self.scope.operate(NEGATIVE, (operand,), token)

    def plus(self, children: list[Any]) -> Node:
        return self.scope.number(children[1])

    def comparison(self, children: list[Any]) -> Node:
        """`a < b <= c`: every link holds."""
        links = [
            self.scope.operate(
                INFIX[str(children[k])], (children[k - 1], children[k + 1]), children[k]
            )
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

    def transpose(self, children: list[Any]) -> Node:
        array: Node = children[0]
        token: Word = children[1]
        if self.scope.is_open():
            return self.scope.unknown()
        if not array.shape and not self.scope.internal:
            hint = "name it x_prime, or declare its shape: x: [m, n]"
            raise self.scope.fail("a scalar has no transpose", token, hint)
        return transposed(self.scope, self.scope.number(array), token)

    def attribute(self, children: list[Any]) -> Node:
        if children[1] != "T":
            raise self.scope.fail("there are no attributes but .T", children[1])
        return self.transpose(children)

    def slice(self, children: list[Any]) -> Range:
        """`start:stop:step`, of which any may be left out."""
        ends: list[Node | None] = [None, None, None]
        at = 0
        for child in children:
            if isinstance(child, Node):
                ends[at] = child
            else:
                at += 1
        return Range(*ends)

    def ellipsis(self, children: list[Word]) -> Word:
        return children[0]

    def newaxis(self, children: list[Word]) -> Word:
        return children[0]

    def item(self, children: list[Any]) -> Node:
        array, bracket, *index = children
        if self.scope.is_open():
            return self.scope.unknown()
        return indexed(self.scope, self.scope.number(array), bracket, index)


def _placed(error: ExpressionError, scope: Scope) -> ExpressionError:
    """An error of the graph, which knows no source, at the last operation that was read."""
    if error.source or not scope.source:
        return error
    place = next(reversed(scope.graph.places.values()), 0)
    return ExpressionError(error.problem, scope.source, (place, place + 1), error.hint)


class Parser:
    """The grammar, loaded once.  One program is reduced at a time: the reducer holds its scope."""

    def __init__(self) -> None:
        self._reducer = Reducer()
        self._nothing = self._reducer.scope
        self._lock = threading.Lock()
        self._lark = Lark(
            grammar_text(),
            parser="lalr",
            lexer=FormulaLexer,
            transformer=self._reducer,
            maybe_placeholders=False,
        )

        self._lexer = FormulaLexer(self._lark.parser.lexer_conf)
        self._driver = Driver(self._lark, "start", self._reducer)
        self._reducer.read = lambda text: self._driver.run(self._lexer.lex(text))

    def read(self, text: str, fresh: Callable[[], Scope]) -> Scope:
        """Reduce a text into a fresh scope; raises `ExpressionError`."""
        with self._lock:
            scope = self._reducer.scope = fresh()
            limits = scope.graph.limits
            depth = limits.depth if len(text) > limits.depth else None
            try:
                self._driver.run(self._lexer.lex(text), depth)
            except (StuckError, UnexpectedInput):
                self._reducer.scope = fresh()
                self._explain(text, scope.source)
            except TooDeepError as error:
                what = "the formula is nested too deep"
                raise limits.exceeded("depth", what, scope.source, span(error.token)) from None
            except ExpressionError as error:
                raise _placed(error, scope) from None
            finally:
                self._reducer.scope = self._nothing  # or it would keep the graph alive
        return scope

    def _explain(self, text: str, source: str) -> None:
        """Raise what is wrong with a text that is not in the language."""
        try:
            self._lark.parse(text)
        except UnexpectedInput as error:
            raise syntax_error(error, source) from None
        raise AssertionError("the driver and Lark disagree")


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


def parse(
    source: str,
    inputs: Sequence[str] | None = None,
    shapes: dict[str, Shape] | None = None,
    constants: bool = False,
    limits: Limits = DEFAULT,
) -> tuple[Graph, Node]:
    """The evaluation trace of a program, and its output.

    `inputs` declares the inputs, in order; without it they are found.  `constants` gives the names
    `inf` and `nan` their values, for the table's own texts.  Raises `ExpressionError`.
    """
    if len(source) > limits.length:
        raise limits.exceeded("length", f"this source of {len(source):,} characters is too long")
    text = flatten(source)
    inspect(source, text, inputs or ())
    _check_names(source, text, limits)
    if not text.strip(" \t\r\n\f;"):
        raise ExpressionError("there is nothing to compile", source, hint="write a formula: x**2")
    scope = _parser().read(text, lambda: Scope(source, inputs, shapes or {}, constants, limits))
    output = _output(scope)
    return _compact(scope.graph, output)


def _check_names(source: str, text: str, limits: Limits) -> None:
    """Refuse a name that is too long: it would be repeated wherever it is used."""
    if len(text) <= limits.name:
        return
    found = re.search(rf"\b[^\W\d]\w{{{limits.name}}}", text)
    if found:
        raise limits.exceeded("name", "this name is too long", source, found.span())


def _output(scope: Scope) -> Node:
    if scope.output is None:
        raise ExpressionError("the program has no output", scope.source, hint="end with a formula")
    return scope.output


def _compact(graph: Graph, output: Node) -> tuple[Graph, Node]:
    """The graph without what the output does not need; declared inputs stay."""
    alive = graph.ancestors([output])
    if len(alive) == len(graph.nodes):
        return graph, output
    small = Graph(limits=graph.limits)
    small.generic = graph.generic
    image = {node: small.input(name, node.shape) for name, node in graph.inputs.items()}
    for node in alive:
        if node not in image:
            image[node] = small.rebuild(node, [image[a] for a in node.args], small.intern)
        small.carry(graph, node, image[node])
    return small, image[output]

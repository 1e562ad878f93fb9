"""What every backend shares: scheduling, naming, precedence and bounded inlining.

A backend says how a constant and a row are spelled; `Schedule` decides which nodes become
statements, and writes the statements and the outputs as text.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from itertools import chain
from typing import NamedTuple, Protocol, runtime_checkable

from ..derivatives import Group, Program, Tree
from ..graph import CONSTANT, INPUT, STACK, Node, free
from ..primitives import ArrayPrimitive, Primitive
from ..primitives.arithmetic import POWER, PRODUCT, REMAINDER, SIGN
from ..primitives.ieee import Number
from ..shapes import Extent, extent_names
from .text import WIDTH

INLINE = 56  # characters of an expression that may still be inlined into another
MARGIN = 11  # columns of a statement that its name and its expression do not take
ATOM = 100  # precedence of calls and everything in brackets
NAME = 101  # precedence of names, which may be written twice


HERE = "."  # the module of helpers that are written into the generated module itself


class Import(NamedTuple):
    """`from module import name as local`; without a name, `import module as local`."""

    module: str
    name: str
    local: str


class Spelling(NamedTuple):
    """How a backend writes one row.

    `template` has one numbered field for each argument, `operands` the precedence each must have
    to stand there without parentheses; `imports` are names the text needs.
    """

    template: str
    precedence: int
    operands: tuple[int, ...]
    imports: frozenset[Import] = frozenset()

    def rename(self, taken: Collection[str]) -> Spelling:
        """The same spelling with its imports under names that are not taken."""
        if not self.imports or all(i.local not in taken for i in self.imports):
            return self
        text, imports = self.template, set()
        for item in self.imports:
            local = free(item.local, taken)
            text = re.sub(rf"(?<!{{)\b{item.local}\b", local, text)
            imports.add(item._replace(local=local))
        return self._replace(template=text, imports=frozenset(imports))


class Text:
    """An expression in the target language, and its precedence."""

    __slots__ = ("precedence", "text")

    def __init__(self, text: str, precedence: int) -> None:
        self.text, self.precedence = text, precedence


PYTHON_KEYWORDS = frozenset({*keyword.kwlist, "__debug__"})


class Speller(Protocol):
    """What a backend provides: words that no variable may be, literals, and rows."""

    @property
    def keywords(self) -> Collection[str]:
        """Words of the language that no variable may be."""

    def constant(self, value: Number) -> Spelling:
        """A literal."""

    def spell(self, row: Primitive) -> Spelling:
        """How a row is written."""


@runtime_checkable
class ArraySpeller(Protocol):
    """A backend that has operations on whole arrays."""

    def spell_node(self, node: Node, size: Callable[[Extent], str]) -> Spelling:
        """How a node is written; `size` gives the text of an extent."""


NOT_SPELLED = frozenset({INPUT, CONSTANT, STACK})


def _is_array(row: Primitive) -> bool:
    return isinstance(row, ArrayPrimitive)


def _spelled(speller: Speller, node: Node, size: Callable[[Extent], str]) -> Spelling:
    if node.op is not STACK and not _is_array(node.op):
        return speller.spell(node.op)
    assert isinstance(speller, ArraySpeller), "this backend has no arrays"
    return speller.spell_node(node, size)


def infix(row: Primitive, symbol: str, tight: bool, signed: int = SIGN) -> Spelling:
    """`x + y`: left-associative, but for powers; a minus may stand before a product.

    What has a minus binds like a sum, or as tightly as `signed` says: `-x*y/z` is `(-x*y)/z`.
    """
    level = row.precedence
    if level == SIGN:
        return Spelling(f"{symbol}{{0}}", signed, (PRODUCT,))
    if row.arity == 1:
        return Spelling(f"{symbol} {{0}}", level, (level,))
    gap = "" if tight else " "
    operands = {POWER: (ATOM, POWER), REMAINDER: (ATOM, ATOM)}.get(level, (level, level + 1))
    return Spelling(f"{{0}}{gap}{symbol}{gap}{{1}}", level, operands)


def literal(text: str, imports: Iterable[Import] = (), signed: int = SIGN) -> Spelling:
    """A number; a negative one binds like a sign, or as tightly as `signed` says."""
    return Spelling(text, signed if text.startswith("-") else NAME, (), frozenset(imports))


def call(name: str, arity: int, imports: Iterable[Import] = ()) -> Spelling:
    """`name(x, y)`; a name without arguments is a constant."""
    fields = ", ".join(f"{{{k}}}" for k in range(arity))
    text = f"{name}({fields})" if arity else name
    return Spelling(text, ATOM if arity else NAME, (0,) * arity, frozenset(imports))


def template(row: Primitive, text: str, imports: Iterable[Import] = ()) -> Spelling:
    """A template over argument names; an argument written twice must be a name."""
    fields = re.findall(r"{(\w+)}", text)
    precedences = tuple(_needed(row, fields.count(name)) for name in row.args)
    for k, name in enumerate(row.args):
        text = text.replace(f"{{{name}}}", f"{{{k}}}")
    return Spelling(text, row.precedence, precedences, frozenset(imports))


def _needed(row: Primitive, count: int) -> int:
    """An argument in a template is bracketed unless it is a name, or stands inside a call."""
    return NAME if count > 1 else 0 if row.precedence == ATOM else row.precedence + 1


class Names:
    """Identifiers of one function: the user's names first, then fresh ones that miss them all."""

    def __init__(self, prefix: str, keywords: Iterable[str]) -> None:
        self._taken, self._keywords = set[str](), frozenset(keywords)
        self._again: dict[str, int] = {}
        self._count, self._prefix = 0, prefix

    def reserve(self, names: Iterable[str]) -> None:
        self._taken.update(names)

    def claim(self, wanted: str) -> str:
        """`wanted`, or with an underscore, or with a number after it: whichever is free."""
        name, count = wanted, self._again.get(wanted, 0)
        while name in self._taken or name in self._keywords:
            count += 1
            name = f"{wanted}_{count if count > 1 else ''}"
        self._again[wanted] = count
        self._taken.add(name)
        return name

    def fresh(self) -> str:
        self._count += 1
        return self.claim(f"{self._prefix}{self._count}")


class Schedule:
    """A program as statements: which nodes get a name, and the text of each."""

    def __init__(
        self,
        program: Program,
        speller: Speller,
        reserved: Iterable[str] = (),
        prune: bool = True,
    ) -> None:
        self.program, self._speller = program, speller
        outputs = program.leaves()
        nodes = program.graph.ancestors(outputs) if prune else program.graph.nodes
        arrays = program.graph.has_arrays
        self.nodes = [n for n in nodes if arrays or n.op is not STACK]
        self.uses = Counter(chain(outputs, *(n.args for n in self.nodes)))
        self._names = Names("t", speller.keywords)
        self.parameters = {n: self._names.claim(n.data) for n in program.arguments()}
        groups = (p.name for p in program.parameters if isinstance(p, Group))
        self.groups = {name: self._names.claim(name) for name in groups}
        self.sizes: dict[str, str] = {}  # extents that the code names, and their names there
        self._extents = {e: self._names.claim(e) for e in self._extent_names()}
        self._given = {*self.parameters.values(), *self._extents.values()}  # names of the caller's
        self._texts: dict[Node, Text] = {n: Text(name, NAME) for n, name in self.parameters.items()}
        self._spellings = self._spell_all({n.op for n in self.nodes})
        self.imports = {i for s in self._spellings.values() for i in s.imports}
        called = (free(name, self._given) for name in reserved)
        self._names.reserve([*called, *(i.local for i in self.imports)])
        self.statements: list[tuple[str, str]] = []
        self.named: dict[str, Node] = {}  # what each statement computes
        self.inline = INLINE  # less, where statements are further to the right
        self.passing: set[Node] = set()  # what is never in memory as a whole
        self._place_all()

    def _place_all(self) -> None:
        for node in self.nodes:
            self._place(node)

    def _spell_all(self, rows: Iterable[Primitive]) -> dict[Primitive, Spelling]:
        made = (r for r in rows if r not in NOT_SPELLED and not _is_array(r))
        return {row: self._speller.spell(row).rename(self._given) for row in made}

    def _extent_names(self) -> list[str]:
        """The names of extents that the parameters have."""
        if not self.program.graph.has_arrays:
            return []
        shapes = (n.shape for n in self.parameters if n.shape)
        return list(dict.fromkeys(name for shape in shapes for name in sorted(extent_names(shape))))

    def size(self, extent: Extent) -> str:
        """An extent in the code."""
        if isinstance(extent, int):
            return str(extent)
        self.sizes |= {name: self._extents[name] for name in sorted(extent.names)}
        return extent.text(self._extents)

    def _array_spelling(self, node: Node) -> Spelling:
        """How an operation on arrays is written; what it needs is imported."""
        found = _spelled(self._speller, node, self.size).rename(self._given)
        self.imports |= found.imports
        return found

    def require(self, item: Import) -> str:
        """Import something; its name here, which misses those of the caller."""
        if item.local in self._given:
            item = item._replace(local=free(item.local, self._given))
        self.imports.add(item)
        return item.local

    def lines(self, indent: str) -> Iterator[str]:
        """The statements as text."""
        return (f"{indent}{name} = {text}" for name, text in self.statements)

    def claim(self, wanted: str) -> str:
        """A further local name, as close to `wanted` as is free."""
        return self._names.claim(wanted)

    def text(self, node: Node) -> str:
        """The expression or the name that stands for a node once its statement has run."""
        return self._texts[node].text

    def _place(self, node: Node) -> None:
        if node in self._texts:
            return
        if node.op is CONSTANT:
            spelling = self._speller.constant(node.data).rename(self._given)
            self.imports |= spelling.imports
            self._texts[node] = Text(spelling.template, spelling.precedence)
            return
        written = self._write(node)
        keep = node in self.program.graph.names or self.uses[node] > 1
        self._texts[node] = written
        if (node.args or written.precedence < NAME) and (keep or len(written.text) > self.inline):
            self._assign(node)

    def _write(self, node: Node) -> Text:
        """The operation on its operands' texts; operands too long for one line get a name."""
        spelling = self._spellings.get(node.op) or self._array_spelling(node)
        texts = self._texts
        while True:
            operands = []
            for a, needed in zip(node.args, spelling.operands, strict=True):
                operand = texts[a]
                fits = operand.precedence >= needed
                operands.append(operand.text if fits else self._operand(a, needed))
            text = spelling.template.format(*operands)
            if len(text) <= self.inline or len(text) <= self._room(node) or not self._shorten(node):
                return Text(text, spelling.precedence)

    def _room(self, node: Node) -> int:
        """Columns that a node's expression may take as a statement."""
        inset = INLINE - self.inline
        return WIDTH - MARGIN - inset - len(self._wanted(node) or "t999")

    def _shorten(self, node: Node) -> bool:
        """Name the operand with the longest text, if it has none yet."""
        longest = max(node.args, key=lambda a: len(self._texts[a].text))
        if self._texts[longest].precedence == NAME:
            return False
        self._assign(longest)
        return True

    def _operand(self, node: Node, needed: int) -> str:
        if needed == NAME and node.op is not CONSTANT and self._texts[node].precedence < NAME:
            self._assign(node)
        text = self._texts[node]
        return text.text if text.precedence >= needed else f"({text.text})"

    def _wanted(self, node: Node) -> str | None:
        graph = self.program.graph
        return graph.names.get(node) or graph.labels.get(node)

    def _called(self, node: Node) -> str:
        wanted = self._wanted(node)
        return self._names.claim(wanted) if wanted else self._names.fresh()

    def _assign(self, node: Node) -> None:
        """Give a node's expression a name, and let the name stand for it."""
        name = self._called(node)
        self.statements.append((name, self._texts[node].text))
        self.named[name] = node
        self._texts[node] = Text(name, NAME)


class Expressions:
    """Expressions over nodes that have a symbol: what has none yet is inlined.

    `symbol` gives a node's symbol, or `None`; it is asked again for every expression.
    """

    def __init__(
        self,
        speller: Speller,
        symbol: Callable[[Node], str | None],
        brackets: Callable[[str], str] = "({})".format,
    ) -> None:
        self._speller, self._symbol, self._brackets = speller, symbol, brackets

    def text(self, node: Node) -> str:
        """A node by its symbol, or as an expression."""
        return self._symbol(node) or self.operation(node)

    def operation(self, node: Node, needed: int = 0) -> str:
        """A node's own operation, even if the node has a symbol."""
        texts: dict[Node, Text] = {}
        pending = [node]
        while pending:
            current = pending[-1]
            symbol = self._symbol(current) if current is not node else None
            missing = [] if symbol else [a for a in current.args if a not in texts]
            pending += missing
            if not missing:
                made = Text(symbol, NAME) if symbol else self._write(current, texts)
                texts[pending.pop()] = made
        found = texts[node]
        return self._within(found, needed)

    def _within(self, text: Text, needed: int) -> str:
        return text.text if text.precedence >= needed else self._brackets(text.text)

    def _write(self, node: Node, texts: Mapping[Node, Text]) -> Text:
        if node.op is CONSTANT:
            spelling = self._speller.constant(node.data)
            return Text(spelling.template.format(), spelling.precedence)
        if node.op is INPUT:
            return Text(node.data, NAME)
        if node.op is STACK:
            return Text(f"[{', '.join(texts[a].text for a in node.args)}]", NAME)
        spelling = _spelled(self._speller, node, str)
        given = (texts[a] for a in node.args)
        operands = [self._within(t, p) for t, p in zip(given, spelling.operands, strict=True)]
        return Text(spelling.template.format(*operands), spelling.precedence)


def tuple_of(elements: str, count: int) -> str:
    """Elements as a tuple: one of one element has a comma of its own."""
    return f"({elements},)" if count == 1 else f"({elements})"


def layout(
    tree: Tree, leaf: Callable[[Node], str], brackets: Callable[[list[Tree], str], str]
) -> str:
    """The text of a tree of outputs: tuples as tuples, lists through `brackets`."""
    if isinstance(tree, Node):
        return leaf(tree)
    parts = ", ".join(layout(branch, leaf, brackets) for branch in tree)
    return brackets(tree, parts) if isinstance(tree, list) else tuple_of(parts, len(tree))

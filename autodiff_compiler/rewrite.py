"""Matcher and driver: rewrite rules as rows of text, applied where a node is about to be made."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import NamedTuple

from .graph import CONSTANT, INPUT, Graph, Node, Number
from .parser import parse
from .partials import Template
from .primitives import BY_NAME, Primitive

Binding = dict[str, Node]

CONSTANTS = ("m", "n")  # names that stand for constants


class Rewritten(NamedTuple):
    """A better node, and the name of the rule that made it."""

    node: Node
    rule: str


@dataclass(frozen=True, slots=True)
class Rule:
    """`pattern -> replacement`, both in the language.

    A name stands for any node; `m` and `n` only for constants.  A repeated name stands for the
    same node.  `when` restricts the constants.  `exact` rules hold for every IEEE
    input, up to the sign of a zero; the others only to rounding, or where the pattern is finite.
    """

    pattern: str
    replacement: str
    exact: bool = True
    when: Callable[..., bool] | None = None
    why: str = ""

    @property
    def name(self) -> str:
        return f"{self.pattern} -> {self.replacement}"


class Pattern(NamedTuple):
    """A pattern node: a name to bind, a constant, or an operation on patterns."""

    op: Primitive | None
    data: str | Number | None
    args: tuple[Pattern, ...]

    def head(self) -> Primitive | None:
        """What the node's operation must be; `None` for any."""
        if self.op is None:
            return CONSTANT if self.data in CONSTANTS else None
        return self.op

    def accepts(self, op: Primitive, args: Sequence[Node]) -> bool:
        return self.op is op and all(p.head() in (None, a.op) for p, a in zip(self.args, args, strict=True))


class Compiled:
    """A rule ready to run: its pattern in every order of commutative operands."""

    def __init__(self, rule: Rule) -> None:
        names = _names(rule.pattern)
        _, output = parse(rule.pattern, inputs=names, constants=True)
        self.rule, self.names = rule, names
        self.variants = tuple(_variants(output))
        self.template = Template(rule.replacement, names)

    def apply(self, graph: Graph, variant: Pattern, args: Sequence[Node]) -> Node | None:
        """The replacement for a node with these arguments, if the pattern matches them."""
        binding: Binding = {}
        if not all(_match(p, a, binding) for p, a in zip(variant.args, args, strict=True)):
            return None
        when = self.rule.when
        if when and not when(**{n: b.data for n, b in binding.items() if n in CONSTANTS}):
            return None
        return self.template.build(graph, [binding[name] for name in self.names])


def _names(text: str) -> list[str]:
    words = re.findall(r"[a-z]\w*", text)
    return sorted({w for w in words if w not in BY_NAME and w not in ("and", "or", "not")})


def _match(pattern: Pattern, node: Node, binding: Binding) -> bool:
    """Whether `node` fits, binding names; a pattern is as deep as its rule's text."""
    if pattern.op is None:
        if pattern.head() not in (None, node.op):
            return False
        return binding.setdefault(str(pattern.data), node) is node
    if pattern.op is CONSTANT:
        return node.op is CONSTANT and bool(node.data == pattern.data)
    return node.op is pattern.op and all(
        _match(p, a, binding) for p, a in zip(pattern.args, node.args, strict=True)
    )


def _variants(node: Node) -> Iterator[Pattern]:
    if node.op is INPUT:
        yield Pattern(None, node.data, ())
        return
    for args in product(*[list(_variants(a)) for a in node.args]):
        yield Pattern(node.op, node.data, args)
        if node.op.commutative:
            yield Pattern(node.op, node.data, args[::-1])


class RuleSet:
    """Rules indexed by the operation and the operations of its arguments."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.compiled = [Compiled(rule) for rule in rules]
        self._candidates: dict[tuple[Primitive, ...], list[tuple[Compiled, Pattern]]] = {}

    def __call__(self, graph: Graph, op: Primitive, args: tuple[Node, ...]) -> Rewritten | None:
        key = (op, *[a.op for a in args])
        candidates = self._candidates.get(key)
        if candidates is None:
            candidates = self._candidates[key] = self._find(op, args)
        for compiled, variant in candidates:
            better = compiled.apply(graph, variant, args)
            if better is not None:
                return Rewritten(better, compiled.rule.name)
        return None

    def _find(self, op: Primitive, args: Sequence[Node]) -> list[tuple[Compiled, Pattern]]:
        return [(c, v) for c in self.compiled for v in c.variants if v.accepts(op, args)]

"""The matcher: laws as rows of text, tried where a node is about to be made.

Which laws could fit an operation on given kinds of arguments is found once; each is then tried by
a small Python function generated from its pattern.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import accumulate, product
from typing import Any, NamedTuple

from .graph import CONSTANT, INPUT, NEGATIVE, SUBTRACT, Graph, Node, Rule, Step
from .laws.remainder import Given, Proportion
from .parser import parse
from .partials import Builder, builder, function
from .primitives import BY_NAME, Primitive
from .primitives.ieee import Number

CONSTANTS = ("m", "n")  # names that stand for constants
RATIOS = ("r", "k")  # names of what one node is times another; `k` stands only for a constant
# Laws in replacements of laws, as of the logarithm of a tower of powers: beyond so many, they stop
# where the next of these blocks of nodes begins, so that all that go down a tower stop there alike.
DEEP, BLOCK = 8, 64


@dataclass(frozen=True)
class Law:
    """`pattern -> replacement`, both in the language.

    Of a difference, a law that is not exact holds also the other way round, with the other sign.
    A name stands for any node; `m` and `n` only for constants.  A repeated name stands for the
    same node.  `when` restricts the constants.  `exact` rules hold for every IEEE input, up to the
    sign of a zero; the others only to rounding, or where the pattern is finite.  `given` names
    what remains of a sum in which terms cancel, as `"d = x - y"`; the law holds only if they do.
    With `"r = x/y"` it holds if one is a constant times the other, or both have a factor in common;
    with `"k = x/y"` only for a constant.
    `holds` is the condition under which the two sides agree, if that is not everywhere.  In the
    replacement `out` is the pattern as it was written.  A law that would compute anew what is there
    is for the program `alone`, not for its derivatives, and not for what has a name.  `variable` is
    a name that stands for no constant.
    """

    pattern: str
    replacement: str
    exact: bool = True
    when: Callable[..., bool] | None = None
    why: str = ""
    given: str = ""
    holds: str = ""
    alone: bool = False
    variable: str = ""

    @property
    def name(self) -> str:
        """How reports call the law."""
        given = f" with {self.given}" if self.given else ""
        return f"{self.pattern} -> {self.replacement}{given}"

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the pattern, in alphabetical order."""
        words = set(re.findall(r"[a-z]\w*", self.pattern)) - {"and", "or", "not"}
        return tuple(sorted(word for word in words if word not in BY_NAME))

    @cached_property
    def variants(self) -> tuple[Pattern, ...]:
        """The pattern in every order of commutative operands."""
        pattern = parse(self.pattern, inputs=self.names, constants=True)[1]
        return tuple(dict.fromkeys(_variants(pattern)))

    @cached_property
    def mirrors(self) -> tuple[Pattern, ...]:
        """Differences the other way round, which are minus the replacement; none of exact laws."""
        differences = (v for v in self.variants if v.op is SUBTRACT and not self.exact)
        return tuple(v._replace(args=v.args[::-1]) for v in differences)

    @property
    def mirror_name(self) -> str:
        """How reports call the law of a difference the other way round."""
        depths = accumulate((c == "(") - (c == ")") for c in self.pattern)
        minus = [k for k, d in enumerate(depths) if d == 0 and self.pattern.startswith(" - ", k)]
        left, right = self.pattern[: minus[-1]], self.pattern[minus[-1] + 3 :]
        sign = "minus " if " " in self.replacement else "-"
        mirror = replace(self, pattern=f"{right} - {left}", replacement=sign + self.replacement)
        return mirror.name

    @cached_property
    def build(self) -> Builder:
        """Makes the replacement from nodes for `names`, and for what is given."""
        return builder(self.replacement, (*self.names, *self.extra), CONSTANTS)

    @cached_property
    def extra(self) -> tuple[str, ...]:
        """What the replacement knows beside the pattern's names: what is given, and `out`."""
        given = (self.cancelled.name,) if self.cancelled else ()
        return (*given, "out") if re.search(r"\bout\b", self.replacement) else given

    @cached_property
    def cancelled(self) -> Given | Proportion | None:
        """Makes what is given, from nodes for `names`."""
        if self.is_relative:
            return Proportion(self.given, self.names, self.given.startswith("k"))
        return Given(self.given, self.names) if self.given else None

    @property
    def is_relative(self) -> bool:
        """Whether what is given is what one node is times another."""
        return self.given.partition(" ")[0] in RATIOS


class Pattern(NamedTuple):
    """A pattern node: a name to bind, a constant, or an operation on patterns."""

    op: Primitive | None
    data: str | Number | None
    args: tuple[Pattern, ...]

    def head(self) -> Primitive | None:
        """What the node's operation must be; `None` for any."""
        return CONSTANT if self.op is None and self.data in CONSTANTS else self.op

    def form(self) -> tuple[Any, ...]:
        """The pattern with its names numbered as they occur: the same of what differs in names."""
        names: dict[str, int] = {}
        return self._form(names)

    def _form(self, names: dict[str, int]) -> tuple[Any, ...]:
        if self.op is None and self.data not in CONSTANTS:
            return (names.setdefault(str(self.data), len(names)),)
        return (self.op, self.data, *(a._form(names) for a in self.args))

    def accepts(self, heads: Sequence[Primitive]) -> bool:
        """Whether the operation could match on arguments made by `heads`."""
        return all(p.head() in (None, h) for p, h in zip(self.args, heads, strict=True))


def _variants(node: Node) -> Iterator[Pattern]:
    if node.op is INPUT:
        yield Pattern(None, node.data, ())
        return
    for args in product(*[list(_variants(a)) for a in node.args]):
        yield Pattern(node.op, node.data, args)
        if node.op.commutative:
            yield Pattern(node.op, node.data, args[::-1])


class LawPass:
    """Laws, as a local pass: the rules for an operation on arguments made by `heads`."""

    def __init__(self, name: str, laws: Sequence[Law]) -> None:
        self.name, self.laws = name, laws

    @cached_property
    def _variants(self) -> Mapping[Primitive | None, Sequence[tuple[Law, Pattern]]]:
        """The laws about each operation, in each order of their operands, and their mirrors."""
        found: dict[Primitive | None, list[tuple[Law, Pattern]]] = {}
        written = {variant.form() for law in self.laws for variant in law.variants}
        for law in self.laws:
            mirrors = (m for m in law.mirrors if m.form() not in written)
            for variant in (*law.variants, *mirrors):
                found.setdefault(variant.op, []).append((law, variant))
        return found

    def __call__(self, op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
        """The rules, each for one order of the operands of a law."""
        for law, variant in self._variants.get(op, ()):
            if variant.accepts(heads):
                name = law.mirror_name if variant in law.mirrors else law.name
                yield Rule((self.name, name), _step(law, variant))


@cache
def _step(law: Law, variant: Pattern) -> Step:
    """A function generated for one order of a law's operands: its conditions, then its builder."""
    pool: dict[str, Any] = {"make": law.build, "when": law.when, "given": law.cancelled}
    operands = {f"a{k}": pattern for k, pattern in enumerate(variant.args)}
    bound: dict[str, str] = {}
    tests = _conditions(law, operands, bound, pool)
    nodes = ", ".join(["graph", *(bound[n] for n in law.names)])
    if law.given:
        tests.append(f"(rest := given({nodes}))")
        nodes += ", rest"
    is_mirror, out = variant in law.mirrors, "None"
    if "out" in law.extra:
        pool["row"] = variant.op
        written = ", ".join(["row", *(reversed(operands) if is_mirror else operands)])
        out = f"graph.intern({written})"
        nodes += f", {out}"
    made = f"make({nodes})"
    if is_mirror:
        pool["minus"] = _minus
        made = f"minus(graph, {made}, {out})"
    return function(
        [
            f"def build({', '.join(['graph', *operands])}):",
            f"    if {' and '.join(tests)}:",
            "        outer = graph.depth, graph.block",
            f"        graph.depth, graph.block = graph.depth + 1, a0.index//{BLOCK}",
            "        try:",
            f"            return {made}",
            "        finally:",
            "            graph.depth, graph.block = outer",
            "    return None",
        ],
        pool,
    )


def _minus(graph: Graph, node: Node, out: Node | None) -> Node | None:
    """Minus a replacement, unless that is the pattern again: minus that matches it."""
    return None if node is out else graph.apply(NEGATIVE, node)


def _conditions(
    law: Law, operands: Mapping[str, Pattern], bound: dict[str, str], pool: dict[str, Any]
) -> list[str]:
    """What has to hold of the operands, but for what is given; binds the names of the pattern."""
    tests = [t for path, p in operands.items() for t in _tests(p, path, bound, pool)]
    tests.append(f"(graph.depth < {DEEP} or a0.index//{BLOCK} == graph.block)")
    if law.alone:
        inner = (n for path, p in operands.items() for n in _operations(p, path))
        tests = ["graph.is_program", *tests, *(f"{n} not in graph.names" for n in inner)]
    if law.variable:
        pool["constant"] = CONSTANT
        tests.append(f"{bound[law.variable]}.op is not constant")
    if law.when:
        constants = ", ".join(f"{n}={bound[n]}.data" for n in law.names if n in CONSTANTS)
        tests.append(f"when({constants})")
    return tests


def _tests(
    pattern: Pattern, path: str, bound: dict[str, str], pool: dict[str, Any]
) -> Iterator[str]:
    """Conditions under which the node at `path` fits; names are bound to paths on the way."""
    head = pattern.head()
    if head is not None and "[" in path:
        name = f"op{len(pool)}"
        pool[name] = head
        yield f"{path}.op is {name}"
    if pattern.op is CONSTANT:
        yield f"{path}.data == {pattern.data!r}"
    elif pattern.op is None:
        known = bound.setdefault(str(pattern.data), path)
        if known != path:
            yield f"{known} is {path}"
    for k, argument in enumerate(pattern.args):
        yield from _tests(argument, f"{path}.args[{k}]", bound, pool)


def _operations(pattern: Pattern, path: str) -> Iterator[str]:
    """The paths of the operations that a pattern takes apart."""
    if pattern.args:
        yield path
    for k, argument in enumerate(pattern.args):
        yield from _operations(argument, f"{path}.args[{k}]")

"""Plain Python that computes in a branch what only that branch needs.

A node belongs to the innermost branch that all of its users are in.  Choices by one condition share
an `if`, unless something between them depends on the first and is needed by the next.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import NamedTuple

from ..graph import AND, CONSTANT, INPUT, WHERE, Node
from ..primitives import lookup
from ..primitives.arithmetic import COMPARISON
from .base import NAME, Schedule, Text
from .choices import DEEPEST

INDENT = "    "
ORDER = frozenset(map(lookup, ("less", "less_equal")))


class Branch:
    """Where a condition holds, or does not, inside another branch."""

    __slots__ = ("condition", "depth", "holds", "inner", "outer")

    def __init__(
        self, outer: Branch | None = None, condition: Node | None = None, holds: bool = True
    ) -> None:
        self.outer, self.condition, self.holds = outer, condition, holds
        self.depth: int = outer.depth + 1 if outer else 0
        self.inner: dict[tuple[Node, bool], Branch] = {}

    def of(self, condition: Node, holds: bool) -> Branch:
        """The branch for a condition in this one: itself, if that is known or it is the deepest."""
        if self.depth == DEEPEST or self.known(condition) is holds:
            return self
        return self.inner.setdefault((condition, holds), Branch(self, condition, holds))

    def known(self, condition: Node) -> bool | None:
        """Whether a condition holds everywhere in this branch, or nowhere."""
        branch: Branch | None = self
        while branch is not None and branch.condition is not condition:
            branch = branch.outer
        return branch.holds if branch is not None else None


def common(first: Branch, second: Branch) -> Branch:
    """The innermost branch that both are in."""
    while first is not second:
        if first.depth < second.depth:
            first, second = second, first
        assert first.outer is not None
        first = first.outer
    return first


def read(node: Node, branch: Branch) -> Sequence[Node]:
    """What a node in a branch is computed from: one side of a choice that is made already."""
    holds = branch.known(node.args[0]) if node.op is WHERE else None
    return node.args if holds is None else [node.args[1 if holds else 2]]


def branches(nodes: Sequence[Node], uses: Mapping[Node, int], whole: Branch) -> dict[Node, Branch]:
    """The branch of each node, but of those that only sides need which are never taken.

    Outputs, and what nothing needs, are in none but the whole.
    """
    found: dict[Node, Branch] = {}
    users = Counter(chain.from_iterable(n.args for n in nodes))
    for node in reversed(nodes):
        if uses[node] > users[node] or not uses[node]:
            found[node] = whole
        own = found.get(node)
        arguments = read(node, own) if own else ()
        places = [own] * len(arguments)
        if own and len(arguments) == len(node.args) and node.op is WHERE:
            places[1:] = own.of(node.args[0], True), own.of(node.args[0], False)
        for argument, place in zip(arguments, places, strict=True):
            assert place is not None
            found[argument] = common(found.get(argument, place), place)
    return found


class Choice(NamedTuple):
    """An `if` statement: its condition, and the lines of its branches."""

    condition: str
    yes: list[Line]
    no: list[Line]

    def lines(self, indent: str, word: str = "if") -> Iterator[str]:
        """The text, with `elif` where the second branch is an `if` alone."""
        yield f"{indent}{word} {self.condition}:"
        yield from written(self.yes, indent + INDENT)
        other = self.no[0]
        if len(self.no) == 1 and isinstance(other, Choice):
            yield from other.lines(indent, "elif")
        else:
            yield f"{indent}else:"
            yield from written(self.no, indent + INDENT)


Line = tuple[str, str] | Choice  # a name and its expression, or a choice


def written(lines: Iterable[Line], indent: str) -> Iterator[str]:
    """The text of lines."""
    for line in lines:
        if isinstance(line, Choice):
            yield from line.lines(indent)
        else:
            yield f"{indent}{line[0]} = {line[1]}"


Group = tuple[Branch, Node]  # choices in a branch by one condition


def _is_plain(condition: Node) -> bool:
    """Whether a condition compares nothing but inputs and constants."""
    return all(argument.op in (INPUT, CONSTANT) for argument in condition.args)


class BranchSchedule(Schedule):
    """A program of numbers in which choices are made.

    A choice waits until something needs it, so that others by its condition can join it.
    """

    def _place_all(self) -> None:
        whole = Branch()
        self._branches = branches(self.nodes, self.uses, whole)
        self._waiting: dict[Group, list[Node]] = {}
        self._group: dict[Node, Group] = {}  # of what waits
        self._inside: dict[Group, set[Node]] = {}  # what waiting choices compute in branches
        self._followed: dict[Node, Node] = {}  # what chooses a choice, and nothing else does
        self._given_names: dict[Node, str] = {}
        self._lines: list[Line] = []
        self._later: dict[Group, list[Node]] = {}  # all choices, the last one first
        for node in reversed(self.nodes):
            if node.op is WHERE and node in self._branches:
                group = self._branches[node], node.args[0]
                self._later.setdefault(group, []).append(node)
        for (_, condition), choices in self._later.items():
            if len(choices) == self.uses[condition] and _is_plain(condition):
                self.uses[condition] = 1  # an `if` says it as well as a name would
        for node in self.nodes:
            if node.op is CONSTANT:
                self._place(node)
        self._fill(whole, [n for n in self.nodes if self._branches.get(n) is whole])

    def lines(self, indent: str) -> Iterator[str]:
        return written(self._lines, indent)

    def _write(self, node: Node) -> Text:
        return self._chained(node) or super()._write(node)

    def _chained(self, node: Node) -> Text | None:
        """`x < y and y < z` as `x < y < z`, for a name y."""
        if node.op is not AND or not all(part.op in ORDER for part in node.args):
            return None
        first, second = node.args
        if first.args[1] is not second.args[0]:
            return None
        texts = [self._texts[n] for n in (first, first.args[1], second)]
        if [t.precedence for t in texts] != [COMPARISON, NAME, COMPARISON]:
            return None
        name = texts[1].text
        text = texts[0].text + texts[2].text.removeprefix(name)
        return Text(text, COMPARISON) if len(text) <= self.inline else None

    def _assign(self, node: Node) -> None:
        super()._assign(node)
        self._lines.append(self.statements[-1])

    def _fill(self, branch: Branch, nodes: Iterable[Node]) -> None:
        """The lines of a branch, which computes `nodes`."""
        for node in nodes:
            if node not in self._texts:
                operands = read(node, branch)
                self._decide_all(operands)
                if node.op is WHERE and len(operands) == 1:
                    self._pass_on(node, *operands)
                elif node.op is WHERE and branch.depth < DEEPEST:
                    self._wait(node, (branch, node.args[0]))
                else:
                    self._place(node)
        for group in [g for g in self._waiting if g[0] is branch]:
            self._decide(group)

    def _pass_on(self, node: Node, chosen: Node) -> None:
        """Let what is chosen stand for a choice that is made already."""
        self._texts[node] = self._texts[chosen]
        if self.uses[node] > 1 and self._texts[node].precedence < NAME:
            self._assign(node)

    def _decide_all(self, nodes: Iterable[Node]) -> None:
        """Make those choices that wait."""
        for node in nodes:
            if node in self._group:
                self._decide(self._group[node])

    def _wait(self, node: Node, group: Group) -> None:
        """Let a choice wait, after those that what it computes in its branches depends on."""
        before, inside = self._needed(node, group)
        self._decide_all(before)
        self._join(node, group, inside)
        self._group[node] = group

    def _join(self, node: Node, group: Group, inside: set[Node]) -> None:
        self._waiting.setdefault(group, []).append(node)
        self._inside.setdefault(group, set()).update(inside)

    def _needed(self, node: Node, group: Group) -> tuple[list[Node], set[Node]]:
        """What a choice needs that is not written yet: before it, and inside its branches."""
        before, inside = list[Node](), set[Node]()
        known, pending = self._inside.get(group, inside), [*node.args]
        for argument in pending:  # which grows
            if argument in self._texts or argument in known or argument in inside:
                continue
            if self._branches[argument].depth > group[0].depth:
                inside.add(argument)
                pending += read(argument, self._branches[argument])
            else:
                before.append(argument)
        return before, inside

    def _invite(self, group: Group) -> None:
        """Let those choices join that come later, but need nothing that does."""
        later = self._later[group]
        while later:
            node = later[-1]
            if node not in self._texts and node not in self._group:
                before, inside = self._needed(node, group)
                if before:
                    return
                self._join(node, group, inside)
            later.pop()

    def _decide(self, group: Group) -> None:
        """Write choices by one condition: as expressions, or as an `if` if those are too long."""
        branch, condition = group
        self._invite(group)
        choices, inside = self._waiting.pop(group), self._inside.pop(group)
        for node in choices:
            self._group.pop(node, None)
            self._followed |= {a: node for a in node.args[1:] if self._is_passed_on(a)}
        yes, no = (self._branch(branch.of(condition, holds), inside) for holds in (True, False))
        if not (yes or no) and all(map(self._fits, choices)):
            for node in choices:
                self._place(node)
            return
        names = [self._called(node) for node in choices]
        for lines, k in ((yes, 1), (no, 2)):
            texts = [self.text(node.args[k]) for node in choices]
            lines += [(n, t) for n, t in zip(names, texts, strict=True) if n != t]
        self._lines.append(Choice(self.text(condition), yes, no))
        self.named |= zip(names, choices, strict=True)
        self._texts |= {node: Text(name, NAME) for node, name in zip(choices, names, strict=True)}

    def _branch(self, branch: Branch, inside: Iterable[Node]) -> list[Line]:
        """The lines of a branch that computes some of `inside`."""
        outside, self._lines = self._lines, []
        self.inline -= len(INDENT)
        nodes = (node for node in inside if self._branches[node] is branch)
        self._fill(branch, sorted(nodes, key=attrgetter("index")))
        self.inline += len(INDENT)
        lines, self._lines = self._lines, outside
        return lines

    def _is_passed_on(self, node: Node) -> bool:
        """Whether a value without a name of the user's is only there to be chosen."""
        return self.uses[node] == 1 and node not in self.program.graph.names

    def _fits(self, node: Node) -> bool:
        """Whether an expression for a choice fits into a line."""
        texts = [self.text(argument) for argument in node.args]
        return sum(map(len, texts)) + len("() if () else ()") <= self._room(node)

    def _called(self, node: Node) -> str:
        """A name for a node: that of the choice that only passes it on, if there is one."""
        while node in self._followed:
            node = self._followed[node]
        if node not in self._given_names:
            self._given_names[node] = super()._called(node)
        return self._given_names[node]

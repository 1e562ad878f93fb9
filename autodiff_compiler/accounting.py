"""What a program costs before it runs, counted on the statements that are generated for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from .backends.arrays import ArraySpeller
from .backends.base import Expressions, Schedule, Speller
from .backends.module import numpy_schedule, python_schedule
from .backends.python import PythonSpeller
from .backends.style import Style
from .cost import FORWARD, REVERSE, Cost, Part, Quantity, Row
from .counts import Count, count, total
from .derivatives import Program
from .errors import nearest
from .graph import Node
from .liveness import buffers, executed, peak, storage
from .options import distinct, whole_number
from .shapes import Extent, Polynomial, extent_names, size_of, terms_of

ONE = count(1)


def operations(node: Node) -> Count:
    """The floating-point operations of one node."""
    if node.op.work is None:
        return count(1, *node.shape) if node.shape else ONE
    return node.op.work(node.data, node.shape, *(a.shape for a in node.args))


class _Accountant:
    """Counts what one schedule takes."""

    def __init__(self, schedule: Schedule, extents: Mapping[str, int]) -> None:
        self.schedule, self.extents = schedule, extents
        self.program = schedule.program
        self.names = {node: name for name, node in schedule.named.items()}
        self.quantities: dict[Count, Quantity] = {}
        self.order = [n for n in executed(schedule) if n.args or n.shape]
        self.text = Expressions(_speller(self.program), self.symbol)

    def quantity(self, amount: Count) -> Quantity:
        found = self.quantities.get(amount)
        if found is None:
            known = amount.names <= self.extents.keys()
            found = Quantity(amount, amount.at(self.extents) if known else None)
            self.quantities[amount] = found
        return found

    def symbol(self, node: Node) -> str | None:
        """What the code calls a node, or else the trace."""
        known = self.schedule.parameters.get(node) or self.names.get(node)
        return known or self.program.graph.label(node)

    def row(self, node: Node) -> Row:
        amount = self.quantity(operations(node))
        return Row(self.symbol(node) or "", self.text.operation(node), node.shape, amount)

    def memory(self, held: bool) -> Quantity:
        return self.quantity(peak(buffers(self.schedule, self.order, held), self.extents))

    def kept(self) -> list[Node]:
        """What the adjoints use of the values' own memory, in reverse mode."""
        if self.program.kind not in REVERSE:
            return []
        assert isinstance(self.program.outputs, tuple)
        first = Program("value", self.program.graph, (), self.program.outputs[0])
        values = set(self.program.graph.ancestors(first.leaves()))
        used = {a for n in self.order if n not in values for a in n.args if a in values}
        roots = storage(self.order)
        kept = {roots[n] for n in used if n in roots}
        return [n for n in self.order if n in kept]

    def outgrown(self) -> list[Node]:
        """Results that no input or output is as large as."""
        ends = [*self.program.arguments(), *self.program.leaves()]
        sizes = [size_of(n.shape) for n in ends]
        made = (n for n in self.order if n.shape and not n.is_view)
        return [n for n in made if _outgrows(size_of(n.shape), sizes)]

    def part(self, passes: Count | None) -> Part:
        kept = self.kept()
        return Part(
            self.program.kind,
            tuple(map(self.row, self.order)),
            self.quantity(total(map(operations, self.order))),
            self.memory(True),
            self.memory(False),
            None if passes is None else self.quantity(passes),
            tuple(map(self.row, kept)),
            self.quantity(total(count(1, *n.shape) for n in kept)),
            tuple(map(self.row, self.outgrown())),
        )


def _speller(program: Program) -> Speller:
    """How the code's operations are written."""
    return ArraySpeller() if program.graph.has_arrays else PythonSpeller(ieee=False)


def _outgrows(size: Extent, others: Sequence[Extent]) -> bool:
    """Whether some term of a size is no part of any term of the others; of numbers, the larger."""
    if not any(isinstance(other, Polynomial) for other in (size, *others)):
        return all(size > other for other in others)  # type: ignore[operator]
    terms = [m for other in others for m in terms_of(other)]
    return not all(any(_divides(m, term) for term in terms) for m in terms_of(size))


def _divides(monomial: Sequence[Any], term: Sequence[Any]) -> bool:
    return all(monomial.count(factor) <= term.count(factor) for factor in monomial)


class Subject(NamedTuple):
    """What is to be counted: the program of each kind, and how it is written."""

    output: Node
    wrt: Sequence[Node]
    program: Callable[[str], Program]
    style: Style

    def schedule(self, kind: str) -> Schedule:
        """The program of a kind as its code runs it."""
        program = self.program(kind)
        of_its_kind = numpy_schedule if program.graph.has_arrays else python_schedule
        return of_its_kind(program, style=self.style)

    def kinds(self) -> tuple[str, ...]:
        """The value, and one pass of each mode."""
        reverse = "vjp" if self.output.shape else "value_and_gradient"
        return ("value", "jvp", reverse) if self.wrt else ("value",)

    def passes(self, kind: str) -> Count | None:
        """How many calls of a kind all partials take."""
        if kind in FORWARD:
            return total(count(1, *x.shape) for x in self.wrt)
        shape = self.output.shape if kind == "vjp" else ()
        return count(1, *shape) if kind in REVERSE else None


def cost(subject: Subject, kinds: Sequence[str], extents: Mapping[str, Any]) -> Cost:
    """The cost of functions of some kinds; see `Function.cost`."""
    nodes = (subject.output, *subject.wrt)
    schedules = [subject.schedule(kind) for kind in distinct(kinds or subject.kinds())]
    given = (n for schedule in schedules for n in schedule.parameters)
    known = {name for n in (*nodes, *given) for name in extent_names(n.shape)}
    found = {name: _extent(name, value, known) for name, value in extents.items()}
    parts = (_Accountant(s, found).part(subject.passes(s.program.kind)) for s in schedules)
    return Cost([*parts], found)


def _extent(name: str, value: object, known: set[str]) -> int:
    if name not in known:
        close, listed = nearest(name, known), ", ".join(sorted(known)) or "none"
        hint = f"did you mean {close}?" if close else f"those are: {listed}"
        raise TypeError(f"{name} is not an extent of this formula; {hint}")
    return whole_number(name, value, 0)

"""A standalone module: generated functions, what they import, and the helpers they call."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import attrgetter

from ..backends import apart, arrayhelpers, arrays, blocks, numpy, patterns, python
from ..derivatives import Program
from ..graph import WHERE, free
from ..primitives import BY_NAME, lookup
from ..primitives.ieee import can_raise, helper
from ..singular import by_poles
from .base import HERE, Import, Schedule
from .blocks import BlockSchedule
from .branches import BranchSchedule
from .choices import nested
from .hoisting import hoisted
from .imports import imports
from .lowering import lower
from .numbers import NumberSchedule
from .patterns import Pattern, PatternSchedule, spanning
from .sharing import shared
from .style import PLAIN, RESERVED, Style
from .text import docstring

SUMMARIES: Mapping[str, str] = {
    "value": "The value.",
    "gradient": "The gradient by {wrt}.",
    "value_and_gradient": "The value, and its gradient by {wrt}.",
    "jacobian": "The Jacobian: for each of {wrt}, the partials of every output.",
    "jvp": "The value, and its derivative along tangents of {wrt}.",
    "vjp": "The value, and the adjoints of {wrt} for a cotangent of the value.",
    "hessian": "The Hessian: a row for each of {wrt}.",
    "hvp": "The Hessian by {wrt}, times a direction.",
}
EDGE_NOTE = "# Python raises at poles and overflows; from here on, IEEE 754 answers there."

Arrays = Pattern | Collection[str] | None  # what is known of the arguments that are arrays

MAX_DOC = 2_000  # characters of a source that a docstring repeats


def module(
    programs: Sequence[Program],
    target: str,
    source: str,
    wrt: Sequence[str],
    style: Style = PLAIN,
    pattern: Arrays = None,
) -> str:
    """The text of a module with one function for each program.

    `target` is `"python"` (scalars, `math`) or `"numpy"` (arrays that broadcast).  `pattern` gives
    the axes that each argument spans, or the names of inputs that are arrays of one shape.
    """
    writer = TARGETS[target](wrt, style, pattern)
    for program in programs:
        writer.add(program)
    blocks = writer.blocks()
    head = "\n".join([*docstring(_title(source)), "", *imports(writer.imports)]).rstrip()
    return "\n\n\n".join([head, *blocks]) + "\n"


def _title(source: str) -> list[str]:
    text = source.strip()
    if len(text) > MAX_DOC:
        text = text[:MAX_DOC] + " ..."
    lines = text.splitlines() or [""]
    return ["Compiled from the formula", "", *(f"    {line}" for line in lines), ""]


def summary(kind: str, wrt: Sequence[str]) -> str:
    """One line on what a function of a kind returns."""
    names = ", ".join(wrt[:6]) + (f" and {len(wrt) - 6} more" if len(wrt) > 6 else "")
    return SUMMARIES[kind].format(wrt=names)


class Writer(ABC):
    """Functions of one target, collected into a module."""

    def __init__(self, wrt: Sequence[str], style: Style, pattern: Arrays) -> None:
        self.wrt, self.style, self.pattern = wrt, style, pattern
        self.imports: set[Import] = set()
        self.functions: list[str] = []
        self.helpers: set[Import] = set()

    @abstractmethod
    def add(self, program: Program) -> None: ...

    @abstractmethod
    def blocks(self) -> list[str]: ...

    @abstractmethod
    def fixed_helper(self, name: str) -> tuple[str, frozenset[Import]]:
        """The text of a helper that is made from no definition, and what it needs."""

    @abstractmethod
    def schedule(self, program: Program) -> Schedule:
        """A program for numbers, or arrays that broadcast, in code that never raises."""

    def helper_texts(self) -> list[str]:
        """The helpers that functions call, and those that these call."""
        texts: dict[str, str] = {}
        pending = sorted({i.name for i in self.helpers})
        for name in pending:  # which grows
            texts[name], needed = self.helper(name)
            self.imports |= {i for i in needed if i.module != HERE}
            called = {i.name for i in needed if i.module == HERE}
            pending += sorted(called.difference(pending))
        return [text for _, text in sorted(texts.items()) if text]

    def helper(self, name: str) -> tuple[str, frozenset[Import]]:
        """The text of a helper, and what it needs."""
        row = BY_NAME.get(name[1:])
        if row is None or not (row.apart or row.series):
            return self.fixed_helper(name)
        schedule = self.schedule(apart.definition(row))
        text = "\n".join(python.define(name, schedule, apart.doc(row)))
        return text, frozenset(schedule.imports)

    def collect(self, lines: Iterable[str], schedule: Schedule) -> str:
        """The lines as text; what the schedule needs is imported, or defined here."""
        text = "\n".join(lines)
        self.imports |= {i for i in schedule.imports if i.module != HERE}
        self.helpers |= {i for i in schedule.imports if i.module == HERE}
        return text

    def aliases(self) -> list[str]:
        """Helpers under the further names that miss a user's parameter."""
        renamed = sorted(f"{i.local} = {i.name}" for i in self.helpers if i.local != i.name)
        return ["\n".join(renamed)] if renamed else []


class PythonWriter(Writer):
    """Scalar functions: the plain one, and the one that answers where it raises."""

    def __init__(self, wrt: Sequence[str], style: Style, pattern: Arrays) -> None:
        super().__init__(wrt, style, pattern)
        self.edges: list[str] = []

    def add(self, program: Program) -> None:
        schedule = python_schedule(program, style=self.style)
        doc, raising = [summary(program.kind, self.wrt)], raises(schedule)
        if not raising:
            lines = python.define(program.kind, schedule, doc)
            self.functions.append(self.collect(lines, schedule))
            return
        edge = schedule.claim(f"{program.kind}_ieee")
        lines = python.define(program.kind, schedule, doc, edge)
        self.functions.append(self.collect(lines, schedule))
        program = program.at_poles() if program.at_poles else program
        quiet = python_schedule(program, True, self.style)
        lines = python.define(edge, quiet, [f"As `{program.kind}`, where Python raises."])
        self.edges.append(self.collect(lines, quiet))

    def blocks(self) -> list[str]:
        tail = [*self.helper_texts(), *self.aliases(), *self.edges]
        if tail:
            tail[0] = f"{EDGE_NOTE}\n\n\n{tail[0]}"
        return [*self.functions, *tail]

    def fixed_helper(self, name: str) -> tuple[str, frozenset[Import]]:
        row = lookup(name[1:])
        return "\n".join(helper(row)), python.helper_imports(row)

    def schedule(self, program: Program) -> Schedule:
        return python_schedule(program, True, self.style)


class NumpyWriter(Writer):
    """Functions of arrays."""

    def add(self, program: Program) -> None:
        self.imports.add(numpy.NUMPY)
        doc = [summary(program.kind, self.wrt)]
        pattern = spanning(program, self.wrt, self.pattern) if self.pattern else None
        program, other = by_poles(program)
        if other is None:
            self._define(program.kind, program, doc, pattern, self.style)
            return
        taken = {node.data for node in program.arguments()}
        fast, slow = (free(f"_{program.kind}{s}", taken) for s in ("", "_at_poles"))
        style = self.style._replace(raising=numpy.raising(program))
        schedule = self._define(
            fast, program, ["Where nothing is divided by 0, and nothing overflows."], pattern, style
        )
        self._define(slow, other, ["Also where something is."], pattern, self.style)
        lines = numpy.choose(program.kind, schedule, doc, fast, slow)
        self.functions.append(self.collect(lines, schedule))

    def _define(
        self,
        name: str,
        program: Program,
        doc: Sequence[str],
        pattern: Pattern | None,
        style: Style,
    ) -> Schedule:
        """A function under a name, added to the others."""
        schedule = numpy_schedule(program, style, pattern)
        if isinstance(schedule, PatternSchedule):
            lines = patterns.define(name, schedule, doc, style)
        elif program.graph.has_arrays:
            lines = arrays.define(name, schedule, doc, style)
        else:
            lines = numpy.define(name, schedule, doc, style)
        self.functions.append(self.collect(lines, schedule))
        return schedule

    def blocks(self) -> list[str]:
        return [*self.helper_texts(), *self.aliases(), *self.functions]

    def fixed_helper(self, name: str) -> tuple[str, frozenset[Import]]:
        texts = numpy.HELPERS | arrayhelpers.HELPERS | blocks.helpers(self.style)
        return texts[name], frozenset()

    def schedule(self, program: Program) -> Schedule:
        return numpy_schedule(program, self.style)


def helper_module(name: str) -> str:
    """The text of a module with a helper for numbers, and what it calls."""
    writer = PythonWriter((), PLAIN, None)
    writer.helpers.add(Import(HERE, name, name))
    helpers = writer.helper_texts()
    return "\n\n\n".join(["\n".join(imports(writer.imports)), *helpers]) + "\n"


TARGETS: Mapping[str, Callable[[Sequence[str], Style, Arrays], Writer]] = {
    "python": PythonWriter,
    "numpy": NumpyWriter,
}


def python_schedule(program: Program, ieee: bool = False, style: Style = PLAIN) -> Schedule:
    """The program scheduled for plain Python."""
    kind, speller = Schedule, python.PythonSpeller(ieee)
    lowered = lower(program, python.supports, style.prune)
    if WHERE in lowered.graph.heads:
        kind, lowered = BranchSchedule, nested(lowered)
    return kind(lowered, speller, RESERVED, style.prune)


def numpy_schedule(
    program: Program, style: Style = PLAIN, pattern: Pattern | None = None
) -> Schedule:
    """The program scheduled for NumPy; `pattern` gives the axes that each argument spans."""
    if program.graph.has_arrays:
        lowered = shared(lower(program, arrays.supports, style.prune))
        speller = arrays.ArraySpeller()
        if not style.blocks:
            return NumberSchedule(lowered, speller, RESERVED)
        lowered = hoisted(lowered, lambda node: not node.shape)
        return BlockSchedule(lowered, speller, style, attrgetter("shape"))
    lowered = lower(program, numpy.supports, style.prune)
    if pattern is not None and style.blocks:
        schedule = PatternSchedule(lowered, numpy.NumpySpeller(), style, pattern)
        if schedule.functions:
            return schedule
    return Schedule(lowered, numpy.NumpySpeller(), RESERVED, style.prune)


def raises(schedule: Schedule) -> bool:
    """Whether Python could raise in the schedule's code."""
    return any(can_raise(n.op) and not python.divides_safely(n) for n in schedule.nodes)

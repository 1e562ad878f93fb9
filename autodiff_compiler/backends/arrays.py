"""NumPy for programs of whole arrays: every shape is known, so nothing is filled up or guessed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from ..derivatives import Program, Tree
from ..errors import ExpressionError
from ..graph import INPUT, STACK, Node, differentiable
from ..primitives import ARRAYS, ArrayPrimitive, Primitive
from ..primitives.arithmetic import POWER
from ..primitives.linear import counts
from ..shapes import Extent, Polynomial, Shape, inverted, plain, size_of
from .arrayhelpers import NEEDS, PART
from .base import ATOM, HERE, NAME, Import, Schedule, Spelling, tuple_of
from .blocks import BlockSchedule
from .memory import Buffers, freed
from .numpy import NUMPY, NumpySpeller, errors, numbers, outputs_text
from .numpy import supports as has_ufunc
from .precision import common_type, doubles
from .python import signature
from .regions import is_dot
from .style import Style
from .text import docstring, wrap


class ArraySpeller(NumpySpeller):
    """NumPy, with operations on whole arrays."""

    def spell_node(self, node: Node, size: Callable[[Extent], str]) -> Spelling:
        """How a node that is an operation on arrays is written."""
        row = node.op
        if row is STACK:
            fields = ", ".join(f"{{{k}}}" for k in range(len(node.args)))
            of = ", float" if all(counts(a) for a in node.args) else ""
            return Spelling(
                f"np.array([{fields}]{of})", ATOM, (0,) * len(node.args), frozenset([NUMPY])
            )
        assert isinstance(row, ArrayPrimitive)
        assert row.spelling is not None
        if is_dot(node) and not _is_short(node.args[0].shape):
            return Spelling("_dot({0}, {1})", ATOM, (0, 0), frozenset(_imports("_dot(")))
        text = _whole_numbers(node, row.spelling(node, size))
        if row is ARRAYS["extent"]:
            return Spelling(
                text, NAME if isinstance(node.data, int) or text.isidentifier() else 0, ()
            )
        operands = tuple(_needed(text, k) for k in range(len(node.args)))
        return Spelling(text, row.precedence, operands, frozenset(_imports(text)))


def _is_short(shape: Shape) -> bool:
    """Whether BLAS may have a dot product of that many elements for itself."""
    size = size_of(shape)
    return isinstance(size, int) and size <= PART


def _whole_numbers(node: Node, text: str) -> str:
    """Positions, which are given as numbers like all others, as integers."""
    if node.op not in (ARRAYS["index"], ARRAYS["scatter"]):
        return text
    for k, argument in enumerate(node.args[1:], 1):
        field = f"{{{k}}}"
        text = text.replace(field, f"{field}.astype(int)" if argument.shape else f"int({field})")
    return text


def _needed(text: str, k: int) -> int:
    """The precedence that argument `k` must have in a template."""
    if text.count(f"{{{k}}}") > 1:
        return NAME
    after = re.search(rf"\{{{k}\}}(\.|\[)?", text)
    if after and after[1]:
        return ATOM
    return POWER + 1 if "@" in text else 0


def _imports(text: str) -> Iterator[Import]:
    if re.search(r"\bnp\.", text):
        yield NUMPY
    for name in re.findall(r"(?<![\w.])_\w+(?=\()", text):
        yield from (Import(HERE, n, n) for n in (name, *NEEDS.get(name, ())))


@cache
def supports(row: Primitive) -> bool:
    """Whether there is a spelling; the other rows are lowered."""
    return isinstance(row, ArrayPrimitive) or has_ufunc(row)


def define(name: str, schedule: Schedule, doc: Sequence[str], style: Style) -> Iterator[str]:
    """A function definition, whose arguments may have been checked before."""
    program = schedule.program
    parameters, unpack = signature(program, schedule)
    yield errors(style)
    yield from wrap(f"def {name}({parameters}):", "")
    yield from docstring(doc, "    ")
    for line in unpack:
        yield from wrap(line, "    ")
    if not style.checked:
        yield from _converted(program, schedule)
    outputs = _Outputs(schedule).write(program.outputs)
    for line in extents(schedule):
        yield f"    {line}"
    dead, buffers = freed(schedule, outputs), Buffers(schedule, outputs)
    functions = schedule.functions if isinstance(schedule, BlockSchedule) else {}
    for k, (target, text) in enumerate(schedule.statements):
        for line in functions.get(k, ()):
            yield from wrap(line, "    ") if line else ("",)
        for line in buffers.statements(target, text, k):
            yield from wrap(line, "    ")
        if dead[k]:
            yield f"    del {', '.join(dead[k])}"
    yield from wrap(f"return {outputs}", "    ")


def _converted(program: Program, schedule: Schedule) -> Iterator[str]:
    """The arguments as floats, and arrays as those of one type."""
    for names in _together(program, schedule):
        floats = schedule.require(Import(HERE, "_floats", "_floats"))
        text = ", ".join(names)
        yield from wrap(f"{tuple_of(text, len(names))} = {floats}({text})", "    ")
    yield from _numbers(program, schedule)


def _together(program: Program, schedule: Schedule) -> Iterator[list[str]]:
    """The arrays that have one floating-point type; positions have their own."""
    kept = set(differentiable(program.graph))
    arrays = [n for n in program.arguments() if n.shape]
    for values in (True, False):
        names = [schedule.parameters[n] for n in arrays if (n.data in kept) == values]
        if names:
            yield names


def _numbers(program: Program, schedule: Schedule) -> Iterator[str]:
    """The arguments without axes as floats."""
    kept, read = set(differentiable(program.graph)), set(schedule.nodes)
    found = [n for n in program.arguments() if not n.shape and n.data in kept and n in read]
    yield from numbers([schedule.parameters[n] for n in found], schedule)


def extents(schedule: Schedule) -> Iterator[str]:
    """The extents that the code names, each from the first array that has it."""
    wanted = dict(schedule.sizes)
    for node in schedule.program.arguments():
        names = [plain(extent) for extent in node.shape]
        here = [name if name in wanted else None for name in names]
        if not any(here):
            continue
        array = schedule.parameters[node]
        if all(here) and len(set(here)) == len(here):
            targets = [wanted.pop(n) for n in here if n]
            yield f"{', '.join(targets)}{',' * (len(targets) == 1)} = {array}.shape"
        else:
            for k, name in enumerate(here):
                if name in wanted:
                    yield f"{wanted.pop(name)} = {array}.shape[{k}]"
    yield from _computed(schedule, wanted)


def _computed(schedule: Schedule, wanted: Mapping[str, str]) -> Iterator[str]:
    """Extents that stand nowhere alone, each from a sum or multiple; raises `ExpressionError`."""
    for name, local in wanted.items():
        found = (_inverse(name, *given) for given in _lengths(schedule))
        text = next((t for t in found if t), None)
        if text is None:
            hint = f"give an input an axis of {name}"
            raise ExpressionError(f"no shape tells what {name} is", hint=hint)
        yield f"{local} = {text}"


def _lengths(schedule: Schedule) -> Iterator[tuple[Extent, str]]:
    """Every extent of an argument, and the text of its length."""
    for node in schedule.program.arguments():
        for k, extent in enumerate(node.shape):
            yield extent, f"{schedule.parameters[node]}.shape[{k}]"


def _inverse(name: str, extent: Extent, length: str) -> str | None:
    """The value of a name as text, if an extent is a multiple of it and a number more."""
    form = inverted(extent, name) if isinstance(extent, Polynomial) else None
    if form is None or not isinstance(form[1], int):
        return None
    count, rest = form[0], int(form[1])
    text = f"{length} {'-' if rest > 0 else '+'} {abs(rest)}" if rest else length
    return text if count == 1 else f"({text})//{count}" if rest else f"{text}//{count}"


class _Outputs:
    """The outputs as text: numbers as floats, and arrays that nothing else holds."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule, self._seen = schedule, set[Node]()
        self._doubles = doubles(schedule.nodes, True)
        arrays = {node: name for node, name in schedule.parameters.items() if node.shape}
        self._dtype = common_type(schedule.program.graph, arrays)

    def write(self, tree: Tree) -> str:
        return outputs_text(tree, self._leaf, self._schedule, self._dtype)

    def _leaf(self, node: Node) -> str:
        text = self._schedule.text(node)
        if not node.shape:
            number = self._schedule.require(Import("builtins", "float", "float"))
            return (
                text
                if not node.args and node.op is not INPUT and text[:1].isdigit()
                else f"{number}({text})"
            )
        if node in self._seen or node.op is INPUT or node.is_view:
            dtype = f", {self._dtype}" if node in self._doubles else ""
            return f"{self._schedule.require(NUMPY)}.array({text}{dtype})"
        self._seen.add(node)
        if node not in self._doubles:
            return text
        text = text if text.isidentifier() else f"({text})"
        return f"{text}.astype({self._dtype}, copy=False)"

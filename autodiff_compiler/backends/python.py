"""Plain Python: scalars, `math`, and IEEE's answer where Python would raise."""

from __future__ import annotations

import builtins
import math
import re
from collections.abc import Iterator, Sequence
from functools import cache, reduce
from operator import or_

from ..derivatives import Group, Program, Tree
from ..graph import Node
from ..primitives import Primitive
from ..primitives.arithmetic import PRODUCT, SIGN
from ..primitives.ieee import Number, can_raise, helper
from .base import (
    HERE,
    NAME,
    PYTHON_KEYWORDS,
    Import,
    Schedule,
    Spelling,
    Text,
    call,
    docstring,
    infix,
    layout,
    template,
    wrap,
)

EDGE = "_ieee"  # suffix of what answers where Python raises
ARRAY = Import("numpy", "array", "array")
CHUNK = 50  # terms of a sum; CPython refuses a sum of thousands
SELECTS = frozenset({"where", "maximum", "minimum", "fmax", "fmin"})
KEEPS_INTEGERS = SELECTS | {"add", "subtract", "multiply", "negative", "abs", "mod"}
RAISED = "(ArithmeticError, ValueError)"


class PythonSpeller:
    """`log(x)`, `x*y`: functions of `math`, operators, and SciPy where only it has the function.

    With `ieee`, what can raise is spelled as a call of a helper that answers instead.
    """

    keywords = PYTHON_KEYWORDS

    def __init__(self, ieee: bool = False) -> None:
        self.ieee = ieee

    def constant(self, value: Number) -> Text:
        """A literal; integers are written as floats, which multiply faster by floats."""
        if isinstance(value, bool):
            return Text(repr(value), NAME)
        number = float(value)
        text = repr(number) if math.isfinite(number) else f"float('{number}')"
        return Text(text, SIGN if text.startswith("-") else NAME)

    def spell(self, row: Primitive) -> Spelling:
        return _edge_spelling(row) if self.ieee and can_raise(row) else _spelling(row)


def supports(row: Primitive) -> bool:
    """Whether Python has a spelling of its own for a row; the others are lowered."""
    return bool(row.python or row.symbol or (row.scipy and not row.define))


@cache
def _spelling(row: Primitive) -> Spelling:
    if row.python and "{" in row.python:
        return template(row, row.python, _math_names(row.python))
    if row.python:
        return call(row.python, row.arity, _math_names(row.python))
    if row.symbol:
        return infix(row, row.symbol, row.precedence >= PRODUCT)
    assert row.scipy is not None, row
    return _scipy(row, row.scipy)


def _math_names(text: str) -> list[Import]:
    """What a Python text needs imported: functions of `math`, and builtins."""
    names = re.findall(r"(?<!{)\b[a-z]\w*\b(?!})", text)
    modules = {n: module for module in (builtins, math) for n in names if hasattr(module, n)}
    return [Import(module.__name__, name, name) for name, module in modules.items()]


def _scipy(row: Primitive, text: str) -> Spelling:
    name = re.match(r"\w+", text)
    assert name is not None
    if "{" not in text:
        text = f"{text}({', '.join(f'{{{a}}}' for a in row.args)})"
    needed = [Import("scipy.special", name[0], name[0]), Import("builtins", "float", "float")]
    return template(row, f"float({text})", needed)


@cache
def _edge_spelling(row: Primitive) -> Spelling:
    return call(f"_{row.name}", row.arity, [Import(HERE, f"_{row.name}", f"_{row.name}")])


def helper_imports(row: Primitive) -> frozenset[Import]:
    """What the helper of a row needs imported."""
    return frozenset(_math_names("\n".join(helper(row))))


def signature(program: Program, schedule: Schedule) -> tuple[str, list[str]]:
    """The parameters as text, and the lines that unpack those which are sequences."""
    names, unpack = [], []
    for parameter in program.parameters:
        if isinstance(parameter, Node):
            names.append(schedule.parameters[parameter])
        else:
            names.append(schedule.groups[parameter.name])
            unpack.append(_unpacking(parameter, schedule))
    return ", ".join(names), unpack


def _unpacking(group: Group, schedule: Schedule) -> str:
    elements = ", ".join(schedule.parameters[n] for n in group.elements)
    return f"{tuple_of(elements, len(group.elements))} = {schedule.groups[group.name]}"


def tuple_of(elements: str, count: int) -> str:
    """Elements as a tuple: one of one element has a comma of its own."""
    return f"({elements},)" if count == 1 else f"({elements})"


def body(schedule: Schedule, indent: str) -> Iterator[str]:
    """The statements, and the return of the outputs."""
    array = ""
    if has_list(schedule.program.outputs):
        array = schedule.require(ARRAY)
    for name, text in schedule.statements:
        yield f"{indent}{name} = {text}"
    outputs = layout(schedule, schedule.program.outputs, lambda p: f"{array}([{', '.join(p)}])")
    yield from wrap(f"return {outputs}", indent)


def has_list(tree: Tree) -> bool:
    """Whether a tree of outputs holds an array."""
    return isinstance(tree, list) or (isinstance(tree, tuple) and any(map(has_list, tree)))


def define(
    name: str, schedule: Schedule, doc: Sequence[str] = (), guard: str | None = None
) -> Iterator[str]:
    """A function definition.

    With `guard`, the name of another function, that one is called instead where an argument is
    not a float, or where Python raises; without it the body stands alone.
    """
    parameters, unpack = signature(schedule.program, schedule)
    yield from wrap(f"def {name}({parameters}):", "")
    yield from docstring(doc, "    ") if doc else ()
    inside = "    " if guard is None else "        "
    if guard is not None:
        yield "    try:"
    for line in unpack:
        yield from wrap(line, inside)
    if guard is None:
        yield from body(schedule, inside)
        return
    yield from _checked(schedule, "        ")
    yield "    except (ArithmeticError, ValueError, TypeError):"
    yield "        pass"
    yield from wrap(f"return {guard}({parameters})", "    ")


def _checked(schedule: Schedule, indent: str) -> Iterator[str]:
    arguments = schedule.parameters
    if not arguments:
        yield from body(schedule, indent)
        return
    kind, number = (schedule.require(Import("builtins", n, n)) for n in ("type", "float"))
    exact = _leaking(schedule)
    names = [name for node, name in arguments.items() if node not in exact]
    tests = [f"{kind}({arguments[node]})" for node in arguments if node in exact]
    tests += [f"{kind}({' + '.join(names[k : k + CHUNK])})" for k in range(0, len(names), CHUNK)]
    yield f"{indent}if {number} is {' is '.join(tests)}:"
    yield from body(schedule, indent + "    ")


def _leaking(schedule: Schedule) -> set[Node]:
    """Arguments that could make an output an int, if they were ints themselves.

    These are checked one by one.  The others are checked by their sum, which is a float only if
    all of them are floats, or some ints.
    """
    arguments = list(schedule.parameters)
    leaks = {node: 1 << k for k, node in enumerate(arguments)}  # sets, as bits
    for node in schedule.nodes:
        if node.op.name in KEEPS_INTEGERS and node not in leaks:
            sources = [leaks.get(a, 0) for a in node.args]
            if all(sources) or node.op.name in SELECTS:
                leaks[node] = reduce(or_, sources)
    found = reduce(or_, (leaks.get(node, 0) for node in schedule.program.leaves()), 0)
    return {node for k, node in enumerate(arguments) if found >> k & 1}


def with_edges(name: str, schedule: Schedule, doc: Sequence[str]) -> Iterator[str]:
    """A function definition that answers as IEEE does where its arithmetic raises."""
    parameters, unpack = signature(schedule.program, schedule)
    yield from wrap(f"def {name}({parameters}):", "")
    yield from docstring(doc, "    ")
    yield "    try:"
    for line in unpack:
        yield from wrap(line, "        ")
    yield from body(schedule, "        ")
    yield f"    except {RAISED}:"
    yield from wrap(f"return {name}{EDGE}({parameters})", "        ")

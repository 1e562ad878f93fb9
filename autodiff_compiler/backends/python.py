"""Plain Python: scalars, `math`, and IEEE's answer where Python would raise."""

from __future__ import annotations

import builtins
import math
import re
from collections.abc import Iterator, Sequence
from functools import cache

from ..derivatives import Group, Program, Tree
from ..graph import CONSTANT, DIVIDE, MOD, Node
from ..primitives import Primitive
from ..primitives.arithmetic import PRODUCT
from ..primitives.ieee import Number, can_raise, helper
from .base import (
    HERE,
    PYTHON_KEYWORDS,
    Import,
    Schedule,
    Spelling,
    call,
    infix,
    layout,
    literal,
    template,
    tuple_of,
)
from .text import docstring, wrap

ARRAY = Import("numpy", "array", "array")
FLOAT = Import("builtins", "float", "float")
RAISED = tuple(Import("builtins", name, name) for name in ("ArithmeticError", "ValueError"))
TYPE_ERROR = Import("builtins", "TypeError", "TypeError")


class PythonSpeller:
    """`log(x)`, `x*y`: functions of `math`, operators, and SciPy where only it has the function.

    With `ieee`, what can raise is spelled as a call of a helper that answers instead.
    """

    keywords = PYTHON_KEYWORDS

    def __init__(self, ieee: bool = False) -> None:
        self.ieee = ieee

    def constant(self, value: Number) -> Spelling:
        """A literal; integers are written as floats, which multiply faster by floats."""
        text = repr(value if isinstance(value, bool) else float(value))
        name = text.removeprefix("-")
        imports = [Import("math", name, name)] if name in ("inf", "nan") else ()
        return literal(text, imports, PRODUCT)  # -2.0*x is the same number as (-2.0)*x

    def spell(self, row: Primitive) -> Spelling:
        return helper_call(row) if self.ieee and can_raise(row) else _spelling(row)


def supports(row: Primitive) -> bool:
    """Whether Python has a spelling of its own for a row; the others are lowered."""
    own = row.apart or row.series or row.python or row.symbol
    return bool(own or (row.scipy and not row.define))


@cache
def _spelling(row: Primitive) -> Spelling:
    if row.apart or row.series:
        return helper_call(row)
    if row.python and "{" in row.python:
        return template(row, row.python, _math_names(row.python))
    if row.python:
        return call(row.python, row.arity, _math_names(row.python))
    if row.symbol:
        return infix(row, row.symbol, row.precedence >= PRODUCT, PRODUCT)
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
def helper_call(row: Primitive) -> Spelling:
    """A call of the function that a module has for a row."""
    return call(f"_{row.name}", row.arity, [Import(HERE, f"_{row.name}", f"_{row.name}")])


def divides_safely(node: Node) -> bool:
    """Whether it divides by a constant other than 0, which never raises."""
    return node.op in (DIVIDE, MOD) and node.args[1].op is CONSTANT and node.args[1].data != 0


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


def body(schedule: Schedule, indent: str) -> Iterator[str]:
    """The statements, and the return of the outputs."""
    array = ""
    if has_list(schedule.program.outputs):
        array = schedule.require(ARRAY)
    yield from schedule.lines(indent)
    outputs = layout(schedule.program.outputs, schedule.text, lambda _, p: f"{array}([{p}])")
    yield from wrap(f"return {outputs}", indent)


def has_list(tree: Tree) -> bool:
    """Whether a tree of outputs holds an array."""
    return isinstance(tree, list) or (isinstance(tree, tuple) and any(map(has_list, tree)))


def define(
    name: str,
    schedule: Schedule,
    doc: Sequence[str] = (),
    fallback: str | None = None,
    floats_only: bool = False,
) -> Iterator[str]:
    """A function definition.

    `fallback` is another function, called instead where Python raises, and with `floats_only`
    also where an argument is not a float; without it the body stands alone.
    """
    parameters, unpack = signature(schedule.program, schedule)
    yield from wrap(f"def {name}({parameters}):", "")
    yield from docstring(doc, "    ") if doc else ()
    indent = "        " if fallback else "    "
    yield from ["    try:"] * bool(fallback)
    for line in unpack:
        yield from wrap(line, indent)
    if fallback is None:
        yield from body(schedule, indent)
        return
    otherwise = f"{fallback}({parameters})"
    if not floats_only:
        yield from body(schedule, indent)
        yield f"    except {_errors(schedule, *RAISED)}:"
        yield from wrap(f"return {otherwise}", indent)
        return
    yield from _of_floats(schedule, indent)
    yield f"    except {_errors(schedule, *RAISED, TYPE_ERROR)}:"
    yield "        pass"
    yield from wrap(f"return {otherwise}", "    ")


def _of_floats(schedule: Schedule, indent: str) -> Iterator[str]:
    names = schedule.parameters.values()
    if not names:
        yield from body(schedule, indent)
        return
    number = schedule.require(FLOAT)
    classes = (f"{name}.__class__" for name in names)
    yield f"{indent}if {' is '.join(classes)} is {number}:"
    yield from body(schedule, indent + "    ")


def _errors(schedule: Schedule, *errors: Import) -> str:
    return f"({', '.join(map(schedule.require, errors))})"

"""Generated text made callable: the fast path for floats, and what stands behind it."""

from __future__ import annotations

import contextlib
import importlib
import itertools
import linecache
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache, cached_property
from numbers import Real
from typing import Any, Self

from .allowlist import BUILTINS, compiled
from .backends import python
from .backends.base import HERE, Import, Schedule
from .backends.module import helper_module, module, python_schedule
from .backends.numpy import raising
from .backends.patterns import Pattern
from .backends.style import PLAIN, Style
from .derivatives import Group, Program
from .errors import ExpressionError, counted
from .graph import Graph
from .primitives import Primitive
from .primitives.ieee import evaluator, has_python
from .recycling import RECYCLED
from .singular import by_poles

ALLOCATOR = "_empty"  # of memory that results gave up, which only loaded code has
PATTERNS = 16  # of arguments that arrays are given for, with a function each

OF_WRT = frozenset({"tangents", "direction"})  # groups of one value for each of wrt
FLOAT, NUMBERS = frozenset({float}), (int, float)  # types of arguments

_serial = itertools.count(1)


def load(text: str, name: str, names: dict[str, object]) -> Callable[..., Any]:
    """The function `name` of a generated text, run with `names` known to it.

    Its tracebacks show its lines, for as long as it lives.  Raises `GeneratedCodeError` instead of
    running anything that is not on the allowlist.
    """
    filename = f"<autodiff_compiler {name} {next(_serial)}>"
    namespace: dict[str, Any] = {
        "__name__": "autodiff_compiler.generated",
        "__builtins__": BUILTINS,
        **names,
    }
    code = compiled(text, filename, names)
    with explained_imports():
        exec(code, namespace)
    # Popped, so that no cycle keeps the function alive, or its graph, once it is dropped.
    function: Callable[..., Any] = namespace.pop(name)
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    weakref.finalize(function, linecache.cache.pop, filename, None)
    return function


def resolve(wanted: Iterable[Import]) -> dict[str, object]:
    """Imports as a namespace."""
    with explained_imports():
        return {i.local: _imported(i) for i in wanted}


@cache
def _imported(wanted: Import) -> object:
    if wanted.module == HERE:
        return load(helper_module(wanted.name), wanted.name, {})
    module = importlib.import_module(wanted.module)
    return getattr(module, wanted.name) if wanted.name else module


@contextlib.contextmanager
def explained_imports() -> Iterator[None]:
    """A missing SciPy as an `ExpressionError` that says how to get it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "scipy":
            raise
        hint = "python -m pip install 'autodiff-compiler[special]'"
        raise ExpressionError("this formula has functions that need SciPy", hint=hint) from None


class Callables:
    """The functions generated for one program, made when they are first needed."""

    def __init__(self, program: Program, wrt: Sequence[str], style: Style = PLAIN) -> None:
        self.program, self.wrt, self.style = program, wrt, style
        self._patterns: dict[Pattern, Callable[..., Any]] = {}
        self._fast: weakref.ReferenceType[Callable[..., Any]] | None = None

    def fast(self) -> Callable[..., Any]:
        """For floats; anything else, and whatever Python raises on, goes to `general`."""
        schedule = python_schedule(self.program, style=self.style)
        kind = self.program.kind
        guard = schedule.claim("_general")
        text = "\n".join(python.define(kind, schedule, (), guard, floats_only=True))
        names = {**resolve(schedule.imports), guard: self.general}
        function = load(text, kind, names)
        self._fast = weakref.ref(function)
        return self._renaming(function, schedule)

    def _renaming(self, function: Callable[..., Any], schedule: Schedule) -> Callable[..., Any]:
        """Accept keyword arguments under names that cannot be Python parameters."""
        renamed = {n.data: name for n, name in schedule.parameters.items() if n.data != name}
        if not renamed or isinstance(self.program.parameters[0], Group):
            return function

        def call(*arguments: Any, **named: Any) -> Any:
            return function(*arguments, **{renamed.get(k, k): v for k, v in named.items()})

        return call

    def general(self, *arguments: Any) -> Any:
        """Any numbers and arrays: scalars with IEEE's answers at the edges, arrays by NumPy."""
        floats = None if self._is_grouped else _floats(arguments)
        if floats is not None:
            return (self._of_floats() or self._scalar)(*floats)
        given = self._flattened(arguments) if self._is_grouped else arguments
        pairs = zip(self._names, given, strict=True)
        values = [v if type(v) is float else number(name, v) for name, v in pairs]
        grouped = self._grouped(values) if self._is_grouped else values
        arrays = [v for v in values if type(v) is not float]
        if arrays:
            try:
                return self._for(_pattern(self._names, values, arrays))(*grouped)
            except ArithmeticError:
                return self._at_poles._for(_pattern(self._names, values, arrays))(*grouped)
        were_floats = all(v is g for v, g in zip(values, given, strict=True))
        return ((None if were_floats else self._of_floats()) or self._scalar)(*grouped)

    def _of_floats(self) -> Callable[..., Any] | None:
        """The function of `fast`, while somebody has it."""
        return self._fast() if self._fast is not None else None

    @cached_property
    def _names(self) -> list[str]:
        """The names of all arguments, in order."""
        return [str(node.data) for node in self.program.arguments()]

    @cached_property
    def _is_grouped(self) -> bool:
        return any(isinstance(p, Group) for p in self.program.parameters)

    def _flattened(self, arguments: Sequence[Any]) -> list[Any]:
        given: list[Any] = []
        for parameter, argument in zip(self.program.parameters, arguments, strict=True):
            if isinstance(parameter, Group):
                names = (
                    self.wrt if parameter.name in OF_WRT else [n.data for n in parameter.elements]
                )
                given += _elements(parameter, argument, names)
            else:
                given.append(argument)
        return given

    def _grouped(self, values: Sequence[Any]) -> list[Any]:
        rest = iter(values)
        return [
            tuple(itertools.islice(rest, len(p.elements))) if isinstance(p, Group) else next(rest)
            for p in self.program.parameters
        ]

    @cached_property
    def _by_poles(self) -> tuple[Program, Program | None]:
        return by_poles(self.program)

    @cached_property
    def _at_poles(self) -> Self:
        """The functions for where something is divided by 0."""
        other = self._by_poles[1]
        return type(self)(other, self.wrt, self.style) if other else self

    @cached_property
    def _scalar(self) -> Callable[..., Any]:
        return self._from_module("python")

    def _for(self, pattern: Pattern) -> Callable[..., Any]:
        """The function for arrays of which each spans the axes that a pattern says."""
        found = self._patterns.get(pattern)
        if found is None:
            if len(self._patterns) >= PATTERNS:
                self._patterns.clear()
            found = self._patterns[pattern] = self._from_module("numpy", pattern)
        return found

    def _from_module(self, target: str, pattern: Pattern | None = None) -> Callable[..., Any]:
        style, names, program = self.style, dict[str, object](), self.program
        if target == "numpy":
            program, other = self._by_poles
            style = style._replace(raising=raising(program) if other else ())
        if ALLOCATOR not in {node.data for node in program.arguments()}:
            style, names = style._replace(allocator=ALLOCATOR), {ALLOCATOR: RECYCLED.empty}
        text = module([program], target, "", self.wrt, style, pattern)
        return load(text, program.kind, names)


def _floats(arguments: Sequence[Any]) -> list[float] | None:
    """Python's integers, and NumPy's doubles, as floats; nothing where all are floats already."""
    kinds = {*map(type, arguments)}
    if kinds <= FLOAT:  # none, too
        return None
    for kind in kinds:
        if not issubclass(kind, NUMBERS):
            return None
    try:
        return [*map(float, arguments)]
    except OverflowError:  # which is told of the argument by name
        return None


@cache
def operation(row: Primitive) -> Callable[..., Any]:
    """A row on floats, with IEEE's answers, as compiled code has it."""
    if has_python(row):
        return evaluator(row)
    graph = Graph()
    parameters = tuple(graph.input(name) for name in row.args)
    program = Program("value", graph, parameters, graph.intern(row, *parameters))
    return Callables(program, ()).fast()


def _elements(group: Group, argument: Any, names: Sequence[str]) -> list[Any]:
    wanted = ", ".join(str(n.data) for n in group.elements)
    if isinstance(argument, Mapping):
        return _named(group.name, argument, names)
    try:
        elements = list(argument)
    except TypeError:
        raise TypeError(f"{group.name}: expected a sequence ({wanted}), got {argument!r}") from None
    if len(elements) != len(group.elements):
        count = counted(len(group.elements), "value")
        raise ValueError(f"{group.name}: expected {count} ({wanted}), got {len(elements)}")
    return elements


def _named(what: str, given: Mapping[str, Any], names: Sequence[str]) -> list[Any]:
    """Elements by the names of the inputs that they belong to."""
    missing, unknown = [n for n in names if n not in given], [n for n in given if n not in names]
    if missing or unknown:
        problem = f"no {', '.join(missing)}" if missing else f"unknown {', '.join(unknown)}"
        raise ValueError(f"{what}: {problem}; expected {', '.join(names)}")
    return [given[name] for name in names]


SUPPORTED = (Real, Decimal)


def number(name: str, value: Any) -> Any:
    """An argument as a float, or as an array of floats; raises errors that name the argument."""
    if isinstance(value, Real):
        return _double(name, value)
    return _array(name, value)


def _double(name: str, value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name}: {type(value).__name__} too large for a double") from None
    except TypeError:
        raise TypeError(f"{name}: expected a real number, got {type(value).__name__}") from None


def _array(name: str, value: Any) -> Any:
    import numpy as np

    if np.ma.is_masked(value):
        raise TypeError(f"{name}: some elements are masked; fill them in first: x.filled(0)")
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O" and all(isinstance(v, SUPPORTED) for v in array.flat):
            array = array.astype(float)
    except (TypeError, ValueError, OverflowError) as error:
        problem = "its rows differ in length" if "inhomogeneous" in str(error) else error
        raise TypeError(f"{name}: expected a real number or an array: {problem}") from None
    if array.dtype.kind not in "fiub" or value is None:
        kind = f"{type(value).__name__} of {array.dtype}" if array.ndim else type(value).__name__
        raise TypeError(f"{name}: expected a real number or an array of them, got {kind}")
    if array.ndim == 0:
        return float(array)
    return array if array.dtype.kind == "f" else array.astype(float)


def _pattern(names: Sequence[str], values: Sequence[Any], arrays: Sequence[Any]) -> Pattern:
    """The axes of their common shape that each argument spans, as bit masks of whole numbers."""
    spans = {shape: _spanned(shape) for shape in {a.shape for a in arrays}}
    if len(spans) > 1:
        _check_shapes(names, values)
    return tuple([0 if type(v) is float else spans[v.shape] for v in values])


def _check_shapes(names: Sequence[str], values: Sequence[Any]) -> None:
    import numpy as np

    shapes = [np.shape(v) for v in values]
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        found = ", ".join(f"{n} {s}" for n, s in zip(names, shapes, strict=True) if s)
        raise ValueError(f"these shapes do not broadcast together: {found}") from None


def _spanned(shape: Sequence[int]) -> int:
    """Two bits for each axis, the last one first: that it is there, and is not of one element."""
    return sum((1 + 2 * (length != 1)) << 2 * k for k, length in enumerate(reversed(shape)))

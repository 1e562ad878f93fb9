"""The row of the table: what the compiler knows about one primitive."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..counts import Count

Counterpart = str | Callable[..., Any] | None
Interval = tuple[float, float]

REAL: Interval = (-3.0, 3.0)
POSITIVE: Interval = (0.1, 4.0)
UNIT: Interval = (-0.95, 0.95)


@dataclass(frozen=True, slots=True, eq=False)
class Primitive:
    """One primitive operation: its derivative, its spelling in every backend, where it is tested.

    Attributes:
        name, aliases: how a source may call it.
        args: argument names, used by `partials`, `define` and the templates.
        partials: text in the language over the argument names and `out`, one for each argument;
            `None` where the primitive is not differentiable in that argument.
        define: the same function as text in the language; backends without a counterpart use it.
        python, numpy, scipy: name of a function of `math`, `numpy` or `scipy.special`, or a
            template over the argument names such as `"airy({x})[0]"`.
        pole, overflow: Python text over the arguments: the IEEE answer where `math` raises
            `ValueError` (by default nan) or `OverflowError` (by default it does not).
        symbol, precedence: for infix and prefix operators.
        sympy, mpmath: a function's name there, or a callable taking that module and the arguments.
        latex: template over the argument names.
        domain: for each argument, the interval its tests sample.
        special: points (tuples of arguments) where the tests also look.
        boolean: the result is a truth value.
        double: NumPy or SciPy may give doubles for arguments in single precision.
        commutative: the order of the two arguments does not matter.
        flat: far from 0, its slope falls faster than any power, on one side at least.
        apart: generated modules have a function of its own, made from `define`, which they call.
        series: so have those of plain Python; loops over arrays have the definition in line.
        note: what a reader should know: a convention chosen, why it is not differentiable.
        work: its floating-point operations, from `data`, the shape of the result and those of the
            arguments; by default one for each element of the result.
    """

    name: str
    args: tuple[str, ...] = ()
    partials: tuple[str | None, ...] = ()
    aliases: tuple[str, ...] = ()
    define: str | None = None
    python: str | None = None
    numpy: str | None = None
    scipy: str | None = None
    pole: str | None = None
    overflow: str | None = None
    symbol: str | None = None
    precedence: int = 100
    sympy: Counterpart = None
    mpmath: Counterpart = None
    latex: str | None = None
    domain: tuple[Interval, ...] = ()
    special: tuple[tuple[float, ...], ...] = ()
    boolean: bool = False
    double: bool = False
    commutative: bool = False
    flat: bool = False
    apart: bool = False
    series: bool = False
    note: str = ""
    work: Callable[..., Count] | None = None

    def __repr__(self) -> str:
        return f"<{self.name}({', '.join(self.args)})>"

    @property
    def arity(self) -> int:
        """The number of arguments."""
        return len(self.args)


def always(_data: object, *_shapes: object) -> bool:
    """The result is always a view."""
    return True


def _owns(_data: object, *_shapes: object) -> bool:
    """The result is a new array, as of most operations."""
    return False


Rule = str | Callable[..., Any]
Spec = tuple[tuple[str, ...], str]  # the axes of the arguments and of the result, as letters


@dataclass(frozen=True, slots=True, eq=False)
class ArrayPrimitive(Primitive):
    """One operation on whole arrays.

    What it is given beside arrays (axes, shapes, indices) is its `data`, a tuple or a number that
    may hold symbolic extents.  Axes count from the last, -1, so that leading ones may be added.

    Attributes:
        shape: the result's, from `data` and the shapes of the arguments; raises `ShapeError`.
        labels: for what is linear in each argument, sums over shared axes: `einsum`'s letters,
            from `data` and the shapes.  Both rules follow from it.
        tangents, adjoints: otherwise, one for each argument: text in the language over the
            arguments, `out`, and `d` or `bar`; or a function of the graph, the node, and `d` or
            `bar`.  `A'` in a text transposes the last two axes.
        slope: of a reduction, the partial by each element, over `x` and `out`.
        batched: `data` for arguments that have further leading axes, from `data` and these axes.
        compute: the function on arrays of any kind of number, from NumPy, `data` and the arrays.
        spelling: NumPy's text, a template over the numbers of the arguments, from the node and a
            function that gives the text of an extent.
        fold: a simpler node, if there is one, from the graph, `data` and the arguments.
        variadic: it takes any number of arguments.
        view: whether NumPy may give a view of the first argument, from `data` and the shapes of
            the others.
        space: how many arrays of the first argument's shape are needed inside it.
    """

    shape: Callable[..., Any] | None = None
    labels: Callable[..., Spec] | None = None
    tangents: tuple[Rule | None, ...] = ()
    adjoints: tuple[Rule | None, ...] = ()
    slope: Rule | None = None
    batched: Callable[..., Any] | None = None
    compute: Callable[..., Any] | None = None
    spelling: Callable[..., str] | None = None
    fold: Callable[..., Any] | None = None
    variadic: bool = False
    view: Callable[..., bool] = _owns
    space: int = 0


def array_function(signature: str, **columns: Any) -> ArrayPrimitive:
    """A row for arrays from its signature: `array_function("inv(A)", tangents=..., ...)`."""
    name, _, rest = signature.partition("(")
    args = tuple(rest.rstrip(")").replace(",", " ").split())
    aliases = tuple(columns.pop("aliases", "").split())
    return ArrayPrimitive(name, args, aliases=aliases, **columns)


def function(signature: str, *partials: str | None, **columns: Any) -> Primitive:
    """A row from its signature: `function("hypot(x, y)", "x/out", "y/out", python="hypot")`.

    A `domain` given as one interval serves every argument, `special` may list bare numbers, and
    `aliases` is one string of names.
    """
    name, _, rest = signature.partition("(")
    args = tuple(rest.rstrip(")").replace(",", " ").split())
    domain = columns.pop("domain", REAL)
    if domain and not isinstance(domain[0], tuple):
        domain = (domain,) * len(args)
    special = tuple(p if isinstance(p, tuple) else (p,) for p in columns.pop("special", ()))
    aliases = tuple(columns.pop("aliases", "").split())
    return Primitive(
        name, args, partials, aliases=aliases, domain=domain, special=special, **columns
    )

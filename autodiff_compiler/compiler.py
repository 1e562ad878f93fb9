"""`compile`: the whole way from a source text to functions, on one page."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from numbers import Real
from typing import TYPE_CHECKING, Any

from .allowlist import inspect
from .arrayruntime import callables
from .backends.module import TARGETS, module
from .backends.style import Style
from .cache import Cache
from .collector import uncollected
from .derivatives import KINDS, SCALAR_ONLY, Program
from .errors import ExpressionError, printable
from .files import write
from .graph import STACK, Graph, Node, differentiable
from .limits import DEFAULT, Limits
from .members import Generated, Signature
from .options import (
    THREADS,
    Options,
    check_input,
    check_shapes,
    distinct,
    names,
    passes,
    shapes_of,
    switch,
    whole_number,
)
from .parser import parse
from .passes import (
    BLOCKS,
    CONTRACT,
    LIMITS,
    PRUNE,
    STABLE_PASSES,
    Applied,
    Log,
    located,
    optimise,
    pipeline,
)
from .products.flatten import flattened
from .recycling import RECYCLED
from .shapes import Extent, Shape, shown
from .singular import differentiate, limited

if TYPE_CHECKING:
    from .checking.certificate import Certificate
    from .cost import Cost
    from .drawing import Drawing
    from .packed import Packed
    from .traces import Trace


KEPT = 256  # functions that `compile` keeps
WEIGHT = 200_000  # operations that they have, with their derivatives
CHARACTERS = 64  # of a source that weigh like one operation


class Function:
    """A compiled formula: its value and derivatives as functions, sources, traces and drawings.

    Every function takes the inputs in order, or by name; primals, tangents and directions are a
    sequence, or a mapping by the names of the inputs.  Numbers give Python floats.  Arrays mean
    "for each element": they broadcast together, and every result has their common shape as its
    last axes.  A function cannot be changed: `compile` may give the same one to others.
    """

    _source: str
    _options: Options
    _graph: Graph
    _output: Node
    _inputs: tuple[str, ...]
    _wrt: tuple[str, ...]
    _lock: threading.RLock

    @uncollected
    def __init__(self, source: str, *options: Any) -> None:
        found = Options(*options)
        shapes = dict(found.shapes)
        graph, output = parse(source, found.inputs, shapes, limits=found.limits)
        inputs = tuple(graph.inputs)
        check_shapes(found.shapes, inputs)
        wrt = found.wrt if found.wrt is not None else tuple(differentiable(graph))
        vars(self).update(_source=source, _options=found, _graph=graph, _output=output)
        vars(self).update(_inputs=inputs, _wrt=wrt, _lock=threading.RLock())
        for name in found.wrt or ():
            check_input(name, inputs, source)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"{name}: a compiled function cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{name}: a compiled function cannot be changed")

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the inputs, in the order of the arguments."""
        return self._inputs

    @property
    def wrt(self) -> tuple[str, ...]:
        """Names of the inputs that derivatives are taken by."""
        return self._wrt

    @property
    def shapes(self) -> dict[str, Shape]:
        """The shape of each input, of numbers and polynomials in names; `()` of a number."""
        return {name: node.shape for name, node in self._graph.inputs.items()}

    @property
    def limits(self) -> Limits:
        """The limits it was compiled with, which bound its derivatives too."""
        return self._options.limits

    @property
    def formula(self) -> str:
        """The source as it was given."""
        return self._source

    @property
    def rewrites(self) -> tuple[Applied, ...]:
        """What the passes changed: pass, rule, line and column in the source."""
        return tuple(located(self._optimised[2], self._source))

    value = Generated("value", "The value: a float, or an array for a list of outputs.")
    gradient = Generated("gradient", "The partials of a scalar output by each of `wrt`, a tuple.")
    value_and_gradient = Generated("value_and_gradient", "`(value, gradient)`, sharing the work.")
    jacobian = Generated(
        "jacobian",
        "For each of `wrt`, the partials of the output, of its shape: the columns of the matrix "
        "that `numpy.stack(fn.jacobian(...), axis=-1)` makes.",
    )
    jvp = Generated("jvp", "`jvp(primals, tangents)`: `(value, tangent of the output)`.")
    vjp = Generated("vjp", "`vjp(primals, cotangent)`: `(value, adjoint of each of wrt)`.")
    hessian = Generated("hessian", "The second partials, `H[i][j]` by `wrt[i]` and `wrt[j]`.")
    hvp = Generated("hvp", "`hvp(primals, direction)`: the Hessian times a direction, a tuple.")

    __signature__ = Signature()

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        """The value."""
        return self.value(*args, **kwargs)

    def packed(self, /, **data: Any) -> Packed:
        """The same function of one flat vector of all of `wrt`; `data` gives the other inputs."""
        from .packed import Packed

        return Packed(self, data)

    def derivative(self, name: str, form: str = "text") -> str:
        """The derivative by one input, as a formula that `compile` reads back.

        Arrays have the shapes that they have in this function.  `form` is `"text"` or `"latex"`.
        """
        from .backends.formula import FORMS, derivative

        check_input(name, self._inputs, self._source)
        if form not in FORMS:
            raise ValueError(f"form: expected one of {', '.join(FORMS)}, got {form!r}")
        return derivative(self._graph, self._output, name, form)

    def source(
        self, *kinds: str, target: str | None = None, arrays: str | Iterable[str] = ()
    ) -> str:
        """A standalone module with a function for each kind; `default_kinds` if none is given.

        `target` is `"python"` (scalars, `math`) or `"numpy"` (arrays too), by default the first
        that can be.  `arrays` names inputs without a shape that will be large arrays, all of one
        shape, while the others are numbers: NumPy's code then has loops over blocks of them.
        """
        large = names(arrays, "arrays") or ()
        target = target or ("numpy" if large else self.default_target)
        if target == "python" and self._graph.has_arrays:
            raise ValueError("target: a program of arrays needs 'numpy'")
        if target not in TARGETS:
            raise ValueError(f"target: expected one of {', '.join(TARGETS)}, got {target!r}")
        programs = [self._program(kind) for kind in distinct(kinds or self.default_kinds)]
        if large and (target == "python" or self._graph.has_arrays):
            raise ValueError("arrays: only for NumPy's code of inputs without shapes")
        for name in large:
            check_input(name, self._inputs, self._source)
        text = module(programs, target, self._source, self._wrt, self._style, large)
        inspect(text)
        return text

    def save(self, path: str | os.PathLike[str], *kinds: str, **options: Any) -> None:
        """Write `source` to a file, whole or not at all; it has the same options."""
        write(path, self.source(*kinds, **options))

    def trace(
        self,
        mode: str = "primal",
        at: Mapping[str, Any] | Sequence[Any] | None = None,
        seed: Mapping[str, Any] | Sequence[Any] | float | None = None,
    ) -> Trace:
        """The evaluation trace (`"primal"`), with tangents (`"forward"`) or adjoints (`"reverse"`).

        `at` gives a point, for values; `seed` a direction, or the adjoint of the output, by default
        1 for the first element and 0 for all others.
        """
        from .traces import trace

        return trace(self._graph, self._output, self._wrt, mode, at, seed)

    def graph(self) -> Drawing:
        """The drawing of the program: DOT and Mermaid."""
        from .drawing import Drawing

        return Drawing(self._graph, self._output)

    def cost(self, /, *kinds: str, **extents: int) -> Cost:
        """Operations, shapes and memory before anything runs, as formulas in the extents.

        Of the value and of one pass of each mode, or of `kinds`; also as numbers where `extents`
        gives the lengths: `fn.cost(N=1000)`.  See `cost.Part` for what is counted.
        """
        from .accounting import Subject, cost

        wrt = [self._graph.inputs[name] for name in self._wrt]
        return cost(Subject(self._output, wrt, self._program, self._style), kinds, extents)

    def check(
        self,
        points: Sequence[Mapping[str, Any] | Sequence[Any]] | None = None,
        *,
        samples: int = 5,
        seed: int = 0,
        accuracy: int | None = None,
        bits: float | None = None,
        extents: Mapping[str, int] | None = None,
    ) -> Certificate:
        """Forward, reverse, SymPy, mpmath and differences compared; see `certificate.Certificate`.

        At `points`, or at `samples` random ones of a `seed`.  The bits of error are measured at
        `accuracy` points of usual size and as many over the whole double range, by default a
        hundred, or fewer for a large program; or at `points`.  `bits` makes more of them a failure.
        What a method finds is wrong where it is off by more than 1e-9 of its scale, differences by
        1e-4, unless inputs rounded otherwise explain that, or by 1e-2 in any case.

        A program of arrays is checked element by element, at `extents` for the names in its shapes:
        small ones, unless some are given, or those of `points`.
        """
        from . import check
        from .checking import arraycheck

        plan = check.Plan(samples, seed, accuracy, bits)
        if points is not None and not _are_several(points):
            raise TypeError(f"points: expected a list of points, got {points!r}")
        if self._graph.has_arrays:
            return arraycheck.check(self, points, plan, extents or {})
        if extents:
            raise ValueError("extents: this program has no shapes with names")
        return check.check(self, self._graph, self._output, points, plan)

    def __repr__(self) -> str:
        text = self._source.strip().replace("\r", "").replace("\n", "; ")
        text = printable(text if len(text) <= 60 else text[:57] + "...")
        return f"<autodiff_compiler function of ({', '.join(self._inputs[:8])}): {text}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Function):
            return NotImplemented
        return (self._source, self._options) == (other._source, other._options)

    def __hash__(self) -> int:
        return hash((self._source, self._options))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._source, *self._options)

    @property
    def _style(self) -> Style:
        without = self._options.without
        return Style(PRUNE not in without, BLOCKS not in without, self._options.threads)

    @property
    def _is_scalar(self) -> bool:
        return not self._output.shape

    @property
    def default_kinds(self) -> tuple[str, ...]:
        """What `source` writes by default: the value and its first derivatives."""
        return ("value", "gradient") if self._is_scalar else ("value", "jacobian")

    @property
    def default_target(self) -> str:
        """What `source` writes by default: plain Python, or NumPy for programs of arrays."""
        return "numpy" if self._graph.has_arrays else "python"

    @cached_property
    def _optimised(self) -> tuple[Graph, Node, Log]:
        return optimise(self._graph, self._output, pipeline(self._options.without))

    def _program(self, kind: str) -> Program:
        if kind not in KINDS:
            raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r}")
        if kind in SCALAR_ONLY and not self._is_scalar:
            what = "a list" if self._output.op is STACK else f"of shape {shown(self._output.shape)}"
            raise ValueError(f"{kind} needs a scalar output; this one is {what}: use jacobian")
        try:
            with self._lock:
                graph, output, _ = self._optimised
                program = differentiate(graph, output, self._wrt, kind)
                if LIMITS not in self._options.without:
                    program = limited(program, graph, output, self._wrt)
                flat = graph.has_arrays and CONTRACT not in self._options.without
                return flattened(program) if flat else program
        except ExpressionError as error:
            raise ExpressionError(error.problem, self._source, error.span, error.hint) from None

    @uncollected
    def _generate(self, kind: str) -> Callable[..., Any]:
        program = self._program(kind)
        _cache.grow((self._source, self._options), self, len(program.graph.nodes))
        return callables(program, self._wrt, self._style, self._graph).fast()


def _are_several(points: object) -> bool:
    """Whether these are points, and not the numbers or the names of one."""
    if not isinstance(points, Iterable) or isinstance(points, Mapping):
        return False
    return not isinstance(points, Sequence) or not any(isinstance(p, Real) for p in points)


_cache: Cache[Function] = Cache(KEPT, WEIGHT)


def compile(  # noqa: PLR0913  (all but the source by name)
    source: str,
    *,
    inputs: str | Iterable[str] | None = None,
    wrt: str | Iterable[str] | None = None,
    shapes: Mapping[str, Sequence[Extent | str] | Extent] | None = None,
    without: Iterable[str] = (),
    stable: bool = True,
    limits: Limits = DEFAULT,
    cache: bool = True,
    threads: int = THREADS,
) -> Function:
    """Compile a formula, or a program of several lines, to a `Function`.

    Args:
        source: the text; see the README for the language.
        inputs: names of the arguments, in order; by default, in order of first appearance.
        wrt: names of the inputs to differentiate by; by default, every input.
        shapes: for each array input its extents, numbers, names or sums: `{"X": ("N", 2)}`, or
            as a text, `{"X": "N, 2"}`.  An input without a shape is a number.
        without: names of passes to leave out, of `PASSES`.
        stable: whether formulas that cancel or overflow take a form that does not; `False` leaves
            out the passes `stable`, `lowest`, `collect`, `regroup` and `limits`: what is written.
        limits: how large the source and its derivatives may be.
        cache: whether the function may be one compiled before from the same source and options;
            what is compiled a second time is kept, the 256 used last, as long as they are small.
        threads: how many share the work on large arrays; results do not depend on it.

    Raises `ExpressionError` for a wrong source, `TypeError` or `ValueError` for other arguments.
    """
    if not isinstance(source, str):
        raise TypeError(f"source: expected a string, got {type(source).__name__}")
    if not isinstance(limits, Limits):
        raise TypeError(f"limits: expected Limits, got {type(limits).__name__}")
    text = str.__str__(source)  # without what a subclass may add
    unstable = () if switch("stable", stable) else STABLE_PASSES
    given = names(inputs, "inputs"), names(wrt, "wrt"), passes({*passes(without), *unstable})
    found = shapes_of(shapes) if shapes else (), whole_number("threads", threads, 1)
    options = Options(*given, limits, *found)
    return _kept(text, options) if switch("cache", cache) else Function(text, *options)


def _kept(source: str, options: Options) -> Function:
    key = (source, options)
    found = _cache.get(key)
    if found is None:
        made = Function(source, *options)
        if not _cache.asked(key):  # most sources come once, and are not held for that
            return made
        weight = len(made._graph.nodes) + len(source) // CHARACTERS
        found = _cache.add(key, made, weight)
    return found


def clear_cache() -> None:
    """Forget the functions that `compile` keeps, and give back the memory of past results.

    Functions and results that are in use stay as they are.
    """
    _cache.clear()
    RECYCLED.clear()

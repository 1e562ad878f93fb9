"""Programs of arrays checked element by element, at small extents."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from ..arrayruntime import Signature
from ..check import FLOOR, TRIES, Checker, Findings, Plan, Quantity, visit
from ..errors import ExpressionError, nearest
from ..options import whole_number
from ..primitives import ARRAYS
from ..shapes import extent_names, shown, sized, solved
from .accuracy import by_output, measure
from .certificate import Accuracy, Certificate
from .elements import Elements, Point, Shape, assembled, names
from .reference import Span
from .sampling import usual, whole
from .unroll import elements_of, position_limits, unrolled

if TYPE_CHECKING:
    from ..compiler import Function

FIRST, LARGEST = 2, 9  # extents that are tried, if none are given
DRAWS = 20  # of positions, for each of these
MAX_SECOND = 8  # elements whose second partials are checked
TINY = 1e-120  # what SymPy leaves of 0, in the digits that it computes with
CHOLESKY = ARRAYS["cholesky"]


class ArrayChecker(Checker):
    """One check of a compiled function of arrays, at given extents."""

    def __init__(self, elements: Elements, findings: Findings) -> None:
        graph, output = elements.graph, elements.output
        super().__init__(elements, graph, output, elements.labels, findings)
        self.elements = elements

    def place(self, point: Point) -> Mapping[str, Any]:
        """A point as the arguments of the compiled function, arrays as nested lists."""
        arrays = self.elements.arrays(point)
        return {n: nested(arrays[n]) for n in self.elements.fn.inputs}

    def at(self, point: Point, quantities: Sequence[Quantity]) -> None:
        """Compare every method with the reference at one point."""
        super().at(point, quantities)
        if not self.elements.shape:
            self._second(point, quantities[0].scale)

    def _second(self, point: Point, scale: float) -> None:
        """The Hessian, and its product with a direction, where the second partials exist."""
        count = min(len(self.names), MAX_SECOND)
        rows = [j * len(self.names) // count for j in range(count)]
        some = [self.names[k] for k in rows]
        found = self.reference.curvatures(point, some)
        if not some or len(found) < count * (count + 1) // 2:
            return
        entries = [
            [self._entry(a, b, found.get((a, b), found.get((b, a))), scale, point) for b in some]
            for a in some
        ]
        second = [entry for row in entries for entry in row]
        self.compare("hessian", point, second, partial(self._hessian, rows))
        weights = [(-1) ** k * (1 + k / 8) for k in range(count)]
        direction = dict(zip(rows, weights, strict=True))
        wanted = [_weighted(name, row, weights) for name, row in zip(some, entries, strict=True)]
        self.compare("hvp", point, wanted, partial(self._hvp, direction))

    def _hessian(self, rows: Sequence[int], point: Point) -> list[float]:
        """Some rows and columns of the Hessian."""
        hessian = self.elements.hessian(**point)
        return [hessian[i][j] for i in rows for j in rows]

    def _hvp(self, direction: Mapping[int, float], point: Point) -> list[float]:
        """The Hessian times a direction, where that is not 0."""
        primals = [point[n] for n in self.elements.inputs]
        got = self.elements.hvp(primals, [direction.get(k, 0.0) for k in range(len(self.names))])
        return [got[k] for k in direction]

    def _entry(self, a: str, b: str, value: Any, scale: float, point: Point) -> Quantity:
        """A second partial; its scale is that of the output over those of the inputs."""
        part = scale / max(abs(point[a]), FLOOR) / max(abs(point[b]), FLOOR)
        label = f"d2{self.labels[0]}/d{a}d{b}"
        return Quantity(label, Span(value, value), max(part, abs(float(value))))

    def _arrays(self, point: Point) -> list[float]:
        return by_output(self.elements.jacobian(**point))

    def _by_sympy(self, point: Point) -> list[float]:
        """SymPy's values; of expressions that cancel, it leaves some 1e-165."""
        return [0.0 if abs(v) < TINY else v for v in super()._by_sympy(point)]

    def _formulas(self, point: Point) -> list[float]:
        if not self._derivatives:
            return []
        blocks = [f.value(**self.elements.arrays(point)) for f in self._derivatives]
        return by_output(self.elements.columns(blocks))

    @cached_property
    def _derivatives(self) -> list[Function]:
        """The derivatives as formulas, compiled; none, if the language has no words for one."""
        fn = self.elements.fn
        nodes = fn._graph.inputs
        declared = "".join(f"{n}: {shown(nodes[n].shape)}; " for n in fn.inputs if nodes[n].shape)
        try:
            texts = [declared + fn.derivative(name) for name in fn.wrt]
            return [type(fn)(text, fn.inputs, (), (), fn.limits) for text in texts]
        except ExpressionError as error:
            self.findings.skip("formula", error.problem)
            return []


def _weighted(name: str, row: Sequence[Quantity], weights: Sequence[float]) -> Quantity:
    """An element of the Hessian times a direction."""
    value = sum(w * q.want.low for w, q in zip(weights, row, strict=True))
    return Quantity(f"(H v)[{name}]", Span(value, value), 2 * sum(q.scale for q in row))


class _Subject:
    """A compiled function of arrays, and the checks of it near different points."""

    def __init__(self, fn: Function, extents: Mapping[str, int]) -> None:
        self.fn, self.given, self.findings = fn, extents, Findings()
        self.nodes, self.names = fn._graph.inputs, _extent_names(fn)
        self.checkers: dict[Any, ArrayChecker] = {}
        for name, size in extents.items():
            self._validate(name, size)

    def _validate(self, name: str, size: object) -> None:
        if name not in self.names:
            close = nearest(name, self.names) or " or ".join(self.names) or "none"
            raise ValueError(f"extents: {name} is no extent of this program; expected {close}")
        whole_number(f"extents: {name}", size, 0)

    def checker(self, elements: Elements) -> ArrayChecker:
        """The check near a point; one for all points that have the same program of scalars."""
        if elements.key not in self.checkers:
            self.checkers[elements.key] = ArrayChecker(elements, self.findings)
        return self.checkers[elements.key]

    # points that are given

    def at(self, point: Any) -> tuple[ArrayChecker, Point]:
        """A point as the check that it belongs to, and its elements."""
        arguments = self._arguments(point)
        lengths = [
            pair
            for name, node in self.nodes.items()
            for pair in zip(node.shape, getattr(arguments[name], "shape", ()), strict=True)
        ]
        extents = solved(lengths) | dict(self.given)
        checker = self.checker(Elements(self.fn, extents, arguments))
        return checker, elements_of({n: arguments[n] for n in checker.elements.shapes})

    def _arguments(self, point: Any) -> dict[str, Any]:
        """A point by name; raises `ValueError` and `TypeError` that name the argument."""
        names, wanted = self.fn.inputs, f"expected values for {', '.join(self.fn.inputs)}"
        if isinstance(point, str) or not isinstance(point, Iterable):
            raise TypeError(f"points: {wanted}, got {point!r}")
        values = list(point.values() if isinstance(point, Mapping) else point)
        given = list(point) if isinstance(point, Mapping) else list(names)
        if len(values) != len(names) or set(given) != set(names):
            raise ValueError(f"points: {wanted}, got {point!r}")
        by_name = dict(zip(given, values, strict=True))
        shapes = [(n, self.nodes[n].shape) for n in names]
        found = Signature(shapes).values([by_name[n] for n in names])
        return dict(zip(names, found, strict=True))

    # points that are drawn

    def at_random(self, seed: int) -> Iterator[tuple[ArrayChecker, Point]]:
        """Points without end, from the first on at which there is a value."""
        extents, positions = self._fitting(random.Random(seed))
        shapes = {n: sized(v.shape, extents) for n, v in self.nodes.items() if n not in positions}
        checker = None
        for point in itertools.islice(self._drawn(shapes, seed), TRIES):
            if checker is None:
                near = Elements(self.fn, extents, assembled(shapes, point) | positions)
                has_value = all(map(math.isfinite, near.value(**point)))
                checker = self.checker(near) if has_value else None
            if checker is not None:
                yield checker, point

    def ranges(self, elements: Elements, seed: int) -> dict[str, Iterator[Point]]:
        """Random points of usual size, and over the whole double range."""
        usually = self._drawn(elements.shapes, seed)
        return {"usual": usually, "whole": whole(elements.inputs, seed)}

    def _drawn(self, shapes: Mapping[str, Shape], seed: int) -> Iterator[Point]:
        for point in usual([e for n, shape in shapes.items() for e in names(n, shape)], seed):
            yield point
            if CHOLESKY in self.fn._graph.heads:
                yield definite(point, shapes)

    def _fitting(self, rng: random.Random) -> tuple[dict[str, int], dict[str, Any]]:
        """Small extents, and positions, with which the program makes sense."""
        problem: Exception | None = None
        for first in range(FIRST, LARGEST):
            sizes = {n: first + (k + 1) % 2 for k, n in enumerate(self.names)} | dict(self.given)
            for _ in range(DRAWS):
                positions = self._positions(sizes, rng)
                try:
                    unrolled(self.fn._graph, self.fn._output, sizes, positions)
                except ValueError as error:
                    problem = error
                else:
                    return sizes, positions
                if not positions:
                    break
        raise ValueError(f"extents: none of those tried fit, {problem}; give some, or points")

    def _positions(self, sizes: Mapping[str, int], rng: random.Random) -> dict[str, Any]:
        limits = position_limits(self.fn._graph, sizes)
        shapes = {n: sized(self.nodes[n].shape, sizes) for n in limits}
        return {
            n: assembled({n: s}, {e: float(rng.randrange(max(limits[n], 1))) for e in names(n, s)})[
                n
            ]
            for n, s in shapes.items()
        }


def _extent_names(fn: Function) -> list[str]:
    """The names of the extents of a program, in the order in which they appear."""
    shapes = (node.shape for node in fn._graph.inputs.values())
    return list(dict.fromkeys(n for s in shapes for e in s for n in sorted(extent_names((e,)))))


def definite(point: Point, shapes: Mapping[str, Shape]) -> dict[str, float]:
    """The point with square matrices B whose symmetric part is B B' + I."""
    import numpy as np

    found = assembled(shapes, point)
    for name, array in found.items():
        if len(shapes[name]) > 1 and shapes[name][-1] == shapes[name][-2]:
            turned = np.swapaxes(array, -1, -2)
            found[name] = array @ turned + np.eye(shapes[name][-1]) + (array - turned) / 4
    return elements_of(found)


def nested(value: Any) -> Any:
    """An array as nested lists of floats, or a number."""
    return value.tolist() if hasattr(value, "tolist") else value


def check(
    fn: Function, points: Sequence[Any] | None, plan: Plan, extents: Mapping[str, int]
) -> Certificate:
    """Compare every method with the program of scalars; see `Function.check`."""
    plan.validate()
    subject = _Subject(fn, extents)
    given = None if points is None else [subject.at(p) for p in points]
    pairs = subject.at_random(plan.seed) if given is None else given
    used, unchecked = visit(pairs, plan.samples if given is None else math.inf)
    accuracy = _accuracy(subject, given, plan)
    return subject.findings.certificate(fn, used, unchecked if given else (), accuracy, plan)


def _accuracy(
    subject: _Subject, given: Sequence[tuple[ArrayChecker, Point]] | None, plan: Plan
) -> Iterator[Accuracy]:
    """The bits of error near each of the points, or near the random ones."""
    for checker in subject.checkers.values():
        near = checker.elements
        points = None if given is None else [p for c, p in given if c is checker]
        drawn = subject.ranges(near, plan.seed)
        found = measure(near, near.graph, near.output, near.labels, points, plan.accuracy, drawn)
        yield from (a._replace(point=checker.place(a.point)) for a in found)

"""Laurent series whose coefficients are nodes of a graph, and their arithmetic."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

from ..graph import ADD, CONSTANT, DIVIDE, MULTIPLY, NEGATIVE, POWER, WHERE, Graph, Node
from ..partials import Pen
from .probes import Probes

CANCELS = "abs(f) <= 1e-9*(abs(x) + abs(y))"
ROUNDED = "abs(f) <= 1e-9*abs(x*slope)"


class NoSeries(Exception):  # noqa: N818  (which is no error)
    """There is none, or none was found."""


class Series(NamedTuple):
    """`terms[0]*h**start + terms[1]*h**(start + 1) + ...`, as far as the terms are known."""

    start: int
    terms: tuple[Node, ...]

    @property
    def end(self) -> int:
        """The first power of which the term is not known."""
        return self.start + len(self.terms)


class Line(NamedTuple):
    """Where a series goes from a root: to it plus `sign*h**step`."""

    step: int
    sign: int


class Arithmetic:
    """Operations on series of `count` terms each, which raise `NoSeries` if there is no result.

    In the graph nothing is rewritten or folded, so that the probes see what was rounded.

    Attributes:
        assumed: conditions, of inputs, that the series take for true.
    """

    def __init__(self, graph: Graph, probes: Probes, line: Line, count: int) -> None:
        self.graph, self.probes, self.count = graph, probes, count
        self.line = line
        self.assumed: dict[Node, None] = {}
        self.zero, self.one = graph.constant(0), graph.constant(1)

    def moving(self, root: Node) -> Series:
        """An input on the line from a root."""
        zeros = [self.zero] * (self.line.step - 1)
        return self.series(root, *zeros, self.graph.constant(self.line.sign))

    def taken(self, a: Series, count: int) -> list[Node]:
        """The first coefficients in powers of the distance; none, if it has not only such."""
        step, sign = self.line
        powers = range(0, count * step, step)
        others = (self.at(a, k) for k in range(a.start, min(a.end, powers[-1])) if k % step)
        if a.start < 0 or a.end <= powers[-1] or not all(map(self._is_zero, others)):
            return []
        terms = [self.at(a, power) for power in powers]
        return [self._minus(c) if k % 2 and sign < 0 else c for k, c in enumerate(terms)]

    def series(self, *terms: Node) -> Series:
        """A polynomial."""
        zeros = [self.zero] * (self.count - len(terms))
        return self.normal(Series(0, (*terms, *zeros)))

    def normal(self, series: Series) -> Series:
        """A series that begins with a term that is not 0."""
        start, terms = series
        first = next((k for k, c in enumerate(terms) if not self._is_zero(c)), len(terms))
        return Series(start + first, terms[first : first + self.count])

    def _is_zero(self, term: Node) -> bool:
        """Whether a term is 0; of one that inputs are in, this was asked where it was added up."""
        if term is self.zero or not self.probes.depends(term):
            return self.probes.vanishes(term)
        if self.probes.underflows(term):
            raise NoSeries
        return False

    def at(self, a: Series, power: int) -> Node:
        """The coefficient of a power that is known."""
        return a.terms[power - a.start] if power >= a.start else self.zero

    def add(self, a: Series, b: Series) -> Series:
        """The sum, as far as both are known."""
        powers = range(min(a.start, b.start), min(a.end, b.end))
        terms = [self._plus(self.at(a, k), self.at(b, k)) for k in powers]
        return self.normal(Series(powers.start, tuple(terms)))

    def subtract(self, a: Series, b: Series) -> Series:
        """The difference."""
        return self.add(a, self.negative(b))

    def negative(self, a: Series) -> Series:
        """The series with the other sign."""
        return Series(a.start, tuple(map(self._minus, a.terms)))

    def choose(self, condition: Node, a: Series, b: Series) -> Series:
        """One or the other, term by term."""
        powers = range(min(a.start, b.start), min(a.end, b.end))
        pairs = [(self.at(a, k), self.at(b, k)) for k in powers]
        terms = [x if x is y else self.graph.intern(WHERE, condition, x, y) for x, y in pairs]
        return self.normal(Series(powers.start, tuple(terms)))

    def multiply(self, a: Series, b: Series) -> Series:
        """The Cauchy product."""
        count = min(len(a.terms), len(b.terms))
        terms = [self._convolved(a.terms, b.terms, 0, k) for k in range(count)]
        return self.normal(Series(a.start + b.start, tuple(terms)))

    def divide(self, a: Series, b: Series) -> Series:
        """The quotient, term by term."""
        if not b.terms:
            raise NoSeries
        found = list[Node]()
        for k in range(min(len(a.terms), len(b.terms))):
            rest = self._minus(self._convolved(b.terms, found, 1, k))
            found.append(self._over(self._plus(a.terms[k], rest), b.terms[0]))
        return self.normal(Series(a.start - b.start, tuple(found)))

    def power(self, a: Series, exponent: Node) -> Series:
        """A power, by Miller's recurrence: Knuth, The Art of Computer Programming, 4.7."""
        if not a.terms:
            raise NoSeries
        first = a.terms[0]
        found = [first if first is self.one else self.graph.intern(POWER, first, exponent)]
        for k in range(1, len(a.terms)):
            weights = [self._weight(exponent, j, k) for j in range(1, k + 1)]
            above = self._convolved(
                [self.zero, *map(self._times, weights, a.terms[1:])], found, 1, k
            )
            found.append(self._over(above, self._times(self.graph.constant(k), first)))
        return Series(self._raised(a.start, exponent), tuple(found))

    def _raised(self, start: int, exponent: Node) -> int:
        """Where the power of a series starts: at a whole number, if not where the series does.

        On a line of squares the root of a square is known, but not that of a fourth power, which
        is a square itself.
        """
        if not start:
            return 0
        if exponent.op is not CONSTANT:
            raise NoSeries
        power = start * exponent.data
        is_root = exponent.data == 0.5 and self.line.step == 2 and power % 2 == 1
        if not is_root and exponent.data != math.floor(exponent.data):
            raise NoSeries
        return int(power)

    def _weight(self, exponent: Node, j: int, k: int) -> Node:
        """`j*exponent - (k - j)`, of Miller's recurrence."""
        product = self._times(self.graph.constant(j), exponent)
        return self._plus(product, self.graph.constant(j - k))

    def taylor(self, slopes: Sequence[Node], step: Series) -> Series:
        """A function whose derivatives are known, of a series that is 0 at 0: by Horner's rule."""
        found = self.series(self.zero)
        for order, slope in reversed([*enumerate(slopes)]):
            term = self._over(slope, self.graph.constant(math.factorial(order)))
            found = self.add(self.multiply(found, step), self.series(term))
        return found

    def _convolved(self, a: Sequence[Node], b: Sequence[Node], first: int, k: int) -> Node:
        products = (self._times(a[j], b[k - j]) for j in range(first, k + 1))
        return reduce(self._plus, products, self.zero)

    def _plus(self, x: Node, y: Node) -> Node:
        if x is self.zero or y is self.zero:
            return y if x is self.zero else x
        if (NEGATIVE, y) == (x.op, *x.args) or (NEGATIVE, x) == (y.op, *y.args):
            return self.zero
        return self._kept(self.graph.intern(ADD, x, y), CANCELS, x=x, y=y)

    def settled(self, f: Node, x: Node, slope: Node) -> Node:
        """A function's value: 0, if it is as small as `x` being rounded makes it."""
        return self._kept(f, ROUNDED, x=x, slope=slope)

    def _kept(self, term: Node, condition: str, **names: Node) -> Node:
        """A term; 0 if it is but for rounding, which a condition has to confirm."""
        if self.probes.underflows(term) or not self.probes.vanishes(term):
            return term
        if self.probes.depends(term):
            self.assumed[Pen(self.graph).written(condition, f=term, **names)] = None
        return self.zero

    def _minus(self, x: Node) -> Node:
        return x if x is self.zero else self.graph.intern(NEGATIVE, x)

    def _times(self, x: Node, y: Node) -> Node:
        if x is self.zero or y is self.zero:
            return self.zero
        if x is self.one or y is self.one:
            return y if x is self.one else x
        return self.graph.intern(MULTIPLY, x, y)

    def _over(self, x: Node, y: Node) -> Node:
        if x is self.zero or y is self.one:
            return x
        return self.one if x is y else self.graph.intern(DIVIDE, x, y)

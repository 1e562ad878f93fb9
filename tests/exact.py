"""Programs in mpmath's numbers, lazily as doubles are: what a branch not taken lacks, nobody asks.

Values here are real and finite, or absent.  Slopes are difference quotients from both sides; no
partial of the table is involved, unless the program that is evaluated is itself a derivative.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

from autodiff_compiler.backends.evaluate import mpmath_algebra
from autodiff_compiler.backends.lowering import lower
from autodiff_compiler.checking.reference import FAILURES
from autodiff_compiler.derivatives import Program
from autodiff_compiler.graph import AND, CONSTANT, INPUT, OR, WHERE

SMALLEST, NORMAL, LARGEST = 5e-324, 2.3e-308, 1.7976931348623157e308
MAX_EXPONENT = 20_000  # binary; beyond, mpmath would need millions of digits for the next function
DIGITS = 50
FINE, FINEST = 120, 1500  # digits to decide a disagreement with; the latter where sizes are extreme
PLACES = {FINE: 30, FINEST: 400}  # of the coarser step, relative to the input
STEADY = 1e-8  # relative change between two steps below which a quotient has converged
CHANGE = 3  # factor between two steps by which a quotient grows to infinity, or falls to 0

STEPS = frozenset(
    {"floor", "ceil", "trunc", "rint", "mod", "fmod"}
)  # jump where a quotient is whole
TIES = frozenset({"less", "less_equal", "greater", "greater_equal", "equal", "not_equal", "sign"})
KINKS = frozenset({"maximum", "minimum", "fmax", "fmin", "abs"})
JUMPS = frozenset({"copysign", "power"})  # the latter at 0**0
NEAR = 1e-30  # relative distance of a tie that is none, or is one by rounding


class TooLong(BaseException):
    """A time limit; no `except Exception` of mpmath's or SymPy's may swallow it."""


class Interval(NamedTuple):
    """All a slope may be: one number, or at a kink everything between the slopes of the sides."""

    low: object
    high: object

    def distance(self, value):
        return max(self.low - value, value - self.high, 0 * value)

    @property
    def size(self):
        return max(abs(self.low), abs(self.high))


@cache
def algebra(digits):
    return mpmath_algebra(digits)


def failures():
    from mpmath.libmp import NoConvergence

    return (*FAILURES, NoConvergence)


class Exact:
    """The outputs of a program in mpmath's numbers of so many digits.

    `supports` says which rows a backend has, so that others are replaced by their definitions as
    the backend would; `step`, called with row, arguments and value, may alter a value.
    """

    def __init__(self, graph, outputs, digits=DIGITS, supports=None):
        self.algebra, self.digits = algebra(digits), digits
        self.mp = self.algebra.module
        self.mp.dps = digits  # which a time limit may have left otherwise, inside of mpmath
        self.failures = failures()
        program = Program("value", graph, tuple(graph.inputs.values()), tuple(outputs))
        for accepts in (supports, self.algebra.supports):
            program = lower(program, accepts) if accepts else program
        self.outputs = program.leaves()
        self.nodes = program.graph.ancestors(self.outputs)

    def at(self, point, step=None):
        """The outputs at `point`, name to number; `None` where there is no real, finite value."""
        values = {}
        for node in self.nodes:
            if node.op is CONSTANT:
                value = self.constant(node.data)
            elif node.op is INPUT:
                value = point[node.data]
            else:
                value = self.apply(node.op, [values[a] for a in node.args])
            if step is not None and value is not None:
                value = step(node, [values[a] for a in node.args], value)
            values[node] = value
        return [values[node] for node in self.outputs]

    def constant(self, data):
        if isinstance(data, float) and not math.isfinite(data):
            return None
        return data if isinstance(data, bool) else self.mp.mpf(data)

    def apply(self, row, args):
        if row is WHERE:
            return None if args[0] is None else args[1] if args[0] else args[2]
        if row in (AND, OR) and args[0] is not None and bool(args[0]) is (row is OR):
            return args[0]
        if None in args:
            return None
        try:
            return self.accepted(self.algebra.apply(row, args))
        except self.failures:
            return None

    def accepted(self, value):
        """A truth value or a real, finite number; a number so large that it cannot go on is none."""
        if isinstance(value, bool):
            return value
        if not isinstance(value, self.mp.mpf):
            return None if isinstance(value, self.mp.mpc) else self.mp.mpf(value)
        _, mantissa, exponent, bits = value._mpf_
        if not mantissa:
            return value if not exponent else None  # zero, or an infinity or nan
        return value if abs(exponent + bits) < MAX_EXPONENT else None

    def numbers(self, point):
        """A point of doubles in mpmath's numbers."""
        return {name: self.mp.mpf(value) for name, value in point.items()}


class Quotients:
    """Slopes of every output of a program: from the left and from the right."""

    def __init__(self, graph, outputs, digits=DIGITS):
        self.exact = Exact(graph, outputs, digits)
        self.outputs = outputs

    def values(self, point):
        return self.exact.at(self.exact.numbers(point))

    def quick(self, point, name, here):
        """Intervals by one step of 1e-20 to each side: right for all but extreme points."""
        step = self.exact.mp.mpf(10) ** -20 * max(1, abs(point[name]))
        sides = [self.side(point, name, here, h) for h in (-step, step)]
        return [interval(found) for found in zip(*sides, strict=True)]

    def careful(self, point, name, here):
        """Intervals by two steps to each side, small beside the input; infinite where they grow."""
        mp = self.exact.mp
        places = PLACES[self.exact.digits]
        # A wave or a remainder goes through whole periods in a step that is relative to 1e300.
        size = min(abs(mp.mpf(point[name])), 1) or mp.mpf(10) ** -places
        rows = []
        for sign in (-1, 1):
            steps = [sign * size * mp.mpf(10) ** -k for k in (places, places + 8)]
            coarse, fine = (self.side(point, name, here, h) for h in steps)
            rows.append([self.limit(*pair) for pair in zip(coarse, fine, strict=True)])
        return [interval(found) for found in zip(*rows, strict=True)]

    def side(self, point, name, here, h):
        moved = self.exact.numbers(point)
        moved[name] += h
        there = self.exact.at(moved)
        return [None if None in (a, b) else (b - a) / h for a, b in zip(here, there, strict=True)]

    def ends(self, point, here):
        """Whether some output has values on one side of the point only."""
        for name in point:
            step = self.exact.mp.mpf(10) ** -20 * max(1, abs(point[name]))
            left, right = (self.side(point, name, here, h) for h in (-step, step))
            if any((a is None) != (b is None) for a, b in zip(left, right, strict=True)):
                return True
        return False

    def limit(self, coarse, fine):
        if coarse is None or fine is None:
            return None
        if abs(coarse - fine) <= STEADY * abs(fine):
            return fine
        if max(abs(coarse), abs(fine)) <= self.exact.mp.mpf(10) ** (-self.exact.digits // 4):
            return fine * 0  # the last digits
        if abs(fine) > CHANGE * abs(coarse):
            return self.exact.mp.sign(fine) * self.exact.mp.inf
        return fine * 0 if CHANGE * abs(fine) < abs(coarse) else None


def interval(sides):
    found = [side for side in sides if side is not None]
    return Interval(min(found), max(found)) if found else None


class Sizes(NamedTuple):
    """What sizes of numbers a program meets at a point."""

    digits: int  # that hold the differences
    beyond: bool  # whether one is larger than doubles are, or smaller
    pole: bool  # whether one is larger the more digits there are: `cot(pi)`


def sizes(graph, outputs, point):
    """The sizes of numbers that a program meets at a point."""
    met, finer = (_met(Exact(graph, outputs, n), point) for n in (DIGITS, 2 * DIGITS))
    moderate = all(1e-20 < size < 1e20 for size in met.values())
    beyond = any(not SMALLEST <= size <= LARGEST for size in met.values())
    grown = (n for n, size in met.items() if size > 1e20 and finer.get(n, 0) > 2 * size)
    return Sizes(FINE if moderate else FINEST, beyond, any(grown))


def _met(exact, point):
    """The sizes of the numbers of each operation, in order, that are not 0."""
    met = {}

    def step(node, args, value):
        if not isinstance(value, bool) and value:
            met[node.index] = abs(value)
        return value

    exact.at(exact.numbers(point), step)
    return met


class Ties(NamedTuple):
    """Whether a point lies on a branch or on several kinks, or almost on one.

    There the chain rule follows the conventions of each, and need not give a slope of the whole.
    """

    meet: bool
    late: bool
    any: bool


def ties(exact, point):
    """The ties that a program meets at a point."""
    gaps, branches = [], []

    def step(node, args, value):
        if node.op.name in TIES | KINKS | STEPS | JUMPS and None not in args:
            gap = _gap(node.op.name, args)
            gaps.append(gap)
            branches.append(gap == 0 and node.op.name not in KINKS)
        return value

    exact.at(exact.numbers(point), step)
    late = any(0 < gap <= NEAR for gap in gaps)
    return Ties(any(branches) or gaps.count(0) > 1, late, 0 in gaps)


def _gap(name, args):
    """How far the arguments are from where they would tie, relative to their sizes."""
    if name in STEPS:
        quotient = args[0] / args[1] if len(args) > 1 and args[1] else args[0]
        doubled = 2 * quotient
        return abs(doubled - doubled.context.nint(doubled)) / max(1, abs(doubled))
    if name in JUMPS:
        return (max if name == "power" else min)(map(abs, args))
    other = args[1] if len(args) > 1 else 0
    return abs(args[0] - other) / max(abs(args[0]), abs(other), NEAR)

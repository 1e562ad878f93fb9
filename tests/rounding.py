"""Whether a double that differs from the exact number differs by rounding alone.

The program that made it is evaluated again in many digits, once as it is and then with the rounding
errors that doubles commit, drawn at random at every operation.  As it is, it must give the exact
number: else the derivative itself is wrong.  The double must lie where the others scatter.
"""

from __future__ import annotations

import math
import random

from exact import DIGITS, LARGEST, NORMAL, SMALLEST, STEPS, TIES, Exact

import autodiff_compiler as ac
from autodiff_compiler.graph import ADD, CONSTANT, INPUT, MULTIPLY, SUBTRACT
from autodiff_compiler.primitives import lookup, special

FEW, SAMPLES, MANY = 3, 6, 100  # random evaluations
ROUNDING = 2.0**-52  # of an operation: an ulp, which is what `math` and NumPy promise at best
WHOLE = 2**53  # doubles beyond it have no digits after the point
MARGIN = 50  # how many times farther than the samples a double may lie
TIGHT = 1e-11  # relative, for the program as it is
UNTOUCHED = frozenset(  # operations that round nothing
    {
        "negative",
        "abs",
        "where",
        "maximum",
        "minimum",
        "fmax",
        "fmin",
        "sign",
        *STEPS - {"mod", "fmod"},
    }
)
DIFFERENCE = 1e-9  # what a partial that is a difference promises, relative to the function

SIGNED = frozenset(map(lookup, ("arctan2", "copysign")))
AGREES, ROUNDED = "agrees", "rounded"
SINGULAR = "the chain rule meets 0*inf or inf - inf there"
RANGE = "an intermediate is beyond the range of doubles"
INEXACT = "SciPy's function is inexact there"
SIGN = "the sign of a zero decides"
WRONG, UNEXPLAINED = "the derivative is another function", "more than rounding"


class Rounding:
    """A program evaluated with random errors; notes what else happens on the way."""

    def __init__(self, exact, seed):
        self.exact, self.mp = exact, exact.mp
        self.rng = random.Random(seed)
        self.beyond = self.inexact = self.zero = False

    def constants(self, node, args, value):
        """The errors of constants alone: folded ones are rounded, so those that are not round may be."""
        if node.op is not CONSTANT or isinstance(node.data, bool):
            return value
        exact = isinstance(node.data, int) and abs(node.data) < WHOLE
        return value if exact else value + value * (self.rng.uniform(-1, 1) * ROUNDING)

    def everything(self, node, args, value):
        """The error of every operation, SciPy's as they are measured; comparisons of equals by lot."""
        row = node.op
        if row is INPUT or row.name in UNTOUCHED:
            return value
        if row.name in TIES or row.boolean:
            return self.compared(row, args, value)
        if row is CONSTANT:
            return self.constants(node, args, value)
        self.zero |= row in SIGNED and 0 in args
        size = abs(value)
        self.beyond |= size > LARGEST or 0 < size < NORMAL
        error = self.error(row, args, value)
        rounded = value + value * (self.rng.uniform(-1, 1) * error)
        if NORMAL <= size <= LARGEST:
            return self.mp.mpf(
                float(rounded)
            )  # on the grid of doubles, which is coarse beyond 2**50
        return rounded + self.rng.uniform(-1, 1) * SMALLEST

    def compared(self, row, args, value):
        if row.name not in TIES or len(args) != 2 or args[0] == args[1]:
            return value
        close = abs(args[0] - args[1]) <= 8 * ROUNDING * abs(args[0])
        return self.rng.random() < 0.5 if close else value

    def error(self, row, args, value):
        """Relative error of an operation: of SciPy's what is measured on the same arguments."""
        if row in (ADD, SUBTRACT, MULTIPLY) and _whole(value) and all(map(_whole, args)):
            return 0.0
        if row not in special.ROWS or row.python:
            return ROUNDING
        got = float(_function(row)(*map(float, args)))
        if not math.isfinite(got):
            self.inexact = True
            return ROUNDING
        want = self.exact.apply(row, [self.mp.mpf(float(a)) for a in args])
        error = 0.0 if want is None else float(abs(got - want) / (abs(want) or SMALLEST))
        self.inexact |= error > 1e-6
        return max(8 * ROUNDING, 2 * error)


def _whole(value):
    return abs(value) < WHOLE and value == int(value)


_FUNCTIONS = {}


def _function(row):
    if row not in _FUNCTIONS:
        _FUNCTIONS[row] = ac.compile(f"{row.name}({', '.join(row.args)})", inputs=row.args)
    return _FUNCTIONS[row]


def differences(nodes):
    """Whether a partial may take part that is a difference: `4/105` is one of its weights."""
    return any("4/105" in (partial or "") for node in nodes for partial in node.op.partials)


class Suspect:
    """A program that gave a double which has to be explained."""

    def __init__(self, program, supports):
        self.graph, self.leaves, self.supports = program.graph, program.leaves(), supports
        self._evaluations, self._scatters = {}, {}

    def evaluation(self, digits):
        if digits not in self._evaluations:
            self._evaluations[digits] = Exact(self.graph, self.leaves, digits, self.supports)
        return self._evaluations[digits]

    def explain(self, leaf, point, got, want, digits):
        """A word for `got`, output `leaf` at a point, where `want` was to be hit, and how far it may be."""
        exact = self.evaluation(digits)
        itself = exact.at(exact.numbers(point))[leaf]
        if itself is None:
            return SINGULAR, 0
        allowed = self.allowed(leaf, point, itself, want) + exact.mp.mpf(10) ** (-digits // 4)
        if want.distance(itself) > allowed:
            _, state = self.scatter(leaf, point, Rounding.everything, itself, SAMPLES)
            excuse = INEXACT if state.inexact else RANGE if state.beyond else WRONG
            return excuse if math.isnan(got) else WRONG, 0
        for samples in (SAMPLES, MANY):
            scatter, state = self.scatter(leaf, point, Rounding.everything, itself, samples)
            if scatter is None:
                return ROUNDED, 0  # rounding alone leads out of some domain
            reach = MARGIN * scatter + allowed
            if not math.isfinite(got) and scatter > abs(itself) / 2:
                return ROUNDED, reach  # no digit is certain, nor that there is a number
            if math.isfinite(got) and want.distance(exact.mp.mpf(got)) <= reach:
                return ROUNDED, reach
        excuses = {RANGE: state.beyond, INEXACT: state.inexact, SIGN: state.zero}
        return next((word for word, holds in excuses.items() if holds), UNEXPLAINED), 0

    def allowed(self, leaf, point, itself, want):
        """How far the program as it is may be off: constants are rounded, and some partials differences."""
        scatter, _ = self.scatter(leaf, point, Rounding.constants, itself, FEW)
        allowed = TIGHT * abs(itself) + MARGIN * (scatter or 0)
        if differences(self.evaluation(DIGITS).nodes):
            scatter, _ = self.scatter(leaf, point, Rounding.everything, itself, SAMPLES)
            allowed += DIFFERENCE * max(1, want.size) + 1000 * (scatter or 0)
        return allowed

    def scatter(self, leaf, point, errors, centre, count):
        """How far samples lie from the centre, `None` if some have no value; and what they met."""
        key = errors.__name__, count, *point.values()
        if key not in self._scatters:
            exact = self.evaluation(DIGITS)
            state, numbers = Rounding(exact, count), exact.numbers(point)
            step = errors.__get__(state)
            self._scatters[key] = [exact.at(numbers, step) for _ in range(count)], state
        samples, state = self._scatters[key]
        found = [sample[leaf] for sample in samples]
        return None if None in found else max(abs(v - centre) for v in found), state

"""Programs and their partials exactly: in as many digits as it takes to know each as a double.

No single precision is believed: at any, x + y loses y altogether if that is small enough, and
1 - cos(x) is 0.  So a number counts as known once four evaluations agree that differ in precision,
in the steps of their differences, and in the side to which each operation rounds.
"""

from __future__ import annotations

import math
import re
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from ..backends.evaluate import Evaluation, mpmath_algebra
from ..graph import POWER, WHERE, Graph, Node, dependents
from ..primitives import Primitive
from ..primitives.ieee import has_python
from ..runtime import operation
from .reference import FAILURES

# Bits of the evaluations that must agree; if they do not, those of the next level may.
LEVELS = tuple(tuple(b + b * k // 6 for k in range(4)) for b in (128, 384, 1792, 4608))

# Floor or ceiling in the four of a level: of any two, the same in some and opposite in some.
SIDES = ("fffc", "ffcf", "fcff", "ffcc", "fcfc", "fccf", "fccc")
OPPOSITE = {"f": "c", "c": "f"}
KNOWN = 64  # bits in which they must agree
LEAST, MOST = -1080, 1025  # binary exponents beyond which all numbers are the same to a double

FREE = frozenset(
    {"add", "subtract", "multiply", "divide", "negative", "abs", "sqrt", "maximum", "minimum"}
)  # cheap for numbers of any size
REACH = range(-100_000, 4200)  # binary exponents of what the other functions are asked for
LARGE = range(-100_000, 64)  # of powers, whose results have longer exponents than digits beyond
NEAR, NEARER = range(-1100, 6), range(-20, 6)  # where mpmath sums long series; with parameters
SERIES = (NEAR, NEARER)
EASY = 2  # levels of a program with such functions


class Work(NamedTuple):
    """How long an operation takes, in additions: of few digits, and from how many bits longer."""

    least: float
    bits: float

    def at(self, precision: int) -> float:
        """The work in a precision."""
        return self.least * (1 + (precision / self.bits) ** 2)


COSTS: Mapping[range | None, Work] = {
    None: Work(1, 1000),
    REACH: Work(5, 500),
    LARGE: Work(5, 500),
    NEAR: Work(500, 1000),
    NEARER: Work(500, 1000),
}
SLOW = Work(20, 250)  # functions of statistics, by series that get longer with the digits
OF_STATISTICS = frozenset({"erf", "erfc", "erf_difference", "ndtr", "gamma", "gammaln"})

JUMPS = frozenset({"floor", "ceil", "trunc", "rint", "sign"})  # smooth in pieces, as conditions are
REMAINDERS = frozenset({"mod", "fmod"})  # smooth where the quotient is the same
PERIODIC = frozenset({"sinpi", "cospi", "tanpi", "sinc", "sind", "cosd", "tand"})  # exactly
WAVES = frozenset(
    {"sin", "cos", "tan", "sec", "csc", "cot", "sinpi", "cospi", "tanpi", "sinc"}
    | {"gamma", "gammaln", "factorial"}
)  # their slopes change over a length of one, wherever they are
SMOOTH = 0.1  # the most that their arguments may change over the step of a difference
ROUNDED = FREE | JUMPS | REMAINDERS  # exactly, or to the side asked for; others as they like


class Digits(Evaluation):
    """Evaluation to many digits, again and again; `None` is a node without a real value."""

    def __init__(self, graph: Graph, outputs: Sequence[Node]) -> None:
        from mpmath.libmp import NoConvergence

        algebra = mpmath_algebra(15)
        super().__init__(graph, outputs, algebra)
        self.mp, self._failures = algebra.module, (*FAILURES, NoConvergence)
        self._run, self._last = 0, False
        rows = {node.op for node in self.nodes}
        self._reach = {row: _reach(row) for row in rows}
        self.levels = LEVELS[:EASY] if {*SERIES} & {*self._reach.values()} else LEVELS
        self.spent = 0.0
        self.flipped = False  # whether operations round to the opposite sides

    def begin(self, precision: int, run: int) -> None:
        """Set the precision of a run, and which of the four of its level it is."""
        self.mp.prec, self._run = precision, run
        self._last = precision >= self.levels[-1][0]
        self._round("n")

    def _round(self, side: str) -> None:
        self.mp._prec_rounding[1] = side

    def values(self, point: Mapping[str, Any]) -> dict[Node, Any]:
        """The value of every node, in the digits of the run."""
        found: dict[Node, Any] = {}
        self.fill(found, self.nodes, {name: self.mp.mpf(v) for name, v in point.items()})
        return found

    def fill(
        self, values: dict[Node, Any], nodes: Iterable[Node], point: Mapping[str, Any]
    ) -> None:
        """As `Evaluation.fill`; rounds to nearest again after it."""
        nodes = list(nodes)
        super().fill(values, nodes, point)
        self._round("n")
        self.spent += sum(self._work(v).at(self.mp.prec) for v in nodes)

    def apply(self, node: Node, args: Sequence[Any]) -> Any:
        """As `Evaluation.apply`; `None` where there is no real value, or none to be had.

        What more digits may tell is nan.
        """
        decided = args[:1] if node.op is WHERE else args
        if any(a is None for a in decided):
            return None
        if any(map(self.mp.isnan, decided)) or self._is_blind(node.op, args):
            return self.mp.nan
        if node.op is WHERE:
            return args[1] if args[0] else args[2]
        return None if self._is_far(node.op, args) else self._applied(node, args)

    def _applied(self, node: Node, args: Sequence[Any]) -> Any:
        """What mpmath makes of it; nan where its own formula may have cancelled."""
        self._round(self._side(node))
        try:
            found = self.algebra.apply(node.op, args)
        except self._failures:
            return None
        may_cancel = callable(node.op.mpmath) and node.op.name not in ROUNDED
        if may_cancel and not node.op.boolean and not found and any(args) and not self._last:
            return self.mp.nan
        return None if isinstance(found, self.mp.mpc) else found

    def _side(self, node: Node) -> str:
        """Which way to round; mpmath's own series are left alone."""
        if not has_python(node.op):
            return "n"
        side = SIDES[node.index % len(SIDES)][self._run]
        return OPPOSITE[side] if self.flipped else side

    def _is_far(self, row: Primitive, args: Sequence[Any]) -> bool:
        reach = self._reach[row]
        if reach is None:
            return False
        # Not by `in`, which counts all numbers of a range to look for an infinity.
        if any(a and not reach.start <= self.mp.mag(a) < reach.stop for a in args):
            return True
        # Long series may never end where there is no value; doubles tell.
        return reach in SERIES and math.isnan(operation(row)(*map(double, args)))

    def _is_blind(self, row: Primitive, args: Sequence[Any]) -> bool:
        """Whether what is left over of whole periods needs more digits than there are."""
        if row.name not in REMAINDERS | PERIODIC or not all(args):
            return False
        period = self.mp.mag(args[1]) if row.name in REMAINDERS else 1
        return bool(self.mp.mag(args[0]) - period > self.mp.prec - 2 * KNOWN)

    def is_smooth(self, node: Node, ends: Sequence[Mapping[Node, Any]]) -> bool:
        """Whether a step from one end to the other stays on one smooth piece of a row."""
        values = [end[node] for end in ends]
        if any(v is None for v in values):
            return True
        args = [[end[a] for a in node.args] for end in ends]
        if node.op.boolean or node.op.name in JUMPS:
            return bool(values[0] == values[1])
        if node.op.name in REMAINDERS:
            (x0, y0), (x1, y1) = args
            if not (y0 and y1):
                return False
            first, last = (x0 - values[0]) / y0, (x1 - values[1]) / y1
            return bool(abs(first - last) < SMOOTH)
        if is_wave(node.op) and not all(abs(a - b) < SMOOTH for a, b in zip(*args, strict=True)):
            return False
        return values[0] != values[1] or not self._is_stuck(node, values[0], args)

    def _is_stuck(self, node: Node, value: Any, args: Sequence[Sequence[Any]]) -> bool:
        """Whether a value that stays where its arguments move has too few digits to show it."""
        if node.op.name in ROUNDED or node.op is WHERE or not value:
            return False
        steps = [b - a for a, b in zip(*args, strict=True) if a != b]
        if not steps:
            return False
        step = max(map(self.mp.mag, steps))
        return not self._last or self.mp.mag(value) - self.mp.prec - step > LEAST

    def agree(self, rows: Sequence[Any]) -> bool:
        """Whether evaluations in a row are the same to a double; nan is never known."""
        last = rows[-1]
        if last is None:
            return all(other is None for other in rows)
        return all(other is not None and self._same(other, last) for other in rows[:-1])

    def _same(self, a: Any, b: Any) -> bool:
        if a == b:
            return True
        if not (self.mp.isfinite(a) and self.mp.isfinite(b)):
            return False
        sizes = self.mp.mag(a), self.mp.mag(b)
        if max(sizes) < LEAST or (min(sizes) > MOST and (a > 0) == (b > 0)):
            return True
        return bool(self.mp.mag(a - b) <= sizes[1] - KNOWN)

    def _work(self, node: Node) -> Work:
        return SLOW if node.op.name in OF_STATISTICS else COSTS[self._reach[node.op]]

    def known(self, point: Mapping[str, float], node: Node) -> dict[Node, Any] | None:
        """Values of all nodes, in digits enough to know one of them."""
        for level in self.levels:
            values = list(self._level(level, point))
            if self.agree([row[node] for row in values]):
                return values[-1]
        return None

    def _level(self, level: Sequence[int], point: Mapping[str, float]) -> Iterator[dict[Node, Any]]:
        for run, precision in enumerate(level):
            self.begin(precision, run)
            yield self.values(point)


@cache
def is_wave(row: Primitive) -> bool:
    """Whether a row, or what its slopes or its definition are made of, is a wave."""
    texts = " ".join(text for text in (row.define, *row.partials) if text)
    return row.name in WAVES or not WAVES.isdisjoint(re.findall(r"\w+", texts))


def _reach(row: Primitive) -> range | None:
    if row.name in FREE or row.boolean or row is WHERE:
        return None
    if has_python(row) or not row.scipy:
        return LARGE if row is POWER else REACH
    return NEAR if row.arity == 1 else NEARER


class Exact:
    """The outputs of a program, and their partials by some inputs."""

    def __init__(self, graph: Graph, outputs: Sequence[Node], names: Sequence[str]) -> None:
        self._digits, self._names = Digits(graph, outputs), tuple(names)
        digits = self._digits
        moving = {n: dependents(digits.nodes, [digits.graph.inputs[n]]) for n in names}
        self._moving = {n: [v for v in digits.nodes if v in moving[n]] for n in names}

    @property
    def spent(self) -> float:
        """The work so far, in additions of few digits."""
        return self._digits.spent

    def at(self, point: Mapping[str, float]) -> list[float | None]:
        """The outputs, then their partials output by output, each rounded to a double once.

        `None` where there is no real value, where the slopes of two sides differ, or where the
        evaluations do not agree in the end.
        """
        count = len(self._digits.outputs) * (1 + len(self._names))
        pending, found = set(range(count)), dict[int, Any]()
        for level in self._digits.levels:
            rows = []
            for run, precision in enumerate(level):
                self._digits.begin(precision, run)
                rows.append(self._evaluate(point, pending))
            for k in sorted(pending):
                if self._digits.agree([row[k] for row in rows]):
                    pending.remove(k)
                    found[k] = rows[-1][k]
            if not pending:
                break
        return [None if found.get(k) is None else double(found[k]) for k in range(count)]

    def _evaluate(self, point: Mapping[str, float], pending: set[int]) -> list[Any]:
        values = self._digits.values(point)
        here = [values[node] for node in self._digits.outputs]
        first, width = len(here), len(self._names)
        wanted = {self._names[(k - first) % width] for k in pending if k >= first}
        nothing = [None] * first
        columns = [self._slopes(values, point, n) if n in wanted else nothing for n in self._names]
        return here + [column[k] for k in range(first) for column in columns]

    def _slopes(
        self, values: Mapping[Node, Any], point: Mapping[str, float], name: str
    ) -> list[Any]:
        """Central differences; nan across a jump or a wave, where a smaller step may do."""
        digits = self._digits
        if all(values[node] is None for node in digits.outputs):
            return [None] * len(digits.outputs)
        x = digits.mp.mpf(point[name])
        step = digits.mp.ldexp(abs(x) or 1, -(digits.mp.prec // 3))
        below, above = (self._moved(values, point, name, x, h) for h in (-step, step))
        if not all(digits.is_smooth(v, (below, above)) for v in self._moving[name]):
            return [digits.mp.nan] * len(digits.outputs)
        none = (None, digits.mp.inf, digits.mp.ninf)
        ends = ((below[node], above[node]) for node in digits.outputs)
        return [None if a in none or b in none else (b - a) / (2 * step) for a, b in ends]

    def _moved(
        self, values: Mapping[Node, Any], point: Mapping[str, float], name: str, x: Any, step: Any
    ) -> dict[Node, Any]:
        """The values a step away.

        The steps to both sides round to opposite ones, or what is too small to count would not
        show in their difference.
        """
        moved = dict(values)
        self._digits.flipped = step > 0
        self._digits.fill(moved, self._moving[name], {**point, name: x + step})
        self._digits.flipped = False
        return moved


def double(value: Any) -> float:
    """A number of many digits as the nearest double, rounded once."""
    if isinstance(value, bool) or not value or value - value != 0:
        return float(value)
    mantissa, exponent = (int(part) for part in value.man_exp)
    size = exponent + mantissa.bit_length()
    if not LEAST < size <= MOST:
        return math.copysign(math.inf if size > MOST else 0.0, value)
    try:
        ratio = mantissa << exponent if exponent > 0 else mantissa
        found = ratio / (1 << max(0, -exponent))
    except OverflowError:
        found = math.inf
    return -abs(found) if value < 0 else abs(found)


def bits(got: float, want: float) -> float:
    """Bits of error: the binary logarithm of one more than the steps between two doubles.

    0 is the right double, 1 its neighbour, 53 no digit in common; 64 stands for an infinity or
    nan that should be a number, or a number that should be none.
    """
    if math.isnan(got) or math.isinf(got) or math.isinf(want):
        return 0.0 if got == want else 64.0
    return math.log2(1 + abs(_position(got) - _position(want)))


def _position(value: float) -> int:
    """Where a double stands among all doubles; both zeros are at 0."""
    size: int = struct.unpack("<q", struct.pack("<d", abs(value)))[0]
    return -size if value < 0 else size

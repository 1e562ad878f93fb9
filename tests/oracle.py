"""An independent oracle: mpmath evaluates, and differentiates by differences in high precision."""

from __future__ import annotations

import math

import numpy as np

from autodiff_compiler.backends.evaluate import Evaluation, mpmath_algebra
from autodiff_compiler.parser import parse

DIGITS = 50


class Oracle:
    """Value and partials of a scalar formula; nothing of the table's derivatives is involved."""

    def __init__(self, source, inputs=None, digits=DIGITS):
        graph, output = parse(source, inputs)
        self.names, self._digits = tuple(graph.inputs), digits
        self._algebra = mpmath_algebra(digits)
        self._evaluation = Evaluation(graph, [output], self._algebra)

    def value(self, *point):
        return self._evaluate(list(map(self._algebra.constant, point)))

    def partial(self, k, *point):
        x = list(map(self._algebra.constant, point))
        h = self._algebra.constant(10) ** -(self._digits // 3) * (abs(x[k]) or 1)
        above = self._evaluate([v + h * (j == k) for j, v in enumerate(x)])
        below = self._evaluate([v - h * (j == k) for j, v in enumerate(x)])
        return (above - below) / (2 * h)

    def gradient(self, *point):
        return [self.partial(k, *point) for k in range(len(point))]

    def _evaluate(self, point):
        return self._evaluation.at(dict(zip(self.names, point, strict=True)))[0]


def close(got, want, rtol, atol=0.0):
    want = float(want)
    return got == want or abs(got - want) <= atol + rtol * abs(want)


def bits(got, want):
    """Bits of error: how many doubles lie between, as a logarithm."""
    if got == want or (math.isnan(got) and math.isnan(want)):
        return 0.0
    if not (math.isfinite(got) and math.isfinite(want)):
        return 64.0
    ordinals = [int(np.float64(v).view(np.int64)) for v in (got, want)]
    first, second = (i if i >= 0 else -(i & (2**63 - 1)) for i in ordinals)
    return math.log2(1 + abs(first - second))

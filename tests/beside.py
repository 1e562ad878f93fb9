"""A high-precision evaluation right next to a point at which a formula itself has no value."""

import mpmath
from oracle import Oracle

DIGITS = 700
MP = mpmath.mp.clone()
MP.dps = DIGITS
NEXT = MP.mpf(10) ** -60


class Beside:
    """Value and slopes of a formula right next to a point, where nothing is 0/0."""

    def __init__(self, source, names, point):
        self.oracle = Oracle(source, names, DIGITS)
        self.point = [MP.mpf(value) + (k + 1) * NEXT for k, value in enumerate(point)]
        self.each = range(len(point))

    def first(self):
        partials = (self.oracle.partial(k, *self.point) for k in self.each)
        return [float(v) for v in (self.oracle.value(*self.point), *partials)]

    def second(self):
        return [[self._second(k, j) for j in self.each] for k in self.each]

    def _second(self, k, j):
        step = NEXT**2
        sides = [[v + sign * step * (i == j) for i, v in enumerate(self.point)] for sign in (1, -1)]
        above, below = (self.oracle.partial(k, *side) for side in sides)
        return float((above - below) / (2 * step))

"""Random points: of the sizes that formulas usually meet, and over all doubles."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Sequence

RANGES = (
    (0.2, 2.5),
    (-2.5, 2.5),
    (0.05, 0.95),
    (1.1, 6.0),
    (5.0, 50.0),
    (50.0, 500.0),
    (-50.0, -5.0),
)
EXPONENTS = (-1074, 1023)  # of the smallest and the largest doubles


def usual(names: Sequence[str], seed: int) -> Iterator[dict[str, float]]:
    """Points of moderate size without end, all coordinates of one from the same range."""
    rng = random.Random(seed)
    for low, high in itertools.cycle(RANGES):
        yield {name: rng.uniform(low, high) for name in names}


def whole(names: Sequence[str], seed: int) -> Iterator[dict[str, float]]:
    """Points over the whole double range without end: every binary exponent is as likely."""
    rng = random.Random(seed)
    while True:
        yield {name: _double(rng) for name in names}


def _double(rng: random.Random) -> float:
    size = math.ldexp(1 + rng.random(), rng.randint(*EXPONENTS))
    return rng.choice((-size, size))

"""The order in which the factors of a product of arrays are multiplied."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Container, Iterable, Sequence

from .product import Label, Labels

EXHAUSTIVE = 6  # factors whose orders are all tried
ELEMENTWISE = 4  # what an elementwise operation costs, beside one of a matrix product

Size = Callable[[Iterable[Label]], float]  # of an array with these axes


class Order:
    """Which two of several factors to multiply first; the product has the axes of `core`."""

    def __init__(self, core: Container[Label], size: Size) -> None:
        self._core, self._size = core, size

    def first(self, pool: Sequence[Labels]) -> tuple[int, int]:
        """Of few the best order begins so; of many the cheapest pair, or one of the same axes."""
        if len(pool) <= EXHAUSTIVE:
            return self._best(pool)[1]
        seen: dict[frozenset[Label], int] = {}
        for k, own in enumerate(pool):  # what has the same axes is never better apart
            if seen.setdefault(frozenset(own), k) != k:
                return seen[frozenset(own)], k
        counts, pairs = _counts(pool), _neighbours(pool) or _pairs(pool)
        return min(pairs, key=lambda pair: self._product(pool, pair, counts)[0])

    def _product(
        self, pool: Sequence[Labels], pair: tuple[int, int], counts: Counter[Label]
    ) -> tuple[float, Labels]:
        """What multiplying two costs, and the axes of the product."""
        one, other = pool[pair[0]], pool[pair[1]]
        a, b = set(one), set(other)
        left = tuple(
            label
            for label in dict.fromkeys(one + other)
            if label in self._core or counts[label] > (label in a) + (label in b)
        )
        work = self._size(a | b) * (1 if (a & b).difference(left) else ELEMENTWISE)
        return work + ELEMENTWISE * self._size(left), left

    def _best(self, pool: Sequence[Labels]) -> tuple[float, tuple[int, int]]:
        """The least total cost, and the pair to begin with."""
        found: tuple[float, tuple[int, int]] | None = None
        counts = _counts(pool)
        for pair in _pairs(pool):
            cost, left = self._product(pool, pair, counts)
            if len(pool) > 2 and (found is None or cost < found[0]):
                rest = [left if k == pair[0] else p for k, p in enumerate(pool) if k != pair[1]]
                cost += self._best(rest)[0]
            if found is None or cost < found[0]:
                found = cost, pair
        assert found is not None
        return found


def _pairs(pool: Sequence[Labels]) -> list[tuple[int, int]]:
    return [*itertools.combinations(range(len(pool)), 2)]


def _counts(pool: Iterable[Labels]) -> Counter[Label]:
    """How many factors have an axis."""
    return Counter(itertools.chain(*map(set, pool)))


def _neighbours(pool: Sequence[Labels]) -> list[tuple[int, int]]:
    """Pairs of factors with an axis in common; of an axis that many have, those side by side."""
    holders: dict[Label, list[int]] = {}
    for k, own in enumerate(pool):
        for label in dict.fromkeys(own):
            holders.setdefault(label, []).append(k)
    found: dict[tuple[int, int], None] = {}
    for held in holders.values():
        few = len(held) <= EXHAUSTIVE
        found |= dict.fromkeys(itertools.combinations(held, 2) if few else itertools.pairwise(held))
    return sorted(found)

"""A cache that is bounded in number and in size, and safe to share between threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")


class Cache(Generic[T]):
    """The values used last; those used longest ago are dropped first.

    At most `count` values, of weights that sum up to `weight` at most; a value that alone would
    take a quarter of that is not kept.
    """

    def __init__(self, count: int, weight: int) -> None:
        self._count, self._weight = count, weight
        self._values: OrderedDict[Hashable, tuple[T, int]] = OrderedDict()
        self._asked: OrderedDict[int, None] = OrderedDict()
        self._total = 0
        self._lock = threading.RLock()  # dropping a value may run code that comes back here

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable) -> T | None:
        """The value under a key, if it is kept."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                return None
            self._values.move_to_end(key)
            return found[0]

    def asked(self, key: Hashable) -> bool:
        """Whether a key was asked about lately; from now on it was."""
        number = hash(key)
        with self._lock:
            before = number in self._asked
            self._asked[number] = None
            self._asked.move_to_end(number)
            if len(self._asked) > 4 * self._count:
                self._asked.popitem(last=False)
            return before

    def add(self, key: Hashable, value: T, weight: int) -> T:
        """Keep a value, unless there is one under its key; the value that is there."""
        with self._lock:
            found = self._values.get(key)
            if found is None:
                self._keep(key, value, weight)
            return value if found is None else found[0]

    def grow(self, key: Hashable, value: T, weight: int) -> None:
        """Add to the weight of a value, if it is kept under this key."""
        with self._lock:
            found = self._values.get(key)
            if found is not None and found[0] is value:
                self._drop(key)
                self._keep(key, value, found[1] + weight)

    def clear(self) -> None:
        """Drop every value."""
        with self._lock:
            self._values.clear()
            self._asked.clear()
            self._total = 0

    def _keep(self, key: Hashable, value: T, weight: int) -> None:
        if weight > self._weight // 4:
            return
        self._values[key] = value, weight
        self._total += weight
        while len(self._values) > self._count or self._total > self._weight:
            self._drop(next(iter(self._values)))

    def _drop(self, key: Hashable) -> None:
        self._total -= self._values.pop(key)[1]

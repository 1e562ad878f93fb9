"""Python's collector of cyclic garbage, while a graph grows."""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def uncollected(function: Callable[P, T]) -> Callable[P, T]:
    """`function`, while which the collector rests, unless it already does.

    It would look through all of a growing graph time and again, and find nothing: for a thousand
    variables that takes a third of the time.
    """

    @wraps(function)
    def resting(*args: P.args, **kwargs: P.kwargs) -> T:
        if not gc.isenabled():
            return function(*args, **kwargs)
        gc.disable()
        try:
            return function(*args, **kwargs)
        finally:
            gc.enable()

    return resting

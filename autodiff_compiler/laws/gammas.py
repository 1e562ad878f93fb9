"""Laws of gamma functions far from 0: differences that cancel."""

from __future__ import annotations

from collections.abc import Iterator

from ..rewrite import Law
from .families import CANCELS, stable


def gammas() -> Iterator[Law]:
    """Differences of logarithms of gamma functions, and of the slopes of these."""
    for function, difference in (
        ("gammaln({})", "gammaln_difference"),
        ("digamma({})", "digamma_difference"),
        ("polygamma(1, {})", "trigamma_difference"),
    ):
        pattern = f"{function.format('x')} - {function.format('y')}"
        yield stable(pattern, f"{difference}(y, d)", CANCELS, given="d = x - y")

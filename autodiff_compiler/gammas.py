"""Laws of gamma functions far from 0: ratios, and differences that cancel.

By Stirling's series, NIST Digital Library of Mathematical Functions 5.11.1 and 5.11.2.
"""

from __future__ import annotations

from collections.abc import Iterator

from .families import CANCELS, OVERFLOWS, stable
from .rewrite import Law

FAR = "x > 40 and y > 40 and 2*d > -y"  # where three terms of the series are enough, and log1p
# What the series of the logarithm, and of its slope, have after their first terms.
REST = "{z}*{z}*{z}*(1/360 - {z}*{z}*(1/1260 - {z}*{z}/1680))"
REST_OF_SLOPE = "{z}*{z}*({z}*{z})*(1/120 - {z}*{z}*(1/252 - {z}*{z}/240))"


def gammas() -> Iterator[Law]:
    """Ratios of gamma functions, and differences of their logarithms and of the slopes of these."""
    inverses, given = "p = 1/x; q = 1/y; ", "d = x - y"
    rest, of_slope = (_difference(text) for text in (REST, REST_OF_SLOPE))
    less = f"(x - 0.5)*log1p(d/y) - d - d*p*q/12 - {rest}"
    logarithm = f"{inverses}where({FAR}, d*log(y) + ({less}), out)"
    yield stable("gammaln(x) - gammaln(y)", logarithm, CANCELS, given=given)
    slope = f"log1p(d/y) + d*p*q*(0.5 + (p + q)/12) + {of_slope}"
    yield stable(
        "digamma(x) - digamma(y)", f"{inverses}where({FAR}, {slope}, out)", CANCELS, given=given
    )
    ratio = f"{inverses}where({FAR}, y**d*exp({less}), out)"
    yield stable("gamma(x)/gamma(y)", ratio, OVERFLOWS, given=given)
    share = "gammaln({0}) + (gammaln({1}) - gammaln(x + y))"
    large, small = share.format("y", "x"), share.format("x", "y")
    near = f"where(x > 0 and 10*x < y, {small}, out)"
    beta = f"where(y > 0 and 10*y < x, {large}, {near})"
    yield stable("betaln(x, y)", beta, CANCELS, "x > 0 and y > 0")


def _difference(text: str) -> str:
    return f"({text.format(z='p')} - {text.format(z='q')})"

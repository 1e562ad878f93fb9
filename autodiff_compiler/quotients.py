"""Stable laws of quotients that are 0/0 at a point, by the limits of what they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from .families import CANCELS, RATIOS, ZERO, positive, stable
from .rewrite import Law

# Functions that go through 0 as their argument does, and are divided by each other.
THROUGH_0 = ("sin", "tan", "sinh", "tanh", "expm1", "log1p", "arctan", "arcsin")


def quotients() -> Iterator[Law]:
    """Quotients of two functions, of differences of powers, and by shapes and rates that are 0."""
    for above, below in permutations(THROUGH_0, 2):
        near = f"r*{RATIOS[above]}(y)/{RATIOS[below]}(x)"
        both = f"where(abs(x) < 0.5 and abs(y) < 0.5, {near}, out)"
        yield stable(f"{above}(y)/{below}(x)", both, ZERO, "x != 0", given="r = y/x")
    given, step = "r = (x - y)/z", "d = x - y; where(abs(d) < 1, {}, out)"
    exponential = step.format("r*exp(y)*exprel(d)")
    yield stable("(exp(x) - exp(y))/z", exponential, ZERO, "z != 0", given=given)
    power = step.format("r*log(n)*n**y*exprel(d*log(n))")
    yield stable("(n**x - n**y)/z", power, ZERO, "z != 0", given=given, when=positive)
    bases = "s = z*log(x/y); where(abs(s) < 1 and x > 0 and y > 0, y**z*log(x/y)*exprel(s), out)"
    yield stable("(x**z - y**z)/z", bases, ZERO, "z != 0")
    yield stable("(x**(-y) - 1)/y", "where(abs(y*log(x)) < 1, -boxcox(x, -y), out)", ZERO, "y != 0")
    for power in ("x**y", "x**(-y)"):
        yield stable(f"(z*({power} - 1))/y", f"z*(({power} - 1)/y)", ZERO, "y != 0")
    shape = "log1p(y) + where(abs(y) < 0.5, r*log1prel(y), log1p(y)/x)"
    yield stable("(1 + 1/x)*log1p(y)", shape, ZERO, "x != 0", given="r = y/x")
    yield from of_products()


def of_products() -> Iterator[Law]:
    """Differences of a function and a polynomial times another, and their quotients."""
    yield stable("1 - (1 + x)*exp(-x)", "where(abs(x) < 1, exp(-x)*expm1mx(x), out)", CANCELS)
    yield stable("1 - (1 - x)*exp(x)", "where(abs(x) < 1, exp(x)*expm1mx(-x), out)", CANCELS)
    near = "where(c, y*phi2(x), z/(x*x))"
    yield stable("where(c, y*expm1mx(x), z)/(x*x)", near, ZERO, "x != 0")
    yield stable(
        "sinc_unnormalized(x) - cos(x)", "where(abs(x) < 1, x*x*sphj1_ratio(x), out)", CANCELS
    )
    for ratio, less, power in (
        ("((1/x)/x)*sinc_unnormalized(x)", "cos(x)/(x*x)", "(x*x)"),
        ("sinc_unnormalized(x)/x", "cos(x)/x", "x"),
    ):
        near = f"where(c, (sinc_unnormalized(x) - cos(x))/{power}, z - {less})"
        yield stable(f"where(c, {ratio}, z) - {less}", near, CANCELS, "x != 0")

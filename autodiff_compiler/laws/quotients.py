"""Stable laws of quotients that are 0/0 at a point, by the limits of what they are made of."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from ..rewrite import Law
from .families import CANCELS, RATIOS, ZERO, positive, stable

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
    yield from less_one()


def less_one() -> Iterator[Law]:
    """Quotients that are 1 at 0, less 1: by series that begin where the differences do."""
    half = "0.5*sinhc(x/2)*sinhc(x/2)"
    circular = "0.5*sinc_unnormalized(x/2)*sinc_unnormalized(x/2)"
    angle = f"-x*x*(sinmx_ratio(x) + {circular})/sinc_unnormalized(x)"
    for ratio, less in (
        ("sinc_unnormalized(x)", "x*x*sinmx_ratio(x)"),
        ("sinhc(x)", "x*x*sinhmx_ratio(x)"),
        ("tanc(x)", f"x*x*(sinmx_ratio(x) + {circular})/cos(x)"),
        ("arctanc(x)", "y = arctan(x); " + angle.replace("x*", "y*").replace("(x", "(y")),
        ("tanhc(x)", f"x*x*(sinhmx_ratio(x) - {half})/cosh(x)"),
        ("xcoth(x)", f"x*x*({half} - sinhmx_ratio(x))/sinhc(x)"),
        ("xcsch(x)", "-x*x*sinhmx_ratio(x)/sinhc(x)"),
        ("exprel(x)", "x*phi2(x)"),
        ("bernoulli(x)", "-x*phi2(x)/exprel(x)"),
        ("log1prel(x)", "y = log1p(x); -y*phi2(y)/exprel(y)"),
    ):
        *before, result = less.split("; ")
        near = "; ".join([*before, f"where(abs(x) < 0.5, {result}, out)"])
        yield stable(f"{ratio} - 1", near, CANCELS)
    yield stable(
        "log1mexp(-x) - log(x)", "where(x < 1, log1p(-(x*phi2(-x))), out)", CANCELS, "x > 0"
    )
    cube = f"where(abs(x) < 1, x*x*x*({half} - sinhmx_ratio(x)), out)"
    yield stable("x*cosh(x) - sinh(x)", cube, CANCELS)
    mass = "where(abs(x) < 0.5, x*x/(1 + x) + log1pmx(x), out)"  # of a halo of dark matter
    yield stable("log1p(x) - x/(1 + x)", mass, CANCELS)


def of_products() -> Iterator[Law]:
    """Differences of a function and a polynomial times another, and their quotients."""
    yield stable("1 - (1 + x)*exp(-x)", "where(abs(x) < 1, exp(-x)*expm1mx(x), out)", CANCELS)
    yield stable("1 - (1 - x)*exp(x)", "where(abs(x) < 1, exp(x)*expm1mx(-x), out)", CANCELS)
    yield stable("x*exp(x) - expm1(x)", "where(abs(x) < 1, exp(x)*expm1mx(-x), out)", CANCELS)
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

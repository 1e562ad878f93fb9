"""Stable laws far from 0, where parts of a formula leave the range and the formula does not."""

from __future__ import annotations

from collections.abc import Iterator

from ..rewrite import Law
from .families import (
    CANCELS,
    EXPM1_QUOTIENT,
    FAR,
    INFINITE,
    LARGE,
    OVERFLOWS,
    ZERO,
    positive,
    stable,
)


def tails() -> Iterator[Law]:
    """Functions that underflow or overflow far from 0, beside what brings them back."""
    for find in (normal, bessel, exponential, logistic):
        yield from find()


def normal() -> Iterator[Law]:
    """The normal distribution function, and differences of it."""
    yield stable("exp(y)*ndtr(x)", "where(x < -5, exp(y + log_ndtr(x)), out)", OVERFLOWS)
    yield stable("exp(y)/ndtr(x)", "where(x < -5, exp(y - log_ndtr(x)), out)", OVERFLOWS)
    for pattern, replacement in (
        ("1 - ndtr(x)", "ndtr(-x)"),
        ("2*ndtr(x) - 1", "erf(x/sqrt(2))"),
        ("ndtr(x) - 0.5", "0.5*erf(x/sqrt(2))"),
    ):
        yield stable(pattern, replacement, CANCELS)
    tail = "logerfc({1}) + log1mexp(logerfc({0}) - logerfc({1}))"
    right, left = (tail.format(*sides) for sides in (("x", "y"), ("-y", "-x")))
    sides = f"where(y > 5, {right}, where(x < -5, {left}, out))"
    yield stable("log(erf_difference(x, y))", sides, OVERFLOWS)
    for scaled, sign in (("n*erf_difference(x, y)", "+"), ("erf_difference(x, y)/n", "-")):
        apart = f"log(erf_difference(x, y)) {sign} log(n)"
        yield stable(f"log({scaled})", apart, OVERFLOWS, when=positive)


def bessel() -> Iterator[Law]:
    """Modified Bessel functions, in logarithms and beside exponentials."""
    for pattern in ("log(i0(x))", "log(y*i0(x))"):
        far = f"abs(x) + {pattern.replace('i0', 'i0e')}"
        yield stable(pattern, f"where(abs(x) > 20, {far}, out)", OVERFLOWS)
    yield stable("i1(x)/i0(x)", "i1e(x)/i0e(x)", OVERFLOWS)
    yield stable("exp(y)/i0(x)", "where(abs(x) > 20, exp(y - abs(x))/i0e(x), out)", OVERFLOWS)
    for name in ("i0", "i1"):
        far = f"exp(y + abs(x))*{name}e(x)"
        yield stable(f"exp(y)*{name}(x)", f"where(abs(x) > 20, {far}, out)", OVERFLOWS)


def exponential() -> Iterator[Law]:
    """Powers and quotients of sums with an exponential, and logarithms of such sums."""
    for total, others in (
        ("logaddexp(x, y)", "y"),
        ("logaddexp(logaddexp(x, y), z)", "logaddexp(y, z)"),
    ):
        yield stable(f"{total} - x", f"softplus({others} - x)", CANCELS, alone=True)
    yield stable("(1 + exp(x))**y", f"where(x > {FAR}, exp(y*softplus(x)), out)", OVERFLOWS)
    far = f"where(x > {FAR} and z > 0, exp(y*softplus(x + log(abs(z)))), out)"
    yield stable("(1 + z*exp(x))**y", far, OVERFLOWS)
    for pattern, far in (  # as populations grow
        ("((x*exp(y))*v)/(z + w*expm1(y))", "(x*v)/(w + (z - w)*exp(-y))"),
        ("(x*exp(y))/(z + w*expm1(y))", "x/(w + (z - w)*exp(-y))"),
        ("exp(y)/(z + w*expm1(y))", "1/(w + (z - w)*exp(-y))"),
        ("(x*exp(y))/(z + (w*exp(y))/u)", "x/(w/u + z*exp(-y))"),
    ):
        yield stable(pattern, f"where(y > {FAR}, {far}, out)", OVERFLOWS)


def logistic() -> Iterator[Law]:
    """Powers and logarithms of the logistic function."""
    far = "where(x < -30 and y > 0, log(y) + log_expit(x), out)"
    yield stable("log(y*expit(x))", far, OVERFLOWS)
    for pattern, exponent, when, variable in (
        ("sqrt(expit(x))", "0.5", None, ""),
        ("expit(x)**n", "n", lambda n: n % 1 != 0, ""),
        ("expit(x)**y", "y", None, "y"),
    ):
        far = f"where(x < -30, exp({exponent}*log_expit(x)), out)"
        yield stable(pattern, far, INFINITE, when=when, variable=variable)


def currents() -> Iterator[Law]:
    """Differences that have an exponential over one of its own, as for currents in membranes."""
    for pattern, product, far in (
        ("x - z*exp(y)", "(w/expm1(y))*(x - z) - w*z", "(x - z)*exp(-y) - z"),
        ("z*exp(y) - x", "w*z - (w/expm1(y))*(x - z)", "z - (x - z)*exp(-y)"),
    ):
        near, less = f"where(y > -1, {product}, out)", f"where(y > {FAR}, {far}, out)"
        yield stable(f"(w*({pattern}))/expm1(y)", near, OVERFLOWS, "y != 0")
        yield stable(f"({pattern})/expm1(y)", less, OVERFLOWS, "y != 0")


def beyond() -> Iterator[Law]:
    """Quotients and logarithms where what is divided by, or one term of a sum, overflows."""
    for below, far in (
        ("(exp(y) + z)", "x*exp(-y)/(1 + z*exp(-y))"),
        ("(exp(y) - z)", "x*exp(-y)/(1 - z*exp(-y))"),
        ("(z - exp(y))", "-x*exp(-y)/(1 - z*exp(-y))"),
    ):
        is_far = f"y > {FAR} and abs(z)*exp(-y) < 0.1"
        yield stable(f"x/{below}", f"where({is_far}, {far}, out)", OVERFLOWS)
    powers = (
        "m = maximum(abs(w**z), abs(y**z)); where(m > 1e35 or m < 1e-35, {}/(1 + (y/w)**z), out)"
    )
    for above, share in (("w**z", "1"), ("(x*w**z)", "x")):
        yield stable(f"{above}/(w**z + y**z)", powers.format(share), LARGE)
        far = f"where(w**z > 1e35, {share}/(1 + y*w**(-z)), out)"
        yield stable(f"{above}/(y + w**z)", far, LARGE)
    less, more = "(x/y)*(x/y)/(1 + (x/y)*(x/y))", "1/(1 + (y/x)*(y/x))"
    share = f"where(m > 1e17 or m < 1e-17, where(abs(x) < abs(y), {less}, {more}), out)"
    yield stable("(x*x)/(x*x + y*y)", f"m = maximum(abs(x), abs(y)); {share}", LARGE)
    yield stable("expm1(y)/expm1(x)", EXPM1_QUOTIENT, OVERFLOWS)
    yield stable("x/(1 + x*x)", "where(abs(x) > 1e9, 1/x, out)", LARGE)
    yield stable("log1p(x*x)", "where(abs(x) > 1e9, 2*log(abs(x)), out)", LARGE)
    far = "where((x*x)/y > 1e17, 2*log(abs(x)) - log(y), out)"
    yield stable("log1p((x*x)/y)", far, LARGE)
    far = f"x > {FAR} and y > 0 and (x + log(abs(y)) > 40 or x > 700)"
    larger = f"where({far}, softplus(x + log(abs(y))), out)"
    yield stable("log1p(y*exp(x))", larger, OVERFLOWS)


def hyperbolic_quotients() -> Iterator[Law]:
    """Quotients of hyperbolic functions of two arguments, by their largest exponentials."""
    for above, large in (
        ("cosh", "(1 + exp(-2*abs(x)))"),
        ("sinh", "(-sign(x)*expm1(-2*abs(x)))"),
    ):
        for below, sign in (("cosh", ""), ("sinh", "sign(y)*")):
            is_far = f"abs(y) > {FAR} and abs(x) > 1"
            far = f"where({is_far}, {sign}{large}*exp_quotient(abs(x), abs(y)), {{}})"
            if above == below == "sinh":
                near = "where(abs(x) < 1 and abs(y) < 1, r*sinhc(x)/sinhc(y), out)"
                both = far.format(near)
                yield stable("sinh(x)/sinh(y)", both, ZERO, "y != 0", given="r = x/y")
            yield stable(f"{above}(x)/{below}(y)", far.format("out"), OVERFLOWS)

"""Families of stable laws: differences that cancel, quotients with a limit, sums with a pole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .rewrite import Law

CANCELS = "the terms cancel"
OVERFLOWS = "exp overflows or underflows first"
INFINITE = "0 times an infinite slope at 0"
POLE = "0 times infinity at 0, in the slope"
LARGE = "a square overflows or underflows first"
ZERO = "0/0, and the slope cancels near it"
ROUNDED = "the rounded sum is raised to a power"


def stable(pattern: str, replacement: str, why: str, holds: str = "", **more: Any) -> Law:
    """A law that holds to rounding, where `holds` says."""
    return Law(pattern, replacement, exact=False, why=why, holds=holds, **more)


def differences() -> Iterator[Law]:
    """f(x) - f(y) for arguments that cancel: by the addition theorem of f."""
    logarithm = "where(2*abs(d) < {y}, log1p(d/{y}), out)"
    for pattern, replacement, given in (
        ("sqrt(x) - sqrt(y)", "d/(sqrt(x) + sqrt(y))", "x - y"),
        ("cbrt(x) - cbrt(y)", "d/(cbrt(x)**2 + cbrt(x)*cbrt(y) + cbrt(y)**2)", "x - y"),
        ("x*(x*x) - y*(y*y)", "d*(x*x + x*y + y*y)", "x - y"),
        ("exp(x) - exp(y)", "exp(y)*expm1(d)", "x - y"),
        ("sin(x) - sin(y)", "where(abs(d) < 1, 2*sin(d/2)*cos(y + d/2), out)", "x - y"),
        ("cos(x) - cos(y)", "where(abs(d) < 1, -2*sin(d/2)*sin(y + d/2), out)", "x - y"),
        ("tan(x) - tan(y)", "where(abs(d) < 1, sin(d)/(cos(x)*cos(y)), out)", "x - y"),
        (
            "arctan(x) - arctan(y)",
            "where(abs(d) < maximum(1, abs(y)) and abs(y) < 1e50, arctan2(d, 1 + x*y), out)",
            "x - y",
        ),
        ("log(x) - log(y)", logarithm.format(y="y"), "x - y"),
        ("log1p(x) - log1p(y)", logarithm.format(y="(1 + y)"), "x - y"),
        ("log1p(x) - log(y)", logarithm.format(y="y"), "(1 + x) - y"),
        ("log(x) - log1p(y)", logarithm.format(y="(1 + y)"), "x - (1 + y)"),
        ("log(x/y)", "where(2*abs(d) < abs(y), log1p(d/y), out)", "x - y"),
        ("x**z - y**z", "where(2*abs(d) < y, y**z*expm1(z*log1p(d/y)), out)", "x - y"),
        (
            "hypot(x, y) - hypot(u, v)",
            "d/(hypot(x, y) + hypot(u, v))",
            "(x*x + y*y) - (u*u + v*v)",
        ),
        (
            "n/sqrt(x) - n/sqrt(y)",
            "where(2*abs(d) < y, n*d/(sqrt(x)*sqrt(y)*(sqrt(x) + sqrt(y))), out)",
            "y - x",
        ),
    ):
        yield stable(pattern, replacement, CANCELS, given=f"d = {given}")


def divided_differences() -> Iterator[Law]:
    """(f(x) - f(y))/(x - y), and the inverse, which are 0/0 where the arguments are the same."""
    given, step = "r = (x - y)/(u - v)", "d = x - y; where(abs(d) < 1, {}, out)"
    for difference, quotient in (
        ("sqrt(x) - sqrt(y)", "r/(sqrt(x) + sqrt(y))"),
        ("1/x - 1/y", "-(r/x/y)"),
        ("(x - y)*(x + y)", "r*(x + y)"),
        ("x*(x*x) - y*(y*y)", "r*(x*x + x*y + y*y)"),
        ("exp(x) - exp(y)", step.format("r*exp(y)*exprel(d)")),
        ("n**x - n**y", step.format("r*log(n)*n**y*exprel(d*log(n))")),
        ("sin(x) - sin(y)", step.format("r*sinc_unnormalized(d/2)*cos(y + d/2)")),
        ("cos(x) - cos(y)", step.format("-r*sinc_unnormalized(d/2)*sin(y + d/2)")),
        ("log(x) - log(y)", "d = x - y; where(8*abs(d) < y, r*log1prel(d/y)/y, out)"),
        ("log(x/y)", "d = x - y; where(8*abs(d) < abs(y), r*log1prel(d/y)/y, out)"),
    ):
        yield stable(f"({difference})/(u - v)", quotient, ZERO, "u != v", given=given)
    for logarithm, bound in (("log(x/y)", "abs(y)"), ("(log(x) - log(y))", "y")):
        mean = f"d = x - y; where(8*abs(d) < {bound}, r*y/log1prel(d/y), out)"
        yield stable(f"(u - v)/{logarithm}", mean, ZERO, "u != v", given="r = (u - v)/(x - y)")
    power = "d = (x - y)*log(w); where(abs(d) < 1, r*log(w)*w**y*exprel(d), out)"
    yield stable("(w**x - w**y)/(u - v)", power, ZERO, "u != v and w != 0", given=given)


def conjugates() -> Iterator[Law]:
    """Sums with a root whose square differs from the other square by little: by the conjugate."""
    for root, square in (
        ("sqrt(u)", "u"),
        ("sqrt_product(u, v)", "u*v"),
        ("hypot(u, v)", "u*u + v*v"),
    ):
        given = f"d = {square} - b*b"
        for pattern, replacement in (
            (f"b + {root}", f"conjugate_sum(b, {root}, d)"),
            (f"{root} - b", f"conjugate_sum(-b, {root}, d)"),
            (f"b - {root}", f"-conjugate_sum(-b, {root}, d)"),
        ):
            yield stable(pattern, replacement, CANCELS, given=given)
    yield stable(
        "conjugate_sum(b, s, d)/y", "conjugate_ratio(b, s, q, y)", CANCELS, given="q = d/y"
    )


RATIOS = {  # functions, and what they are divided by their argument
    "sin": "sinc_unnormalized",
    "sinh": "sinhc",
    "tan": "tanc",
    "tanh": "tanhc",
    "arctan": "arctanc",
    "arcsin": "arcsinc",
    "arcsinh": "arcsinhc",
    "arctanh": "arctanhc",
    "erf": "erf_ratio",
    "expm1": "exprel",
    "log1p": "log1prel",
    "j1": "j1_ratio",
}
INVERSES = {"sinh": "xcsch", "tanh": "xcoth", "expm1": "bernoulli"}  # the argument divided by them


def removable() -> Iterator[Law]:
    """Quotients that have a limit where they are 0/0."""
    for function, ratio in RATIOS.items():
        inverse = f"where(abs(y) < 1, r/{ratio}(y), out)"
        if function in INVERSES:
            inverse = f"r*{INVERSES[function]}(y)"
        yield stable(f"{function}(y)/x", f"r*{ratio}(y)", ZERO, "x != 0", given="r = y/x")
        yield stable(f"x/{function}(y)", inverse, ZERO, "x != 0", given="r = x/y")
        both = f"where(abs(x) < 1, r*{ratio}(y)/{ratio}(x), out)"
        yield stable(f"{function}(y)/{function}(x)", both, ZERO, "x != 0", given="r = y/x")
    for function, half, sine, ratio in (
        ("cosm1(y)", "-0.5", "-sin(y/2)", "sinc_unnormalized(y/2)"),
        ("coshm1(y)", "0.5", "sinh(y/2)", "sinhc(y/2)"),
    ):
        square = f"{half}*(r*r)*({ratio}*{ratio})"
        yield stable(f"{function}/(x*x)", square, ZERO, "x != 0", given="r = y/x")
        yield stable(f"{function}/x", f"r*({sine}*{ratio})", ZERO, "x != 0", given="r = y/x")
        for root, square, holds in (
            ("hypot(x, y)", "(x*x + y*y)", "x*x + y*y != 0"),
            ("sqrt(x)", "x", "x > 0"),
            ("abs(x)", "(x*x)", "x != 0"),
        ):
            inner, outer = (text.replace("(y", f"({root}") for text in (function, ratio))
            yield stable(f"{inner}/{square}", f"{half}*({outer}*{outer})", ZERO, holds)


def of_series() -> Iterator[Law]:
    """Quotients with a limit of functions less the first terms of their series, and by x - 1."""
    yield stable("sin(x) - x*cos(x)", "sinmxcos(x)", CANCELS)
    yield stable("x*cos(x) - sin(x)", "-sinmxcos(x)", CANCELS)
    yield stable("sinmxcos(x)/x", "x*x*sphj1_ratio(x)", ZERO, "x != 0")
    for defect in ("sinmx", "sinhmx"):
        yield stable(f"{defect}(x)/(x*(x*x))", f"{defect}_ratio(x)", ZERO, "x != 0")
        near = f"where(abs(x) < 1.5, x*{defect}_ratio(x), out)"
        yield stable(f"{defect}(x)/(x*x)", near, ZERO, "x != 0")
    cosine = "0.5*(sinc_unnormalized(x/2)*sinc_unnormalized(x/2))"
    yield stable(
        "tanmx(x)/(x*(x*x))",
        f"where(abs(x) < 1, (sinmx_ratio(x) + {cosine})/cos(x), out)",
        ZERO,
        "x != 0",
    )
    yield stable("expm1mx(x)/(x*x)", "phi2(x)", ZERO, "x != 0")
    for pattern, mean in (
        ("log(x)/(x - 1)", "log1prel(x - 1)"),
        ("log(x)/(1 - x)", "-log1prel(x - 1)"),
        ("(x - 1)/log(x)", "1/log1prel(x - 1)"),
        ("(1 - x)/log(x)", "-1/log1prel(x - 1)"),
    ):
        yield stable(pattern, f"where(abs(x - 1) < 0.5, {mean}, out)", ZERO, "x != 1")
    yield stable("x*coth(x)", "xcoth(x)", ZERO, "x != 0")


def poles() -> Iterator[Law]:
    """Differences of functions with a pole at 0: by their series there."""
    for function, series, near, far in (
        ("tan(x)", "x/3 + x**3/45 + 2*x**5/945", "tanmx(x)/(x*tan(x))", "out"),
        ("sin(x)", "-x/6 - 7*x**3/360 - 31*x**5/15120", "sinmx(x)/(x*sin(x))", "out"),
        ("tanh(x)", "-x/3 + x**3/45 - 2*x**5/945", "tanhmx(x)/(x*tanh(x))", "out"),
        ("sinh(x)", "x/6 - 7*x**3/360 + 31*x**5/15120", "sinhmx(x)/(x*sinh(x))", "1/x - csch(x)"),
        (
            "expm1(x)",
            "0.5 - x/12 + x**3/720 - x**5/30240",
            "expm1mx(x)/(x*expm1(x))",
            "where(x > 0, (1 - bernoulli(x))/x, 1 + (1 - bernoulli(-x))/x)",
        ),
    ):
        branches = f"where(abs(x) < 0.003, {series}, where(abs(x) < 1, {near}, {far}))"
        yield stable(f"1/x - 1/{function}", branches, CANCELS, "x != 0")
        yield stable(f"1/{function} - 1/x", f"-(1/x - 1/{function})", CANCELS, "x != 0")
    yield stable("coth(x) - 1/x", "1/tanh(x) - 1/x", CANCELS, "x != 0")
    yield stable("1/x - coth(x)", "1/x - 1/tanh(x)", CANCELS, "x != 0")
    far = "where(x > 0, (1 - bernoulli(x))/x - 1, (1 - bernoulli(-x))/x)"
    branches = "where(abs(x) < 0.003, -0.5 - x/12 + x**3/720 - x**5/30240, where(abs(x) < 1, "
    branches += f"expm1mx(-x)/(x*expm1(-x)), {far}))"
    yield stable("1/x + 1/expm1(-x)", branches, CANCELS, "x != 0")
    yield stable("-(1/expm1(-x)) - 1/x", "-(1/x + 1/expm1(-x))", CANCELS, "x != 0")


def defects() -> Iterator[Law]:
    """Functions less their argument, which is the first term of their series."""
    names = (
        "sin",
        "tan",
        "sinh",
        "tanh",
        "arctan",
        "arcsin",
        "arcsinh",
        "arctanh",
        "expm1",
        "log1p",
    )
    for name in names:
        yield stable(f"{name}(x) - x", f"{name}mx(x)", CANCELS)
        yield stable(f"x - {name}(x)", f"-{name}mx(x)", CANCELS)


SIGNS = (("+", ""), ("-", "-"))  # of what is added to 1, and of that in log1p


def growth() -> Iterator[Law]:
    """Compound growth by a small rate: powers of a sum that is nearly 1, and what they grow by."""
    for power, rate in (
        ("(1 + x)**y", "log1p(x)"),
        ("(1 - x)**y", "log1p(-x)"),
        ("compound(x, y)", "log1p(x)"),
    ):
        for pattern, less in ((f"{power} - 1", "expm1"), (f"1 - {power}", "-expm1")):
            yield stable(pattern, f"where(abs(x) < 0.5, {less}(y*{rate}), out)", CANCELS)
    for sign, minus in SIGNS:
        base, share = f"(1 {sign} x)", f"({minus}log1prel({minus}x))"
        for exponent, limit, given in (
            ("y/x", f"exp(y*{share})", ""),
            ("y/z", f"exp(y*r*{share})", "r = x/z"),
            ("y/z - w", f"exp(y*r*{share})*{base}**(-w)", "r = x/z"),
            ("-(y/z)", f"exp(-(y*r*{share}))", "r = x/z"),
            ("-(y/z) - w", f"exp(-(y*r*{share}))*{base}**(-w)", "r = x/z"),
            ("-(w + y/z)", f"exp(-(y*r*{share}))*{base}**(-w)", "r = x/z"),
        ):
            near = f"where(abs(x) < 0.1, {limit}, out)"
            yield stable(f"{base}**({exponent})", near, ZERO, "x != 0", given=given)
        compound = f"compound({minus}(x/z), y)"  # after those with a limit
        yield stable(f"(1 {sign} x/z)**y", compound, ROUNDED, "z != 0", variable="y")


def annuities() -> Iterator[Law]:
    """What a power of a sum that is nearly 1 grows by, divided by the rate, and the inverse."""
    for _, minus in SIGNS:
        rate, share = f"log1p({minus}x)", f"({minus}log1prel({minus}x))"
        for down in ("", "-"):
            exponent, slope = f"{down}(y*{rate})", f"({down}(y*{share}))"
            for pattern, limit in (
                (f"expm1({exponent})/x", f"{slope}*exprel({exponent})"),
                (f"x/expm1({exponent})", f"bernoulli({exponent})/{slope}"),
            ):
                yield stable(pattern, f"where(abs(x) < 0.5, {limit}, out)", ZERO, "x*y != 0")

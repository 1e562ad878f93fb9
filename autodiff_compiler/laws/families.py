"""Families of stable laws: differences that cancel, quotients with a limit, sums with a pole."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

from ..primitives.stable import HYPERBOLIC_SPHERE, horner
from ..rewrite import Law

CANCELS = "the terms cancel"
OVERFLOWS = "exp overflows or underflows first"
INFINITE = "0 times an infinite slope at 0"
POLE = "0 times infinity at 0, in the slope"
FAR = 80  # its exponential is in the range of single precision too
EXPM1_QUOTIENT = f"where(x > {FAR} and y > 1, -exp_quotient(y, x)*expm1(-y), out)"
LARGE = "a square overflows or underflows first"
ZERO = "0/0, and the slope cancels near it"
TURNED = "the angle is rounded, which counts beside the zeros"
ROUNDED = "the rounded sum is raised to a power"


def stable(pattern: str, replacement: str, why: str, holds: str = "", **more: Any) -> Law:
    """A law that holds to rounding, where `holds` says."""
    return Law(pattern, replacement, exact=False, why=why, holds=holds, **more)


ADDITIONS = {  # f(x) - f(y), by the addition theorem of f, with d = x - y; and the same over d
    "sin": ("2*sin(d/2)*cos(y + d/2)", "sinc_unnormalized(d/2)*cos(y + d/2)"),
    "cos": ("-2*sin(d/2)*sin(y + d/2)", "-sinc_unnormalized(d/2)*sin(y + d/2)"),
    "tan": ("sin(d)*(1/cos(x))*(1/cos(y))", "sinc_unnormalized(d)/cos(x)/cos(y)"),
    "sinh": ("2*sinh(d/2)*cosh(y + d/2)", "sinhc(d/2)*cosh(y + d/2)"),
    "cosh": ("2*sinh(d/2)*sinh(y + d/2)", "sinhc(d/2)*sinh(y + d/2)"),
    "tanh": ("sinh(d)*sech(x)*sech(y)", "sinhc(d)*sech(x)*sech(y)"),
    "expit": ("0.5*sinh(d/2)*sech(x/2)*sech(y/2)", "0.25*sinhc(d/2)*sech(x/2)*sech(y/2)"),
    "softplus": (
        "log1p(expm1(d)*expit(y))",
        "exprel(d)*expit(y)*log1prel(expm1(d)*expit(y))",
    ),
}


def positive(n: float) -> bool:
    """Whether a constant has a logarithm."""
    return n > 0


def differences() -> Iterator[Law]:
    """f(x) - f(y) for arguments that cancel."""
    for name, (by_difference, _) in ADDITIONS.items():
        near = f"where(abs(d) < 1, {by_difference}, out)"
        yield stable(f"{name}(x) - {name}(y)", near, CANCELS, given="d = x - y")
    for pattern, replacement in (
        ("sqrt(x) - sqrt(y)", "d/nonzero(sqrt(x) + sqrt(y))"),
        ("cbrt(x) - cbrt(y)", "d/(cbrt(x)**2 + cbrt(x)*cbrt(y) + cbrt(y)**2)"),
        ("x*(x*x) - y*(y*y)", "d*(x*x + x*y + y*y)"),
        ("exp(x) - exp(y)", "where(abs(d) < 1, exp(y)*expm1(d), out)"),
        ("x**z - y**z", "where(2*abs(d) < y, y**z*expm1(z*log1p(d/y)), out)"),
        ("xlogx(x) - xlogx(y)", "where(2*abs(d) < y, d*log(x) + y*log1p(d/y), out)"),
        (
            "arctan(x) - arctan(y)",
            "where(abs(d) < maximum(1, abs(y)) and abs(y) < 1e50, arctan2(d, 1 + x*y), out)",
        ),
    ):
        yield stable(pattern, replacement, CANCELS, given="d = x - y")
    near = "where(2*abs(d) < y, d*log1p(x) + y*log1p(d/y), out)"
    yield stable("xlog1py(1 + x, x) - xlogx(y)", near, CANCELS, given="d = (1 + x) - y")
    power = "where(abs(d) < 1, n**y*expm1(d*log(n)), out)"
    yield stable("n**x - n**y", power, CANCELS, given="d = x - y", when=positive)
    norms = "s = hypot(x, y) + hypot(u, v); where(s > 1e-140 and s < 1e150, d/s, out)"
    given = "d = (x*x + y*y) - (u*u + v*v)"
    yield stable("hypot(x, y) - hypot(u, v)", norms, CANCELS, given=given)
    inverse = "where(2*abs(d) < y, n*d/(sqrt(x)*sqrt(y)*(sqrt(x) + sqrt(y))), out)"
    yield stable("n/sqrt(x) - n/sqrt(y)", inverse, CANCELS, given="d = y - x")


def logarithms() -> Iterator[Law]:
    """Differences of logarithms for arguments that cancel."""
    for pattern, x, base, scale in (
        ("log(x) - log(y)", "x", "y", ""),
        ("log1p(x) - log1p(y)", "x", "(1 + y)", ""),
        ("log1p(x) - log(y)", "(1 + x)", "y", ""),
        ("log(x/y)", "x", "y", ""),
        ("log2(x) - log2(y)", "x", "y", "*(1/log(2))"),
        ("log10(x) - log10(y)", "x", "y", "*(1/log(10))"),
    ):
        size = f"abs({base})" if pattern == "log(x/y)" else base
        near = f"where(2*abs(d) < {size}, log1p(d/{base}){scale}, out)"
        yield stable(pattern, near, CANCELS, given=f"d = {x} - y")


def divided_differences() -> Iterator[Law]:
    """(f(x) - f(y))/(x - y), and the inverse, which are 0/0 where the arguments are the same."""
    given, step = "r = (x - y)/(u - v)", "d = x - y; where(abs(d) < 1, {}, out)"
    for name, (_, over) in ADDITIONS.items():
        quotient = step.format(f"r*({over})")
        yield stable(f"({name}(x) - {name}(y))/(u - v)", quotient, ZERO, "u != v", given=given)
    for difference, quotient in (
        ("sqrt(x) - sqrt(y)", "r/(sqrt(x) + sqrt(y))"),
        ("cbrt(x) - cbrt(y)", "r/(cbrt(x)**2 + cbrt(x)*cbrt(y) + cbrt(y)**2)"),
        ("1/x - 1/y", "-(r/x/y)"),
        ("(x - y)*(x + y)", "r*(x + y)"),
        ("x*(x*x) - y*(y*y)", "r*(x*x + x*y + y*y)"),
        ("exp(x) - exp(y)", step.format("r*exp(y)*exprel(d)")),
        (
            "x**z - y**z",
            "d = (x - y)/y; s = z*log1p(d); "
            "where(8*abs(d) < 1 and y > 0, r*z*y**(z - 1)*log1prel(d)*exprel(s), out)",
        ),
        (
            "arctan(x) - arctan(y)",
            "d = x - y; s = 1 + x*y; where(2*abs(d) < s, r*arctanc(d/s)/s, out)",
        ),
        ("xlogx(x) - xlogx(y)", "d = x - y; where(8*abs(d) < y, r*(log(x) + log1prel(d/y)), out)"),
        ("log(x) - log(y)", "d = x - y; where(8*abs(d) < y, r*log1prel(d/y)/y, out)"),
        ("log(x/y)", "d = x - y; where(8*abs(d) < abs(y), r*log1prel(d/y)/y, out)"),
        ("log2(x) - log2(y)", "d = x - y; where(8*abs(d) < y, r*log1prel(d/y)/y/log(2), out)"),
        ("log10(x) - log10(y)", "d = x - y; where(8*abs(d) < y, r*log1prel(d/y)/y/log(10), out)"),
    ):
        yield stable(f"({difference})/(u - v)", quotient, ZERO, "u != v", given=given)
    power = step.format("r*log(n)*n**y*exprel(d*log(n))")
    yield stable("(n**x - n**y)/(u - v)", power, ZERO, "u != v", given=given, when=positive)
    yield from means()


def means() -> Iterator[Law]:
    """Logarithmic means, quotients of powers of a base, and of angles: limits of 0/0."""
    given = "r = (u - v)/(x - y)"
    for logarithm, bound in (("log(x/y)", "abs(y)"), ("(log(x) - log(y))", "y")):
        mean = f"d = x - y; where(8*abs(d) < {bound}, r*y/log1prel(d/y), out)"
        yield stable(f"(u - v)/{logarithm}", mean, ZERO, "u != v", given=given)
    power = "d = (x - y)*log(w); where(abs(d) < 1, r*log(w)*w**y*exprel(d), out)"
    holds, given = "u != v and w != 0", "r = (x - y)/(u - v)"
    yield stable("(w**x - w**y)/(u - v)", power, ZERO, holds, given=given)
    angle = "where(abs(y) < z, r*arctanc(y/z)/z, out)"
    yield stable("arctan2(y, z)/x", angle, ZERO, "x != 0", given="r = y/x")


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
        ):
            yield stable(pattern, replacement, CANCELS, given=given)
    yield stable("hypot(x, y) - abs(x)", "y*(y/nonzero(hypot(x, y) + abs(x)))", CANCELS)
    near = "s = hypot(x, y); where(x > abs(y), y/s*(y/(s + x)), out)"
    yield stable("1 - x/hypot(x, y)", near, CANCELS)
    yield stable(
        "conjugate_sum(b, s, d)/y", "conjugate_ratio(b, s, q, y)", CANCELS, given="q = d/y"
    )


TURNS = {  # sin, cos and tan of x plus so much; of pi as such, and of a constant
    "pi": ("-sin(x)", "-cos(x)", "tan(x)"),
    "n": ("cos(x)", "-sin(x)", "-1/tan(x)"),
}


def turns(is_quarter: Callable[[float], bool]) -> Iterator[Law]:
    """Sines and their like of angles that are turned by half a turn, or by a quarter."""
    for turn, turned in TURNS.items():
        when = is_quarter if turn == "n" else None
        for function, more in zip(("sin", "cos", "tan"), turned, strict=True):
            less = more if turn == "pi" or function == "tan" else f"-({more})"
            back = less if function == "cos" else f"-({less})"
            for pattern, replacement in (
                (f"{function}({turn} + x)", more),
                (f"{function}(x - {turn})", less),
                (f"{function}({turn} - x)", back),
            ):
                yield stable(pattern, replacement, TURNED, when=when)


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
        over, under = f"{function}(y)/x", f"x/{function}(y)"
        inverse = f"r*{INVERSES[function]}(y)" if function in INVERSES else f"r/{ratio}(y)"
        yield stable(over, f"k*{ratio}(y)", ZERO, "x != 0", given="k = y/x")
        if function in INVERSES:
            yield stable(under, f"k*{INVERSES[function]}(y)", ZERO, "x != 0", given="k = x/y")
        # Where it is no constant, far from 0 the slope by what is only in y would cancel.
        for pattern, limit, given in (
            (over, f"r*{ratio}(y)", "r = y/x"),
            (under, inverse, "r = x/y"),
        ):
            far = f"where(y > {FAR}, x*exp(-y), out)" if pattern == "x/expm1(y)" else "out"
            near = f"where(abs(y) < 1, {limit}, {far})"
            yield stable(pattern, near, ZERO, "x != 0", given=given)
        far = EXPM1_QUOTIENT if function == "expm1" else "out"
        both = f"where(abs(x) < 1 and abs(y) < 1, r*{ratio}(y)/{ratio}(x), {far})"
        if function != "sinh":  # which may overflow, too: see `hyperbolic_quotients`
            yield stable(f"{function}(y)/{function}(x)", both, ZERO, "x != 0", given="r = y/x")
    for function, half, sine, ratio in (
        ("cosm1(y)", "-0.5", "-sin(y/2)", "sinc_unnormalized(y/2)"),
        ("coshm1(y)", "0.5", "sinh(y/2)", "sinhc(y/2)"),
    ):
        square = f"{half}*(r*r)*({ratio}*{ratio})"
        yield stable(f"{function}/(x*x)", square, ZERO, "x != 0", given="r = y/x")
        inverse = f"where(abs(y) < 1, (r*r)/({half}*({ratio}*{ratio})), out)"
        yield stable(f"(x*x)/{function}", inverse, ZERO, "y != 0", given="r = x/y")
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
    yield stable("sinmxcos(x)/x", "x*x*sphj1_ratio(x)", ZERO, "x != 0")
    for defect in ("sinmx", "sinhmx"):
        yield stable(f"{defect}(x)/(x*(x*x))", f"{defect}_ratio(x)", ZERO, "x != 0")
        of_root = f"{defect}_ratio(sqrt(x))"  # Stumpff's functions
        yield stable(f"{defect}(sqrt(x))*x**(-1.5)", of_root, ZERO, "x > 0")
        near = f"where(abs(x) < 1.5, x*{defect}_ratio(x), out)"
        yield stable(f"{defect}(x)/(x*x)", near, ZERO, "x != 0")
    tangent = "(sinmx_ratio(x) + 0.5*(sinc_unnormalized(x/2)*sinc_unnormalized(x/2)))"
    for pattern, limit in (
        ("tanmx(x)/(x*(x*x))", f"{tangent}/cos(x)"),
        ("sinmx(x)/tanmx(x)", f"sinmx_ratio(x)*cos(x)/{tangent}"),
        ("tanmx(x)/sinmx(x)", f"{tangent}/(sinmx_ratio(x)*cos(x))"),
    ):
        yield stable(pattern, f"where(abs(x) < 1, {limit}, out)", ZERO, "x != 0")
    sphere = horner(HYPERBOLIC_SPHERE, "(x*x)")
    near = f"where(abs(x) < 1.5, -({sphere})/cosh(x), out)"
    yield stable("tanhmx(x)/(x*(x*x))", near, ZERO, "x != 0")
    yield stable("expm1mx(x)/(x*x)", "phi2(x)", ZERO, "x != 0")
    yield stable("exp(x) - exprel(x)", "where(abs(x) < 1, x*exp(x)*phi2(-x), out)", CANCELS)
    yield stable("expm1mx(-x)/(x*x)", "phi2(-x)", ZERO, "x != 0")
    for pattern, mean in (
        ("log(x)/(x - 1)", "log1prel(x - 1)"),
        ("log(x)/(1 - x)", "-log1prel(x - 1)"),
        ("(x - 1)/log(x)", "1/log1prel(x - 1)"),
        ("(1 - x)/log(x)", "-1/log1prel(x - 1)"),
        ("xlogx(x)/(x - 1)", "x*log1prel(x - 1)"),
        ("xlogx(x)/(1 - x)", "-x*log1prel(x - 1)"),
    ):
        yield stable(pattern, f"where(abs(x - 1) < 0.5, {mean}, out)", ZERO, "x != 1")
    yield stable("x*coth(x)", "xcoth(x)", ZERO, "x != 0")
    for name, inverse in (("cot", "tan"), ("csc", "sin"), ("csch", "sinh")):
        yield stable(f"x*{name}(x)", f"x/{inverse}(x)", ZERO, "x != 0")


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
        scaled = "t = x/y; " + re.sub(r"\bx\b", "t", branches)
        pattern = f"y/x - 1/{function.replace('(x)', '(x/y)')}"
        yield stable(pattern, scaled, CANCELS, "x != 0 and y != 0")
    yield stable("coth(x) - 1/x", "1/tanh(x) - 1/x", CANCELS, "x != 0")
    yield stable("coth(x/y) - y/x", "1/tanh(x/y) - y/x", CANCELS, "x != 0")
    yield stable("cot(x) - 1/x", "1/tan(x) - 1/x", CANCELS, "x != 0")
    far = "where(x > 0, (1 - bernoulli(x))/x - 1, (1 - bernoulli(-x))/x)"
    branches = "where(abs(x) < 0.003, -0.5 - x/12 + x**3/720 - x**5/30240, where(abs(x) < 1, "
    branches += f"expm1mx(-x)/(x*expm1(-x)), {far}))"
    yield stable("1/x + 1/expm1(-x)", branches, CANCELS, "x != 0")


DEFECTS = ["sin", "tan", "sinh", "tanh", "arctan", "arcsin", "arcsinh", "arctanh", "expm1", "log1p"]


def defects() -> Iterator[Law]:
    """Functions less their argument, which is the first term of their series, or less another."""
    for name in DEFECTS:
        yield stable(f"{name}(x) - x", f"{name}mx(x)", CANCELS)
    for name in ("expm1", "log1p"):  # which are not odd
        yield stable(f"x + {name}(-x)", f"{name}mx(-x)", CANCELS)
    yield stable("arctan_ratio(y, x) - y/x", "arctanmx(y/x)", CANCELS)
    for one, other in combinations(DEFECTS, 2):
        near = f"where(abs(x) < 0.5, {one}mx(x) - {other}mx(x), out)"
        if (one, other) != ("sin", "tan"):  # which is a product
            yield stable(f"{one}(x) - {other}(x)", near, CANCELS)


SIGNS = (("+", ""), ("-", "-"))  # of what is added to 1, and of that in log1p


def growth() -> Iterator[Law]:
    """Compound growth by a small rate: powers of a sum that is nearly 1, and what they grow by."""
    for power, rate in (
        ("(1 + x)**y", "log1p(x)"),
        ("(1 - x)**y", "log1p(-x)"),
        ("compound(x, y)", "log1p(x)"),
    ):
        near = f"where(abs(x) < 0.5 or abs(y*{rate}) < 1, expm1(y*{rate}), out)"
        yield stable(f"{power} - 1", near, CANCELS)
    series = "where(abs(x - 1) < 0.5, expm1(y*log1p(x - 1))/(x - 1), out)"  # the geometric one
    for above, below in (("x**y - 1", "x - 1"), ("1 - x**y", "1 - x")):
        yield stable(f"({above})/({below})", series, ZERO, "x != 1", variable="y")
        multiple = f"z*(({above})/({below}))"
        yield stable(f"(z*({above}))/({below})", multiple, ZERO, "x != 1", variable="y")
    for sign, minus in SIGNS:
        base, share = f"(1 {sign} x)", f"({minus}log1prel({minus}x))"
        for exponent, limit, given in (
            ("y/x", f"exp(y*{share})", ""),
            ("y/z", f"exp(y*r*{share})", "r = x/z"),
            ("y/z - w", f"exp(y*r*{share})*{base}**(-w)", "r = x/z"),
            ("-(y/z)", f"exp(-(y*r*{share}))", "r = x/z"),
            ("-(w + y/z)", f"exp(-(y*r*{share}))*{base}**(-w)", "r = x/z"),
        ):
            near = f"where(abs(x) < 0.1, {limit}, out)"
            yield stable(f"{base}**({exponent})", near, ZERO, "x != 0", given=given)
        compound = f"compound({minus}(x/z), y)"  # after those with a limit
        yield stable(f"(1 {sign} x/z)**y", compound, ROUNDED, "z != 0", variable="y")


def annuities() -> Iterator[Law]:
    """What a power of a sum that is nearly 1 grows by, divided by the rate, and the inverse."""
    for down in ("", "-"):
        exponent, slope = f"{down}(y*log1p(x))", f"({down}(y*log1prel(x)))"
        for pattern, limit, given in (
            (f"expm1({exponent})/w", f"r*{slope}*exprel({exponent})", "r = x/w"),
            (f"w/expm1({exponent})", f"r*bernoulli({exponent})/{slope}", "r = w/x"),
        ):
            near = f"where(abs(x) < 0.5, {limit}, out)"
            yield stable(pattern, near, ZERO, "x*y != 0", given=given)
    exponent = "y*log1p(x)"
    yield stable(f"(1 + x)**y/expm1({exponent})", f"-1/expm1(-({exponent}))", OVERFLOWS)
    yield stable(f"(1 + x)**y*bernoulli({exponent})", f"bernoulli(-({exponent}))", OVERFLOWS)


def information() -> Iterator[Law]:
    """Multiples of a number times the logarithm of its ratio to another, which are 0 with it."""
    for log in ("log", "log2", "log10"):
        ratio = f"{log}(x/y)"
        if log != "log":
            yield stable(f"x*{ratio}", "where(x == 0, x*log(x/y), out)", POLE, "x != 0")
        yield stable(f"(z*x)*{ratio}", f"z*(x*{ratio})", POLE, "x != 0")
        yield stable(f"(x/z)*{ratio}", f"(x*{ratio})/z", POLE, "x != 0")
    yield stable("(w*x)*log((y*x)/z)", "w*(x*log((y*x)/z))", POLE, "x != 0")


def great_circles() -> Iterator[Law]:
    """The distance of two points on a sphere, of latitudes x and y: T. Vincenty's form."""
    across = "sin(y - x) + 2*(sin(x)*cos(y))*(sin(z/2)*sin(z/2))"
    for product in ("(cos(x)*cos(y))*cos(z)", "(cos(z)*cos(x))*cos(y)"):
        cosine = f"sin(x)*sin(y) + {product}"
        near = f"arctan2(hypot(cos(y)*sin(z), {across}), {cosine})"
        on_earth = f"where(abs(x) < 2 and abs(y) < 2, {near}, out)"
        yield stable(f"arccos({cosine})", on_earth, CANCELS)


def sizes() -> Iterator[Law]:
    """Roots of the size of a number, whose slope at 0 is 0 as that of the size."""
    yield stable("sqrt(abs(x))", "sqrtabs(x)", INFINITE)
    yield stable("sqrtabs(x)*sqrtabs(x)", "abs(x)", INFINITE)
    yield stable("log(sqrtabs(x))", "logabs(x)/2", "one rounding less")

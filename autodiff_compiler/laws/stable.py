"""Stable forms of formulas that cancel, overflow or divide 0 by 0, as data.

In a replacement `out` is the pattern itself, as it was written, for where only that is right.
`holds` says where pattern and replacement are the same function, if that is not everywhere;
elsewhere one of the two gives nan, or the pattern divides 0 by 0 and the replacement has the limit.
"""

from __future__ import annotations

import math

from ..rewrite import Law
from .families import (
    CANCELS,
    FAR,
    INFINITE,
    LARGE,
    OVERFLOWS,
    POLE,
    ZERO,
    annuities,
    conjugates,
    defects,
    differences,
    divided_differences,
    great_circles,
    growth,
    information,
    logarithms,
    of_series,
    poles,
    positive,
    removable,
    sizes,
    stable,
    turns,
)
from .gammas import gammas
from .quotients import quotients
from .tails import beyond, currents, hyperbolic_quotients, tails


def moderate(n: float) -> bool:
    """Whether a constant is so near 1 that a product with it loses no range."""
    return 1e-10 < abs(n) < 1e10


def quarter_turn(n: float) -> bool:
    """Whether a constant is pi/2, rounded."""
    return n == math.pi / 2


def quarter(n: float) -> bool:
    """Whether a constant is pi/4, rounded."""
    return n == math.pi / 4


# Of exp(x*x)*erfc(x)*sqrt(pi)*x, in t = 1/x**2: Abramowitz and Stegun 7.1.23
ERFCX = "(1 - t/2*(1 - 1.5*t*(1 - 2.5*t*(1 - 3.5*t*(1 - 4.5*t*(1 - 5.5*t))))))"
LOGARITHMS = (
    stable("log(exp(x))", "x", OVERFLOWS),
    stable("log(1 + exp(x))", "softplus(x)", OVERFLOWS),
    stable("log1p(exp(x))", "softplus(x)", OVERFLOWS),
    stable("log(expit(x))", "log_expit(x)", OVERFLOWS),
    stable("log(expm1(x))", "logexpm1(x)", OVERFLOWS),
    stable("log(-expm1(x))", "log1mexp(x)", CANCELS),
    stable("log1p(-exp(x))", "log1mexp(x)", CANCELS),
    stable("log(cosh(x))", "logcosh(x)", OVERFLOWS),
    stable("log(n*cosh(x))", "logcosh(x) + log(n)", OVERFLOWS, when=positive),
    stable("log(cosh(x)/n)", "logcosh(x) - log(n)", OVERFLOWS, when=positive),
    stable("log(tanh(x))", "logtanh(x)", CANCELS),
    stable(
        "log(sinc_unnormalized(x))",
        "where(abs(x) < 1, log1p(x*x*sinmx_ratio(x)), out)",
        CANCELS,
    ),
    stable(
        "log(sinhc(x))",
        "where(abs(x) < 1, log1p(x*x*sinhmx_ratio(x)), abs(x) + log(-expm1(-2*abs(x))/(2*abs(x))))",
        OVERFLOWS,
    ),
    stable("softplus(x) - x", "softplus(-x)", CANCELS),
    stable("log(sinh(x))", "where(x > 20, x - log(2), out)", OVERFLOWS),
    stable("log(n*sinh(x))", "where(x > 20, x + log(n/2), out)", OVERFLOWS, when=positive),
    stable("log(x + exp(y))", f"where(y > {FAR}, y + log1p(x*exp(-y)), out)", OVERFLOWS),
    stable("log((1 + x)/(1 - x))", "2*arctanh(x)", CANCELS),
    stable("log((1 - x)/(1 + x))", "-2*arctanh(x)", CANCELS),
    stable("log1p(x) - log1p(-x)", "2*arctanh(x)", CANCELS),
    stable("log(conjugate_sum(x, hypot(x, 1), d))", "arcsinh(x)", CANCELS, "d == 1"),
    stable("log(abs(x) + hypot(x, 1))", "arcsinh(abs(x))", CANCELS),
    stable(
        "log(conjugate_sum(x, sqrt_product(x - 1, x + 1), d))", "arccosh(x)", CANCELS, "d == -1"
    ),
    stable("log((1 + x) + y)", "where(abs(x + y) < 0.5, log1p(x + y), out)", CANCELS),
    stable("log((1 + x) - y)", "where(abs(x - y) < 0.5, log1p(x - y), out)", CANCELS),
    stable(
        "log((1 - y) + y*exp(x))",
        "where(abs(x) < 1, log1p(y*expm1(x)), "
        f"where(x > {FAR}, x + log(y + (1 - y)*exp(-x)), out))",
        CANCELS,
    ),
    stable("log(1 + x)", "log1p(x)", CANCELS),
    stable("log(1 - x)", "log1p(-x)", CANCELS),
    *(
        stable(f"log{base}(1 {sign} x)", f"log1p({minus}x)/log({base})", CANCELS)
        for base in ("2", "10")
        for sign, minus in (("+", ""), ("-", "-"))
    ),
    stable("log(abs(x - 1))", "logabs1m(x)", CANCELS),
    stable("log(abs(1 - x))", "logabs1m(x)", CANCELS),
    stable("log(abs(1 + x))", "logabs1m(-x)", CANCELS),
    stable("log(abs(sinh(x)))", "where(abs(x) > 20, abs(x) - log(2), out)", OVERFLOWS),
    stable("log(abs(x))", "logabs(x)", POLE),
    stable("log(x**n)", "n*log(x)", LARGE, when=lambda n: n % 2 != 0),
    stable("log(n**x)", "x*log(n)", OVERFLOWS, when=positive),
    stable("log2(n**x)", "x*log2(n)", OVERFLOWS, when=positive),
    stable("log10(n**x)", "x*log10(n)", OVERFLOWS, when=positive),
    stable("log(x**y)", "where(x > 0, y*log(x), out)", OVERFLOWS),
    stable("log((1 - x)*(1 + x))", "where(abs(x) < 0.5, log1p(-(x*x)), out)", CANCELS),
    stable("log(sqrt(x))", "log(x)/2", "one rounding less"),
    stable("log(sqrt_product(x, y))", "log(x*y)/2", "one rounding less"),
    stable("log(1/x)", "-log(x)", "the quotient overflows first"),
    stable("x*gamma(x)", "gamma(x + 1)", POLE, "x != 0"),
    stable("log(gamma(x))", "where(x > 0, gammaln(x), out)", "gamma overflows first"),
    stable("log(factorial(x))", "where(x > -1, gammaln(x + 1), out)", "gamma overflows first"),
    stable("(x*x)*log(x)", "x*xlogx(x)", "0 times infinity at 0", "x > 0"),
    stable("x*log(x)", "xlogx(x)", POLE, "x > 0"),
    stable("(y*x)*log(x)", "y*xlogx(x)", POLE, "x > 0"),
    stable("x*log2(x)", "xlogx(x)/log(2)", POLE, "x > 0"),
    stable("x*log10(x)", "where(x == 0, xlogx(x), out)", POLE, "x > 0"),
    stable("x*log(x/y)", "where(x >= 0 and y > 0, rel_entr(x, y), xlogy(x, x/y))", POLE, "x != 0"),
    *information(),
    stable("x*log((y*x)/z)", "xlogy(x, (y*x)/z)", POLE, "x != 0"),
    stable("x*where(c, z, log(x/y))", "where(c, x*z, xlogy(x, x/y))", POLE, "x != 0"),
    stable("x*logabs(x)", "where(x < 0, -xlogx(-x), xlogx(x))", POLE, "x != 0"),
    stable("(x*x)*logabs(x)", "where(x == 0, 0, out)", "0 times infinity at 0", "x != 0"),
    stable(
        "(x*x + y*y)*log(hypot(x, y))",
        "where(x == 0 and y == 0, 0, out)",
        "0 times infinity at 0",
        "x*x + y*y != 0",
    ),
    stable("x*log(y*x)", "xlogy(x, y*x)", POLE, "x != 0"),
    stable("(log(x) + y)*x", "xlogx(x) + x*y", POLE, "x > 0"),
    stable("(log(x) - y)*x", "xlogx(x) - x*y", POLE, "x > 0"),
    stable("(1 - x)*log1p(-x)", "xlog1py(1 - x, -x)", POLE, "x < 1"),
    stable("(x - 1)*log1p(-x)", "-xlog1py(1 - x, -x)", POLE, "x < 1"),
    stable("(1 + x)*log1p(x)", "xlog1py(1 + x, x)", POLE, "x > -1"),
    stable("(1 - x)*(log1p(-x)/n)", "xlog1py(1 - x, -x)/n", POLE, "x < 1"),
    stable("(x - 1)*(log1p(-x)/n)", "-xlog1py(1 - x, -x)/n", POLE, "x < 1"),
    stable("(1 + x)*(log1p(x)/n)", "xlog1py(1 + x, x)/n", POLE, "x > -1"),
    stable("xlog1py(1 + x, x) - x", "where(abs(x) < 0.5, x*log1p(x) + log1pmx(x), out)", CANCELS),
    stable("sqrt(x)*log(x)", "where(x == 0, xlogx(x), out)", "0 times infinity at 0", "x > 0"),
    stable("log(y*exp(x))", "x + log(y)", OVERFLOWS, "y > 0"),
    stable("log(exp(x)/y)", "x - log(y)", OVERFLOWS, "y > 0"),
    stable("log(exp(x) - exp(y))", "where(x >= y, logsubexp(x, y), out)", OVERFLOWS),
    stable("log(erfc(x))", "logerfc(x)", OVERFLOWS),
    stable("log(n*erfc(x))", "logerfc(x) + log(n)", OVERFLOWS, when=positive),
    stable("log(ndtr(x))", "log_ndtr(x)", OVERFLOWS),
    stable("log(xcsch(x))", "-log(sinhc(x))", OVERFLOWS),
    stable("log(where(c, expit(x), y))", "where(c, log_expit(x), log(y))", OVERFLOWS),
    stable("log(where(c, y, expit(x)))", "where(c, log(y), log_expit(x))", OVERFLOWS),
    stable("log(cos(x))", "where(abs(x) < 1, log1p(cosm1(x)), out)", CANCELS),
    *(
        stable(
            f"log(tan(n {sign} x))",
            f"where(abs(x) < 0.7, {sign}arcsinh(tan(2*x)), out)",
            CANCELS,
            when=quarter,
        )
        for sign in "+-"
    ),
)

EXPONENTIALS = (
    *currents(),
    stable("e**x", "exp(x)", "the rounded base is raised to a power"),
    stable("exp(x) - 1", "expm1(x)", CANCELS),
    stable("(x**y - 1)/y", "where(abs(y*log(x)) < 1, boxcox(x, y), out)", ZERO, "y != 0"),
    stable("n**x - 1", "expm1(log(n)*x)", CANCELS, when=positive),
    *growth(),
    *annuities(),
    stable("exp(x) - exp(-x)", "2*sinh(x)", CANCELS),
    stable("exp(x) + exp(-x)", "2*cosh(x)", "one exponential less"),
    stable("y*exp(x) - y*exp(-x)", "2*y*sinh(x)", CANCELS),
    stable("y*exp(x) + y*exp(-x)", "2*y*cosh(x)", "one exponential less"),
    stable("expm1(2*x)/expm1(x)", "exp(x) + 1", OVERFLOWS, "x != 0"),
    stable("expm1(x)/(1 + exp(x))", "tanh(x/2)", OVERFLOWS),
    stable("exp(x)/(1 + exp(x))", "expit(x)", OVERFLOWS),
    stable("(y*exp(x))/(1 + exp(x))", "y*expit(x)", OVERFLOWS),
    stable("exp(x)/expm1(x)", "-1/expm1(-x)", OVERFLOWS),
    stable("(y*exp(x))/expm1(x)", "-y/expm1(-x)", OVERFLOWS),
    stable("bernoulli(x)*bernoulli(-x)", "xcsch(x/2)*xcsch(x/2)", CANCELS),
    stable("exp(x)/((1 + exp(x))*(1 + exp(x)))", "0.25*(sech(x/2)*sech(x/2))", OVERFLOWS),
    stable("exp(x)/(1 + exp(2*x))", "0.5*sech(x)", OVERFLOWS),
    stable("y/(1 + exp(x))", "y*expit(-x)", OVERFLOWS),
    *(
        stable(
            f"exp(x)/{pattern}",
            f"t = exp(where(x > 0, -x, x)); where(x > 0, 1, t)/where(x > 0, {above}, {below})",
            OVERFLOWS,
        )
        for pattern, above, below in (
            ("(y + exp(x))", "y*t + 1", "y + t"),
            ("(y + z*exp(x))", "y*t + z", "y + z*t"),
            ("(y - z*exp(x))", "y*t - z", "y - z*t"),
            ("(z*exp(x) - y)", "z - y*t", "z*t - y"),
        )
    ),
    stable("exp(x)/exp(y)", "exp_quotient(x, y)", OVERFLOWS),
    stable("x - x**y", "d = (y - 1)*log(x); where(abs(d) < 1, -x*expm1(d), out)", CANCELS),
    stable("exp(y - exp(x))*exp(x)", "where(x > 20 and y < 1e8, 0, out)", OVERFLOWS),
    stable("exp(-(y + exp(x)))*exp(x)", "where(x > 20 and y > -1e8, 0, out)", OVERFLOWS),
    stable("exp(x)*exp(-exp(x))", "exp(x - exp(x))", OVERFLOWS),
    stable("expm1(x)*exp(y - exp(x))", "where(x > 20 and y < 1e8, 0, out)", OVERFLOWS),
    stable("exp(x)*exp(-x)", "1", OVERFLOWS),
    stable("exp(x)*sinh(x)", "0.5*expm1(2*x)", OVERFLOWS),
    stable("exp(-x)*sinh(x)", "-0.5*expm1(-2*x)", OVERFLOWS),
    stable("exp(x)*cosh(x)", "0.5 + 0.5*exp(2*x)", OVERFLOWS),
    stable("exp(-x)*cosh(x)", "0.5 + 0.5*exp(-2*x)", OVERFLOWS),
    stable("x/exp(y)", "x*exp(-y)", OVERFLOWS),
    stable("exp(x)*bernoulli(x)", "bernoulli(-x)", OVERFLOWS),
    *tails(),
    stable("1 - expit(x)", "expit(-x)", CANCELS),
    stable("expit(x) - 0.5", "0.5*tanh(x/2)", CANCELS),
    stable("2*expit(x) - 1", "tanh(x/2)", CANCELS),
    stable("exp(log(x))", "where(x >= 0, x, out)", "one rounding less"),
    stable(
        "exp(log(x) + log(y))", "where(x > 0 and y > 0, x*y, out)", "large exponents lose digits"
    ),
    stable(
        "exp(log(x) - log(y))", "where(x > 0 and y > 0, x/y, out)", "large exponents lose digits"
    ),
    stable("exp(y*log(x))", "where(x >= 0, x**y, out)", "large exponents lose digits"),
    stable("x/y**z", "x*y**(-z)", "the power overflows, and its slope with it"),
)

HYPERBOLICS = (
    stable("sinh(x)/cosh(x)", "tanh(x)", OVERFLOWS),
    stable("cosh(x)/sinh(x)", "1/tanh(x)", OVERFLOWS),
    *hyperbolic_quotients(),
    stable("x/cosh(y)", "x*sech(y)", OVERFLOWS),
    stable("cosh(x) - 1", "coshm1(x)", CANCELS),
    stable("1 - sech(x)", "where(abs(x) < 1, coshm1(x)*sech(x), out)", CANCELS),
    stable("cosh(x) - cos(y)", "coshm1(x) - cosm1(y)", CANCELS),
    stable("exp(x) - cos(y)", "where(abs(x) < 0.5, expm1(x) - cosm1(y), out)", CANCELS),
    stable("exp(x) - (1 + x)", "expm1mx(x)", CANCELS),
    stable("1 - tanh(x)", "2*expit(-2*x)", CANCELS),
    stable("1 + tanh(x)", "2*expit(2*x)", CANCELS),
    stable("1 - erf(x)", "erfc(x)", CANCELS),
    *(
        stable(pattern, f"t = 1/(x*x); where(x > 25, {scale}{ERFCX}/(sqrt(pi)*x), out)", OVERFLOWS)
        for pattern, scale in (("exp(x*x)*erfc(x)", ""), ("exp(y)*erfc(x)", "exp(y - x*x)*"))
    ),
    stable("1 + erf(x)", "erfc(-x)", CANCELS),
    stable("erf(x) - erf(y)", "erf_difference(x, y)", CANCELS),
    stable("ndtr(x) - ndtr(y)", "0.5*erf_difference(x/sqrt(2), y/sqrt(2))", CANCELS),
    stable("sinh(x)/tanh(x)", "cosh(x)", ZERO, "x != 0"),
    stable("tanh(x)/sinh(x)", "sech(x)", ZERO, "x != 0"),
    stable("arccosh(1 + x)", "2*arcsinh(sqrt(x/2))", CANCELS),
    stable("1 - tanh(x)*tanh(x)", "sech(x)*sech(x)", CANCELS),
    stable("cosh(x)*cosh(x) - sinh(x)*sinh(x)", "1", CANCELS),
)

TRIGONOMETRY = (
    stable("sin(x)*sin(x) + cos(x)*cos(x)", "1", "Pythagoras"),
    stable("cos(x)*cos(x) - sin(x)*sin(x)", "cos(2*x)", CANCELS),
    stable("1 - sin(x)*sin(x)", "cos(x)*cos(x)", CANCELS),
    stable("1 - cos(x)*cos(x)", "sin(x)*sin(x)", CANCELS),
    stable("cos(x) - 1", "cosm1(x)", CANCELS),
    stable("1/cos(x) - 1", "-cosm1(x)/cos(x)", CANCELS),
    stable("sin(x)/tan(x)", "cos(x)", ZERO, "x != 0"),
    stable("tan(x)/sin(x)", "1/cos(x)", ZERO, "x != 0"),
    stable("sqrt(-(n*cosm1(x)))", "sqrt(2*n)*abs(sin(x/2))", LARGE, when=positive),
    stable("sqrt(-cosm1(x))", "sqrt(2)*abs(sin(x/2))", LARGE),
    stable("arccos(1 - x)", "where(x < 1, 2*arcsin(sqrt(x/2)), out)", CANCELS),
    *great_circles(),
    stable("arccos((1 - x)*(1 + x))", "2*arcsin(abs(x)/sqrt(2))", CANCELS),
    stable("n - arctan(x)", "arctan2(1, x)", CANCELS, when=quarter_turn),
    stable("n - arcsin(x)", "arccos(x)", CANCELS, when=quarter_turn),
    stable("n - arccos(x)", "arcsin(x)", CANCELS, when=quarter_turn),
    stable("arctan(exp(x)) - n", "arctan(tanh(x/2))", CANCELS, when=quarter),
    stable("2*arctan(exp(x)) - n", "2*arctan(tanh(x/2))", CANCELS, when=quarter_turn),
    stable(
        "arctan(y/x)",
        "arctan_ratio(y, x)",
        "0 times infinity at x = 0, in the slope",
        "x != 0",
        variable="x",
    ),
    stable("arctan(sinh(x))", "2*arctan(tanh(x/2))", OVERFLOWS),
    stable("arcsin(tanh(x))", "2*arctan(tanh(x/2))", OVERFLOWS),
    stable("arccos(cos(x))", "where(abs(x) <= pi, abs(x), out)", INFINITE),
    stable("arcsin(sin(x))", "where(abs(x) <= pi/2, x, out)", INFINITE),
    stable("arctan(tan(x))", "where(abs(x) < pi/2, x, out)", "a pole between"),
    stable("arccos(x/hypot(x, y))", "arctan2(abs(y), x)", INFINITE, "x*x + y*y != 0"),
    stable("arcsin(x/hypot(x, y))", "arctan2(x, abs(y))", INFINITE, "x*x + y*y != 0"),
    stable("sin(x) - tan(x)", "tan(x)*cosm1(x)", CANCELS),
    stable("sin(x)/cos(x)", "tan(x)", "one rounding less"),
    stable("cos(x)/sin(x)", "1/tan(x)", "one rounding less"),
    stable("cosm1(x)/sin(x)", "-tan(x/2)", ZERO, "x != 0"),
    stable("sin(x)/cosm1(x)", "-1/tan(x/2)", ZERO, "x != 0"),
    stable("cosm1(x)/(sin(x)*sin(x))", "-0.5/(cos(x/2)*cos(x/2))", ZERO, "x != 0"),
    stable("(sin(x)*sin(x))/cosm1(x)", "-2*(cos(x/2)*cos(x/2))", ZERO, "x != 0"),
    stable("coshm1(x)/(sinh(x)*sinh(x))", "0.5*(sech(x/2)*sech(x/2))", ZERO, "x != 0"),
    stable("(sinh(x)*sinh(x))/coshm1(x)", "2*(cosh(x/2)*cosh(x/2))", ZERO, "x != 0"),
    stable("1/sin(x) - 1/tan(x)", "tan(x/2)", CANCELS, "x != 0"),
    *turns(quarter_turn),
    *poles(),
    stable(
        "arccos(x)/sqrt_product(1 - x, 1 + x)",
        "where(x > 0, 1/sinc_unnormalized(arccos(x)), out)",
        ZERO,
        "x < 1",
    ),
)

ROOTS = (
    stable("sqrt(x*x)", "abs(x)", LARGE),
    stable("abs(x*x)", "x*x", "it is positive"),
    stable("(x*x)/abs(x)", "abs(x)", ZERO, "x != 0"),
    stable("abs(x)*abs(x)", "x*x", "it is smooth at 0"),
    stable("abs(x)/abs(y)", "abs(x/y)", "the slope cancels", "y != 0"),
    stable("hypot(abs(x), y)", "hypot(x, y)", "it is smooth where x is 0 and y is not"),
    stable("x*hypot(1, y/z)", "r*copysign(hypot(y, z), z)", CANCELS, "z != 0", given="r = x/z"),
    *sizes(),
    stable("sqrt(x)*sqrt(x)", "where(x >= 0, x, out)", INFINITE),
    stable("sqrt_product(x, y)*sqrt_product(x, y)", "where(x*y >= 0, x*y, out)", INFINITE),
    stable("sqrt(x*(x*x))", "x**1.5", INFINITE),
    stable("sqrt(y*(x*x))", "sqrt(y)*abs(x)", LARGE, "y >= 0"),
    stable("sqrt((x*x)/y)", "abs(x)/sqrt(y)", LARGE, "y > 0"),
    stable("(x*x)*sqrt(x)", "x**2.5", INFINITE),
    stable("cbrt(x)*(cbrt(x)*cbrt(x))", "x", INFINITE),
    stable("sqrt(x*y)", "sqrt_product(x, y)", "constant in one factor where the other is 0"),
    stable("sqrt(x)**n", "x**(n/2)", INFINITE, when=lambda n: n % 2 == 1),
    stable("x*sqrt(x)", "x**1.5", INFINITE),
    stable("x/sqrt(x)", "sqrt(x)", ZERO, "x > 0"),
    stable("sqrt(x)/x", "1/sqrt(x)", ZERO, "x > 0"),
    stable("sqrt(exp(x))", "exp(x/2)", OVERFLOWS),
    stable("cbrt(x*(x*x))", "x", INFINITE),
    stable(
        "nonzero(hypot(x, n))", "hypot(x, n)", "a norm with a constant part", when=lambda n: n != 0
    ),
)

RECIPROCALS = (
    *(
        stable(f"(x/y)/(1 {sign} z/y)", f"x/(y {sign} z)", "infinity over infinity at 0", "y != 0")
        for sign in "+-"
    ),
    *(
        stable(f"y/{root} - y", f"s = {root}; where({near}, y*({less}/(s*(1 + s))), out)", CANCELS)
        for root, less, near in (
            ("sqrt_product(1 - x, 1 + x)", "x*x", "abs(x) < 0.7"),
            ("sqrt(1 - x)", "x", "abs(x) < 0.5"),
            ("sqrt(1 + x)", "-x", "abs(x) < 0.5"),
        )
    ),
)

SQUARES = (
    stable("x*x - y*y", "(x - y)*(x + y)", CANCELS),
    stable("x*x - 1", "(x - 1)*(x + 1)", CANCELS),
    stable("1 - x*x", "(1 - x)*(1 + x)", CANCELS),
    stable("1/(x*x) - 1/(y*y)", "(1/x - 1/y)*(1/x + 1/y)", CANCELS),
    stable("(x*x)/(y*y)", "(x/y)*(x/y)", LARGE, alone=True),
    stable("(x*x)/(n*(y*y))", "(x/y)*(x/y)/n", LARGE, alone=True, when=moderate),
)

PAIRS: tuple[Law, ...] = (
    *LOGARITHMS,
    *EXPONENTIALS,
    *HYPERBOLICS,
    *TRIGONOMETRY,
    *removable(),
    *of_series(),
    *defects(),
    *differences(),
    *logarithms(),
    *divided_differences(),
    *conjugates(),
    *gammas(),
    *quotients(),
    *beyond(),
    *ROOTS,
    *RECIPROCALS,
)
STABLE = PAIRS + SQUARES

"""Rows of compositions that plain formulas cancel, overflow or divide 0 by 0 in.

Most are what the pass `stable` turns such formulas into; the names are those of SciPy, Julia's
LogExpFunctions or Mathematica where there is one.
"""

# A table: one row per function, aligned by hand.
# fmt: off

from __future__ import annotations

from math import factorial

from .row import POSITIVE, REAL, UNIT, function


def horner(coefficients: list[str], t: str) -> str:
    """The polynomial with these coefficients, the constant one first, as text in `t`."""
    text = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        text = f"{coefficient} + {t}*({text})"
    return text


def from_thirds(sign: int) -> list[str]:
    """The coefficients 1/3, sign/5 ... of arctan (sign -1) or arctanh (sign 1), less the first."""
    return [f"{sign**k}/{2*k + 3}" for k in range(17)]


def arc_defect(name: str, near: float, root: str, sign: int, way: int) -> str:
    """An arc function of x less x, near 0 by way of that of t = x/(1 + root), where
    x = 2*t/(1 - way*t*t): it is twice that of t."""
    series = f"{sign}*2*t*(t*t)*({horner(from_thirds(sign), '(t*t)')}) - {way}*x*(t*t)"
    return f"t = x/(1 + {root}); where(abs(x) < {near}, {series}, {name}(x) - x)"


def sine_ratio(sign: int) -> tuple[str, str]:
    """The Taylor series of (sin(x) - x)/x**3, or of sinh with sign 1, and that of its slope."""
    terms = [(sign**k, factorial(2*k + 1)) for k in range(1, 13)]
    slopes = [f"{2*k*above}/{below}" for k, (above, below) in enumerate(terms[1:], 1)]
    value = horner([f"{above}/{below}" for above, below in terms], "(x*x)")
    return value, f"x*({horner(slopes, '(x*x)')})"


def defect_slope(name: str) -> str:
    """Of f(x) - x: less 1, which far from 0 neither cancels nor is inf/inf."""
    slope, less = SLOPES[name]
    return f"where(abs(x) < 1, {less}, {slope} - 1)"


def ratio_slope(name: str, first: str, second: str) -> str:
    """Of f(x)/x: by the series first*x*(1 + second*x*x) near 0; far from it nothing cancels."""
    slope, less = SLOPES[name]
    return (f"where(abs(x) < {TINY}, {first}*x*(1 + {second}*x*x), where(abs(x) < 1, "
            f"({less})/x - {name}mx(x)/x/x, ({slope} - out)/x))")


EXPREL_SLOPE = horner([f"{k}/{factorial(k + 1)}" for k in range(1, 19)], "x")

# By s = x/(2 + x): log1p(x) = 2*arctanh(s), and x = 2*s/(1 - s).
ARCTANH = [f"1/{2*k + 1}" for k in range(15)]  # of arctanh(s)/s in powers of s*s
ARCTANH_SLOPE = [f"{k}/{2*k + 1}" for k in range(1, 15)]
TINY = "1e-5"  # where two terms of a series are exact to double precision

ERF_SLOPE = horner([f"{(-1)**k*2*k}/{factorial(k)*(2*k + 1)}" for k in range(1, 19)], "(x*x)")
PHI2 = [f"1/{factorial(k + 2)}" for k in range(18)]
PHI2_SLOPE = [f"{k}/{factorial(k + 2)}" for k in range(1, 19)]
SPHERE = [f"{(-1)**k*2*(k + 1)}/{factorial(2*k + 3)}" for k in range(12)]
HYPERBOLIC_SPHERE = [f"{2*(k + 1)}/{factorial(2*k + 3)}" for k in range(12)]
SPHERE_SLOPE = [f"{(-1)**k*4*k*(k + 1)}/{factorial(2*k + 3)}" for k in range(1, 13)]
AIRY = [f"{(-1)**k}/{2*4**k*factorial(k)*factorial(k + 1)}" for k in range(12)]
AIRY_SLOPE = [f"{(-1)**k*k}/{4**k*factorial(k)*factorial(k + 1)}" for k in range(1, 13)]
SINE, SINE_SLOPE = sine_ratio(-1)
HYPERBOLIC_SINE, HYPERBOLIC_SINE_SLOPE = sine_ratio(1)
ROOT = "sqrt((1 - x)*(1 + x))"
SLOPES = {  # of functions, far from 0, and less 1 near 0
    "arctan": ("1/x/(1/x + x)", "-(x/hypot(1, x))**2"),
    "arcsin": (f"1/{ROOT}", f"x*x/({ROOT}*(1 + {ROOT}))"),
    "arcsinh": ("1/hypot(1, x)", "-(x/hypot(1, x))*(x/(1 + hypot(1, x)))"),
    "arctanh": ("1/((1 - x)*(1 + x))", "x*x/((1 - x)*(1 + x))"),
    "tanh": ("sech(x)**2", "-tanh(x)**2"),
}

ROWS = (
    # a function less the first term of its series
    function("cosm1(x)", "-sin(x)", define="-2*sin(x/2)**2", special=(0.0, 1e-9),
             mpmath=lambda mp, x: -2*mp.sin(x/2)**2),
    function("coshm1(x)", "sinh(x)", define="2*sinh(x/2)**2", special=(0.0, 1e-9, 800.0),
             mpmath=lambda mp, x: 2*mp.sinh(x/2)**2),
    function("sinmx(x)", "cosm1(x)", series=True, note="sin(x) - x", special=(0.0, 1e-9),
             define=f"where(abs(x) < 1.5, x*(x*x)*({SINE}), sin(x) - x)",
             mpmath=lambda mp, x: mp.sin(x) - x),
    function("sinhmx(x)", "coshm1(x)", series=True, note="sinh(x) - x", special=(0.0, 1e-9),
             define=f"where(abs(x) < 1.5, x*(x*x)*({HYPERBOLIC_SINE}), sinh(x) - x)",
             mpmath=lambda mp, x: mp.sinh(x) - x),
    function("tanmx(x)", "tan(x)**2", special=(0.0, 1e-9), domain=(-1.3, 1.3),
             define="where(abs(x) < 1, (sinmx(x) - x*cosm1(x))/cos(x), tan(x) - x)",
             mpmath=lambda mp, x: mp.tan(x) - x),
    function("tanhmx(x)", "-tanh(x)**2", special=(0.0, 1e-9, 800.0),
             define="where(abs(x) < 1, (sinhmx(x) - x*coshm1(x))/cosh(x), tanh(x) - x)",
             mpmath=lambda mp, x: mp.tanh(x) - x),
    function("sinmxcos(x)", "x*sin(x)", series=True, special=(0.0, 1e-9), note="sin(x) - x*cos(x)",
             define=f"where(abs(x) < 1.5, x*(x*x)*({horner(SPHERE, '(x*x)')}), sin(x) - x*cos(x))",
             mpmath=lambda mp, x: mp.sin(x) - x*mp.cos(x)),
    function("expm1mx(x)", "expm1(x)", series=True, note="expm1(x) - x", special=(0.0, 1e-9),
             define=f"where(abs(x) < 0.5, x*x*({horner(PHI2[:14], 'x')}), expm1(x) - x)",
             mpmath=lambda mp, x: mp.expm1(x) - x),
    function("log1pmx(x)", "where(x < 1, -x/(1 + x), 1/(1 + x) - 1)", series=True, special=(0.0, 1e-9, -1.0), domain=(-0.9, 4.0),
             define="s = x/(2 + x); where(abs(x) < 0.4, "
             f"2*s*(s*s)*({horner(ARCTANH[1:], '(s*s)')}) - s*x, log1p(x) - x)",
             mpmath=lambda mp, x: mp.log1p(x) - x, note="log1p(x) - x"),
    function("arctanmx(x)", defect_slope("arctan"), series=True, special=(0.0, 1e-9), note="arctan(x) - x",
             define=arc_defect("arctan", 0.7, "hypot(1, x)", -1, 1),
             mpmath=lambda mp, x: mp.atan(x) - x),
    function("arcsinmx(x)", defect_slope("arcsin"), series=True, special=(0.0, 1e-9), domain=UNIT, note="arcsin(x) - x",
             define=arc_defect("arcsin", 0.6, ROOT, -1, -1),
             mpmath=lambda mp, x: mp.asin(x) - x),
    function("arcsinhmx(x)", defect_slope("arcsinh"), series=True, special=(0.0, 1e-9), note="arcsinh(x) - x",
             define=arc_defect("arcsinh", 0.7, "hypot(1, x)", 1, 1),
             mpmath=lambda mp, x: mp.asinh(x) - x),
    function("arctanhmx(x)", defect_slope("arctanh"), series=True, special=(0.0, 1e-9), domain=UNIT, note="arctanh(x) - x",
             define=f"where(abs(x) < 0.3, x*(x*x)*({horner(from_thirds(1), '(x*x)')}), arctanh(x) - x)",
             mpmath=lambda mp, x: mp.atanh(x) - x),
    # quotients with a removable 0/0
    function("sinc_unnormalized(x)", "-x*sphj1_ratio(x)", aliases="sphj0", special=(0.0, 1e-9),
             define="where(x == 0, 1, sin(x)/x)", mpmath="sinc", note="sin(x)/x"),
    function("sinhc(x)", f"where(abs(x) < 1.5, x*({horner(HYPERBOLIC_SPHERE, '(x*x)')}), "
             "out*(1/tanh(x) - 1/x))", special=(0.0, 1e-9),
             define="where(x == 0, 1, sinh(x)/x)", note="sinh(x)/x",
             mpmath=lambda mp, x: mp.sinh(x)/x if x else mp.one),
    function("tanc(x)", f"where(abs(x) < {TINY}, 2*x/3*(1 + 4*x*x/5), "
             "tan(x)**2/x - tanmx(x)/x/x)", special=(0.0, 1e-9), domain=(-1.3, 1.3),
             define="where(x == 0, 1, tan(x)/x)", note="tan(x)/x",
             mpmath=lambda mp, x: mp.tan(x)/x if x else mp.one),
    function("exprel(x)", f"where(abs(x) < 1, {EXPREL_SLOPE}, where(x > 0, (1 + (x - 1)*out)/x, "
             "(exp(x) - out)/x))", define="where(x == 0, 1, expm1(x)/x)", note="(exp(x) - 1)/x",
             special=(0.0, 1e-9, -800.0),
             mpmath=lambda mp, x: mp.expm1(x)/x if x else mp.one),
    function("log1prel(x)", "s = x/(2 + x); t = s*s; where(abs(x) < 0.4, (1 - s)**2/2*(2*s*(1 - s)"
             f"*({horner(ARCTANH_SLOPE, 't')}) - ({horner(ARCTANH, 't')})), "
             "(1/(1 + x) - out)/x)", domain=(-0.9, 4.0), special=(0.0, 1e-9),
             define="where(x == 0, 1, log1p(x)/x)", note="log(1 + x)/x",
             mpmath=lambda mp, x: mp.log1p(x)/x if x else mp.one),
    function("bernoulli(x)", f"where(abs(x) < 1, -out*out*({EXPREL_SLOPE}), "
             "1/expm1(x) - out/(1 - exp(-x)))", define="where(x == 0, 1, where(x > 800, 0, x/expm1(x)))",
             note="x/(exp(x) - 1)", special=(0.0, 1e-9, 800.0, -800.0),
             mpmath=lambda mp, x: x/mp.expm1(x) if x else mp.one),
    *(function(f"{name}c(x)", ratio_slope(name, first, second), domain=domain,
               special=(0.0, 1e-9), define=f"where(x == 0, 1, {name}(x)/x)", note=f"{name}(x)/x",
               mpmath=lambda mp, x, f=f: getattr(mp, f)(x)/x if x else mp.one)
      for name, f, first, second, domain in (
          ("tanh", "tanh", "-2/3", "-4/5", REAL), ("arctan", "atan", "-2/3", "-6/5", REAL),
          ("arcsin", "asin", "1/3", "9/10", UNIT), ("arcsinh", "asinh", "-1/3", "-9/10", REAL),
          ("arctanh", "atanh", "2/3", "6/5", UNIT))),
    function("erf_ratio(x)", f"where(abs(x) < 1, 2/sqrt(pi)*x*({ERF_SLOPE}), (2/sqrt(pi)*exp(-x**2) - out)/x)",
             define="where(x == 0, 2/sqrt(pi), erf(x)/x)", note="erf(x)/x", special=(0.0, 1e-9),
             mpmath=lambda mp, x: mp.erf(x)/x if x else 2/mp.sqrt(mp.pi)),
    function("xcsch(x)", f"where(abs(x) < {TINY}, -x/3*(1 - 7*x*x/30), where(abs(x) < 1, "
             "-out*out*(coshm1(x)/x - sinhmx(x)/x/x), out*(1/x - 1/tanh(x))))", note="x/sinh(x)",
             define="where(x == 0, 1, x/sinh(x))", special=(0.0, 1e-9, 800.0),
             mpmath=lambda mp, x: x/mp.sinh(x) if x else mp.one),
    function("xcoth(x)", f"where(abs(x) < {TINY}, 2*x/3*(1 - 2*x*x/15), where(abs(x) < 1, "
             "out*out*(tanh(x)**2/x + tanhmx(x)/x/x), 1/tanh(x) - x*csch(x)**2))", note="x/tanh(x)",
             define="where(x == 0, 1, x/tanh(x))", special=(0.0, 1e-9, 800.0),
             mpmath=lambda mp, x: x*mp.coth(x) if x else mp.one),
    function("sinmx_ratio(x)", f"where(abs(x) < 1.5, {SINE_SLOPE}, (cosm1(x)/(x*x) - 3*out)/x)", series=True,
             define=f"where(abs(x) < 1.5, {SINE}, (sin(x) - x)/x/(x*x))", special=(0.0, 1e-9),
             mpmath=lambda mp, x: -mp.hyp1f2(1, 2, 2.5, -x*x/4)/6 if abs(x) < 1 else (mp.sin(x) - x)/x**3, note="(sin(x) - x)/x**3"),
    function("sinhmx_ratio(x)", f"where(abs(x) < 1.5, {HYPERBOLIC_SINE_SLOPE}, (coshm1(x)/(x*x) - 3*out)/x)", series=True,
             define=f"where(abs(x) < 1.5, {HYPERBOLIC_SINE}, (sinh(x) - x)/x/(x*x))", special=(0.0, 1e-9),
             mpmath=lambda mp, x: mp.hyp1f2(1, 2, 2.5, x*x/4)/6 if abs(x) < 1 else (mp.sinh(x) - x)/x**3, note="(sinh(x) - x)/x**3"),
    function("phi2(x)", f"where(abs(x) < 1, {horner(PHI2_SLOPE, 'x')}, "
             "where(x > 0, (1 + (x - 2)*out)/x, (expm1(x)/x - 2*out)/x))",
             define=f"where(abs(x) < 1, {horner(PHI2, 'x')}, (expm1(x)/x - 1)/x)", series=True, note="(exp(x) - 1 - x)/x**2",
             special=(0.0, 1e-9), mpmath=lambda mp, x: mp.hyp1f1(1, 3, x)/2 if abs(x) < 1 else (mp.expm1(x) - x)/x**2),
    function("sphj1_ratio(x)", f"where(abs(x) < 1.5, x*({horner(SPHERE_SLOPE, '(x*x)')}), (sin(x)/x - 3*out)/x)", series=True,
             define=f"where(abs(x) < 1.5, {horner(SPHERE, '(x*x)')}, (sin(x)/x - cos(x))/x/x)",
             mpmath=lambda mp, x: mp.hyp0f1(2.5, -x*x/4)/3 if abs(x) < 1 else (mp.sin(x) - x*mp.cos(x))/x**3,
             note="(sin(x) - x*cos(x))/x**3", special=(0.0, 1e-9)),
    function("j1_ratio(x)", f"where(abs(x) < 1.5, x*({horner(AIRY_SLOPE, '(x*x)')}), (j0(x) - 2*out)/x)", series=True,
             define=f"where(abs(x) < 1.5, {horner(AIRY, '(x*x)')}, j1(x)/x)", note="j1(x)/x",
             special=(0.0, 1e-9), mpmath=lambda mp, x: mp.j1(x)/x if x else mp.mpf(1)/2),
    # poles that another function takes to a finite value
    function("arctan_ratio(y, x)", "x/hypot(x, y)/hypot(x, y)", "-y/hypot(x, y)/hypot(x, y)",
             define="arctan(y/x)", special=((1.0, 0.0), (1e200, 1e200)), note="arctan(y/x)",
             domain=((-3.0, 3.0), POSITIVE)),
    function("exp_quotient(x, y)", "out", "-out", note="exp(x)/exp(y)", special=((1000.0, 999.0),),
             sympy=lambda sp, x, y: sp.exp(x - y), mpmath=lambda mp, x, y: mp.exp(x - y),
             define="d = x - y; s = d - x; e = (x - (d - s)) - (y + s); "  # what d is rounded by
             "where(e == e, exp(d)*(1 + e), exp(d))"),
    function("compound(x, y)", "where(abs(x) < 0.1, y*out/(1 + x), where(x == -1 and y == 0, 0, y*(1 + x)**(y - 1)))",
             "where(x == -1 and y > 0, 0, out*log1p(x))", domain=((-0.09, 0.09), (-3.0, 3.0)),
             define="where(abs(x) < 0.1, exp(y*log1p(x)), (1 + x)**y)", note="(1 + x)**y",
             special=((0.0, 2.0), (1e-17, 1e17))),
    # roots
    function("ratio(x, y)", "where(x == 0 and y == 0, 0, 1/y)", "where(x == 0 and y == 0, 0, -out/y)",
             define="where(x == 0, 0, x/y)", special=((0.0, 0.0),),
             domain=((-3.0, 3.0), POSITIVE), note="x/y, and 0 where x is 0"),
    function("sqrtabs(x)", "0.5*ratio(sign(x), out)", define="sqrt(abs(x))", special=(0.0,),
             note="sqrt(abs(x)); its derivative at 0 is 0"),
    function("sqrt_product(x, y)", "0.5*ratio(y, out)", "0.5*ratio(x, out)", define="sqrt(x*y)",
             domain=POSITIVE, special=((0.0, 1.0), (1.0, 0.0), (-1.0, 1.0)),
             note="sqrt(x*y); where one factor is 0 it is constant in the other"),
    function("conjugate_sum(b, s, d)", "where(b < 0, out/(s - b), 1)",
             "where(b < 0, -out/(s - b), 1)", "where(b < 0, 1/(s - b), 0)",
             define="where(b < 0, d/(s - b), b + s)", domain=((-3.0, 3.0), POSITIVE, POSITIVE),
             note="b + s by way of d = s**2 - b**2 where b + s would cancel"),
    function("conjugate_ratio(b, s, q, y)", "where(b < 0, out/(s - b), 1/y)",
             "where(b < 0, -out/(s - b), 1/y)", "where(b < 0, 1/(s - b), 0)",
             "where(b < 0, 0, -out/y)", define="where(b < 0, q/(s - b), (b + s)/y)",
             domain=((-3.0, 3.0), POSITIVE, POSITIVE, POSITIVE),
             note="(b + s)/y by way of q = (s**2 - b**2)/y where b + s would cancel"),
    # logarithms, exponentials, and what machine learning makes of them
    function("expit(x)", "sech(x/2)**2/4", flat=True, aliases="sigmoid logistic", define="1/(1 + exp(-x))",
             special=(1000.0, -1000.0, 40.0)),
    function("logit(x)", "1/(x*(1 - x))", define="log(x/(1 - x))", domain=(0.05, 0.95)),
    function("softplus(x)", "expit(x)", flat=True, aliases="log1pexp", special=(1000.0, -40.0, 0.0),
             define="maximum(x + log1p(exp(-abs(x))), log1p(exp(-abs(x))))"),
    function("log_expit(x)", "expit(-x)", flat=True, aliases="logsigmoid log_sigmoid",
             define="-softplus(-x)", special=(-1000.0,)),
    function("logcosh(x)", "tanh(x)", special=(1000.0, 0.0, 1e-9),
             define="where(abs(x) < 1, log1p(coshm1(x)), abs(x) + log1p(exp(-2*abs(x))) - log(2))",
             mpmath=lambda mp, x: mp.log1p(2*mp.sinh(x/2)**2)),
    function("log1mexp(x)", "-1/expm1(-x)", domain=(-3.0, -0.1), special=(-1e-20, -800.0),
             define="where(x > -0.7, log(-expm1(x)), log1p(-exp(x)))"),
    function("logexpm1(x)", "-1/expm1(-x)", aliases="invsoftplus", domain=POSITIVE,
             define="where(x < 0.7, log(expm1(x)), x + log1p(-exp(-x)))", special=(800.0, 1e-9)),
    function("log2mexp(x)", "-exp(x)/(2 - exp(x))", define="log1p(-expm1(x))",
             domain=(-3.0, 0.5)),
    function("logtanh(x)", "2*csch(2*x)", domain=POSITIVE, special=(1e-9, 800.0),
             define="where(x < 0.5, log(tanh(x)), log1p(-2*expit(-2*x)))", note="log(tanh(x))"),
    function("log1psq(x)", "2*x/(1 + x**2)", define="log1p(x**2)"),
    function("logmxp1(x)", "1/x - 1", domain=POSITIVE,
             define="where(abs(x - 1) < 0.5, log1pmx(x - 1), log(x) - x + 1)", note="log(x) - x + 1"),
    function("xlogx(x)", "1 + log(x)", define="where(x == 0, 0, x*log(x))", domain=POSITIVE,
             special=(0.0,), note="x*log(x), and its limit 0 at 0"),
    function("xexpx(x)", "exp(x)*(1 + x)", define="x*exp(x)"),
    function("xexpy(x, y)", "exp(y)", "out", define="x*exp(y)"),
    function("logsubexp(x, y)", "exp(x - out)*where(x >= y, 1, -1)",
             "exp(y - out)*where(x >= y, -1, 1)", domain=((1.0, 3.0), (-3.0, 0.5)),
             define="maximum(x, y) + log(-expm1(-abs(x - y)))"),
    function("logabs(x)", "1/x", define="log(abs(x))", special=(0.0, -3.0), domain=(0.1, 4.0),
             note="log(abs(x))"),
    function("logabs1m(x)", "1/(x - 1)", define="where(x < 1, log1p(-x), log(x - 1))",
             domain=UNIT, special=(0.0, 1.0, 3.0), note="log(abs(1 - x))"),
)

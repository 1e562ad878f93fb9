"""Rows of the special functions: arrays, and most scalars, need SciPy at run time."""

# A table: one row per function, aligned by hand.
# fmt: off

from __future__ import annotations

from math import log, prod
from typing import Any

from ..primitives import gammas
from .row import POSITIVE, REAL, UNIT, function
from .stable import EXPREL_SLOPE, horner

ORDER = (0.6, 2.4)
PROBABILITY = (0.05, 0.95)
DEGREE = (3.0, 3.0)


def by_parameter(call: str, parameter: str, step: str = "1/64") -> str:
    """Partial by a parameter that has no closed form: an eighth-order central difference.

    The weights are those of Fornberg, Math. Comp. 51 (1988), table 1.  The functions here vary
    over lengths of order one in their parameters, so the error stays near 1e-12.
    """
    weights = ("4/5", "-1/5", "4/105", "-1/280")
    name, _, arguments = call.partition("(")
    names = [a.strip() for a in arguments.rstrip(")").split(",")]

    def shifted(k: int) -> str:
        moved = [f"{a} + ({k})*({step})" if a == parameter else a for a in names]
        return f"{name}({', '.join(moved)})"

    terms = (f"({w})*({shifted(k)} - {shifted(-k)})" for k, w in enumerate(weights, 1))
    return f"({' + '.join(terms)})/({step})"


# A Bessel function behaves like (x/2)**v in its order: it varies over a length of 1/log(2/x).
ORDER_STEP = "1/(64*(1 + minimum(abs(log(abs(x))), 700)))"


def pole_step(name: str) -> str:
    """A step that stays away from the poles at 0, -1, -2 ... of a hypergeometric parameter."""
    return f"minimum(1, abs({name} - rint(minimum({name}, 0))))/128"


def boxcox_slope(logarithm: str, power: str) -> str:
    """By the parameter: the square of the logarithm times the slope of `exprel`, near 0."""
    near = EXPREL_SLOPE.replace("x", "z")
    far = f"({power}*{logarithm} - out)/l"
    return f"z = l*{logarithm}; where(abs(z) < 1, {logarithm}**2*({near}), {far})"


def erf_in_digits(mp: Any, x: Any) -> Any:
    """mpmath's, which sums thousands of terms even where exp(-x*x) is below the last digit of 1."""
    if x*x < log(2)*mp.prec:
        return mp.erf(x)
    return mp.sign(x)*(1 - mp.ldexp(1, -mp.prec - 1))


# The asymptotic series of the slope of erfcx, in powers of 1/x**2: Abramowitz and Stegun 7.1.23.
_SLOPE = [f"{(-1)**k*prod(range(1, 2*k + 2, 2))}/{2**k}" for k in range(8)]
ERFCX_SLOPE = horner(_SLOPE, "1/(x*x)")
DAWSN_SLOPE = horner([term.removeprefix("-") for term in _SLOPE], "1/(x*x)")
# That of the normal density over the distribution function, where its terms cancel.
MILLS_SLOPE = f"where(x < -35, -(out*out)/(x*x)*({horner(_SLOPE, '2/(x*x)')}), -out*(x + out))"

ROWS = (
    # error functions
    function("erf(x)", "2/sqrt(pi)*exp(-x**2)", flat=True, python="erf", scipy="erf", sympy="erf",
             mpmath=erf_in_digits, special=(0.0,), latex=r"\operatorname{{erf}}\left({x}\right)"),
    function("erfc(x)", "-2/sqrt(pi)*exp(-x**2)", flat=True, python="erfc", scipy="erfc", sympy="erfc",
             mpmath=lambda mp, x: mp.erfc(x) if x > 0 else 1 - erf_in_digits(mp, x),
             special=(0.0,)),
    function("erf_difference(x, y)", "2/sqrt(pi)*exp(-x**2)", "-2/sqrt(pi)*exp(-y**2)",
             define="where(x > 0.5 and y > 0.5, erfc(y) - erfc(x), "
             "where(x < -0.5 and y < -0.5, erfc(-x) - erfc(-y), erf(x) - erf(y)))",
             mpmath=lambda mp, x, y: mp.erf(x) - mp.erf(y), special=((10.0, 9.0), (-9.0, -10.0)),
             note="erf(x) - erf(y), also where both are nearly 1 or -1"),
    function("erfcx(x)", f"where(x > 25, -1/sqrt(pi)/(x*x)*({ERFCX_SLOPE}), 2*x*out - 2/sqrt(pi))", scipy="erfcx",
             mpmath=lambda mp, x: mp.exp(x**2)*mp.erfc(x)),
    function("erfi(x)", "2/sqrt(pi)*exp(x**2)", scipy="erfi", sympy="erfi", mpmath="erfi"),
    function("erfinv(x)", "sqrt(pi)/2*exp(out**2)", scipy="erfinv", sympy="erfinv",
             mpmath="erfinv", domain=UNIT, special=(0.0,)),
    function("erfcinv(x)", "-sqrt(pi)/2*exp(out**2)", scipy="erfcinv", sympy="erfcinv",
             mpmath=lambda mp, x: mp.erfinv(1 - x), domain=(0.1, 1.9)),
    function("dawsn(x)", f"where(abs(x) > 25, -1/(2*x*x)*({DAWSN_SLOPE}), 1 - 2*x*out)",
             aliases="dawson", scipy="dawsn", special=(300.0, -1e5),
             mpmath=lambda mp, x: mp.sqrt(mp.pi)/2*mp.exp(-x**2)*mp.erfi(x)),
    function("ndtr(x)", "exp(-x**2/2)/sqrt(2*pi)", flat=True, aliases="norm_cdf",
             define="erfc(-x/sqrt(2))/2"),
    function("ndtri(x)", "sqrt(2*pi)*exp(out**2/2)", scipy="ndtri", domain=PROBABILITY,
             mpmath=lambda mp, x: mp.sqrt(2)*mp.erfinv(2*x - 1)),
    function("inverse_mills(x)", MILLS_SLOPE, flat=True, define="sqrt(2/pi)/erfcx(-x/sqrt(2))",
             special=(39.0, -39.0, -1e6), note="the slope of log_ndtr(x)",
             mpmath=lambda mp, x: mp.npdf(x)/mp.ncdf(x)),
    function("log_ndtr(x)", "inverse_mills(x)", scipy="log_ndtr",
             mpmath=lambda mp, x: mp.log(mp.ncdf(x))),
    function("logerfc(x)", "-sqrt(2)*inverse_mills(-sqrt(2)*x)", special=(30.0, 1e-9, -9.0),
             define="where(x < 0.5, log1p(-erf(x)), log(erfcx(x)) - x**2)",
             mpmath=lambda mp, x: mp.log(mp.erfc(x))),
    function("logerfcx(x)", f"where(x > 25, -({ERFCX_SLOPE})/(sqrt(pi)*x*x*erfcx(x)), "
             "where(x < -7, 2*x, 2*x - 2/sqrt(pi)/erfcx(x)))", special=(-40.0, 1e5),
             define="where(x < 0.5, x*x + log1p(-erf(x)), log(erfcx(x)))",
             mpmath=lambda mp, x: mp.log(mp.erfc(x)) + x*x),
    function("erf2(x, y)", "-2/sqrt(pi)*exp(-x**2)", "2/sqrt(pi)*exp(-y**2)",
             define="erf_difference(y, x)", sympy="erf2", special=((7.33, 7.02),),
             mpmath=lambda mp, x, y: mp.erf(y) - mp.erf(x)),
    function("gelu(x)", "ndtr(x) + x*exp(-x**2/2)/sqrt(2*pi)", define="x*ndtr(x)"),
    *gammas.ROWS,
    function("gammainc(a, x)", by_parameter("gammainc(a, x)", "a", "minimum(1/32, a/128)"),
             "exp(-x + xlogy(a - 1, x) - gammaln(a))", scipy="gammainc",
             domain=((0.6, 3.0), POSITIVE),
             sympy=lambda sp, a, x: sp.lowergamma(a, x)/sp.gamma(a),
             mpmath=lambda mp, a, x: mp.gammainc(a, 0, x, regularized=True), double=True),
    function("gammaincc(a, x)", by_parameter("gammaincc(a, x)", "a", "minimum(1/32, a/128)"),
             "-exp(-x + xlogy(a - 1, x) - gammaln(a))", scipy="gammaincc",
             domain=((0.6, 3.0), POSITIVE), sympy=lambda sp, a, x: sp.uppergamma(a, x)/sp.gamma(a),
             mpmath=lambda mp, a, x: mp.gammainc(a, x, mp.inf, regularized=True), double=True),
    function("betainc(a, b, x)", by_parameter("betainc(a, b, x)", "a", "minimum(1/32, a/128)"),
             by_parameter("betainc(a, b, x)", "b", "minimum(1/32, b/128)"),
             "x**(a - 1)*(1 - x)**(b - 1)/beta(a, b)", scipy="betainc",
             domain=((0.8, 3.0), (0.8, 3.0), PROBABILITY),
             mpmath=lambda mp, a, b, x: mp.betainc(a, b, 0, x, regularized=True)),
    # information
    function("xlogy(x, y)", "log(y)", "ratio(x, y)", domain=POSITIVE,
             define="where(x == 0 and y == y, 0, x*log(y))", special=((0.0, 2.0), (0.0, 0.0))),
    function("xlog1py(x, y)", "log1p(y)", "ratio(x, 1 + y)", domain=POSITIVE,
             define="where(x == 0 and y == y, 0, x*log1p(y))"),
    function("entr(x)", "-log(x) - 1", define="where(x < 0, -inf, -xlogy(x, x))", domain=POSITIVE),
    function("rel_entr(x, y)", "log(x/y) + 1", "-x/y", domain=POSITIVE,
             define="where(x > 0 and y > 0, x*log(x/y), where(x == 0 and y >= 0, 0, inf))"),
    function("kl_div(x, y)", "where(2*abs(x - y) < y, log1p((x - y)/y), log(x/y))", "(y - x)/y",
             domain=POSITIVE, special=((1.0, 1.0), (0.0, 2.0), (3.0, 3.0000001)),
             define="where(x > 0 and y > 0, where(2*abs(x - y) < x, -x*log1pmx((y - x)/x), "
             "x*log(x/y) - x + y), where(x == 0 and y >= 0, y, inf))"),
    function("spence(x)", "where(abs(x - 1) < 0.5, -log1prel(x - 1), log(x)/(1 - x))", scipy="spence", domain=POSITIVE,
             mpmath=lambda mp, x: mp.re(mp.polylog(2, 1 - x))),
    # exponential and trigonometric integrals
    function("expi(x)", "exp(x)/x", aliases="Ei", scipy="expi", sympy="Ei", mpmath="ei",
             domain=POSITIVE),
    function("exp1(x)", "-exp(-x)/x", aliases="E1", scipy="exp1", mpmath="e1", domain=POSITIVE,
             sympy="E1"),
    function("expn(n, x)", None, "where(n == 0, -out*(1 + 1/x), -expn(n - 1, x))", scipy="expn", domain=((2.0, 2.0), POSITIVE),
             mpmath=lambda mp, n, x: mp.expint(int(n), x), note="the order n is an integer"),
    function("li(x)", "1/log(x)", define="expi(log(x))", sympy="li", mpmath="li",
             domain=(1.5, 4.0)),
    function("sin_integral(x)", "sinc(x/pi)", aliases="Si", scipy="sici({x})[0]", sympy="Si",
             mpmath="si", special=(0.0,)),
    function("cos_integral(x)", "cos(x)/x", aliases="Ci", scipy="sici({x})[1]", sympy="Ci",
             mpmath="ci", domain=POSITIVE),
    function("sinh_integral(x)", "where(x == 0, 1, sinh(x)/x)", aliases="Shi",
             scipy="shichi({x})[0]", sympy="Shi", mpmath="shi"),
    function("cosh_integral(x)", "cosh(x)/x", aliases="Chi", scipy="shichi({x})[1]", sympy="Chi",
             mpmath="chi", domain=POSITIVE),
    function("fresnel_s(x)", "sin(pi*x**2/2)", aliases="fresnels", scipy="fresnel({x})[0]",
             sympy="fresnels", mpmath="fresnels"),
    function("fresnel_c(x)", "cos(pi*x**2/2)", aliases="fresnelc", scipy="fresnel({x})[1]",
             sympy="fresnelc", mpmath="fresnelc"),
    # Bessel, Airy and Struve
    function("j0(x)", "-j1(x)", scipy="j0", mpmath="j0", sympy=lambda sp, x: sp.besselj(0, x)),
    function("j1(x)", "(j0(x) - jv(2, x))/2", scipy="j1", mpmath="j1",
             sympy=lambda sp, x: sp.besselj(1, x)),
    function("y0(x)", "-y1(x)", scipy="y0", sympy=lambda sp, x: sp.bessely(0, x),
             mpmath=lambda mp, x: mp.bessely(0, x), domain=POSITIVE),
    function("y1(x)", "(y0(x) - yv(2, x))/2", scipy="y1", sympy=lambda sp, x: sp.bessely(1, x),
             mpmath=lambda mp, x: mp.bessely(1, x), domain=POSITIVE),
    function("i0(x)", "i1(x)", scipy="i0", sympy=lambda sp, x: sp.besseli(0, x),
             mpmath=lambda mp, x: mp.besseli(0, x)),
    function("i1(x)", "(i0(x) + iv(2, x))/2", scipy="i1", sympy=lambda sp, x: sp.besseli(1, x),
             mpmath=lambda mp, x: mp.besseli(1, x)),
    function("i0e(x)", "i1e(x) - sign(x)*out", scipy="i0e",
             mpmath=lambda mp, x: mp.exp(-abs(x))*mp.besseli(0, x)),
    function("i1e(x)", "(i0e(x) + ive(2, x))/2 - sign(x)*out", scipy="i1e",
             mpmath=lambda mp, x: mp.exp(-abs(x))*mp.besseli(1, x)),
    function("k0(x)", "-k1(x)", scipy="k0", sympy=lambda sp, x: sp.besselk(0, x),
             mpmath=lambda mp, x: mp.besselk(0, x), domain=POSITIVE),
    function("k1(x)", "-(k0(x) + kv(2, x))/2", scipy="k1", sympy=lambda sp, x: sp.besselk(1, x),
             mpmath=lambda mp, x: mp.besselk(1, x), domain=POSITIVE),
    function("jv(v, x)", by_parameter("jv(v, x)", "v", ORDER_STEP), "(jv(v - 1, x) - jv(v + 1, x))/2",
             aliases="besselj", scipy="jv", sympy="besselj", mpmath="besselj",
             domain=(ORDER, POSITIVE), latex=r"J_{{{v}}}\left({x}\right)"),
    function("yv(v, x)", by_parameter("yv(v, x)", "v", ORDER_STEP), "(yv(v - 1, x) - yv(v + 1, x))/2",
             aliases="bessely", scipy="yv", sympy="bessely", mpmath="bessely",
             domain=(ORDER, POSITIVE), latex=r"Y_{{{v}}}\left({x}\right)"),
    function("iv(v, x)", by_parameter("iv(v, x)", "v", ORDER_STEP), "(iv(v - 1, x) + iv(v + 1, x))/2",
             aliases="besseli", scipy="iv", sympy="besseli", mpmath="besseli",
             domain=(ORDER, POSITIVE), latex=r"I_{{{v}}}\left({x}\right)"),
    function("kv(v, x)", by_parameter("kv(v, x)", "v", ORDER_STEP), "-(kv(v - 1, x) + kv(v + 1, x))/2",
             aliases="besselk", scipy="kv", sympy="besselk", mpmath="besselk",
             domain=(ORDER, POSITIVE), latex=r"K_{{{v}}}\left({x}\right)"),
    function("ive(v, x)", by_parameter("ive(v, x)", "v", ORDER_STEP),
             "(ive(v - 1, x) + ive(v + 1, x))/2 - sign(x)*out", scipy="ive",
             domain=(ORDER, POSITIVE), mpmath=lambda mp, v, x: mp.exp(-abs(x))*mp.besseli(v, x)),
    function("kve(v, x)", by_parameter("kve(v, x)", "v", ORDER_STEP),
             "-(kve(v - 1, x) + kve(v + 1, x))/2 + out", scipy="kve",
             domain=(ORDER, POSITIVE), mpmath=lambda mp, v, x: mp.exp(x)*mp.besselk(v, x)),
    function("struve(v, x)", by_parameter("struve(v, x)", "v", ORDER_STEP),
             "(struve(v - 1, x) - struve(v + 1, x) + (x/2)**v/(sqrt(pi)*gamma(v + 1.5)))/2",
             scipy="struve", mpmath="struveh", domain=(ORDER, POSITIVE), double=True),
    function("airy_ai(x)", "airy_aip(x)", aliases="airyai", scipy="airy({x})[0]", sympy="airyai",
             mpmath="airyai"),
    function("airy_aip(x)", "x*airy_ai(x)", aliases="airyaiprime", scipy="airy({x})[1]",
             sympy="airyaiprime", mpmath=lambda mp, x: mp.airyai(x, derivative=1)),
    function("airy_bi(x)", "airy_bip(x)", aliases="airybi", scipy="airy({x})[2]", sympy="airybi",
             mpmath="airybi"),
    function("airy_bip(x)", "x*airy_bi(x)", aliases="airybiprime", scipy="airy({x})[3]",
             sympy="airybiprime", mpmath=lambda mp, x: mp.airybi(x, derivative=1)),
    # elliptic integrals
    function("ellipk(x)", "pi/8*hyp2f1(1.5, 1.5, 2, x)", scipy="ellipk",
             sympy="elliptic_k", mpmath="ellipk", domain=PROBABILITY),
    function("ellipe(x)", "-pi/8*hyp2f1(0.5, 1.5, 2, x)", scipy="ellipe",
             sympy="elliptic_e", mpmath="ellipe", domain=PROBABILITY),
    function("ellipkinc(p, m)", "1/sqrt(1 - m*sin(p)**2)",
             "ellipeinc(p, m)/(2*m*(1 - m)) - out/(2*m)"
             " - sin(2*p)/(4*(1 - m)*sqrt(1 - m*sin(p)**2))",
             scipy="ellipkinc", sympy="elliptic_f", mpmath="ellipf",
             domain=((0.2, 1.4), PROBABILITY), double=True),
    function("ellipeinc(p, m)", "sqrt(1 - m*sin(p)**2)", "(out - ellipkinc(p, m))/(2*m)",
             scipy="ellipeinc", sympy="elliptic_e", mpmath="ellipe",
             domain=((0.2, 1.4), PROBABILITY), double=True),
    # zeta, Lambert and hypergeometric functions
    function("zeta(s, q)", by_parameter("zeta(s, q)", "s", "minimum(1/32, (s - 1)/128)"),
             "-s*zeta(s + 1, q)", aliases="hurwitz_zeta", scipy="zeta", sympy="zeta",
             mpmath="zeta", domain=((2.0, 5.0), POSITIVE)),
    function("lambertw(x)", "exp(-out)/(1 + out)", aliases="LambertW", sympy="LambertW",
             define="where(x < -0.3678794411714423, nan, real_lambertw(x))", mpmath="lambertw",
             domain=POSITIVE),
    function("real_lambertw(x)", "where(x < -0.3678794411714423, nan, exp(-out)/(1 + out))",
             scipy="lambertw({x}).real", domain=POSITIVE, double=True,
             mpmath=lambda mp, x: mp.lambertw(x) if x >= -1/mp.e else mp.nan,
             note="below -1/e, the real part of lambertw, which is complex there"),
    function("wrightomega(x)", "out/(1 + out)", scipy="wrightomega", domain=REAL,
             mpmath=lambda mp, x: mp.lambertw(mp.exp(x))),
    function("hyp0f1(b, x)", by_parameter("hyp0f1(b, x)", "b", pole_step("b")), "hyp0f1(b + 1, x)/b",
             scipy="hyp0f1", mpmath="hyp0f1", domain=(ORDER, POSITIVE)),
    function("hyp1f1(a, b, x)", by_parameter("hyp1f1(a, b, x)", "a", "1/128"),
             by_parameter("hyp1f1(a, b, x)", "b", pole_step("b")),
             "a/b*hyp1f1(a + 1, b + 1, x)", scipy="hyp1f1",
             mpmath="hyp1f1", domain=(ORDER, ORDER, POSITIVE)),
    function("hyp2f1(a, b, c, x)", by_parameter("hyp2f1(a, b, c, x)", "a", "1/128"),
             by_parameter("hyp2f1(a, b, c, x)", "b", "1/128"),
             by_parameter("hyp2f1(a, b, c, x)", "c", pole_step("c")),
             "a*b/c*hyp2f1(a + 1, b + 1, c + 1, x)", scipy="hyp2f1", mpmath="hyp2f1",
             domain=(ORDER, ORDER, ORDER, (0.05, 0.6)), double=True),
    function("dirichlet_eta(s)", by_parameter("dirichlet_eta(s)", "s", "minimum(1/32, (s - 1)/128)"),
             define="(1 - 2**(1 - s))*zeta(s, 1)", sympy="dirichlet_eta", mpmath="altzeta",
             domain=(2.0, 5.0)),
    # orthogonal polynomials
    function("eval_jacobi(n, a, b, x)", None, None, None,
             "(n + a + b + 1)/2*eval_jacobi(n - 1, a + 1, b + 1, x)", aliases="jacobi",
             scipy="eval_jacobi", sympy="jacobi", mpmath="jacobi",
             domain=(DEGREE, ORDER, ORDER, UNIT), note="a polynomial in x of the degree n"),
    function("eval_legendre(n, x)", None, "(n + 1)/2*eval_jacobi(n - 1, 1, 1, x)",
             aliases="legendre", scipy="eval_legendre", sympy="legendre", mpmath="legendre",
             domain=(DEGREE, UNIT), note="the degree n is an integer"),
    function("eval_chebyt(n, x)", None, "n*eval_chebyu(n - 1, x)", aliases="chebyshevt",
             scipy="eval_chebyt", sympy="chebyshevt", mpmath="chebyt", domain=(DEGREE, UNIT),
             note="the degree n is an integer"),
    function("eval_chebyu(n, x)", None, "2*eval_gegenbauer(n - 1, 2, x)", aliases="chebyshevu",
             scipy="eval_chebyu", sympy="chebyshevu", mpmath="chebyu", domain=(DEGREE, UNIT),
             note="the degree n is an integer"),
    function("eval_gegenbauer(n, a, x)", None, None, "2*a*eval_gegenbauer(n - 1, a + 1, x)",
             aliases="gegenbauer", scipy="eval_gegenbauer", sympy="gegenbauer",
             mpmath="gegenbauer", domain=(DEGREE, ORDER, UNIT),
             note="a polynomial in x of the degree n"),
    function("eval_genlaguerre(n, a, x)", None, None, "-eval_genlaguerre(n - 1, a + 1, x)",
             aliases="assoc_laguerre", scipy="eval_genlaguerre", sympy="assoc_laguerre",
             mpmath="laguerre", domain=(DEGREE, ORDER, REAL),
             note="a polynomial in x of the degree n"),
    function("eval_laguerre(n, x)", None, "-eval_genlaguerre(n - 1, 1, x)", aliases="laguerre",
             define="eval_genlaguerre(n, 0, x)", sympy="laguerre", domain=(DEGREE, REAL),
             note="the degree n is an integer"),
    # losses and transforms of scipy.special
    function("huber(d, r)", "where(abs(r) <= d, 0, abs(r) - d)",
             "where(abs(r) <= d, r, d*sign(r))", domain=(POSITIVE, REAL),
             define="where(abs(r) <= d, r**2/2, d*(abs(r) - d/2))"),
    function("pseudo_huber(d, r)", "2*out/d - r**2/(d*hypot(1, r/d))", "r/hypot(1, r/d)",
             domain=(POSITIVE, REAL), define="r**2/(1 + hypot(1, r/d))"),
    function("boxcox(x, l)", "x**(l - 1)",
             boxcox_slope("log(x)", "x**l"), domain=(POSITIVE, (0.3, 2.0)),
             define="where(l == 0, log(x), expm1(l*log(x))/l)"),
    function("boxcox1p(x, l)", "(1 + x)**(l - 1)",
             boxcox_slope("log1p(x)", "(1 + x)**l"),
             domain=(POSITIVE, (0.3, 2.0)), define="where(l == 0, log1p(x), expm1(l*log1p(x))/l)"),
)

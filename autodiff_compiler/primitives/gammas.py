"""Rows of the gamma and beta functions, and of their ratios and differences far from 0.

There, Stirling's series keep the digits that a difference of two logarithms loses: NIST Digital
Library of Mathematical Functions 5.11.1 and 5.11.2, of which the terms at x = y + d and at y are
subtracted by hand, so that every one has the factor 1/x - 1/y = -d/x/y.
"""

# A table: one row per function, aligned by hand.
# fmt: off

from __future__ import annotations

from .row import POSITIVE, function

FAR = "x > 40 and y > 40 and 2*d > -y"  # where a few terms are enough, and log1p
INVERSES = "x = y + d; p = 1/x; q = 1/y; e = -d*p*q; u = p*p; v = q*q; s = u + v; t = u*s + v*v; "
LOGARITHM = ("d*log(y) + ((x - 0.5)*log1p(d/y) - d + e*(1/12 - u*(1/360 - u*(1/1260 - u/1680))"
             " - q*(p + q)*(1/360 - s/1260 + t/1680)))")
SLOPE = "log1p(d/y) - e*(0.5 + (p + q)*(1/12 - s/120 + t/252 - s*(u*u + v*v)/240))"
CURVATURE = ("e*(1 + (p + q)/2 + u*(1/6 - u*(1/30 - u*(1/42 - u/30)))"
             " + q*(p + q)*(1/6 - s/30 + t/42 - s*(u*u + v*v)/30))")


def near(order: int) -> str:
    """The difference of two near values of the function before this polygamma function."""
    return f"d*(polygamma({order}, y + d/2) + d*d/24*polygamma({order + 2}, y + d/2))"


NEAR_AND_FAR = ((2.0, 0.5), (100.0, 0.5), (1e6, 1e-8), (1e10, 3.0), (50.0, -20.0))

ROWS = (
    function("gamma(x)", "out*digamma(x)", aliases="Gamma", python="gamma", overflow="inf", scipy="gamma",
             sympy="gamma", mpmath="gamma", domain=POSITIVE, special=(0.0, 200.0),
             pole="copysign(inf, x) if x == 0 else nan", latex=r"\Gamma\left({x}\right)"),
    function("factorial(x)", "out*digamma(x + 1)", define="gamma(x + 1)", sympy="factorial",
             mpmath="factorial", domain=POSITIVE, latex=r"{x}!"),
    function("gammaln(x)", "digamma(x)", aliases="loggamma lgamma lngamma", python="lgamma", overflow="inf",
             scipy="gammaln", sympy="loggamma", pole="inf", domain=POSITIVE,
             mpmath=lambda mp, x: mp.log(abs(mp.gamma(x))), special=(0.0, 1e300),
             latex=r"\log\Gamma\left({x}\right)"),
    function("rgamma(x)", "where(out == 0 and x <= 0, gamma(1 - x)*cospi(x), -digamma(x)*out)", scipy="rgamma", mpmath="rgamma", domain=POSITIVE),
    function("digamma(x)", "polygamma(1, x)", aliases="psi", scipy="digamma", sympy="digamma",
             mpmath="digamma", domain=POSITIVE, latex=r"\psi\left({x}\right)"),
    function("trigamma(x)", "polygamma(2, x)", define="polygamma(1, x)", sympy="trigamma",
             domain=POSITIVE),
    function("polygamma(n, x)", None, "polygamma(n + 1, x)", scipy="polygamma",
             sympy="polygamma", mpmath=lambda mp, n, x: mp.polygamma(int(n), x),
             domain=((1.0, 1.0), POSITIVE), double=True, note="the order n is an integer"),
    function("beta(a, b)", "out*(-digamma_difference(a, b))", "out*(-digamma_difference(b, a))",
             aliases="Beta", scipy="beta", sympy="beta", mpmath="beta", domain=POSITIVE, double=True),
    function("betaln(a, b)", "-digamma_difference(a, b)", "-digamma_difference(b, a)", apart=True, double=True,
             aliases="lbeta logbeta", domain=POSITIVE, note="log(abs(beta(a, b)))",
             define="s = minimum(a, b); where(s > 0, gammaln(s) - gammaln_difference(maximum(a, b), s), "
             "log(abs(beta(a, b))))",
             sympy=lambda sp, a, b: sp.loggamma(a) + sp.loggamma(b) - sp.loggamma(a + b),
             mpmath=lambda mp, a, b: mp.log(mp.beta(a, b)), special=((1e10, 2.0), (300.0, 500.0), (-3.0, 2.0), (5.0, 1e-14))),
    function("binom(n, k)", "out*digamma_difference(n - k + 1, k)",
             "out*(digamma(n - k + 1) - digamma(k + 1))", aliases="binomial comb", scipy="binom",
             sympy="binomial", mpmath="binomial", domain=((3.0, 6.0), (0.5, 2.5))),
    function("ff(x, k)", "out*digamma_difference(x - k + 1, k)", "out*digamma(x - k + 1)",
             aliases="falling_factorial FallingFactorial", define="poch(x - k + 1, k)",
             mpmath="ff", domain=((3.0, 6.0), (0.5, 2.5))),
    function("poch(x, m)", "out*digamma_difference(x, m)", "out*digamma(x + m)",
             aliases="rising_factorial RisingFactorial", scipy="poch", mpmath="rf",
             sympy="RisingFactorial", domain=POSITIVE),
    # at y + d and at y
    function("gammaln_difference(y, d)", "digamma_difference(y, d)", "digamma(y + d)", apart=True,
             define=f"{INVERSES}where({FAR}, {LOGARITHM}, gammaln(x) - gammaln(y))",
             sympy=lambda sp, y, d: sp.loggamma(y + d) - sp.loggamma(y),
             mpmath=lambda mp, y, d: mp.log(abs(mp.gamma(y + d)*mp.rgamma(y))),
             domain=POSITIVE, special=NEAR_AND_FAR, note="gammaln(y + d) - gammaln(y)"),
    function("digamma_difference(y, d)", "trigamma_difference(y, d)", "polygamma(1, y + d)", apart=True, double=True,
             define=f"{INVERSES}where({FAR}, {SLOPE}, where(2000*abs(d) < y, "
             f"{near(1)}, digamma(x) - digamma(y)))",
             sympy=lambda sp, y, d: sp.digamma(y + d) - sp.digamma(y),
             mpmath=lambda mp, y, d: mp.digamma(y + d) - mp.digamma(y),
             domain=POSITIVE, special=(*NEAR_AND_FAR, (5.0, 1e-12)), note="digamma(y + d) - digamma(y)"),
    function("trigamma_difference(y, d)", "polygamma(2, y + d) - polygamma(2, y)",
             "polygamma(2, y + d)", apart=True, double=True,
             define=f"{INVERSES}where({FAR}, {CURVATURE}, where(2000*abs(d) < y, "
             f"{near(2)}, polygamma(1, x) - polygamma(1, y)))",
             sympy=lambda sp, y, d: sp.polygamma(1, y + d) - sp.polygamma(1, y),
             mpmath=lambda mp, y, d: mp.polygamma(1, y + d) - mp.polygamma(1, y),
             domain=POSITIVE, special=(*NEAR_AND_FAR, (5.0, 1e-12)), note="polygamma(1, y + d) - polygamma(1, y)"),
)

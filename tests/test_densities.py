"""Densities with gamma functions, with parameters for which their factors leave the range."""

from __future__ import annotations

import mpmath
import pytest
from oracle import Oracle

import autodiff_compiler as ac

POISSON = "m**k*exp(-m)/gamma(k + 1)"
GAMMA = "x**(a - 1)*exp(-x/b)/(gamma(a)*b**a)"
CHI_SQUARED = "x**(k/2 - 1)*exp(-x/2)/(2**(k/2)*gamma(k/2))"
STUDENT = "gamma((n + 1)/2)/(sqrt(n*pi)*gamma(n/2))*(1 + t**2/n)**(-(n + 1)/2)"
BETA = "gamma(a + b)/(gamma(a)*gamma(b))*x**(a - 1)*(1 - x)**(b - 1)"
BINOMIAL = "factorial(n)/(factorial(k)*factorial(n - k))*p**k*(1 - p)**(n - k)"
DENSITIES = (
    (POISSON, {"m": 810, "k": 800}),
    ("m**k*exp(-m)/factorial(k)", {"m": 810, "k": 800}),
    (GAMMA, {"x": 410, "a": 400, "b": 1}),
    (CHI_SQUARED, {"x": 410, "k": 400}),
    (STUDENT, {"n": 400, "t": 1.25}),
    (BETA, {"a": 200, "b": 100, "x": 0.65}),
    ("x**(a - 1)*(1 - x)**(b - 1)/beta(a, b)", {"a": 900, "b": 800, "x": 0.55}),
    (BINOMIAL, {"n": 300, "k": 160, "p": 0.5}),
    ("binom(n, k)*p**k*(1 - p)**(n - k)", {"n": 1100, "k": 560, "p": 0.5}),
    ("gamma(a)*gamma(b)/gamma(a + b)", {"a": 200, "b": 100}),
    ("gamma(x + 0.5)/gamma(x)", {"x": 200}),
    ("k**k/(gamma(k)*t**k)*x**(k - 1)*exp(-k*x/t)", {"k": 110, "t": 1.2, "x": 1.3}),
    ("gamma(a)/x**a", {"a": 140, "x": 50}),
    ("factorial(n)/n**n", {"n": 100}),
    ("gamma(a)/(a*exp(x))", {"a": 143.5, "x": 505}),
    ("x**b/(gamma(a)*exp(y))", {"x": 30, "b": 120, "a": 118, "y": 2}),
    ("b**a/gamma(a)*x**(a - 1)*exp(-b*x)", {"b": 1.25, "a": 110.75, "x": 1.35}),
    ("gamma(a)*gamma(b)/gamma(a + b)", {"a": 77.5, "b": 84.5}),
    ("beta(k, a)*x**a/exp(y)/beta(a, k + 1)", {"k": 103, "a": 137, "x": 64, "y": 260}),
    ("gamma(x)**2/gamma(2*x)", {"x": 150}),
    ("factorial(n)**2/factorial(2*n)", {"n": 200}),
    ("gamma(x)*gamma(x)/(y*gamma(2*x))", {"x": 150, "y": 3}),
    ("log(gamma(x)**2)", {"x": 150}),
    ("log(gamma(x)*x**2/y)", {"x": 200, "y": 0.5}),
    ("log(gamma(a)*gamma(b)/gamma(a + b))", {"a": 200, "b": 100}),
    ("log(beta(a, b))", {"a": 2000, "b": 1000}),
    (f"log({POISSON})", {"m": 810, "k": 800}),
    (f"log({GAMMA})", {"x": 410, "a": 400, "b": 1}),
)


@pytest.mark.parametrize(("source", "point"), DENSITIES, ids=str)
def test_a_density_is_in_range_where_its_factors_are_not(source, point):
    fn, oracle = ac.compile(source, inputs=list(point)), Oracle(source, list(point), 60)
    at = [float(v) for v in point.values()]
    with mpmath.workdps(60):
        exact = [mpmath.mpf(v) for v in at]
        want = [float(oracle.value(*exact))]
        want += [float(oracle.partial(k, *exact)) for k in range(len(exact))]
    value, slopes = fn.value_and_gradient(*at)
    assert [value, *slopes] == pytest.approx(want, rel=1e-10)
    assert [r for r in fn.rewrites if "gammaln" in r.rule or "gamma(x)/gamma(y)" in r.rule]


@pytest.mark.parametrize(("source", "point"), DENSITIES, ids=str)
def test_nearer_it_is_as_written(source, point):
    near = [min(v, 6.5 - k) for k, v in enumerate(point.values())]
    stable, plain = (ac.compile(source, inputs=list(point), stable=s) for s in (True, False))
    assert stable(*near) == pytest.approx(plain(*near), rel=1e-15)
    for got, want in zip(stable.hessian(*near), plain.hessian(*near), strict=True):
        assert got == pytest.approx(want, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("size", [60, 1e3, 1e6, 1e10, 1e15, 1e200])
def test_differences_of_gamma_functions_of_large_numbers(size):
    digits = 450
    for source in ("betaln(a, b)", "gammaln(a + b) - gammaln(a)", "digamma(a) - digamma(a + b)"):
        fn, oracle = ac.compile(source), Oracle(source.replace(*FOR_ORACLE), ["a", "b"], digits)
        with mpmath.workdps(digits):
            exact = mpmath.mpf(size), mpmath.mpf(2.5)
            want = float(oracle.value(*exact)), float(oracle.partial(1, *exact))
        assert fn(size, 2.5) == pytest.approx(want[0], rel=1e-14)
        assert fn.gradient(size, 2.5)[1] == pytest.approx(want[1], rel=1e-13)


FOR_ORACLE = "betaln(a, b)", "gammaln(a) + gammaln(b) - gammaln(a + b)"


SUMS = {  # logarithms of products, which are these sums
    "log(x**a*exp(-b*x)/2)": "a*log(x) - b*x - log(2)",
    "log(x**a*x**(-b))": "(a - b)*log(x)",
    "log(x**a/(x + y)**b)": "a*log(x) - b*log(x + y)",
    "log((1 + y**a)/(x + y)**b)": "log(1 + y**a) - b*log(x + y)",
    "log(y**a*exp(-x)/(x + y)**b*y)": "(a + 1)*log(y) - x - b*log(x + y)",
    "log(exp(-a)/(exp(x**2/2)*(1 + x)**b))": "-a - x**2/2 - b*log(1 + x)",
}


@pytest.mark.parametrize(("product", "total"), SUMS.items())
@pytest.mark.parametrize(
    "at", [(24.0, 15.0, 29.0, 31.0), (41.0, 2.5, 106.0, 139.0), (2.0, 1.5, 0.5, 3)]
)
def test_logarithms_of_products_are_sums_with_their_derivatives(product, total, at):
    found, wanted = (ac.compile(text, inputs="x y a b") for text in (product, total))
    assert found(*at) == pytest.approx(wanted(*at), rel=1e-12)
    assert found.gradient(*at) == pytest.approx(wanted.gradient(*at), rel=1e-12, abs=1e-14)
    for got, want in zip(found.hessian(*at), wanted.hessian(*at), strict=True):
        assert got == pytest.approx(want, rel=1e-12, abs=1e-13)


@pytest.mark.parametrize("text", ["1/gamma(a)", "1/factorial(a)", "1/beta(a, b)", "y/gamma(a)"])
def test_slopes_of_inverse_gamma_functions_whose_squares_are_out_of_range(text):
    fn, oracle = ac.compile(text, inputs="a b y"), Oracle(text, ["a", "b", "y"], 60)
    with mpmath.workdps(60):
        want = float(oracle.partial(0, mpmath.mpf(116), mpmath.mpf(600), mpmath.mpf(2)))
    assert fn.gradient(116.0, 600.0, 2.0)[0] == pytest.approx(want, rel=1e-12)

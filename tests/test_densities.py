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
    ("gamma(x)**2/gamma(2*x)", {"x": 150}),
    ("factorial(n)**2/factorial(2*n)", {"n": 200}),
    ("gamma(x)*gamma(x)/(y*gamma(2*x))", {"x": 150, "y": 3}),
    ("log(gamma(x)**2)", {"x": 150}),
    ("log(gamma(x)*x**2/y)", {"x": 200, "y": 1e-5}),
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
    assert [r for r in fn.rewrites if "out of range" in r.rule or "gamma(x)/gamma(y)" in r.rule]


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

"""Quotients that are 0/0 at a point, beside a high-precision evaluation right next to it."""

import pytest
from beside import Beside

import autodiff_compiler as ac

ROWS = (
    ("(x**2 - 1)/(x - 1)", {"x": 1}),
    ("(x**2 - 4)/(x - 2)", {"x": 2}),
    ("(x**3 - 8)/(x - 2)", {"x": 2}),
    ("(x - 2)/(x**3 - 8)", {"x": 2}),
    ("(x**2 - 5*x + 6)/(x**2 - 4)", {"x": 2}),
    ("(1 - x)/(1 - x**2)", {"x": 1}),
    ("(sqrt(x) - 2)/(x - 4)", {"x": 4}),
    ("(x - 4)/(sqrt(x) - 2)", {"x": 4}),
    ("x**3/x", {"x": 0}),
    ("(a*x + x**2)/(x*3)", {"x": 0, "a": 2}),
    ("x*y/(2*x)", {"x": 0, "y": 3}),
    ("(x**2 - y**2)/(x - y)", {"x": 3, "y": 3}),
    ("U*A*(x - y)/log(x/y)", {"U": 2, "A": 3, "x": 5, "y": 5}),
    ("sin(a*x)/x", {"a": 2, "x": 0}),
    ("sin(a*x)/(b*x)", {"a": 2, "b": 3, "x": 0}),
    ("c*(1 - cos(a*x))/x**2", {"a": 2, "c": 3, "x": 0}),
    ("(exp(a*x) - 1)/x", {"a": 2, "x": 0}),
    ("log(1 + a*x)/x", {"a": 2, "x": 0}),
    ("a*x**3/(exp(x/t) - 1)", {"a": 2, "x": 0, "t": 3}),
    ("x/(exp(x/t) - 1)", {"x": 0, "t": 3}),
    ("tanh(x*y)/(x*z)", {"x": 0, "y": 2, "z": 5}),
    ("((x + h)**2 - x**2)/h", {"x": 3, "h": 0}),
    ("((x + h)**3 - x**3)/h", {"x": 3, "h": 0}),
    ("(sqrt(x + h) - sqrt(x))/h", {"x": 4, "h": 0}),
    ("(sin(x + h) - sin(x))/h", {"x": 1, "h": 0}),
    ("(exp(x + h) - exp(x))/h", {"x": 1, "h": 0}),
    ("(log(x + h) - log(x))/h", {"x": 3, "h": 0}),
    ("(1/(x + h) - 1/x)/h", {"x": 3, "h": 0}),
    ("((1 + r)**n - 1)/r", {"r": 0, "n": 12}),
    ("P*r/(1 - (1 + r)**(-n))", {"P": 1000, "r": 0, "n": 360}),
    ("P*(r/12)/(1 - (1 + r/12)**(-n))", {"P": 1000, "r": 0, "n": 360}),
    ("(sin(1 + h) - sin(1))/h", {"h": 0}),
    ("(cos(x) - cos(4))/(x - 4)", {"x": 4}),
    ("(exp(-2) - exp(x))/(x + 2)", {"x": -2}),
    ("(exp(1 + h) - e)/h", {"h": 0}),
    ("(log(0.5 + h) - log(0.5))/h", {"h": 0}),
    ("(tan(1 + h) - tan(1))/h", {"h": 0}),
    ("(tanh(x) - tanh(1))/(x - 1)", {"x": 1}),
    ("(sinh(x) - sinh(1))/(x - 1)", {"x": 1}),
    ("(cosh(1 + h) - cosh(1))/h", {"h": 0}),
    ("(expit(x) - expit(1))/(x - 1)", {"x": 1}),
    ("(arctan(1 + h) - arctan(1))/h", {"h": 0}),
    ("(arctan(x) - arctan(y))/(x - y)", {"x": 2, "y": 2}),
    ("(sqrt(2 + h) - sqrt(2))/h", {"h": 0}),
    ("(cbrt(8 + h) - 2)/h", {"h": 0}),
    ("(cbrt(x) - 2)/(x - 8)", {"x": 8}),
    ("(log2(8 + h) - 3)/h", {"h": 0}),
    ("(log10(x) - 2)/(x - 100)", {"x": 100}),
    ("(2**(3 + h) - 8)/h", {"h": 0}),
    ("(2**x - 4)/(x - 2)", {"x": 2}),
    ("((4 + h)**1.5 - 8)/h", {"h": 0}),
    ("(x**2.5 - 2**2.5)/(x - 2)", {"x": 2}),
    ("(x**p - y**p)/(x - y)", {"x": 2, "y": 2, "p": 1.7}),
    ("(1/x - 0.5)/(x - 2)", {"x": 2}),
    ("((1 + h)**5 - 1)/h", {"h": 0}),
    ("((h - 2)**7 + 128)/h", {"h": 0}),
    ("(1024 - (2 + h)**10)/h", {"h": 0}),
    ("(x**10 - 1024)/(x - 2)", {"x": 2}),
    ("x**2/(1 - cos(3*x))", {"x": 0}),
    ("(1 - cos(x))/sin(x)**2", {"x": 0}),
    ("sinh(x)**2/(cosh(x) - 1)", {"x": 0}),
    ("x*log(x)/(x - 1)", {"x": 1}),
    ("(1 + x)**(1/x)", {"x": 0}),
    ("(1 + k*z)**(-1/k)", {"k": 0, "z": 2}),
    ("(1 + k*x/s)**(-1/k - 1)/s", {"k": 0, "x": 2, "s": 3}),
    ("(1 - (1 - q)*x)**(1/(1 - q))", {"q": 1, "x": 2}),
    ("(exp(x) - exp(y))/(x - y)", {"x": 1, "y": 1}),
    ("(sin(x) - sin(y))/(y - x)", {"x": 1, "y": 1}),
    ("(x**3 - y**3)/(2*x - 2*y)", {"x": 1, "y": 1}),
    ("(1/x - 1/y)/(x - y)", {"x": 4, "y": 4}),
    ("(w**x - w**y)/(x - y)", {"w": 2, "x": 1, "y": 1}),
    ("(dT1 - dT2)/log(dT1/dT2)", {"dT1": 20, "dT2": 20}),
    ("(x - y)/(log(x) - log(y))", {"x": 2, "y": 2}),
    ("k*D/(V*(k - e))*(exp(-e*t) - exp(-k*t))", {"k": 1, "D": 10, "V": 2, "e": 1, "t": 3}),
    ("(exp(-a*t) - exp(-b*t))/(b - a)", {"a": 1, "b": 1, "t": 2}),
    ("sin(n*x)/sin(x)", {"n": 5, "x": 0}),
    ("sinh(t*x)/sinh(x)", {"t": 0.3, "x": 0}),
    ("(1 - exp(-n*x))/(1 - exp(-x))", {"n": 5, "x": 0}),
    ("(x - 1)/log(x)", {"x": 1}),
    ("(x**3 - 1)/(x**2 - 1)", {"x": 1}),
    ("(x**2 - 3*x + 2)/(1 - x**2)", {"x": 1}),
    ("A*((1 + i)**n - 1)/i", {"A": 2, "i": 0, "n": 10}),
    ("A*(1 + r/12)*(1 - (1 + r/12)**(-12*t))/(r/12)", {"A": 2, "r": 0, "t": 10}),
    ("x*coth(x) + coth(x) - 1/x", {"x": 0}),
    ("(exp(-x) - 1 + x)/x**2", {"x": 0}),
    ("2*(exp(x) - 1 - x)/x**2", {"x": 0}),
    ("a*(x - sin(x))/(b*x**3)", {"a": 2, "b": 3, "x": 0}),
    ("x*gamma(x)", {"x": 0}),
    ("(p - p**q)/(q - 1)", {"p": 0.3, "q": 1}),
    ("(1 - exp(-t/u))/(t/u) - exp(-t/u)", {"t": 0, "u": 2}),
    ("x*exp(x)/(exp(x) - 1)", {"x": 0}),
    ("(t/T)**2*exp(t/T)/(exp(t/T) - 1)**2", {"t": 0, "T": 3}),
    ("(sin(n*x/2)/sin(x/2))**2/n", {"n": 3, "x": 0}),
    ("(2*j1(k*a)/(k*a))**2", {"k": 3, "a": 0}),
    ("(exp(x) - 1)/sin(x)", {"x": 0}),
    ("sin(x)/sinh(2*x)", {"x": 0}),
    ("tan(3*x)/sin(2*x)", {"x": 0}),
    ("log(1 + x)/arctan(x)", {"x": 0}),
    ("(a**x - b**x)/x", {"a": 2, "b": 3, "x": 0}),
    ("(exp(a*x) - exp(b*x))/x", {"a": 2, "b": 3, "x": 0}),
    ("(2**(3*x) - 2**x)/x", {"x": 0}),
    ("s*((-log(p))**(-k) - 1)/k", {"s": 2, "p": 0.9, "k": 0}),
    ("-log(s) - (1 + 1/k)*log(1 + k*x/s)", {"s": 2, "k": 0, "x": 1}),
    ("3*(sin(x)/x**3 - cos(x)/x**2)", {"x": 0}),
    ("(1 - (1 + x)*exp(-x))/x**2", {"x": 0}),
    ("1/x - cot(x)", {"x": 0}),
)


@pytest.mark.parametrize(("source", "point"), ROWS, ids=[source for source, _ in ROWS])
@pytest.mark.parametrize("near", [0, 1e-13, 1e-9, -1e-5, 1e-3])
def test_a_removable_singularity_has_the_limit(source, point, near):
    fn = ac.compile(source, inputs=list(point))
    at = [value + near * (k + 1) for k, value in enumerate(point.values())]
    beside = Beside(source, list(point), at)
    value, slopes = fn.value_and_gradient(*at)
    assert [value, *slopes] == pytest.approx(beside.first(), rel=1e-11, abs=1e-13)
    for got, want in zip(fn.hessian(*at), beside.second(), strict=True):
        assert list(got) == pytest.approx(want, rel=1e-7, abs=1e-9 * max(1, *map(abs, want)))


ENDS = (  # where the stable form must not lose what the written one has
    ("(1 - x/4)**2", (4,)),
    ("(1 + x/12)**12", (-12,)),
    ("(1 - x/4)**1.5", (4,)),
    ("(1 - r/h)**4*(4*r/h + 1)", (2, 2)),
    ("(1 + x/y)**z", (-1, 1, 2)),
    ("(1 + x/y)**z", (-1, 1, 1)),
    ("(1 + r/n)**(n*t)", (-12, 12, 1)),
    ("((1 + x)**y - 1)/x", (-1, 2)),
    ("(1 - (1 - x)**y)/x", (1, 2)),
    ("x/(1 - (1 + x)**(-y))", (-1, -1)),
    ("x*(1 + x)**n/((1 + x)**n - 1)", (-1, 2)),
    ("(x - y)/(log(x) - log(y))", (-2, -2.1)),
    ("(x - y)/log(x/y)", (-2, -3)),
)


@pytest.mark.parametrize(("source", "point"), ENDS)
def test_other_ends_of_the_domain_are_as_written(source, point):
    stable, written = (
        ac.compile(source, stable=s).value_and_gradient(*point) for s in (True, False)
    )
    assert stable[0] == pytest.approx(written[0], nan_ok=True)
    assert stable[1] == pytest.approx(written[1], nan_ok=True)

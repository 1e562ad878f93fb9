"""Formulas that are 0/0 at a point, which their series there tell, beside high precision."""

import math

import numpy as np
import pytest
from beside import Beside

import autodiff_compiler as ac

ROWS = (
    ("P*(1 - ((1 + g)/(1 + r))**n)/(r - g)", {"P": 100, "g": 0.03, "r": 0.03, "n": 10}),
    ("1/log(x) - 1/(x - 1)", {"x": 1}),
    ("log(x)/(x - 1) - 1/x", {"x": 1}),
    ("(x**x - 1)/(x - 1)", {"x": 1}),
    ("(1 - q**i)/(1 - q**N)", {"q": 1, "i": 3, "N": 7}),
    ("(1 - r)*r**n/(1 - r**(K + 1))", {"r": 1, "n": 2, "K": 5}),
    ("E*coth(E/T)", {"E": 0, "T": 2}),
    ("(u**-a + v**-a - 1)**(-1/a)", {"u": 0.4, "v": 0.7, "a": 0}),
    ("((a**p + b**p)/2)**(1/p)", {"a": 2, "b": 3, "p": 0}),
    ("(w*a**p + (1 - w)*b**p)**(1/p)", {"w": 0.3, "a": 2, "b": 3, "p": 0}),
    ("x*y*log(x/y)/(x - y)", {"x": 3, "y": 3}),
    ("(E1 - E2)*exp(-E1)/(exp(-E2) - exp(-E1))", {"E1": 1, "E2": 1}),
    ("cos(pi*x/2)/(1 - x**2)", {"x": 1}),
    ("cos(pi*x/2)/(1 - x**2)", {"x": -1}),
    ("cos(pi/2*cos(t))/sin(t)", {"t": 0}),
    ("sin(pi*x)/(pi*x)*cos(pi*b*x)/(1 - (2*b*x)**2)", {"x": 1, "b": 0.5}),
    ("1/l - T/(exp(l*T) - 1)", {"l": 0, "T": 2}),
    ("3/p*(1/tanh(p) - 1/p)", {"p": 0}),
    ("1/x**2 - 1/sinh(x)**2", {"x": 0}),
    ("1/(exp(x) - 1) - 1/x + 1/2", {"x": 0}),
    ("(sinh(x)/x - cosh(x))/x**2", {"x": 0}),
    ("(x*log(x) - x + 1)/(x - 1)**2", {"x": 1}),
    ("(log(1 + x) - x/(1 + x))/x**2", {"x": 0}),
    ("(x + exp(-x) - 1)/x", {"x": 0}),
    ("log(1 + m*x)/m**2 - x/m", {"m": 0, "x": 1.5}),
    ("-log(1 + (exp(-t*u) - 1)*(exp(-t*v) - 1)/(exp(-t) - 1))/t", {"t": 0, "u": 0.3, "v": 0.6}),
    ("g/(g - 1)*p*v*((q/p)**((g - 1)/g) - 1)", {"g": 1, "p": 2, "v": 1.5, "q": 3}),
    ("K/(1 - p)*((t + c)**(1 - p) - c**(1 - p))", {"K": 2, "p": 1, "t": 3, "c": 0.1}),
    ("q/((1 - b)*D)*(1 - (1 + b*D*t)**(1 - 1/b))", {"q": 100, "b": 0, "D": 0.1, "t": 3}),
    ("q/((1 - b)*D)*(1 - (1 + b*D*t)**(1 - 1/b))", {"q": 100, "b": 1, "D": 0.1, "t": 3}),
    ("(m*g/k)*(t - m/k*(1 - exp(-k*t/m)))", {"m": 2, "g": 9.81, "k": 0, "t": 3}),
    (
        "log(p**a*q**(1 - a) + (1 - p)**a*(1 - q)**(1 - a))/(a - 1)",
        {"p": 0.3, "q": 0.6, "a": 1},
    ),
    ("(p**a + (1 - p)**a - 1)/(1 - a)", {"p": 0.3, "a": 1}),
    ("(1 - exp(-N*(1 - c)))/(1 - c*exp(-N*(1 - c)))", {"c": 1, "N": 2}),
    (
        "A*(exp(-x*t)/((y - x)*(z - x)) + exp(-y*t)/((x - y)*(z - y)) + exp(-z*t)/((x - z)*(y - z)))",
        {"x": 0.5, "y": 0.5, "z": 1.2, "A": 2, "t": 1.5},
    ),
    ("F/(m*(w**2 - v**2))*(cos(v*t) - cos(w*t))", {"F": 1, "m": 2, "w": 3, "v": 3, "t": 1.2}),
    ("(1 - x**n)/(1 - x) - n*x**(n - 1)", {"n": 3, "x": 1}),
    ("((1 + x)**a - (1 + x)**b)/x", {"x": 0, "a": 2.5, "b": 1.5}),
    ("(1 + y)/y - (1 + y + n*(c - y))/(c*((1 + y)**n - 1) + y)", {"y": 0, "c": 0.05, "n": 10}),
    ("2*pi*a**2*(1 + (1 - e**2)/e*atanh(e))", {"a": 2, "e": 0}),
    ("(-b + sqrt(b**2 - 4*a*c))/(2*a)", {"a": 0, "b": 3, "c": 1}),
    ("x**2*sin(x)/(x - sin(x))/6", {"x": 0}),
    ("(tan(x) - sin(x))/x**3", {"x": 0}),
    ("acosh(x)/sqrt(x**2 - 1)", {"x": 1}),
    ("asin(sqrt(x))/sqrt(x*(1 - x))", {"x": 0}),
    ("(1 - cos(sqrt(k)*r))/k", {"k": 0, "r": 1.3}),
    ("atan(sqrt(x))/sqrt(x)", {"x": 0}),
    ("x/log((sqrt(1 - 2*y*x + x**2) + x - y)/(1 - y))", {"x": 0, "y": 0.3}),
    ("y*((1 + x)**z - 1)/((1 + x)**(1/12) - 1)", {"x": 0, "y": 100, "z": 5}),
    ("log((exp(x*y) + exp(x*z))/2)/x", {"x": 0, "y": 2, "z": 3}),
    ("(1 - ((1 - x)/x)**y)/(1 - ((1 - x)/x)**z)", {"x": 0.5, "y": 2, "z": 5}),
    ("(exp(x*sqrt(y - 5)) - 1 - x*sqrt(y - 5))/x**2", {"x": 0, "y": 9}),
    ("((y - 5)**x - 1)/sinh(x)", {"x": 0, "y": 9}),
    ("x**(x/(x - 1))", {"x": 1}),
    ("(1 + tan(x))**(a/((1 + x)**a - 1))", {"x": 0, "a": 1.5}),
    ("1/log(1e3*x) - 1/(1e3*x - 1)", {"x": 1e-3}),
    ("-y/(2*x) + sqrt(y**2 - 4*x*z)/(2*x)", {"x": 0, "y": 2, "z": 3}),
)


@pytest.mark.parametrize(("source", "point"), ROWS, ids=[source for source, _ in ROWS])
def test_a_quotient_without_value_has_that_of_its_series(source, point):
    fn = ac.compile(source, inputs=list(point))
    at = [float(value) for value in point.values()]
    beside = Beside(source, list(point), at)
    value, slopes = fn.value_and_gradient(*at)
    assert [value, *slopes] == pytest.approx(beside.first(), rel=1e-10, abs=1e-12)
    assert fn(*at) == pytest.approx(value, rel=1e-15)
    for got, want in zip(fn.hessian(*at), beside.second(), strict=True):
        assert list(got) == pytest.approx(want, rel=1e-7, abs=1e-9 * max(1, *map(abs, want)))


@pytest.mark.parametrize(("source", "point"), ROWS, ids=[source for source, _ in ROWS])
def test_products_and_arrays_have_it_too(source, point):
    fn = ac.compile(source, inputs=list(point))
    at = [float(value) for value in point.values()]
    value, slopes = fn.value_and_gradient(*at)
    along = [1.0 + k for k in range(len(at))]
    total = math.fsum(a * s for a, s in zip(along, slopes, strict=True))
    assert fn.jvp(at, along) == pytest.approx((value, total), rel=1e-12)
    assert fn.vjp(at, 3.0)[1] == pytest.approx([3 * s for s in slopes], rel=1e-12)
    values, gradients = fn.value_and_gradient(*(np.array([x, x]) for x in at))
    assert list(values) == pytest.approx([value, value], rel=1e-12)
    assert [list(g) for g in gradients] == [pytest.approx([s, s], rel=1e-12) for s in slopes]


@pytest.mark.parametrize("target", ["python", "numpy"])
def test_a_module_has_the_limit(target):
    fn = ac.compile("1/log(x) - 1/(x - 1) + 0*y", inputs="x y")
    namespace = {}
    exec(fn.source("value", "gradient", target=target), namespace)
    assert namespace["value"](1.0, 2.0) == 0.5
    assert namespace["gradient"](1.0, 2.0) == pytest.approx((-1 / 12, 0))


@pytest.mark.parametrize(
    ("source", "point", "want"),
    [
        ("1/x", (0,), math.inf),
        ("x/y", (0, 0), math.nan),
        ("x*y/(x*x + y*y)", (0, 0), math.nan),
        ("abs(x)/x", (0,), math.nan),
        ("sqrt(x*x)/x", (0,), math.nan),
        ("floor(x)/x", (0,), math.nan),
        ("maximum(x, 0)/x", (0,), math.nan),
        ("where(y > 0, x, y)/x", (-1, 0), -math.inf),
    ],
)
def test_what_has_no_limit_gets_none(source, point, want):
    assert ac.compile(source)(*point) == pytest.approx(want, nan_ok=True)


@pytest.mark.parametrize(
    ("source", "point"),
    [  # what is 0 for some inputs, and not for these
        ("-y/(2*x) + sqrt(y**2 - 4*x*z)/(2*x)", {"x": 0, "y": -2, "z": 3}),
        ("(abs(y + x) - y)/x", {"x": 0, "y": -4}),
        ("(sqrt((x + y)**2) - y)/x", {"x": 0, "y": -4}),
        ("(acos(cos(x + y)) - y)/x", {"x": 0, "y": 4}),
        ("sin(x*(abs(y) - y))/x**2", {"x": 0, "y": -2}),
        ("(x*abs(x) - y*y)/(x - y)", {"x": -2, "y": -2}),
        ("(abs(x + abs(y)) - abs(y + abs(y)))/(x - y)", {"x": -2, "y": -2}),
        ("where(x < -abs(y), (x - y)*5, sin(x - y))/(x - y)", {"x": -2, "y": -2}),
        ("(1 - cos(x) + x*exp(-1e5*y))/x**2", {"x": 0, "y": 0}),
        ("(sin(x)*maximum(y, 5) - 5*x)/x**2", {"x": 0, "y": 10}),
        ("(exp(x) - 1 - 1.0000000000001*x)/x**2", {"x": 0}),
        # where divisors are 0 elsewhere, too
        ("(exp(x) - exp(y))/(cosh(x) - cosh(y))", {"x": -2, "y": 2}),
        ("(exp(x) - exp(y))/(abs(x) - y)", {"x": -2, "y": 2}),
        ("x**2/(1 - cos(x)**3)", {"x": 2 * math.pi}),
        ("(x - y)/(atan(x) - atan(y))", {"x": 1e20, "y": 1e25}),
        ("(exp(1e6*x) - exp(1))/(x**2 - 1e-12)", {"x": -1e-6}),
        ("(exp(x) - 1)/(x**2 - y*x)", {"x": 1e-6, "y": 1e-6}),
    ],
)
def test_a_limit_of_other_inputs_is_not_taken(source, point):
    fn = ac.compile(source, inputs=list(point))
    values = fn(**point), fn.value_and_gradient(**point)[0]
    assert not any(map(math.isfinite, values))


def test_a_choice_by_another_input_has_the_limit_of_each_branch():
    fn = ac.compile("where(y > 0.5, 1/log(x) - 1/(x - 1), (x - 1)/log(x))", inputs="x y")
    assert (fn(1, 1), fn(1, 0), fn(1, -7)) == (0.5, 1, 1)


def test_as_written_there_is_no_limit():
    source = "1/log(x) - 1/(x - 1)"
    assert math.isnan(ac.compile(source, stable=False)(1))
    assert math.isnan(ac.compile(source, without="limits")(1))
    assert ac.compile(source)(1) == 0.5


def test_a_value_that_is_chosen_at_the_point_stays():
    assert ac.compile("where(x == 1, 7, 1/log(x) - 1/(x - 1))")(1) == 7


def test_a_divisor_of_many_factors_is_looked_through_once():
    powers = "\n".join(f"y{k + 1} = y{k}*y{k}" for k in range(60))
    assert math.isnan(ac.compile(f"y0 = sin(x)\n{powers}\n(exp(x) - 1)/y60")(0))

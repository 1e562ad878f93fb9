"""Poles of inner functions, where the whole formula is finite: its slopes are their limits."""

import math

import numpy as np
import pytest
import sympy as sp
from oracle import Oracle

import autodiff_compiler as ac

NEAR = 1e-9  # instead of the 0 at which the pole is, for the oracle
CALL = "d = (log(S/K) + (r + v**2/2)*T)/(v*sqrt(T)); S*ndtr(d) - K*exp(-r*T)*ndtr(d - v*sqrt(T))"
FLAT = (
    ("A*exp(-E/(k*T))", {"A": 2, "E": 3, "k": 0.5, "T": 0}),
    ("exp(-1/x**2)", {"x": 0}),
    ("exp(-x**(-2))", {"x": 0}),
    ("exp(-1/(1 - x**2))", {"x": 1}),
    ("where(x > 0, exp(-k/x), 0)", {"k": 2, "x": 0}),
    ("x*exp(-k/x)", {"k": 2, "x": 0}),
    ("exp2(-t/T)", {"t": 1, "T": 0}),
    ("2**(-t/T)", {"t": 1, "T": 0}),
    ("0.5**(t/T)", {"t": 1, "T": 0}),
    ("tanh(m*B/(k*T))", {"m": 2, "B": 1.5, "k": 3, "T": 0}),
    ("1/(exp((E - m)/(k*T)) + 1)", {"E": 2, "m": 1, "k": 1, "T": 0}),
    ("h*f/(exp(h*f/(k*T)) - 1)", {"h": 2, "f": 1.5, "k": 1, "T": 0}),
    ("y/cosh(a/x)", {"y": 2, "a": 1, "x": 0}),
    ("erfc(x/(2*sqrt(D*t)))", {"x": 1, "D": 2, "t": 0}),
    ("exp(-x**2/(4*D*t))", {"x": 1, "D": 2, "t": 0}),
    (CALL, {"S": 90, "K": 100, "r": 0.05, "v": 0.2, "T": 0}),
)
FINITE = (
    (CALL, {"S": 110, "K": 100, "r": 0.05, "v": 0.2, "T": 0}),
    ("1/(1/a + 1/b)", {"a": 0, "b": 2}),
    ("1/(1/a + 1/b + 1/c)", {"a": 2, "b": 0, "c": 3}),
    ("1/(1/f - 1/d)", {"f": 0, "d": 2}),
    ("n/(k/a - 3/b + c)", {"n": 2, "k": 1.5, "a": 0, "b": 2, "c": 3}),
    ("v/(1 + k/s)", {"v": 2, "k": 3, "s": 0}),
    ("s/(1 + k/s)", {"k": 3, "s": 0}),
    ("1/(1/a**2 + 1/b**2)", {"a": 0, "b": 2}),
    ("E/(1 + (K/x)**n)", {"E": 2, "K": 3, "n": 2, "x": 0}),
    ("b + E/(1 + (K/x)**n)", {"b": 1, "E": 2, "K": 3, "n": 1, "x": 0}),
    ("E/(1 + (K/x)**2)", {"E": 2, "K": 3, "x": 0}),
    ("b + (E - b)/(1 + (K/x)**3)", {"b": 1, "E": 2, "K": 3, "x": 0}),
    ("E/(1 + K**2/x**2 + (x/M)**2)", {"E": 2, "K": 3, "M": 2, "x": 0}),
    ("k/(1 + (k/x)**4 + y)", {"k": 3, "x": 0, "y": 1.5}),
    ("E/(2 + (K/x)**1.75)", {"E": 2, "K": 3, "x": 0}),
    ("E/(b + (x/K)**(-n))", {"b": 1, "E": 2, "K": 3, "n": 1.75, "x": 0}),
    ("d + (a - d)/(1 + (x/c)**b)", {"d": 1, "a": 2, "x": 0, "c": 3, "b": -2}),
    ("d + (a - d)/(1 + (x/c)**b)", {"d": 1, "a": 2, "x": 0, "c": 3, "b": 2}),
)


def slopes_near(source, point):
    """The slopes beside the pole, in high precision."""
    place = next((v for v in point.values() if v == 0), None)
    near = [v - NEAR if place is None else v or NEAR for v in point.values()]
    return [float(g) for g in Oracle(source, list(point)).gradient(*near)]


@pytest.mark.parametrize(("source", "point"), FLAT + FINITE, ids=str)
def test_slopes_at_a_pole_are_their_limits(source, point):
    fn = ac.compile(source, inputs=list(point))
    want = pytest.approx(slopes_near(source, point), abs=1e-6)
    assert list(fn.gradient(*point.values())) == want
    arrays = fn.gradient(*(np.full(3, float(v)) for v in point.values()))
    assert [a[1] for a in arrays] == want
    direction = [1.0] * len(point)
    assert fn.jvp(list(point.values()), direction)[1] == pytest.approx(sum(want.expected), abs=1e-6)


@pytest.mark.parametrize(("source", "point"), FLAT + FINITE, ids=str)
def test_elsewhere_they_are_what_they_always_are(source, point):
    """A pole in one element has all of them computed by the function for poles."""
    fn = ac.compile(source, inputs=list(point))
    usual = [float(v) or 0.75 for v in point.values()]
    usual = [v - 0.25 for v in usual] if 0 not in point.values() else usual
    mixed = [np.array([u, float(v)]) for u, v in zip(usual, point.values(), strict=True)]
    np.testing.assert_allclose([g[0] for g in fn.gradient(*mixed)], fn.gradient(*usual), rtol=1e-12)
    found = [[h[0] for h in row] for row in fn.hessian(*mixed)]
    np.testing.assert_allclose(found, fn.hessian(*usual), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("source", "point", "slopes"),
    [
        ("1/(1 + 1/expm1(h/T))", {"h": 1, "T": 1e-3}, (0, 0)),
        ("1/(k + 1/sinh(1/x))", {"k": 2, "x": 1e-3}, (-0.25, 0)),
        ("k/(b + y/sinh(k/x))", {"k": 1, "b": 1, "y": 2, "x": 1e-3}, (1, -1, 0, 0)),
        ("k/(2/sinh(-1/x) + 0.5/x)", {"k": 1.7, "x": 1e-3}, (0.002, 3.4)),
        ("x - k - 1/(1/x + 1/y + k)", {"x": 1e-9, "k": 3, "y": 0.7}, (0, -1, 0)),
        ("x**y", {"x": 1e-310, "y": 0}, (0, math.log(1e-310))),
    ],
)
def test_where_functions_overflow_and_nothing_is_divided_by_0(source, point, slopes):
    fn = ac.compile(source, inputs=list(point))
    assert fn.gradient(**point) == pytest.approx(slopes, abs=1e-8)


@pytest.mark.parametrize(("source", "point"), FLAT, ids=str)
def test_a_flat_function_has_no_curvature_at_a_pole(source, point):
    assert not np.any(ac.compile(source, inputs=list(point)).hessian(*point.values()))


def test_curvature_where_a_pole_is_divided_by():
    fn = ac.compile("v/(1 + k/s)", inputs=["v", "k", "s"])
    assert fn.hessian(2, 3, 0)[2][2] == pytest.approx(-4 / 9)  # of v*s/(s + k): -2*v*k/(s + k)**3
    assert fn.hessian(2, 3, 0)[2][0] == pytest.approx(1 / 3)


@pytest.mark.parametrize("source", ["exp(1/x)", "1/x + exp(-1/x)", "softplus(1/x)"])
def test_an_infinite_slope_stays_infinite(source):
    assert ac.compile(source).gradient(0.0) == (-math.inf,)


def test_programs_of_arrays_have_the_same_limits():
    fn = ac.compile("sum(a*exp(-E/T))", shapes={"E": ("N",), "T": ("N",)})
    slopes = fn.gradient(2.0, np.array([1.0, 2.0]), np.array([0.0, 1.0]))
    assert slopes[0] == pytest.approx(math.exp(-2))
    np.testing.assert_allclose(slopes[1], [0, -2 * math.exp(-2)])
    np.testing.assert_allclose(slopes[2], [0, 4 * math.exp(-2)])


@pytest.mark.parametrize("kind", [float, np.float32])
def test_numbers_beside_arrays_have_the_answers_of_arrays(kind):
    """Python's numbers raise where something is divided by them, and NumPy's do not."""
    fn, x = ac.compile("x/b + x*exp(-1/b)", inputs=["x", "b"]), np.ones(3, kind)
    value, (by_x, by_b) = fn.value_and_gradient(x, 0.0)
    assert value.dtype == by_x.dtype == x.dtype
    assert (value[0], by_x[1], by_b[2]) == (math.inf, math.inf, -math.inf)


@pytest.mark.parametrize("options", [{"target": "python"}, {"target": "numpy"}, {"arrays": "E"}])
def test_saved_modules_have_the_same_limits(options):
    module = {}
    fn = ac.compile("A*exp(-E/T)", inputs=["A", "E", "T"])
    exec(fn.source("gradient", **{"target": "numpy", **options}), module)
    energy = 2.0 if options.get("target") == "python" else np.full(3, 2.0)
    for slope in module["gradient"](2.0, energy, 0.0):
        assert not np.any(slope)


def test_large_arrays_in_threads_have_the_same_limits():
    fn = ac.compile("A*exp(-E/T)*tanh(E/T)", inputs=["A", "E", "T"])
    energy, temperature = np.full(500_000, 2.0), np.full(500_000, 0.5)
    temperature[-1] = 0
    slopes = fn.gradient(2.0, energy, temperature)
    want = fn.gradient(2.0, 2.0, 0.5)
    for slope, one in zip(slopes, want, strict=True):
        assert slope[0] == pytest.approx(one)
        assert slope[-1] == 0


# Near a pole of the exponent, quotients overflow where Python does not raise: 0 times infinity.
BUMPS = ("exp(-1/x**2)", "exp(-1/x)", "where(x > 0, exp(-1/x), 0)", "tanh(1/x)", "x*exp(-1/x)")
TINY = (0.0, 1e-320, 1e-310, 1e-200, 1e-160, 1e-110)


@pytest.mark.parametrize("source", BUMPS)
@pytest.mark.parametrize("x", TINY)
def test_slopes_are_0_near_a_pole_of_an_exponent(source, x):
    fn, namespace = ac.compile(source), {}
    exec(fn.source("gradient", "hessian"), namespace)
    assert fn.gradient(x) == namespace["gradient"](x) == (0.0,)
    assert fn.hessian(x) == namespace["hessian"](x) == ((0.0,),)
    assert fn.gradient(np.full(2, x))[0].tolist() == [0.0, 0.0]
    assert fn.jvp([x], [1.0])[1] == 0.0


def test_sums_over_many_poles():
    names = [f"T{k}" for k in range(12)]
    fn = ac.compile(" + ".join(f"exp(-E/{name})" for name in names))
    assert not any(map(math.isnan, fn.gradient(1.0, *[1e-309] * 12)))


# Far from a pole and near it, terms of the second derivatives would cancel: 1e-9 beside 1.
RATIOS = (
    ("v/(1 + k/s)", (3.0, 1.0), "v*s/(k + s)"),
    ("1/(1/a + 1/b)", (2.0,), "a*b/(a + b)"),
    ("x/(1 + x/k)", (2.0,), "x*k/(k + x)"),
    ("a/(b + c/d)", (2.0, 3.0, 0.5), "a*d/(b*d + c)"),
)


@pytest.mark.parametrize(("source", "others", "plain"), RATIOS)
@pytest.mark.parametrize("exponent", [-15, -9, -3, 0, 3, 9, 15])
def test_second_derivatives_keep_their_digits(source, others, plain, exponent):
    fn = ac.compile(source)
    point = (10.0**exponent, *others) if source[0] != "v" else (*others, 10.0**exponent)
    symbols = sp.symbols(fn.inputs)
    at = dict(zip(symbols, map(sp.Rational, point), strict=True))
    formula = sp.sympify(plain)
    for row, one in zip(fn.hessian(*point), symbols, strict=True):
        want = [float(formula.diff(one, other).subs(at)) for other in symbols]
        assert row == pytest.approx(want, rel=1e-13)


@pytest.mark.parametrize(("source", "others", "plain"), RATIOS)
@pytest.mark.parametrize("exponent", [-300, -200, -160, -15, 0, 15, 160, 200, 300])
def test_slopes_keep_their_digits_near_a_pole_and_far_from_it(source, others, plain, exponent):
    fn, namespace = ac.compile(source), {}
    exec(fn.source("gradient"), namespace)
    point = (10.0**exponent, *others) if source[0] != "v" else (*others, 10.0**exponent)
    symbols = sp.symbols(fn.inputs)
    at = dict(zip(symbols, map(sp.Rational, point), strict=True))
    want = [float(sp.sympify(plain).diff(symbol).subs(at)) for symbol in symbols]
    of_arrays = [float(part[0]) for part in fn.gradient(*(np.full(2, value) for value in point))]
    for got in (fn.gradient(*point), namespace["gradient"](*point), of_arrays):
        assert got == pytest.approx(want, rel=1e-14, abs=1e-320)


PEAKS = (
    ("1/cosh((x - m)/s)", -4.0),
    ("sech((x - m)/s)**2", -8.0),
    ("1 - tanh((x - m)/s)**2", -8.0),
    ("exp((x - m)/s)/(1 + exp((x - m)/s))**2", -0.5),
    ("exp(-(x - m)/s)/(s*(1 + exp(-(x - m)/s))**2)", -1.0),
)


@pytest.mark.parametrize(("source", "second"), PEAKS)
def test_second_slopes_at_peaks_of_functions_of_quotients(source, second):
    fn = ac.compile(source, inputs="x m s")
    rows = fn.hessian(0.3, 0.3, 0.5)
    assert [row[:2] for row in rows[:2]] == [(second, -second), (-second, second)]
    assert fn.hvp((0.3, 0.3, 0.5), (1.0, 0.0, 0.0))[0] == second


STEEP = (
    ("p*log(p/q)", (0, 0.345)),
    ("p*log(p/q) + (1 - p)*log((1 - p)/(1 - q))", (0, 0.345)),
    ("m = (p + q)/2; (p*log(p/m) + q*log(q/m))/2", (0, 0.553)),
    ("2*acos(w)/sqrt(1 - w**2)*x", (1, 1.15)),
    ("x*log(x) + y**3", (0, 1.5)),
)


@pytest.mark.parametrize(("source", "point"), STEEP)
def test_hessians_times_directions_along_which_a_steep_argument_rests(source, point):
    fn = ac.compile(source)
    columns = [row[1] for row in fn.hessian(*point)]
    assert all(map(math.isfinite, columns))
    assert list(fn.hvp(point, (0, 2))) == pytest.approx([2 * c for c in columns], rel=1e-15)
    namespace = {}
    exec(fn.source("hvp"), namespace)
    assert namespace["hvp"](point, (0, 2)) == fn.hvp(point, (0, 2))


def test_tangents_of_sums_in_which_a_steep_element_rests():
    x, dot = np.array([0, 0.5, 0.25]), np.array([0, 1.0, 2.0])
    for base, scale in (("log", 1.0), ("log2", math.log(2))):
        value, tangent = ac.compile(f"x: [n]; -sum(x*{base}(x))").jvp((x,), (dot,))
        assert value == pytest.approx(math.log(2) / scale, rel=1e-15)
        want = -sum(d * (1 + math.log(v)) for v, d in zip(x[1:], dot[1:], strict=True))
        assert tangent == pytest.approx(want / scale, rel=1e-15)


@pytest.mark.parametrize(("log", "base"), [("log", math.e), ("log2", 2), ("log10", 10)])
def test_entropies_of_what_is_certain(log, base):
    for source in (f"(1 - p)*{log}(1 - p)", f"(p - 1)*{log}(1 - p)", f"p*{log}(p)"):
        assert ac.compile(source)(1.0) == 0
    both = ac.compile(f"-p*{log}(p) - (1 - p)*{log}(1 - p)")
    assert both(0.0) == both(1.0) == 0
    assert both.gradient(0.25)[0] == pytest.approx(math.log(3, base), rel=1e-15)

"""Formulas as people write them, where parts of them overflow or cancel, against mpmath."""

import itertools
import math

import mpmath
import pytest
import sympy as sp

import autodiff_compiler as ac

FAR = [-800.0, -1e-9, 1e-9, 3.0, 800.0]
WIDE = [1e-200, 1e-3, 1.0, 1e3, 1e200]
FORMULAS = (
    # growth, saturation, and shares
    ("p*exp(t)*K/(K + p*(exp(t) - 1))", {"p": [0.5, 20.0], "t": FAR, "K": [10.0]}),
    ("x**n/(k**n + x**n)", {"x": WIDE, "k": [2.0], "n": [0.5, 2.0, 4.0]}),
    ("v*x**n/(k + x**n)", {"v": [3.0], "x": WIDE, "k": [2.0], "n": [0.5, 2.0, 4.0]}),
    ("x**2/(x**2 + a**2)", {"x": WIDE, "a": [2.0, 1e180]}),
    ("v/(1 + k/s)", {"v": [2.0], "k": [3.0], "s": WIDE}),
    # currents through membranes, instalments
    ("v*(a - b*exp(-v))/(1 - exp(-v))", {"v": FAR, "a": [1.0, 2.0], "b": [1.0]}),
    ("v*(a*exp(v) - b)/(exp(v) - 1)", {"v": FAR, "a": [1.0, 2.0], "b": [1.0]}),
    ("(a - b*exp(v))/(exp(v) - 1)", {"v": FAR, "a": [2.0], "b": [1.0]}),
    ("r*(1 + r)**n/((1 + r)**n - 1)", {"r": [1e-9, 0.05], "n": [12.0, 1e5]}),
    # triangles
    ("a**2 + b**2 - 2*a*b*cos(t)", {"a": [1.0], "b": [1.0001, 3.0], "t": [1e-9, 1.0, 3.0]}),
    ("sqrt(1 - 2*r*cos(t) + r**2)", {"r": [0.999999, 3.0], "t": [1e-7, 1.0, 3.0]}),
    ("1/(4*p**2 - 4*p*q*cos(t) + q**2)", {"p": [0.5], "q": [1.0001], "t": [1e-9, 1.0]}),
    ("-(2*a*b*cos(t) - b**2 - a**2)", {"a": [-1.0], "b": [-1.0001], "t": [1e-9, 1.0]}),
    ("acos((a**2 + b**2 - c**2)/(2*a*b))", {"a": [3.0], "b": [3.0], "c": [3e-9, 1e-4, 0.9]}),
    ("acos((b**2 + c**2 - a**2)/(2*b*c))", {"a": [3.0], "b": [4.0], "c": [5.5, 6.999999]}),
    (
        "acos(sin(p)*sin(q) + cos(p)*cos(q)*cos(s - t))",
        {"p": [0.5], "q": [0.5000001, -0.5], "s": [0.1], "t": [0.1, 0.10000001, 3.24]},
    ),
    (
        "acos((a*x + b*y)/(sqrt(a**2 + b**2)*sqrt(x**2 + y**2)))",
        {"a": [1.0], "b": [2.0], "x": [1.0], "y": [2.0000001, -0.5]},
    ),
    (
        "acos((a*x + b*y + c*z)/(sqrt(a**2 + b**2 + c**2)*sqrt(x**2 + y**2 + z**2)))",
        {"a": [1.0], "b": [2.0], "c": [3.0], "x": [1.0], "y": [2.0], "z": [3.0000001, -3.0]},
    ),
    # differences from 1, and from a radius
    ("r*cosh(x/r) - r", {"r": [1.0, 1e9], "x": [1e-9, 5.0]}),
    ("r - r*cos(t)", {"r": [2.0], "t": [1e-9, 1.0]}),
    ("sin(x)/x - 1", {"x": [1e-9, 1e-3, 1.0]}),
    ("1 - tanh(x)/x", {"x": [1e-9, 1e-3, 1.0, 800.0]}),
    ("x/tanh(x) - 1", {"x": [1e-9, 1e-3, 1.0, 800.0]}),
    ("1 - (1 - exp(-x))/x", {"x": [1e-9, 1e-3, 1.0, 800.0]}),
    ("log(1 + x)/x - 1", {"x": [1e-9, 1e-3, 1.0, 800.0]}),
    ("1 - atan(x)/x", {"x": [1e-9, 1e-3, 1.0, 800.0]}),
    ("log(1 + x) - x/(1 + x)", {"x": [1e-9, 1e-3, 1.0, 800.0]}),
    ("log(1 - exp(-x)) - log(x)", {"x": [1e-9, 1e-3, 1.0, 800.0]}),
    # divergences
    ("y*log(y/m) - (y - m)", {"y": [1.0, 1e10], "m": [1.0000001, 5.0]}),
    ("2*(m - y + y*log(y/m))", {"y": [3.0], "m": [3.0000001, 1e-300]}),
    ("y*log(y/(a + b)) - y + a + b", {"y": [3.0], "a": [1.0], "b": [2.0000001, 7.0]}),
    (
        "log(t/s) + (s**2 + (m - n)**2)/(2*t**2) - 1/2",
        {"s": [1.0], "t": [1.0000001, 1e3], "m": [1.0], "n": [1.0000001, 3.0]},
    ),
    ("-0.5*(1 + log(v) - m**2 - v)", {"v": [1.0000001, 1e-5], "m": [1e-9, 1.0]}),
    ("y/m - log(y/m) - 1", {"y": [3.0], "m": [3.0000001, 1e10]}),
    ("log(x) + 1 - x", {"x": [1e-300, 0.999999, 1.0000001, 5.0]}),
    # powers of sums with an exponential, and of what is nearly 1
    ("(1 + exp(-z))**(-a)", {"z": [-1000.0, -1.0, 50.0], "a": [0.5, 2.0]}),
    ("k/(1 + q*exp(-t))**(1/v)", {"k": [2.0], "q": [3.0], "t": [-300.0, 1.0], "v": [2.0, 5.0]}),
    ("((x + 1)**n - 1)/n", {"x": [0.1, 3.0], "n": [1e-9, 2.5]}),
    ("a*(1 - q**n)/(1 - q)", {"a": [2.0], "q": [0.9999999, 1.0000001, 3.0], "n": [3.0, 7.5]}),
    ("(1 - exp(-4*n*s*p))/(1 - exp(-4*n*s))", {"n": [1e5], "s": [-0.01, 1e-12], "p": [0.5]}),
    # tails, and what a class loses that is nearly certain
    ("log(erf(b) - erf(a))", {"a": [-0.5, 30.0], "b": [31.0]}),
    ("log((erf(b) - erf(a))/2)", {"a": [-31.0], "b": [-30.0, 2.0]}),
    ("log(exp(a) + exp(b) + exp(c)) - a", {"a": [-5.0, 20.0, 500.0], "b": [0.0], "c": [1.0]}),
    ("log(exp(a) + exp(b)) - a", {"a": [-5.0, 30.0, 500.0], "b": [0.0]}),
    # chemistry, and magnets
    ("3*(p*cosh(p) - sinh(p))/(p**2*sinh(p))", {"p": [1e-9, 1e-4, 1.0, 300.0]}),
    ("3/x**2*(x/tanh(x) - 1)", {"x": [1e-9, 1e-4, 1.0, 300.0]}),
    ("1/(2*k)*log((1 + k)/(1 - k))", {"k": [1e-9, 0.5]}),
    # Bessel functions in densities, and a logarithm of a large ratio
    ("x*exp(-(x**2 + n**2)/2)*i0(x*n)", {"x": [1.0, 40.0], "n": [2.0, 41.0]}),
    ("log(1 + x**2/n)", {"x": WIDE, "n": [3.0, 1e10]}),
)


OURS = {  # functions that SymPy calls otherwise
    "i0": lambda x: sp.besseli(0, x),
    "log1prel": lambda x: sp.log(1 + x) / x,
    "sinhc": lambda x: sp.sinh(x) / x,
    "exprel": lambda x: (sp.exp(x) - 1) / x,
}


def grid(values):
    """Every point of a table of values."""
    return [dict(zip(values, point, strict=True)) for point in itertools.product(*values.values())]


def references(source, names):
    """The value and the partials, as functions of numbers of mpmath."""
    symbols = {name: sp.Symbol(name, real=True) for name in names}
    known = {**symbols, **OURS}
    formula = sp.sympify(source, locals=known)
    wanted = [formula, *(formula.diff(symbol) for symbol in symbols.values())]
    return sp.lambdify(list(symbols.values()), wanted, modules="mpmath")


@pytest.mark.parametrize(("source", "values"), FORMULAS, ids=[source for source, _ in FORMULAS])
def test_formulas_at_extremes(source, values):
    fn, reference = ac.compile(source), references(source, list(values))
    with mpmath.workdps(450):
        wanted = [reference(*map(mpmath.mpf, point.values())) for point in grid(values)]
    for point, (value, *partials) in zip(grid(values), wanted, strict=True):
        partial = dict(zip(values, partials, strict=True))
        got, gradient = fn.value_and_gradient(**point)
        want = [float(value), *(float(partial[name]) for name in fn.inputs)]
        for ours, theirs in zip((got, *gradient), want, strict=True):
            assert math.isclose(ours, theirs, rel_tol=2e-8, abs_tol=1e-300), (point, ours, theirs)


@pytest.mark.parametrize("source", ["1 - log1prel(20)", "1 - sinhc(20)", "1 - exprel(30)"])
def test_differences_of_constants_come_to_an_end(source):
    """The law says nothing far from 0, and so nothing of the difference the other way round."""
    assert math.isclose(ac.compile(source)(), float(references(source, [])()[0]), rel_tol=1e-14)


NOTHING = (  # what is 0 with a number that the logarithm of which is infinite, and slopes there
    ("0.5*p*log(p/q)", 0.0, 0.0),
    ("p*log2(p/q)", 0.0, 0.0),
    ("3*p*log10(p/q)", 0.0, 0.0),
    ("p/2*log(p/((p + q)/2))", 0.0, 0.0),
    ("0.5*p*log(2*p/(p + q)) + 0.5*q*log(2*q/(p + q))", 0.25 * math.log(2), 0.5 * math.log(2)),
    ("q - exp(-(p/q)**0.5)", -0.5, 1.0),
)


@pytest.mark.parametrize(("source", "value", "slope"), NOTHING)
def test_what_is_nothing_at_0(source, value, slope):
    fn = ac.compile(source, inputs="p q", wrt="q")
    assert (fn(0.0, 0.5), *fn.gradient(0.0, 0.5)) == pytest.approx((value, slope), rel=1e-15)
    both = ac.compile(source, inputs="p q").jvp((0.0, 0.5), (0.0, 1.0))
    assert both == pytest.approx((value, slope), rel=1e-15)

"""Functions of roots that are smooth in what is under the root, also where that is 0."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from oracle import Oracle

import autodiff_compiler as ac
from autodiff_compiler.passes import PASSES

ROWS = {  # by the end at which a root, or another function with an end, is 0
    0.0: (
        "cos(sqrt(x))",
        "y*sqrt(x)*sin(sqrt(x))",
        "sqrt(x)*tanh(y*sqrt(x))",
        "sin(y*sqrt(x))/sqrt(x)",
        "tanh(sqrt(x))/sqrt(x)",
        "atan(sqrt(x))/sqrt(x)",
        "log(1 + sqrt(x))*sqrt(x)",
        "exp(-y*sqrt(x))*(1 + y*sqrt(x))",
        "2*asin(sqrt(x))**2 + y*sqrt(x)**3",
        "asinh(sqrt(x))**2*y",
        "acos(1 - x)**2",
        "acosh(1 + x)**2",
        "(1 - exp(-sqrt(x)))**2",
        "(sqrt(x) - sin(sqrt(x)))/sqrt(x)**3",
        "(sinh(sqrt(x)) - sqrt(x))/sqrt(x**3)*y",
        "besselj(0, 2*sqrt(x))",
        "erf(sqrt(x))/sqrt(x)",
        "log(sinh(sqrt(x))/sqrt(x))",
        "where(y > 1, sqrt(x)*sin(sqrt(x)), x)",
        "s = sqrt(x*y); s*sin(s) + cos(s)",
        "m = sqrt(4*y*x); tanh(m)/m",
    ),
    1.0: ("acosh(x)**2", "acosh(x)*sin(y*acosh(x))", "cosh(y*acosh(x))"),
}
CASES = [(text, at) for at, texts in ROWS.items() for text in texts]
Y = 1.75


@pytest.mark.parametrize(("text", "at"), CASES)
def test_slopes_where_roots_are_0(text, at):
    fn, oracle = ac.compile(text, inputs="x y", wrt="x"), Oracle(text, ["x", "y"], 300)
    with mpmath.workdps(300):
        step, y = mpmath.mpf(10) ** -40, mpmath.mpf(Y)
        start = mpmath.mpf(at) + step**2  # as the end itself may be 0/0
        rise = oracle.value(mpmath.mpf(at) + step, y) - oracle.value(start, y)
        want = float(rise / step)
    assert fn.gradient(at, Y) == pytest.approx((want,), rel=1e-12)
    assert fn.jvp((at, Y), (-3.0,))[1] == pytest.approx(-3 * want, rel=1e-12)
    assert fn.vjp((at, Y), 2.0)[1] == pytest.approx((2 * want,), rel=1e-12)
    both = fn.gradient(np.array([at, at + 0.25]), Y)[0]
    np.testing.assert_allclose(both, [want, fn.gradient(at + 0.25, Y)[0]], rtol=1e-12)
    for target in ("python", "numpy"):
        names = {}
        exec(fn.source("gradient", target=target), names)
        assert names["gradient"](at, Y) == pytest.approx((want,), rel=1e-12)


ALONG = (  # a formula, where a root is 0, a direction and the slope along it
    ("sqrt(x) + y", (0.0, 2.0), (0.0, 1.0), 1.0),
    ("sqrt(x) + y", (0.0, 2.0), (1.0, 1.0), np.inf),
    ("sqrt(x)*y", (0.0, 2.0), (0.0, 1.0), 0.0),
    ("u: [n]; w: [n]; sum(sqrt(u)*w)", (np.zeros(2), np.ones(2)), (np.zeros(2), np.ones(2)), 0.0),
    (
        "u: [n]; w: [n]; sum(sqrt(u) + w)",
        (np.array([0.0, 4]), np.ones(2)),
        ([0.0, 2], np.ones(2)),
        2.5,
    ),
    ("u: [n]; y: []; y + sqrt(u @ u)", (np.zeros(2), 2.0), (np.zeros(2), 1.0), 1.0),
)


@pytest.mark.parametrize(("text", "at", "along", "want"), ALONG)
def test_what_does_not_move_adds_nothing(text, at, along, want):
    assert ac.compile(text).jvp(at, along)[1] == want


def test_slopes_that_are_infinite_stay_so():
    for text, want in (("sqrt(x)*y", np.inf), ("exp(-sqrt(x))", -np.inf), ("acosh(x + 1)", np.inf)):
        fn = ac.compile(text, wrt="x")
        assert fn.gradient(*[0.0, Y][: len(fn.inputs)]) == (want,)
        assert "at_poles" not in fn.source("gradient", target="numpy")


STILL = (  # what is not moved has an infinite slope, or second slope
    ("x*log(x) + y**2", (0.0, 5.0), (0.0, 1.0), 10.0),
    ("-x*log(x) - y*log(y)", (0.0, 0.5), (0.0, 1.0), math.log(2) - 1),
    ("x**b + y", (0.0, 0.5, 1.0), (0.0, 0.0, 1.0), 1.0),
    ("x**0.3 + 3*y", (0.0, 5.0), (0.0, 1.0), 3.0),
    ("asin(x) + y", (1.0, 5.0), (0.0, 1.0), 1.0),
    ("x*log(x/y) + z*log(z/t)", (0.0, 0.5, 0.5, 0.3), (0, 0, 1, 0), math.log(0.5 / 0.3) + 1),
)


@pytest.mark.parametrize(("source", "at", "along", "slope"), STILL)
def test_what_does_not_move_adds_nothing_to_tangents(source, at, along, slope):
    fn, namespace = ac.compile(source), {}
    exec(fn.source("jvp"), namespace)
    assert fn.jvp(at, along)[1] == pytest.approx(slope, rel=1e-15)
    assert namespace["jvp"](at, along)[1] == fn.jvp(at, along)[1]
    pairs = ([np.full(2, value, float) for value in values] for values in (at, along))
    assert fn.jvp(*pairs)[1] == pytest.approx([slope, slope], rel=1e-15)


SECOND = (
    ("sqrt(x) - sqrt(y)", (0.0, 1.0), (0.0, 1.0), (0.0, 0.25)),
    ("sqrt(x) + 3*y", (0.0, 5.0), (0.0, 1.0), (0.0, 0.0)),
    ("x*log(x) + y**2", (0.0, 5.0), (0.0, 1.0), (0.0, 2.0)),
    ("exp(-1/x) + y**2", (0.0, 5.0), (0.0, 1.0), (0.0, 2.0)),
)


@pytest.mark.parametrize(("source", "at", "along", "wanted"), SECOND)
def test_what_does_not_move_adds_nothing_to_products(source, at, along, wanted):
    fn = ac.compile(source)
    assert fn.hvp(at, along) == wanted
    pairs = ([np.full(2, value) for value in values] for values in (at, along))
    assert [*map(list, fn.hvp(*pairs))] == [[value, value] for value in wanted]


def test_products_of_matrices_under_roots_without_passes():
    source, x = "trace(expit(sqrt(1 + x**2) @ sqrt(1 + x**2).T + 1))", np.array([[0.5, 1], [2, 0]])
    plain = ac.compile(source, shapes={"x": (2, 2)}, without=PASSES)
    usual = ac.compile(source, shapes={"x": (2, 2)})
    assert np.allclose(plain.gradient(x)[0], usual.gradient(x)[0], rtol=1e-13)

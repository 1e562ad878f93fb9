"""Weighted sums of exponentials far beyond the range: logarithms and quotients of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from oracle import Oracle

import autodiff_compiler as ac

MIXTURE = "log(p*exp(-(y - m)**2/(2*s**2))/s + (1 - p)*exp(-(y - n)**2/(2*t**2))/t)"
SHARE = "p*exp(-(x - a)**2)/(p*exp(-(x - a)**2) + (1 - p)*exp(-(x - b)**2))"
LEVELS = {"a": 1000, "b": 1000.5, "T": 0.75}
SOURCES = (
    ("log(p*exp(a) + (1 - p)*exp(b))", {"p": 0.3, "a": -800, "b": -801}),
    ("log(p*exp(a) + (1 - p)*exp(b))", {"p": 0.3, "a": 800, "b": -801}),
    ("log(p*exp(a) + q*exp(b) + r*exp(c))", {"p": 2, "a": 900, "q": 3, "b": 901, "r": 1, "c": 0}),
    (MIXTURE, {"p": 0.3, "y": 100, "m": 0, "s": 1, "n": 1, "t": 2}),
    ("-T*log(g*exp(-a/T) + h*exp(-b/T))", {"g": 2, "h": 3, **LEVELS}),
    ("(a*exp(-a/T) + b*exp(-b/T))/(exp(-a/T) + exp(-b/T))", LEVELS),
    ("(a*exp(-a/T) - b*exp(-b/T))/(exp(-a/T) + 2*exp(-b/T))", LEVELS),
    ("-(g*exp(-a/T))/(g*exp(-a/T) + h*exp(-b/T))", {"g": 2, "h": 3, **LEVELS}),
    ("exp(-a/T)/(exp(-a/T) + h*exp(-b/T) + 1)", {"h": 3, **LEVELS}),
    (SHARE, {"p": 0.3, "x": 100, "a": 1, "b": 1.1}),
)


@pytest.mark.parametrize(("source", "point"), SOURCES, ids=str)
def test_weighted_sums_beyond_the_range(source, point):
    fn, oracle = ac.compile(source, inputs=list(point)), Oracle(source, list(point), 1200)
    at = [float(v) for v in point.values()]
    assert fn(*at) == pytest.approx(float(oracle.value(*at)), rel=1e-12)
    wanted = [float(g) for g in oracle.gradient(*at)]
    assert list(fn.gradient(*at)) == pytest.approx(wanted, rel=1e-9, abs=1e-200)
    near = [1 + k / 8 for k in range(len(at))]  # where nothing is shifted
    plain = ac.compile(source, inputs=list(point), stable=False)
    assert fn(*near) == pytest.approx(plain(*near), rel=1e-14)
    for got, want in zip(fn.hessian(*near), plain.hessian(*near), strict=True):
        assert got == pytest.approx(want, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize(
    "text",
    [
        "log(exp(x) @ A)",
        "log(A @ exp(x))",
        "log(exp(M) @ A)",
        "log(A @ exp(M))",
        "log(exp(M) @ exp(N))",
        "log((A*exp(M)) @ exp(x))",
        "log(exp(x) @ (exp(N)/A))",
        "log(0.5*exp(x) + A*exp(M))",
    ],
)
@pytest.mark.parametrize("far", [1e3, -1e3, 1e5])
def test_products_of_exponentials_of_arrays(text, far):
    rng = np.random.default_rng(1)
    at = {n: rng.normal(size=(3, 3) if n in "AMN" else 3) for n in "AMNx"}
    at["A"] = abs(at["A"])
    shapes = {n: v.shape for n, v in at.items() if n in text.replace("exp", "")}
    fn = ac.compile(text, shapes=shapes, wrt=list(shapes))
    plain = ac.compile(text, shapes=shapes, wrt=list(shapes), stable=False)
    near = [at[n] for n in fn.inputs]
    moved = [v if n == "A" else v + far for n, v in zip(fn.inputs, near, strict=True)]
    shifts = 1 if "+" in text else text.count("exp")
    np.testing.assert_allclose(fn(*near), plain(*near), rtol=1e-14)
    np.testing.assert_allclose(fn(*moved), plain(*near) + shifts * far, rtol=1e-13)
    for got, want in zip(fn.jacobian(*moved), plain.jacobian(*near), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)


def test_infinite_exponents_are_what_they_are_as_written():
    fn = ac.compile("log(p*exp(a) + q*exp(b))")
    assert fn(1.0, -math.inf, 2.0, 0.0) == pytest.approx(math.log(2))
    assert fn(1.0, -math.inf, 2.0, -math.inf) == -math.inf
    assert fn(1.0, math.inf, 2.0, 0.0) == math.inf
    assert math.isnan(fn(1.0, math.nan, 2.0, 0.0))

"""Branches that are not taken contribute nothing, however they share what is in them."""

from __future__ import annotations

import re

import numpy as np
import pytest

import autodiff_compiler as ac

ROWS = (  # a formula, a point where what a branch shares has no slope, and the gradient
    ("where(x <= 0, 0, where(y < 0, -sqrt(x), sqrt(x)))", (-0.5, 1.0), (0.0, 0.0)),
    ("where(x <= 0, 0, where(y < 0, -sqrt(x), sqrt(x)))", (0.25, -1.0), (-1.0, 0.0)),
    ("where(x <= 0, 0, sqrt(x)) + where(x <= 1, 0, sqrt(x)*y)", (-1.0, 2.0), (0.0, 0.0)),
    ("where(x <= 0, 0, sqrt(x)) + where(x <= 1, 0, sqrt(x)*y)", (0.25, 2.0), (1.0, 0.0)),
    ("where(x <= 0, 0, sqrt(x)) + where(x <= 1, 0, sqrt(x)*y)", (4.0, 2.0), (0.75, 2.0)),
    ("where(x > 0, log(x), 0) - where(x > 0, y*log(x), 0)", (0.0, 3.0), (0.0, 0.0)),
    ("where(x > 0, log(x), y) + where(x > 0, y, log(x)**2)", (2.0, 3.0), (0.5, 1.0)),
    ("where(x > 0 and y > 0, sqrt(x), where(x > 0, -sqrt(x), y))", (-1.0, 3.0), (0.0, 1.0)),
    ("where(x > 0 and y > 0, sqrt(x), where(x > 0, -sqrt(x), y))", (4.0, -3.0), (-0.25, 0.0)),
)


@pytest.mark.parametrize(("source", "point", "gradient"), ROWS)
@pytest.mark.parametrize("stable", [True, False])
def test_a_branch_not_taken_contributes_nothing(source, point, gradient, stable):
    fn = ac.compile(source, stable=stable)
    assert fn.gradient(*point) == gradient
    assert tuple(fn.jvp(point, seed)[1] for seed in ((1.0, 0.0), (0.0, 1.0))) == gradient
    found = fn.gradient(*(np.full(3, x) for x in point))
    np.testing.assert_array_equal(np.transpose(found), [gradient] * 3)


ARRAYS = {  # the same where arrays and numbers meet; by the one input that the branch taken has
    "s": (
        "where(s > 0, sum(sqrt(x)), s)",
        "where(s > 0, norm(x), s)",
        "where(s > 0, log(x @ x), s)",
        "where(s > 0, sum(exp(1/x)), s)",
        "where(s > 0, sum(Z @ sqrt(x)), s)",
    ),
    "y": (
        "sum(where(y > 0, sqrt(sin(a)), y))",
        "sum(where(y > 0, y*log(sum(x)), y))",
        "sum(where(y > 0, y*norm(x), y))",
        "sum(where(y > 0, log(x @ x), y))",
        "sum(where(y[:, None] > 0, Z*log(sum(sqrt(Z), axis=1)), y))",
        "sum(where(s > 0, log(sum(sqrt(Z), axis=1))[:, None]*Z, y))",
        "sum(where(y > 0, log(sum(sqrt(Z), axis=1)), y))",
        "sum(where(s > 0, sum(log(sqrt(Z)), axis=1), y))",
    ),
}
POINT = {"a": 0.0, "s": -1.0, "x": np.zeros(2), "y": np.full(2, -1.0), "Z": np.zeros((2, 2))}


@pytest.mark.parametrize(("taken", "source"), [(n, s) for n in ARRAYS for s in ARRAYS[n]])
@pytest.mark.parametrize("stable", [True, False])
def test_an_array_in_a_branch_not_taken_contributes_nothing(taken, source, stable):
    names = [n for n in POINT if re.search(rf"\b{n}\b", source)]
    shapes = {n: ("n",) * np.ndim(POINT[n]) for n in names}
    fn = ac.compile(source, inputs=names, shapes=shapes, stable=stable)
    at = [POINT[n] for n in names]
    for k, (name, slope) in enumerate(zip(names, fn.gradient(*at), strict=True)):
        along = [np.ones_like(v) * (j == k) for j, v in enumerate(at)]
        assert (np.min(slope) > 0) == (fn.jvp(at, along)[1] > 0) == (name == taken)
        assert name == taken or not np.any(slope)


ENDS = (  # a root in a branch not taken, inside something else; a point there, and the slope
    ("exp(where(x > 1, sqrt(log(x)), x))", 0.0, 1.0),
    ("where(x > 1, sqrt(sqrt(x)), x)**2", -1.0, -2.0),
    ("where(x > 0, sqrt(log(1/x)), 1)**2", 0.0, 0.0),
    ("exp(-where(x > 1, sqrt(x**1.5), 0))", -1.0, 0.0),
    ("where(x > 1, arccosh(x**1.5), x)**2", -1.0, -2.0),
    ("where(x > 0, sqrt(log(1 + 1/x)), 0)**2", 0.0, 0.0),
)


@pytest.mark.parametrize(("source", "x", "slope"), ENDS)
def test_roots_in_a_branch_not_taken_contribute_nothing(source, x, slope):
    fn = ac.compile(source)
    assert fn.gradient(x) == (slope,)
    np.testing.assert_array_equal(fn.gradient(np.full(3, x))[0], np.full(3, slope))


def test_a_norm_in_a_branch_not_taken_has_no_second_slope():
    fn = ac.compile("where(x > 0, hypot(1/x, y), b)**2", inputs="x y b")
    assert fn.hessian(0.0, 0.8, 2.0) == ((0, 0, 0), (0, 0, 0), (0, 0, 2))


def test_sides_of_one_condition_are_one_choice():
    source = ac.compile("where(x < 0, sin(x)*y, y**2)").source("jvp")
    assert source.count("if x < 0.0:") == 2  # in the plain function, and the one for the edges


def test_conditions_of_many_powers_stay_short():
    fn = ac.compile("**".join(["x"] * 2000))
    assert fn.gradient(1.0) == (1.0,)
    assert len(fn.source("gradient")) < 2_000_000

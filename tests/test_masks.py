"""Branches that are not taken contribute nothing, however they share what is in them."""

from __future__ import annotations

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


def test_sides_of_one_condition_are_one_choice():
    source = ac.compile("where(x < 0, sin(x)*y, y**2)").source("jvp")
    assert "x_dot*cos(x)*y + y_dot*v2 if v1 else y_dot*(2.0*y)" in source


def test_conditions_of_many_powers_stay_short():
    fn = ac.compile("**".join(["x"] * 2000))
    assert fn.gradient(1.0) == (1.0,)
    assert len(fn.source("gradient")) < 2_000_000

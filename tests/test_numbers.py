"""Right where formulas are hard: kinks, poles, overflow, cancellation, removable points."""

from __future__ import annotations

import math
import statistics

import mpmath
import numpy as np
import pytest
from oracle import bits, close
from test_corpora import each, rows

import autodiff_compiler as ac

INF, NAN = math.inf, math.nan

# formula, point: value, gradient, and diagonal of the Hessian where there is one
EDGES = {
    ("abs(x)", (0.0,)): (0, [0], [0]),
    ("x*abs(x)", (0.0,)): (0, [0], None),
    ("max(x, -x)", (0.0,)): (0, [0], [0]),
    ("relu(x)", (0.0,)): (0, [0.5], [0]),
    ("where(x > 0, log(x), 0)", (-1.0,)): (0, [0], [0]),
    ("where(x > 0, 1/x, 0)", (0.0,)): (0, [0], [0]),
    ("x**y", (0.0, 2.0)): (0, [0, 0], [2, 0]),
    ("x**y", (2.0, 0.0)): (1, [0, math.log(2)], [0, math.log(2) ** 2]),
    ("x**2", (0.0,)): (0, [0], [2]),
    ("x**1.5", (0.0,)): (0, [0], [INF]),
    ("x**0.5", (0.0,)): (0, [INF], [-INF]),
    ("x**0", (0.0,)): (1, [0], [0]),
    ("x**(-1)", (0.0,)): (INF, [-INF], [INF]),
    ("(-2)**x", (2.0,)): (4, [NAN], [NAN]),
    ("sqrt(x)**2", (0.0,)): (0, [1], [0]),
    ("sqrt(x)**2", (-1.0,)): (NAN, [NAN], [NAN]),
    ("sqrt(x)**3", (0.0,)): (0, [0], [INF]),
    ("sqrt(x)**4", (0.0,)): (0, [0], [2]),
    ("sqrt(1 - x**2)", (1.0,)): (0, [-INF], [-INF]),
    ("sqrt(c*x)", (0.0, 1.0)): (0, [INF, 0], None),
    ("1/(1/x)", (0.0,)): (0, [1], [0]),
    ("x*log(x)", (0.0,)): (0, [-INF], [INF]),
    ("xlogy(x, y)", (0.0, 0.0)): (0, [-INF, 0], None),
    ("log(x**2)", (0.0,)): (-INF, [INF], [-INF]),
    ("log(x**2)", (1e-200,)): (2 * math.log(1e-200), [2e200], [-INF]),
    ("exp(log(x))", (0.0,)): (0, [1], [0]),
    ("log(exp(x))", (1000.0,)): (1000, [1], [0]),
    ("exp(x)/exp(y)", (1000.0, 1000.0)): (1, [1, -1], [1, 1]),
    ("exp(x)/(exp(x) + exp(y) + exp(z))", (1e3, 1e3, 1e3)): (1 / 3, [2 / 9, -1 / 9, -1 / 9], None),
    ("exp(-1/x**2)", (0.0,)): (0, [0], [0]),
    ("exp(-exp(x))", (1000.0,)): (0, [0], [0]),
    ("x/(exp(x) - 1)", (0.0,)): (1, [-0.5], [1 / 6]),
    ("x/(exp(x) - 1)", (1000.0,)): (0, [0], [0]),
    ("tan(x)/x", (0.0,)): (1, [0], [2 / 3]),
    ("sinh(x)/x", (0.0,)): (1, [0], [1 / 3]),
    ("log(1 + x)/x", (0.0,)): (1, [-0.5], [2 / 3]),
    ("(1 - cos(x))/x**2", (0.0,)): (0.5, [0], [-1 / 12]),
    ("sin(x)/x", (0.0,)): (1, [0], [-1 / 3]),
    ("arccos(cos(x))", (0.0,)): (0, [0], [0]),
    ("arcsin(sin(x))", (math.pi / 2,)): (math.pi / 2, [1], [0]),
    ("arctan(1/x)", (0.0,)): (math.pi / 2, [-1], [0]),
    ("arctan2(y, x)", (1e200, 1e200)): (math.pi / 4, [5e-201, -5e-201], None),
    ("tanh(x)", (20.0,)): (1, [4 * math.exp(-40)], [-8 * math.exp(-40)]),
    ("hypot(x, y)**2", (0.0, 0.0)): (0, [0, 0], [2, 2]),
    ("exp(-norm2([x, y])**2)", (0.0, 0.0)): (1, [0, 0], [-2, -2]),
    ("sqrt(x**2 + y**2 + z**2)", (0.0, 0.0, 0.0)): (0, [0, 0, 0], None),
    ("sqrt(x**2 + y**2)", (1e-200, 1e-200)): (2**0.5 * 1e-200, [0.5**0.5] * 2, [0.125**0.5 * 1e200] * 2),
    ("log(gamma(x))", (200.0,)): (math.lgamma(200), [float(mpmath.digamma(200))], None),
    ("x/x", (0.0,)): (1, [0], [0]),
    ("x - x", (INF,)): (NAN, None, None),
}  # fmt: skip


def same(got, want):
    return math.isnan(got) if math.isnan(want) else close(got, want, 1e-12, 1e-300)


@pytest.mark.parametrize("case", EDGES, ids=str)
def test_edges(case):
    (source, point), (value, gradient, curvature) = case, EDGES[case]
    fn = ac.compile(source)
    found, slopes = fn.value_and_gradient(*point)
    assert same(found, value)
    assert gradient is None or all(map(same, slopes, gradient)), slopes
    if curvature is not None:
        rows = fn.hessian(*point)
        assert all(same(rows[k][k], want) for k, want in enumerate(curvature)), rows


@pytest.mark.parametrize("case", EDGES, ids=str)
def test_edges_are_the_same_for_arrays(case):
    source, point = case
    fn = ac.compile(source)
    arrays = fn.value_and_gradient(*[np.full(3, x) for x in point])
    value, gradient = fn.value_and_gradient(*point)
    assert same(arrays[0][1], value)
    assert all(same(a[1], g) for a, g in zip(arrays[1], gradient, strict=True))


@each("edge_cases.json", "expr")
def test_published_edges(row):
    check, point = row["check"], [float(x) for x in row["point"]]
    source = row["expr"].split("=")[0] if ")=" in row["expr"] else row["expr"]
    fn = ac.compile(source.replace("norm(", "norm2("), inputs=row["vars"])
    value, gradient = fn.value_and_gradient(*point)
    if check["value"] is not None:
        wanted = float(check["value"])
        assert math.isnan(value) if math.isnan(wanted) else close(value, wanted, 1e-12)
    if check["kind"] == "interval":
        bounds = zip(gradient, check["lo"], check["hi"], strict=True)
        assert all(low <= slope <= high for slope, low, high in bounds)
        assert check["sum"] is None or close(sum(gradient), check["sum"], 1e-12)
    else:
        wanted = [float(g) for g in check["grad"]]
        allowed = check["kind"] == "exact_or_nan" and any(map(math.isnan, gradient))
        rtol = check["grad_rtol"]
        assert allowed or all(
            math.isnan(g) if math.isnan(w) else close(g, w, rtol)
            for g, w in zip(gradient, wanted, strict=True)
        )


def error(row):
    """Mean bits of error of value and gradient over a row's points."""
    fn = ac.compile(row["expr"], inputs=row["vars"])
    found = []
    for point in row["points"]:
        value, gradient = fn.value_and_gradient(*point["at"])
        found += [bits(a, b) for a, b in zip((value, *gradient), point["want"], strict=True)]
    return statistics.fmean(found)


def test_digits_on_formulas_that_are_known_to_lose_them():
    pairs = [
        (error(r), r["sympy_bits"]) for r in rows("fpbench.json") if r["sympy_bits"] is not None
    ]
    ours, theirs = (statistics.fmean(column) for column in zip(*pairs, strict=True))
    assert ours <= 0.45 * theirs
    assert sum(a > b + 1 for a, b in pairs) <= 0.01 * len(pairs)


@pytest.mark.parametrize("source", ["1/(0*y)", "2*x/0", "x/0.0/3", "[b*7/0.0^[1][0]]"])
def test_a_law_never_divides_by_a_constant_zero(source):
    fn = ac.compile(source)
    assert len(np.ravel(fn.jacobian(*[1.5] * len(fn.inputs)))) == 1


@pytest.mark.parametrize("count", [2, 3, 300])
def test_sums_of_many_terms_neither_overflow_nor_underflow(count):
    names = [f"x{k}" for k in range(count)]
    total = "+".join(f"exp({name})" for name in names)
    for size in (1000.0, -1000.0):
        value, gradient = ac.compile(f"log({total})").value_and_gradient(*[size] * count)
        assert close(value, size + math.log(count), 1e-13)
        assert all(close(slope, 1 / count, 1e-12) for slope in gradient)
        assert close(ac.compile(f"exp(x0)/({total})")(*[size] * count), 1 / count, 1e-12)
    squares = "+".join(f"{name}**2" for name in names)
    for size in (1e200, 1e-200):
        value, gradient = ac.compile(f"sqrt({squares})").value_and_gradient(*[size] * count)
        assert close(value, size * math.sqrt(count), 1e-13)
        assert all(close(slope, 1 / math.sqrt(count), 1e-12) for slope in gradient)


EXACT_ANGLES = {
    "sinpi": {0.5: 1, 1: 0, 1.5: -1, 2: 0, -3: 0, 1e9: 0},
    "cospi": {0.5: 0, 1: -1, -2.5: 0, 4: 1},
    "tanpi": {0.25: 1, -0.25: -1, 1: 0, 0.5: math.inf},
    "sind": {90: 1, 180: 0, -360: 0},
    "cosd": {90: 0, 180: -1, 270: 0},
    "tand": {45: 1, 180: 0},
}


@pytest.mark.parametrize("name", EXACT_ANGLES)
def test_parts_of_a_turn_have_exact_sines(name):
    fn = ac.compile(f"{name}(x)")
    assert {x: fn(x) for x in EXACT_ANGLES[name]} == EXACT_ANGLES[name]


@pytest.mark.parametrize("source", ["not not x", "s = not not x", "x != 0", "x and 1", "not x"])
def test_a_truth_value_is_given_as_a_number(source):
    for x in (0.0, 2.0):
        found = ac.compile(source)(x)
        assert type(found) is float
        assert found == (1.0 if bool(x) is not source.startswith("not x") else 0.0)


@pytest.mark.parametrize("name", ["floor", "ceil", "trunc", "rint", "sign"])
def test_zeros_have_the_sign_that_numpy_gives(name):
    fn = ac.compile(f"1/{name}(x)", inputs=["x"])
    for x in (-0.3, -0.0, 0.0, 0.3):
        assert fn(x) == fn(np.array([x]))[0]

"""Arrays whose elements leave the range, or whose sums do: the stable forms, and units."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import autodiff_compiler as ac
from autodiff_compiler.primitives import TABLE


def close(got, want):
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-300)


def test_logarithms_of_sums_of_exponentials():
    fn = ac.compile("x: [n]; logsumexp(x)")
    assert fn([1e4, 1e4]) == pytest.approx(1e4 + math.log(2), rel=1e-15)
    close(fn.gradient([1e4, 1e4])[0], [0.5, 0.5])
    assert fn([-math.inf, 2]) == 2.0
    close(fn.gradient([-math.inf, 2.0])[0], [0, 1])
    assert fn([-math.inf, -math.inf]) == -math.inf
    assert fn([math.inf, 2]) == math.inf
    close(fn.gradient([-1e4, 0.0])[0], [0, 1])
    close(fn.gradient([math.inf, 2.0])[0], [1, 0])
    close(ac.compile("x: [n]; softmax(x)")([1e4, -1e4, 1e4]), [0.5, 0, 0.5])


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("size", [1.0, 1e4, 2.0**23])
def test_shares_of_large_numbers_are_those_of_small_ones(size, kind):
    small = np.array([[1, -2, 3], [0, 2, 1]], kind)
    weights = np.array([[1, 2, 3], [5, 4, 3]], kind)
    for text in (
        "logsumexp(A, axis=1) @ W[:, 0]",
        "sum(W*softmax(A, axis=1))",
        "sum(W*log_softmax(A, axis=1))",
    ):
        fn = ac.compile(f"A: [n, m]; W: [n, m]; {text}", wrt="A")
        (got,), (want,) = fn.gradient(small + kind(size), weights), fn.gradient(small, weights)
        assert got.dtype == kind
        np.testing.assert_allclose(got, want, rtol=8 * np.finfo(kind).eps)


def test_a_sum_that_meets_other_elements_is_no_softmax():
    a = np.array([[1.0, -2.0], [0.0, 2.0]])
    for text, other in {
        "exp(A)/sum(exp(A), axis=1)": np.exp(a) / np.exp(a).sum(axis=1),
        "A - logsumexp(A, axis=1)": a - np.log(np.exp(a).sum(axis=1)),
        "exp(A)[:, 0]/sum(exp(A), axis=0)": np.exp(a)[:, 0] / np.exp(a).sum(axis=0),
        "exp(A) @ A/sum(exp(A), axis=1)": np.exp(a) @ a / np.exp(a).sum(axis=1),
        "sum(A*exp(A), axis=1)/sum(exp(A), axis=0)": (a * np.exp(a)).sum(1) / np.exp(a).sum(0),
        "exp(A)/sum(exp(A), axis=0)[:, None]": np.exp(a) / np.exp(a).sum(axis=0)[:, None],
    }.items():
        close(ac.compile(f"A: [2, 2]; {text}")(a), other)


LARGE = np.array([1000.0, 1001.0])
FORMS = {  # what is written, what it means, and where that would overflow or has no slope
    "log(sum(exp(x)))": ("logsumexp(x)", LARGE),
    "sum(exp(x)/sum(exp(x))*x)": ("sum(softmax(x)*x)", LARGE),
    "X = outer([1, 2], x); sum((exp(X)/sum(exp(X), axis=1)[:, None])**2)": (
        "sum(softmax(outer([1, 2], x), axis=1)**2)",
        LARGE,
    ),
    "sum(log(exp(x)/sum(exp(x)))*x)": ("sum(log_softmax(x)*x)", LARGE),
    "log(softmax(4*x)[0])": ("log_softmax(4*x)[0]", LARGE),
    "X = outer([1, 2], x); sum((X - logsumexp(X, axis=1)[:, None])**2)": (
        "sum(log_softmax(outer([1, 2], x), axis=1)**2)",
        LARGE,
    ),
    "sum(log(sum(exp(outer([1, 2], x)), axis=1)[:, None]))": (
        "sum(logsumexp(outer([1, 2], x), axis=1))",
        LARGE,
    ),
    "p = softmax(x); sum(p*log(p/softmax(-x)))": (
        "sum(softmax(x)*(log_softmax(x) - log_softmax(-x)))",
        np.array([1000.0, 1.0]),
    ),
    "log1p(sum(exp(x)))": ("softplus(logsumexp(x))", LARGE),
    "log(prod(expit(-x)))": ("sum(log_expit(-x))", LARGE),
    "log(prod(x/1e5))": ("sum(log(x)) - 2*log(1e5)", 1e-200 * LARGE),
    "sum(x*exp(x)/(1 + sum(exp(x))))": ("sum(x*softmax(x))", LARGE),
    "sqrt(sum(x**2))": ("norm(x)", 1e200 * LARGE),
    "sqrt(x @ x)": ("norm(x)", 0 * LARGE),
    "sum(sqrt(sum(outer(x, x)**2, axis=1)))": ("sum(norm(outer(x, x), axis=1))", 0 * LARGE),
}


@pytest.mark.parametrize(("text", "same", "x"), [(k, *v) for k, v in FORMS.items()])
def test_sums_over_arrays_are_in_the_stable_form(text, same, x):
    fns = [ac.compile(f"x: [n]; {t}") for t in (text, same)]
    (value, (slope,)), (wanted, (wanted_slope,)) = (fn.value_and_gradient(x) for fn in fns)
    assert np.isfinite([value, *slope]).all()
    np.testing.assert_allclose(value, wanted, rtol=1e-12)
    np.testing.assert_allclose(slope, wanted_slope, rtol=1e-9)
    assert any(applied.name == "stable" for applied in fns[0].rewrites)
    written = ac.compile(f"x: [n]; {text}", stable=False)
    assert all(applied.name != "stable" for applied in written.rewrites)


def test_the_logarithm_of_a_product_of_numbers_of_any_sign():
    fn = ac.compile("x: [n]; log(prod(x))")
    assert fn([-2.0, -3.0]) == pytest.approx(math.log(6))
    np.testing.assert_allclose(fn.gradient([-2.0, -3.0])[0], [-1 / 2, -1 / 3])
    assert math.isnan(fn([-2.0, 3.0]))
    assert fn([-2.0, 0.0]) == -math.inf
    likelihood = ac.compile("p: []; y: [n]; log(prod(p**y*(1 - p)**(1 - y)))")
    y = np.arange(5000) % 2
    assert likelihood(0.25, y) == pytest.approx(2500 * math.log(0.25 * 0.75), rel=1e-13)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("sum((x/s)**2)", 5.0),
        ("(x/s) @ (x/s)", 5.0),
        ("exp(-(x/s)**2/2)[0]", math.exp(-0.5)),
        ("1/(1 + (x/s)**2)[1]", 0.2),
        ("sum(x**2/s**2)", 5.0),
    ],
)
def test_quotients_are_squared_not_their_divisors(source, value):
    fn = ac.compile(source, inputs="x s", shapes={"x": (2,)})
    for size in (1e-200, 1e-3, 1e200):
        x = np.array([1.0, 2.0]) * size
        assert math.isclose(fn(x, size), value, rel_tol=1e-14)


@pytest.mark.parametrize("size", [1e-200, 1e-3, 1e200])
@pytest.mark.parametrize(
    ("source", "value", "slope"),
    [
        ("sum((x*s)**2)", 5.0, [2.0, 4.0]),
        ("norm(x*s)**2", 5.0, [2.0, 4.0]),
        ("sum((x*s)**3)", 9.0, [3.0, 12.0]),
        ("(x*s) @ (x/(1/s))", 5.0, [2.0, 4.0]),
        ("sum((x*s)*(x*s*t))", 5.0, [2.0, 4.0]),
    ],
)
def test_arrays_in_units_of_a_number_are_squared_as_they_are(source, value, slope, size):
    fn = ac.compile(source, inputs="x s t", shapes={"x": (2,)})
    x, s = np.array([1.0, 2.0]) * size, 1 / size
    assert math.isclose(fn(x, s, 1.0), value, rel_tol=1e-14)
    np.testing.assert_allclose(fn.gradient(x, s, 1.0)[0], np.array(slope) * s, rtol=1e-13)
    np.testing.assert_allclose(fn.gradient(x, s, 1.0)[1], slope @ x, rtol=1e-13)


def test_extreme_constants_are_not_multiplied_with_each_other():
    fn = ac.compile("sum((1e200*x)*(1e200*y))", shapes={"x": (2,), "y": (2,)})
    x = np.array([1.0, 2.0]) * 1e-200
    assert math.isclose(fn(x, x), 5.0, rel_tol=1e-14)
    np.testing.assert_allclose(fn.gradient(x, x), [[1e200, 2e200]] * 2, rtol=1e-14)
    fn, x = ac.compile("x: [n]; sum((5e8*x)**5)"), np.array([1e-9, 2e-9], np.float32)
    assert math.isclose(fn(x), 1.03125, rel_tol=1e-5)
    fn, x = ac.compile("x: [n]; sum((1e25*x)**2)"), np.array([1, 2], np.float32) / np.float32(1e25)
    assert math.isclose(fn(x), 5.0, rel_tol=1e-6)
    np.testing.assert_allclose(fn.gradient(x)[0], [2e25, 4e25], rtol=1e-6)


def test_logarithms_of_determinants_do_not_leave_the_range():
    fn = ac.compile("A: [n, n]; log(det(A))")
    for scale in (1e-5, 1e3):
        close(fn(scale * np.eye(200)), 200 * math.log(scale))
        close(fn.gradient(scale * np.eye(200))[0], np.eye(200) / scale)
    assert math.isnan(fn(np.diag([1.0, -1.0])))


def test_deviations_are_norms():
    fn = ac.compile("x: [n]; std(x)")
    assert (fn.gradient([5.0, 5.0, 5.0])[0] == 0).all()
    for size in (1e-200, 1e200):
        close(fn(np.array([1.0, 3.0]) * size), size)
        close(fn.gradient(np.array([1.0, 3.0]) * size)[0], [-0.5, 0.5])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_norms_of_the_smallest_and_largest_numbers_of_a_type(dtype):
    fn, limits = ac.compile("norm(x)", shapes={"x": ("n",)}), np.finfo(dtype)
    for size in (limits.tiny, np.sqrt(limits.tiny), 1.0, np.sqrt(limits.max), limits.max / 8):
        x = np.array([3.0, 4.0], dtype) * dtype(size)
        value, (slope,) = fn.value_and_gradient(x)
        np.testing.assert_allclose(value / dtype(size), 5.0, rtol=4 * limits.eps)
        np.testing.assert_allclose(slope, [0.6, 0.8], rtol=4 * limits.eps)


def test_norms_of_many_numbers_keep_their_digits():
    fn = ac.compile("norm(X)", shapes={"X": ("m", "n")})
    x = np.full((1000, 2500), 0.1)
    for order in (x, x.T, x[::2]):
        assert math.isclose(fn(order), 0.1 * math.sqrt(order.size), rel_tol=1e-14)


@pytest.mark.parametrize("source", ["sum(X**2)", "sum(X*Y)", "mean((X - Y/2)**2)*4", "x @ (2*x)/2"])
@pytest.mark.parametrize(("dtype", "digits"), [(np.float32, 2e-6), (np.float64, 1e-14)])
def test_sums_of_many_products_keep_their_digits(source, dtype, digits):
    shapes = {"X": ("m", "n"), "Y": ("m", "n"), "x": ("k",)}
    fn = ac.compile(source, shapes={k: v for k, v in shapes.items() if k in source})
    matrix = np.full((2000, 1500), 0.1, dtype)
    for order in (matrix, np.asfortranarray(matrix)):
        given = {"X": order, "Y": matrix, "x": matrix.ravel()}
        values = {name: given[name] for name in fn.inputs}
        want = (0.1 if "mean" in source else 0.1 * matrix.size) * 0.1
        for found in (fn(**values), fn.value_and_gradient(**values)[0]):
            assert math.isclose(found, want, rel_tol=digits)


@pytest.mark.parametrize("row", [r for r in TABLE if any(r.partials) and not r.symbol], ids=str)
def test_every_function_stays_in_single_precision(row):
    """Of arrays: what SciPy computes in double is single again at the end."""
    middle = [(low + high) / 2 for low, high in row.domain]
    first = next(k for k, partial in enumerate(row.partials) if partial)
    texts = [f"{m:.0f}" if p is None else f"{m}" for m, p in zip(middle, row.partials, strict=True)]
    texts[first] = "x"
    fn = ac.compile(f"x: [n]; {row.name}({', '.join(texts)})", inputs="x")
    assert fn(np.full(3, middle[first], np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    "text",
    ["[sum(x), 1]", "[a, 2]*sum(x)", "[[sum(x), 1], [2, prod(x)]]", "i: [n]; arange(n)[i] + x"],
)
def test_numbers_beside_single_precision(text):
    """Lists of numbers, and whole numbers, have the precision of the arrays that floats are in."""
    fn = ac.compile(f"x: [n]; {text}")
    given = {"x": np.ones(3, np.float32), "a": 0.5, "i": np.array([2, 0, 1])}
    point = {name: given[name] for name in fn.inputs}
    assert fn(**point).dtype == np.float32
    assert {np.asarray(p).dtype for p in fn.jacobian(**point) if np.ndim(p) > 1} == {np.dtype("f4")}


def determinant(rows):
    """Of fractions, by the first row."""
    if not rows:
        return Fraction(1)
    rest = [[row[:k] + row[k + 1 :] for row in rows[1:]] for k in range(len(rows))]
    return sum((-1) ** k * rows[0][k] * determinant(rest[k]) for k in range(len(rows)))


def minors(matrix):
    """The signed minors of a matrix, without rounding."""
    rows = [[Fraction(float(v)) for v in row] for row in matrix]
    each = range(len(rows))
    left = [
        [[r[:j] + r[j + 1 :] for k, r in enumerate(rows) if k != i] for j in each] for i in each
    ]
    return np.array(
        [[float((-1) ** (i + j) * determinant(left[i][j])) for j in each] for i in each]
    )


RNG = np.random.default_rng(11)
MATRICES = (
    RNG.normal(size=(5, 5)),
    np.eye(4) + 1e-3 * RNG.normal(size=(4, 4)),
    1.0 / (np.arange(4)[:, None] + np.arange(4) + 1),  # Hilbert's
    np.diag([1.0, 1e-4, 1e-9]) + 1e-5 * RNG.normal(size=(3, 3)),
    1e9 * RNG.normal(size=(3, 3)),
    1e-9 * RNG.normal(size=(3, 3)),
    np.diag([1.0, 2, 0]) + 1e-12 * RNG.normal(size=(3, 3)),
    np.array([[3.0]]),
)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("matrix", MATRICES, ids=range(len(MATRICES)))
def test_slopes_of_determinants_are_the_minors(matrix, dtype):
    matrix = matrix.astype(dtype)
    want = minors(matrix)
    (got,) = ac.compile("A: [n, n]; det(A)").gradient(matrix)
    assert got.dtype == dtype
    tolerance = 1e-11 if dtype is np.float64 else 1e-4
    assert np.abs(got - want).max() <= tolerance * np.abs(want).max()


def test_norms_of_zeros_are_0_beside_norms_that_underflow():
    fn = ac.compile("x: [n, m]; norm(x, axis=1)")
    x = np.array([[0.0, 0.0], [3e-200, 4e-200], [3.0, 4.0], [3e200, 4e200]])
    assert fn(x).tolist() == pytest.approx([0.0, 5e-200, 5.0, 5e200], rel=1e-15, abs=0)
    assert fn(x[[0, 2]]).tolist() == [0.0, 5.0]
    assert fn(np.zeros((2, 0))).tolist() == [0.0, 0.0]
    assert math.isnan(fn(np.array([[0.0, math.nan]]))[0])


@pytest.mark.parametrize(
    ("source", "same"),
    [
        ("log(diagonal(softmax(L, axis=1)))", "diagonal(log_softmax(L, axis=1))"),
        ("log(softmax(L', axis=0)'[:, 1])", "log_softmax(L, axis=1)[:, 1]"),
        ("log(softmax(L, axis=1)[:, None, 0])", "log_softmax(L, axis=1)[:, None, 0]"),
    ],
)
def test_logarithms_of_what_is_taken_of_shares(source, same):
    large = np.array([[0.0, 1000.0], [1000.0, 0.0]])
    for matrix in (large, large / 500):
        found, want = (ac.compile(f"L: [n, n]; sum({text})") for text in (source, same))
        assert found(matrix) == want(matrix)
        np.testing.assert_array_equal(found.gradient(matrix), want.gradient(matrix))

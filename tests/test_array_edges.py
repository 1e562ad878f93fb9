"""Arrays where formulas are delicate: zeros, ties, singular matrices, no elements, one element."""

from __future__ import annotations

import math
import pickle
import runpy

import numpy as np
import pytest

import autodiff_compiler as ac
from autodiff_compiler.primitives.axes import Slice, required
from autodiff_compiler.shapes import Polynomial, evaluated, named


def gradient(source, *point):
    return ac.compile(source).gradient(*point)


def close(got, want, rtol=1e-12):
    np.testing.assert_allclose(got, want, rtol=rtol, atol=1e-300)


PRODUCTS = [
    ([0.0, 2.0, 3.0], [6, 0, 0], [[0, 3, 2], [3, 0, 0], [2, 0, 0]]),
    ([0.0, 2.0, 0.0], [0, 0, 0], [[0, 0, 2], [0, 0, 0], [2, 0, 0]]),
    ([0.0, 0.0, 0.0], [0, 0, 0], np.zeros((3, 3))),
]


@pytest.mark.parametrize(("x", "first", "second"), PRODUCTS, ids=str)
def test_products_with_zeros(x, first, second):
    fn = ac.compile("x: [n]; prod(x)")
    close(fn.gradient(x)[0], first)
    close(fn.hessian(x)[0][0], second)
    close(fn.hvp([x], [[1, 2, 3]])[0], np.asarray(second) @ [1, 2, 3])
    columns = ac.compile("A: [m, n]; prod(A, axis=0)").jacobian(np.array([x, x]).T)[0]
    assert columns.shape == (2, 3, 2)
    close(columns[1, :, 1], first)


def test_ties_share():
    close(gradient("x: [n]; max(x)", [2, 2, 1])[0], [0.5, 0.5, 0])
    close(gradient("x: [n]; min(x)", [1, 1, 1, 2])[0], [1 / 3, 1 / 3, 1 / 3, 0])
    close(gradient("A: [m, n]; sum(max(A, axis=1))", [[1, 1], [0, 3]])[0], [[0.5, 0.5], [0, 1]])
    close(gradient("x: [n]; norm_inf(x)", [-2, 2, 0])[0], [-0.5, 0.5, 0])


def test_norms_at_zero_and_far_away():
    fn = ac.compile("x: [n]; norm(x)")
    close(fn.gradient([0, 0])[0], [0, 0])
    close(fn.hessian([0, 0])[0][0], np.zeros((2, 2)))
    for size in (1e200, 1e-200, 1e300, 5e-320):
        value, (slope,) = fn.value_and_gradient([3 * size, 4 * size])
        assert value == pytest.approx(5 * size, rel=1e-3 if size < 1e-300 else 1e-15)
        close(slope, [0.6, 0.8], 1e-3 if size < 1e-300 else 1e-15)
    assert fn([math.inf, 1]) == math.inf
    close(gradient("A: [m, n]; sum(norm(A, axis=1))", [[0, 0], [3, 4]])[0], [[0, 0], [0.6, 0.8]])
    close(gradient("x: [n]; norm1(x)", [0, -2])[0], [0, -1])


def test_second_derivatives_of_norms_at_zero():
    """They are 0 there, as the gradient is, however the norm is written and by whatever method."""
    for source in ("hypot(x, y)", "sqrt(x**2 + y**2)", "norm([x, y])", "hypot(x, y, z)"):
        fn = ac.compile(source)
        point = (0.0,) * len(fn.inputs)
        close(np.array(fn.hessian(*point)), np.zeros((len(point), len(point))))
        close(np.array(fn.hvp(point, (1.0, 2.0, 3.0)[: len(point)])), np.zeros(len(point)))
    fn = ac.compile("b: [n]; a: [m]; hypot(sum(a), var(b))")
    close(fn.hessian([1.0], [0.0])[1][1], [[0.0]])


ROOTS = [
    "sqrt(sum(x**2) + sum(y**2))",
    "sqrt(sum(x**2 + y**2))",
    "sqrt(x[0]**2 + y @ y)",
    "sqrt(2*sum(x**2) + norm(y)**2/3)",
    "sum(sqrt(x**2 + norm(y)**2))",
]


@pytest.mark.parametrize("text", ROOTS)
def test_norms_of_several_arrays(text):
    fn = ac.compile(f"x: [n]; y: [n]; {text}")
    for slope in fn.gradient([0, 0], [0, 0]):
        close(slope, [0, 0])
    value, slopes = fn.value_and_gradient([3, 4], [1, 2])
    large, steep = fn.value_and_gradient([3e200, 4e200], [1e200, 2e200])
    assert large == pytest.approx(value * 1e200)
    for slope, other in zip(slopes, steep, strict=True):
        close(slope, other, 1e-15)
        assert any(slope)


@pytest.mark.parametrize(
    ("text", "value", "slope"),
    [
        ("log(1 + sum(exp(x)))", 800, [1, 0]),
        ("log(3 + sum(exp(x)))", 800, [1, 0]),
        ("log(exp(700) + 2*sum(exp(x)))", 800 + math.log(2), [1, 0]),
        ("log(sum(exp(x)) + sum(exp(2*x)))", 1600, [2, 0]),
    ],
)
def test_logarithms_of_sums_of_exponentials_of_arrays_and_numbers(text, value, slope):
    found, (gradient,) = ac.compile(f"x: [n]; {text}").value_and_gradient([800, 1])
    assert found == pytest.approx(value)
    close(gradient, slope)


def test_positions_that_repeat_beside_others():
    """Each of them adds to the gradient, whatever else is taken of the array."""
    x = np.arange(4.0)
    close(gradient("x: [n]; sum(x[[0, 0]]) + x[1]", x)[0], [2, 1, 0, 0])
    close(gradient("x: [n]; sum(x[[-1, 3]]) + x[1]", x)[0], [0, 1, 0, 2])
    fn = ac.compile("x: [n]; a = x[[0, 1, 1, 2]]; b = x[[1, 2, 3, 3]]; sum((a - b)**2)")
    close(fn.gradient(x)[0], [-2, -4, 0, 6])
    close(np.diagonal(fn.hessian(x)[0][0]), [2, 6, 4, 4])


def test_slices_backwards_to_the_first_element():
    close(gradient("x: [n]; k = x[-1:-3:-1]; k[0] + 2*k[1]", [5, 6])[0], [2, 1])
    with pytest.raises(ValueError, match="too short"):
        ac.compile("x: [n]; x[-1:-4:-1]")([5, 6])


SINGULAR = [[[1, 2], [2, 4]], [[0, 0], [0, 0]], np.ones((3, 3)), np.diag([1, 2, 0, 3]), [[0]]]


@pytest.mark.parametrize("matrix", SINGULAR, ids=str)
def test_determinants_of_singular_matrices(matrix):
    a = np.array(matrix, dtype=float)
    minors = [[np.delete(np.delete(a, i, 0), j, 1) for j in range(len(a))] for i in range(len(a))]
    want = [
        [(-1) ** (i + j) * np.linalg.det(m) for j, m in enumerate(row)]
        for i, row in enumerate(minors)
    ]
    value, (slope,) = ac.compile("A: [n, n]; det(A)").value_and_gradient(a)
    assert value == pytest.approx(0, abs=1e-15)
    np.testing.assert_allclose(slope, want, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("matrix", SINGULAR, ids=str)
def test_second_derivatives_of_determinants_of_singular_matrices(matrix):
    """They are the determinants of what is left without two rows and two columns."""
    a = np.array(matrix, dtype=float)
    n = len(a)
    want = np.zeros((n, n, n, n))
    for i, j, k, m in np.ndindex(want.shape):
        if i != k and j != m:
            sign = (-1) ** (i + j + k - (k > i) + m - (m > j))
            rest = np.delete(np.delete(a, [i, k], 0), [j, m], 1)
            want[i, j, k, m] = sign * np.linalg.det(rest)
    fn = ac.compile("A: [n, n]; det(A)")
    np.testing.assert_allclose(fn.hessian(a)[0][0], want, atol=1e-14)
    direction = np.arange(1.0, n * n + 1).reshape(n, n)
    (product,) = fn.hvp((a,), (direction,))
    np.testing.assert_allclose(product, np.tensordot(want, direction), rtol=1e-13, atol=1e-13)


EMPTY = [
    ("sum(x)", 0.0),
    ("prod(x)", 1.0),
    ("norm(x)", 0.0),
    ("x @ x", 0.0),
    ("logsumexp(x)", -math.inf),
    ("sum(A)", 0.0),
    ("det(A)", 1.0),
    ("trace(A @ A)", 0.0),
    ("x @ A @ x", 0.0),
    ("sum(sin(x[:, None] + x))", 0.0),
    ("sum(cumsum(x)*x[::-1])", 0.0),
    ("sum(concatenate([x, x]))", 0.0),
    ("n*sum(x) + n", 0.0),
    ("sum(x[::2])", 0.0),
]


@pytest.mark.parametrize(("text", "value"), EMPTY)
def test_no_elements(text, value):
    fn = ac.compile(f"x: [n]; A: [n, n]; {text} + 0*sum(x) + 0*sum(A)", inputs="x A")
    x, a = np.zeros(0), np.zeros((0, 0))
    assert fn(x, a) == value or (math.isnan(fn(x, a)) and math.isinf(value))
    assert [g.shape for g in fn.gradient(x, a)] == [(0,), (0, 0)]
    assert fn.hessian(x, a)[0][1].shape == (0, 0, 0)
    assert fn.jvp([x, a], [x, a])[1] == pytest.approx(0, nan_ok=True)
    assert fn.hvp([x, a], [x, a])[1].shape == (0, 0)


def test_no_rows():
    fn = ac.compile("A: [m, n]; x: [n]; tanh(A @ x)")
    a, x = np.zeros((0, 3)), np.ones(3)
    assert fn(a, x).shape == (0,)
    assert [j.shape for j in fn.jacobian(a, x)] == [(0, 0, 3), (0, 3)]
    assert [g.shape for g in fn.vjp([a, x], np.zeros(0))[1]] == [(0, 3), (3,)]
    with pytest.raises(ValueError, match="zero-size"):
        ac.compile("x: [n]; max(x)")([])


def test_extents_of_one_are_not_stretched_unless_they_are_declared_so():
    fn = ac.compile("x: [1, n]; y: [m, 1]; x*y + x")
    x, y = np.array([[1.0, 2.0]]), np.array([[3.0], [4.0], [5.0]])
    close(fn(x, y), x * y + x)
    dx, dy = fn.vjp([x, y], np.ones((3, 2)))[1]
    close(dx, [[15, 15]])
    close(dy, [[3], [3], [3]])
    same = ac.compile("x: [n]; y: [n]; x*y")
    with pytest.raises(ValueError, match="y: n is 3 here, but 1 in x"):
        same([1.0], [1, 2, 3])
    close(same([2.0], [3.0]), [6])
    assert [j.shape for j in fn.jacobian(x[:, :1], y[:1])] == [(1, 1, 1, 1), (1, 1, 1, 1)]


def test_one_element_and_a_number():
    """A gradient of shape (1,), (1, 1) from a number, whatever kind of number that is."""
    close(gradient("x: [1]; sum(x)", [2.0])[0], [1])
    close(ac.compile("x: [1]; sum(x)").vjp([[2.0]], 3.0)[1][0], [3])
    close(gradient("A: [1, 1]; trace(A) + c", [[2.0]], 1.0)[0], [[1]])
    close(ac.compile("stack([a, b])")(1.0, 2.0), [1, 2])


EXTENTS = [
    ("x: [2*n]; sum(x)*n", np.ones(6), 18),
    ("x: [2*n + 1]; sum(x)*n", np.ones(7), 21),
    ("x: [n - 1]; sum(x)*n", np.ones(2), 6),
    ("x: [4*n]; mean(x[::3])", np.arange(8.0), 3),
    ("x: [n]; mean(x[1:-1:2])", np.arange(8.0), 3),
    ("x: [n]; sum(x[n - 2:]) + n", np.ones(4), 6),
    ("x: [n]; mean(x[n:0:-1])", np.arange(4.0), 2),
    ("x: [3]; mean(x[-5:])", np.arange(3.0), 1),
    ("x: [3]; mean(x[:7])", np.arange(3.0), 1),
    ("x: [n, 2*n]; sum(reshape(x, n*n, 2) @ [1, 2])", np.ones((2, 4)), 12),
    ("x: [n]; sum(ones(n - 1, 2*n))", np.ones(3), 12),
    ("x: [n]; mean(reshape(x[::2], -1))", np.arange(5.0), 2),
]


@pytest.mark.parametrize(("source", "x", "value"), EXTENTS)
def test_extents_that_are_computed(source, x, value):
    fn = ac.compile(source)
    assert fn(x) == pytest.approx(value)
    tangent = np.cos(np.arange(x.size)).reshape(x.shape)
    slope = (fn(x + 1e-6 * tangent) - fn(x - 1e-6 * tangent)) / 2e-6
    assert fn.jvp([x], [tangent])[1] == pytest.approx(slope, abs=1e-8)
    assert (fn.gradient(x)[0] * tangent).sum() == pytest.approx(slope, abs=1e-8)


ENDS = [None, *range(-3, 4), named("n"), named("n") - 1, named("n") - 2, 1 - named("n")]


@pytest.mark.parametrize("step", [1, 2, -1, -3])
def test_slices_are_as_long_as_they_are_said_to_be(step):
    """For every length at which nothing is cut short, the others being refused."""
    n = named("n")
    for start in ENDS:
        for stop in ENDS:
            part = Slice(start, stop, step)
            for length in range(6):
                at = {"n": length}
                needs = [r for r in required(part, n) if isinstance(r, Polynomial)]
                ends = [e if e is None else evaluated(e, at) for e in (start, stop)]
                if all(r.at(at) >= 0 for r in needs):
                    want = len(range(length)[slice(*ends, step)])
                    assert evaluated(part.length(n), at) == want, (part, length)
                if all(e is None or isinstance(e, int) for e in (start, stop)):
                    assert part.length(length) == len(range(length)[start:stop:step])


def test_positions_that_meet_an_element_twice_add_up():
    close(gradient("x: [n]; sum(x[[1, 1, -1]])", [1, 2, 3])[0], [0, 2, 1])
    close(gradient("x: [n]; sum(x[[1, -1]])", [1, 2])[0], [0, 2])
    close(gradient("x: [n]; i: [m]; sum(x[i]**2)", [1, 2, 3], [2, 0, 2])[0], [2, 0, 12])
    close(gradient("x: [n]; i: [m]; x[i[0]]*x[i[1]]", [1, 2, 3], [2, 2])[0], [0, 0, 6])
    fn = ac.compile("x: [n]; i: [m]; x[i - 1]")
    assert fn.wrt == ("x",)
    close(fn.jacobian([1, 2, 3], [1, 3])[0], [[1, 0, 0], [0, 0, 1]])


def test_functions_of_arrays_pickle_and_compare():
    fn = ac.compile("x: [n]; x @ x", shapes={})
    assert pickle.loads(pickle.dumps(fn)) == fn
    shaped = ac.compile("x @ x", shapes={"x": ("n",)})
    assert pickle.loads(pickle.dumps(shaped))([1, 2]) == 5
    assert shaped != ac.compile("x @ x", shapes={"x": (2,)})


def test_results_are_not_the_arguments():
    fn = ac.compile("A: [m, n]; A'")
    a = np.ones((2, 3))
    fn(a)[0, 0] = 5
    value, (adjoint,) = fn.vjp([a], a.T)
    value[:], adjoint[:] = 7, 7
    assert (a == 1).all()


def test_a_diagonal_of_a_stack_is_a_view_whose_array_is_not_overwritten():
    source = "T: [m, n, n]; M: [n, n]; x: [n]; sum(sin(trace(abs(tanh(logsumexp(M, axis=0) + T @ M)) - x)))"
    fn = ac.compile(source, inputs="T M x", wrt="M x")
    rng = np.random.default_rng(0)
    t, m, x = rng.uniform(0.2, 1, (2, 3, 3)), rng.uniform(0.2, 1, (3, 3)), rng.uniform(0.2, 1, 3)
    for k in range(3):
        step = 1e-5 * np.eye(3)[k]
        ends = [fn.gradient(t, m, x + s)[0] for s in (step, -step)]
        block = fn.hessian(t, m, x)[0][1][..., k]
        np.testing.assert_allclose(block, (ends[0] - ends[1]) / 2e-5, atol=1e-8)


@pytest.mark.parametrize("text", ["sum(x)*(c/d)", "sum(x)/d + c", "sum(x)*10**(400*c)"])
def test_numbers_beside_arrays_have_the_answers_of_arrays(text):
    fn = ac.compile(f"x: [n]; {text}", inputs="x c d")
    assert fn([0.5, 0.5], 1.0, 0.0) == math.inf
    assert (fn.gradient([0.5, 0.5], 1.0, 0.0)[0] == [math.inf, math.inf]).all()


SUMS = {
    "sum(3*sin(x)**2 + (x*y)**2 + (x - y)**2)": 3,
    "sum(x**2 + (x - y)**2)": 0,  # of an input itself
    "sum(norm(x)**2 + y**2)": 1,  # that of x, a number which is added as often as there are elements
    "sum(x**2 - 3*y**2)": 0,  # terms that may cancel
    "sum(x**2 + x*y)": 0,
}


@pytest.mark.parametrize(("text", "products"), SUMS.items())
def test_sums_of_squares_are_dot_products(text, products):
    fn = ac.compile(f"x: [n]; y: [n]; {text}", without="blocks")
    x, y = np.array([1.0, -2.0, 3.0]), np.array([0.5, 4.0, -1.0])
    assert fn.source("value").split("def value")[1].count("_dot(") == products
    names = {"x": x, "y": y, "sin": np.sin, "sum": np.sum, "norm": np.linalg.norm}
    assert fn(x, y) == pytest.approx(eval(text, names))
    assert fn.check(samples=2)


def test_a_sum_of_shared_sums_is_not_taken_apart():
    squares = "+".join(f"(x - {k})**2" for k in range(14))
    source = f"x: [n]; a = {squares}; b = a + x**4;" + "a = a + b; b = a + b;" * 12 + "sum(a + b)"
    assert len(ac.compile(source).source("value")) < 10_000


def test_numbers_beside_single_precision_are_double():
    x = np.ones(2, np.float32)
    fn = ac.compile("x: [n]; sum(x)*((s - t)/d)", inputs="x s t d")
    assert fn(x, 1.7e9 + 0.25, 1.7e9, 1.0) == 0.5


def test_the_slope_of_a_determinant_that_is_not_a_number():
    fn, A = ac.compile("A: [2, n, n]; sum(det(A))"), np.stack([np.eye(2), np.full((2, 2), np.nan)])
    assert math.isnan(fn(A))
    np.testing.assert_allclose(fn.gradient(A)[0], [np.eye(2), np.full((2, 2), np.nan)], atol=1e-15)


def test_saved_functions_take_whole_numbers_of_numpy(tmp_path):
    fn = ac.compile("sum((x - m)**2)/s**2", inputs="x m s", shapes={"x": ("n",)})
    path = tmp_path / "saved.py"
    path.write_text(fn.source("value"))
    saved = runpy.run_path(str(path))["value"]
    x, m, s = np.arange(3), np.int8(-100), np.int32(100_000)
    assert saved(x, m, s) == fn(x, -100.0, 1e5)


def test_functions_of_numbers_do_not_widen_arrays():
    x = np.ones(5, np.float32)
    for text in (
        "exp(s)*x + sqrt(t*s)*sum(x)*x",
        "where(s > t, s, t)*x",
        "(s > t)*x",
        "max(s, t)*x",
    ):
        fn = ac.compile(f"x: [n]; {text}", inputs="x s t")
        assert fn(x, 0.5, 1.0).dtype == np.float32
        assert {part.dtype for part in fn.jacobian(x, 0.5, 1.0)} == {np.dtype(np.float32)}
    fn = ac.compile("x: [n]; i: [2]; exp(s)*x[i]", inputs="i x s")
    assert fn(np.array([0, 2]), x, 0.5).dtype == np.float32


def test_results_are_in_the_order_of_bytes_of_the_machine():
    fn, x = ac.compile("x: [n]; s*x**2", inputs="s x"), np.array([1, 2], ">f8")
    assert all(result.dtype.isnative for result in (fn(2.0, x), *fn.jacobian(2.0, x)))


@pytest.mark.parametrize("kind", ["gradient", "hvp"])
def test_long_chains_over_arrays_take_code_in_proportion(kind):
    def code(count):
        source = "y = x; " + "y = tanh(y)*2 + 1; " * count + "sum(y)"
        return len(ac.compile(f"x: [n]; {source}").source(kind))

    assert code(150) < 2.5 * code(75)


def test_powers_of_arrays_are_not_multiplied_out():
    squares = "y = x; " + "y = y*y; " * 12 + "sum(y)"
    assert ac.compile(f"x: [n]; {squares}").source("value").count("np.multiply") <= 12
    assert ac.compile("x: [n]; sum(x**16)").source("value").count("np.multiply") <= 4

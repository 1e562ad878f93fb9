"""Compiled functions: how they are called, and what every kind returns."""

from __future__ import annotations

import concurrent.futures
import fractions
import gc
import inspect
import math
import pickle
import subprocess
import sys
import traceback
import weakref

import numpy as np
import pytest
from oracle import Oracle

import autodiff_compiler as ac
from autodiff_compiler.derivatives import KINDS

TEXTBOOK = "log(x1) + x1*x2 - sin(x2)"
SYSTEM = "[x1*x2 + sin(x1), exp(x1 - x2), 3]"


@pytest.fixture
def fn():
    return ac.compile(TEXTBOOK)


def test_the_kinds_agree_with_each_other(fn):
    point = (2.0, 5.0)
    value, gradient = fn.value_and_gradient(*point)
    assert value == fn(*point) == fn.value(*point) == fn.jvp(point, (1, 0))[0]
    assert gradient == fn.gradient(*point) == fn.jacobian(*point) == fn.vjp(point, 1.0)[1]
    assert fn.jvp(point, (2.0, -1.0))[1] == pytest.approx(2 * gradient[0] - gradient[1], rel=1e-15)
    assert fn.hessian(*point) == ((-0.25, 1.0), (1.0, math.sin(5.0)))
    assert fn.hvp(point, (1.0, 2.0)) == pytest.approx((-0.25 + 2, 1 + 2 * math.sin(5.0)))


def test_a_list_of_outputs_gives_arrays():
    fn = ac.compile(SYSTEM)
    value, point = fn(1.3, 0.4), (1.3, 0.4)
    assert value.shape == (3,)
    by_x1, by_x2 = fn.jacobian(*point)
    np.testing.assert_allclose(by_x1, [0.4 + math.cos(1.3), math.exp(0.9), 0], rtol=1e-15)
    np.testing.assert_allclose(by_x2, [1.3, -math.exp(0.9), 0], rtol=1e-15)
    np.testing.assert_allclose(fn.jvp(point, (1, 2))[1], by_x1 + 2 * by_x2, rtol=1e-15)
    cotangent = np.array([1.0, -2.0, 5.0])
    np.testing.assert_allclose(fn.vjp(point, cotangent)[1], [cotangent @ by_x1, cotangent @ by_x2])


def test_an_output_named_twice_collects_both_cotangents():
    fn = ac.compile("y = x**2; [y, y, x]")
    assert fn.vjp((3.0,), (1.0, 10.0, 100.0))[1] == (166.0,)


@pytest.mark.parametrize("outputs", [1, 2, 5])
def test_the_jacobian_is_the_same_by_rows_and_by_columns(outputs):
    parts = ["x*y*z", "sin(x) + z", "x/y", "exp(z)", "x + y + z"][:outputs]
    fn = ac.compile(f"[{', '.join(parts)}]", inputs="x y z")
    point = (0.7, 1.9, -0.4)
    for k, part in enumerate(parts):
        want = Oracle(part, ("x", "y", "z")).gradient(*point)
        np.testing.assert_allclose([c[k] for c in fn.jacobian(*point)], np.array(want, float))


def test_wrt_chooses_and_orders():
    fn = ac.compile(TEXTBOOK, wrt=["x2"])
    assert fn.gradient(2.0, 5.0) == (2.0 - math.cos(5.0),)
    assert ac.compile(TEXTBOOK, wrt="x2 x1").gradient(2.0, 5.0)[1] == 5.5
    assert ac.compile(TEXTBOOK, wrt=()).gradient(2.0, 5.0) == ()


@pytest.mark.parametrize("kind", ["gradient", "value_and_gradient", "hessian", "hvp"])
def test_kinds_for_scalar_outputs_say_so(kind):
    with pytest.raises(ValueError, match=f"{kind} needs a scalar output"):
        getattr(ac.compile(SYSTEM), kind)


NUMBERS = [
    (2, 5), (2.0, 5), (np.float64(2), np.float32(5)), (np.int64(2), 5.0), (True + 1, 5.0),
    (fractions.Fraction(2), 5), (np.array(2.0), 5.0),
]  # fmt: skip


@pytest.mark.parametrize("point", NUMBERS, ids=repr)
@pytest.mark.parametrize("source", [TEXTBOOK, "x1*x2", "x2", "x1 + x2", "where(x1 > 1, x1, x2)"])
def test_numbers_of_every_kind_give_python_floats(source, point):
    fn = ac.compile(source, inputs="x1 x2")
    value, gradient = fn.value_and_gradient(*point)
    assert [type(v) for v in (value, *gradient)] == [float] * 3
    assert (value, gradient) == fn.value_and_gradient(2.0, 5.0)
    assert [type(v) for row in fn.hessian(*point) for v in row] == [float] * 4


ARRAYS = [
    ((3,), ()), ((3,), (3,)), ((2, 1), (3,)), ((1,), (1,)), ((0,), (1,)), ((), (2, 2)), ((1, 1), ()),
]  # fmt: skip
ELEMENTWISE = ["x*y", "x + y", "sin(x)", "3", "y**2", "where(x > 0, y, 1)", "max(x, y)", "exp(x)/y"]


@pytest.mark.parametrize("shapes", ARRAYS, ids=repr)
@pytest.mark.parametrize("source", ELEMENTWISE)
def test_arrays_mean_for_each_element(source, shapes):
    rng = np.random.default_rng(3)
    x, y = (rng.uniform(0.5, 2, size=s) for s in shapes)
    fn = ac.compile(source, inputs="x y")
    value, gradient = fn.value_and_gradient(x, y)
    hessian = fn.hessian(x, y)
    want = np.broadcast(x, y)
    for array in (value, *gradient, *hessian[0], *hessian[1]):
        assert np.shape(array) == want.shape
    for at, got in zip(want, zip(*(a.flat for a in (value, *gradient)), strict=True), strict=True):
        scalar, partials = fn.value_and_gradient(*map(float, at))
        np.testing.assert_allclose(got, (scalar, *partials), rtol=1e-14)


def test_arrays_into_a_list_of_outputs():
    fn = ac.compile("[x*y, 1, x]")
    x, y = np.arange(6.0).reshape(2, 3), 2.0
    assert fn(x, y).shape == (3, 2, 3)
    assert [c.shape for c in fn.jacobian(x, y)] == [(3, 2, 3)] * 2
    assert (fn.jacobian(x, y)[1][0] == x).all()


def test_results_do_not_share_memory_with_arguments_or_each_other():
    fn, x, y = ac.compile("x*y + 0*x"), np.ones(3), np.full(3, 2.0)
    value, gradient = fn.value_and_gradient(x, y)
    for array in (value, *gradient):
        array[:] = 7
    assert (x == 1).all()
    assert (y == 2).all()
    left, right = ac.compile("sin(x + y)").gradient(x, y)
    left += 1
    assert (left != right).all()


def test_single_precision_stays_single():
    fn, x = ac.compile("a*exp(x) + 2*x + pi"), np.linspace(0, 1, 5, dtype=np.float32)
    value, gradient = fn.value_and_gradient(1.5, x)
    assert [a.dtype for a in (value, *gradient)] == [np.float32] * 3


def test_lists_and_integer_arrays_are_arrays():
    fn = ac.compile("x**2/2")
    np.testing.assert_array_equal(fn.gradient([1, 2, 3])[0], [1.0, 2.0, 3.0])
    np.testing.assert_array_equal(fn(np.array([1, 2], dtype=np.int8)), [0.5, 2.0])


EDGES = [
    ("log(x)", 0.0, -math.inf, math.inf), ("log(x)", -1.0, math.nan, -1.0),
    ("1/x", 0.0, math.inf, -math.inf), ("1/x", -0.0, -math.inf, -math.inf),
    ("sqrt(x)", 0.0, 0.0, math.inf), ("sqrt(x)", -1.0, math.nan, math.nan),
    ("exp(x)", 1000.0, math.inf, math.inf), ("sin(x)", math.inf, math.nan, math.nan),
    ("x**2", 1e200, math.inf, 2e200), ("x**0.5", -1.0, math.nan, math.nan),
    ("abs(x)", 0.0, 0.0, 0.0), ("sign(x)", 0.0, 0.0, 0.0), ("x**3", 0.0, 0.0, 0.0),
    ("max(x, 0)", 0.0, 0.0, 0.5), ("max(x, 0) + min(x, 0)", 0.0, 0.0, 1.0),
    ("where(x > 0, x*log(x), 0)", 0.0, 0.0, 0.0), ("max(sqrt(x), 1)", 0.0, 1.0, 0.0),
    ("where(x >= 0, x, sqrt(-x))", 1.0, 1.0, 1.0), ("x**0", 0.0, 1.0, 0.0),
    ("x", math.nan, math.nan, 1.0), ("max(x, 1)", math.nan, math.nan, 0.0),
    ("hypot(x, x)", 0.0, 0.0, 0.0), ("floor(x)", math.inf, math.inf, 0.0),
    ("gamma(x)", 200.0, math.inf, math.inf), ("x % 0", 1.0, math.nan, 1.0),
    ("1/0 + x", 1.0, math.inf, 1.0), ("0/0*x", 1.0, math.nan, math.nan),
    ("where(x > 0, 1/x, where(x < -1, log(x), x**2))", 0.0, 0.0, 0.0),
]  # fmt: skip


@pytest.mark.parametrize(("source", "x", "wanted", "slope_wanted"), EDGES, ids=str)
def test_ieee_results_without_warnings(source, x, wanted, slope_wanted):
    fn = ac.compile(source)
    value, (slope,) = fn.value_and_gradient(x)
    np.testing.assert_equal((value, slope), (wanted, slope_wanted))
    values, (slopes,) = fn.value_and_gradient(np.full(2, x))
    np.testing.assert_equal((values[1], slopes[1]), (wanted, slope_wanted))


def test_power_at_zero_has_its_limits():
    fn = ac.compile("x**y")
    assert fn.value_and_gradient(0.0, 2.0) == (0.0, (0.0, 0.0))
    assert fn.gradient(-2.0, -2.0)[0] == 0.25


@pytest.mark.parametrize(
    ("arguments", "named", "error", "match"),
    [
        ((1.0,), {}, TypeError, "x2"),
        ((1.0, 2.0, 3.0), {}, TypeError, "2 positional"),
        ((1.0,), {"y": 2.0}, TypeError, "y"),
        ((1.0, "a"), {}, TypeError, "x2: expected a real number"),
        ((1.0, None), {}, TypeError, "x2"),
        ((1j, 1.0), {}, TypeError, "x1"),
        ((1.0, np.array([1j])), {}, TypeError, "x2"),
        ((10**400, 1.0), {}, ValueError, "x1.*too large"),
        (([10**400], 1.0), {}, TypeError, "x1"),
        (([None, 1.0], 1.0), {}, TypeError, "x1"),
        ((1.0, np.complex64(1 + 2j)), {}, TypeError, "x2"),
        ((np.ones(2), np.ones(3)), {}, ValueError, r"x1 \(2,\), x2 \(3,\)"),
    ],
)
def test_wrong_arguments_are_named(fn, arguments, named, error, match):
    for call in (fn, fn.gradient, fn.value_and_gradient):
        with pytest.raises(error, match=match):
            call(*arguments, **named)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda f: f.jvp((1.0,), (1.0, 0.0)), "primals.*x1, x2"),
        (lambda f: f.jvp((1.0, 2.0), (1.0,)), "tangents.*expected 2"),
        (lambda f: f.hvp((1.0, 2.0), 1.0), "direction.*sequence"),
        (lambda f: f.jvp(1.0, (1.0, 0.0)), "primals.*sequence"),
    ],
)
def test_wrong_sequences_are_named(fn, call, match):
    with pytest.raises((TypeError, ValueError), match=match):
        call(fn)


def test_arguments_by_name(fn):
    assert fn(x2=5.0, x1=2.0) == fn(2.0, x2=5.0) == fn(2.0, 5.0)
    keyword = ac.compile("lambda**2 + class")
    assert keyword.gradient(**{"lambda": 3.0, "class": 1.0}) == (6.0, 1.0)
    assert keyword(3.0, 1.0) == 10.0


COLLISIONS = [
    "sin(np) + np", "array*exp(float)", "type + int + log(object)", "v1*v2 + sin(v1)", "t1 + exp(t1*t1)",
    "shape*x", "_log/log1 + log(_log)", "_full*_floats", "value + gradient*math", "nan*inf + x",
    "x_dot*x", "cotangent*primals + tangents", "self + cls", "lambda/None_ + __x",
    "_general + sqrt(_general)", "log(ValueError)*ArithmeticError + TypeError", "value_ieee + log(x)",
    "_full = x*x; _floats = _full + 1; _floats*_full + log(x)", "special*erf(x)", "v3_bar*sin(v3_bar)*cos(v3_bar*v1)",
]  # fmt: skip


@pytest.mark.parametrize("source", COLLISIONS)
def test_no_name_collides_with_the_generated_code(source):
    fn, oracle = ac.compile(source), Oracle(source)
    point = [0.3 + 0.2 * k for k in range(len(fn.inputs))]
    want = np.array(oracle.gradient(*point), float)
    arrays = [np.full(2, v) for v in point]
    np.testing.assert_allclose(fn.gradient(*point), want, rtol=1e-12)
    np.testing.assert_allclose([g[0] for g in fn.gradient(*arrays)], want, rtol=1e-12)
    np.testing.assert_allclose(fn.vjp(point, 1.0)[1], want, rtol=1e-12)
    np.testing.assert_allclose(fn.jvp(point, want)[1], want @ want, rtol=1e-12)
    assert len(fn.hessian(*point)) == len(fn.hvp(arrays, arrays)) == len(point)
    for target in ("python", "numpy"):
        names: dict = {}
        exec(fn.source("gradient", target=target), names)
        np.testing.assert_allclose(names["gradient"](*point), want, rtol=1e-12)


def test_declared_inputs_named_like_functions_do_not_break_them():
    fn = ac.compile("exp*sin(log)/sqrt(cos)", inputs="exp log cos")
    assert ac.compile("log(log)", inputs=["log"]).gradient(2.0) == (0.5,)
    assert ac.compile("pi*sinpi(x)", inputs="x pi").derivative("x")
    assert fn(1.0, 2.0, 4.0) == pytest.approx(math.sin(2) / 2)
    assert ac.compile("sin*log(x)", inputs=["sin", "x"]).gradient(2.0, 1.0) == (0.0, 2.0)


def test_lists_go_element_by_element():
    assert ac.compile("where(x > 0, [x, y], [y, x])")(1.0, 2.0).tolist() == [1.0, 2.0]
    assert ac.compile("f(z) = z*2; f([x, y]) + 1")(1.0, 2.0).tolist() == [3.0, 5.0]
    assert ac.compile("[x, y] if x > 5 else 3*[y, x]")(1.0, 2.0).tolist() == [6.0, 3.0]
    assert ac.compile("1 if [x, y] else 2")(1.0, 0.0).tolist() == [1.0, 2.0]
    for source in ("not [x, y]", "[x, y] and x", "[x, y] + [x, y, x]"):
        with pytest.raises(ac.ExpressionError, match="list"):
            ac.compile(source)


def test_truth_values_are_numbers_in_functions():
    fn = ac.compile("f(a, b) = a + b - -a; f(x > 0, y > 0)")
    assert fn(1.0, 1.0) == 3.0
    assert fn(np.ones(2), -1.0).tolist() == [2.0, 2.0]


def test_infinite_constants_beside_inputs_named_like_them():
    fn = ac.compile("where(x > 0, float + inf, 1/0)", inputs="x float inf")
    assert fn(-1.0, 2.0, 3.0) == math.inf
    assert fn(np.ones(1), 2.0, 3.0).tolist() == [5.0]


def test_names_are_what_python_reads():
    fn = ac.compile("ﬁ = x*x + 1\nfi*µ")
    assert fn.inputs == ("x", "\u03bc")
    assert fn(2.0, 3.0) == 15.0


def test_arrays_are_not_touched_outside_the_generated_code():
    huge = np.array([1e308, np.inf])
    np.testing.assert_array_equal(ac.compile("x*y")(huge, -huge), [-np.inf, -np.inf])


def test_a_name_assigned_thousands_of_times():
    fn = ac.compile("a = x\n" + "a = sin(a)\n" * 5_000 + "a")
    assert 0 < fn(1.0) < 0.1


def test_second_derivatives_at_removable_points():
    wanted = {
        "sinc(x)": (0.0, -(math.pi**2) / 3), "lambertw(x)": (0.0, -2.0), "spence(x)": (1.0, 0.5),
        "ellipk(x)": (0.0, 9 * math.pi / 64), "ellipe(x)": (0.0, -3 * math.pi / 64),
    }  # fmt: skip
    for source, (x, want) in wanted.items():
        assert ac.compile(source).hessian(x)[0][0] == pytest.approx(want, rel=1e-12), source


def test_functions_pickle_and_compare_by_source(fn):
    twin = pickle.loads(pickle.dumps(fn))
    assert twin == fn == ac.compile(TEXTBOOK)
    assert hash(twin) == hash(fn)
    assert twin.gradient(2.0, 5.0) == fn.gradient(2.0, 5.0)
    assert fn != ac.compile(TEXTBOOK, wrt="x1")
    assert fn != TEXTBOOK


def test_threads_that_use_a_function_first_at_once_agree():
    fn = ac.compile("+".join(f"sin(x{k})*x{k + 1}" for k in range(60)))
    point = [0.1 * k for k in range(61)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(lambda k=k: getattr(fn, k)(*point)) for k in ["gradient", "value"] * 16]
        results = [job.result() for job in jobs]
    assert results[::2] == [ac.compile(fn.formula).gradient(*point)] * 16


def test_threads_compile_at_once():
    sources = [f"sin({k}*x) + x**{k}" for k in range(40)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        values = list(pool.map(lambda s: ac.compile(s).gradient(0.5), sources))
    assert values == [ac.compile(s).gradient(0.5) for s in sources]


def test_tracebacks_show_the_generated_line():
    fn = ac.compile("x*y")
    try:
        fn.value(object(), 1.0)
    except TypeError:
        shown = traceback.format_exc()
    assert "return _general(x, y)" in shown


def test_functions_have_docstrings_and_a_repr(fn):
    assert "partials" in fn.gradient.__doc__
    assert str(inspect.signature(fn)) == str(inspect.signature(fn.gradient)) == "(x1, x2)"
    assert repr(fn) == f"<autodiff_compiler function of (x1, x2): {TEXTBOOK}>"
    for kind in KINDS:
        assert getattr(ac.Function, kind).__doc__


def test_packed_functions_are_what_optimizers_take():
    optimize = pytest.importorskip("scipy.optimize")
    packed = ac.compile("100*(y - x**2)**2 + (1 - x)**2", inputs="x y").packed()
    start = packed.pack(x=-1.2, y=1.0)
    fit = optimize.minimize(
        packed.value_and_gradient, start, jac=True, hess=packed.hessian, method="trust-exact"
    )
    np.testing.assert_allclose(fit.x, [1, 1], atol=1e-6)
    np.testing.assert_allclose(packed.hvp(start, [1.0, 0.0]), packed.hessian(start)[0])
    assert packed.unpack(start) == {"x": -1.2, "y": 1.0}
    assert packed.value(start) == packed.fn(-1.2, 1.0)


def test_packed_binds_data():
    fn = ac.compile("a*exp(b*t)", inputs="t a b", wrt="a b")
    t = np.linspace(0, 1, 5)
    packed = fn.packed(t=t)
    np.testing.assert_allclose(packed.value([2.0, 3.0]), 2 * np.exp(3 * t))
    np.testing.assert_allclose(packed.jacobian([2.0, 3.0])[:, 1], 2 * t * np.exp(3 * t))
    with pytest.raises(TypeError, match="t"):
        fn.packed()
    with pytest.raises(TypeError, match="a is part of the vector; leave it out of wrt"):
        fn.packed(t=t, a=1.0)
    with pytest.raises(ValueError, match="2"):
        packed.value([1.0])


def test_heavy_libraries_are_not_imported():
    code = (
        "import sys, autodiff_compiler as ac\n"
        "fn = ac.compile('log(x)*y + erf(x)')\n"
        "fn.value_and_gradient(1.0, 2.0), fn.gradient(0.0, 1.0), fn.trace('reverse', at=(1, 2)).text()\n"
        "print([m for m in ('numpy', 'scipy', 'sympy', 'mpmath') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_what_is_dropped_is_freed_at_once():
    gc.collect()
    gc.disable()
    try:
        fn = ac.compile("log(x)*y", cache=False)
        gradient = weakref.ref(fn.gradient)
        assert fn.gradient(1, 2.0) == (2.0, 0.0)
        del fn
        assert gradient() is None
    finally:
        gc.enable()

"""What loops compute by vector operations is what NumPy and SciPy give an element at a time."""

from __future__ import annotations

import itertools
import runpy

import numpy as np
import pytest
from scipy import special

import autodiff_compiler as ac
from autodiff_compiler.backends.regions import BLOCK
from autodiff_compiler.backends.vectorised import FUNCTIONS, HELPERS

TYPES = [np.float16, np.float32, np.float64, np.longdouble]
TIMES = 400  # so many copies of all pairs of special numbers fill more than a block
FORMULAS = {  # the helper, and NumPy's function
    "hypot(x, y)": ("_hypot", np.hypot),
    "logaddexp(x, y)": ("_logaddexp", np.logaddexp),
    "where(x < y, x, -y)": ("_select", lambda x, y: np.where(x < y, x, -y)),
    "where(x > 0.5, 0, y)": ("_select", lambda x, y: np.where(x > 0.5, x.dtype.type(0), y)),
    "where(x > y and y > 0, x, 1)": (
        "_select",
        lambda x, y: np.where((x > y) & (y > 0), x, x.dtype.type(1)),
    ),
}


def pairs(dtype):
    """Pairs of special and of usual numbers, as large arrays."""
    limits = np.finfo(dtype)
    edges = [0, -0.0, np.inf, -np.inf, np.nan, limits.max, limits.tiny, limits.smallest_subnormal]
    roots = [np.sqrt(limits.max), *np.sqrt(limits.tiny) * np.array([1, 3, 1000])]
    numbers = np.array([*edges, *roots, 3, -4, 1e-3, 1, -70], dtype)
    x, y = np.array([*itertools.product(numbers, numbers)], dtype).T
    usual = np.random.default_rng(0).normal(size=(2, BLOCK + 1)).astype(dtype)
    return (np.tile(x, TIMES), np.tile(y, TIMES)), tuple(usual)


def close(got, want, least):
    """Equal at infinities and nan; elsewhere within two units of rounding, those of `least` below."""
    assert got.dtype == want.dtype
    finite = np.isfinite(want)
    np.testing.assert_array_equal(got[~finite], want[~finite])
    limits = np.finfo(want.dtype)
    scale = np.maximum(np.abs(want[finite]), least or limits.tiny)
    assert np.all(np.abs(got[finite] - want[finite]) <= 2 * limits.eps * scale)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("formula", FORMULAS)
def test_every_helper_is_what_numpy_gives(formula, dtype):
    helper, function = FORMULAS[formula]
    fn = ac.compile(formula, inputs=["x", "y"], stable=False)
    assert f"{helper}(" in fn.source("value", target="numpy", arrays=["x", "y"])
    for x, y in pairs(dtype):
        with np.errstate(all="ignore"):
            want = function(x, y)
        close(
            fn.value(x, y), want, least=(helper == "_logaddexp")
        )  # where it crosses 0, it cancels


def test_every_helper_is_tested():
    assert {helper for helper, _ in FORMULAS.values()} == {*HELPERS} == {*FUNCTIONS.values()}


def test_a_helper_does_not_write_over_what_it_reads():
    """Operands that die, results that lend their memory, and an operand used again."""
    sources = [
        "a = x*y; hypot(a, hypot(a + 1, x)) + where(a > x, hypot(a, y), a)",
        "[hypot(x*y, x + y), where(x > y, x*y, x/y), logaddexp(2*x, 3*y)]",
        "where(x > y, where(x > 2*y, x*x, y*y), hypot(x*y, where(x*y > 1, x, y)))",
    ]
    x, y = np.random.default_rng(1).normal(size=(2, 3 * BLOCK))
    for source in sources:
        fns = [ac.compile(source.replace("; ", "\n"), without=w) for w in ((), "blocks")]
        for kind in ("value", "jacobian"):
            got, want = (np.asarray(getattr(fn, kind)(x, y)) for fn in fns)
            np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("share", [0.0, 1e-4, 0.05, 0.5, 0.95, 1.0])
@pytest.mark.parametrize("dtype", TYPES)
def test_conditions_that_hold_often_and_seldom(share, dtype):
    rng = np.random.default_rng(5)
    x, y = rng.normal(size=(2, BLOCK + 7)).astype(dtype)
    c = rng.uniform(size=x.size).astype(dtype) - dtype(share)
    for formula, want in {
        "where(c < 0, x, -y)": np.where(c < 0, x, -y),
        "where(c < 0, x, 2)*y": np.where(c < 0, x, dtype(2)) * y,
        "where(c < 0, 0, x*y)": np.where(c < 0, dtype(0), x * y),
    }.items():
        fn = ac.compile(formula, inputs=["c", "x", "y"])
        np.testing.assert_array_equal(fn.value(c, x, y), want)


def test_easy_conditions_and_numbers_stay_with_numpy():
    options = {"target": "numpy", "arrays": ["x"]}
    for formula in ("where(x == c, x, 2*x)", "where(c > 1, x, 2*x)", "where(x, x*x, 1)"):
        text = ac.compile(formula, stable=False).source("value", **options)
        assert "np.where(" in text
        assert "_select(" not in text


LOGITS = {
    "usual": np.random.default_rng(2).normal(size=(300, 5)),
    "long rows": np.random.default_rng(3).normal(size=(4, 100)),
    "huge": np.array([[1e17, 1e17 + 16, -1e17], [-800.0, -900.0, -1000.0]]),
    "infinite": np.array([[-np.inf, 0.0, 1.0], [5.0, -np.inf, -np.inf]]),
    "none": np.zeros((0, 4)),
}


@pytest.mark.parametrize("name", LOGITS)
@pytest.mark.parametrize("axis", [1, 0])
def test_functions_of_the_same_exponentials_share_them(name, axis):
    logits = LOGITS[name] if axis else LOGITS[name].T
    fn = ac.compile(f"sum(logsumexp(Z, axis={axis}))", shapes={"Z": ("m", "k")})
    value, (gradient,) = fn.value_and_gradient(logits)
    assert fn.source("value_and_gradient").count("np.exp(") == 1
    want = special.logsumexp(logits, axis=axis).sum() if logits.size else 0.0
    np.testing.assert_allclose(value, want, rtol=1e-15)
    if logits.size:
        np.testing.assert_allclose(gradient, special.softmax(logits, axis=axis), rtol=1e-13)


@pytest.mark.parametrize(
    "source",
    [
        "[logsumexp(X), sum(softmax(X)*X)]",
        "sum(logsumexp(X, axis=0, keepdims=True)*log_softmax(X, axis=0))",
        "sum(log_softmax(X, axis=[0, 2])*softmax(X, axis=[0, 2])) + sum(logsumexp(X, axis=[0, 2]))",
    ],
)
def test_shared_exponentials_have_right_slopes(source):
    assert ac.compile(source, shapes={"X": (2, 3, 2)}).check(samples=2).passed


def test_largest_elements_of_nothing_and_of_everything():
    fn = ac.compile("logsumexp(x)", shapes={"x": ("n",)})
    assert fn.value(np.zeros(0)) == -np.inf
    value, (gradient,) = fn.value_and_gradient(np.array([-np.inf, -np.inf]))
    assert value == -np.inf
    np.testing.assert_array_equal(gradient, [0.5, 0.5])


def test_an_outer_product_that_only_elements_are_needed_of():
    """No whole matrix is made for it; as an output, or in a matrix product, it stays one."""
    shapes = {"a": ("m",), "b": ("n",), "C": ("m", "n")}
    text = ac.compile("sum(exp(outer(a, b)*C))", shapes=shapes).source("value")
    assert "np.outer" not in text
    for formula in ("[outer(a, b), exp(outer(a, b)*C)]", "cumsum(outer(a, b))*sum(C)"):
        text = ac.compile(formula, shapes=shapes).source("value")
        assert "np.outer" in text
    a, b, c = np.arange(3.0), np.arange(4.0), np.full((3, 4), 2.0)
    got = ac.compile("outer(a, b)*C", shapes=shapes).value(a, b, c)
    np.testing.assert_array_equal(got, 2 * np.outer(a, b))
    fn = ac.compile("outer(a, b)", shapes={"a": ("m",), "b": ("n",)})
    assert "np.outer" in fn.source("value")
    np.testing.assert_array_equal(fn.value(a, b), np.outer(a, b))


def test_a_sum_over_a_diagonal_is_no_dot_product():
    fn = ac.compile(
        "einsum('aa,aa->', exp(X - Y), sin(X*Y))", shapes={"X": ("n", "n"), "Y": ("n", "n")}
    )
    x, y = np.random.default_rng(6).normal(size=(2, 30, 30))
    want = np.einsum("aa,aa->", np.exp(x - y), np.sin(x * y))
    np.testing.assert_allclose(fn.value(x, y), want, rtol=1e-13)


def test_sums_of_products_of_matrices_run_in_the_loop():
    fn = ac.compile("sum(exp(-((x - y)/s)**2))", shapes={"x": ("n", 1), "y": ("m",)})
    assert "np.einsum" not in fn.source("gradient")
    x, y = np.random.default_rng(4).normal(size=(2, 600))
    slope = fn.gradient(x=x[:, None], y=y, s=1.3)[fn.inputs.index("s")]
    r = (x[:, None] - y) / 1.3
    np.testing.assert_allclose(slope, np.sum(2 * r**2 * np.exp(-(r**2))) / 1.3)


def test_a_saved_module_refuses_an_array_for_a_number(tmp_path):
    path = tmp_path / "decay.py"
    ac.compile("a*exp(-b*x)").save(path, "value", target="numpy", arrays="x")
    names = runpy.run_path(str(path))
    x = np.zeros(4 * BLOCK)
    np.testing.assert_array_equal(names["value"](np.float32(2), 1, x), 2 * np.ones(x.size))
    with pytest.raises(TypeError):
        names["value"](np.arange(float(BLOCK)), 1.0, x)

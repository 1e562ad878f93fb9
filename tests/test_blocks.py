"""Loops over blocks give what straight code gives, and need no more than a few blocks of memory."""

from __future__ import annotations

import math
import pickle
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import autodiff_compiler as ac
from autodiff_compiler.backends.body import NO_UFUNCS, ufunc
from autodiff_compiler.backends.numpy import supports
from autodiff_compiler.backends.regions import BLOCK
from autodiff_compiler.primitives import TABLE
from autodiff_compiler.recycling import LEAST, Recycled

MODEL = "b1*exp(-b2*x) + b3*exp(-(x - b4)**2/b5**2) + where(x > b4, x*y, abs(y)**1.5)"
PATTERNS = [
    ((BLOCK,), ()),
    ((BLOCK + 1,), (BLOCK + 1,)),
    ((3 * BLOCK - 1,), (1,)),
    ((300, 1), (1, 400)),
    ((300, 400), (400,)),
    ((40, 1, 50), (60, 1)),
    ((1, 1), (5,)),
    ((2, 3 * BLOCK), (3 * BLOCK,)),
    ((0,), (0,)),
    ((0, 2 * BLOCK), (2 * BLOCK,)),
    ((2 * BLOCK, 0), ()),
    ((1,), (1,)),
]
ROWS = [row for row in TABLE if row.args and supports(row) and any(row.partials)]


def flat(tree):
    return [a for branch in tree for a in flat(branch)] if isinstance(tree, tuple) else [tree]


def both(source, kind, *arguments, **options):
    """What the code with loops and the straight code return."""
    fns = [ac.compile(source, without=w, **options) for w in ((), "blocks")]
    return [flat(getattr(fn, kind)(*arguments)) for fn in fns]


def same(found, wanted, tolerance=1e-13):
    assert len(found) == len(wanted)
    for got, want in zip(found, wanted, strict=True):
        assert np.shape(got) == np.shape(want)
        assert np.asarray(got).dtype == np.asarray(want).dtype
        largest = np.abs(want).max(initial=0, where=np.isfinite(want))
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance * largest)


def looped(fn, kind, **options):
    return "_in_blocks(" in fn.source(kind, target="numpy", **options)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("x", "y"), PATTERNS, ids=str)
def test_arrays_that_broadcast(x, y, dtype):
    rng = np.random.default_rng(len(x))
    arrays = [rng.uniform(0.5, 2, shape).astype(dtype) if shape else 1.25 for shape in (x, y)]
    for kind in ("value", "value_and_gradient", "hessian"):
        found, wanted = both(
            MODEL,
            kind,
            0.5,
            0.25,
            2.0,
            1.5,
            0.75,
            *arrays,
            inputs="b1 b2 b3 b4 b5 x y",
            wrt="x b2 b5 y",
        )
        same(found, wanted, 1e-13 if dtype is np.float64 else 1e-5)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_function_of_the_table(row):
    n, rng = BLOCK + 5, np.random.default_rng(3)
    names = [f"x{k}" for k in range(row.arity)]
    point = [rng.uniform(low, high, n) for low, high in row.domain]
    source = f"s = {row.name}({', '.join(names)}); 2*s*{names[-1]} + 1"
    wrt = [n for n, partial in zip(names, row.partials, strict=True) if partial is not None]
    same(*both(source, "jacobian", *point, wrt=wrt, inputs=names))


def test_ufuncs_are_numpys():
    for row in TABLE:
        if name := ufunc(row):
            found = getattr(np, name)
            assert isinstance(found, np.ufunc) or not row.args, name
            assert not row.args or (found.nin, found.nout) == (row.arity, 1)
    assert not any(isinstance(getattr(np, name), np.ufunc) for name in NO_UFUNCS)


VIEWS = {
    "strided": lambda a: a[::3],
    "backwards": lambda a: a[::-1],
    "by columns": lambda a: np.asfortranarray(a[: 4 * BLOCK].reshape(BLOCK, 4)),
    "a part of a matrix": lambda a: a[: 6 * BLOCK].reshape(BLOCK, 6)[:, 1:4],
    "stretched": lambda a: np.broadcast_to(a[:9], (BLOCK, 9)),
    "read-only": lambda a: np.frombuffer(a.tobytes()),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_views_of_other_arrays(view):
    a = view(np.linspace(0.1, 3, 7 * BLOCK))
    before = a.copy()
    same(*both("x*sin(x)*c + exp(-x/c)", "value_and_gradient", a, 1.5))
    assert (a == before).all()


SCALARS = "w = exp(-k*x); r = a*w + b - y; "
PROGRAMS = {
    SCALARS + "sum(r**2)": "value_and_gradient",
    SCALARS + "sum(sqrt(1 + r**2))/n": "hessian",
    SCALARS + "r*sin(r)": "jacobian",
    "s = 1 - x[:-1]; d = x[1:] - x[:-1]**2; sum(100*d**2 + s**2)": "value_and_gradient",
    "h = tanh(x*k); g = h/(1 + h**2); sum(g@g*h)": "value_and_gradient",
    "M = exp(-(x[:, None] - y[None, :])**2/k); sum(M*log(1 + M)) + k": "value_and_gradient",
    "M = x[:, None]*y; u = M/(1 + M**2); v = sum(u*u, axis=1); sum(v*exp(-v)*sqrt(v + 1))": "gradient",
    "m = max(x); e = exp(x - m)*y/(1 + y**2); log(sum(e)) + m": "value_and_gradient",
    "s = sum(sin(x)); q = cumsum(s*k + y)/n; sum(sin(q)) + sum(exp(y)*cos(x))": "hvp",
    "s = sum(sin(x)*x)/n; t = sum(cos(y)*y)/n; c = sin(x*s)*exp(y); c*t + [c @ x, t][1]": "jvp",
    "z = x*y + k; t = tanh(z); [t*z, t/z, t + z]": "jacobian",
    "p = where(x > y, x*y, sin(x)); p*p + p/k": "value",
}


@pytest.mark.parametrize("n", [1, 7, 300, BLOCK, 2 * BLOCK + 3])
@pytest.mark.parametrize(("source", "kind"), PROGRAMS.items())
def test_programs_of_arrays(source, kind, n):
    square = "None" in source or kind in ("jacobian", "hessian")
    n = min(n, 300) if square else n
    rng, names = np.random.default_rng(n), ["x", "y", "k", "a", "b"]
    point = [rng.uniform(0.5, 2, n), rng.uniform(0.5, 2, n), 0.75, 1.5, -0.5]
    shapes = {"x": ("n",), "y": ("n",)}
    if kind in ("hvp", "jvp"):
        point = [point, (np.cos(point[0]), 0.25)]
    same(*both(source, kind, *point, inputs=names, shapes=shapes, wrt="x k"), 1e-11)


STENCILS = {
    "sum((x[2:] - 2*x[1:-1] + x[:-2])**2)": True,
    "sum((x[2:] + x[:-2] + x[1:-1]**2)**2)": True,
    "d = x[1:] - x[:-1]; sum(d**2) + sum(d*sin(d))": True,
    "d = x[3:] - exp(x[:-3])*x[1:-2]; sum(k*d**2 - x[2:-1]*d)": True,
    "d = sin(x[:-1]) - x[1:]; sum(k*d**2*x[1:]) + sum(x*y)": True,
    "sum(x[1:]*y[1:] + (x[:-1] - y[:-1])**2*sin(x[:-1]))": True,
    "A = x[:, None]*[1, 2, k, 3]; B = A[:-1, :-1]; sum((A[1:, 1:] - k*B)**2*A[1:, :-1])": True,
    "B = x[:, None]*y; A = exp(B/9); sum((A[1:, 1:] - k*A[:-1, :-1])**2*A[1:, :-1])": True,
    "sum((x[2:] - x[:-2])**2 + x[1:-1]**4*k)": True,
    "sum(exp(x[2:] - x[:-2])*x[1:-1])": True,
    "sum((x - y)**2) + k*sum((x[1:] - x[:-1])**2*cos(x[1:]))": True,
    "d = x[1:] - x[:-1]; r = x*y + x**2; sum(sin(r)**2*r) + sum(d**4 + d**2)": True,
    "d = x[1:n-1:2] - x[0:n-2:2]; sum(d**2*cos(x[1:n-1:2]))": False,
}


@pytest.mark.parametrize("n", [8, 400, BLOCK + 4, 3 * BLOCK + 8])
@pytest.mark.parametrize("source", STENCILS)
def test_parts_that_overlap_are_added_up(source, n):
    rng = np.random.default_rng(n)
    x, y, seed = rng.normal(size=(3, min(n, 500) if "*y;" in source else n))
    shapes = {"x": ("n",), "y": ("n",)}
    for kind, arguments in (("value_and_gradient", (x, y, 0.5)), ("hvp", ((x, y, 0.5), (seed,)))):
        same(*both(source, kind, *arguments, inputs="x y k", shapes=shapes, wrt="x"), 1e-11)


@pytest.mark.parametrize(("source", "written"), STENCILS.items())
def test_the_part_placed_furthest_is_written_and_the_others_added(source, written):
    fn = ac.compile(source, inputs="x y k", shapes={"x": ("n",), "y": ("n",)}, wrt="x")
    text = fn.source("gradient", target="numpy").partition("def gradient")[2]
    assert "_part" in text
    assert ("np.zeros(" not in text) == written


def test_loops_are_where_they_pay():
    large = {"x": ("n",), "y": ("n",)}
    assert looped(ac.compile(SCALARS + "sum(r**2)", shapes=large), "value")
    assert not looped(ac.compile(SCALARS + "sum(r**2)", shapes=large, without="blocks"), "value")
    assert not looped(ac.compile(SCALARS + "sum(r**2)", shapes={"x": (9,), "y": (9,)}), "value")
    assert not looped(ac.compile("x + y", shapes=large), "value")
    product = "X: [n, m]; w: [m]; sum(tanh(X @ w)**2)"
    assert not looped(ac.compile(product), "value")


def test_signs_and_powers_of_two_move_out_of_loops():
    fn = ac.compile("exp(-(x - m)**2/8)*c - (x*c)/4", inputs="x m c")
    text = fn.source("value", target="numpy", arrays="x")
    assert "np.negative" not in text
    assert "np.divide" not in text
    bell = ac.compile("exp(-(x - m)**2/c**2)").source("gradient", target="numpy", arrays="x")
    assert "2.0" not in bell.partition("def block(")[2]
    x = np.linspace(-3, 3, 3 * BLOCK)
    scalar = [fn(v, 0.5, 2.0) for v in x[:50]]
    np.testing.assert_allclose(fn(x, 0.5, 2.0)[:50], scalar, rtol=1e-15)


@pytest.mark.parametrize(
    "source",
    ["exp(-(x/0)) + 0*sin(x)", "z = 0; 1/(1 + exp(-(x - 1)/z))", "copysign(1, -(0*x))*cos(x)"],
)
def test_the_sign_of_zero_moves_too(source):
    x = np.linspace(0.5, 2, 2 * BLOCK)
    same(*both(source, "value", x))
    assert ac.compile(source)(x)[-1] == ac.compile(source)(2.0)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_reciprocals_that_the_type_has_not(dtype):
    x = np.full(BLOCK, 1e-3, dtype)
    with np.errstate(all="ignore"):
        same(*both(f"sin(x)/{2.0**-16} + x*x*exp(x)", "value", x), 1e-2)


def test_sums_of_many_parts_take_code_in_proportion():
    def code(count):
        terms = (f"sum(sin(x[{k + 1}:])*x[:{-(k + 1)}])" for k in range(count))
        fn = ac.compile(f"{' + '.join(terms)} + sum(sin(x)*x)", shapes={"x": ("n",)})
        return len(fn.source("gradient"))

    assert code(400) < 5 * code(100)


def test_sums_are_as_accurate_as_numpys():
    x = np.random.default_rng(5).lognormal(size=100 * BLOCK)
    fn = ac.compile("x: [n]; sum(x*x - 3*x + x/7)")
    terms = x * x - 3 * x + x / 7
    exact = math.fsum(terms)
    scale = 2.0**-53 * np.abs(terms).sum()
    assert abs(fn(x) - exact) <= max(abs(terms.sum() - exact), scale)


@pytest.mark.parametrize("source", ["sum(w**2)", "w"])
def test_memory_beside_the_results_does_not_grow(source):
    blocks = 40  # a dozen for each thread, and small things
    for n in (50 * BLOCK, 200 * BLOCK):
        fn = ac.compile(f"w = a*exp(-b*x) - sin(x)/x; {source}", shapes={"x": ("n",)}, wrt="a b")
        x = np.linspace(1, 2, n)
        run = fn.value if source == "w" else fn.value_and_gradient
        run(x=x, a=1.0, b=2.0)
        ac.clear_cache()  # with the memory of the result
        tracemalloc.start()
        run(x=x, a=1.0, b=2.0)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak - (x.nbytes if source == "w" else 0) < blocks * 8 * BLOCK


def test_a_result_is_not_lost_to_a_later_operation():
    """Memory of results is used for what comes before them, never for what comes after."""
    x = np.linspace(0.5, 2, 3 * BLOCK)
    source = "u = x*c; v = exp(u); w = u + v; [u, v, w, u*w, v*w, w*w]"
    same(*both(source, "value", x, 1.5))
    same(*both(source, "jacobian", x, 1.5))
    same(*both(source, "jvp", (x, 1.5), (x, 2.0)))


def test_errors_of_numbers_are_not_raised_in_loops():
    with np.errstate(all="raise"):
        value, (slope,) = ac.compile("log(x)*x/x").value_and_gradient(np.zeros(20 * BLOCK))
    assert np.isnan(value).all()
    assert np.isnan(slope).all()


def address(array):
    return array.__array_interface__["data"][0]


def test_memory_of_results_is_used_again_once_nobody_has_them():
    fn, x = ac.compile("exp(-k*x)*x + sin(x)", inputs="k x"), np.linspace(0, 1, 20 * BLOCK)
    first = fn.value_and_gradient(1.0, x)
    kept = [first[0].copy(), first[1][1].copy()]
    second = fn.value_and_gradient(2.0, x)
    assert not any(np.shares_memory(a, b) for a in flat(first) for b in flat(second))
    row, place = first[1][1], address(first[0])
    del first
    fn.value_and_gradient(3.0, x)
    np.testing.assert_array_equal(row, kept[1])  # one result keeps the memory of all
    del row
    third = fn.value_and_gradient(1.0, x)
    assert address(third[0]) == place
    np.testing.assert_array_equal(third[0], kept[0])


def test_memory_of_past_results_is_bounded():
    memory = Recycled(most=3 * LEAST)
    for _ in range(5):
        arrays = [memory.empty((LEAST // 8,), float) for _ in range(5)]
        assert len({address(a) for a in arrays}) == 5
    del arrays
    tracemalloc.start()
    held = [memory.empty((LEAST // 8,), float) for _ in range(3)]
    assert tracemalloc.get_traced_memory()[0] < LEAST
    memory.clear()
    assert len(held) == 3
    assert memory.empty((2, LEAST), np.dtype(np.float32)).shape == (2, LEAST)
    tracemalloc.stop()


def test_threads_do_not_share_results():
    fn, n = ac.compile("a*x + exp(-x)*sin(x)", wrt="a"), 20 * BLOCK
    x = np.linspace(0, 1, n)

    def run(a):
        return all(np.array_equal(fn(a, x), want[a]) for _ in range(10))

    want = {a: fn(a, x).copy() for a in (1.0, 2.0, 3.0, 4.0)}
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(run, want))


KINDS = {
    "value": lambda p, x: p,
    "value_and_gradient": lambda p, x: p,
    "jvp": lambda p, x: (p, (1.0, 2.0, 3.0)),
    "vjp": lambda p, x: (p, x),
    "hessian": lambda p, x: p,
    "hvp": lambda p, x: (p, (1.0, 2.0, 3.0)),
}


@pytest.mark.parametrize(("kind", "arguments"), KINDS.items())
def test_modules_for_arrays_that_are_named(kind, arguments):
    fn, names = ac.compile("a*exp(-b*x) + y*c", wrt="a b c"), {}
    exec(fn.source(kind, arrays="x y"), names)
    assert looped(fn, kind, arrays="x y")
    x = np.linspace(0, 1, 3 * BLOCK)
    for shape in (x, x[:5], x[:0], x.reshape(3, -1), np.float64(0.5)):
        given = arguments((1.5, 0.5, shape, 2 * shape, 2.0), shape)
        wanted = getattr(fn, kind)(*given)
        same(flat(names[kind](*given)), [np.asarray(w) for w in flat(wanted)], 1e-15)


def test_arrays_that_cannot_be_named():
    with pytest.raises(ac.ExpressionError, match="z is not an input"):
        ac.compile("x*y").source(arrays="z")
    with pytest.raises(ValueError, match="arrays: only"):
        ac.compile("x*y").source(arrays="x", target="python")
    with pytest.raises(ValueError, match="arrays: only"):
        ac.compile("x: [n]; sum(x)*y").source(arrays="y")


def test_loops_with_many_sums():
    functions = [
        "sin",
        "cos",
        "exp",
        "tanh",
        "sinh",
        "cosh",
        "arctan",
        "arcsinh",
        "expm1",
        "square",
        "sech",
        "cbrt",
        "floor",
        "ceil",
    ]
    for name in ("total", "the_sum_of_all_values_of_the_function"):
        sums = "; ".join(f"{name}_{f} = sum({f}(x))" for f in functions)
        source = f"{sums}; {' + '.join(f'{name}_{f}**2' for f in functions)}"
        x = np.linspace(0.1, 0.9, 20)
        same(*both(source, "value_and_gradient", x, shapes={"x": ("n",)}))


def test_results_do_not_depend_on_threads():
    x, source = np.linspace(0, 1, 70 * BLOCK), "sum(sin(x)*exp(-k*x) + k/(1 + x*x))"
    fns = [ac.compile(source, shapes={"x": ("n",)}, threads=count) for count in (1, 2, 3)]
    found = [flat(fn.value_and_gradient(x, 2.0)) for fn in fns]
    threads = [f"THREADS = {k}" in fn.source("value") for k, fn in enumerate(fns, 1)]
    assert threads == [False, True, True]
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))
    assert pickle.loads(pickle.dumps(fns[2])) == fns[2] != fns[1]


@pytest.mark.parametrize(
    ("threads", "error"), [(0, ValueError), (2.0, TypeError), (True, TypeError)]
)
def test_numbers_of_threads_that_are_none(threads, error):
    with pytest.raises(error, match="threads: expected"):
        ac.compile("x", threads=threads)


def test_names_that_the_loops_use():
    names = "BLOCK THREADS block memory results m1 _in_blocks _by_threads np _empty _dot"
    source = "*".join(f"sin({name})" for name in names.split())
    point = [np.linspace(0.1, 1, 2 * BLOCK) + k for k in range(len(names.split()))]
    same(*both(source, "value_and_gradient", *point))
    shapes = dict.fromkeys(names.split(), ("n",))
    same(*both(f"sum({source})", "value_and_gradient", *point, shapes=shapes), 1e-11)

"""Numbers beside arrays have the answers of arrays: IEEE's, where Python raises or goes complex."""

import mpmath
import numpy as np
import pytest

import autodiff_compiler as ac

ARRAY = np.array([1.0, 2.0])
# A formula of an array `a` and of numbers, and values of these.
FORMULAS = (
    ("a*x**b", (-2.0, 1 / 3)),
    ("a*x**b", (1e200, 3.0)),
    ("a*x**b", (0.0, -1.0)),
    ("a*(1 - x)**b", (2.0, 0.5)),
    ("a + 1/x", (0.0,)),
    ("a*(x/b)", (0.0, 0.0)),
    ("a/(1 - x)", (1.0,)),
    ("a*exp(-1/x)", (0.0,)),
    ("a + x % b", (1.0, 0.0)),
    ("x/((b - a)*(b - c))", (0.0, 1.0, 1.0)),
)
KINDS = ("value", "gradient", "value_and_gradient", "hessian")


def flat(result):
    if isinstance(result, tuple):
        return [leaf for part in result for leaf in flat(part)]
    return [np.broadcast_to(np.asarray(result), ARRAY.shape)]


def saved(fn, kind, **options):
    namespace = {}
    exec(fn.source(kind, **options), namespace)
    return namespace[kind]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("source", "numbers"), FORMULAS)
def test_formulas_of_arrays_and_numbers(source, numbers, kind):
    fn = ac.compile(source)
    names = [n for n in fn.inputs if n != "a"]
    given = {"a": ARRAY, **dict(zip(names, numbers, strict=True))}
    arrays = {"a": ARRAY, **{n: np.full(2, v) for n, v in given.items() if n != "a"}}
    want = flat(getattr(fn, kind)(**arrays))
    for function in (getattr(fn, kind), saved(fn, kind, arrays="a")):
        for one, other in zip(flat(function(**given)), want, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-14)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("source", "numbers"), FORMULAS)
def test_programs_with_arrays_and_numbers(source, numbers):
    names = [n for n in ac.compile(source).inputs if n != "a"]
    fn = ac.compile(f"sum({source})", inputs=["a", *names], shapes={"a": ("n",)})
    per_element = ac.compile(source, inputs=["a", *names])
    want = sum(per_element(a, *numbers) for a in ARRAY)
    np.testing.assert_allclose(fn(ARRAY, *numbers), want, rtol=1e-14)
    np.testing.assert_allclose(saved(fn, "value")(ARRAY, *numbers), want, rtol=1e-14)
    assert all(np.isrealobj(g) for g in fn.gradient(ARRAY, *numbers))
    assert all(np.isrealobj(g) for g in saved(fn, "gradient")(ARRAY, *numbers))


@pytest.mark.parametrize("source", ["x*x + y*y", "2.0*(x*x - x*y)", "x*y/2.0", "x*y + y*(1 - x)"])
def test_a_direction_of_numbers_is_one_of_arrays(source):
    fn, ones = ac.compile(source), np.ones(3)
    want = fn.hvp([ones, ones], [1.0, 1.0])
    found = saved(fn, "hvp", arrays="x,y")([ones, ones], [1.0, 1.0])
    for one, other in zip(found, want, strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.shape == (3,)


# Where numbers overflow, Python raises, and a function answers that knows what is left; so for arrays.
OVERFLOWING = (
    ("1/(1 + (x/k)**n)", (50.0, 0.0196, 252.3), "gradient"),
    ("x/(exp(x/t) - 1)", (0.8, 1e-160), "hessian"),
    ("tanh(x/t)", (1000.0, 1e-300), "hessian"),
)


@pytest.mark.parametrize(("source", "point", "kind"), OVERFLOWING)
@pytest.mark.parametrize("size", [1, 100_000])
def test_arrays_have_the_answers_of_numbers_where_something_overflows(source, point, kind, size):
    fn = ac.compile(source)
    want = np.ravel(getattr(fn, kind)(*point))
    found = getattr(fn, kind)(*(np.full(size, v) for v in point))
    flattened = [found] if kind == "gradient" else found
    for one, other in zip((leaf for row in flattened for leaf in row), want, strict=True):
        np.testing.assert_array_equal(one, np.full(size, other))


# In single precision exponentials overflow at 89, and squares at 2e19.
SINGLE = (
    ("log(p*exp(a) + (1 - p)*exp(b))", (0.5, -200, -200)),
    ("log(p*exp(a) + (1 - p)*exp(b))", (0.717, 0.6, 135.6)),
    ("p*exp(a)/(p*exp(a) + (1 - p)*exp(b))", (0.5, -200, -200)),
    ("x*exp(a)/(x*exp(a) + y*exp(b))", (2, 100, 3, 99)),
    ("log(x + exp(y))", (2, 100)),
    ("x/(1 + x**2)", (1e25,)),
    ("log(1 + x**2)", (1e25,)),
    ("x**n/(k**n + x**n)", (2, 140, 3)),
    ("exp(x)/exp(y)", (-100, -101)),
    ("x/(2 - exp(y))", (1e30, 90)),
    ("x/(exp(y) + z)", (1e30, 90, 1e10)),
    ("log(1 + x*exp(y))", (3, 100)),
    ("sinh(x)/cosh(y)", (100, 101)),
    ("x*exp(y)/(x + z*(exp(y) - 1))", (2, 100, 3)),
    ("x**y + 1", (0, 0)),
)


@pytest.mark.parametrize(("source", "point"), SINGLE)
def test_what_is_stable_is_so_in_single_precision(source, point):
    fn = ac.compile(source)
    values = [np.full(3, v, np.float32) for v in point]
    want = fn(*(float(v[0]) for v in values))
    np.testing.assert_allclose(fn(*values), np.full(3, want), rtol=2e-5)
    assert not any(np.isnan(g).any() for g in fn.gradient(*values))


def test_quotients_of_exponentials_are_exact():
    fn, context = ac.compile("exp(x)/exp(y)"), mpmath.MPContext()
    context.dps = 40
    rng = np.random.default_rng(1)
    for x, y in rng.uniform(-700, 700, (200, 2)):
        want = context.exp(context.mpf(float(x)) - context.mpf(float(y)))
        if 1e-300 < want < 1e300:
            assert abs(fn(x, y) - want) <= 4e-16 * want

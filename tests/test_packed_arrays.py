"""Functions of arrays as functions of one vector, as SciPy calls them."""

from __future__ import annotations

import numpy as np
import pytest

import autodiff_compiler as ac

RNG = np.random.default_rng(5)
LINEAR = "sum((X @ W + b - Y)**2) + c*sum(W**2)"
SHAPES = {"X": ("N", "k"), "W": ("k", "m"), "b": ("m",), "Y": ("N", "m")}


@pytest.fixture
def linear():
    """A linear model, its data, its parameters."""
    fn = ac.compile(LINEAR, shapes=SHAPES, wrt="W b c")
    x, y = RNG.standard_normal((6, 3)), RNG.standard_normal((6, 2))
    return fn, {"X": x, "Y": y}, (RNG.standard_normal((3, 2)), RNG.standard_normal(2), 0.5)


def by_hand(data, w, b, c):
    rest = data["X"] @ w + b - data["Y"]
    value = (rest**2).sum() + c * (w**2).sum()
    return value, (2 * data["X"].T @ rest + 2 * c * w, 2 * rest.sum(axis=0), (w**2).sum())


def differences(f, x, step=1e-5):
    """The Jacobian of `f` by central differences."""
    eye = np.eye(x.size) * step
    return np.stack([(f(x + e) - f(x - e)) / (2 * step) for e in eye], axis=-1)


def test_value_and_gradient(linear):
    fn, data, parameters = linear
    packed = fn.packed(**data)
    x = packed.pack(*parameters)
    assert x.shape == (9,)
    value, gradient = by_hand(data, *parameters)
    assert packed(x) == pytest.approx(value)
    np.testing.assert_allclose(packed.gradient(x), np.concatenate([np.ravel(g) for g in gradient]))
    again = packed.unpack(x)
    assert np.array_equal(packed.pack(again), x)
    np.testing.assert_array_equal(again["W"], parameters[0])
    assert again["b"].shape == (2,)
    assert again["c"] == 0.5
    assert type(again["c"]) is float


def test_second_derivatives(linear):
    fn, data, parameters = linear
    packed = fn.packed(**data)
    x, v = packed.pack(*parameters), RNG.standard_normal(9)
    hessian = packed.hessian(x)
    assert hessian.shape == (9, 9)
    np.testing.assert_allclose(hessian, differences(packed.gradient, x), atol=1e-6)
    np.testing.assert_allclose(packed.hvp(x, v), hessian @ v)


def test_jacobian():
    fn = ac.compile(
        "sin(t)*(A @ b) + c", shapes={"t": ("m",), "A": ("m", "n"), "b": ("n",)}, wrt="c b A"
    )
    packed = fn.packed(t=RNG.standard_normal(4))
    x = RNG.standard_normal(1 + 3 + 12)
    jacobian = packed.jacobian(x)
    assert jacobian.shape == (4, 16)
    np.testing.assert_allclose(jacobian, differences(packed.value, x), atol=1e-8)
    whole = ac.compile("X**2", shapes={"X": ("n", 2)}).packed()
    np.testing.assert_allclose(whole.jacobian([1, 2, 3, 4.0]), np.diag([2, 4, 6, 8.0]))
    scalar = ac.compile("sum(x**2)", shapes={"x": ("n",)}).packed()
    np.testing.assert_allclose(scalar.jacobian([1, 2.0]), [[2, 4.0]])


def test_extents_follow_from_the_length():
    fn = ac.compile("sum(A**2) + sum(x)", shapes={"A": ("n", "n"), "x": ("n",)})
    packed = fn.packed()
    assert packed.unpack(np.arange(12.0))["A"].shape == (3, 3)
    assert packed.gradient(np.zeros(2)).tolist() == [0, 1]
    with pytest.raises(
        ValueError, match=r"x: expected a vector of n\*n \+ n numbers \(A \[n, n\], x"
    ):
        packed.value(np.zeros(13))


def test_extents_that_are_not_known():
    fn = ac.compile("sum(A**2)", shapes={"A": ("n", "m")})
    with pytest.raises(ValueError, match=r"does not tell m and n: give them, packed\(m=..., n="):
        fn.packed().value(np.zeros(6))
    assert fn.packed().pack(np.ones((2, 3))).shape == (6,)
    assert fn.packed(m=3).unpack(np.zeros(6))["A"].shape == (2, 3)
    assert fn.packed(m=3, n=2).unpack(np.zeros(6))["A"].shape == (2, 3)
    with pytest.raises(ValueError, match="expected a vector of 6"):
        fn.packed(m=3, n=2).value(np.zeros(7))
    with pytest.raises(TypeError, match="m: expected a whole number"):
        fn.packed(m=1.5)
    with pytest.raises(ValueError, match="m is 3, but 4 in the arrays given"):
        fn.packed(m=3).pack(np.ones((2, 4)))


def test_bad_arguments_are_named(linear):
    fn, data, parameters = linear
    with pytest.raises(ValueError, match="N is 5 here, but 6 in X"):
        fn.packed(X=data["X"], Y=np.zeros((5, 2)))
    with pytest.raises(TypeError, match="Z is not an input to bind; those are: X, Y, N, k, m"):
        fn.packed(**data, Z=1)
    with pytest.raises(TypeError, match="no value for Y"):
        fn.packed(X=data["X"])
    packed = fn.packed(**data)
    with pytest.raises(ValueError, match="m is 3 here, but 2 in Y"):
        packed.pack(np.zeros((3, 3)), np.zeros(3), 1.0)
    with pytest.raises(ValueError, match="expected a vector of 9"):
        packed.value(np.zeros(8))
    with pytest.raises(ValueError, match="v: expected a vector of 9 numbers, got 2"):
        packed.hvp(packed.pack(*parameters), [1, 2])
    with pytest.raises(TypeError, match="expected a value for each of W, b, c"):
        packed.pack(parameters[0])


@pytest.mark.parametrize(
    "vector",
    [
        np.ma.array([1.0, 2.0], mask=[False, True]),
        np.array([1j, 2]),
        [None, 1],
        ["1", "2"],
        {1: 2, 3: 4},
    ],
    ids=str,
)
def test_vectors_are_of_real_numbers(vector):
    packed = ac.compile("x*y").packed()
    with pytest.raises(TypeError, match=r"^x: "):
        packed.value_and_gradient(vector)
    with pytest.raises(TypeError, match=r"^v: "):
        packed.hvp([1, 2], vector)


def test_minimize():
    optimize = pytest.importorskip("scipy.optimize")
    x = RNG.standard_normal((40, 3))
    y = x @ [1.0, -2.0, 0.5]
    fn = ac.compile(
        "sum((X @ theta - y)**2)", shapes={"X": ("N", "n"), "theta": ("n",), "y": ("N",)},
        wrt="theta",
    )  # fmt: skip
    packed = fn.packed(X=x, y=y)
    for method, options in {
        "L-BFGS-B": {}, "trust-exact": {"hess": packed.hessian}, "Newton-CG": {"hessp": packed.hvp}
    }.items():  # fmt: skip
        fit = optimize.minimize(
            packed.value_and_gradient, np.zeros(3), jac=True, method=method, **options
        )
        np.testing.assert_allclose(fit.x, [1.0, -2.0, 0.5], atol=1e-4, err_msg=method)


def test_least_squares():
    optimize = pytest.importorskip("scipy.optimize")
    t = np.linspace(0, 2, 30)
    fn = ac.compile(
        "exp(-outer(t, rate)) @ amount - y",
        shapes={"t": ("N",), "rate": ("k",), "amount": ("k",), "y": ("N",)}, wrt="rate amount",
    )  # fmt: skip
    y = np.exp(-np.outer(t, [0.5, 3.0])) @ [1.0, 2.0]
    packed = fn.packed(t=t, y=y)
    start = packed.pack(rate=[0.3, 2.0], amount=[1.0, 1.0])
    fit = optimize.least_squares(packed.value, start, jac=packed.jacobian, xtol=1e-14)
    np.testing.assert_allclose(fit.x, [0.5, 3.0, 1.0, 2.0], rtol=1e-5)


@pytest.mark.parametrize("wrt", ["x y", "y x", "y"])
def test_the_vector_is_in_the_order_of_what_is_differentiated_by(wrt):
    point = {"x": 5.0, "y": 2.0}
    fn = ac.compile("x/y", inputs="x y", wrt=wrt)
    packed = fn.packed(**{name: v for name, v in point.items() if name not in wrt})
    x = packed.pack(**{name: point[name] for name in wrt.split()})
    partials = {"x": 1 / 2, "y": -5 / 4}
    assert packed.value(x) == 5 / 2
    assert packed.gradient(x).tolist() == [partials[name] for name in wrt.split()]
    with pytest.raises(ValueError, match=rf"a vector of {len(x)} numbers? \("):
        packed.value([1.0, 2.0, 3.0])

"""Slopes where a root, a norm or a size is 0: at the centres of radial and of even functions."""

import math

import numpy as np
import pytest
from beside import Beside

import autodiff_compiler as ac

RADIAL = (
    "sin(r)/r",
    "cos(r)",
    "cosh(r)",
    "exp(-r**2)",
    "(1 + r)*exp(-r)",
    "(1 + sqrt(5)*r + 5*r**2/3)*exp(-sqrt(5)*r)",
    "1/sqrt(1 + (3*r)**2)",
    "-(1 + cos(12*r))/(0.5*r**2 + 2)",
    "0.5 + (sin(r)**2 - 0.5)/(1 + 0.001*r**2)**2",
    "log(cosh(r))",
    "r*tanh(r)",
)
RADII = (
    ("hypot(x, y)", {"x": 0, "y": 0}),
    ("sqrt(x**2 + y**2)", {"x": 0, "y": 0}),
    ("sqrt((x - y)**2 + z**2)", {"x": 2, "y": 2, "z": 0}),
    ("sqrt(x**2 + y**2 + z**2)", {"x": 0, "y": 0, "z": 0}),
    ("hypot(hypot(x, y), x)", {"x": 0, "y": 0}),
    ("abs(x)", {"x": 0}),
    ("abs(x - y)", {"x": 1, "y": 1}),
    ("sqrt((x - y)**2)", {"x": 1, "y": 1}),
)


def matrix(rows):
    return np.array(rows, dtype=float)


@pytest.mark.parametrize(("radius", "point"), RADII, ids=[radius for radius, _ in RADII])
@pytest.mark.parametrize("function", RADIAL)
def test_even_functions_of_a_radius_bend_at_the_centre(function, radius, point):
    source = f"r = {radius}; {function}"
    fn = ac.compile(source, inputs=list(point))
    beside = Beside(source, list(point), list(point.values()))
    assert fn.gradient(*point.values()) == pytest.approx([0] * len(point), abs=1e-14)
    want = matrix(beside.second())
    assert matrix(fn.hessian(*point.values())) == pytest.approx(want, rel=1e-12, abs=1e-12)
    along = fn.hvp(list(point.values()), [1.0, *[0.0] * (len(point) - 1)])
    assert matrix(along) == pytest.approx(want[0], rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("function", RADIAL)
def test_norms_of_arrays_are_such_radii(function):
    source = f"r = norm(x - y); {function}"
    fn = ac.compile(source, shapes={"x": "n", "y": "n"})
    scalar = ac.compile(f"r = sqrt((x - u)**2 + (y - v)**2); {function}", inputs="x y u v")
    for x in (np.array([1.0, 2.0]), np.array([1.25, 1.5])):
        blocks = fn.hessian(x, [1.0, 2.0])
        want = matrix(scalar.hessian(*x, 1.0, 2.0))
        assert np.block([list(row) for row in blocks]) == pytest.approx(want, rel=1e-9, abs=1e-12)


def test_norms_along_an_axis_each_have_their_centre():
    source = "r = norm(x, axis=1); sum(exp(-r)*(1 + r)) + sum(r*r)*sum(cos(r))"
    fn = ac.compile(source, shapes={"x": "n, 2"})
    scalar = ac.compile(
        "r = hypot(a, b); s = hypot(c, d); (r*r + s*s)*(cos(r) + cos(s)) "
        "+ exp(-r)*(1 + r) + exp(-s)*(1 + s)",
        inputs="a b c d",
    )
    x, t = np.array([[0.0, 0.0], [0.5, -0.25]]), np.array([[1.0, 0.5], [2.0, -1.0]])
    want = np.reshape(scalar.hvp(x.ravel(), t.ravel()), (2, 2))
    got = fn.hvp((x,), (t,))[0]
    assert got[1] == pytest.approx(want[1], rel=1e-12)


SIZES = (
    ("max(z, 0) + log1p(exp(-abs(z)))", 0.5, 0.25),
    ("abs(z) + log1p(exp(-2*abs(z))) - log(2)", 0, 1),
    ("sign(z)*log(1 + abs(z))", 1, 0),
    ("sign(z)*expm1(abs(z))", 1, 0),
    ("sign(z)*abs(z)", 1, 0),
    ("where(z > -1, cos(abs(z)), 2) - abs(z)*sign(z)*z", 0, -3),
    ("abs(z)", 0, 0),
    ("sign(z)**2*z", 0, 0),
)


@pytest.mark.parametrize(("source", "slope", "bend"), SIZES)
def test_signs_of_0_do_not_hide_what_is_smooth(source, slope, bend):
    fn = ac.compile(source)
    assert fn.gradient(0.0) == (slope,)
    assert fn.hessian(0.0) == ((bend,),)
    assert ac.compile(f"sum({source})", shapes={"z": "n"}).hessian(np.zeros(2))[0][0].tolist() == [
        [bend, 0],
        [0, bend],
    ]


ROOTS = (
    ("sqrt(c*x*y)", (0, 2, 3), (math.inf, 0, 0)),
    ("sqrt(x*y*c)", (2, 3, 0), (0, 0, math.inf)),
    ("sqrt(c/x)", (0, 2), (math.inf, 0)),
    ("cbrt(c*x)", (0, 2), (math.inf, 0)),
    ("(c*x)**(1/3)", (0, 2), (math.inf, 0)),
    ("sqrt(p*(1 - p)/n)", (0, 10), (math.inf, 0)),
    ("t*sqrt(k/m)", (2, 0, 1), (0, math.inf, 0)),
    ("sqrt(-x)", (0,), (-math.inf,)),
    ("(-x)**0.5", (0,), (-math.inf,)),
    ("where(x > 0, sqrt(x), -sqrt(-x))", (0,), (math.inf,)),
    ("sqrt(abs(x))", (0,), (0,)),
    ("x*sin(sqrt(abs(x)))", (0,), (0,)),
    ("sqrt(sin(x)**2 + cos(x)*sin(y)**2)", (0, 0), (0, 0)),
    ("sqrt(cos(x)*sin(y)**2 + sin(x)**2)", (0, 0), (0, 0)),
    ("sqrt(2*x**2 + 2*b*x*y + y**2)", (0, 0.5, 0), (0, 0, 0)),
)


@pytest.mark.parametrize(("source", "point", "slopes"), ROOTS)
def test_roots_at_0_are_constant_in_what_does_not_move_them(source, point, slopes):
    fn = ac.compile(source)
    assert fn.gradient(*point) == slopes
    arrays = fn.gradient(*[np.array([v, v], float) for v in point])
    assert [a.tolist() for a in arrays] == [[s, s] for s in slopes]


FORMS = (
    "sqrt((x - y) @ S @ (x - y))",
    "sqrt(trace(outer(x - y, x - y)))",
    'sqrt(einsum("i,ij,j", x - y, S, x - y))',
    "sqrt((x - y)**2 @ (1 + y*y))",
)


@pytest.mark.parametrize("source", FORMS)
def test_quadratic_forms_are_norms(source):
    fn = ac.compile(source, shapes={"x": "n", "y": "n", "S": "n, n"}, inputs="x y S")
    at = np.array([0.5, -2.0]), np.array([0.5, -2.0]), np.array([[2.0, 0.5], [0.5, 1.0]])
    assert fn(*at) == 0
    assert all(not g.any() for g in fn.gradient(*at))
    moved = (at[0] + 1e-3, *at[1:])
    value, tangent = fn.jvp(moved, (np.ones(2), np.zeros(2), np.zeros((2, 2))))
    assert tangent == pytest.approx(value / 1e-3, rel=1e-9)  # of degree 1
    assert ac.compile("sqrt(sum(x))", shapes={"x": "n"}).gradient([0.0, 0.0])[0][0] == math.inf


@pytest.mark.parametrize(
    ("source", "point", "mixed"),
    [
        ("x**y", (2, 0), 0.5),
        ("x**y - 1", (2, 0), 0.5),
        ("(1 + x)**y", (1, 0), 0.5),
        ("xlogy(y, x)", (2, 0), 0.5),
        ("xlog1py(y, x)", (1, 0), 0.5),
        ("y*log(x)", (2, 0), 0.5),
    ],
)
def test_mixed_partials_where_an_exponent_or_a_factor_is_0(source, point, mixed):
    fn = ac.compile(source, inputs="x y")
    assert fn.hessian(*point)[0][1] == pytest.approx(mixed)
    assert fn.hvp(point, (0, 1))[0] == pytest.approx(mixed)
    assert fn.hvp(point, (1, 0))[1] == pytest.approx(mixed)


DISTANCES = "X: [n, k]; r = norm(X[:, None] - X[None], axis=2); "
KERNELS = (
    (DISTANCES + "z = ((1 + r)*exp(-r)) @ y; z @ z", "y: [n]; "),
    (DISTANCES + "K = (1 + r)*exp(-r) + eye(n)/2; y @ solve(K, y) + logdet(K)", "y: [n]; "),
    (DISTANCES + "sum(exp(-sin(pi*r/p)**2) @ y)", "p: []; y: [n]; "),
    ("X: [n, k]; t = norm(X, axis=1, keepdims=True); sum((P*cos(t))**2)", "P: [n, k]; "),
    ("X: [n, k]; t = norm(X, axis=1); sum((1 - cos(t))/t**2*y + (t - sin(t))/t**3)", "y: [n]; "),
    ("X: [n, k]; d = abs(X[:, 0] - X[:, 1]); sum(exp(-sin(pi*d/p)**2))", "p: []; "),
    ("X: [n, k]; r = sqrt(X[:, 0]**2 + X[:, 1]**2); sum(sin((1 + r + r**2/3)*exp(-r)))", ""),
)


@pytest.mark.parametrize(("source", "others"), KERNELS, ids=[source for source, _ in KERNELS])
def test_curvature_of_whole_arrays_where_points_are_the_same(source, others):
    fn = ac.compile(others + source)
    lengths, rng = {"n": 2, "k": 2}, np.random.default_rng(0)
    point = {
        name: np.zeros((2, 2))
        if name == "X"
        else rng.uniform(1, 2, [lengths[str(e)] for e in shape])
        for name, shape in fn.shapes.items()
    }
    along = {name: np.zeros_like(value) for name, value in point.items()}
    along["X"][0] = 0.75, -0.5
    h, found = 2e-4, fn.hvp(point, along)[fn.wrt.index("X")]
    ends = [fn(**(point | {"X": s * h * along["X"]})) for s in (1, 0, -1)]
    want = (ends[0] - 2 * ends[1] + ends[2]) / h**2
    assert np.sum(found * along["X"]) == pytest.approx(want, rel=2e-3)


FORMS = (
    "sqrt(Z[0] @ S @ Z[0])",
    "sqrt(Z[0] @ solve(S, Z[0]))",
    "sqrt(sum(Z[0]*(S @ Z[0])))",
    "sqrt(sum(w*Z[0]**2))",
    "sum(sqrt(sum(Z*(Z @ inv(S)), axis=1)))",
    "sum(sqrt(sum(Z*solve(S, Z').T, axis=1)))",
    "sum(sqrt(diagonal(Z @ S @ Z')))",
    'sum(sqrt(einsum("ij,jk,ik->i", Z, S, Z)))',
)


@pytest.mark.parametrize("source", FORMS)
def test_distances_by_a_matrix_have_slope_0_at_0(source):
    shapes = {"Z": ("n", "k"), "S": ("k", "k"), "w": ("k",)}
    fn = ac.compile(source, inputs=list(shapes), shapes=shapes)
    matrix, weights = np.array([[2.0, 0.5], [0.5, 1.0]]), np.array([1.0, 2.0])
    for slope in fn.gradient(np.array([[0.0, 0.0], [0.0, 0.0]]), matrix, weights):
        assert not np.any(slope)
    at = np.array([[0.5, -1.0], [0.0, 0.0]])
    h, step = 1e-6, np.array([[1.0, 0.5], [0.0, 0.0]])
    ends = [fn(at + s * h * step, matrix, weights) for s in (1, -1)]
    want = (ends[0] - ends[1]) / (2 * h)
    assert np.sum(fn.gradient(at, matrix, weights)[0] * step) == pytest.approx(want, rel=1e-6)


def test_second_slopes_beside_a_root_of_an_array_that_is_0():
    fn = ac.compile("cos(maximum(mean(b), std(x)))", shapes={"b": "n", "x": "m"})
    hessian = fn.hessian(np.array([1.38]), np.array([0.0]))
    assert hessian[0][0] == pytest.approx(np.array([[-math.cos(1.38)]]))
    assert hessian[1][0] == hessian[1][1] == 0.0

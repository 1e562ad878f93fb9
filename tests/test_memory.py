"""Results of loops in the memory of arrays that die there: what they are does not change."""

import numpy as np
import pytest

import autodiff_compiler as ac
from autodiff_compiler.backends.regions import BLOCK

ROWS, COLUMNS = 3 * BLOCK // 64, 64
SHAPES = {"X": ("m", "d"), "A": ("d", "d"), "y": ("m",)}
OVER = "  # written over"
RELU = "sum((maximum(X @ A + y[:, None], 0) @ A[0] - y)**2)"
PROGRAMS = (
    RELU,
    "Z = X @ A\nsum(where(Z > 0, exp(-Z), 1 + Z**2)*X)",
    "Z = X @ A\nsum(Z*exp(Z)*cos(Z)) + sum(Z[1:])",
    "Z = X @ A\nR = tanh(Z) @ A\nsum(exp(-R**2)*R*Z)",
    "G = A @ A\nsum(exp(-G)*(G.T*G - 1)*sin(G))",
)


def arguments(dtype):
    rng = np.random.default_rng(0)
    shapes = ((ROWS, COLUMNS), (COLUMNS, COLUMNS), (ROWS,))
    return [rng.normal(size=shape).astype(dtype) / 4 for shape in shapes]


def compiled(source, without=()):
    return ac.compile(source, inputs=[*SHAPES], shapes=SHAPES, without=without)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("source", PROGRAMS)
def test_a_result_in_the_place_of_an_operand_is_the_same(source, dtype):
    given = arguments(dtype)
    copies = [a.copy() for a in given]
    looped, straight = (compiled(source, w).gradient(*given) for w in ((), "blocks"))
    for got, want in zip(looped, straight, strict=True):
        assert got.dtype == dtype
        np.testing.assert_allclose(got, want, 0, 100 * np.finfo(dtype).eps * np.abs(want).max())
    assert all(np.array_equal(a, b) for a, b in zip(given, copies, strict=True))


def test_what_dies_in_a_loop_is_written_over():
    assert f"v3_bar = v3{OVER}" in compiled(RELU).source("gradient")


POSITIONED = (
    "x: [m, n]; y: [n]; i: []; sum(outer(x[i]/sum(y), y))",
    "x: [m, n]; y: [n]; i: []; e = exp(x[i]); sum(e*y + e)",
    "x: [m, n]; y: [m]; i: [k]; f = y*x[:, i[0]]; g = f*x[:, i[1]]; log(sum(g*x[:, i[0]]))",
    "x: [m, n]; y: [m]; i: [k]; p = softmax(x, axis=1); f = y*p[:, i[0]]; sum(f*p[:, i[1]])",
)


@pytest.mark.parametrize("source", POSITIONED)
def test_a_row_at_a_position_that_is_an_input_is_not_written_to(source):
    """NumPy gives a view of it, as of a row at a number."""
    fn, rng = ac.compile(source), np.random.default_rng(0)
    lengths = {"m": 3, "n": 4, "k": 2}
    point = {
        name: rng.uniform(0.5, 1, [lengths[str(e)] for e in shape])
        for name, shape in fn.shapes.items()
        if name != "i"
    }
    positions = {"i": 1 if not fn.shapes["i"] else np.array([1, 1])}
    before = {name: value.copy() for name, value in point.items()}
    direction = {name: np.ones_like(value) for name, value in point.items()}
    found = fn.jvp(point | positions, direction)[1]
    slopes = fn.gradient(**point, **positions)
    assert sum(np.sum(s) for s in slopes) == pytest.approx(found)
    h = 1e-6
    ends = [fn(**{n: v + s * h for n, v in point.items()}, **positions) for s in (1, -1)]
    assert found == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-6)
    for name, value in before.items():
        np.testing.assert_array_equal(point[name], value)


@pytest.mark.parametrize(
    "source", ["sum(x*x) + x[0, i[0]]", "x[0, i[0]]", "sum(x[:, i[0]]) + x[i[1], 0]"]
)
def test_elements_at_positions_that_are_inputs_keep_single_precision(source):
    fn = ac.compile(f"x: [m, n]; i: [k]; {source}", wrt="x")
    x, i = np.ones((2, 2), np.float32), np.array([1, 0])
    assert fn.gradient(x, i)[0].dtype == np.float32
    assert fn.hvp((x, i), (x,))[0].dtype == np.float32

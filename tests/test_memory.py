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

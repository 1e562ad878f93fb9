"""Programs of arrays as programs of scalars: a node for every element, none of the array code."""

from __future__ import annotations

import numpy as np
import pytest

import autodiff_compiler as ac
from autodiff_compiler.backends.evaluate import Evaluation, mpmath_algebra
from autodiff_compiler.checking.unroll import elements_of, unrolled
from autodiff_compiler.graph import STACK
from autodiff_compiler.parser import parse

PROGRAMS = [
    "x: [n]; A: [n, n]; x @ A @ x",
    "A: [n, n]; inv(A) + inv(2*eye(n)) + solve(tril(A)', A)",
    "A: [m, n, n]; det(A)",
    "A: [n, n]; h = A @ A' + eye(n); logdet(h) + sum(cholesky(h))",
    "x: [n]; i: [m]; x[i]**2",
    "x: [n]; i: [m]; x[i - 1]**2 + x[i - 1 + i[0]]",
    "x: [n]; i: [m]; x[i - 1]**2 + i",
    "x: [n]; softmax(x) + logsumexp(x)",
    "x: [n]; A: [n, m]; [sum(x), max(A), norm(A), prod(x), n]",
    "A: [n, m]; pinv(A)",
    "A: [n, m]; B: [m, n]; kron(A, B)[::-2, None, :n]",
    "A: [n, m]; x: [m]; where(A > 1, A*x, 0)",
    "A: [n, n]; cofactor(A) + cofactor_along(A, A' @ A)",
]
EXTENTS = {"n": 3, "m": 2}


def points(fn, extents=EXTENTS):
    """Values for every input; positions as whole numbers."""
    rng = np.random.default_rng(0)
    for name, node in fn._graph.inputs.items():
        shape = [n if isinstance(n, int) else n.at(extents) for n in node.shape]
        yield name, rng.integers(0, 2, shape) if name == "i" else rng.uniform(0.5, 2, shape)


@pytest.mark.parametrize("source", PROGRAMS)
def test_the_elements_have_the_values_of_the_compiled_program(source):
    fn = ac.compile(source)
    point = dict(points(fn))
    graph, output = unrolled(*parse(source), EXTENTS, point)
    assert not any(node.shape for node in graph.nodes if node.op is not STACK)
    outputs = output.args if output.op is STACK else (output,)
    found = Evaluation(graph, outputs, mpmath_algebra(30)).at(elements_of(point))
    assert [float(v) for v in found] == pytest.approx(np.ravel(fn(**point)), rel=1e-12)


def test_elements_are_called_by_their_positions():
    graph, output = unrolled(*parse("X: [n, m]; y = X*w; y"), EXTENTS)
    assert list(graph.inputs) == [*(f"X[{i}, {j}]" for i in range(3) for j in range(2)), "w"]
    assert graph.names[output.args[-1]] == "y[2, 1]"
    assert graph.places[output.args[0]] == len("X: [n, m]; y = X")


def test_positions_have_to_be_known():
    with pytest.raises(ValueError, match="i holds positions"):
        unrolled(*parse("x: [n]; i: [m]; x[i]"), EXTENTS)
    with pytest.raises(ValueError, match="positions are computed"):
        unrolled(*parse("x: [n]; i: [m]; x[i + 1]*i"), EXTENTS)
    with pytest.raises(ValueError, match="outside its axis"):
        unrolled(*parse("x: [n]; x[4]"), EXTENTS)


def test_extents_have_to_fit():
    with pytest.raises(ValueError, match="no value for k"):
        unrolled(*parse("x: [k]; sum(x)"), EXTENTS)
    with pytest.raises(ValueError, match=r"shape \(-1,\)"):
        unrolled(*parse("x: [n - 4]; sum(x)"), EXTENTS)


@pytest.mark.parametrize("n", [0, 1])
def test_nothing_and_one(n):
    graph, output = unrolled(*parse("x: [n]; A: [n, n]; sum(x) + prod(x) + trace(A @ A)"), {"n": n})
    assert len(graph.inputs) == n + n * n
    value = Evaluation(graph, [output], mpmath_algebra(15)).at(dict.fromkeys(graph.inputs, 2))
    assert value == [8.0 if n else 1.0]
    with pytest.raises(ValueError, match="no elements"):
        unrolled(*parse("x: [n]; A: [n, 2, 2]; det(A) + x"), {"n": 0})
    with pytest.raises(ValueError, match="of no elements"):
        unrolled(*parse("x: [n]; max(x)"), {"n": 0})


def test_without_values_eliminations_take_what_is_not_plainly_zero():
    source = "a: [2]; J = [[0, 1], [1, 0]]; inv(J)/a"
    graph, output = unrolled(*parse(source), {})
    found = Evaluation(graph, output.args, mpmath_algebra(15)).at({"a[0]": 2, "a[1]": 4})
    assert found == [0, 0.25, 0.5, 0]

"""Lengths in shapes: as names, as numbers, and what they may not be."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autodiff_compiler as ac


@pytest.mark.parametrize(
    ("source", "inputs", "shapes"),
    [
        ("n*mean(x)", "n x", {"x": ("n",)}),
        ("x*2", None, {"x": ("x",)}),
        ("n = 3; x: [n]; n*sum(x)", None, None),
        ("x: [n]; sum(x)", "x n", None),
    ],
)
def test_a_length_is_nothing_else(source, inputs, shapes):
    with pytest.raises(ac.ExpressionError, match="is a length in a shape, and an input or a var"):
        ac.compile(source, inputs=inputs, shapes=shapes)


@pytest.mark.parametrize("name", ["np", "float", "_dot", "_norm2", "_floats", "t1"])
def test_a_length_may_have_the_name_of_what_the_code_needs(name):
    fn = ac.compile(f"sum({name}*x) + norm2(x) + x@x", shapes={"x": (name,)})
    value, (slope,) = fn.value_and_gradient(np.ones(3))
    assert value == pytest.approx(12 + math.sqrt(3))
    np.testing.assert_allclose(slope, 5 + 1 / math.sqrt(3))


@pytest.mark.parametrize(
    ("source", "count", "wanted"),
    [
        ("prod(n*ones(70))*x[0]", 3, 3.0**70),
        ("w = cumsum(n*ones(n)); (w@w)*x[0]", 10**5, 1e10 * sum(k * k for k in range(10**5 + 1))),
        ("sum(softmax(n*ones(n))*x)", 7, 1.0),
        ("logsumexp(n*ones(n))*x[0]", 7, 7 + math.log(7)),
        ("prod([n, n*n, n**9, n**9])*x[0]", 1000, 1e63),
    ],
)
def test_a_length_is_a_number_that_does_not_wrap_around(source, count, wanted):
    fn = ac.compile(source, shapes={"x": ("n",)})
    assert fn(np.ones(count)) == pytest.approx(wanted, rel=1e-12)


@pytest.mark.parametrize("source", ["f(a) = sum([a, 1]); f(x)", "f(a, b) = [a, b]; f(x, y)"])
def test_the_elements_of_a_list_in_a_function_are_alike(source):
    with pytest.raises(ac.ExpressionError, match=r"in f: the elements of a list differ in shape"):
        ac.compile(source, shapes={"x": (3,)})


def test_placed_parts_of_different_shapes_are_not_merged():
    for source, wanted in (
        ("sum(sum(A, axis=0)[:1]) + sum(A[:,1])", [[1, 1, 0]] * 3),
        ("sum(A[:,1]) + sum(sum(A, axis=0)[:1])", [[1, 1, 0]] * 3),
        ("sum(sum(A, axis=0)[:1])*sum(A[1])", [[12, 0, 0], [21, 9, 9], [12, 0, 0]]),
    ):
        fn = ac.compile(source, shapes={"A": ("m", "n")})
        np.testing.assert_array_equal(fn.gradient(np.arange(9.0).reshape(3, 3))[0], wanted)


def test_functions_of_arrays_are_read_once_for_the_same_arguments():
    lines = ["f0(A) = A.T", *(f"f{k}(A) = f{k - 1}(A) + f{k - 1}(A)" for k in range(1, 39))]
    fn = ac.compile("; ".join([*lines, "sum(f38(x))"]), shapes={"x": (2, 2)})
    assert fn(np.ones((2, 2))) == 4 * 2.0**38


def test_an_array_has_so_many_axes():
    with pytest.raises(ac.ExpressionError, match="32 axes at most, not 33"):
        ac.compile("[" * 70 + "x" + "]" * 70)


def test_traces_of_lists_that_several_operations_take():
    point = {"x": 1.0, "y": 2.0, "A": np.eye(2)}
    trace = ac.compile("l = [x, y]; l@A@l", shapes={"A": (2, 2)}).trace("reverse", point)
    assert [row.value for row in trace.rows if row.symbol == "x_bar"][-1] == 2.0


def test_an_input_may_be_called_self():
    assert ac.compile("self**2 + x")(self=2, x=1) == 5.0
    assert ac.compile("self**2 + x", wrt="x").packed(self=2)([1.0]) == 5.0


def test_a_function_keeps_its_parts():
    fn = ac.compile("x + 1")
    with pytest.raises(AttributeError, match="cannot be changed"):
        del fn._source


def test_what_is_differentiated_by_is_not_bound():
    with pytest.raises(TypeError, match="x is part of the vector; leave it out of wrt"):
        ac.compile("x*y").packed(x=2)
    with pytest.raises(ValueError, match="x: int too large for a double"):
        ac.compile("x*y").packed().pack(10**400, 1)


def test_lengths_are_whole_numbers_wherever_they_are_given():
    fn = ac.compile("x: [n]; x @ x")
    given = (lambda n: fn.cost(n=n), lambda n: fn.packed(n=n))
    for give in (*given, lambda n: fn.check(extents={"n": n}, samples=1, accuracy=0)):
        assert give(np.int64(3))
        for wrong in (True, 2.5, "3"):
            with pytest.raises(TypeError, match="n: expected a whole number"):
                give(wrong)
        with pytest.raises(ValueError, match="n: expected at least 0"):
            give(-1)

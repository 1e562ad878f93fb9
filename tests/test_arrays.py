"""Whole arrays: every function in every form, against NumPy and against differences of NumPy."""

from __future__ import annotations

import inspect
import re
from functools import cache

import numpy as np
import pytest
from array_cases import CASES, POSITIONS, declared, inputs, point

import autodiff_compiler as ac
from autodiff_compiler.derivatives import KINDS, SCALAR_ONLY
from autodiff_compiler.language.arrays import FUNCTIONS
from autodiff_compiler.primitives import ARRAYS
from autodiff_compiler.shapes import shown

STEP = 1e-6
LOOSE = {"rtol": 2e-6, "atol": 2e-7}  # of what is compared with differences
CLOSE = {"rtol": 1e-9, "atol": 1e-10}

every_case = pytest.mark.parametrize(
    ("text", "reference"), CASES, ids=[text.replace(" ", "") for text, _ in CASES]
)


@cache
def compiled(text, names):
    source = declared(text, names)
    return ac.compile(source, inputs=[*names, *({"S"} - set(names) if "S: " in source else ())])


def case(text, reference):
    """The compiled function, the values of its inputs, and NumPy's function of all of them."""
    names = inputs(reference)
    fn = compiled(text, names)
    given = point(fn.inputs)

    def numpy(values):
        return np.asarray(reference(*(values[n] for n in names)), dtype=float)

    return fn, given, numpy


def directions(fn, seed):
    """A random tangent for each of `wrt`."""
    rng = np.random.default_rng(seed)
    return {n: rng.normal(size=np.shape(v))[()] for n, v in point(fn.wrt).items()}


def differences(function, given, wrt):
    """Central differences by every element, each input's behind the axes of the output."""
    found = []
    for name in wrt:
        columns = []
        for at in np.ndindex(*np.shape(given[name])):
            ends = []
            for h in (STEP, -STEP):
                moved = np.array(given[name], dtype=float)
                moved[at] += h
                ends.append(function({**given, name: moved[()]}))
            columns.append((ends[0] - ends[1]) / (2 * STEP))
        shape = np.shape(columns[0]) + np.shape(given[name])
        found.append(np.stack(columns, axis=-1).reshape(shape))
    return found


def check_shape(array, shape):
    """Results are floats or arrays of a shape, whatever they are compared with broadcasts to."""
    assert np.shape(array) == shape
    assert type(array) is (np.ndarray if shape else float)


@every_case
def test_the_value_is_that_of_numpy(text, reference):
    fn, given, numpy = case(text, reference)
    want = numpy(given)
    check_shape(fn(**given), want.shape)
    np.testing.assert_allclose(fn(**given), want, rtol=1e-11, atol=1e-12)


@every_case
def test_jacobian_and_products_are_those_of_differences(text, reference):
    fn, given, numpy = case(text, reference)
    want = differences(numpy, given, fn.wrt)
    found = fn.jacobian(**given)
    primals = [given[n] for n in fn.inputs]
    dots = directions(fn, 1)
    bar = np.random.default_rng(2).normal(size=numpy(given).shape)
    value, tangent = fn.jvp(primals, [dots[n] for n in fn.wrt])
    _, adjoints = fn.vjp(primals, bar[()])
    check_shape(tangent, bar.shape)
    np.testing.assert_allclose(value, fn(**given), rtol=1e-13)
    total = np.zeros(bar.shape)
    for name, block, adjoint, by_differences in zip(fn.wrt, found, adjoints, want, strict=True):
        shape = np.shape(given[name])
        check_shape(block, bar.shape + shape)
        check_shape(adjoint, shape)
        np.testing.assert_allclose(block, by_differences, **LOOSE)
        np.testing.assert_allclose(adjoint, np.tensordot(bar, block, bar.ndim), **CLOSE)
        total = total + np.tensordot(block, dots[name], len(shape))
    np.testing.assert_allclose(tangent, total, **CLOSE)


@cache
def squashed(text, names):
    """`sum(sin(...))` of a program: a number with second derivatives."""
    head, _, last = declared(text, names).rpartition("; ")
    fn = compiled(text, names)
    last = f"sum(sin({last}))" if fn._output.shape else f"sin({last})"
    return ac.compile(f"{head}; {last}" if head else last, inputs=fn.inputs)


@every_case
def test_hessian_and_its_products_are_differences_of_the_gradient(text, reference):
    names = inputs(reference)
    fn = squashed(text, names)
    given = point(fn.inputs)
    np.testing.assert_allclose(fn(**given), np.sin(case(text, reference)[2](given)).sum())
    blocks = fn.hessian(**given)
    dots = directions(fn, 3)
    primals = [given[n] for n in fn.inputs]
    products = fn.hvp(primals, [dots[n] for n in fn.wrt])
    for i, row in enumerate(blocks):
        want = differences(lambda v, i=i: np.asarray(fn.gradient(**v)[i]), given, fn.wrt)
        total = 0.0
        for name, block, by_differences in zip(fn.wrt, row, want, strict=True):
            check_shape(block, np.shape(given[fn.wrt[i]]) + np.shape(given[name]))
            np.testing.assert_allclose(block, by_differences, **LOOSE)
            total = total + np.tensordot(block, dots[name], np.ndim(given[name]))
        np.testing.assert_allclose(products[i], total, **CLOSE)


@every_case
def test_derivatives_as_formulas_are_read_back(text, reference):
    fn, given, _ = case(text, reference)
    shapes = {n: node.shape for n, node in fn._graph.inputs.items() if node.shape}
    lines = "".join(f"{n}: {shown(shape)}; " for n, shape in shapes.items())
    for name, block in zip(fn.wrt, fn.jacobian(**given), strict=True):
        again = ac.compile(lines + fn.derivative(name), inputs=fn.inputs)
        check_shape(again(**given), np.shape(block))
        np.testing.assert_allclose(again(**given), block, **CLOSE)


def kinds(fn):
    return [k for k in KINDS if not fn._output.shape or k not in SCALAR_ONLY]


@every_case
def test_modules_alone_give_the_same(text, reference):
    fn, given, numpy = case(text, reference)
    namespace = {}
    exec(compile(fn.source(*kinds(fn)), "module", "exec"), namespace)
    primals, dots = [given[n] for n in fn.inputs], directions(fn, 1)
    along = [dots[n] for n in fn.wrt]
    second = {"jvp": along, "hvp": along, "vjp": np.ones(numpy(given).shape)[()]}
    for kind in kinds(fn):
        arguments = (primals, second[kind]) if kind in second else primals
        want, got = getattr(fn, kind)(*arguments), namespace[kind](*arguments)
        same(got, want)


def same(got, want):
    """Nested tuples of equal arrays."""
    if isinstance(want, tuple):
        assert len(got) == len(want)
        for a, b in zip(got, want, strict=True):
            same(a, b)
    else:
        np.testing.assert_array_equal(got, want)


def in_single_precision(given):
    """Arrays of single precision; numbers are Python's, which have none."""
    return {
        n: v.astype(np.float32) if isinstance(v, np.ndarray) and n not in POSITIONS else v
        for n, v in given.items()
    }


# What makes arrays of its own makes them in double precision.
DOUBLE = re.compile(r"eye|ones|full|arange|\[c|\[\[[c1]|and")


@every_case
def test_single_precision_is_kept(text, reference):
    fn, given, _ = case(text, reference)
    value = fn(**in_single_precision(given))
    np.testing.assert_allclose(value, fn(**given), rtol=2e-4, atol=2e-5)
    if isinstance(value, np.ndarray) and not DOUBLE.search(text):
        assert value.dtype == np.float32
    fn = squashed(text, inputs(reference))
    gradient = fn.gradient(**in_single_precision(given))
    for found, want in zip(gradient, fn.gradient(**given), strict=True):
        np.testing.assert_allclose(found, want, rtol=2e-2, atol=2e-2)


@pytest.mark.parametrize(
    "source",
    [
        "sum((k[0]*x[:-2] + k[1]*x[1:-1] + k[2]*x[2:])**2)",
        "sum(x[1:]*k[0]) - x[0]*k[2] + sum(x**2)/k[1]**2",
        "x @ outer(x, k) @ k + max(x)",
    ],
)
def test_second_derivatives_stay_in_single_precision(source):
    fn = ac.compile(source, inputs="x k", shapes={"x": ("n",), "k": (3,)})
    x, k = np.linspace(1, 2, 5, dtype=np.float32), np.array([1, 2, 3], np.float32)
    single, double = (fn.hessian(x.astype(t), k.astype(t)) for t in (np.float32, float))
    for row, want in zip(single, double, strict=True):
        assert [block.dtype for block in row] == [np.float32] * 2
        for block, exact in zip(row, want, strict=True):
            np.testing.assert_allclose(block, exact, rtol=1e-4, atol=1e-4)


def test_every_row_is_reached_by_some_case():
    reached = set()
    for text, reference in CASES:
        for fn in (compiled(text, inputs(reference)), squashed(text, inputs(reference))):
            reached |= {node.op for node in fn._graph.nodes}
            for kind in kinds(fn):
                reached |= {node.op for node in fn._program(kind).graph.nodes}
    assert not [row.name for row in ARRAYS.values() if row not in reached]


def test_every_function_of_the_language_is_called_by_some_case():
    called = {name for text, _ in CASES for name in re.findall(r"\b(\w+)\(", text)}
    assert not sorted(FUNCTIONS.keys() - called)


def test_the_cases_take_what_they_say():
    for text, reference in CASES:
        for name in inputs(reference):
            assert re.search(rf"\b{name}\b", text), inspect.getsource(reference)

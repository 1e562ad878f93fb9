"""Beside SymPy's diff and lambdify, in one process; pytest-benchmark prints the ratios."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from formulas import FORMULAS

import autodiff_compiler as ac

NAMES = list(FORMULAS)


def ours(name):
    return ac.compile(FORMULAS[name][0])


def by_sympy(name):
    fn = ours(name)
    expression = sympy.sympify(FORMULAS[name][0])
    symbols = sympy.symbols(fn.inputs)
    outputs = [expression, *(expression.diff(s) for s in symbols)]
    return sympy.lambdify(symbols, outputs, modules="math", cse=True)


@pytest.mark.parametrize("name", NAMES)
def test_compile(benchmark, name):
    """From text to a first value and gradient."""
    benchmark.group = f"compile {name}"
    source, point = FORMULAS[name]
    benchmark(lambda: ac.compile(source, cache=False).value_and_gradient(*point))


@pytest.mark.parametrize("name", NAMES)
def test_compile_by_sympy(benchmark, name):
    benchmark.group = f"compile {name}"
    benchmark.pedantic(lambda: by_sympy(name)(*FORMULAS[name][1]), rounds=3)


@pytest.mark.parametrize("name", NAMES)
def test_call(benchmark, name):
    benchmark.group = f"call {name}"
    point = FORMULAS[name][1]
    value, gradient = benchmark(ours(name).value_and_gradient, *point)
    np.testing.assert_allclose((value, *gradient), by_sympy(name)(*point), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_call_by_sympy(benchmark, name):
    benchmark.group = f"call {name}"
    benchmark(by_sympy(name), *FORMULAS[name][1])


@pytest.mark.parametrize("kind", ["value", "value_and_gradient", "hessian"])
@pytest.mark.parametrize("name", ["textbook", "gauss", "rosenbrock100"])
def test_kinds(benchmark, name, kind):
    """What the derivatives cost beside the value."""
    benchmark.group = f"kinds of {name}"
    benchmark(getattr(ours(name), kind), *FORMULAS[name][1])


@pytest.mark.parametrize("size", [1, 1_000, 100_000])
def test_arrays(benchmark, size):
    benchmark.group = f"arrays of {size}"
    x = np.linspace(1, 250, size)
    benchmark(
        ours("gauss").value_and_gradient, *FORMULAS["gauss"][1][:2], x, *FORMULAS["gauss"][1][3:]
    )

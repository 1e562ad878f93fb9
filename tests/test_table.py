"""Every row of the table, in both modes and on every backend; a new row is tested by existing."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from oracle import Oracle, close

import autodiff_compiler as ac
from autodiff_compiler.graph import WHERE
from autodiff_compiler.primitives import BY_NAME, TABLE
from autodiff_compiler.primitives.ieee import can_raise, evaluator

FUNCTIONS = [row for row in TABLE if row.args and not row.boolean and row is not WHERE]
VALUE, PARTIAL = 2e-13, 2e-10  # relative; SciPy's own functions are less exact than the rest
SAMPLES = 4


def by_name(rows):
    return pytest.mark.parametrize("row", rows, ids=lambda row: row.name)


def source(row):
    return f"{row.name}({', '.join(row.args)})"


def compiled(row):
    wrt = [a for a, p in zip(row.args, row.partials, strict=True) if p is not None]
    return ac.compile(source(row), inputs=row.args, wrt=wrt)


def sample(row):
    rng = random.Random(row.name)
    return [tuple(rng.uniform(*interval) for interval in row.domain) for _ in range(SAMPLES)]


def same(a, b):
    return (math.isnan(a) and math.isnan(b)) or a == b or close(a, b, 1e-11, 1e-300)


@by_name(FUNCTIONS)
def test_value_and_both_modes_agree_with_mpmath(row):
    fn, oracle = compiled(row), Oracle(source(row), row.args)
    for point in sample(row):
        value, gradient = fn.value_and_gradient(*point)
        scale = max(1.0, abs(value))
        assert close(value, oracle.value(*point), VALUE, VALUE * scale)
        for k, name in enumerate(fn.wrt):
            want = oracle.partial(row.args.index(name), *point)
            seed = [float(other == name) for other in fn.wrt]
            assert close(gradient[k], want, PARTIAL, PARTIAL * scale), name
            assert close(fn.jvp(point, seed)[1], want, PARTIAL, PARTIAL * scale), name


@by_name(FUNCTIONS)
def test_generated_modules_give_the_same_numbers(row):
    fn = compiled(row)
    points = sample(row)
    for target, arguments in (("python", points), ("numpy", [tuple(zip(*points, strict=True))])):
        names: dict = {}
        exec(fn.source("value_and_gradient", target=target), names)
        for point in arguments:
            value, gradient = names["value_and_gradient"](*point)
            columns = [np.ravel(value), *map(np.ravel, gradient)]
            rows = zip(*columns, strict=True)
            for at, got in zip(points if target == "numpy" else [point], rows, strict=True):
                want = fn.value_and_gradient(*at)
                assert all(map(same, got, (want[0], *want[1])))


@by_name(FUNCTIONS)
def test_differences_agree(row):
    fn = compiled(row)
    for point in sample(row):
        gradient = fn.gradient(*point)
        for name, partial in zip(fn.wrt, gradient, strict=True):
            k, h = row.args.index(name), 1e-6
            above = fn(*[v + h * (j == k) for j, v in enumerate(point)])
            below = fn(*[v - h * (j == k) for j, v in enumerate(point)])
            assert close(partial, (above - below) / (2 * h), 1e-5, 1e-6 * max(1.0, abs(above)))


@by_name([row for row in FUNCTIONS if row.sympy is not None or row.define])
def test_sympy_agrees(row):
    sympy = pytest.importorskip("sympy")
    from autodiff_compiler.backends.evaluate import Evaluation, sympy_algebra
    from autodiff_compiler.parser import parse

    graph, output = parse(source(row), row.args)
    symbols = {name: sympy.Symbol(name, real=True) for name in row.args}
    try:
        expression = sympy.sympify(Evaluation(graph, [output], sympy_algebra()).at(symbols)[0])
    except NotImplementedError:
        pytest.skip("its definition uses a function that SymPy does not have")
    fn, point = compiled(row), sample(row)[0]
    values = {symbols[n]: sympy.Float(v, 30) for n, v in zip(row.args, point, strict=True)}
    for name, partial in zip(fn.wrt, fn.gradient(*point), strict=True):
        derivative = expression.diff(symbols[name])
        if derivative.has(sympy.Derivative, sympy.Subs, sympy.meijerg):
            continue  # SymPy has no closed form for the partial by this argument
        want = derivative.subs(values).evalf(20)
        if want.is_Float:  # else SymPy cannot evaluate one of its functions
            assert close(partial, want, PARTIAL, PARTIAL)


def value_or_nan(oracle, point):
    """mpmath's value; nan where it has none, or none that is a finite real number."""
    try:
        value = float(oracle.value(*point))
    except (ArithmeticError, ValueError, TypeError):
        return math.nan
    return value if math.isfinite(value) else math.nan


@by_name([row for row in FUNCTIONS if row.special])
def test_special_points_are_quiet_and_the_same_for_scalars_and_arrays(row):
    fn = compiled(row)
    for point in row.special:
        value, gradient = fn.value_and_gradient(*point)
        assert all(type(v) is float for v in (value, *gradient))
        want = value_or_nan(Oracle(source(row), row.args), point)
        assert math.isnan(want) or same(value, want), (point, value, want)
        arrays = fn.value_and_gradient(*[np.full(3, v) for v in point])
        for scalar, array in zip((value, *gradient), (arrays[0], *arrays[1]), strict=True):
            assert array.shape == (3,)
            assert all(same(scalar, v) for v in array), (point, scalar, array)


@by_name([row for row in FUNCTIONS if None in row.partials])
def test_what_is_not_differentiable_is_refused_by_name(row):
    for name, partial in zip(row.args, row.partials, strict=True):
        if partial is None:
            fn = ac.compile(source(row), inputs=row.args, wrt=name)
            with pytest.raises(ac.ExpressionError, match=f"{row.name} has no derivative.* {name}"):
                fn.gradient(*sample(row)[0])


@by_name([row for row in FUNCTIONS if can_raise(row)])
def test_helpers_never_raise(row):
    values = (0.0, -0.0, 1.0, -1.0, 0.5, 1e308, -1e308, math.inf, -math.inf, math.nan, -2.5)
    helper = evaluator(row)
    for x in values:
        for y in values if row.arity == 2 else (None,):
            helper(*((x, y) if y is not None else (x,)))


def test_names_are_unique():
    names = [name for row in TABLE for name in (row.name, *row.aliases)]
    assert len(names) == len(set(names)) == len(BY_NAME)


@by_name(TABLE)
def test_rows_are_complete(row):
    assert len(row.partials) == row.arity
    assert not row.args or len(row.domain) == row.arity
    assert all(len(point) == row.arity for point in row.special)
    assert row.python or row.symbol or row.scipy or row.define
    assert row.mpmath is not None or row.define
    assert row.note or None not in row.partials


def test_aliases_mean_the_same():
    assert ac.compile("ln(x)").gradient(2.0) == ac.compile("log(x)").gradient(2.0)
    assert ac.compile("Max(x, y)")(1.0, 2.0) == ac.compile("maximum(x, y)")(1.0, 2.0)

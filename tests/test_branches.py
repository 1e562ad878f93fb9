"""Plain Python computes in a branch what only that branch needs, and rows apart in functions."""

import ast
import math

import numpy as np
import pytest
import sympy as sp

import autodiff_compiler as ac
from autodiff_compiler.primitives import TABLE

PIECES = "where(x < 0, x*x*sin(x), where(x < 1, cosh(y*x)*(1 + cosh(y*x)), log(x)*y + y**2*log(x)))"
SHARED = "a = exp(x)*y\nwhere(x < y, a*sin(a), a*cos(a)) + where(x < y, sin(a), x)"
AROUND = "b = where(x < y, sin(x)*sin(x), y)\nwhere(x < y, exp(b)*exp(b*y), b) + b"
MANY = "0"
for k in range(60):
    MANY = f"where(x < {60 - k}, y*sin({k}*x)*exp(y*{k}/60) + exp(y*{k}/60), {MANY})"
POINTS = [(-1.5, 0.3), (0.5, 0.7), (2.5, -1.2), (7.3, 9.1), (59.5, 0.1), (0.7, 0.5)]
PROGRAMS = {"pieces": PIECES, "shared": SHARED, "around": AROUND, "many": MANY}
KINDS = ("value_and_gradient", "hessian")


def loaded(fn, kind):
    namespace = {}
    exec(fn.source(kind), namespace)
    return namespace[kind]


def flat(result):
    return np.concatenate([np.ravel(np.asarray(part, dtype=float)) for part in _leaves(result)])


def _leaves(tree):
    return [leaf for part in tree for leaf in _leaves(part)] if isinstance(tree, tuple) else [tree]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_branches_compute_what_arrays_select(name, kind):
    fn = ac.compile(PROGRAMS[name], inputs="x y")
    function = loaded(fn, kind)
    for point in POINTS:
        arrays = getattr(fn, kind)(*(np.full(1, v) for v in point))
        np.testing.assert_allclose(flat(function(*point)), flat(arrays), rtol=1e-13, atol=1e-13)


def calls_outside_branches(source, kind):
    """Functions that are called whichever branch is taken."""
    tree = next(n for n in ast.parse(source).body if getattr(n, "name", "") == kind)
    pending, found = [*tree.body], set()
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If):
            pending.append(node.test)
        elif not isinstance(node, ast.IfExp | ast.ExceptHandler):
            pending += ast.iter_child_nodes(node)
            found |= {node.func.id} if isinstance(node, ast.Call) else set()
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_a_branch_that_is_not_taken_costs_nothing(kind):
    source = ac.compile(PIECES).source(kind)
    assert not calls_outside_branches(source, kind)
    assert "elif" in ac.compile(PIECES).source("value")


def test_what_is_decided_around_a_choice_is_not_asked_again():
    fn = ac.compile("k = where(x > 0, x*exp(x)*x, x)\nwhere(x > 0, sin(k)*k, cos(k)*exp(k))")
    source = fn.source("value_and_gradient")
    assert source.count("if x > 0.0:") == 4  # for k and for the rest, in each of two functions
    assert calls_outside_branches(source, "value_and_gradient") == {"sin", "cos"}
    point, array = (0.7,), (np.array([0.7]),)
    np.testing.assert_allclose(flat(fn.hessian(*point)), flat(fn.hessian(*array)), rtol=1e-13)


def test_what_two_branches_need_is_computed_once_before_them():
    source = ac.compile(SHARED).source("value")
    assert calls_outside_branches(source, "value") == {"exp"}


def test_functions_in_branches_not_taken_do_not_raise():
    fn = ac.compile("where(x > 0, log(x)*log(x) + sqrt(x), x)")
    namespace = {}
    exec(fn.source("value_and_gradient"), namespace)
    namespace["value_and_gradient_ieee"] = None  # which is called where Python raises
    assert namespace["value_and_gradient"](-1.0) == (-1.0, (1.0,))


CONDITIONS = (
    ("where(x < x, x, y)", "x < x"),
    ("where(1 < y and y < x and x <= 9 and x > 2, x, y)", "1.0 < y < x and x <= 9.0 and x > 2.0"),
    ("where(x > 0 and x > 0, x, y)", "x > 0"),
    ("where(x > 0 or not x > 0, x, y)", ""),
    ("where(x > 0 and not x > 0, x, y)", ""),
    ("where(x > 0 or (not x > 0 and y > 0), x, y)", "x > 0.0 or y > 0.0"),
    ("where((not x > 0 and y > 0) or (x > 0 or not y > 0), x, y)", ""),
    ("where(x > 0 and (x > 0 or y > 0), x, y)", "x > 0"),
    ("where(x > 0, where(x > 0, x, y), y)", "x > 0"),
)


@pytest.mark.parametrize(("source", "condition"), CONDITIONS)
def test_conditions_are_simplified(source, condition):
    text = ac.compile(source, inputs="x y").source("value").partition("def value")[2]
    assert text.count(" > ") == condition.count(" > ")
    assert text.count(" < ") == condition.count(" < ")
    assert condition in text


APART = [row for row in TABLE if row.apart]


@pytest.mark.parametrize("row", APART, ids=lambda row: row.name)
@pytest.mark.parametrize("target", ["python", "numpy"])
def test_a_row_apart_is_a_function_of_the_module(row, target):
    fn = ac.compile(f"{row.name}({', '.join(row.args)})*2")
    source = fn.source("value", target=target)
    assert source.count(f"def _{row.name}(") == 1
    namespace = {}
    exec(source, namespace)
    for point in row.special:
        assert math.isclose(namespace["value"](*point), fn(*point), rel_tol=1e-14)


def test_a_name_of_the_users_is_not_that_of_such_a_function():
    fn = ac.compile("betaln(_betaln, b)*_betaln", inputs="_betaln b")
    namespace = {}
    exec(fn.source("value"), namespace)
    assert namespace["value"](2.0, 3.0) == fn(2.0, 3.0)


def test_densities_are_short():
    """A beta density, and its gradient, against SymPy's."""
    source = "x**(a - 1)*(1 - x)**(b - 1)/beta(a, b)"
    fn = ac.compile(source)
    assert len(fn.source("value_and_gradient").splitlines()) < 250
    x, a, b = sp.symbols("x a b", positive=True)
    density = x ** (a - 1) * (1 - x) ** (b - 1) * sp.gamma(a + b) / sp.gamma(a) / sp.gamma(b)
    for point in ((0.3, 2.0, 3.5), (0.4, 210.0, 301.0), (0.999, 4000.0, 3.0)):
        at = dict(zip((x, a, b), map(sp.Rational, map(str, point)), strict=True))
        want = [sp.N(density.diff(v).subs(at), 30) for v in (x, a, b)]
        np.testing.assert_allclose(fn.gradient(*point), np.array(want, float), rtol=1e-9)


def test_conditions_that_turn_out_to_be_the_same():
    """That the first condition always holds is found only when `square` is written out."""
    source = "h = x - 1; ratio(z, csc(h)**(h*y*h - 1))/(0.5 if 1.5 != square(3) else h - w) + 1"
    fn, namespace = ac.compile(source), {}
    exec(ac.compile(fn.derivative("x"), inputs=fn.inputs).source("value"), namespace)
    point = (2.5, 0.7, 1.2, 0.3)
    assert math.isclose(namespace["value"](*point), fn.gradient(*point)[0], rel_tol=1e-12)

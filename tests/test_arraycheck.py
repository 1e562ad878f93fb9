"""Certificates of programs of arrays: they pass what is right, and find what is wrong."""

from __future__ import annotations

import contextlib
import json

import numpy as np
import pytest

import autodiff_compiler as ac
from autodiff_compiler.checking.certificate import METHODS, SECOND
from autodiff_compiler.primitives import ARRAYS

RIGHT = [
    "x: [n]; A: [n, n]; x @ A @ x",
    "x: [n]; A: [m, n]; b: [m]; norm(A @ x - b)",
    "A: [n, n]; logdet(A @ A' + eye(n))",
    "A: [n, n]; sum(cholesky(A)*w)",
    "x: [n]; logsumexp(x) + max(x)*prod(x)",
    "x: [2*n + 1]; sum(x[::2])*n",
    "x: [n]; x[4]*x[0]",
]
LISTS = [
    "A: [n, n]; b: [n]; solve(A, b)",
    "x: [n]; i: [m]; x[i]**2",
    "x: [n]; A: [n, m]; [sum(x), max(A), n]",
    "A: [n, m]; kron(A, [[1, 2]])[1:, None]",
    "x: [n]; softmax(x)",
]


@pytest.mark.parametrize("source", RIGHT)
def test_right_derivatives_of_a_number_pass(source):
    certificate = ac.compile(source).check(samples=2, accuracy=0)
    assert certificate, certificate.text()
    assert set(certificate.worst) == set(METHODS) | set(SECOND)


@pytest.mark.parametrize("source", LISTS)
def test_right_derivatives_of_arrays_pass(source):
    certificate = ac.compile(source).check(samples=2, accuracy=0)
    assert certificate, certificate.text()
    assert set(certificate.worst) == set(METHODS)


@contextlib.contextmanager
def changed(row, **columns):
    """A row with other columns."""
    before = {name: getattr(row, name) for name in columns}
    for name, value in columns.items():
        object.__setattr__(row, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            object.__setattr__(row, name, value)


WRONG = [
    ("A: [n, n]; sum(inv(A))", "inv", {"adjoints": ("-out' @ bar @ out",)}, "reverse"),
    ("A: [n, n]; sum(inv(A))", "inv", {"tangents": ("-out @ dA @ out'",)}, "forward"),
    ("A: [n, n]; det(A)", "cofactor", {"tangents": ("cofactor_along(A', dA)",)}, "hessian"),
    ("A: [n, n]; det(A)", "cofactor", {"tangents": ("cofactor_along(A', dA)",)}, "hvp"),
    ("x: [n]; norm(x)", "norm2", {"slope": "1.001*x/out"}, "arrays"),
    ("x: [n]; sum(x)*x", "sum", {"spelling": lambda node, size: "{0}.max()"}, "value"),
]


def test_digits_that_differences_lose_are_no_disagreement():
    """Elements that do not change, of matrices whose decomposition rounds."""
    for source in ("2*cofactor(A)", "cofactor_along(A, A)"):
        assert ac.compile(f"A: [n, n]; {source}").check(accuracy=0)


def wrong_id(part):
    """A name without the addresses of functions, the same in every process."""
    return " ".join(part) if isinstance(part, dict) else str(part)


@pytest.mark.parametrize(("source", "row", "columns", "method"), WRONG, ids=wrong_id)
def test_wrong_rules_are_found(source, row, columns, method):
    with changed(ARRAYS[row], **columns):
        certificate = ac.compile(source, cache=False).check(samples=1, accuracy=0)
    assert not certificate
    assert method in {d.method for d in certificate.disagreements}
    assert "sympy" not in {d.method for d in certificate.disagreements}


def test_points_are_arrays_and_give_the_extents():
    fn = ac.compile("A: [m, n]; x: [n]; c*A @ x")
    point = {"x": [1, 2], "A": np.ones((4, 2)), "c": 3}
    certificate = fn.check([point, (np.ones((1, 3)), [1, 2, 3], 2.0)], accuracy=0)
    assert certificate, certificate.text()
    assert certificate.points[0] == {"x": [1.0, 2.0], "A": [[1.0, 1.0]] * 4, "c": 3.0}
    assert fn.check(certificate.points, accuracy=0).worst == certificate.worst


POINTS = [
    ([{"x": [1, 2]}], "points: expected values for x, A"),
    ([{"x": [1, 2], "A": [[1, 2]], "B": 1}], "points: expected values for x, A"),
    ([([1, 2],)], "points: expected values for x, A"),
    ([{"x": 1, "A": [[1, 2]]}], "x: expected an array"),
    ([{"x": [1, 2, 3], "A": np.ones((2, 2))}], "A: n is 2 here, but 3 in x"),
    ([{"x": [], "A": np.ones((0, 0))}], "no elements"),
]


@pytest.mark.parametrize(("points", "problem"), POINTS, ids=str)
def test_points_that_do_not_fit(points, problem):
    with pytest.raises(ValueError, match=problem):
        ac.compile("x: [n]; A: [n, n]; A @ x").check(points)
    with pytest.raises(TypeError, match="points"):
        ac.compile("x: [n]; A: [n, n]; A @ x").check([3])


def test_extents_can_be_given():
    fn = ac.compile("x: [n]; y: [m]; sum(x)*sum(y)")
    point = fn.check(samples=1, accuracy=0, extents={"m": 5}).points[0]
    assert (len(point["x"]), len(point["y"])) == (3, 5)
    assert fn.check(samples=1, accuracy=0, extents={"m": 0, "n": 1})
    for extents, problem in [({"k": 3}, "k"), ({"m": -1}, "m"), ({"m": 1.5}, "m")]:
        with pytest.raises((TypeError, ValueError), match=f"extents: {problem}"):
            fn.check(extents=extents)
    with pytest.raises(ValueError, match="extents"):
        ac.compile("x").check(extents={"n": 3})
    with pytest.raises(ValueError, match="extents: none of those tried fit"):
        ac.compile("x: [n]; x[5]").check(extents={"n": 2})


SPECIAL = [
    ("A: [n, n]; [det(A)]", {"A": [[1, 2], [2, 4]]}),
    ("A: [n, n]; [det(A)]", {"A": np.ones((3, 3))}),
    ("x: [n]; [det(outer(x, x))]", {"x": [1.1, 2.3, 0.7]}),  # 0 everywhere
    ("A: [n, n]; inv(A)", {"A": [[0, 1], [1, 0]]}),
    ("x: [n]; prod(x)", {"x": [0, 2, 3]}),
    ("x: [n]; prod(x)", {"x": [0, 2, 0]}),
    ("x: [n]; max(x)", {"x": [1, 2, 2]}),
    ("x: [n]; norm(x)", {"x": [0, 0]}),
    ("x: [n]; [norm(x)]", {"x": [1e200, 1e200]}),
    ("x: [n]; logsumexp(x)", {"x": [1e4, 1e4 + 1]}),
    ("x: [n]; i: [m]; sum(x[i]**2)", {"x": [1, 2, 3], "i": [0, 2, 2]}),
]


@pytest.mark.parametrize(("source", "point"), SPECIAL, ids=str)
def test_special_points_follow_the_conventions(source, point):
    certificate = ac.compile(source).check([point], accuracy=0)
    assert certificate, certificate.text()


def test_a_point_without_a_value_is_not_passed_over():
    certificate = ac.compile("A: [n, n]; cholesky(A)").check([{"A": -np.eye(2)}])
    assert not certificate
    assert certificate.unchecked == ({"A": [[-1.0, 0.0], [0.0, -1.0]]},)


def test_bits_of_error_are_measured_element_by_element():
    certificate = ac.compile("x: [n]; x**2 - 1").check(samples=1)
    found = {a.quantity: a for a in certificate.accuracy if a.range == "usual"}
    assert list(found) == [f"y[{k}]" for k in range(3)] + [
        f"dy[{k}]/dx[{j}]" for k in range(3) for j in range(3)
    ]
    assert len(found["y[0]"].point["x"]) == 3
    assert not ac.compile("x: [n]; y: [n]; sum(x) - sum(y)").check(bits=1)


def test_points_are_reproducible_and_json_is_complete():
    fn = ac.compile("x: [n]; i: [m]; x[i]*c")
    certificate = fn.check(seed=3)
    assert certificate.points == fn.check(seed=3).points != fn.check(seed=4).points
    assert json.loads(certificate.json())["points"] == list(certificate.points)


def test_many_elements_are_checked_in_part():
    fn = ac.compile("A: [n, n]; x: [n]; w*sum(sin(A @ x))")
    certificate = fn.check(samples=1, accuracy=0, extents={"n": 9})
    assert certificate, certificate.text()


def test_the_shell_checks_arrays(capsys):
    from autodiff_compiler.cli import main

    source = "x: [n]; sum(x**2)*c"
    arguments = ["check", source, "--at", "x=1,2", "--at", "c=3", "--accuracy", "0", "--json"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["points"] == [{"x": [1.0, 2.0], "c": 3.0}]
    assert main(["check", "x: [1]; sum(x)", "--at", "x=1", "--accuracy", "0"]) == 0

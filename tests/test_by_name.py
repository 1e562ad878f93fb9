"""Points and directions given by the names of the inputs."""

import numpy as np
import pytest

import autodiff_compiler as ac

PROGRAMS = {
    "x*y**2": {"x": 2.0, "y": 3.0},
    "x: [n]; sum(x)*y": {"x": np.array([1.0, 2.0]), "y": 3.0},
    "x*x_dot": {"x": 2.0, "x_dot": 3.0},
}
EACH = pytest.mark.parametrize("source", PROGRAMS)


def same(found, want):
    for one, other in zip(found, want, strict=True):
        np.testing.assert_array_equal(one, other)


@EACH
def test_tangents_and_directions(source):
    fn, at = ac.compile(source), PROGRAMS[source]
    backwards = dict(reversed(at.items()))
    for call in (fn.jvp, fn.hvp):
        same(call(backwards, backwards), call([*at.values()], [*at.values()]))


def test_arrays_for_numbers():
    fn, x = ac.compile("x*y"), np.array([1.0, 2.0])
    same(fn.jvp({"y": 3.0, "x": x}, {"x": 1.0, "y": x}), fn.jvp((x, 3.0), (1.0, x)))


def test_cotangents_of_what_is_differentiated_by():
    fn = ac.compile("[x, x*y]", wrt="y")
    same(fn.vjp({"y": 3, "x": 2}, [1, 2])[1], (4,))
    assert ac.compile("x*y", wrt="y").jvp({"y": 3, "x": 2}, {"y": 1})[1] == 2


@pytest.mark.parametrize(
    ("primals", "tangents", "match"),
    [
        ({"x": 1}, {"x": 1, "y": 1}, "primals: no y; expected x, y"),
        ({"x": 1, "y": 2}, {"x": 1}, "tangents: no y; expected x, y"),
        ({"x": 1, "y": 2}, {"x": 1, "y": 2, "z": 3}, "tangents: unknown z"),
    ],
)
def test_what_is_missing_or_unknown_is_named(primals, tangents, match):
    with pytest.raises(ValueError, match=match):
        ac.compile("x*y").jvp(primals, tangents)


@pytest.mark.parametrize("points", [(1, 2), {"x": 1, "y": 2}])
def test_one_point_is_no_list_of_points(points):
    with pytest.raises(TypeError, match="expected a list of points"):
        ac.compile("x*y").check(points)

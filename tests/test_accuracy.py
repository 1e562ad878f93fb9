"""Bits of error: what certificates say of lost digits is so, and they say where."""

from __future__ import annotations

import itertools
import json
import math

import mpmath
import pytest

import autodiff_compiler as ac
from autodiff_compiler.checking.certificate import BUCKETS
from autodiff_compiler.checking.sampling import whole
from autodiff_compiler.cli import main


def measured(source, count=20, stable=False):
    certificate = ac.compile(source, stable=stable).check(samples=1, accuracy=count)
    return {(a.quantity, a.range): a for a in certificate.accuracy}


@pytest.mark.parametrize("source", ["x*y", "exp(x)", "x/y", "sqrt(x)", "-x", "arctan(x)"])
def test_what_is_accurate_everywhere_is_said_to_be(source):
    for found in measured(source).values():
        assert found.points
        assert found.worst <= 1.6, found
        assert found.culprit is None


LOSSES = [
    ("exp(x)*y - (exp(x)*y + sin(y))", "f", "exp(x)*y - (exp(x)*y + sin(y))"),
    ("tan(x*1e6) + 1", "y", "tan(x*1000000.0)"),
    ("h = exp(x) + y; (h - exp(x))*cos(y)", "f", "h - exp(x)"),
    ("cosh(x) - sinh(x)", "y", "cosh(x) - sinh(x)"),
    ("x**7 - 7*x**6 + 21*x**5 - 35*x**4 + 35*x**3 - 21*x**2 + 7*x - 1", "y", None),
]


@pytest.mark.parametrize(
    "source", ["(1 - cos(x))/x**2", "log(1 + exp(x))", "sqrt(x*x + y*y)", "exp(x) - 1", "x/(x + y)"]
)
def test_what_is_rewritten_keeps_its_digits(source):
    for key, found in measured(source, 40, stable=True).items():
        assert found.mean <= min(1.5, measured(source, 40)[key].mean + 0.2), found


@pytest.mark.parametrize(("source", "quantity", "culprit"), LOSSES)
def test_the_culprit_is_named(source, quantity, culprit):
    found = measured(source)[quantity, "usual"]
    assert found.worst > 4
    assert found.culprit is not None
    if culprit is not None:
        assert found.culprit.expression == culprit
    assert found.culprit.line == 1
    assert source[found.culprit.column - 1] in "+-*/tc"


def test_a_culprit_may_be_an_overflow_or_an_underflow():
    found = measured("sqrt(x*x + y*y)", 60)["f", "whole"]
    assert found.worst == 64
    assert found.culprit.expression in ("x*x", "y*y")


def test_the_culprit_of_a_derivative_is_one_of_its_operations():
    found = measured("(x - 1)*exp(x)*cosh(x) - x*exp(x)*sinh(x)")
    assert found["y", "usual"].culprit.line == 1
    assert found["dy/dx", "usual"].culprit.expression


def test_a_culprit_in_a_later_line_has_its_place():
    found = measured("a = sin(x)\nb = (a + y) - y\nb*2")["f", "whole"]
    assert (found.culprit.line, found.culprit.column) == (2, 13)


def test_histograms_count_every_point():
    for found in measured("log(x)*cos(y) - x", 30).values():
        assert sum(found.histogram) == found.points == 30 or found.quantity != "f"
        assert len(found.histogram) == len(BUCKETS)
        assert 0 <= found.mean <= found.worst <= 64


def test_certificates_are_reproducible():
    fn = ac.compile("(x + y) - x*cos(y)")
    assert fn.check(seed=3).accuracy == fn.check(seed=3).accuracy
    assert fn.check(seed=3).accuracy != fn.check(seed=4).accuracy


def test_the_whole_range_is_covered():
    points = whole(["x"], 0)
    values = [next(points)["x"] for _ in range(2000)]
    sizes = sorted(math.frexp(v)[1] for v in values)
    assert all(math.isfinite(v) and v for v in values)
    assert sizes[0] < -1020
    assert sizes[-1] > 970
    assert max(b - a for a, b in itertools.pairwise(sizes)) < 40
    assert 800 < sum(v > 0 for v in values) < 1200


def test_what_is_right_is_what_mpmath_says_in_many_digits():
    with mpmath.workdps(3000):
        for found in measured("(x + y) - x", 40).values():
            x, y = (mpmath.mpf(v) for v in found.point.values())
            assert found.want == {"f": float((x + y) - x), "df/dx": 0, "df/dy": 1}[found.quantity]
        worst = measured("(1 - cos(x*y))/y", 40)["f", "whole"]
        x, y = (mpmath.mpf(v) for v in worst.point.values())
        assert worst.want == float((1 - mpmath.cos(x * y)) / y)


def test_slopes_are_those_of_mpmath_far_out():
    found = measured("log(a) + a*b - sin(b)", 25)
    assert found["y", "whole"].skipped
    assert found["dy/db", "whole"].worst < 2
    assert measured("sin(x)", 20)["dy/dx", "whole"].worst < 2
    assert measured("floor(x)*y + x", 20)["f", "whole"].points == 20


@pytest.mark.parametrize("source", ["hypot(x, y)", "cos(x)*y", "sec(x)", "sech(x)", "sinmx(x)"])
def test_a_value_that_stays_the_same_has_not_a_slope_of_0(source):
    """Where arguments are so small that it takes many digits to see them move it."""
    for found in measured(source, 40).values():
        assert found.points
        assert found.worst < 2, found


@pytest.mark.parametrize(
    "source", ["sind(x)", "cosd(x)", "tand(x)", "sind(x)*y", "sinpi(x)", "fmod(x, 7)"]
)
def test_angles_of_any_size_are_accurate(source):
    points = [{"x": x, "y": 3.0} for x in (-1e-300, -1e-9, 360.0, 5e17, 3e25, -3e299)]
    names = ["x", "y"] if "y" in source else ["x"]
    found = ac.compile(source).check([{n: p[n] for n in names} for p in points]).accuracy
    assert {a.points for a in found} == {len(points)}  # fmod takes as many digits as there are
    assert max(a.worst for a in found) < 5


@pytest.mark.parametrize(
    "source",
    ["where(x > 0, 3*x, exp(x))", "x*y if x > 1 and y > 1 else x - y", "xlogy(x, y)", "x*(x > 0)"],
)
def test_the_side_of_a_condition_that_is_taken_is_measured(source):
    for found in measured(source, 40).values():
        assert found.points >= 30
        assert found.worst < 3, found


@pytest.mark.parametrize("source", ["where(x < 0, 3, log(x))", "entr(x)", "xlogy(x*0, x)"])
def test_the_side_of_a_condition_that_is_not_taken_may_have_no_value(source):
    for found in ac.compile(source).check([{"x": -5.0}, {"x": 5.0}]).accuracy:
        assert found.worst < 2, found


def test_points_without_a_value_are_not_counted():
    found = measured("sqrt(x)", 40)["y", "whole"]
    assert found.points == 40
    assert found.skipped > 10
    found = measured("x**2*x**2", 40)["y", "whole"]
    assert found.skipped


def test_given_points_are_measured_instead():
    certificate = ac.compile("1 - cos(x)").check([(1e-5,), (1.0,)], bits=30)
    found = {a.quantity: a for a in certificate.accuracy}
    assert {a.range for a in certificate.accuracy} == {"given"}
    assert found["y"].points == 2


def test_accuracy_can_be_demanded():
    source = "x**3 - 6*x**2 + 11*x - 6"
    fn = ac.compile(source)
    assert fn.check(accuracy=20)
    certificate = fn.check(accuracy=20, bits=4)
    assert not certificate
    assert not certificate.disagreements
    assert str(certificate).startswith("FAILED")
    assert "more than the 4 allowed" in str(certificate)
    assert ac.compile("exp(x)*y").check(accuracy=20, bits=2)
    assert main(["check", source, "--accuracy", "20", "--bits", "4"]) == 1
    assert main(["check", source, "--accuracy", "20"]) == 0


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"accuracy": -1}, "accuracy"),
        ({"accuracy": 1.5}, "accuracy"),
        ({"accuracy": "many"}, "accuracy"),
        ({"samples": 2.5}, "samples"),
        ({"bits": 65}, "bits"),
        ({"bits": "few"}, "bits"),
        ({"points": 3}, "points"),
        ({"bits": 3, "accuracy": 0}, "bits"),
    ],
)
def test_bad_arguments_are_named(options, name):
    with pytest.raises((TypeError, ValueError), match=f"^{name}: "):
        ac.compile("x").check(**options)


def test_json_has_all_of_it():
    certificate = ac.compile("sqrt(x*x + y*y)", stable=False).check(samples=1, accuracy=20)
    data = json.loads(certificate.json())["accuracy"]
    assert len(data) == len(certificate.accuracy) == 6
    assert list(data[0]["histogram"]) == list(BUCKETS)
    assert sum(data[0]["histogram"].values()) == data[0]["points"]
    culprits = [d["culprit"]["expression"] for d in data if d["culprit"]]
    assert set(culprits) <= {"x*x", "y*y"}
    assert culprits


def test_the_text_is_short_enough_to_read():
    source = "+".join(f"x{k}*sin(x{k})" for k in range(30))
    certificate = ac.compile(source).check(samples=1, accuracy=2)
    lines = str(certificate).splitlines()
    assert len(lines) < 110
    assert any("more, none of them above" in line for line in lines)
    assert all(line.isascii() for line in lines)

"""Formulas at two points, beside a high-precision evaluation: their difference and its quotient."""

import pytest
from oracle import Oracle, bits

import autodiff_compiler as ac

FORMULAS = (
    "{0}*exp({0})",
    "exp({0})*sin({0})",
    "exp(sin({0}))",
    "log(sin({0}))",
    "sin({0})*cos(2*{0})",
    "sin({0})**2",
    "tanh({0}**2)",
    "exp(-{0}**2)",
    "1/(1 + {0}**2)",
    "{0}/(1 + exp({0}))",
    "({0} + 1)/({0}**2 + 1)",
    "sqrt(1 + sin({0}))",
    "cbrt({0})*exp(-{0})",
    "{0}*log({0})",
    "log(1 + exp({0}))",
    "expit(3*{0} - 1)",
    "-(exp({0})*{0})",
)
POINTS = tuple((x, h) for x in (0.7, 1.3) for h in (1e-12, -1e-8, 1e-4, 0.01, 0.3, 1.0))
STEP = 2.0**-40
by_formula = pytest.mark.parametrize("formula", FORMULAS)


def errors(source, points):
    """Bits of error of the value and of the partials, at each point."""
    fn = ac.compile(source, inputs=["x", "h"])
    oracle = Oracle(source, fn.inputs, 80)
    for point in points:
        value, slopes = fn.value_and_gradient(*point)
        wanted = [oracle.partial(k, *point) for k in range(2)]
        yield (
            bits(value, float(oracle.value(*point))),
            *(bits(got, float(want)) for got, want in zip(slopes, wanted, strict=True)),
        )


@by_formula
def test_a_difference_keeps_its_digits(formula):
    source = f"{formula.format('(x + h)')} - {formula.format('x')}"
    for point, (value, _, by_step) in zip(POINTS, errors(source, POINTS), strict=True):
        assert max(value, by_step) < 8, point


@by_formula
def test_a_difference_quotient_keeps_its_digits(formula):
    source = f"({formula.format('(x + h)')} - {formula.format('x')})/h"
    for point, (value, *_) in zip(POINTS, errors(source, POINTS), strict=True):
        assert value < 8, point


@by_formula
def test_a_difference_quotient_has_its_limit(formula):
    quotient = ac.compile(f"({formula.format('(x + h)')} - {formula.format('x')})/h")
    slope = Oracle(formula.format("x"), ["x"], 80)
    point = {"x": 0.7, "h": 0}
    assert quotient(**point) == pytest.approx(float(slope.partial(0, 0.7)), rel=1e-14)
    by_step = quotient.gradient(**point)[quotient.inputs.index("h")]
    above, below = (slope.partial(0, 0.7 + step) for step in (STEP, -STEP))
    assert by_step == pytest.approx(float(above - below) / (4 * STEP), rel=1e-12)


@by_formula
def test_a_secant_has_its_limit(formula):
    secant = ac.compile(f"({formula.format('x')} - {formula.format('y')})/(x - y)")
    slope = Oracle(formula.format("x"), ["x"], 80)
    assert secant(x=0.7, y=0.7) == pytest.approx(float(slope.partial(0, 0.7)), rel=1e-14)


@by_formula
def test_far_apart_it_is_as_written(formula):
    source = f"({formula.format('(x + h)')} - {formula.format('x')})/h"
    fn, written = ac.compile(source), ac.compile(source, stable=False)
    for point in ({"x": 0.7, "h": 40}, {"x": 30, "h": -29.5}, {"x": -0.5, "h": 0.6}):
        got, want = fn.value_and_gradient(**point), written.value_and_gradient(**point)
        assert got[0] == pytest.approx(want[0], rel=1e-12, nan_ok=True)
        assert got[1] == pytest.approx(want[1], rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    "source",
    ["a*b - c*d", "x*sin(a) - x*sin(b)", "a/b - c/d", "exp(a)*a - exp(b)*b", "sin(a)*a - 2"],
)
def test_what_does_not_cancel_stays(source):
    found = [r.rule for r in ac.compile(source).rewrites if r.name == "stable"]
    assert "a formula at two points, by the rules of differences" not in found


NORMS = "sqrt((x + h)**2 + (1 - h)**2) - sqrt((x - h)**2 + (1 + h)**2)"


@pytest.mark.parametrize("point", [(0.7, 1e-12), (3.0, -1e-9), (1e-9, 0.3), (40.0, 1e-7)])
def test_differences_of_norms_of_sums_keep_their_digits(point):
    ((value, *slopes),) = errors(NORMS, [point])
    assert max(value, *slopes) < 8


def test_norms_of_sums_whose_squares_leave_the_range():
    fn = ac.compile("sqrt((a + d)**2 + (b - c)**2) - sqrt((a - d)**2 + (b + c)**2)")
    for size in (1e-170, 1e170):
        assert fn(size, size, 0.0, 0.0) == 2 * size
        assert fn.gradient(size, size, 0.0, 0.0) == (1, 1, 0, 0)

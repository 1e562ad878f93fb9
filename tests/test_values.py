"""Constants that are values of the function beside them, beside a high-precision evaluation."""

import pytest
from oracle import Oracle, bits

import autodiff_compiler as ac

STEPS = (1e-12, -1e-9, 1e-7, -1e-5, 1e-3, 0.1, -0.3, 1.0)
ROWS = (  # a formula, and where the two values of the function are the same
    ("sin(1 + h) - sin(1)", 0),
    ("cos(h - 4) - cos(-4)", 0),
    ("tan(1 + h) - tan(1)", 0),
    ("exp(2 + h) - exp(2)", 0),
    ("sqrt(2 + h) - sqrt(2)", 0),
    ("sqrt(9 + h) - 3", 0),
    ("(2 + h)**0.5 - 2**0.5", 0),
    ("log(2) - log(2 + h)", 0),
    ("log(0.5 + h) - log(0.5)", 0),
    ("log2(8 + h) - 3", 0),
    ("log10(100 + h) - 2", 0),
    ("cbrt(8 + h) - 2", 0),
    ("2 - cbrt(8 + h)", 0),
    ("2**(3 + h) - 8", 0),
    ("0.25 - 2**(h - 2)", 0),
    ("(4 + h)**1.5 - 8", 0),
    ("(2 + h)**2.5 - 2**2.5", 0),
    ("(8 + h)**(2/3) - 4", 0),
    ("sinh(1 + h) - sinh(1)", 0),
    ("cosh(1 + h) - cosh(1)", 0),
    ("tanh(1 + h) - tanh(1)", 0),
    ("expit(1 + h) - expit(1)", 0),
    ("arctan(1 + h) - arctan(1)", 0),
    ("(1 + h)**5 - 1", 0),
    ("32 - (2 + h)**5", 0),
    ("(h - 2)**7 + 128", 0),
    ("(1.5 + h)**4 - 5.0625", 0),
    ("exp(-(1 + h)**2) - exp(-1)", 0),
    ("arctan(h/4) - h/4", 0),
    ("h/4 - arctan(h/4)", 0),
    ("arctan(h/4) - sin(h/4)", 0),
)
QUOTIENTS = (
    ("(sin(x) - sin(1))/(x - 1)", 1),
    ("(cos(3) - cos(x))/(3 - x)", 3),
    ("(exp(x) - e)/(x - 1)", 1),
    ("(exp(x) - exp(-2))/(x + 2)", -2),
    ("(log(x) - log(3))/(x - 3)", 3),
    ("(1/x - 0.5)/(x - 2)", 2),
    ("(2**x - 4)/(2*x - 4)", 2),
    ("(x**1.5 - 8)/(x - 4)", 4),
    ("((1 + h)**5 - 1)/h", 0),
    ("(tanh(1 + h) - tanh(1))/h", 0),
    ("(arctan(x) - arctan(2))/(x - 2)", 2),
)


def losses(source, at):
    """Bits of error of the value and of the slope, beside a place."""
    fn, oracle = ac.compile(source), Oracle(source, ac.compile(source).inputs, 240)
    for step in STEPS:
        x = at + step
        value, (slope,) = fn.value_and_gradient(x)
        yield bits(value, float(oracle.value(x))), bits(slope, float(oracle.partial(0, x)))


@pytest.mark.parametrize(("source", "at"), ROWS)
def test_a_difference_keeps_its_digits(source, at):
    assert all(max(pair) < 6 for pair in losses(source, at)), list(losses(source, at))


@pytest.mark.parametrize(("source", "at"), QUOTIENTS)
def test_a_difference_quotient_keeps_its_digits(source, at):
    assert all(max(pair) < 10 for pair in losses(source, at)), list(losses(source, at))


@pytest.mark.parametrize(
    "source",
    [
        "sin(1 + h) - 0.8414709848078965",  # not sin(1), but the double beside it
        "sqrt(2 + h) - 1.4142135623730951",
        "(2 + h)**2.5 - 5.656854249492381",
        "exp(1 + h) - 2.718281828459045",
        "2**(h + 0.5) - 1.4142135623730951",
        "(1.1 + h)**5 - 1.61051",
    ],
)
def test_a_rounded_constant_is_what_it_says(source):
    fn, written = ac.compile(source), ac.compile(source, stable=False)
    assert fn.source("value") == written.source("value")


@pytest.mark.parametrize(
    ("source", "point"),
    [
        ("2**x - 8", -2000.0),
        ("x**2.5 - 2**2.5", 0.0),
        ("(cbrt(x) - 2)/(x - 8)", -8.0),
        ("(log(x) - log(3))/(x - 3)", 0.0),
        ("(exp(x) - e)/(x - 1)", -800.0),
        ("(1 + h)**5 - 1", -1.0),
        ("log2(x + 8) - 3", -8.0),
    ],
)
def test_far_away_it_is_as_written(source, point):
    fn, written = ac.compile(source), ac.compile(source, stable=False)
    for got, want in zip(
        fn.value_and_gradient(point), written.value_and_gradient(point), strict=True
    ):
        assert got == pytest.approx(want, nan_ok=True)


@pytest.mark.parametrize(
    ("source", "x"),
    [
        ("1/x - 1e-310", 3.0),
        ("1/x - 5e-324", 3.0),
        ("cbrt(x) - 1e200", 8.0),
        ("x**0.0625 - 1e300", 16.0),
    ],
)
def test_a_value_whose_inverse_leaves_the_range_is_as_written(source, x):
    assert ac.compile(source)(x) == ac.compile(source, stable=False)(x)


def test_whole_powers_of_a_negative_base_at_one_point_are_alike():
    assert ac.compile("(-2)**(x + h) - (-2)**x")(x=2.0, h=0.0) == 0

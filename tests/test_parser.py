"""The language: what each construct means, read through the compiled function."""

from __future__ import annotations

import math

import pytest

import autodiff_compiler as ac

VALUES = {
    "1 + 2*3": 7, "2*3 + 1": 7, "10 - 4 - 3": 3, "8/4/2": 1, "7/2*2": 7, "2**3**2": 512,
    "2^3": 8, "-2**2": -4, "(-2)**2": 4, "2**-1": 0.5, "-3 + 5": 2, "--3": 3, "+4": 4,
    "1e3": 1000, ".5": 0.5, "5.": 5, "1_000": 1000, "0777": 777, "1.5e-3": 0.0015,
    "7 % 4": 3, "-7 % 4": 1, "pi": math.pi, "e": math.e, "2*pi": 2 * math.pi,
    "1 if 2 > 1 else 3": 1, "1 if 2 < 1 else 3": 3, "where(1 < 2, 5, 6)": 5, "1 < 2": 1,
    "1 < 2 < 3": 1, "1 < 3 < 2": 0, "1 == 1 and 2 != 2": 0, "1 == 2 or 2 == 2": 1,
    "not 1 > 2": 1, "where(3, 1, 2)": 1, "(1 < 2) + (3 < 4)": 2, "max(1, 5, 3)": 5,
    "min(4, 2, 8)": 2, "log(8, 2)": 3, "hypot(2, 3, 6)": 7, "abs(-3)": 3, "ln(e)": 1,
    "f(x) = x**2; f(3)": 9, "f(x, y) = x*y; f(2, f(3, 4))": 24, "a = 2; b = a*a; b + a": 6,
    "a = 1; a = a + 1; a": 2, "(1 +\n 2)": 3, "1 + 2 # three": 3, "# three\n3\n": 3,
    "max(1, # first\n 2)": 2, "a = 3\r\na*2": 6, "2 \\\n + 3": 5, "[1, 2]'[1]": 2, "[1, 2].T[0]": 1, "2*π": 2 * math.pi,
    "[1, 2, 3][1]": 2, "[1, 2, 3][-1]": 3, "a = 4": 4, "sin(0) if not 0 else 1": 0,
    "not " * 400 + "1": 1, "0" * 5000 + "7": 7, "7 % (2*3)": 1, "(2**3)**2": 64, "7 % (6/2)": 1,
    "9**9**9": math.inf, "-1e308*10": -math.inf,
}  # fmt: skip


@pytest.mark.parametrize(("source", "value"), VALUES.items())
def test_values(source, value):
    assert ac.compile(source)() == pytest.approx(value, rel=1e-15)


@pytest.mark.parametrize(
    ("source", "inputs"),
    [
        ("b + a", ("b", "a")),
        ("x2*x1 + sin(x1)", ("x2", "x1")),
        ("f(t) = t*a; f(b)", ("a", "b")),
        ("f(x, y) = x*y*z", ("z", "x", "y")),
        ("e*x", ("x",)),
        ("E + I + S", ("E", "I", "S")),
        ("lambda*import + class", ("lambda", "import", "class")),
        ("print + open + np", ("print", "open", "np")),
        ("θ*Ω", ("θ", "Ω")),
        ("_ + __", ("_", "__")),
        ("h = x*2; h*y", ("x", "y")),
        ("1", ()),
        ("sqrt((x1 - x2)^2 + (y1 - y2)^2)", ("x1", "x2", "y1", "y2")),
        ("beta*gamma + zeta*k0", ("beta", "gamma", "zeta", "k0")),
    ],
)
def test_inputs_are_found_in_order_of_appearance(source, inputs):
    assert ac.compile(source).inputs == inputs


def test_declared_inputs_shadow_constants_and_functions():
    fn = ac.compile("e*gamma + beta", inputs="e, gamma, beta")
    assert fn(2.0, 3.0, 4.0) == 10.0
    assert fn.gradient(2.0, 3.0, 4.0) == (3.0, 2.0, 1.0)


def test_declared_inputs_may_be_unused_and_reordered():
    fn = ac.compile("x - y", inputs=["z", "y", "x"], wrt=["x"])
    assert (fn.inputs, fn.wrt) == (("z", "y", "x"), ("x",))
    assert fn.value_and_gradient(9.0, 1.0, 5.0) == (4.0, (1.0,))


def test_a_definition_at_the_end_is_the_program():
    fn = ac.compile("f(x, y) = x**2*y")
    assert fn.inputs == ("x", "y")
    assert fn.gradient(3.0, 2.0) == (12.0, 9.0)


def test_functions_see_what_was_defined_before_them():
    fn = ac.compile("a = 2*k\nf(x) = a*x\na = 100\nf(3)")
    assert fn(1.0) == 6.0


@pytest.mark.parametrize(
    "source",
    [
        "(" * 100_000 + "x" + ")" * 100_000,
        "-(" * 20_000 + "x" + ")" * 20_000,
        "sin(" * 3_000 + "x" + ")" * 3_000,
        "+".join(["x"] * 20_000),
        "x**" * 2_000 + "1",
        "x if x > 0 else " * 2_000 + "1",
    ],
    ids=["parentheses", "minus", "calls", "sum", "powers", "ternaries"],
)
def test_deep_and_long_sources_compile(source):
    fn = ac.compile(source)
    assert math.isfinite(fn(0.5))


def test_a_truth_value_that_has_a_name_is_one_again():
    named = ac.compile("t = x > 1\nu = not t\nwhere(t and x < 3, x, 2) if not u else u", inputs="x")
    assert "!= 0" not in named.source("value")
    assert [named(x) for x in (0.0, 2.0, 4.0)] == [1.0, 2.0, 2.0]


def test_three_thousand_inputs():
    names = [f"x{k}" for k in range(3_000)]
    fn = ac.compile(" + ".join(f"{n}**2" for n in names))
    value, gradient = fn.value_and_gradient(*[1.0] * 3_000)
    assert value == 3_000
    assert gradient == (2.0,) * 3_000


def test_a_huge_exponent_is_a_power_not_a_product():
    fn = ac.compile("x**1000000")
    assert len(fn.source()) < 4_000
    value, (slope,) = fn.value_and_gradient(1.000001)
    assert value == pytest.approx(1.000001**1e6, rel=1e-9)
    assert slope == pytest.approx(1e6 * 1.000001**999_999, rel=1e-9)


def test_programs_that_explode_are_refused():
    lines = ["f0(x) = sin(x)*x"] + [f"f{k}(x) = f{k - 1}(f{k - 1}(x))" for k in range(1, 40)]
    with pytest.raises(ac.ExpressionError, match="operations"):
        ac.compile("\n".join([*lines, "f39(x)"]))


@pytest.mark.parametrize(
    ("source", "same"),
    [
        ("f(x, y) = [x, y][0]; f(x) = [x, f(x, 1)][1] + 1; f(z)", "z + 1"),
        ("a = 2; f(x) = [x, a][1]*x; a = 3; f(z) + a", "2*z + 3"),
        ("f(x, y) = [x*y, 1][0]", "x*y"),
        ("f(x) = sum([x, x**2]); g(x) = f(x)*[x, 1][0]; g(z)", "(z + z**2)*z"),
    ],
)
def test_what_a_function_refers_to_is_what_it_was_where_it_was_defined(source, same):
    fn, other = ac.compile(source), ac.compile(same)
    point = (1.5, -0.75)[: len(fn.inputs)]
    assert fn.value_and_gradient(*point) == other.value_and_gradient(*point)

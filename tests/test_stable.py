"""The stable rewrites: each is its pattern, and loses no digits against it."""

from __future__ import annotations

import math
import random
import re
from dataclasses import replace

import numpy as np
import pytest
from oracle import Oracle, bits
from scipy import special

import autodiff_compiler as ac
from autodiff_compiler.laws.stable import STABLE

POINTS, DIGITS = 60, 700
SPECIAL = (1.0, -1.0, 2.0, 0.5)
# What functions bear, as decimal exponents of their arguments.
RANGES = {
    "exp|sinh|cosh|expm1|expit|logaddexp|tanh|x\\*\\*": (-12, 2.8),
    "sin|cos|tan": (-100, 100),
    "gamma|digamma|polygamma|factorial": (-2, 4),
}
# Arguments for which the terms of a law cancel, in t, u and w.
CANCELLING = {
    "d = x - y": {"x": "(t + u)", "y": "t"},
    "d = y - x": {"x": "t", "y": "(t + u)"},
    "d = (1 + x) - y": {"x": "t", "y": "t"},
    "d = (x*x + y*y) - (u*u + v*v)": {"x": "(t + 1)", "y": "w", "u": "t", "v": "w"},
    "d = u - b*b": {"b": "t", "u": "(t*t - w)"},
    "d = u*v - b*b": {"b": "t", "u": "(t - 1)", "v": "(t + 1)"},
    "d = u*u + v*v - b*b": {"b": "t", "u": "t", "v": "w"},
    "q = d/y": {"d": "(y*w)", "b": "t", "s": "u"},
    "r = x/y": {"x": "t", "y": "(t*u)"},
    "r = y/x": {"x": "t", "y": "(t*u)"},
    "k = x/y": {"x": "(t/3)", "y": "(t/2)"},
    "k = y/x": {"x": "(t/3)", "y": "(t/2)"},
    "r = x/z": {"x": "(t*u)", "z": "t"},
    "r = x/w": {"w": "x"},
    "r = w/x": {"w": "x"},
    "r = (x - y)/(u - v)": {"x": "t", "y": "s", "u": "(2*t)", "v": "(2*s)"},
    "r = (x - y)/z": {"x": "(t*z)", "y": "(s*z)"},
    "r = (u - v)/(x - y)": {"x": "(2*t)", "y": "(2*s)", "u": "t", "v": "s"},
}
WRITTEN = {variant.form() for law in STABLE for variant in law.variants}
MIRRORED = [law for law in STABLE if any(m.form() not in WRITTEN for m in law.mirrors)]
by_law = pytest.mark.parametrize("law", STABLE, ids=lambda law: law.name)


def constants(law):
    """A choice for the names that stand for constants."""
    for n in (2, 3, -2, math.pi / 4, math.pi / 2):
        if law.when is None or law.when(n=n):
            return {"n": n}
    raise AssertionError(law.name)


def with_constants(text, law):
    """A text with constants for `m` and `n`; parts of pi are meant exactly."""
    parts = {math.pi / 4: "pi/4", math.pi / 2: "pi/2"}
    for name, value in constants(law).items():
        if re.search(rf"\b{name}\b", text):
            text = f"{name} = {parts.get(value, value)}\n{text}"
    return text


def exponents(text):
    for functions, found in RANGES.items():
        if re.search(rf"\b({functions})", text):
            return found
    return (-120, 120)


def sample(text, names):
    """Points over the range that a text bears; every other one has arguments of like size."""
    rng, (low, high) = random.Random(text), exponents(text)
    for k in range(POINTS):
        scale = rng.uniform(low, high)
        yield tuple(
            rng.choice(SPECIAL) * (1 + position) if rng.random() < 0.1
            else rng.choice((-1, 1)) * 10 ** (min(scale + rng.random(), high) if k % 2 else rng.uniform(low, high))
            for position, _ in enumerate(names)
        )  # fmt: skip


def exact(function, *point):
    """A value in high precision; `None` where there is none."""
    try:
        value = function(*point)
        return None if value.imag != 0 or not math.isfinite(value) else value.real
    except (ArithmeticError, ValueError, TypeError):
        return None


@by_law
def test_a_law_is_its_pattern(law):
    names = [n for n in law.names if n not in ("m", "n")]
    given = f"{law.given}\n" if law.given else ""
    before = Oracle(with_constants(law.pattern, law), names, DIGITS)
    replacement = with_constants(f"out = {law.pattern}\n{given}{law.replacement}", law)
    after = Oracle(replacement, names, DIGITS)
    holds = Oracle(f"where({law.holds}, 1, 0)", names) if law.holds else None
    agreed = 0
    for point in sample(law.pattern, names):
        want, got = exact(before.value, *point), exact(after.value, *point)
        if want is None or (holds and not holds.value(*point)):
            continue
        scale = max(abs(want), abs(got if got is not None else 0), 1e-60)
        assert got is not None, point
        assert abs(got - want) <= 1e-17 * scale + 1e-40, point  # a series stops below an ulp
        agreed += 1
    assert agreed >= 3 or "d ==" in law.holds


def instance(law):
    """A program in which the law applies."""
    values = CANCELLING.get(law.given, {})
    text = re.sub(r"\b[a-z]\b", lambda m: values.get(m[0], m[0]), law.pattern)
    if "d ==" in law.holds:
        text = text.replace("conjugate_sum(x, ", "(x + ").replace(", d)", ")")
    return with_constants(text, law)


@by_law
def test_a_law_fires_and_is_reported_with_its_place(law):
    found = [r for r in ac.compile(instance(law)).rewrites if r.name == "stable"]
    names = {law.name, *([law.mirror_name] if law.mirrors else ())}
    assert names & {r.rule for r in found}, "it does not fire"
    assert all(r.line is not None and r.column is not None for r in found)
    assert not [r for r in ac.compile(instance(law), stable=False).rewrites if r.name == "stable"]


def other_way_round(text):
    """A difference with its operands exchanged."""
    depth = [text[:k].count("(") - text[:k].count(")") for k in range(len(text))]
    (minus,) = (k for k, d in enumerate(depth) if d == 0 and text.startswith(" - ", k))
    return f"{text[minus + 3 :]} - ({text[:minus]})"


@pytest.mark.parametrize("law", MIRRORED, ids=lambda law: law.name)
def test_a_difference_the_other_way_round_has_the_other_sign(law):
    mirrored = ac.compile(instance(replace(law, pattern=other_way_round(law.pattern))))
    straight = ac.compile(instance(law))
    assert [r for r in mirrored.rewrites if r.name == "stable"]
    for point in sample(law.pattern, straight.inputs):
        values = straight(*point), -mirrored(**dict(zip(straight.inputs, point, strict=True)))
        assert math.isclose(*values, rel_tol=1e-12, abs_tol=1e-300) or any(map(math.isnan, values))


@by_law
def test_a_law_loses_no_digits(law):
    source = instance(law)
    stable, written = ac.compile(source), ac.compile(source, stable=False)
    names, losses = stable.inputs, []
    oracle = Oracle(source, names, DIGITS)
    for point in sample(source, names):
        wanted = [exact(oracle.value, *point)]
        wanted += [exact(oracle.partial, k, *point) for k in range(len(names))]
        found = [(fn(*point), *fn.gradient(*point)) for fn in (stable, written)]
        for want, *got in zip(wanted, *found, strict=True):
            if want is not None and (not want or 1e-290 < abs(want) < 1e300):
                better, plain = (bits(value, float(want)) for value in got)
                losses.append(better - plain)
                lost = plain > 40 or (
                    not want and abs(got[0]) < 1e-15
                )  # nothing is right in either
                assert lost or better <= max(plain, 3) + 4, (point, got, float(want))
    assert sum(losses) <= 0.5 * len(losses)


@pytest.mark.parametrize(
    "source", ["x*x + 0.1 - x*x", "p = x*y; 0.1 + p - p", "p = x*x; q = p + 0.1; q + y - y - p"]
)
def test_a_product_that_is_added_and_taken_away_is_not_computed(source):
    fn = ac.compile(source, inputs="x y")
    assert fn(1e9, 3e7) == 0.1
    assert fn.gradient(1e9, 3e7) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("source", "value", "slope"),
    [
        ("c = 2500.0**5; 5 - c + x + c", 6.0, 1.0),
        ("c = 2500.0**5 + x; 5 - c + x + c", 6.0, 1.0),
        ("x + 1e20 + 1 - 1e20", 2.0, 1.0),
        ("x*(1e17 + 5) - 1e17*x", 5.0, 5.0),
        ("x*(1e17 + 5) + 1e17", 2e17, 1e17 + 5),
    ],
)
def test_a_constant_that_cancels_takes_no_digits_with_it(source, value, slope):
    fn = ac.compile(source)
    assert (fn(1.0), *fn.gradient(1.0)) == (value, slope)
    assert ac.compile(fn.derivative("x"), inputs="x")(1.0) == slope


def test_constants_that_wait_to_cancel_are_folded_in_the_end():
    """Python's powers of negative numbers are complex, where NumPy's are nan."""
    names = {}
    source = "c = tan(3.14159)*-3; logaddexp(tanhmx(c)**c, x)"
    exec(ac.compile(source).source("value", target="numpy"), names)
    assert np.isnan(names["value"](np.ones(3))).all()


@pytest.mark.parametrize("without", ["", "simplify"])
@pytest.mark.parametrize(
    "text",
    [
        "0 if x <= 0 else -x*log(x)",
        "where(x <= 0, 5, -sqrt(x))",
        "where(x > 0, -sqrt(x), 5)",
        "where(x <= 0, 5, 3 - y*log(x))",
        "where(x <= 0, 5, exp(-sqrt(x)))",
        "where(x > 0, exp(-sqrt(x)), 5)",
    ],
)
def test_signs_do_not_hide_that_a_branch_is_not_taken(text, without):
    fn = ac.compile(text, inputs="x y", without=without)
    assert fn.gradient(0.0, 0.5) == fn.jvp((0.0, 0.5), (1.0, 1.0))[1:] * 2 == (0.0, 0.0)
    slopes = ac.compile(f"sum({text})", inputs="x y", shapes={"x": (2,)}, without=without)
    assert not slopes.gradient([0.0, -1.0], 0.5)[0].any()


@pytest.mark.parametrize(
    "text", ["x**3/(exp(x) - 1)", "1/(exp(x) - 1)", "x/(exp(x) - 1)**2*exp(x)", "1/sinh(x)"]
)
def test_forward_is_as_stable_as_reverse(text):
    fn, x = ac.compile(text), 350.0
    assert math.isclose(fn.jvp((x,), (1.0,))[1], fn.gradient(x)[0], rel_tol=1e-13)
    assert math.isclose(fn.hvp((x,), (1.0,))[0], fn.hessian(x)[0][0], rel_tol=1e-13)
    whole = ac.compile(text, shapes={"x": (2,)})
    assert math.isclose(whole.jvp(([x, x],), ([1.0, 0.0],))[1][0], fn.gradient(x)[0], rel_tol=1e-13)


def test_hyperbolic_cosines_do_not_overflow_under_a_logarithm():
    for text in ("log(exp(x) + exp(-x))", "log(2*cosh(x))"):
        assert ac.compile(text).value_and_gradient(720.0) == (720.0, (1.0,))


@pytest.mark.parametrize("x", [25.5, 26.6, 30.0, 1e3, 1e100])
def test_a_scaled_complementary_error_function_does_not_overflow(x):
    value, (slope,) = ac.compile("exp(x**2)*(1 - erf(x))").value_and_gradient(x)
    assert value == pytest.approx(special.erfcx(x), rel=1e-14)
    assert slope == pytest.approx(ac.compile("erfcx(x)").gradient(x)[0], rel=1e-14)


@pytest.mark.parametrize(
    ("source", "point"),
    [
        ("(x*x - y*y)*y + 2*x*y*x", (1e-9, 1.0)),
        ("(x*x - y*y)*z", (1e-9, 1.0, 3.0)),
        ("n*t/tanh(t*s)", (1.0, 10.0, 10.0)),
        ("(1 - exp(-k*t))/k", (1.0, 30.0)),
        ("tanh(a*t)/a", (1.0, 30.0)),
        ("erf(a*t)/a", (1.0, 5.0)),
        ("t/(exp(a*t) - 1)", (40.0, 1.0)),
        ("b*k*a/tanh(k*a)", (2.0, 1e-9, 3.0)),
        ("c/a*(1 + v/c - sqrt((1 + v/c)**2 - 2*(a*(z - y))/(c*c)))", (5.0, 1e-9, 0.1, 0.5, 0.25)),
    ],
)
def test_the_slopes_of_a_stable_form_are_stable(source, point):
    fn = ac.compile(source)
    oracle = Oracle(source, fn.inputs, 200)
    for k, slope in enumerate(fn.gradient(*point)):
        assert bits(slope, float(oracle.partial(k, *point))) < 8, k

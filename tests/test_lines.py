"""Every line of a trace, evaluated from the lines above it, is what the trace says."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import autodiff_compiler as ac

ROWS = (
    ("(1 - x)**2 + 100*(y - x**2)**2", {"x": 1, "y": 3}),
    ("x**2*y/(1 + exp(-x*y))", {"x": 0.5, "y": 3}),
    ("x - (y - x)", {"x": 0.5, "y": 3}),
    ("(-x)**2 + x**(-y)", {"x": 0.5, "y": 3}),
    ("(x**y)**z", {"x": 0.5, "y": 3, "z": 2}),
    ("max(x, y, z)", {"x": 0.5, "y": 3, "z": 2}),
    ("max(x, y)**2*min(x, z)", {"x": 0.5, "y": 0.5, "z": 2}),
    ("cbrt(x)**2*abs(y)", {"x": 0.5, "y": -3}),
    ("where(x > 0, x*log(x), 0)", {"x": -1}),
    ("where(x == 0, 1, sin(x)/x)", {"x": 0}),
    ("where(x > 0, sqrt(x), x**2)", {"x": -2}),
    ("[x*y, x, x*y]", {"x": 2, "y": 3}),
    # names that look like those of a trace
    ("x0 + v0*t + a*t**2/2", {"x0": 1, "v0": 2, "t": 3, "a": 4}),
    ("v0 = x*y; v0*x", {"x": 2, "y": 3}),
    ("v1*v_1 + w1*2", {"v1": 2, "v_1": 3, "w1": 5}),
    ("x*x_dot + x_dot**2", {"x": 2, "x_dot": 3}),
    ("y_bar*x + y", {"y_bar": 2, "x": 3, "y": 4}),
    ("a1 = x + y; a1_bar = a1*2; a1_bar*a1", {"x": 2, "y": 3}),
    ("a = x*y; a = a*2; a*a", {"x": 2, "y": 3}),
    # arrays that are repeated along axes
    ("x: [n]; a*x + b", {"a": 2, "x": [1, 2, 3], "b": 1}),
    ("x: [n]; x/sum(x)", {"x": [1, 2, 3]}),
    ("x: [n]; sum(a*exp(-b*x))", {"a": 2, "b": 0.5, "x": [1, 2, 3]}),
    ("A: [m, n]; x: [n]; (A*x)/c", {"A": [[1, 2], [3, 4]], "x": [1, 2], "c": 3}),
)


def traced(source, point, mode):
    fn = ac.compile(source, inputs=[n for n in point if re.search(rf"\b{n}\b", source)])
    at = {n: np.array(v, float) if isinstance(v, list) else float(v) for n, v in point.items()}
    if mode == "forward":
        seed = {n: np.full(np.shape(v), 1.5)[()] for n, v in at.items()}
    else:
        value = np.asarray(fn(**at))
        seed = np.full(value.shape, 1.5) if value.ndim else 1.5
    return at, fn.trace(mode, at=at, seed=seed)


def evaluated(formula, known):
    """A formula, with values for the symbols in it."""
    names = {s: f"q{k}_" for k, s in enumerate(sorted(known, key=len, reverse=True))}
    symbols = "|".join(map(re.escape, names))
    sized = formula.replace("(n,)", "(3,)")
    text = re.sub(rf"(?<!\w)({symbols})(?!\w)", lambda match: names[match[1]], sized)
    given = {name: known[symbol] for symbol, name in names.items() if name in text}
    shapes = {name: np.shape(value) for name, value in given.items()}
    return ac.compile(text, inputs=list(given), shapes=shapes, stable=False)(**given)


@pytest.mark.parametrize("mode", ["forward", "reverse"])
@pytest.mark.parametrize(("source", "point"), ROWS, ids=[source for source, _ in ROWS])
def test_every_line_gives_its_value(source, point, mode):
    at, trace = traced(source, point, mode)
    known = dict(at)
    for row in trace.primal:
        np.testing.assert_allclose(evaluated(row.formula, known), row.value, rtol=1e-12)
        assert row.symbol not in known or row.symbol == row.formula, "a name for two values"
        known[row.symbol] = row.value
    primal = set(known)
    known |= seeded(trace.rows, known)
    for row in trace.rows:
        assert row.symbol not in primal, "a derivative has the name of a value"
        found = evaluated(row.formula, known)
        np.testing.assert_allclose(found, row.value, rtol=1e-12, err_msg=str(row))
        known[row.symbol] = row.value


def seeded(rows, known):
    """The values of the names that a trace starts from: of tangents or of adjoints."""
    symbols = {row.symbol for row in rows} | set(known)
    last = [(row.formula.split(" + ")[-1], np.shape(row.value)) for row in rows]
    starts = {name: shape for name, shape in last if name.isidentifier() and name not in symbols}
    return {name: np.full(shape, 1.5)[()] for name, shape in starts.items()}


def test_tangents_are_made_of_the_tangents_of_arguments():
    rows = ac.compile("(1 - x)**2 + 100*(y - x**2)**2").trace("forward").rows
    assert [row.formula for row in rows[2:-1]] == [
        "-v-1_dot",
        "v1_dot * (2 * v1)",
        "v-1_dot * (2 * v-1)",
        "v0_dot - v3_dot",
        "v4_dot * (2 * v4)",
        "v5_dot * 100",
        "v2_dot + v6_dot",
    ]


def test_lines_do_not_repeat_each_other():
    names = [f"x{k}" for k in range(40)]
    rows = ac.compile(f"max({', '.join(names)})", inputs=names).trace("forward").rows
    assert max(len(row.formula) for row in rows) < 160


def test_what_the_program_names_twice_has_the_name_of_the_last():
    fn = ac.compile("a = x*y; a = a*2; a*a")
    assert [row.symbol for row in fn.trace().rows] == ["v-1", "v0", "v1", "a", "v3", "f"]
    assert math.prod(fn.gradient(2, 3)) == 96 * 144


@pytest.mark.parametrize(
    ("source", "latex"),
    [
        ("b*sum(x + a)", r"\sum\left(x + a\right)"),
        ("b*(sum(x) + a)", r"\sum\left(x\right) + a"),
        ("b*(sum(A, axis=0) @ x)", r"\sum_{\mathrm{axis} = 0}\left(A\right)"),
        ("b*sum(inv(A), axis=1) @ x", r"\sum_{\mathrm{axis} = 1}\left(A^{-1}\right)"),
        ("b*(x @ x)", r"x^{\top} x"),
        ("b*sum(softmax(A, axis=1)*cumsum(x))", r"\operatorname{softmax}_{\mathrm{axis} = 1}"),
        ("b*sum(softmax(A, axis=1)*cumsum(x))", r"\left(x, \mathrm{axis} = 0\right)"),
        ("b*floor(a)**2", r"{\left\lfloor a \right\rfloor}^{2}"),
        ("b*sum(A[:, None, :])", r"\sum\left(A\right)"),
        ("b*1e20**a", r"{(10^{20})}^{a}"),
        ("b*(a % 2.5e-5)", r"a \bmod (2.5 \cdot 10^{-5})"),
        ("b*pi**a*abs(a)**2", r"{\left|a\right|}^{2} \cdot {\pi}^{a}"),
    ],
)
def test_latex_says_what_is_meant(source, latex):
    fn = ac.compile(f"x: [n]; A: [n, n]; {source}", inputs=["a", "b", "x", "A"])
    assert latex in fn.derivative("b", "latex")

"""Traces, beside the tables that lectures draw."""

from __future__ import annotations

import json
import math
import re

import pytest

import autodiff_compiler as ac
from autodiff_compiler.backends.latex import symbol
from autodiff_compiler.tables import FORMATS

TEXTBOOK = "log(x1) + x1*x2 - sin(x2)"


@pytest.fixture
def fn():
    return ac.compile(TEXTBOOK)


def values(rows):
    return [round(row.value, 3) + 0.0 for row in rows]


def test_the_primal_trace_is_the_lectures(fn):
    rows = fn.trace(at=(2, 5)).rows
    assert [(r.symbol, r.formula) for r in rows] == [
        ("v-1", "x1"),
        ("v0", "x2"),
        ("v1", "log(v-1)"),
        ("v2", "v-1 * v0"),
        ("v3", "sin(v0)"),
        ("v4", "v1 + v2"),
        ("v5", "v4 - v3"),
        ("y", "v5"),
    ]
    assert values(rows) == [2, 5, 0.693, 10, -0.959, 10.693, 11.652, 11.652]


def test_the_tangent_trace_is_the_lectures(fn):
    trace = fn.trace("forward", at=(2, 5), seed=(1, 0))
    assert [(r.symbol, r.formula) for r in trace.rows] == [
        ("v-1_dot", "x1_dot"),
        ("v0_dot", "x2_dot"),
        ("v1_dot", "v-1_dot / v-1"),
        ("v2_dot", "v-1_dot * v0 + v0_dot * v-1"),
        ("v3_dot", "v0_dot * cos(v0)"),
        ("v4_dot", "v1_dot + v2_dot"),
        ("v5_dot", "v4_dot - v3_dot"),
        ("y_dot", "v5_dot"),
    ]
    assert values(trace.rows) == [1, 0, 0.5, 5, 0, 5.5, 5.5, 5.5]
    assert trace.primal == fn.trace(at=(2, 5)).rows


def test_a_direction(fn):
    direction = {"x1": 2 / math.sqrt(5), "x2": 1 / math.sqrt(5)}
    assert fn.trace("forward", at=(2, 5), seed=direction).rows[-1].value == pytest.approx(
        5.686919155631068
    )


def test_the_adjoint_trace_is_the_lectures(fn):
    rows = fn.trace("reverse", at={"x1": 2, "x2": 5}).rows
    assert [(r.symbol, r.formula) for r in rows] == [
        ("v5_bar", "y_bar"),
        ("v3_bar", "v5_bar * (-1)"),
        ("v4_bar", "v5_bar * 1"),
        ("v2_bar", "v4_bar * 1"),
        ("v1_bar", "v4_bar * 1"),
        ("v0_bar", "v3_bar * cos(v0)"),
        ("v0_bar", "v0_bar + v2_bar * v-1"),
        ("v-1_bar", "v2_bar * v0"),
        ("v-1_bar", "v-1_bar + v1_bar * (1 / v-1)"),
        ("x1_bar", "v-1_bar"),
        ("x2_bar", "v0_bar"),
    ]
    assert values(rows) == [1, -1, 1, 1, 1, -0.284, 1.716, 5, 5.5, 5.5, 1.716]


def test_names_of_the_program_live_on_in_trace_and_code():
    fn = ac.compile("h = exp(w*x)\nz = h + 1\n(y - z)**2")
    symbols = [r.symbol for r in fn.trace("reverse").rows]
    assert {"h_bar", "z_bar"} <= set(symbols)
    code = fn.source("value_and_gradient")
    assert "    h = exp(w*x)\n" in code
    assert "    z = h + 1.0\n" in code


def test_code_and_trace_share_their_symbols():
    fn = ac.compile("sin(x*y)*(x*y) + sin(x*y)**2")
    trace = {r.symbol: r.formula for r in fn.trace().rows}
    assert trace["v1"] == "v-1 * v0"
    assert trace["v2"] == "sin(v1)"
    assert "        v1 = x*y\n        v2 = sin(v1)\n" in fn.source("value")


def test_lists_have_one_output_each_and_seeds_for_each():
    fn = ac.compile("[x*y, x + y, x*y]")
    assert values(fn.trace("forward", at=(2, 3), seed=(1, 0)).rows)[-3:] == [3, 1, 3]
    assert values(fn.trace("reverse", at=(2, 3), seed=(1, 10, 100)).rows)[-2:] == [313, 212]


@pytest.mark.parametrize(
    "source", ["3", "x", "[x, 3]", "x < 1", "where(x > 0, log(x), -x)", "pi*x"]
)
@pytest.mark.parametrize("mode", ["primal", "forward", "reverse"])
@pytest.mark.parametrize("form", FORMATS)
def test_every_mode_prints_in_every_format(source, mode, form):
    fn = ac.compile(source)
    for at in (None, [0.5] * len(fn.inputs)):
        assert fn.trace(mode, at=at).render(form)


@pytest.mark.parametrize("source", ["x**y*exp(-y)", "max(a, b)*tanh(a)", "where(p > q, p/q, q**3)"])
def test_the_traces_end_in_the_compiled_derivatives(source):
    fn, point = ac.compile(source), (1.3, 0.7)
    gradient = fn.gradient(*point)
    assert [r.value for r in fn.trace("reverse", at=point).rows[-2:]] == pytest.approx(gradient)
    for k in range(2):
        seed = [float(j == k) for j in range(2)]
        last = fn.trace("forward", at=point, seed=seed).rows[-1]
        assert last.value == pytest.approx(gradient[k])


def test_an_input_called_y_leaves_the_output_another_name():
    rows = ac.compile("x*y").trace("reverse").rows
    assert rows[0][:2] == ("v1_bar", "f_bar")
    assert ac.compile("x*y").trace().rows[-1].symbol == "f"


def test_json_keeps_full_precision_and_has_no_nan(fn):
    primal, adjoint = json.loads(fn.trace("reverse", at=(0, 5)).json())
    assert primal["rows"][2] == {"symbol": "v1", "formula": "log(v-1)", "value": "-inf"}
    assert adjoint["rows"][-1]["value"] == -math.cos(5)
    assert json.loads(fn.trace().json())[0]["rows"][0]["value"] is None


def test_text_is_aligned_and_printing_gives_it(fn):
    text = fn.trace(at=(2, 5)).text()
    assert text == str(fn.trace(at=(2, 5)))
    assert len({line.rindex("=") for line in text.splitlines()[1:]}) == 1


def test_html_escapes_and_latex_is_mathematics():
    trace = ac.compile("where(a_1 < alpha, a_1/alpha, 2)").trace("reverse")
    assert "&lt;" in trace.html()
    assert "v-1 < v0" not in trace.html()
    latex = trace.latex()
    assert r"\alpha" in latex
    assert r"\frac{v_{-1}}{v_{0}}" in latex
    assert r"\bar{v}_{" in latex
    assert trace._repr_html_() == trace.html()


@pytest.mark.parametrize(
    ("name", "latex"),
    [
        ("x", "x"),
        ("x1", "x_{1}"),
        ("v-1", "v_{-1}"),
        ("alpha", r"\alpha"),
        ("theta_0", r"\theta_{0}"),
        ("v3_bar", r"\bar{v}_{3}"),
        ("x1_dot", r"\dot{x}_{1}"),
        ("a_1_2_3", r"a_{1\_2\_3}"),
        ("speed", r"\mathit{speed}"),
        ("_x_", r"\mathit{\_x\_}"),
    ],
)
def test_latex_symbols(name, latex):
    assert symbol(name) == latex


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"mode": "backward"}, "mode"),
        ({"at": (1,)}, "at: expected 2 numbers"),
        ({"at": {"x1": 1}}, "at: no x2"),
        ({"at": {"x1": 1, "x2": 2, "z": 3}}, "at: unknown z"),
        ({"mode": "forward", "seed": (1, 2, 3)}, "seed: expected 2"),
        ({"mode": "reverse", "seed": {"x1": 1}}, "seed: unknown x1"),
        ({"seed": (1, 0)}, "seed: a primal trace takes none"),
    ],
)
def test_wrong_points_and_seeds_are_named(fn, options, match):
    with pytest.raises(ValueError, match=match):
        fn.trace(**options)


def test_an_unknown_format(fn):
    with pytest.raises(ValueError, match="format"):
        fn.trace().render("pdf")


def test_drawings_use_the_symbols_of_the_trace(fn):
    drawing = fn.graph()
    for row in fn.trace().rows[:-1]:
        assert f"{row.symbol} = {row.formula}" in drawing.dot()
        assert f"{row.symbol} = {row.formula}" in drawing.mermaid()
    assert drawing.dot().count("->") == drawing.mermaid().count("-->") == 9
    assert str(drawing) == drawing.dot()


def test_drawings_escape():
    fn = ac.compile("where(x < 1, x, 2)")
    assert '"v1 = v0 < 1"' in fn.graph().dot()
    assert "#lt;" in fn.graph().mermaid()


LATEX = {
    "x @ A @ x": r"A^{\top} x + A x",
    "logdet(A)*x[0]": r"{x}_{0} \cdot (A^{-1})^{\top}",
    "x @ exp(A @ x)": r"\begin{aligned}",
}


@pytest.mark.parametrize("source", LATEX)
def test_derivatives_in_latex(source):
    fn = ac.compile(source, shapes={"x": ("n",), "A": ("n", "n")})
    name = "A" if source.startswith("logdet") else "x"
    found = fn.derivative(name, "latex")
    assert found.startswith(LATEX[source])
    assert found.count("{") == found.count("}")
    assert "^{-1}^" not in found


@pytest.mark.parametrize(
    "source", ["w = x*x*x; y/w", "u = x*x; v = u*u; sin(v)/u", "x**3 + y/(x*x)"]
)
def test_every_operation_has_a_line_in_every_trace(source):
    fn = ac.compile(source, inputs="x y")
    lines = fn.trace("primal").text().split("\n")
    operations = {line.split()[0] for line in lines if re.match(r"  (v[1-9]\d*|u|v|w) ", line)}
    for mode, suffix in (("forward", "_dot"), ("reverse", "_bar")):
        text = fn.trace(mode).text()
        missing = [name for name in operations if not re.search(rf"^  {name}{suffix} ", text, re.M)]
        assert not missing

"""Traces and drawings of programs of arrays."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from array_cases import CASES, declared, inputs

import autodiff_compiler as ac
from autodiff_compiler.tables import FORMATS
from autodiff_compiler.traces import MODES

SOURCE = "z = X @ w\nsum(tanh(z)**2) + c*sum(w*w)"
SHAPES = {"X": ("N", 2), "w": (2,)}
X = np.array([[0.5, -1.0], [2.0, 0.25], [1.0, 1.0]])
POINT = {"X": X, "w": [0.5, 1.5], "c": 2.0}
PROGRAMS = {
    SOURCE: (SHAPES, POINT),
    "y @ inv(X @ X' + eye(N)) @ y + sum(exp(X), axis=0)[0]": (
        {"X": ("N", 2), "y": ("N",)},
        {"X": X, "y": [1.0, 2.0, 3.0]},
    ),
    "[x @ x, max(x), prod(x)]": ({"x": ("n",)}, {"x": [1.0, 2.0, -3.0]}),
    "A @ x": ({"A": ("m", "n"), "x": ("n",)}, {"A": X, "x": [1.0, -1.0]}),
    "logdet(A) + norm2(x) + x[::-1] @ solve(A, x)": (
        {"A": ("n", "n"), "x": ("n",)},
        {"A": [[2.0, 1.0], [0.5, 3.0]], "x": [1.0, 4.0]},
    ),
}
EACH = pytest.mark.parametrize("source", PROGRAMS, ids=lambda s: s[:20])


@pytest.fixture
def fn():
    return ac.compile(SOURCE, shapes=SHAPES)


def test_values_of_the_primal_trace(fn):
    rows = {row.symbol: row for row in fn.trace(at=POINT).rows}
    assert rows["z"].formula == "v-2 @ v-1"
    np.testing.assert_allclose(rows["z"].value, X @ POINT["w"])
    assert rows["y"].value == pytest.approx(fn(**POINT))
    assert isinstance(rows["y"].value, float)


@EACH
def test_the_traces_end_in_the_compiled_derivatives(source):
    shapes, at = PROGRAMS[source]
    fn = ac.compile(source, shapes=shapes)
    point = [at[name] for name in fn.inputs]
    rng = np.random.default_rng(3)
    direction = [rng.standard_normal(np.shape(v)) for v in point]
    want = fn.jvp(point, direction)[1]
    rows = fn.trace("forward", at=at, seed=dict(zip(fn.wrt, direction, strict=True))).rows
    found = [row.value for row in rows[-np.size(want) :]] if source[0] == "[" else rows[-1].value
    np.testing.assert_allclose(found, want, rtol=1e-12)
    cotangent = rng.standard_normal(np.shape(want))
    seed = cotangent if np.ndim(cotangent) else float(cotangent)
    want = fn.vjp(point, seed)[1]
    rows = fn.trace("reverse", at=point, seed=seed).rows
    for row, partial in zip(rows[-len(fn.wrt) :], want, strict=True):
        np.testing.assert_allclose(row.value, partial, rtol=1e-12)


def evaluated(formula, known):
    """A row's formula, from the values so far; `None` if it has words that are not the language's."""
    text = formula.replace("eye(N)", "eye(3)").replace("N,", "3,").replace("n,", "2,")
    names = {s: f"q{k}_" for k, s in enumerate(sorted(known, key=len, reverse=True))}
    symbols = "|".join(map(re.escape, names))
    text = re.sub(rf"(?<!\w)({symbols})(?!\w)", lambda match: names[match[1]], text)
    given = {name: known[symbol] for symbol, name in names.items() if name in text}
    if any(word in text for word in ("scatter", "prod_others", "broadcast_to")):
        return None
    shapes = {name: np.shape(value) for name, value in given.items()}
    return ac.compile(text, inputs=list(given), shapes=shapes)(**given)


@EACH
def test_every_formula_of_the_adjoint_trace_gives_its_value(source):
    """Each row, evaluated from the rows above it, is what the trace says."""
    shapes, at = PROGRAMS[source]
    trace = ac.compile(source, shapes=shapes).trace("reverse", at=at)
    known, compared = {**at, **{f"y{k}_bar": float(k == 1) for k in (1, 2, 3)}}, 0
    known["y_bar"] = known["f_bar"] = trace.rows[0].value
    for row in [*trace.primal, *trace.rows]:
        found = evaluated(row.formula, known)
        if found is not None:
            np.testing.assert_allclose(found, row.value, rtol=1e-9, err_msg=str(row))
            compared += 1
        known[row.symbol] = row.value
    assert compared >= 8


def test_texts_show_shapes_and_a_few_elements(fn):
    text = fn.trace("reverse", at=POINT).text()
    assert "  v-2  = X " in text
    assert "= [3, 2] 0.5 -1 … 1\n" in text
    assert "= [2] 0.5 1.5\n" in text
    assert "[N, 2]\n" in fn.trace().text()
    assert r"[3, 2] \; 0.5 \; -1 \; \ldots \; 1 \\" in fn.trace(at=POINT).latex()
    assert "| [3, 2] 0.5 -1 … 1 |" in fn.trace(at=POINT).markdown()
    assert "<td>[3, 2] 0.5 -1 … 1</td>" in fn.trace(at=POINT).html()


def test_json_has_whole_arrays_and_shapes(fn):
    (primal,) = json.loads(fn.trace(at=POINT).json())
    row = primal["rows"][0]
    assert row == {"symbol": "v-2", "formula": "X", "value": X.tolist(), "shape": ["N", 2]}
    assert json.loads(fn.trace().json())[0]["rows"][0]["value"] is None
    bad = ac.compile("x/y", shapes={"x": ("n",)}).trace(at=([1.0, -1.0], 0))
    assert json.loads(bad.json())[0]["rows"][-1]["value"] == ["inf", "-inf"]


@EACH
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("form", FORMATS)
def test_every_mode_prints_in_every_format(source, mode, form):
    shapes, at = PROGRAMS[source]
    fn = ac.compile(source, shapes=shapes)
    for point in (None, at):
        assert fn.trace(mode, at=point).render(form)


def test_seeds_are_the_first_element_unless_given(fn):
    trace = fn.trace("forward", at=POINT)
    assert trace.sections[1].title == "Tangent trace, seed ([3, 2] 1 0 … 0, [2] 0 0, 0)"
    assert trace.rows[-1].value == pytest.approx(fn.gradient(**POINT)[0][0, 0])
    given = fn.trace("forward", at=POINT, seed={"w": [0, 1]})
    assert given.rows[-1].value == pytest.approx(fn.gradient(**POINT)[1][1])
    assert fn.trace("forward").sections[1].title == "Tangent trace, seed (1 0 …, [2] 0 0, 0)"
    rows = ac.compile("x*2", shapes={"x": ("n",)}).trace("reverse", at=([1, 2, 3],)).rows
    assert rows[-1].value.tolist() == [2, 0, 0]
    rows = ac.compile("x: [n-1]; sum(x**2)").trace("forward", at=([1, 2, 3],)).rows
    assert rows[-1].value == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"at": {"X": X, "w": [1, 2]}}, "at: no c; expected X, w, c"),
        ({"at": (X, [1, 2])}, "at: expected 3 values"),
        ({"at": {**POINT, "w": [1, 2, 3]}}, r"at: w: \[2\] has 2 where there are 3"),
        ({"at": {**POINT, "c": [1, 2]}}, "at: c: expected a number"),
        ({"at": POINT, "mode": "forward", "seed": {"z": 1}}, "seed: unknown z"),
        ({"at": POINT, "mode": "forward", "seed": {"w": 1}}, "seed: w: expected an array"),
        ({"at": POINT, "mode": "reverse", "seed": [1, 2]}, "seed: expected 1 value "),
    ],
)
def test_wrong_points_and_seeds_are_named(fn, options, message):
    with pytest.raises(ValueError, match=message):
        fn.trace(**options)


def test_drawings_show_shapes(fn):
    drawing = fn.graph()
    assert '[label="v-2 = X\\n[N, 2]"];' in drawing.dot()
    assert '["z = v-2 @ v-1<br/>[N]"]' in drawing.mermaid()
    assert '"v0 = c"' in drawing.dot()


def test_the_shell_traces_arrays(capsys):
    from autodiff_compiler.cli import main

    shape = ["--shape", "A=m,n", "--shape", "x=n"]
    at = ["--at", "A=[[1,2],[3,4],[5,6]]", "--at", "x=1,1"]
    assert main(["trace", "A @ x", *shape, *at, "--mode", "reverse", "--seed", "[0,1,0]"]) == 0
    assert capsys.readouterr().out.endswith("  x_bar    = v0_bar             = [2] 3 4\n")
    assert main(["trace", "A @ x", *shape, *at, "--mode", "forward", "--seed", "x=[0,1]"]) == 0
    assert capsys.readouterr().out.endswith("= [3] 2 4 6\n")


@pytest.mark.parametrize(("text", "reference"), CASES, ids=[text for text, _ in CASES])
def test_every_function_of_arrays_has_traces_and_latex(text, reference):
    fn = ac.compile(declared(text, inputs(reference)))
    for mode in MODES:
        assert fn.trace(mode).text()
    for name in fn.wrt if fn.default_kinds[1] == "gradient" else ():
        assert fn.derivative(name, "latex")

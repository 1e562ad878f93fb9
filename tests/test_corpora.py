"""Real formulas with known answers; see data/README.md for their origin."""

from __future__ import annotations

import json
import math
import random
from pathlib import Path

import numpy as np
import pytest
from oracle import Oracle, close

import autodiff_compiler as ac

DATA = Path(__file__).parent / "data"


def rows(name):
    found = json.loads((DATA / name).read_text())
    return found["functions"] if isinstance(found, dict) else found


def each(name, key):
    return pytest.mark.parametrize("row", rows(name), ids=lambda row: str(row[key])[:60])


@each("seeds.json", "name")
def test_worked_examples_of_lectures(row):
    fn, at = ac.compile(row["source"], inputs=row.get("inputs"), wrt=row.get("wrt")), row["at"]
    for kind, want in row["expect"].items():
        if kind == "jvp":
            got = fn.jvp(at, want["tangents"])[1]
        elif kind == "vjp":
            got = fn.vjp(at, want["cotangent"])[1]
        elif kind == "jacobian":
            got = np.stack(fn.jacobian(*at), axis=-1)
        else:
            got = getattr(fn, kind)(*at)
        result = want["result"] if isinstance(want, dict) else want
        np.testing.assert_allclose(got, result, rtol=1e-12, atol=1e-15)


@each("feynman.json", "formula")
def test_physics_formulas(row):
    names = [v["name"] for v in row["variables"]]
    fn, oracle = ac.compile(row["formula"], inputs=names), Oracle(row["formula"], names)
    rng = random.Random(7)
    for _ in range(3):
        point = [rng.uniform(v["low"], v["high"]) for v in row["variables"]]
        value, gradient = fn.value_and_gradient(*point)
        if math.isnan(value):
            continue  # outside the formula's domain
        want = oracle.gradient(*point)
        scale = max(abs(value), *(abs(float(w) * x) for w, x in zip(want, point, strict=True)))
        assert close(value, oracle.value(*point), 1e-12, 1e-14 * scale)
        for got, w, x in zip(gradient, want, point, strict=True):
            assert close(got, w, 1e-11, 1e-12 * scale / abs(x))


@each("nist_strd.json", "name")
def test_certified_regressions(row):
    optimize = pytest.importorskip("scipy.optimize")
    data = {x: np.asarray(row[x], float) for x in row["predictors"]}
    y = np.log(row["y"]) if row["response"].startswith("log") else np.asarray(row["y"], float)
    names = [*row["params"], *row["predictors"]]
    packed = ac.compile(row["model"], inputs=names, wrt=row["params"]).packed(**data)
    fit = optimize.least_squares(
        lambda b: packed.value(b) - y, row["start2"], packed.jacobian,
        method="lm", x_scale="jac", xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=20_000,
    )  # fmt: skip
    np.testing.assert_allclose(fit.x, row["certified"], rtol=1e-6)


@each("mgh.json", "name")
def test_least_squares_problems(row):
    vector = ac.compile(f"[{', '.join(row['residuals'])}]", inputs=row["vars"]).packed()
    scalar = ac.compile(" + ".join(f"({r})**2" for r in row["residuals"]), inputs=row["vars"])
    scalar = scalar.packed()
    for point in row["points"]:
        x = np.asarray(point["x"], float)
        r, jacobian = vector.value(x), vector.jacobian(x)
        value, gradient = scalar.value_and_gradient(x)
        scale = 1e-12 * (1 + np.max(np.abs(jacobian)) * np.max(np.abs(r)))
        np.testing.assert_allclose([r @ r, value], point["f"], rtol=1e-10, atol=1e-18)
        np.testing.assert_allclose(2 * jacobian.T @ r, gradient, rtol=1e-9, atol=scale)
        if point.get("hess_funconstrain") and row["n"] <= 12:
            want = np.asarray(point["hess_funconstrain"], float)
            tolerance = 1e-9 * (1 + np.max(np.abs(want)))
            np.testing.assert_allclose(scalar.hessian(x), want, rtol=1e-7, atol=tolerance)


@each("functions.json", "name")
def test_published_values_and_partials(row):
    if row["name"] == "where":
        pytest.skip("the row describes one use of where, not the function")
    infix = {"add": "{}+{}", "subtract": "{}-{}", "multiply": "{}*{}", "divide": "{}/{}",
             "power": "{}**{}", "negative": "-{}"}  # fmt: skip
    args = row["args"]
    source = infix.get(row["name"], f"{row['name']}({', '.join(args)})").format(*args)
    for sample in row["samples"]:
        point = list(map(float, sample["args"]))
        for name, want in zip(args, sample["derivatives"], strict=True):
            fn = ac.compile(source, inputs=args, wrt=name)
            if sample["value"] is not None:
                assert close(fn(*point), sample["value"], 1e-12, 1e-14)
            if want is not None:
                assert close(fn.gradient(*point)[0], want, 1e-8, 1e-12)

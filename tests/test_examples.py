"""The examples: their derivatives against published values, formulas by hand, and differences."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from examples import bundle_adjustment, gaussian_process, gmm, logistic, network

DATA = Path(__file__).parent / "data" / "adbench"
EXPECTED = json.loads((DATA / "expected.json").read_text())
NAMES = ["gmm", "bundle_adjustment", "gaussian_process", "network", "logistic"]


def flat(arrays):
    return np.concatenate([np.ravel(a) for a in arrays])


def assert_slope(fn, point, kept, rtol=1e-6):
    """The gradient by the first `kept` arguments along a random direction, against a difference."""
    rng = np.random.default_rng(3)
    way = [rng.normal(size=np.shape(a)) for a in point[:kept]]
    gradient = fn.gradient(*point)
    assert [g.shape for g in gradient] == [w.shape for w in way]

    def at(h):
        return fn(*(a + h * w for a, w in zip(point, way, strict=False)), *point[kept:])

    h = 1e-4
    wanted = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    np.testing.assert_allclose(flat(gradient) @ flat(way), wanted, rtol=rtol)


@pytest.mark.parametrize("row", EXPECTED["gmm"]["instances"], ids=lambda row: row["input"])
def test_gaussian_mixture(row):
    value, gradient = gmm.function().value_and_gradient(*gmm.load(DATA / row["input"]))
    got, tolerance = flat(gradient), EXPECTED["gmm"]["tol"]
    np.testing.assert_allclose(value, row["objective"], rtol=tolerance)
    first = row.get("gradient") or row["grad_first10"]
    np.testing.assert_allclose(got[: len(first)], first, rtol=tolerance)
    norm = row.get("grad_norm") or np.linalg.norm(first)
    np.testing.assert_allclose(np.linalg.norm(got), norm, rtol=tolerance)
    assert got.size == row.get("n_params", len(first))


@pytest.fixture
def observations():
    """Many cameras and points, no two alike; one camera is not turned."""
    rng = np.random.default_rng(1)
    C, M, N = 5, 20, 60
    cameras = np.hstack([rng.normal(size=(C, 9)), rng.normal(size=(C, 2)) / 100])
    cameras[0, :3] = 0
    points = rng.normal(size=(M, 3)) + np.array([0, 0, 9])
    chosen = rng.integers(0, C, N), rng.integers(0, M, N)
    return cameras, points, rng.random(N), rng.normal(size=(N, 2)), *chosen


def test_blocks_of_bundle_adjustment():
    row = EXPECTED["ba"]
    fn, instance = bundle_adjustment.block(), bundle_adjustment.load(DATA / row["input"])
    arguments = bundle_adjustment.columns(*instance)
    errors = np.tile(row["reproj_err_per_obs"], (10, 1)).T
    np.testing.assert_allclose(fn(*arguments), errors, rtol=row["tol"])
    blocks = np.stack(fn.jacobian(*arguments), axis=-1).swapaxes(0, 1)
    wanted = np.reshape(row["J_vals_csr"][:300], (10, 2, 15))
    np.testing.assert_allclose(blocks, wanted, rtol=row["tol"])
    np.testing.assert_allclose(-2 * instance[2], row["J_vals_csr"][300:], rtol=row["tol"])


def test_the_whole_of_bundle_adjustment(observations):
    """Its loss and gradient are what the blocks add up to."""
    cameras, points, _, _, camera, point = observations
    arguments = bundle_adjustment.columns(*observations)
    errors = bundle_adjustment.block()(*arguments)
    value, gradient = bundle_adjustment.loss().value_and_gradient(*observations)
    np.testing.assert_allclose(value, np.sum(errors**2) / 2, rtol=1e-12)
    each = np.einsum("ken,en->nk", bundle_adjustment.block().jacobian(*arguments), errors)
    by_cameras, by_points = np.zeros_like(cameras), np.zeros_like(points)
    np.add.at(by_cameras, camera, each[:, :11])
    np.add.at(by_points, point, each[:, 11:14])
    wanted = flat([by_cameras, by_points, each[:, 14]])
    np.testing.assert_allclose(flat(gradient), wanted, rtol=1e-9, atol=1e-9 * abs(wanted).max())


def test_the_slope_of_bundle_adjustment(observations):
    assert_slope(bundle_adjustment.loss(), observations, 3, rtol=1e-5)


def test_gaussian_process():
    scales, places, values = point = gaussian_process.data(40)
    apart = places[:, None] - places
    kernels = np.exp(-(apart**2) / (2 * scales**2))
    weights = np.linalg.solve(kernels.sum(axis=2), values)
    slopes = kernels * np.outer(weights, weights)[:, :, None]
    value, gradient = gaussian_process.function().value_and_gradient(*point)
    np.testing.assert_allclose(value, values @ weights, rtol=1e-11)
    by_scales = -(slopes * apart**2).sum(axis=(0, 1)) / scales**3
    by_places = 2 * (slopes * apart).sum(axis=1) / scales**2
    np.testing.assert_allclose(gradient[0], by_scales, rtol=1e-9)
    np.testing.assert_allclose(gradient[1], by_places, rtol=1e-9, atol=1e-11)
    assert_slope(gaussian_process.function(), point, 2)


def test_network():
    rng = np.random.default_rng(2)
    weights, X, Y = network.weights((4, 7, 6, 3)), rng.normal(size=(9, 4)), rng.normal(size=(9, 3))
    fn, layers = network.function(), [X]
    for W, b in zip(weights[::2], weights[1::2], strict=True):
        layers.append(np.tanh(layers[-1] @ W + b))
    out = layers[2] @ weights[4] + weights[5]
    delta, wanted = out - Y, []
    for k in (2, 1, 0):
        wanted = [layers[k].T @ delta, delta.sum(axis=0), *wanted]
        delta = delta @ weights[2 * k].T * (1 - layers[k] ** 2)
    value, gradient = fn.value_and_gradient(*weights, X, Y)
    np.testing.assert_allclose(value, np.sum((out - Y) ** 2) / 2, rtol=1e-12)
    np.testing.assert_allclose(flat(gradient), flat(wanted), rtol=1e-10)
    assert_slope(fn, (*weights, X, Y), 6)


def test_logistic_regression():
    w, X, t = logistic.data(200, 8)
    fn, p = logistic.function(), 1 / (1 + np.exp(t * (X @ w)))
    value, gradient = fn.value_and_gradient(w, X, t)
    np.testing.assert_allclose(value, -np.log(1 - p).sum(), rtol=1e-12)
    np.testing.assert_allclose(gradient[0], -X.T @ (t * p), rtol=1e-11)
    hessian = X.T @ ((p * (1 - p))[:, None] * X)
    np.testing.assert_allclose(fn.hessian(w, X, t)[0][0], hessian, rtol=1e-11)
    large = fn.value_and_gradient(1000 * w, X, t)
    assert np.isfinite(flat(large[1])).all()
    assert np.isfinite(large[0])


@pytest.mark.parametrize("name", NAMES)
def test_they_run(name, monkeypatch, capsys):
    path = Path(__file__).parent.parent / "examples" / f"{name}.py"
    monkeypatch.setattr("sys.argv", [str(path)])
    runpy.run_path(str(path), run_name="__main__")
    printed = capsys.readouterr().out
    assert len(printed.splitlines()) > 2
    assert "nan" not in printed

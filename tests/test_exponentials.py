"""Sums of exponentials over axes, with weights: their logarithms and shares, wherever they stand."""

from __future__ import annotations

import math
import random
import re

import numpy as np
import pytest

import autodiff_compiler as ac

POINT = {
    "x": np.array([0.5, -1.0, 2.0]),
    "w": np.array([1.0, 0.5, 2.0]),
    "X": np.array([[0.5, -1, 2], [0.25, 1.5, -2], [1, 0.1, -0.3]]),
    "W": np.array([[1.5, 0.2, 1], [0.7, 1.1, 0.4], [0.3, 2, 0.9]]),
}


def compiled(text, **options):
    """A function, with the shapes of POINT, and its arguments there."""
    names = {*re.findall(r"(?<!\.)\b[xwXW]\b", text)}
    fn = ac.compile(text, shapes={n: v.shape for n, v in POINT.items() if n in names}, **options)
    return fn, [POINT[name] for name in fn.inputs]


SHIFTED = {  # logarithms, which a shift of X goes over to, and shares, which it leaves alone
    1: (
        "log(sum(w*exp(x)))",
        "log(w @ exp(x))",
        "log(exp(X) @ w)[0]",
        "sum(log(w @ exp(X.T)))/3",
        "log(sum(w*exp(x))/sum(w))",
        "log(3*sum(exp(x)))",
        "log(sum(exp(x)/w)*w[0])",
        "log(sum(0.5*exp(x)))",
        "sum(log(sum(w*exp(X), axis=1))[:, None]*X*0 + log(sum(w*exp(X), axis=1, keepdims=True)))/3",
        "log(sum(where(w > 1, exp(x), 0)))",
        "log(sum(where(w > 1, exp(x), 0)*w))",
        "logsumexp(x, b=w)",
        "sum(log(exp(X).T @ w))/3",
        "log(prod(exp(x)))/3",
    ),
    0: (
        "sum(w*exp(x))/sum(exp(x))",
        "exp(x[0])/sum(exp(x))",
        "w[1]*exp(x[0])/(exp(x[1]) + sum(exp(x)))",
        "sum(w*exp(x))/(exp(x[1]) + 2*sum(exp(x)))",
        "exp(x)[0]/sum(exp(x))",
        "exp(x[0])/sum(w*exp(x))",
        "w @ exp(x)/sum(exp(x))",
        "sum(exp(x))/(exp(x) @ w)",
        "sum((exp(X) @ w/sum(exp(X), axis=1))**2)",
        "sum((w @ exp(X)/sum(exp(X), axis=0))**2)",
        "sum((W @ exp(X)/sum(exp(X), axis=0))**2)",
        "sum((exp(X) @ W/sum(exp(X), axis=1)[:, None])**2)",
        "sum((exp(X) @ W/sum(exp(X), axis=1, keepdims=True))**2)",
        "sum((exp(x) @ W/sum(exp(x)))**2)",
        "sum((sum(W*exp(X), axis=1)/sum(exp(X), axis=1))**2)",
        "sum((sum(W*exp(X), axis=1)[:, None]/sum(exp(X), axis=1)[:, None])**2)",
        "sum((W*exp(X)/sum(W*exp(X), axis=1)[:, None])**2)",
        "sum((w*exp(x)/(w @ exp(x)))**2)",
        "sum(w*w*exp(x))/sum(w*exp(x))",
        "sum((sum(W*exp(x), axis=1)/sum(exp(x)))**2)",
        "sum((X*exp(x)/sum(exp(x)))**2)/sum(X**2)",
    ),
}


@pytest.mark.parametrize(("text", "by"), [(t, by) for by, found in SHIFTED.items() for t in found])
def test_sums_of_shifted_exponentials(text, by):
    plain, point = compiled(text, stable=False)
    fn, _ = compiled(text)
    np.testing.assert_allclose(fn(*point), plain(*point), rtol=1e-13)
    for got, want in zip(fn.gradient(*point), plain.gradient(*point), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-15)
    if "X*" in text:
        return  # whose shift is more than one of exponents
    for shift in (1e3, -1e3):
        moved = [v + shift * (n in "xX") for n, v in zip(fn.inputs, point, strict=True)]
        np.testing.assert_allclose(fn(*moved), plain(*point) + by * shift, rtol=1e-12)
        for got, want in zip(fn.gradient(*moved), plain.gradient(*point), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-10, atol=1e-12)


def test_weights_of_exponentials_may_be_0_and_negative():
    fn = ac.compile("log(sum(w*exp(x)))", inputs="x w", shapes={"x": ("n",), "w": ("n",)})
    x, w = np.array([2000.0, 0.0, 1.0]), np.array([0.0, 2.0, -0.5])
    terms = w[1:] * np.exp(x[1:])
    assert fn(x, w) == pytest.approx(np.log(terms.sum()), rel=1e-14)
    by_x, by_w = fn.gradient(x, w)
    np.testing.assert_allclose(by_x, [0.0, *terms / terms.sum()], rtol=1e-13)
    np.testing.assert_allclose(by_w[1:], np.exp(x[1:]) / terms.sum(), rtol=1e-13)
    assert fn(x, 0 * w) == -math.inf
    assert math.isnan(fn(x, -w))
    second = fn.hessian(np.zeros(2), np.array([0.0, 1.0]))
    np.testing.assert_allclose(second[0][1], [[1, 0], [-1, 0]], atol=1e-15)
    np.testing.assert_allclose(second[1][1], [[-1, -1], [-1, -1]], atol=1e-15)


POWERS = ("exp(x)", "exp(X)", "exp(X.T)", "exp(X).T", "where(W > 1, exp(X), 0)")
TERMS = ("{}", "W*{}", "{}/w", "x*{}", "w[:, None]*{}", "0.5*W.T*{}")
SUMS = (
    "sum({})",
    "sum({}, axis=0)",
    "sum({}, axis=-1)",
    "sum({}, axis=0, keepdims=True)",
    "sum({}, axis=-1, keepdims=True)",
    "sum({}, axis=-1)[:, None]",
    "({} @ w)",
    "(x @ {})",
    "({} @ W)",
    "(W @ {})",
)
OVER = ("{}", "(1 + {})")


def quotients():
    """A sample of the quotients of exponentials, and of sums of them, by sums of them."""
    rng = random.Random(5)
    for power in POWERS:
        for _ in range(60):
            sums, terms = rng.choice(SUMS), rng.choice(TERMS)
            above = (
                sums.format(rng.choice(TERMS)),
                rng.choice(SUMS),
                *TERMS,
                "{}[0]",
                "{}[..., 0]",
                "({} @ {})",
                "({} @ {})",
            )
            below = rng.choice(OVER).format(sums.format(terms))
            yield f"({rng.choice((*above[:2] * 3, *above, 'exp(x[1])'))})/{below}".replace(
                "{}", power
            )


def test_sums_of_exponentials_in_any_place_are_what_they_are_as_written():
    tried = fired = 0
    for text in (*quotients(), *(f"log({s.format('w*exp(X)')})" for s in SUMS)):
        try:
            plain, point = compiled(text, stable=False)
        except ac.ExpressionError:
            continue
        stable, _ = compiled(text)
        with np.errstate(all="ignore"):
            got, want = np.asarray(stable(*point)), np.asarray(plain(*point))
        assert got.shape == want.shape
        got = np.where(np.isnan(want), want, got)  # 0/0, of which the shares have the limit
        np.testing.assert_allclose(got, want, rtol=1e-12, err_msg=text)
        tried += 1
        fired += any("sum(" in applied.rule for applied in stable.rewrites)
    assert tried > 150
    assert fired > 60

"""Logistic regression, fitted by Newton's method with the compiled gradient and Hessian.

python -m examples.logistic
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autodiff_compiler as ac

SOURCE = """
X: [N, d]; t: [N]; w: [d]
sum(log(1 + exp(-t*(X @ w))))
"""


def function() -> ac.Function:
    """The negative log-likelihood of labels t, each 1 or -1, as a function of the weights w."""
    return ac.compile(SOURCE, inputs="w X t", wrt="w")


def data(count: int, features: int, seed: int = 0) -> tuple[Any, ...]:
    """Weights (d,), features (N, d), and labels (N,) that the weights make likely."""
    rng = np.random.default_rng(seed)
    X, w = rng.normal(size=(count, features)), rng.normal(size=features) / np.sqrt(features)
    return w, X, np.where(rng.random(count) < 1 / (1 + np.exp(-X @ w)), 1.0, -1.0)


def main() -> None:
    """Fit the weights to 2,000 labels, and print how the gradient vanishes."""
    fn, (_, X, t) = function(), data(2000, 10)
    w = np.zeros(10)
    for step in range(7):
        value, (gradient,) = fn.value_and_gradient(w, X, t)
        print(f"step {step}: loss {value:.9f}, |gradient| {np.linalg.norm(gradient):.1e}")
        w = w - np.linalg.solve(fn.hessian(w, X, t)[0][0], gradient)


if __name__ == "__main__":
    main()

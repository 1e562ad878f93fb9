"""A network of three layers, fitted to data by gradient descent.

python -m examples.network
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

import autodiff_compiler as ac

SOURCE = """
X: [N, d]; Y: [N, c]
W1: [d, h]; b1: [h]; W2: [h, k]; b2: [k]; W3: [k, c]; b3: [c]

h1 = tanh(X @ W1 + b1)
h2 = tanh(h1 @ W2 + b2)
out = h2 @ W3 + b3
sum((out - Y)**2)/2
"""


def function() -> ac.Function:
    """The squared error as a function of the weights and the data."""
    return ac.compile(SOURCE, inputs="W1 b1 W2 b2 W3 b3 X Y", wrt="W1 b1 W2 b2 W3 b3")


def weights(layers: tuple[int, ...], seed: int = 0) -> list[Any]:
    """Random weights and biases of layers of these widths, in the order of the arguments."""
    rng = np.random.default_rng(seed)
    found = []
    for m, n in pairwise(layers):
        found += [rng.normal(size=(m, n)) / np.sqrt(m), rng.normal(size=n) / 10]
    return found


def main() -> None:
    """Fit the network to a wave by gradient descent with momentum, and print the error."""
    fn, X = function(), np.linspace(-1, 1, 200)[:, None]
    Y, W = np.sin(5 * X), weights((1, 20, 20, 1))
    speed = [np.zeros_like(w) for w in W]
    for step in range(2001):
        error, gradient = fn.value_and_gradient(*W, X, Y)
        speed = [0.9 * v - 5e-4 * g for v, g in zip(speed, gradient, strict=True)]
        W = [w + v for w, v in zip(W, speed, strict=True)]
        if step % 500 == 0:
            print(f"step {step:4}: error {error:.6f}")


if __name__ == "__main__":
    main()

"""How well a Gaussian process with two kernels explains its data, by length scales and places.

    python -m examples.gaussian_process

It is the exercise of a lecture: with K = K1 + K2, the gradient of y' K^-1 y.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autodiff_compiler as ac

SOURCE = """
X: [N, 2]; l: [2]; y: [N]
D1 = (X[:, None, 0] - X[None, :, 0])**2
D2 = (X[:, None, 1] - X[None, :, 1])**2
K1 = exp(-D1/(2*l[0]**2))
K2 = exp(-D2/(2*l[1]**2))
y @ inv(K1 + K2) @ y
"""


def function() -> ac.Function:
    """The misfit as a function of the length scales l, the places X and the values y."""
    return ac.compile(SOURCE, inputs="l X y", wrt="l X")


def data(count: int, seed: int = 0) -> tuple[Any, ...]:
    """Length scales (2,), places (N, 2) far enough apart for a good matrix, and values (N,)."""
    rng = np.random.default_rng(seed)
    grid = np.column_stack([rng.permutation(count), rng.permutation(count)])
    places = grid + rng.uniform(-0.2, 0.2, (count, 2))
    return np.array([0.8, 1.3]), places, rng.normal(size=count)


def main() -> None:
    """Print the misfit, and how it changes with the length scales."""
    value, (scales, places) = function().value_and_gradient(*data(300))
    print(f"misfit          {value:.6f}")
    print(f"by the scales   {scales}")
    print(f"|by the places| {np.linalg.norm(places):.6f}")


if __name__ == "__main__":
    main()

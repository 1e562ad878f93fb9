"""The log-likelihood of a mixture of Gaussians and its gradient, as ADBench defines them.

    python -m examples.gmm [FILE]

FILE is an instance in ADBench's format, by default 1,000 points of 10 dimensions and 10 components.
"""

from __future__ import annotations

import sys
from pathlib import Path
from timeit import repeat
from typing import Any

import numpy as np

import autodiff_compiler as ac

DATA = Path(__file__).resolve().parent.parent / "tests" / "data" / "adbench"

SOURCE = """
alphas: [K]; means: [K, D]; icf: [K, P]; X: [N, D]

# Component k has precision Q[k].T @ Q[k].  Its row of icf holds the logarithms of the diagonal of
# Q[k], and then what is below the diagonal, column by column.
logdiag = icf[:, :D]
i = arange(D)[:, None]
j = arange(D)[None, :]
place = D + j*D - j*(j + 1)/2 + i - j - 1
Q = tril(icf[:, place], -1) + exp(logdiag)[:, :, None]*eye(D)

# How far every point is from every mean, and the likelihood of the points
Y = Q @ X.T - Q @ means[:, :, None]
terms = (alphas + sum(logdiag, axis=1))[:, None] - sum(Y**2, axis=1)/2
fit = sum(logsumexp(terms, axis=0)) - N*logsumexp(alphas) - N*D*log(2*pi)/2

# The Wishart prior of the precisions, with its constant
dof = D + m + 1
scale = dof*D*(log(gamma) - log(2)/2) - D*(D - 1)/4*log(pi)
constant = K*(scale - sum(loggamma((dof - arange(D))/2)))
prior = gamma**2/2*(sum(exp(2*logdiag)) + sum(icf[:, D:]**2)) - m*sum(logdiag)

fit + prior - constant
"""


def function() -> ac.Function:
    """The objective as a function of the parameters, the points and the prior's two numbers."""
    return ac.compile(SOURCE, inputs="alphas means icf X gamma m", wrt="alphas means icf")


def load(path: Path) -> tuple[Any, ...]:
    """An instance: alphas (K,), means (K, D), icf (K, P), X (N, D), gamma, m."""
    words = path.read_text().split()
    d, k, n = map(int, words[:3])
    p = d * (d + 1) // 2
    parts = np.split(np.array(words[3:], float), np.cumsum([k, k * d, k * p, n * d]))
    alphas, means, icf, points, (gamma, m) = parts
    return alphas, means.reshape(k, d), icf.reshape(k, p), points.reshape(n, d), gamma, m


def main(path: Path) -> None:
    """Print the objective, the norm of its gradient, and how long they take."""
    fn, instance = function(), load(path)
    value, gradient = fn.value_and_gradient(*instance)
    print(f"objective      {value:.12g}")
    print(f"|gradient|     {np.linalg.norm(np.concatenate([g.ravel() for g in gradient])):.12g}")
    for kind in ("value", "value_and_gradient"):
        member = getattr(fn, kind)
        seconds = min(repeat(lambda member=member: member(*instance), number=1, repeat=20))
        print(f"{kind + ':':<19} {1e3 * seconds:.3f} ms")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else DATA / "gmm" / "1k" / "gmm_d10_K10.txt")

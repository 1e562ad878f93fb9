"""Programs of whole arrays beside NumPy written by hand: `python -m benchmarks.arrays`.

Both run on one thread of BLAS, in turns of a few calls, and the best of many counts.  They are
first held against each other.  Every problem has a process of its own, since how fast large arrays
are allocated depends on what a process has allocated before.
"""

from __future__ import annotations

import os

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import argparse
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from benchmarks import handwritten
from examples import bundle_adjustment, gaussian_process, gmm, logistic, network

TURN = 4  # calls in a row: the first finds memory and caches as the other has left them


class Problem(NamedTuple):
    """What is computed, by whom, of what, and how many times the time by hand it may take."""

    ours: Callable[..., Any]
    by_hand: Callable[..., Any]
    arguments: Any
    goal: float


def flat(result):
    """All numbers of a result, in one vector."""
    if isinstance(result, tuple | list):
        return np.concatenate([flat(part) for part in result])
    return np.ravel(result)


def observations(cameras=49, points=7776, count=31843, seed=0):
    """As many observations as the first of ADBench's larger instances has."""
    rng = np.random.default_rng(seed)
    ways = np.hstack([rng.normal(size=(cameras, 9)), rng.normal(size=(cameras, 2)) / 100])
    places = rng.normal(size=(points, 3)) + np.array([0, 0, 9])
    chosen = rng.integers(0, cameras, count), rng.integers(0, points, count)
    return ways, places, rng.random(count), rng.normal(size=(count, 2)), *chosen


def batch(layers=(64, 256, 256, 10), count=256):
    """Weights of a network, and a batch of data."""
    rng = np.random.default_rng(1)
    sizes = (count, layers[0]), (count, layers[-1])
    return *network.weights(layers), *(rng.normal(size=size) for size in sizes)


def mixture() -> Problem:
    """Value and gradient of 1,000 points, in 10 dimensions, by 10 components."""
    fn, instance = gmm.function(), gmm.load(gmm.DATA / "gmm" / "1k" / "gmm_d10_K10.txt")
    return Problem(fn.value_and_gradient, handwritten.mixture, instance, 1.5)


def blocks() -> Problem:
    """The Jacobian's blocks."""
    fn, columns = bundle_adjustment.block(), bundle_adjustment.columns(*observations())
    data = [np.ascontiguousarray(column) for column in columns]
    return Problem(fn.jacobian, handwritten.bundle_blocks, data, 1.5)


def adjustment() -> Problem:
    """Value and gradient of the whole loss."""
    fn = bundle_adjustment.loss()
    return Problem(fn.value_and_gradient, handwritten.bundle_loss, observations(), 3)


def process() -> Problem:
    """Value and gradient for 300 places."""
    fn, data = gaussian_process.function(), gaussian_process.data(300)
    return Problem(fn.value_and_gradient, handwritten.process, data, 1.2)


def layers() -> Problem:
    """Value and gradient of a network."""
    return Problem(network.function().value_and_gradient, handwritten.network, batch(), 1.2)


def regression() -> Problem:
    """Value and gradient of logistic regression."""
    fn, data = logistic.function(), logistic.data(20_000, 100)
    return Problem(fn.value_and_gradient, handwritten.logistic, data, 1.2)


def hessian() -> Problem:
    """The Hessian of logistic regression."""
    fn, data = logistic.function(), logistic.data(2_000, 100)
    return Problem(fn.hessian, handwritten.logistic_hessian, data, 1.5)


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "Gaussian mixture, 1,000 points, D = K = 10": mixture,
    "bundle adjustment, 31,843 blocks": blocks,
    "bundle adjustment, whole loss": adjustment,
    "Gaussian process, N = 300": process,
    "network 64-256-256-10, batch of 256": layers,
    "logistic regression, 20,000 x 100": regression,
    "logistic regression, Hessian, 2,000 x 100": hessian,
}


def agree(problem: Problem) -> None:
    """Raise `AssertionError` where the two differ."""
    pairs = problem.ours(*problem.arguments), problem.by_hand(*problem.arguments)
    ours, by_hand = map(flat, pairs)
    tolerance = 1e-8 * np.abs(by_hand).max()
    np.testing.assert_allclose(ours, by_hand, rtol=1e-6, atol=tolerance)


def times(problem: Problem, turns: int) -> tuple[float, float]:
    """The best times in seconds, ours and by hand, of calls in turns of `TURN`."""
    best = [np.inf, np.inf]
    for k in np.tile([0] * TURN + [1] * TURN, turns):
        started = perf_counter()
        problem[k](*problem.arguments)
        best[k] = min(best[k], perf_counter() - started)
    return best[0], best[1]


def line(name: str, turns: int) -> str:
    """A line of the table."""
    problem = PROBLEMS[name]()
    agree(problem)
    ours, by_hand = times(problem, turns)
    measured = f"{1e3 * ours:.2f} ms | {1e3 * by_hand:.2f} ms | {ours / by_hand:.2f}"
    return f"| {name} | {measured} | {problem.goal} |"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=40, help="turns of each (40)")
    parser.add_argument("--only", default="", help="problems whose names contain this")
    options = parser.parse_args()
    print("| value and gradient, or as it says | ours | by hand | ratio | goal |")
    print("|---|---|---|---|---|")
    for name in PROBLEMS:
        if options.only in name:
            with ProcessPoolExecutor(1, get_context("spawn")) as fresh:
                print(fresh.submit(line, name, options.turns).result(), flush=True)


if __name__ == "__main__":
    main()

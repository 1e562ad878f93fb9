"""The formulas that the benchmarks measure: name to source and point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np


def rosenbrock(n: int) -> str:
    """Rosenbrock's function of n variables."""
    return "+".join(f"100*(x{k + 1}-x{k}**2)**2+(1-x{k})**2" for k in range(n - 1))


def product(n: int) -> str:
    """A product of n inputs."""
    return "*".join(f"x{k}" for k in range(n))


def chain(n: int) -> str:
    """A program of n nested steps."""
    lines = ["y0 = sin(x)*x", *(f"y{k} = sin(y{k - 1})*y{k - 1}" for k in range(1, n)), f"y{n - 1}"]
    return "\n".join(lines)


GAUSS = "b1*exp(-b2*x) + b3*exp(-(x-b4)**2/b5**2) + b6*exp(-(x-b7)**2/b8**2)"

FORMULAS: dict[str, tuple[str, tuple[float, ...]]] = {
    "textbook": ("log(x1) + x1*x2 - sin(x2)", (2.0, 5.0)),
    "composite": ("sqrt(x**2 + exp(x**2)) + cos(x**2 + exp(x**2))", (0.7,)),
    "gauss": (GAUSS, (98.0, 0.01, 120.0, 103.0, 101.0, 23.0, 72.0, 180.0, 18.0)),
    "rosenbrock10": (rosenbrock(10), (1.1,) * 10),
    "rosenbrock100": (rosenbrock(100), (1.1,) * 100),
    "product40": (product(40), (1.01,) * 40),
}

GROWTH = {"product": product, "chain": chain, "rosenbrock": rosenbrock}


class Program(NamedTuple):
    """A program of whole arrays: its text, what it is differentiated by, and its data."""

    text: str
    wrt: tuple[str, ...]
    shapes: Mapping[str, tuple[str, ...]]
    arguments: Callable[[], Mapping[str, Any]]
    by_hand: Callable[..., Any]


NAMES = (*(f"b{k}" for k in range(1, 9)), "x")
PARAMETERS = (98.0, 0.01, 103.0, 101.0, 23.0, 72.0, 180.0, 18.0)


def gauss(b1, b2, b3, b4, b5, b6, b7, b8, x):
    """The three exponentials and their partials by all but `x`, by hand."""
    e1, d2, d3 = np.exp(-b2 * x), (x - b4) / b5, (x - b7) / b8
    e2, e3 = np.exp(-d2 * d2), np.exp(-d3 * d3)
    s2, s3 = 2 * b3 * d2 * e2 / b5, 2 * b6 * d3 * e3 / b8
    value = b1 * e1 + b3 * e2 + b6 * e3
    return value, [e1, -b1 * x * e1, e2, s2, s2 * d2, e3, s3, s3 * d3]


def fitted(*point):
    """The least squares of that model and their gradient, by hand."""
    *inputs, y = point
    value, partials = gauss(*inputs)
    rest = value - y
    return rest @ rest, [2 * (rest @ partial) for partial in partials]


def valley(x):
    """Rosenbrock's function of a vector and its gradient, by hand."""
    a, c = x[1:] - x[:-1] ** 2, 1 - x[:-1]
    slope = np.zeros_like(x)
    slope[:-1] = -400 * a * x[:-1] - 2 * c
    slope[1:] += 200 * a
    return 100 * (a @ a) + c @ c, [slope]


def logistic(w, X, t):
    """The loss of logistic regression and its gradient, by hand."""
    e = np.exp(-t * (X @ w))
    return np.log1p(e).sum(), [-(X.T @ (t * (e / (1 + e))))]


COUNT = 10**6  # points, or variables


def observed() -> dict[str, Any]:
    """Noisy values of the three exponentials."""
    x = np.linspace(1, 250, COUNT)
    model = dict(zip(NAMES, (*PARAMETERS, x), strict=True))
    noise = np.random.default_rng(0).normal(size=COUNT)
    return {**model, "y": gauss(*model.values())[0] + noise}


def classified(count: int = 20_000, features: int = 100) -> dict[str, Any]:
    """Weights, and so many examples with labels."""
    rng = np.random.default_rng(0)
    X, t = rng.normal(size=(count, features)), np.sign(rng.normal(size=count))
    return {"w": rng.normal(size=features) / 10, "X": X, "t": t}


PROGRAMS = {
    "least squares of those, 1e6 points": Program(
        f"sum(({GAUSS} - y)**2)", NAMES[:8], {"x": ("n",), "y": ("n",)}, observed, fitted
    ),
    "Rosenbrock, 1e6 variables": Program(
        "sum(100*(x[1:] - x[:-1]**2)**2 + (1 - x[:-1])**2)",
        ("x",),
        {"x": ("n",)},
        lambda: {"x": np.random.default_rng(0).normal(size=COUNT)},
        valley,
    ),
    "logistic regression, 20,000 x 100": Program(
        "sum(log(1 + exp(-t*(X @ w))))",
        ("w",),
        {"w": ("d",), "X": ("n", "d"), "t": ("n",)},
        classified,
        logistic,
    ),
}

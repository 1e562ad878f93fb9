"""The formulas that the benchmarks measure: name to source and point."""

from __future__ import annotations


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

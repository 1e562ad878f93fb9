"""Simplification laws, as data: algebra that every IEEE input allows, and integer powers."""

from __future__ import annotations

from .primitives.ieee import is_power_of_two
from .rewrite import Law


def shifts(k: float, product: float) -> bool:
    """Whether `k` only shifts the exponent, and a product with it stays far from the limits."""
    return is_power_of_two(k) and 1e-100 < abs(product) < 1e100


def either_shifts(m: float, n: float) -> bool:
    """Whether one of two constants only shifts the exponent of their product."""
    return shifts(m, m * n) or shifts(n, m * n)


SIMPLIFY = (
    Law("x + 0", "x"),
    Law("x - 0", "x"),
    Law("0 - x", "-x"),
    Law("x*1", "x"),
    Law("x/1", "x"),
    Law("x*(-1)", "-x"),
    Law("x/(-1)", "-x"),
    Law("-(-x)", "x"),
    Law("x + (-y)", "x - y"),
    Law("x - (-y)", "x + y"),
    Law("(-x) - y", "-(x + y)"),
    Law("-(x - y)", "y - x"),
    Law("(-x)*y", "-(x*y)"),
    Law("(-x)/y", "-(x/y)"),
    Law("x/(-y)", "-(x/y)"),
    Law("n*x", "-((-n)*x)", when=lambda n: n < 0),
    Law("n/x", "-((-n)/x)", when=lambda n: n < 0),
    Law("x + n", "x - (-n)", when=lambda n: n < 0),
    Law("x - n", "x + (-n)", when=lambda n: n < 0),
    Law("x + x", "2*x"),
    Law("m*(n*x)", "(m*n)*x", when=either_shifts),
    Law(
        "(m*x)*(n*y)",
        "(m*n)*(x*y)",
        exact=False,
        why="one operation less",
        when=either_shifts,
    ),
    Law(
        "(m/x)*(n*y)",
        "((m*n)/x)*y",
        exact=False,
        why="one operation less",
        when=either_shifts,
    ),
    Law("(n*x)/m", "(n/m)*x", when=lambda m, n: m != 0 and shifts(m, n / m)),
    Law("m/(n*x)", "(m/n)/x", when=lambda m, n: n != 0 and shifts(n, m / n)),
    Law(
        "(n*x)/(n*y)",
        "x/y",
        exact=False,
        why="differs only where a product overflows or underflows",
        when=lambda n: shifts(n, 1),
    ),
    Law("m*(n/x)", "(m*n)/x", when=lambda m, n: shifts(m, m * n)),
    Law("x*(1/y)", "x/y", exact=False, why="one rounding instead of two"),
    Law("x/(1/y)", "x*y", exact=False, why="one rounding instead of two"),
    Law("x**1", "x"),
    Law("x**0", "1"),
    Law("x**(-1)", "1/x"),
    Law("x**0.5", "sqrt(x)", exact=False, why="differs only at -0 and -inf"),
    Law("x**(-0.5)", "1/sqrt(x)", exact=False, why="differs only at -0 and -inf"),
    Law("abs(-x)", "abs(x)"),
    Law("cos(-x)", "cos(x)"),
    Law("cosh(-x)", "cosh(x)"),
    Law("abs(abs(x))", "abs(x)"),
    Law("not not c", "c"),
    Law("where(c, x, x)", "x"),
    Law("where(not c, x, y)", "where(c, y, x)"),
    Law("where(c, x, 0) + where(c, y, 0)", "where(c, x + y, 0)"),
    Law("where(c, x, 0) + where(c, 0, y)", "where(c, x, y)"),
    Law("-where(c, x, 0)", "where(c, -x, 0)"),
)

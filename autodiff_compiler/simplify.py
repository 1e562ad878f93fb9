"""Simplification rules, as data: algebra that every IEEE input allows, and integer powers."""

from __future__ import annotations

import math

from .rewrite import Rule


def is_power_of_two(m: float, n: float) -> bool:
    """Whether one of two factors only shifts the exponent, so that merging them rounds nothing."""
    return any(abs(math.frexp(k)[0]) == 0.5 for k in (m, n)) and 1e-100 < abs(m * n) < 1e100


SIMPLIFY = (
    Rule("x + 0", "x"),
    Rule("x - 0", "x"),
    Rule("0 - x", "-x"),
    Rule("x*1", "x"),
    Rule("x/1", "x"),
    Rule("x*(-1)", "-x"),
    Rule("x/(-1)", "-x"),
    Rule("-(-x)", "x"),
    Rule("x + (-y)", "x - y"),
    Rule("x - (-y)", "x + y"),
    Rule("(-x) - y", "-(x + y)"),
    Rule("-(x - y)", "y - x"),
    Rule("(-x)*y", "-(x*y)"),
    Rule("(-x)/y", "-(x/y)"),
    Rule("x/(-y)", "-(x/y)"),
    Rule("-(n*x)", "(-n)*x"),
    Rule("-(n/x)", "(-n)/x"),
    Rule("x + n*y", "x - (-n)*y", when=lambda n: n < 0),
    Rule("x - n*y", "x + (-n)*y", when=lambda n: n < 0),
    Rule("x + x", "2*x"),
    Rule("m*(n*x)", "(m*n)*x", when=is_power_of_two),
    Rule("m*(n/x)", "(m*n)/x", when=is_power_of_two),
    Rule("x*(1/y)", "x/y", exact=False, why="one rounding instead of two"),
    Rule("x/(1/y)", "x*y", exact=False, why="one rounding instead of two"),
    Rule("x**1", "x"),
    Rule("x**0", "1"),
    Rule("x**(-1)", "1/x"),
    Rule("x**0.5", "sqrt(x)", exact=False, why="differs only at -0 and -inf"),
    Rule("x**(-0.5)", "1/sqrt(x)", exact=False, why="differs only at -0 and -inf"),
    Rule("abs(-x)", "abs(x)"),
    Rule("abs(abs(x))", "abs(x)"),
    Rule("where(c, x, x)", "x"),
    Rule("where(not c, x, y)", "where(c, y, x)"),
    Rule("where(c, x, 0) + where(c, y, 0)", "where(c, x + y, 0)"),
    Rule("where(c, x, 0) + where(c, 0, y)", "where(c, x, y)"),
    Rule("-where(c, x, 0)", "where(c, -x, 0)"),
)

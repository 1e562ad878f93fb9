"""Rows of the operators: arithmetic, comparison, logic and selection."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from .row import POSITIVE, Primitive, function

SUM, SIGN, REMAINDER, PRODUCT, POWER = 60, 65, 66, 70, 90
COMPARISON, NOT, AND, OR, TERNARY = 50, 40, 30, 20, 10


def comparison(
    name: str, symbol: str, holds: Callable[[Any, Any], Any], relation: str, latex: str
) -> Primitive:
    """A row for `x symbol y`; it is constant between its jumps, so its partials are 0."""
    return function(
        f"{name}(x, y)",
        "0",
        "0",
        symbol=symbol,
        precedence=COMPARISON,
        boolean=True,
        sympy=relation,
        mpmath=lambda mp, x, y: holds(x, y),
        latex=f"{{x}} {latex} {{y}}",
    )


ROWS = (
    function(
        "add(x, y)",
        "1",
        "1",
        symbol="+",
        precedence=SUM,
        commutative=True,
        sympy=lambda sp, x, y: x + y,
        mpmath=lambda mp, x, y: x + y,
        latex="{x} + {y}",
    ),
    function(
        "subtract(x, y)",
        "1",
        "-1",
        symbol="-",
        precedence=SUM,
        sympy=lambda sp, x, y: x - y,
        mpmath=lambda mp, x, y: x - y,
        latex="{x} - {y}",
    ),
    function(
        "multiply(x, y)",
        "y",
        "x",
        symbol="*",
        precedence=PRODUCT,
        commutative=True,
        sympy=lambda sp, x, y: x * y,
        mpmath=lambda mp, x, y: x * y,
        latex=r"{x} \cdot {y}",
    ),
    function(
        "divide(x, y)",
        "1/y",
        "-out/y",
        aliases="true_divide",
        symbol="/",
        precedence=PRODUCT,
        domain=((-3.0, 3.0), POSITIVE),
        special=((1.0, 0.0), (0.0, 0.0), (-1.0, 0.0)),
        pole="nan if x == 0 or x != x else copysign(inf, x)*copysign(1.0, y)",
        sympy=lambda sp, x, y: x / y,
        mpmath=lambda mp, x, y: x / y,
        latex=r"\frac{{{x}}}{{{y}}}",
    ),
    function(
        "power(x, y)",
        "where(abs(x) < 1e-30 and y == 0, 0, y*x**(y - 1))",
        "where(x == 0 and y > 0, 0, out*log(x))",
        aliases="pow",
        symbol="**",
        precedence=POWER,
        python="pow",
        domain=(POSITIVE, (-3.0, 3.0)),
        special=((0.0, 2.0), (-2.0, -2.0), (-2.0, 3.0), (0.0, -1.0), (-8.0, 0.5)),
        pole="nan if x else copysign(inf, x) if y % 2 == 1 else inf",
        overflow="-inf if x < 0 and y % 2 == 1 else inf",
        sympy=lambda sp, x, y: x**y,
        mpmath=lambda mp, x, y: x ** int(y) if mp.isint(y) else mp.power(x, y),
        latex="{{{x}}}^{{{y}}}",
        note="0**0 is 1; at x = 0 < y both partials are the limits from the right",
    ),
    function(
        "negative(x)",
        "-1",
        symbol="-",
        precedence=SIGN,
        sympy=lambda sp, x: -x,
        mpmath=lambda mp, x: -x,
        latex="-{x}",
    ),
    comparison("less", "<", operator.lt, "StrictLessThan", "<"),
    comparison("less_equal", "<=", operator.le, "LessThan", r"\le"),
    comparison("greater", ">", operator.gt, "StrictGreaterThan", ">"),
    comparison("greater_equal", ">=", operator.ge, "GreaterThan", r"\ge"),
    comparison("equal", "==", operator.eq, "Equality", "="),
    comparison("not_equal", "!=", operator.ne, "Unequality", r"\ne"),
    function(
        "logical_and(p, q)",
        "0",
        "0",
        symbol="and",
        numpy="logical_and",
        precedence=AND,
        boolean=True,
        sympy="And",
        mpmath=lambda mp, p, q: p and q,
        latex=r"{p} \land {q}",
    ),
    function(
        "logical_or(p, q)",
        "0",
        "0",
        symbol="or",
        numpy="logical_or",
        precedence=OR,
        boolean=True,
        sympy="Or",
        mpmath=lambda mp, p, q: p or q,
        latex=r"{p} \lor {q}",
    ),
    function(
        "logical_not(p)",
        "0",
        symbol="not",
        numpy="logical_not",
        precedence=NOT,
        boolean=True,
        sympy="Not",
        mpmath=lambda mp, p: not p,
        latex=r"\lnot {p}",
    ),
    function(
        "where(c, a, b)",
        "0",
        "where(c, 1, 0)",
        "where(c, 0, 1)",
        aliases="Piecewise_where if_else ifelse",
        precedence=TERNARY,
        python="{a} if {c} else {b}",
        numpy="where",
        sympy=lambda sp, c, a, b: sp.Piecewise((a, c), (b, True)),
        mpmath=lambda mp, c, a, b: a if c else b,
        latex=r"\begin{{cases}} {a} & \text{{if }} {c} \\ {b} & \text{{otherwise}} \end{{cases}}",
        note="selects: the branch not taken contributes nothing, whatever its slope",
    ),
)

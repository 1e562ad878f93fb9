"""Constant folding: operations on constants, evaluated while compiling, within bounds."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from .graph import AND, CONSTANT, OR, WHERE, Graph, Node, Number
from .primitives import Primitive
from .primitives.ieee import evaluator, has_python
from .rewrite import Rewritten

MAX_BITS = 1024  # of an exact integer; beyond, a constant is a double

Evaluator = Callable[..., Number]


def _divide(x: int, y: int) -> Number | None:
    return x // y if y and x % y == 0 else None


def _power(x: int, y: int) -> Number | None:
    return x**y if y >= 0 and x.bit_length() * y <= MAX_BITS else None


EXACT: Mapping[str, Callable[..., Number | None]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "negative": operator.neg,
    "abs": abs,
    "divide": _divide,
    "power": _power,
}  # of integers, as long as the result is one


@cache
def _named_constant(row: Primitive) -> float | None:
    return evaluator(row)() if row.python and not row.args else None


def fold(graph: Graph, op: Primitive, args: tuple[Node, ...]) -> Rewritten | None:
    """The value of an operation on constants: an exact integer, or what IEEE arithmetic gives."""
    shortcut = SHORTCUTS.get(op)
    if shortcut is not None:
        return shortcut(graph, *args)
    values: list[Any] = []
    for a in args:
        value = a.data if a.op is CONSTANT else _named_constant(a.op)
        if value is None:
            return None
        values.append(value)
    if not values or not has_python(op):
        return None
    return Rewritten(graph.constant(_evaluate(op, values)), "fold constants")


def _evaluate(op: Primitive, values: list[Number]) -> Number:
    if op.name in EXACT and all(isinstance(v, int) for v in values):
        result = EXACT[op.name](*values)
        if result is not None and (isinstance(result, float) or result.bit_length() <= MAX_BITS):
            return result
    return evaluator(op)(*map(_float, values))


def _float(value: Number) -> Number:
    """An integer as a double, infinite where it is too large for one."""
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    return float(value) if value.bit_length() <= MAX_BITS else math.copysign(math.inf, value)


def _where(graph: Graph, condition: Node, yes: Node, no: Node) -> Rewritten | None:
    if condition.op is not CONSTANT:
        return None
    return Rewritten(yes if condition.data else no, "fold a condition")


def _and(graph: Graph, p: Node, q: Node) -> Rewritten | None:
    for condition, other in ((p, q), (q, p)):
        if condition.op is CONSTANT:
            return Rewritten(other if condition.data else condition, "fold a condition")
    return None


def _or(graph: Graph, p: Node, q: Node) -> Rewritten | None:
    for condition, other in ((p, q), (q, p)):
        if condition.op is CONSTANT:
            return Rewritten(condition if condition.data else other, "fold a condition")
    return None


SHORTCUTS: Mapping[Primitive, Callable[..., Rewritten | None]] = {WHERE: _where, AND: _and, OR: _or}

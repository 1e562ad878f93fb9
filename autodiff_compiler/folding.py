"""Constant folding: operations on constants, evaluated while compiling, within bounds."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping

from .graph import AND, CONSTANT, OR, WHERE, Graph, Node, Number, Rule, Step
from .primitives import Primitive
from .primitives.ieee import evaluator, has_python

MAX_BITS = 1024  # of an exact integer; beyond, a constant is a double


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


def fold(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """For an operation on constants: an exact integer, or what IEEE arithmetic gives."""
    if op in SHORTCUTS:
        yield Rule(("fold", "fold a condition"), SHORTCUTS[op])
    elif heads and has_python(op) and all(_is_constant(head) for head in heads):
        yield Rule(("fold", "fold constants"), _folding(op))


def _is_constant(row: Primitive) -> bool:
    return row is CONSTANT or bool(row.python and not row.args)


def _folding(op: Primitive) -> Step:
    def step(graph: Graph, *args: Node) -> Node:
        values = [a.data if a.op is CONSTANT else evaluator(a.op)() for a in args]
        return graph.constant(_evaluate(op, values))

    return step


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


def _where(_: Graph, condition: Node, yes: Node, no: Node) -> Node | None:
    if condition.op is not CONSTANT:
        return None
    return yes if condition.data else no


def _and(_: Graph, p: Node, q: Node) -> Node | None:
    if p.op is CONSTANT:
        return q if p.data else p
    return _and(_, q, p) if q.op is CONSTANT else None


def _or(_: Graph, p: Node, q: Node) -> Node | None:
    if p.op is CONSTANT:
        return p if p.data else q
    return _or(_, q, p) if q.op is CONSTANT else None


SHORTCUTS: Mapping[Primitive, Step] = {WHERE: _where, AND: _and, OR: _or}

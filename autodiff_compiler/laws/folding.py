"""Constant folding: operations on constants, evaluated while compiling, within bounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ..graph import AND, CONSTANT, OR, SUMS, WHERE, Graph, Node, Rule, Step, are_opposite
from ..primitives import Primitive
from ..primitives.ieee import absorbs, evaluate, evaluator, has_python


def fold(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """For an operation on constants: an exact integer, or what IEEE arithmetic gives."""
    if op in SHORTCUTS:
        yield Rule(("fold", "fold a condition"), SHORTCUTS[op])
    elif heads and has_python(op) and all(_is_constant(head) for head in heads):
        yield Rule(("fold", "fold constants"), _folding(op))


def waiting(nodes: Iterable[Node]) -> bool:
    """Whether there is a sum of constants that was not folded, lest digits are lost."""
    sums = [n.args for n in nodes if n.op in SUMS]
    return any(x.op is CONSTANT and y.op is CONSTANT for x, y in sums)


def _is_constant(row: Primitive) -> bool:
    return row is CONSTANT or bool(row.python and not row.args)


def _folding(op: Primitive) -> Step:
    def step(graph: Graph, *args: Node) -> Node | None:
        values = [a.data if a.op is CONSTANT else evaluator(a.op)() for a in args]
        lossy = op in SUMS and graph.exact and absorbs(*values)
        return None if lossy else graph.constant(evaluate(op, values))

    return step


def _where(_: Graph, condition: Node, yes: Node, no: Node) -> Node | None:
    if condition.op is not CONSTANT:
        return None
    return yes if condition.data else no


def _combination(op: Primitive, decisive: bool) -> Step:
    """`and`, which False decides, or `or`, which True decides."""
    dual = OR if op is AND else AND

    def step(graph: Graph, p: Node, q: Node) -> Node | None:
        if p.op is CONSTANT or q.op is CONSTANT:
            known, other = (p, q) if p.op is CONSTANT else (q, p)
            return known if bool(known.data) is decisive else other
        for side, other in ((p, q), (q, p)):
            parts = side.args if side.op is op else (side,)
            factors = other.args if other.op is dual else (other,)
            if not set(parts).isdisjoint(factors):
                return side
            rest = [a for a in factors if not any(are_opposite(a, part) for part in parts)]
            if len(rest) < len(factors):  # what is left may hold where no part does
                return graph.apply(op, side, *rest) if rest else graph.constant(decisive)
        return None

    return step


SHORTCUTS: Mapping[Primitive, Step] = {
    WHERE: _where,
    AND: _combination(AND, False),
    OR: _combination(OR, True),
}

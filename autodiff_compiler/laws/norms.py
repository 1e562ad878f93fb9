"""Norms, and logarithms and shares of sums of exponentials: sums of any number of terms, whole."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from functools import reduce
from itertools import islice

from ..graph import ADD, CONSTANT, DIVIDE, MULTIPLY, NEGATIVE, POWER, SUBTRACT, Graph, Node, Rule
from ..primitives import Primitive, lookup

EXP, EXPIT, HYPOT = lookup("exp"), lookup("expit"), lookup("hypot")
LOG, LOGADDEXP, SQRT = lookup("log"), lookup("logaddexp"), lookup("sqrt")

Inverse = Callable[[Graph, Node], Node | None]  # of a function whose value a node is

MAX_TERMS = 512  # of a norm, or of a logarithm of a sum: each is looked through anew


def norms(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """The root of a sum of squares, as a norm that neither overflows nor underflows, and back."""
    if op is SQRT and heads[0] is ADD:
        yield Rule(("stable", "sqrt(x*x + y*y + ...) -> hypot(x, y, ...)"), _norm)
    if op is SQRT and heads[0] in (MULTIPLY, DIVIDE):
        yield Rule(
            ("stable", "sqrt(n*(x*x + y*y + ...)) -> sqrt(n)*hypot(x, y, ...)"), _scaled_norm
        )
    if op is POWER and heads == (ADD, CONSTANT):
        yield Rule(("stable", "(x*x + y*y + ...)**n -> hypot(x, y, ...)**(2*n)"), _power_of_norm)
    if op is LOG and heads[0] is ADD:
        yield Rule(("stable", "log(x*x + y*y + ...) -> 2*log(hypot(x, y, ...))"), _log_of_norm)
    if op is MULTIPLY and heads == (HYPOT, HYPOT):
        yield Rule(("stable", "hypot(x, y, ...)**2 -> x*x + y*y + ..."), _squares)


def _scaled_norm(graph: Graph, inside: Node) -> Node | None:
    """The root of a constant times a sum of squares."""
    scale, total = scaled(inside)
    norm = _norm(graph, total) if total and total.op is ADD and scale > 0 else None
    if norm is None:
        return None
    return graph.apply(MULTIPLY, graph.apply(SQRT, graph.constant(scale)), norm)


def _power_of_norm(graph: Graph, total: Node, exponent: Node) -> Node | None:
    """A power below 1: by the norm, whose own slope at 0 is finite."""
    norm = _norm(graph, total) if 0 < exponent.data < 1 else None
    return norm and graph.apply(POWER, norm, graph.constant(2 * exponent.data))


def _log_of_norm(graph: Graph, total: Node) -> Node | None:
    """The logarithm of a sum of squares none of which is constant, as `log1p` would have it."""
    norm = None if any(part.op is CONSTANT for part in added(total)) else _norm(graph, total)
    return norm and graph.apply(MULTIPLY, graph.constant(2), graph.apply(LOG, norm))


def _squares(graph: Graph, norm: Node, other: Node) -> Node | None:
    """The square of a norm, which is smooth at 0."""
    if norm is not other or norm in graph.notes.squares:
        return graph.notes.squares[norm] if norm is other else None
    parts = _operands(norm, HYPOT)
    if len(parts) > MAX_TERMS:
        return None
    squares = [graph.apply(MULTIPLY, part, part) for part in parts]
    return reduce(lambda a, b: graph.apply(ADD, a, b), squares)


def _norm(graph: Graph, total: Node) -> Node | None:
    """The root of a sum, some terms of which may be sums that have been taken the root of."""
    known = graph.notes.norms
    if total not in known:
        terms = _operands(total, ADD, known)
        norm = combined(graph, HYPOT, [known.get(t) or root_of(graph, t) for t in terms])
        if norm is None or norm.op is not HYPOT:
            return norm
        known[total], graph.notes.squares[norm] = norm, total
    return known[total]


def _none(_graph: Graph, _node: Node) -> None:
    """No inverse but the plain one."""


def root_of(graph: Graph, node: Node, other: Inverse = _none) -> Node | None:
    """What a term is the square of, a constant times one too; `other` knows further squares."""
    scale, square = scaled(node)
    if scale <= 0:
        return None
    if square is None:
        return graph.apply(SQRT, graph.constant(scale))
    root = other(graph, square)
    if root is None and square.op is MULTIPLY and square.args[0] is square.args[1]:
        root = square.args[0]
    if root is None or scale == 1:
        return root
    return graph.apply(MULTIPLY, graph.apply(SQRT, graph.constant(scale)), root)


def exponentials(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """The logarithm of a sum of exponentials, by `logaddexp`; a constant is one, too."""
    if op is LOG and heads[0] is ADD:
        yield Rule(("stable", "log(exp(x) + exp(y) + ...) -> logaddexp(x, y, ...)"), _logsumexp)


def _logsumexp(graph: Graph, total: Node) -> Node | None:
    if total.args[0].op is CONSTANT or total.args[1].op is CONSTANT:
        return None
    return combined(graph, LOGADDEXP, [exponent_of(graph, part) for part in added(total)])


def exponent_of(graph: Graph, node: Node, other: Inverse = _none) -> Node | None:
    """The logarithm of a term that is an exponential; `other` knows further logarithms."""
    scale, power = scaled(node)
    if scale <= 0:
        return None
    if power is None:
        return graph.apply(LOG, graph.constant(scale))
    exponent = other(graph, power)
    if exponent is None and power.op is EXP:
        exponent = power.args[0]
    if exponent is None or scale == 1:
        return exponent
    return graph.apply(ADD, exponent, graph.apply(LOG, graph.constant(scale)))


def shares(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """Shares of a sum of exponentials, as `softmax` has them: of one of them, or of a constant."""
    if op is DIVIDE and heads == (EXP, ADD):
        rule = ("stable", "exp(x)/(exp(x) + exp(y) + ...) -> expit(x - logaddexp(y, ...))")
        yield Rule(rule, _share)
    if op is DIVIDE and heads == (MULTIPLY, ADD):
        rule = ("stable", "z*exp(x)/(exp(x) + exp(y) + ...) -> z*expit(x - logaddexp(y, ...))")
        yield Rule(rule, _multiple)
    if op is DIVIDE and heads[1] is ADD:
        rule = ("stable", "z/(1 + exp(x) + exp(y) + ...) -> z*expit(-logaddexp(x, y, ...))")
        yield Rule(rule, _constant_share)


def _share(graph: Graph, power: Node, total: Node) -> Node | None:
    parts = added(total)
    others = [part for part in parts if part is not power]
    if len(others) != len(parts) - 1 or all(part.op is CONSTANT for part in others):
        return None
    rest = combined(graph, LOGADDEXP, [exponent_of(graph, part) for part in others])
    return rest and graph.apply(EXPIT, graph.apply(SUBTRACT, power.args[0], rest))


def _multiple(graph: Graph, above: Node, total: Node) -> Node | None:
    """Something times an exponential, over a sum that has it."""
    if not graph.is_program:  # slopes may cancel
        return None
    for power, other in (above.args, above.args[::-1]):
        share = _share(graph, power, total) if power.op is EXP else None
        if share is not None:
            return graph.apply(MULTIPLY, other, share)
    return None


def _constant_share(graph: Graph, above: Node, total: Node) -> Node | None:
    if not graph.is_program or EXP not in graph.heads or _has_exponential(above):
        return None
    parts = added(total)
    constants, others = ([p for p in parts if (p.op is CONSTANT) == k] for k in (True, False))
    if len(constants) != 1 or len(others) < 2:
        return None
    rest = combined(graph, LOGADDEXP, [exponent_of(graph, part) for part in others])
    first = exponent_of(graph, constants[0])
    if rest is None or first is None:
        return None
    share = graph.apply(EXPIT, graph.apply(SUBTRACT, first, rest))
    return graph.apply(MULTIPLY, graph.apply(DIVIDE, above, constants[0]), share)


def _has_exponential(product: Node) -> bool:
    """Whether an exponential is a factor."""
    pending = [product]
    for node in islice(pending, MAX_TERMS):  # which grows
        if node.op is MULTIPLY or node.op is DIVIDE:
            pending += node.args
    return any(node.op is EXP for node in pending)


def scaled(node: Node) -> tuple[float, Node | None]:
    """A term as a constant times something, or a constant alone."""
    if node.op is CONSTANT:
        return node.data, None
    if node.op is MULTIPLY and node.args[0].op is CONSTANT:
        return node.args[0].data, node.args[1]
    if node.op is DIVIDE and node.args[1].op is CONSTANT and node.args[1].data:
        return 1 / node.args[1].data, node.args[0]
    return 1, node


def added(node: Node) -> list[Node]:
    """The terms of a sum without differences, in order, as far as one looks."""
    return _operands(node, ADD)


def signed(total: Node, most: int = MAX_TERMS) -> list[tuple[int, Node]]:
    """What a sum is of, with signs; nothing if that is too much."""
    pending, terms = [(1, total)], list[tuple[int, Node]]()
    while pending:
        sign, node = pending.pop()
        if node.op not in (ADD, SUBTRACT, NEGATIVE):
            terms.append((sign, node))
        elif len(pending) + len(terms) > most:
            return []
        else:
            pending.append((sign if node.op is ADD else -sign, node.args[-1]))
            if len(node.args) > 1:
                pending.append((sign, node.args[0]))
    return terms


def summed(graph: Graph, terms: Iterable[tuple[int, Node]]) -> Node:
    """The sum of terms with signs, of which there is one at least."""
    total: Node | None = None
    for sign, node in terms:
        if total is not None:
            total = graph.apply(ADD if sign > 0 else SUBTRACT, total, node)
        else:
            total = node if sign > 0 else graph.apply(NEGATIVE, node)
    assert total is not None, "an empty sum"
    return total


def _operands(node: Node, op: Primitive, whole: Container[Node] = ()) -> list[Node]:
    """What nested operations of one kind are of, in order, as far as one looks.

    What is in `whole` is not taken apart.
    """
    found: list[Node] = []
    pending = [node]
    while pending and len(found) <= MAX_TERMS:
        top = pending.pop()
        if top.op is op and top not in whole:
            pending += reversed(top.args)
        else:
            found.append(top)
    return found


def combined(graph: Graph, op: Primitive, parts: Sequence[Node | None]) -> Node | None:
    """`op` over all of the parts, if there are not too many and every one is known."""
    first, *rest = parts
    known = [part for part in rest if part is not None]
    if first is None or len(known) < len(rest) or len(parts) > MAX_TERMS:
        return None
    return reduce(lambda a, b: graph.apply(op, a, b), known, first)

"""The nodes of a program as Laurent series about a value of one of its inputs.

In `h = t - t0`, where `t0` and the coefficients are made of the other inputs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import NamedTuple

from ..errors import ExpressionError
from ..forward import forward
from ..graph import (
    ADD,
    DIVIDE,
    MULTIPLY,
    NEGATIVE,
    NOT,
    NOT_EQUAL,
    POWER,
    SUBTRACT,
    WHERE,
    Graph,
    Node,
    dependents,
    replay,
)
from ..limits import Limits
from ..partials import Pen
from ..passes import STABLE_PASSES, pipeline
from ..primitives import Primitive, lookup
from ..primitives.ieee import has_python
from .probes import Probes
from .series import Arithmetic, Line, NoSeries, Series

EXP, LOG, SIGN, SQRT = map(lookup, ("exp", "log", "sign", "sqrt"))
ROOTED: Mapping[Primitive, str] = {  # functions by a root that is 0 at an end of their domain
    lookup("arccos"): "2*arcsin(sqrt((1 - x)/2))",
    lookup("arccosh"): "2*arcsinh(sqrt((x - 1)/2))",
    lookup("arcsin"): "pi/2 - 2*arcsin(sqrt((1 - x)/2))",
}
SMOOTH: Mapping[Primitive, str] = {  # functions without the choices that keep them in range
    lookup("logaddexp"): "x + log(1 + exp(y - x))",
    lookup("logaddexp2"): "x + log2(1 + exp2(y - x))",
    lookup("hypot"): "sqrt(x*x + y*y)",
    lookup("ratio"): "x/y",
    lookup("xlogy"): "x*log(y)",
    lookup("xlog1py"): "x*log(1 + y)",
    lookup("rel_entr"): "x*log(x/y)",
    lookup("kl_div"): "x*log(x/y) - x + y",
    lookup("sqrt_product"): "sqrt(x)*sqrt(y)",
    lookup("conjugate_sum"): "b + s",
    lookup("conjugate_ratio"): "(b + s)/y",
    lookup("compound"): "(1 + x)**y",
    lookup("erf_difference"): "erf(x) - erf(y)",
}
LINES = (Line(1, 1), Line(2, 1), Line(2, -1))
TABLE = Limits(nodes=2_000)  # for the derivatives of a row
COUNTS = {1: 6, 2: 8}  # terms of a series: the powers of a pole, and of what is left
EQUALITIES = frozenset({lookup("equal"), NOT_EQUAL})
COMPARISONS = EQUALITIES | {*map(lookup, ("less", "less_equal", "greater", "greater_equal"))}
KINKED = frozenset(map(lookup, ("abs", "maximum", "minimum", "fmax", "fmin", "clip")))
STEPS = frozenset(
    map(lookup, ("floor", "ceil", "trunc", "rint", "mod", "fmod", "copysign", "ldexp"))
)


class Expansion:
    """The series of nodes of a graph about a root of an input, to `count` terms each.

    Attributes:
        assumed: conditions, of other inputs, that the series take for true.
    """

    def __init__(self, graph: Graph, probes: Probes, t: Node, root: Node, line: Line) -> None:
        self._of = Arithmetic(graph, probes, line, COUNTS[line.step])
        self._graph, self._probes = graph, probes
        self._found: dict[Node, Series | None] = {t: self._of.moving(root)}
        self._bent: dict[Node, Node] = {}
        self._defining: list[Primitive] = []
        self.assumed = self._of.assumed

    def power_series(self, node: Node, count: int) -> list[Node]:
        """The first coefficients of a power series; none, if it is not one as far as that."""
        with suppress(NoSeries):
            return self._of.taken(self._series(node), count)
        return []

    def limit(self, node: Node) -> Node | None:
        """The value of a node at the root; none, where it is infinite or not known."""
        return self._bent.get(node) or next(iter(self.power_series(node, 1)), None)

    def expand(self, nodes: Iterable[Node]) -> None:
        """Find the series of those nodes that depend on the input, and have one."""
        for node in nodes:
            if node not in self._found and not self._found.keys().isdisjoint(node.args):
                try:
                    self._found[node] = self._expanded(node)
                except NoSeries:
                    self._found[node] = None
                    self._bend(node)

    def _bend(self, node: Node) -> None:
        """Keep the limit of a function that has a kink, and of what is made of one."""
        bent = node.op in KINKED or not self._bent.keys().isdisjoint(node.args)
        limit = self._at_limits(node) if bent and node.op not in STEPS else None
        if limit is not None:
            self._bent[node] = limit

    def _series(self, node: Node) -> Series:
        series = self._found[node] if node in self._found else self._of.series(node)
        if series is None:
            raise NoSeries
        return series

    def _expanded(self, node: Node) -> Series:
        if node.op in ARITHMETIC:
            return ARITHMETIC[node.op](self._of, *map(self._series, node.args))
        if node.op is POWER:
            return self._power(*node.args)
        if node.op is SQRT:
            return self._power(node.args[0], self._graph.constant(0.5))
        if node.op is WHERE:
            return self._choice(*node.args)
        return self._condition(node) if node.is_boolean else self._function(node)

    def _power(self, base: Node, exponent: Node) -> Series:
        """By the exponential of a logarithm, if the exponent varies."""
        if exponent not in self._found:
            return self._of.power(self._series(base), exponent)
        logarithm = self._of.series(self._graph.intern(LOG, base))
        if base in self._found:
            logarithm = self._composed(LOG, 0, (base,), self._series(base))
        product = self._of.multiply(self._series(exponent), logarithm)
        return self._composed(EXP, 0, (exponent,), product)

    def _choice(self, condition: Node, *branches: Node) -> Series:
        """The branch that is taken near the root; where other inputs choose, both or the one."""
        at_root = self.limit(condition)
        if at_root is None:
            raise NoSeries
        if not self._probes.depends(at_root):
            return self._series(branches[not self._probes.holds(at_root)])
        known = [b for b in branches if self._found.get(b, b) is not None]
        if len(known) == 2:
            return self._of.choose(at_root, *map(self._series, branches))
        otherwise = self._graph.intern(NOT, at_root)
        self.assumed[at_root if branches[0] in known else otherwise] = None
        return self._series(branches[branches[0] not in known])

    def _condition(self, node: Node) -> Series:
        """A condition at the root; near it, numbers that are equal there are not."""
        at_root = self._at_limits(node)
        if at_root is None:
            raise NoSeries
        if node.op in COMPARISONS and self._is_close(at_root):
            if node.op not in EQUALITIES:
                raise NoSeries
            at_root = self._graph.constant(node.op is NOT_EQUAL)
        return Series(0, (at_root,))

    def _at_limits(self, node: Node) -> Node | None:
        """An operation on the limits of its arguments, if these are known."""
        limits = [self.limit(a) for a in node.args]
        known = [a for a in limits if a is not None]
        return self._graph.intern(node.op, *known) if len(known) == len(limits) else None

    def is_plain(self, node: Node, count: int) -> bool:
        """Whether an operation is finite on arguments that are as smooth, and needs no limit."""
        found = self._at_limits(node)
        numbers = (a for a in node.args if self._of.line.step > 1 and not a.is_boolean)
        smooth = all(self.power_series(a, count) for a in numbers)
        return found is not None and smooth and self._probes.is_finite(found)

    def _function(self, node: Node) -> Series:
        """By Taylor's formula, or by what a row is defined as, of which the choices are known."""
        ways = [self._by_taylor, self._by_definition]
        bent = node.op in SMOOTH or any("where" in (text or "") for text in node.op.partials)
        for way in reversed(ways) if bent else ways:
            with suppress(NoSeries):
                return way(node)
        raise NoSeries

    def _by_taylor(self, node: Node) -> Series:
        places = [k for k, a in enumerate(node.args) if a in self._found]
        known = has_python(node.op) or node.op.define
        if len(places) != 1 or node.op in STEPS or not known:
            raise NoSeries
        return self._composed(node.op, places[0], node.args, self._series(node.args[places[0]]))

    def _by_definition(self, node: Node) -> Series:
        text = ROOTED.get(node.op) or SMOOTH.get(node.op, node.op.define)
        if text is None or node.op in self._defining:
            raise NoSeries
        names = dict(zip(node.op.args, node.args, strict=True))
        found = Pen(self._graph).written(text, **names)
        self._defining.append(node.op)
        self.expand(self._graph.ancestors([found]))
        self._defining.pop()
        return self._series(found)

    def _composed(self, row: Primitive, k: int, args: Sequence[Node], inner: Series) -> Series:
        """A row of which only the argument `k` varies, and is `inner`."""
        if inner.start < 0 or not inner.end:
            raise NoSeries
        middle = self._of.at(inner, 0)
        later = tuple(self._of.at(inner, power) for power in range(1, inner.end))
        slopes = self._slopes(row, k, (*args[:k], middle, *args[k + 1 :]))
        return self._of.taylor(slopes, self._of.normal(Series(1, later)))

    def _slopes(self, row: Primitive, k: int, args: Sequence[Node]) -> list[Node]:
        """The derivatives of a row by its argument `k`, itself first, in the graph."""
        table = _derivatives(row, k, self._of.count)
        if table is None:
            raise NoSeries
        image: dict[Node, Node] = dict(zip(table.graph.inputs.values(), args, strict=True))
        replay(table.graph.nodes, self._graph, image, self._graph.intern)
        found = [image[slope] for slope in table.slopes]
        is_close = any(self._is_close(image[choice]) for choice in table.choices)
        if is_close or not all(map(self._probes.is_finite, found)):
            raise NoSeries
        pairs = itertools.pairwise(found)
        return [self._of.settled(f, args[k], slope) for f, slope in pairs] + found[-1:]

    def _is_close(self, choice: Node) -> bool:
        """Whether a comparison, or a sign, is another in each neighbourhood; else it is not."""
        pair = choice.args if choice.op in COMPARISONS else (*choice.args, self._of.zero)
        if self._probes.vanishes(self._graph.intern(SUBTRACT, *pair)):
            return True
        if self._probes.depends(choice):
            self.assumed[self._graph.intern(NOT_EQUAL, *pair)] = None
        return False


class Derivatives(NamedTuple):
    """A row and its derivatives, of its arguments as inputs, and the choices they depend on."""

    graph: Graph
    slopes: list[Node]
    choices: list[Node]


@cache
def _derivatives(row: Primitive, k: int, count: int) -> Derivatives | None:
    """The derivatives of a row by an argument; nothing, if there are none, or too large ones."""
    graph = Graph(pipeline(STABLE_PASSES), TABLE)
    found = [graph.intern(row, *map(graph.input, row.args))]
    x = graph.inputs[row.args[k]]
    try:
        while len(found) < count:
            dots = forward(graph, graph.ancestors(found[-1:]), {x: graph.constant(1)})
            found.append(dots.get(found[-1]) or graph.constant(0))
    except ExpressionError:
        return None
    moving = dependents(graph.ancestors(found), [x])
    choices = [n for n in moving if n.op is SIGN or n.op in COMPARISONS]
    return Derivatives(graph, found, choices)


ARITHMETIC: Mapping[Primitive, Callable[..., Series]] = {
    ADD: Arithmetic.add,
    SUBTRACT: Arithmetic.subtract,
    MULTIPLY: Arithmetic.multiply,
    DIVIDE: Arithmetic.divide,
    NEGATIVE: Arithmetic.negative,
}

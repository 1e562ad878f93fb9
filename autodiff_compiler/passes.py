"""The pipeline: named passes in order, each of which can be switched off.

The local passes look at one operation that is about to be made.  They run together wherever nodes
are made: on the program before it is differentiated, and on its derivatives while they grow.
"""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property
from typing import NamedTuple

from .graph import CONSTANT, INPUT, Graph, Node, Rule, Rules
from .laws.arraylaws import arrays, whole
from .laws.decisions import decisions
from .laws.densities import densities, logarithms
from .laws.differencing import Differencing
from .laws.exponentials import totals
from .laws.factors import collect, factors
from .laws.folding import fold
from .laws.lowest import lowest
from .laws.multiples import multiples
from .laws.norms import exponentials, norms, shares
from .laws.orders import orders
from .laws.powers import log_of_power, power_less, powers
from .laws.regroup import Regroup
from .laws.shifted import shifted
from .laws.signs import signs
from .laws.stable import PAIRS, STABLE
from .laws.threefold import threefold
from .primitives import ArrayPrimitive, Primitive
from .rewrite import LawPass
from .simplify import SIMPLIFY
from .symbols import trace_symbols

LocalPass = Callable[[Primitive, tuple[Primitive, ...]], Iterable[Rule]]


class Pipeline(dict[tuple[Primitive, ...], tuple[Rule, ...]]):
    """The rules of local passes, found as they are asked for."""

    def __init__(self, passes: Mapping[str, LocalPass]) -> None:
        self.passes = passes

    def __missing__(self, key: tuple[Primitive, ...]) -> tuple[Rule, ...]:
        found = (rule for find in self.passes.values() for rule in find(key[0], key[1:]))
        rules = self[key] = tuple(found)
        return rules

    @cached_property
    def settled(self) -> Pipeline:
        """The same without the stable rewrites, which would undo a row's definition."""
        return Pipeline({n: find for n, find in self.passes.items() if n not in STABLE_PASSES})


def stable(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """Formulas that cancel or overflow, in the form that does not."""
    yield from itertools.chain.from_iterable(find(op, heads) for find in STABLE_FINDERS)


def simplify(op: Primitive, heads: tuple[Primitive, ...]) -> Iterator[Rule]:
    """Algebra that every input allows, and choices that are decided."""
    yield from SIMPLIFY_LAWS(op, heads)
    yield from decisions(op, heads)


SIMPLIFY_LAWS = LawPass("simplify", SIMPLIFY)
STABLE_LAWS = LawPass("stable", STABLE)
DIFFERENCES = Differencing(PAIRS)
STABLE_FINDERS: tuple[LocalPass, ...] = (
    norms,
    exponentials,
    shares,
    whole,
    totals,
    shifted,
    densities,
    orders,
    DIFFERENCES.of_functions,
    log_of_power,
    threefold,
    multiples,
    STABLE_LAWS,
    logarithms,
    power_less,
    DIFFERENCES.of_operations,
)
BROUGHT_TOGETHER = Pipeline({"stable": LawPass("stable", PAIRS), "collect": collect})
LOCAL: Mapping[str, LocalPass] = {
    "fold": fold,
    "simplify": simplify,
    "arrays": arrays,
    "lowest": lowest,
    "stable": stable,
    "collect": collect,
    "regroup": Regroup(BROUGHT_TOGETHER, PAIRS),
    "powers": powers,
    "signs": signs,
    "factors": factors,
}
LIMITS = "limits"  # of what is 0/0, where something is divided by 0
STABLE_PASSES = ("stable", "lowest", "collect", "regroup", LIMITS)
PRUNE = "prune"  # dead-code removal, where the code is scheduled
CONTRACT = "contract"  # products of arrays in their cheapest order, when all is differentiated
BLOCKS = "blocks"  # loops over blocks of large arrays, where the code is written
PASSES: tuple[str, ...] = (*LOCAL, LIMITS, CONTRACT, PRUNE, BLOCKS)


@cache
def pipeline(without: tuple[str, ...]) -> Pipeline:
    """The pipeline without the passes named."""
    return Pipeline({name: find for name, find in LOCAL.items() if name not in without})


def settled(rules: Rules | None) -> Rules | None:
    """Rules for the definitions of rows, which stable rewrites would undo."""
    return rules.settled if isinstance(rules, Pipeline) else rules


class Applied(NamedTuple):
    """What a pass did: which pass, by which rule, and where in the source, if that is known."""

    name: str
    rule: str
    line: int | None
    column: int | None


Log = list[tuple[str, str, int | None]]  # pass, rule, offset in the source


def optimise(graph: Graph, output: Node, rules: Pipeline) -> tuple[Graph, Node, Log]:
    """The program rewritten node by node, its new output, and what was done where.

    Names carry over: what the user called `h`, and the trace calls `v3`, keeps that name.
    """
    better = Graph(rules, graph.limits)
    log: list[tuple[str, str]] = []
    better.log, better.is_program = log, True
    image = {node: better.input(name, node.shape) for name, node in graph.inputs.items()}
    applied: Log = []
    for node in graph.nodes:
        if node not in image:
            args = [image[a] for a in node.args]
            image[node] = better.rebuild(node, args, better.apply)
            if args and image[node].op is CONSTANT:
                better.remember(image[node], node.op, args)
            if node in graph.names and image[node].args:  # which laws on later nodes may ask for
                better.names.setdefault(image[node], graph.names[node])
            if log:
                applied += [(name, rule, graph.places.get(node)) for name, rule in log]
                log.clear()
    for node, symbol in trace_symbols(graph).items():
        if image[node].args and node not in graph.names:
            better.labels.setdefault(image[node], symbol)
    for node, place in graph.places.items():
        better.places.setdefault(image[node], place)
    better.log, better.is_program = None, False
    return better, image[output], applied


def located(log: Log, source: str) -> Iterator[Applied]:
    """The log with lines and columns for offsets."""
    starts = [0, *(m.end() for m in re.finditer("\n", source))]
    for name, rule, offset in log:
        if offset is None:
            yield Applied(name, rule, None, None)
        else:
            line = bisect.bisect_right(starts, offset)
            yield Applied(name, rule, line, offset - starts[line - 1] + 1)


def verify(graph: Graph, outputs: Iterable[Node]) -> None:
    """Check what every pass must leave true; raises `AssertionError`, naming the node.

    Arguments come before the nodes that use them, each row has its arity, equal operations are one
    node, and the outputs are in the graph.
    """
    seen: dict[object, Node] = {}
    members: set[Node] = set()
    for position, node in enumerate(graph.nodes):
        assert node.index == position, f"{node} is not at its index"
        assert members.issuperset(node.args), f"{node} comes before its arguments"
        variadic = isinstance(node.op, ArrayPrimitive) and node.op.variadic
        right = not node.op.args or len(node.args) == node.op.arity or variadic
        assert right, f"{node} has a wrong arity"
        key = (node.op, node.args, type(node.data), repr(node.data))
        assert node.op.name == "parameter" or key not in seen, f"{node} is there twice"
        seen[key] = node
        members.add(node)
    assert members.issuperset(outputs), "an output is not in the graph"
    assert all(graph.inputs[n.data] is n for n in graph.nodes if n.op is INPUT), "a stray input"

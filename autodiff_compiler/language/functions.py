"""Functions that a source defines, and how large the arrays are that it makes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from ..graph import Graph, Node, dependents
from ..limits import Limits
from ..shapes import size_of
from .lexer import Word


def check_size(node: Node, limits: Limits, source: str, where: tuple[int, int]) -> None:
    """Refuse an array whose extents are numbers that make it too large."""
    size = size_of(node.shape)
    if isinstance(size, int) and size > limits.elements:
        raise limits.exceeded("elements", f"this array has {size:,} elements", source, where)


class Reading(NamedTuple):
    """How a function's text is read again, what the names in it mean, and what has been read."""

    read: Callable[[], object]
    variables: Mapping[str, Node]
    functions: Mapping[str, Function]
    known: dict[tuple[Node, ...], Node]  # the function of these arguments


class Function:
    """A function defined in the source: its parameters and body, inlined where it is called.

    What it does to arrays depends on their shapes: if it does, `reading` says how it is read again.
    """

    def __init__(
        self,
        head: Word,
        parameters: tuple[Node, ...],
        body: Node,
        nodes: Sequence[Node],
        reading: Reading | None = None,
    ) -> None:
        self.head, self.parameters, self.body, self.reading = head, parameters, body, reading
        active = dependents(nodes, parameters).difference(parameters)
        self.nodes = [node for node in nodes if node in active]

    @property
    def name(self) -> str:
        """What it is called by."""
        return self.head.partition("(")[0].strip()

    def inline(self, graph: Graph, args: Sequence[Node]) -> Node:
        """The body with `args` in place of the parameters: one loop over the body's nodes."""
        image = dict(zip(self.parameters, args, strict=True))
        for node in self.nodes:
            args_now = [image.get(a, a) for a in node.args]
            image[node] = graph.rebuild(node, args_now, graph.intern)
            if node in graph.places:
                graph.places.setdefault(image[node], graph.places[node])
        return image.get(self.body, self.body)

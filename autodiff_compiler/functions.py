"""Functions that a source defines."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from .graph import Graph, Node, dependents


class Function:
    """A function defined in the source: its parameters and body, inlined where it is called.

    What it does to arrays depends on their shapes: for those, `read` reads its text again.
    """

    def __init__(
        self,
        name: str,
        parameters: tuple[Node, ...],
        body: Node,
        nodes: Sequence[Node],
        read: Callable[[], object] | None = None,
        variables: Mapping[str, Node] | None = None,
    ) -> None:
        self.name, self.parameters, self.body, self.read = name, parameters, body, read
        self.variables = variables or {}
        active = dependents(nodes, parameters).difference(parameters)
        self.nodes = [node for node in nodes if node in active]

    def inline(self, graph: Graph, args: Sequence[Node]) -> Node:
        """The body with `args` in place of the parameters: one loop over the body's nodes."""
        image = dict(zip(self.parameters, args, strict=True))
        for node in self.nodes:
            args_now = [image.get(a, a) for a in node.args]
            image[node] = graph.rebuild(node, args_now, graph.intern)
            if node in graph.places:
                graph.places.setdefault(image[node], graph.places[node])
        return image.get(self.body, self.body)

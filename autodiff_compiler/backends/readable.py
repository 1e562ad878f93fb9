"""Programs without what the language has no word for: elements that are put in their places."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import reduce

from ..derivatives import Program
from ..graph import ADD, Graph, Node
from ..primitives import ARRAYS, Primitive
from ..primitives.axes import ALL, LETTERS, At, Index, Item, New, Pick, Slice, Take, axes_of
from ..products.contraction import einsum
from ..shapes import Extent, Shape, broadcast
from .lowering import rebuilt

SCATTER, ASSEMBLE, EYE, INDEX = (ARRAYS[n] for n in ("scatter", "assemble", "eye", "index"))


def readable(program: Program) -> Program:
    """The program in operations that have a name in the language."""

    def make(new: Graph, node: Node, args: list[Node]) -> Node:
        put = PLACED.get(node.op)
        return put(new, node.data, args) if put else new.rebuild(node, args, new.apply)

    return rebuilt(program, make, Graph(program.graph.rules, program.graph.limits))


class _Placing:
    """Elements being multiplied by rows of identity matrices, axis by axis.

    Attributes:
        labels: of the axes of the elements.
        factors: the rows, with their labels.
        out: the labels of the result.
    """

    def __init__(self, graph: Graph, index: Index, takes: Sequence[Node]) -> None:
        self.graph, self.takes = graph, takes
        self._own, self._targets = iter(LETTERS), iter(reversed(LETTERS))
        self.labels, self.out, self.factors = "", "", list[tuple[Node, str]]()
        chosen = [takes[item.argument].shape for item in index if isinstance(item, Take)]
        chosen += [(len(item.positions),) for item in index if isinstance(item, Pick)]
        self._joint = broadcast(chosen)  # the axes that arrays of positions have together
        self._together = ""  # and their labels

    def add(self, item: Item, extent: Extent) -> None:
        """The next item of the index, of an axis of the result."""
        if isinstance(item, New):
            self.labels += next(self._own)
        elif item == ALL:
            letter = next(self._own)
            self.labels, self.out = self.labels + letter, self.out + letter
        elif isinstance(item, Slice):
            letter = next(self._own)
            self.labels += letter
            self._multiply(self._rows(item, extent), letter)
        else:
            if self._joint and not self._together:
                self._together = "".join(next(self._own) for _ in self._joint)
                self.labels += self._together
            rows = self._rows(item, extent)
            self._multiply(rows, "" if isinstance(item, At) else self._matching(rows.shape[:-1]))

    def _rows(self, item: Item, extent: Extent) -> Node:
        eye = self.graph.make(EYE, (), (extent, extent, 0))
        if isinstance(item, Take):
            return self.graph.make(INDEX, (eye, self.takes[item.argument]), (Take(0), ALL))
        return self.graph.make(INDEX, (eye,), (item, ALL))

    def _matching(self, shape: Shape) -> str:
        """The labels of positions; an axis of extent 1 that is stretched has one of its own."""
        first = len(self._joint) - len(shape)
        axes = zip(self._together[first:], shape, self._joint[first:], strict=True)
        return "".join(c if n == m else next(self._targets) for c, n, m in axes)

    def _multiply(self, rows: Node, letters: str) -> None:
        target = next(self._targets)
        self.out += target
        self.factors.append((rows, letters + target))


def placed(graph: Graph, data: tuple[Index, Shape], args: Sequence[Node]) -> Node:
    """Elements put in their places by rows of identity matrices: `v @ eye(n)[1:]`."""
    index, shape = data
    placing = _Placing(graph, index, args[1:])
    for item, extent in zip(index, axes_of(index, shape), strict=True):
        placing.add(item, extent)
    return einsum(graph, [(args[0], placing.labels), *placing.factors], placing.out, {})


def assembled(graph: Graph, data: tuple[Sequence[Index], Shape], args: Sequence[Node]) -> Node:
    """A sum of parts, each in its place."""
    indices, shape = data
    parts = (placed(graph, (i, shape), (a,)) for i, a in zip(indices, args, strict=True))
    return reduce(lambda x, y: graph.apply(ADD, x, y), parts)


PLACED: Mapping[Primitive, Callable[..., Node]] = {SCATTER: placed, ASSEMBLE: assembled}

"""Products of arrays summed over shared axes, as data: factors with a label for every axis.

This is `einsum`'s notation, in which a label that stands twice in the result makes a diagonal.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

from ..graph import CONSTANT, NEGATIVE, Node
from ..primitives import ARRAYS
from ..primitives.ieee import Number
from ..shapes import Extent

Label = int
Labels = tuple[Label, ...]

EYE = ARRAYS["eye"]
VIEWS = frozenset(ARRAYS[n] for n in ("transpose", "expand_dims", "broadcast_to", "diag"))


class Factor(NamedTuple):
    """An array and the labels of its axes."""

    node: Node
    labels: Labels


class Product:
    """Factors being multiplied and summed into a result with some labels.

    Labels that turn out to be the same axis are joined: `same` finds what stands for them all.
    `divisors` are numbers.  With `solves`, inverses that multiply become solves, but for those that
    are to be `kept`.
    """

    def __init__(self) -> None:
        self.coefficient: Number = 1
        self.factors: list[Factor] = []
        self.divisors: list[Node] = []
        self.solves, self.kept = False, set[Node]()
        self.out: Labels = ()
        self.extents: dict[Label, Extent] = {}
        self._joined: dict[Label, Label] = {}
        self._fresh = itertools.count()

    def label(self, extent: Extent) -> Label:
        """A new label for an axis of so many elements."""
        label = next(self._fresh)
        self.extents[label] = extent
        return label

    def same(self, label: Label) -> Label:
        """The label that stands for all that are joined to this one."""
        while label in self._joined:
            label = self._joined[label]
        return label

    def join(self, a: Label, b: Label) -> None:
        """Two labels are one axis."""
        a, b = self.same(a), self.same(b)
        if a != b:
            self._joined[b] = a

    def add(self, node: Node, labels: Sequence[Label]) -> None:
        """A factor; what only names the axes of another array anew is looked through."""
        pending = [(node, tuple(labels))]
        while pending:
            node, labels = pending.pop()
            if node.op is CONSTANT and not isinstance(node.data, bool):
                self.coefficient *= node.data
            elif node.op is NEGATIVE:
                self.coefficient = -self.coefficient
                pending.append((node.args[0], labels))
            elif node.op in VIEWS:
                pending.append((node.args[0], self._inside(node, labels)))
            elif is_identity(node):
                self.join(*labels)
            else:
                self.factors.append(Factor(node, labels))

    def _inside(self, node: Node, labels: Sequence[Label]) -> Labels:
        """The labels of the argument of a view whose axes have `labels`."""
        (own,), out = spec(node)
        names: dict[str, Label] = {}
        for letter, label in zip(out, labels, strict=True):
            if letter in names:
                self.join(names[letter], label)
            names.setdefault(letter, label)
        extents = zip(own, node.args[0].shape, strict=True)
        return tuple(
            names.get(letter, -1) if letter in names else self.label(n) for letter, n in extents
        )

    def settle(self) -> None:
        """Every label by what stands for it."""
        self.factors = [Factor(n, tuple(map(self.same, labels))) for n, labels in self.factors]
        self.out = tuple(map(self.same, self.out))


def spec(node: Node) -> tuple[tuple[str, ...], str]:
    """The letters of a node's arguments and of its result."""
    return node.op.labels(node.data, *(a.shape for a in node.args))  # type: ignore[attr-defined,no-any-return]


def is_identity(node: Node) -> bool:
    """Whether a node is a square identity matrix."""
    return node.op is EYE and node.data[0] == node.data[1] and node.data[2] == 0

"""When large arrays are no longer needed, and which of them can hold the next result.

New memory comes from the system page by page, which costs more than the arithmetic done in it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..graph import Node
from ..primitives import ArrayPrimitive
from ..shapes import nominal, size_of
from .base import Schedule
from .blocks import BlockSchedule
from .precision import doubles

LARGE = 10_000  # elements, where every extent that has a name is 100

UFUNCS = {ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide"}
SYMBOLS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
UNARY = frozenset(
    {"np.exp", "np.sqrt", "np.log", "np.tanh", "np.cosh", "np.sin", "np.cos", "np.abs"}
)


def is_large(node: Node) -> bool:
    """Whether a node's memory is worth a thought."""
    return nominal(size_of(node.shape)) >= LARGE


def words(text: str) -> dict[str, None]:
    """The names in a text, in order."""
    return dict.fromkeys(re.findall(r"[^\W\d]\w*", text))


def freed(schedule: Schedule, outputs: str) -> list[list[str]]:
    """For each statement, the large arrays that nothing needs after it."""
    large = {name for name, node in schedule.named.items() if is_large(node)}
    texts = [text for _, text in schedule.statements]
    used = set(words(outputs))
    found: list[list[str]] = [[] for _ in texts]
    for k in reversed(range(len(texts))):
        here = words(texts[k])
        found[k] = [name for name in here if name in large and name not in used]
        used.update(here)
    return found


class Buffers:
    """The memory of the named arrays of one function: which may be written over, and when."""

    def __init__(self, schedule: Schedule, outputs: str) -> None:
        self.named = schedule.named
        self.names = {node: name for name, node in schedule.named.items()}
        self.over = schedule.over if isinstance(schedule, BlockSchedule) else {}
        self.texts = [text for _, text in schedule.statements]
        self.doubles, self.taken = doubles(schedule.nodes, True), set[str]()
        self.last: dict[str, int] = {}
        for k, (_, text) in enumerate(schedule.statements):
            self._use(text, k)
        self._use(outputs, len(schedule.statements))

    def _use(self, text: str, step: int) -> None:
        """A view is a use of the array that it looks at."""
        for name in words(text):
            while name in self.named:
                self.last[name] = step
                base = self._base(self.named[name])
                if base is None:
                    break
                name = base  # noqa: PLW2901  (up the chain of views)

    def _base(self, node: Node) -> str | None:
        """The named array that a view looks at."""
        if not node.is_view:
            return None
        while node.is_view:
            node = node.args[0]
            if node in self.names:
                return self.names[node]
        return None

    def statements(self, target: str, text: str, step: int) -> Iterator[str]:
        """The statement, computed in memory that is there: an operand's, or the result's own."""
        node = self.named.get(target)
        if held := self._replaced(target):
            self.taken.add(held)
            yield f"{target} = {held}  # written over: nothing needs it later"
            return
        if node is None or not self._is_large(node) or isinstance(node.op, ArrayPrimitive):
            yield f"{target} = {text}" if target else text
            return
        tree = ast.parse(text, mode="eval").body
        if isinstance(tree, ast.BinOp) and type(tree.op) in UFUNCS and self._is_new(node):
            left, right = (ast.get_source_segment(text, p) for p in (tree.left, tree.right))
            yield f"{target} = {left}"
            yield f"{target} {SYMBOLS[type(tree.op)]}= {right}"
        else:
            yield f"{target} = {self._in_place(node, text, tree, step)}"

    def _is_large(self, node: Node) -> bool:
        """Whether new memory costs time; beside a loop, any array may be large."""
        return is_large(node) or bool(self.over and node.shape)

    def _replaced(self, target: str) -> str | None:
        """An array that dies in the loop which computes a result, and can hold that."""
        call, names = self.over.get(target, (0, ()))
        for name in names:
            free = self.last.get(name) == call and self._fits(name, target)
            if free and not any(self._looks_at(n, name) for n in words(self.texts[call])):
                return name
        return None

    def _fits(self, name: str, target: str) -> bool:
        """Whether an array that the code made has the shape and the type of a loop's result."""
        held, result = self.named.get(name), self.named[target]
        if held is None or held.is_view or name in self.taken:
            return False
        single = name in self.over or held not in self.doubles
        return held.shape == result.shape and single

    def _looks_at(self, name: str, held: str) -> bool:
        """Whether a name is that of a view of an array, or of a view of one."""
        base: str | None = name
        while base in self.named and base != held:
            base = self._base(self.named[base])
        return base == held != name

    def _is_new(self, node: Node) -> bool:
        """Whether the first operand is an array that has just been made for it, of its shape."""
        first = node.args[0]
        made = isinstance(first.op, ArrayPrimitive) and not first.is_view
        return made and first not in self.names and first.shape == node.shape

    def _in_place(self, node: Node, text: str, tree: ast.expr, step: int) -> str:
        """An expression, written into an operand that is not needed after it."""
        if isinstance(tree, ast.BinOp) and type(tree.op) in UFUNCS:
            parts = [tree.left, tree.right]
            function = f"np.{UFUNCS[type(tree.op)]}"
        elif isinstance(tree, ast.Call) and ast.unparse(tree.func) in UNARY:
            parts, function = tree.args, ast.unparse(tree.func)
        else:
            return text
        held = [p.id for p in parts if isinstance(p, ast.Name) and self._is_free(p.id, node, step)]
        if not held:
            return text
        operands = ", ".join(ast.get_source_segment(text, part) or "" for part in parts)
        return f"{function}({operands}, out={held[0]})"

    def _is_free(self, name: str, node: Node, step: int) -> bool:
        """Whether an array has the shape of a result and memory of its own, for the last time."""
        held = self.named.get(name)
        return (
            held is not None
            and held.shape == node.shape
            and not held.is_view
            and not held.is_boolean
            and self.last[name] == step
        )

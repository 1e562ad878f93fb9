"""Indices as a source writes them, turned into the items of an index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ..errors import ExpressionError
from ..graph import CONSTANT, INPUT, STACK, WHERE, Node
from ..primitives import ARRAYS, ArrayPrimitive, lookup
from ..primitives.axes import At, Item, New, Pick, Slice, Take, axes_of
from ..shapes import Extent, shown
from .calls import Ragged, extent_of
from .lexer import Word
from .scope import Scope, is_list

_KEEPING = (
    "add subtract negative multiply divide power square mod fmod maximum minimum fmax fmin abs"
)
KEEPING = frozenset({INPUT, CONSTANT, STACK, WHERE, *map(lookup, _KEEPING.split())})


class Range(NamedTuple):
    """`start:stop:step` in a source."""

    start: Node | None
    stop: Node | None
    step: Node | None


Given = Node | Range | Ragged | Word  # a word is None, a new axis, or an ellipsis


def indexed(scope: Scope, array: Node, bracket: Word, given: Sequence[Given]) -> Node:
    """`array[...]`; raises `ExpressionError`."""
    if not array.shape:
        name = array.data if isinstance(array.data, str) else "x"
        hint = f"declare its shape, {name}: [n], if it is an array"
        raise scope.fail("a scalar has no elements", bracket, hint)
    if is_list(array) and len(given) == 1:
        return _element(scope, array, bracket, given[0])
    taken: list[Node] = []
    whole = _completed(scope, bracket, given, len(array.shape))
    items = [_item(scope, bracket, part, taken) for part in whole]
    _check(scope, bracket, array, items)
    return scope.make(ARRAYS["index"], (array, *taken), tuple(items), bracket)


def _element(scope: Scope, array: Node, bracket: Word, given: Given) -> Node:
    """An element of a list literal, or a part of it."""
    if isinstance(given, Range):
        ends = [None if e is None else _whole(scope, bracket, e) for e in given]
        part = array.args[slice(*ends)]
        if not part:
            raise scope.fail("this part of the list is empty", bracket)
        return scope.graph.stack(part)
    position = given.data if isinstance(given, Node) and given.op is CONSTANT else None
    if type(position) is not int:
        raise scope.fail("the index of a list is one whole number", bracket, "write v[0]")
    if not -len(array.args) <= position < len(array.args):
        raise scope.fail(f"index {position} is outside a list of {len(array.args)}", bracket)
    return array.args[position]


def _completed(scope: Scope, bracket: Word, given: Sequence[Given], rank: int) -> list[Given]:
    """The index with an item for every axis: `...` and what is left out stand for whole axes."""
    used = sum(1 for part in given if isinstance(part, Node | Range))
    dots = [k for k, part in enumerate(given) if part == "..."]
    if used > rank:
        raise scope.fail(f"{used} indices for an array of {rank} axes", bracket)
    if len(dots) > 1:
        raise scope.fail("one ... is enough", bracket)
    at = dots[0] if dots else len(given)
    fill = [Range(None, None, None)] * (rank - used)
    return [*given[:at], *fill, *given[at + 1 :]]


def _item(scope: Scope, bracket: Word, part: Given, taken: list[Node]) -> Item:
    if isinstance(part, Range):
        step = 1 if part.step is None else _whole(scope, bracket, part.step)
        if not step:
            raise scope.fail("the step of a slice is not 0", bracket)
        start, stop = (None if e is None else _end(scope, bracket, e) for e in part[:2])
        return Slice(start, stop, step)
    if isinstance(part, Ragged):
        raise part.error
    if not isinstance(part, Node):
        return New()
    position = extent_of(scope.graph, part)
    if position is not None:
        return At(position)
    if part.op is STACK and all(a.op is CONSTANT and type(a.data) is int for a in part.args):
        return Pick(tuple(a.data for a in part.args))
    if part.is_boolean or not _is_whole(part):
        raise _no_index(scope, bracket)
    taken.append(part)
    return Take(len(taken) - 1)


def _is_whole(node: Node) -> bool:
    """Whether the elements may be whole numbers if those of the inputs are: `i*(i + 1)/2` is."""
    seen, pending = {node}, [node]
    for top in pending:  # which grows
        if top.op is CONSTANT and type(top.data) is not int:
            return False
        if top.is_boolean or top.op.partials == ("0",):  # a function that rounds
            continue
        if not (isinstance(top.op, ArrayPrimitive) or top.op in KEEPING):
            return False
        pending += {*top.args} - seen
        seen.update(top.args)
    return True


def _no_index(scope: Scope, bracket: Word) -> ExpressionError:
    hint = "write floor(i) to round down, or where(c, a, b) to choose by a condition"
    return scope.fail(
        "an index is a whole number, a slice or an array of whole numbers", bracket, hint
    )


def _whole(scope: Scope, bracket: Word, node: Node) -> int:
    value = _end(scope, bracket, node)
    if not isinstance(value, int):
        raise scope.fail("this has to be a whole number, written as such", bracket)
    return value


def _end(scope: Scope, bracket: Word, node: Node) -> Extent:
    found = extent_of(scope.graph, node)
    if found is None:
        raise scope.fail("a slice goes from and to whole numbers or extents", bracket)
    return found


def _check(scope: Scope, bracket: Word, array: Node, items: Sequence[Item]) -> None:
    """Positions that are outside, and arrays of positions that do not stand side by side."""
    for item, extent in zip(items, axes_of(tuple(items), array.shape), strict=True):
        positions = (
            item if isinstance(item, At) else item.positions if isinstance(item, Pick) else ()
        )
        for k in positions:
            if isinstance(k, int) and isinstance(extent, int) and not -extent <= k < extent:
                raise scope.fail(
                    f"index {k} is outside an axis of {extent}: {shown(array.shape)}", bracket
                )
    kinds = [isinstance(item, Take | Pick | At) for item in items]
    if any(isinstance(item, Take | Pick) for item in items):
        first, last = kinds.index(True), len(kinds) - kinds[::-1].index(True)
        if not all(kinds[first:last]):
            raise scope.fail("arrays of positions have to stand side by side", bracket)

"""What NumPy computes one element at a time, by a few operations that have vector instructions.

Loops over blocks call these helpers; they write into memory that is there, but not over operands.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..graph import WHERE, Node
from ..primitives import Primitive, lookup
from ..shapes import Shape

HYPOT = '''\
def _hypot(x, y, out, spare):
    """np.hypot, which takes eight times as long where no square leaves the range."""
    np.multiply(x, x, out=out)
    np.multiply(y, y, out=spare)
    np.add(out, spare, out=out)
    limits = np.finfo(out.dtype)
    near = np.logical_and(out > limits.tiny, out < np.inf)
    np.sqrt(out, out=out)
    return out if near.all() else np.hypot(x, y, out=out, where=np.logical_not(near))'''

LOGADDEXP = '''\
def _logaddexp(x, y, out, spare):
    """np.logaddexp, which takes eight times as long."""
    np.subtract(x, y, out=spare)
    np.abs(spare, out=spare)
    np.negative(spare, out=spare)
    np.exp(spare, out=spare)
    np.log1p(spare, out=spare)
    np.fmax(spare, 0.0, out=spare)  # of two equal infinities, the difference is nan
    np.maximum(x, y, out=out)
    return np.add(out, spare, out=out)'''

SELECT = '''\
def _select(condition, x, y, out, spare):
    """np.where, which takes three times as long where the processor cannot guess a condition."""
    size, held = condition.size, np.count_nonzero(condition)
    if out.itemsize > 8 or 16*min(held, size - held) < size:  # it can, and a copy is faster
        most = 2*held > size
        np.copyto(out, x if most else y)
        np.copyto(out, y if most else x, where=np.logical_not(condition) if most else condition)
        return out
    integer = "i%d" % out.itemsize
    x, y = [np.asarray(v, out.dtype).view(integer) for v in (x, y)]
    mask, bits = spare.view(integer), out.view(integer)
    np.copyto(mask, condition)
    np.negative(mask, out=mask)  # all bits where the condition holds, none where not
    np.bitwise_xor(x, y, out=bits)
    np.bitwise_and(bits, mask, out=bits)
    np.bitwise_xor(bits, y, out=bits)
    return out'''

HELPERS = {"_hypot": HYPOT, "_logaddexp": LOGADDEXP, "_select": SELECT}
FUNCTIONS: Mapping[object, str] = {
    lookup("hypot"): "_hypot",
    lookup("logaddexp"): "_logaddexp",
    WHERE: "_select",
}
SLOW = frozenset({"sin", "cos", "logaddexp2", "mod"})
SELDOM = frozenset({lookup("equal"), lookup("not_equal")})  # conditions that are easy to guess


def helper_of(node: Node, shape_of: Callable[[Node], Shape]) -> str | None:
    """The helper that computes a node."""
    if node.op is WHERE and not _is_select(node, shape_of):
        return None
    return FUNCTIONS.get(node.op)


def _is_select(node: Node, shape_of: Callable[[Node], Shape]) -> bool:
    """Whether a condition has many truth values, by which numbers are chosen."""
    condition, *chosen = node.args
    many = condition.is_boolean and shape_of(condition) != ()
    return many and condition.op not in SELDOM and not any(a.is_boolean for a in chosen)


def is_slow(row: Primitive) -> bool:
    """Whether a row takes tens of times as long as an addition: no vector instructions for it."""
    return row.numpy in SLOW or (row.numpy is None and row.scipy is not None)


def effort(node: Node, shape_of: Callable[[Node], Shape]) -> int:
    """What a node takes in NumPy itself, in additions; few take more than a handful."""
    return 10 if is_slow(node.op) or helper_of(node, shape_of) else 1

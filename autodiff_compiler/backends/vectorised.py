"""What NumPy computes one element at a time, by a few operations that have vector instructions.

Loops over blocks call these helpers; they write into memory that is there, but not over operands.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..graph import WHERE, Node
from ..primitives import Primitive, lookup

HYPOT = '''\
def _hypot(x, y, out, spare):
    """np.hypot, which takes eight times as long where no square leaves the range."""
    np.multiply(x, x, out=out)
    np.multiply(y, y, out=spare)
    np.add(out, spare, out=out)
    limits = np.finfo(out.dtype)
    near = np.logical_and(out > limits.tiny/limits.eps, out < np.inf)
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
    if out.itemsize > 8:
        np.copyto(out, np.where(condition, x, y))
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
SLOW = frozenset({"sin", "cos", "logaddexp2", "mod", "remainder"})
SELDOM = frozenset({lookup("equal"), lookup("not_equal")})  # conditions that are easy to guess


def helper_of(node: Node, is_array: bool) -> str | None:
    """The helper that computes a node; `is_array` says whether its first operand is an array.

    `np.where` stays where a condition is a number, or hardly ever holds, or chooses truth values.
    """
    if node.op is WHERE:
        condition, *chosen = node.args
        guessed = not is_array or not condition.is_boolean or condition.op in SELDOM
        if guessed or any(a.is_boolean for a in chosen):
            return None
    return FUNCTIONS.get(node.op)


def is_slow(row: Primitive) -> bool:
    """Whether a row takes tens of times as long as an addition: no vector instructions for it."""
    return row.numpy in SLOW or (row.numpy is None and row.scipy is not None)


def effort(node: Node, is_array: bool) -> int:
    """What a node takes in NumPy itself, in additions; few take more than a handful."""
    return 10 if is_slow(node.op) or helper_of(node, is_array) else 1

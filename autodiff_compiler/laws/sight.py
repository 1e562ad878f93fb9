"""What can be told of two terms at sight, by a look at a few nodes: whether they may cancel."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from ..graph import CONSTANT, DIVIDE, MULTIPLY, NEGATIVE, SUMS, Node
from ..primitives import lookup

ABS, HYPOT, NONZERO, RATIO = map(lookup, ("abs", "hypot", "nonzero", "ratio"))
SQRT, SQRT_PRODUCT = map(lookup, ("sqrt", "sqrt_product"))
PRODUCTS = frozenset({MULTIPLY, DIVIDE, NEGATIVE, NONZERO, RATIO})
SQUARES = frozenset({SQRT, SQRT_PRODUCT, HYPOT, ABS})  # their squares are sums of arguments'
OPEN = PRODUCTS | SUMS | SQUARES

MAX_FACTORS = 8  # of a term
MAX_APART = 4  # factors that two terms need not share
MAX_LOOKS = 40  # products looked at for their factors


def are_unlike(left: Node, right: Node) -> bool:
    """Whether the terms of two nodes cannot cancel, or share too little for that to pay."""
    if are_apart(left, right) or _is_apart(left, right) or _is_apart(right, left):
        return True
    if not (_may_hold_sum(left) or _may_hold_sum(right)):
        return True
    return _share_nothing(left, right) or _share_little(left, right)


def are_apart(left: Node, right: Node) -> bool:
    """Whether one of two nodes is a value of its own, and not yet there when the other was made."""
    last = left if left.index > right.index else right
    return left is not right and last.op not in OPEN and last.op is not CONSTANT


def _is_apart(total: Node, product: Node) -> bool:
    """Whether these are a sum and, at sight, a product of several factors: no two terms alike."""
    if total.op not in SUMS or product.op is not MULTIPLY:
        return False
    left, right = product.args
    if left.op is CONSTANT:
        return right.op is MULTIPLY
    return right.op is not CONSTANT and not is_term(total, product)


def _share_nothing(left: Node, right: Node) -> bool:
    """Whether these are, at sight, two terms that share no factor, and so cannot cancel."""
    one, other = _in_sight(left), _in_sight(right)
    if not (one and other) or any(factor in one for factor in other):
        return False
    if left.op is DIVIDE or right.op is DIVIDE:
        return not any(term.op is DIVIDE and term.args[1].op in SUMS for term in (left, right))
    if len(one) == len(other) == 1:
        return left.op not in SUMS and right.op not in SUMS
    return not (is_term(left, right) or is_term(right, left))


def _in_sight(term: Node) -> Sequence[Node]:
    """What is multiplied, with constants, or divides one; nothing of larger products."""
    if term.op not in PRODUCTS:
        return (term,)
    is_inverse = term.op is DIVIDE and term.args[0].op is CONSTANT
    pending, factors = [term.args[1] if is_inverse else term], list[Node]()
    for node in pending:  # which grows
        if node.op not in PRODUCTS:
            factors.append(node)
        elif node.op is MULTIPLY and len(pending) < MAX_FACTORS:
            pending += [a for a in node.args if a.op is not CONSTANT]
        else:
            return ()
    return factors


def is_term(total: Node, term: Node) -> bool:
    """Whether a node is itself one of the last terms of a sum."""
    for _ in range(MAX_APART):
        if total.op not in SUMS:
            break
        if term in total.args:
            return True
        total = total.args[0]
    return False


def _may_hold_sum(node: Node) -> bool:
    """Whether a node is a sum, or a product that may have one; a look at it alone."""
    if node.op in PRODUCTS:
        return any(a.op in OPEN for a in node.args)
    return node.op in OPEN


def _share_little(left: Node, right: Node) -> bool:
    """Whether two large products have, at sight, too many factors that they do not share."""
    if not (_is_large(left) and _is_large(right)):
        return False
    return len(_factors_of(left) ^ _factors_of(right)) > MAX_APART


def _is_large(product: Node) -> bool:
    return product.op in PRODUCTS and any(a.op in PRODUCTS for a in product.args)


def _factors_of(product: Node) -> set[Node]:
    """Factors of a product; of a large one not all, which takes the same time for any."""
    factors, seen, pending = set[Node](), set[Node](), [product]
    for node in islice(pending, MAX_LOOKS):  # which grows
        if node.op not in PRODUCTS:
            factors.add(node)
        elif node not in seen:
            seen.add(node)
            pending += [a for a in node.args if a.op is not CONSTANT]
    return factors

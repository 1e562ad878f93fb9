"""Functions of whole arrays, as a source calls them: their parameters, and what they become."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import TYPE_CHECKING

from ..graph import ADD, DIVIDE, MULTIPLY, STACK, SUBTRACT, Node
from ..primitives import ARRAYS, lookup
from ..primitives.axes import Axes
from ..shapes import Extent, Shape, ShapeError, broadcast, shown, size_of
from .calls import ArrayFunction, Call, Ragged
from .hints import extents_hint
from .lexer import Word

if TYPE_CHECKING:
    from .scope import Scope

ABS, SQRT = map(lookup, ("abs", "sqrt"))
EXTENT, TRANSPOSE, RESHAPE, SUM = (ARRAYS[n] for n in ("extent", "transpose", "reshape", "sum"))
BROADCAST, EXPAND, MATMUL = (ARRAYS[n] for n in ("broadcast_to", "expand_dims", "matmul"))


def transposed(scope: Scope, x: Node, token: Word) -> Node:
    """All axes in reverse order, as NumPy's `.T`."""
    order = tuple(range(-1, -len(x.shape) - 1, -1)) if not scope.internal else (-1, -2)
    return x if len(x.shape) == 1 else scope.make(TRANSPOSE, (x,), order, token)


def _row(name: str) -> Callable[[Call], Node]:
    """A function that is one row of the table."""

    def build(call: Call) -> Node:
        row = ARRAYS[name]
        return call.make(row, *(call.array(a) for a in row.args))

    return build


def _reduction(name: str) -> Callable[[Call], Node]:
    def build(call: Call) -> Node:
        x = call.array("x")
        return call.make(ARRAYS[name], x, data=call.axes(x.shape))

    return build


def _logsumexp(call: Call) -> Node:
    """The row of that name; with `b`, as SciPy calls weights, the one that has them."""
    x = call.array("x")
    if "b" not in call.args:
        return call.make(ARRAYS["logsumexp"], x, data=call.axes(x.shape))
    return _weighted_logsumexp(call)


def _weighted_logsumexp(call: Call) -> Node:
    parts = call.array("x"), call.array("b")
    try:
        shape = broadcast(part.shape for part in parts)
    except ShapeError as error:
        raise call.fail(str(error)) from None
    whole = (call.make(BROADCAST, part, data=shape) for part in parts)
    return call.make(ARRAYS["weighted_logsumexp"], *whole, data=call.axes(shape))


def _prod(call: Call) -> Node:
    x = call.array("x")
    axes = call.axes(x.shape)
    if len(axes.axes) > 1:
        if len(axes.axes) < len(x.shape) or axes.keepdims:
            raise call.fail("prod goes over one axis, or over all")
        x, axes = call.make(RESHAPE, x, data=(size_of(x.shape),)), Axes((-1,))
    return call.make(ARRAYS["prod"], x, data=axes)


def _prod_others(call: Call) -> Node:
    return call.make(ARRAYS["prod_others"], call.array("x"), data=Axes((-1,), True))


def _mean(call: Call) -> Node:
    x = call.array("x")
    axes = call.axes(x.shape)
    count = size_of(x.shape[axis] for axis in axes.axes)
    total = call.make(SUM, x, data=axes)
    return call.graph.intern(DIVIDE, total, _number(call, count))


def _number(call: Call, extent: Extent) -> Node:
    if isinstance(extent, int):
        return call.graph.constant(extent)
    return call.make(EXTENT, data=extent)


def _apart(call: Call) -> Node:
    """An array without its mean."""
    options = {**call.args, "keepdims": call.graph.constant(1)}
    return call.graph.intern(SUBTRACT, call.array("x"), _mean(call._replace(args=options)))


def _degrees(call: Call) -> Node:
    """What a sum of squares is divided by."""
    shape = call.array("x").shape
    count = size_of(shape[axis] for axis in call.axes(shape).axes)
    return _number(call, count - call.integer("ddof", 0))


def _variance(call: Call) -> Node:
    apart, axes = _apart(call), call.axes(call.array("x").shape)
    squares = call.graph.intern(MULTIPLY, apart, apart)
    return call.graph.intern(DIVIDE, call.make(SUM, squares, data=axes), _degrees(call))


def _deviation(call: Call) -> Node:
    """By the norm, which has a slope at 0, and no squares that leave the range."""
    norm = call.make(ARRAYS["norm2"], _apart(call), data=call.axes(call.array("x").shape))
    return call.graph.intern(DIVIDE, norm, call.graph.intern(SQRT, _degrees(call)))


def _norm(call: Call) -> Node:
    """Of an order, as NumPy's second argument gives it: of vectors, which an axis makes."""
    order, axes = call.integer("ord", 2), call.axes(call.array("x").shape)
    if "ord" in call.args and len(axes.axes) > 1:
        raise call.fail("the order of a norm is for vectors", "write norm(A, axis=0), or norm1(A)")
    if order not in (1, 2):
        raise call.fail("a norm is of order 1 or 2", "write norm_inf(x) for the largest element")
    return _norm1(call) if order == 1 else _reduction("norm")(call)


def _norm1(call: Call) -> Node:
    sizes = call.graph.intern(ABS, call.array("x"))
    return call.make(SUM, sizes, data=call.axes(sizes.shape))


def _norm_inf(call: Call) -> Node:
    sizes = call.graph.intern(ABS, call.array("x"))
    return call.make(ARRAYS["amax"], sizes, data=call.axes(sizes.shape))


def _solve(call: Call) -> Node:
    """Stacks are made equal, and a vector for each matrix of one becomes a matrix of one column."""
    a, b = call.array("A"), call.array("b")
    if len(a.shape) <= 2 and len(b.shape) <= 2:
        return call.make(ARRAYS["solve"], a, b)
    if len(b.shape) == 1:
        columns = call.make(EXPAND, b, data=(-1,))
        found = _solve(call._replace(args={"A": a, "b": columns}))
        return call.make(RESHAPE, found, data=found.shape[:-1])
    try:
        stack = broadcast((a.shape[:-2], b.shape[:-2]))
    except ShapeError as error:
        raise call.fail(str(error)) from None
    whole = (call.make(BROADCAST, x, data=stack + x.shape[-2:]) for x in (a, b))
    return call.make(ARRAYS["solve"], *whole)


def _diag(call: Call) -> Node:
    x = call.array("x")
    name = "diag" if len(x.shape) == 1 and not call.scope.internal else "diagonal"
    return call.make(ARRAYS[name], x)


def _dot(call: Call) -> Node:
    x, y = call.array("x"), call.array("y")
    if not x.shape or not y.shape:
        return call.scope.operate(MULTIPLY, (x, y), call.token)
    if len(y.shape) > 2:
        raise call.fail("dot takes vectors and matrices", "write einsum(...)")
    return call.make(MATMUL, x, y)


def _inner(call: Call) -> Node:
    """Over the last axes of both."""
    y = call.array("y")
    if len(y.shape) != 2:
        return _dot(call)
    return _dot(call._replace(args={**call.args, "y": call.make(TRANSPOSE, y, data=(-1, -2))}))


def _flip(call: Call) -> Node:
    """Along one axis, or along every one."""
    x = call.array("x")
    count = len(x.shape)
    axes = (call.axis(count, -1),) if "axis" in call.args else range(-count, 0)
    return reduce(lambda node, axis: call.make(ARRAYS["flip"], node, data=axis), axes, x)


def _kron(call: Call) -> Node:
    """Every product of two elements, as blocks."""
    a, b = call.array("x"), call.array("y")
    if len(a.shape) != 2 or len(b.shape) != 2:
        raise call.fail("kron takes two matrices")
    spread = call.make(EXPAND, a, data=(-1, -3)), call.make(EXPAND, b, data=(-2, -4))
    blocks = call.scope.operate(MULTIPLY, spread, call.token)
    shape = tuple(m * n for m, n in zip(a.shape, b.shape, strict=True))
    return call.make(RESHAPE, blocks, data=shape)


def _einsum(call: Call) -> Node:
    text = call.args["subscripts"]
    if not isinstance(text, Word):
        raise call.fail("einsum starts with its labels", 'write einsum("ij,jk->ik", A, B)')
    arrays = [call.scope.number(node) for node in call.rest]
    inside, _, out = str(text).strip("\"'").replace(" ", "").partition("->")
    terms = inside.split(",")
    if "->" not in text:
        letters = "".join(terms)
        out = "".join(sorted(c for c in set(letters) if letters.count(c) == 1))
    if len(terms) != len(arrays) or not set(out) <= set("".join(terms)) or len(set(out)) < len(out):
        raise call.fail(f"the labels {text} do not fit {len(arrays)} arrays")
    if not "".join([*terms, out]).isalpha() and "".join([*terms, out]):
        raise call.fail("labels are letters")
    return call.make(ARRAYS["einsum"], *arrays, data=(tuple(terms), out))


def _eye(call: Call) -> Node:
    first = call.extent(call.args["n"])
    second = call.extent(call.args["m"]) if "m" in call.args else first
    return call.make(ARRAYS["eye"], data=(first, second, call.integer("k", 0)))


def _filled(value: int) -> Callable[[Call], Node]:
    def build(call: Call) -> Node:
        return call.make(BROADCAST, call.graph.constant(value), data=call.shape("shape"))

    return build


def _full(call: Call) -> Node:
    return call.make(BROADCAST, call.array("value"), data=call.shape("shape"))


def _arange(call: Call) -> Node:
    start: Extent = 0
    stop = call.extent(call.args["start"], None)
    if "stop" in call.args:
        start, stop = stop, call.extent(call.args["stop"], None)
    return call.make(ARRAYS["arange"], data=(start, stop))


def _reshape(call: Call) -> Node:
    x, shape = call.array("x"), call.shape("shape", None)
    return call.make(RESHAPE, x, data=_inferred(call, shape, size_of(x.shape)))


def _inferred(call: Call, shape: Shape, total: Extent) -> Shape:
    """A shape in which -1 stands for what is left."""
    negative = [n for n in shape if isinstance(n, int) and n < 0]
    if not negative:
        return shape
    if negative != [-1]:
        raise call.fail("reshape: one extent may be -1, for what is left, and none is negative")
    k = shape.index(-1)
    known = size_of([*shape[:k], *shape[k + 1 :]])
    rest = quotient(total, known)
    if rest is None:
        raise call.fail(f"{total} elements do not make rows of {known}")
    return (*shape[:k], rest, *shape[k + 1 :])


def quotient(total: Extent, known: Extent) -> Extent | None:
    """One extent divided by another, if that comes out even as polynomials."""
    if isinstance(known, int):
        found = total // known if known else 0
        return found if found * known == total else None
    if isinstance(total, int) or len(known.terms) != 1:
        return 1 if total == known else None
    ((factors, count),) = known.terms.items()
    terms = {}
    for monomial, coefficient in total.terms.items():
        rest = list(monomial)
        for factor in factors:
            if factor not in rest:
                return None
            rest.remove(factor)
        if coefficient % count:
            return None
        terms[tuple(rest)] = coefficient // count
    return reduce(lambda a, b: a + b, (type(known)({m: c}) * 1 for m, c in terms.items()))


def _ravel(call: Call) -> Node:
    x = call.array("x")
    return call.make(RESHAPE, x, data=(size_of(x.shape),))


def _parts(call: Call, name: str) -> list[Node]:
    node = call.args[name]
    if isinstance(node, Ragged):
        return [call.scope.number(part) for part in node.parts]
    if not isinstance(node, Node) or node.op is not STACK:
        raise call.fail(f"{call.token} takes a list of arrays", f"write {call.token}([x, y])")
    return [call.scope.number(part) for part in node.args]


def _concatenate(call: Call) -> Node:
    parts = _parts(call, "x")
    return call.make(ARRAYS["concatenate"], *parts, data=call.axis(len(parts[0].shape), 0))


def _stack(call: Call) -> Node:
    parts = _parts(call, "x")
    for part in parts:
        if part.shape != parts[0].shape:
            shapes = f"{shown(parts[0].shape)} and {shown(part.shape)}"
            raise call.fail(f"stack takes arrays of one shape, not {shapes}", extents_hint(parts))
    axis = call.axis(len(parts[0].shape) + 1, 0)
    spread = [call.make(EXPAND, part, data=(axis,)) for part in parts]
    return call.make(ARRAYS["concatenate"], *spread, data=axis)


def _triangle(name: str) -> Callable[[Call], Node]:
    def build(call: Call) -> Node:
        return call.make(ARRAYS[name], call.array("x"), data=call.integer("k", 0))

    return build


def _cumsum(call: Call) -> Node:
    """Along one axis; without one, of all elements in a row."""
    x = call.array("x")
    if "axis" not in call.args and len(x.shape) > 1:
        x = _ravel(call)
    return call.make(ARRAYS["cumsum"], x, data=call.axis(len(x.shape), -1))


def _cholesky(call: Call) -> Node:
    """Of the symmetric part, so that the factor is a function of every element."""
    a = call.array("A")
    if call.scope.internal:
        return call.make(ARRAYS["cholesky"], a)
    if len(a.shape) < 2 or a.shape[-1] != a.shape[-2]:
        return call.make(ARRAYS["cholesky"], a)  # which says what is wrong
    total = call.graph.intern(ADD, a, call.make(TRANSPOSE, a, data=(-1, -2)))
    half = call.graph.intern(DIVIDE, total, call.graph.constant(2))
    return call.make(ARRAYS["cholesky"], half)


def _expand(call: Call) -> Node:
    x = call.array("x")
    return call.make(EXPAND, x, data=(call.axis(len(x.shape) + 1, 0),))


def _broadcast(call: Call) -> Node:
    return call.make(BROADCAST, call.array("x"), data=call.shape("shape"))


def _transpose(call: Call) -> Node:
    return transposed(call.scope, call.array("x"), call.token)


_REDUCED = "x * axis keepdims"
FUNCTIONS: Mapping[str, ArrayFunction] = {
    **{
        name: ArrayFunction("A", _row(name))
        for name in ("trace", "det", "cofactor", "logdet", "log_det", "inv", "pinv")
    },
    "cofactor_along": ArrayFunction("A D", _row("cofactor_along")),
    **{
        name: ArrayFunction(_REDUCED, _reduction(name))
        for name in ("sum", "amax", "amin", "max", "min", "norm2")
    },
    "logsumexp": ArrayFunction(f"{_REDUCED} b", _logsumexp),
    "weighted_logsumexp": ArrayFunction("x b * axis keepdims", _weighted_logsumexp),
    "prod": ArrayFunction(_REDUCED, _prod),
    "prod_others": ArrayFunction("x", _prod_others),
    "mean": ArrayFunction(_REDUCED, _mean),
    "var": ArrayFunction(_REDUCED + " ddof", _variance),
    "std": ArrayFunction(_REDUCED + " ddof", _deviation),
    "norm": ArrayFunction("x * ord axis keepdims", _norm),
    "norm1": ArrayFunction(_REDUCED, _norm1),
    "norm_inf": ArrayFunction(_REDUCED, _norm_inf),
    **{name: ArrayFunction("x * axis", _reduction(name)) for name in ("softmax", "log_softmax")},
    "matmul": ArrayFunction("x y", _row("matmul")),
    "outer": ArrayFunction("x y", _row("outer")),
    "inner": ArrayFunction("x y", _inner),
    "dot": ArrayFunction("x y", _dot),
    "kron": ArrayFunction("x y", _kron),
    "solve": ArrayFunction("A b", _solve),
    "cholesky": ArrayFunction("A", _cholesky),
    "diag": ArrayFunction("x", _diag),
    "diagonal": ArrayFunction("A", _row("diagonal")),
    "einsum": ArrayFunction("subscripts", _einsum, rest=True, numbers=True),
    "eye": ArrayFunction("n * m k", _eye, numbers=True),
    "ones": ArrayFunction("shape", _filled(1), rest=True, numbers=True),
    "zeros": ArrayFunction("shape", _filled(0), rest=True, numbers=True),
    "full": ArrayFunction("shape value", _full, numbers=True),
    "arange": ArrayFunction("start * stop", _arange, numbers=True),
    "reshape": ArrayFunction("x shape", _reshape, rest=True),
    "ravel": ArrayFunction("x", _ravel),
    "broadcast_to": ArrayFunction("x shape", _broadcast, numbers=True),
    "expand_dims": ArrayFunction("x axis", _expand),
    "concatenate": ArrayFunction("x * axis", _concatenate),
    "stack": ArrayFunction("x * axis", _stack),
    "tril": ArrayFunction("x * k", _triangle("tril")),
    "triu": ArrayFunction("x * k", _triangle("triu")),
    "cumsum": ArrayFunction("x * axis", _cumsum),
    "flip": ArrayFunction("x * axis", _flip),
    "transpose": ArrayFunction("x", _transpose),
}

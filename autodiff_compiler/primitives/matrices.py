"""Rows of array functions that are not linear: reductions, inverses, determinants, factorisations.

The rules of inverses and determinants are those of Giles, Collected matrix derivative results for
forward and reverse mode algorithmic differentiation (2008); the pseudo-inverse's is Golub and
Pereyra's (1973), the Cholesky factor's Murray's (2016, arXiv:1602.07527).
"""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from itertools import combinations
from typing import Any

from ..shapes import Shape, ShapeError, shown
from . import arithmetic, elementary
from .axes import Axes
from .linear import EXPAND, EYE, SUM, TRANSPOSE, reduction_text, square
from .row import ArrayPrimitive, array_function
from .work import cubic, each, pseudo_inverse, solving

MINORS = 5  # rows of a matrix whose determinant is expanded

_ROWS = {row.name: row for row in (*arithmetic.ROWS, *elementary.ROWS)}
MULTIPLY, DIVIDE, WHERE, EQUAL = (_ROWS[name] for name in ("multiply", "divide", "where", "equal"))


def spread(g: Any, node: Any, value: Any) -> Any:
    """What belongs to a reduction, with the axes that it goes over as axes of extent 1."""
    axes: Axes = node.data
    return value if axes.keepdims or not value.shape else g.make(EXPAND, (value,), axes.axes)


def _share(g: Any, node: Any, x: Any, out: Any) -> Any:
    """The slope of an extremum: those that attain it share it."""
    one, zero = g.constant(1), g.constant(0)
    attained = g.apply(WHERE, g.apply(EQUAL, x, out), one, zero)
    count = g.make(SUM, (attained,), node.data)
    return g.apply(
        WHERE, g.apply(EQUAL, x, out), g.apply(DIVIDE, one, spread(g, node, count)), zero
    )


def _folded(m: Any, axes: Axes, x: Any, name: str) -> Any:
    """A reduction of numbers of any kind by a function of two."""
    rest = axes._replace(keepdims=False).reduced(x.shape)
    count = m.np.prod([x.shape[axis] for axis in axes.axes], dtype=int)
    if not count:
        raise ValueError(f"the {name} of no elements")
    moved = m.np.moveaxis(x, axes.axes, range(len(axes.axes))).reshape(count, *rest)
    found = m.np.asarray(reduce(m.function(name), moved))
    return found.reshape(axes.reduced(x.shape))


def _reduction(name: str, **columns: Any) -> ArrayPrimitive:
    text = columns.pop("text")
    return array_function(
        f"{name}(x)",
        shape=lambda axes, x: axes.reduced(x),
        spelling=lambda node, size: reduction_text(text, node),
        **columns,
    )


def _norm(m: Any, axes: Axes, x: Any) -> Any:
    total = m.np.add.reduce(x * x, axis=axes.axes, keepdims=axes.keepdims)
    return m.function("sqrt")(m.np.asarray(total))


def _logsumexp(m: Any, axes: Axes, x: Any) -> Any:
    terms = m.function("exp")(x)
    total = m.np.add.reduce(terms, axis=axes.axes, keepdims=axes.keepdims)
    return m.function("log")(m.np.asarray(total))


def _others(m: Any, _axes: Axes, x: Any) -> Any:
    rest = [m.np.delete(x, k, -1) for k in range(x.shape[-1])]
    if not rest:
        return x
    return m.np.stack([m.np.multiply.reduce(part, axis=-1) for part in rest], axis=-1)


def _pairs(g: Any, node: Any, axis: int, d: Any) -> tuple[Any, Any]:
    """The products of all elements but two, and `d` where those two differ.

    Row i of a matrix holds x with 1 in the place i; the product of the others of a row leaves out
    two elements.  `axis` is where `d` belongs: -1, in the rows, or -2, in the columns.
    """
    x, extent, zero = node.args[0], node.args[0].shape[-1], g.constant(0)
    same = g.apply(EQUAL, g.make(EYE, (), (extent, extent, 0)), g.constant(1))
    rows = g.apply(WHERE, same, g.constant(1), g.make(EXPAND, (x,), (-2,)))
    others = g.make(OTHERS, (rows,), Axes((-1,), True))
    apart = g.apply(WHERE, same, zero, g.make(EXPAND, (d,), (-3 - axis,)))
    return others, apart


def _others_tangent(g: Any, node: Any, d: Any) -> Any:
    return g.make(SUM, (g.apply(MULTIPLY, *_pairs(g, node, -1, d)),), Axes((-1,)))


def _others_adjoint(g: Any, node: Any, bar: Any) -> Any:
    return g.make(SUM, (g.apply(MULTIPLY, *_pairs(g, node, -2, bar)),), Axes((-2,)))


def _others_along(g: Any, node: Any, x: Any, _out: Any) -> Any:
    """The product of the other elements along the axis of a reduction."""
    (axis,) = node.data.axes
    order = list(range(axis, 0))
    order[0], order[-1] = order[-1], order[0]
    if axis == -1:
        return g.make(OTHERS, (x,), Axes((-1,), True))
    turned = g.make(OTHERS, (g.make(TRANSPOSE, (x,), tuple(order)),), Axes((-1,), True))
    return g.make(TRANSPOSE, (turned,), tuple(order))


def eliminated(m: Any, a: Any, b: Any) -> tuple[Any, Any]:
    """`a` (n, n) and `b` (n, k) of any kind of number: the solution, and the determinant of `a`.

    Gaussian elimination with row pivoting, as in every textbook.
    """
    a, b = m.np.array(a, dtype=object), m.np.array(b, dtype=object)
    det: Any = 1
    for k in range(len(a)):
        pivot = m.pivot(a[k:, k]) + k
        if pivot != k:
            a[[k, pivot]], b[[k, pivot]], det = a[[pivot, k]], b[[pivot, k]], -det
        det = det * a[k, k]
        b[k], a[k] = b[k] / a[k, k], a[k] / a[k, k]
        for i in range(len(a)):
            if i != k:
                b[i], a[i] = b[i] - a[i, k] * b[k], a[i] - a[i, k] * a[k]
    return b, det


def _stacked(m: Any, f: Any, *arrays: Any) -> Any:
    """A function of matrices applied to stacks of them."""
    lead = m.np.broadcast_shapes(*(x.shape[:-2] for x in arrays))
    whole = [m.np.broadcast_to(x, lead + x.shape[-2:]) for x in arrays]
    parts = [[x[at] for x in whole] for at in m.np.ndindex(*lead)]
    if not parts:  # for the shape that a result would have
        parts = [[m.np.eye(*x.shape[-2:], dtype=int).astype(object) for x in whole]]
    results = [m.np.asarray(f(*each), dtype=object) for each in parts]
    found = m.np.empty(lead + results[0].shape, dtype=object)
    for at, result in zip(m.np.ndindex(*lead), results, strict=False):
        found[at] = result[()] if not result.shape else result
    return found


def _eye(m: Any, a: Any) -> Any:
    return m.np.eye(a.shape[-1], dtype=int).astype(object)


def _inverse(m: Any, a: Any) -> Any:
    return eliminated(m, a, _eye(m, a))[0]


def _solve(m: Any, _: object, a: Any, b: Any) -> Any:
    columns = b[..., None] if b.ndim == 1 else b
    found = _stacked(m, lambda p, q: eliminated(m, p, q)[0], a, columns)
    return found[..., 0] if b.ndim == 1 else found


def _determinant(m: Any, a: Any) -> Any:
    """Of a small matrix without division, which would fail if several pivots are 0."""
    if len(a) > MINORS:
        return eliminated(m, a, _eye(m, a))[1]
    minors: dict[tuple[int, ...], Any] = {(): 1}
    for k in range(len(a)):  # those of the first rows, from those of one row less
        minors = {
            columns: sum(
                (-1) ** (k + i) * minors[columns[:i] + columns[i + 1 :]] * a[k, j]
                for i, j in enumerate(columns)
            )
            for columns in combinations(range(len(a)), k + 1)
        }
    return minors[tuple(range(len(a)))]


def _log_determinant(m: Any, a: Any) -> Any:
    size = m.function("abs")(m.np.asarray(_determinant(m, a)))
    return m.function("log")(m.np.asarray(size))


def _pseudo_inverse(m: Any, a: Any) -> Any:
    """Of a matrix of full rank."""
    if a.shape[0] >= a.shape[1]:
        return eliminated(m, a.T @ a, a.T)[0]
    return eliminated(m, a @ a.T, a)[0].T


def _cholesky(m: Any, a: Any) -> Any:
    root, lower = m.function("sqrt"), m.np.zeros(a.shape, dtype=object)
    for i in range(len(a)):
        for j in range(i + 1):
            rest = a[i, j] - sum((lower[i, k] * lower[j, k] for k in range(j)), 0)
            lower[i, j] = root(m.np.asarray(rest))[()] if i == j else rest / lower[j, j]
    return lower


def _minors(m: Any, a: Any) -> Any:
    """The cofactors of a matrix, by its minors."""
    found = m.np.empty(a.shape, dtype=object)
    for i, j in m.np.ndindex(*a.shape):
        minor = m.np.delete(m.np.delete(a, i, 0), j, 1)
        found[i, j] = (-1) ** (i + j) * (_determinant(m, minor) if len(minor) else 1)
    return found


def _solve_shape(_: object, a: Shape, b: Shape) -> Shape:
    rows = b[-1] if len(b) == 1 else b[-2] if b else None
    stack = a[:-2]
    if square(a)[-1] != rows or (b[: max(len(b) - 2, 0)][-len(stack) :] != stack and stack):
        raise ShapeError(f"solve takes a matrix and as many rows, not {shown(a)} and {shown(b)}")
    return b


def _whole(bar: Any, g: Any) -> Any:
    """A number for each matrix, to be multiplied by the matrices."""
    return g.make(EXPAND, (bar,), (-2, -1)) if bar.shape else bar


def _by_bar(text: str) -> Any:
    """The adjoint `bar*text` of a number that comes from a matrix."""

    def rule(g: Any, node: Any, bar: Any) -> Any:
        return g.apply(MULTIPLY, _whole(bar, g), g.written(text, A=node.args[0]))

    return rule


def _cofactor_tangent(g: Any, node: Any, d: Any) -> Any:
    a = node.args[0]
    size = _whole(g.written("trace(out' @ dA)", out=node, dA=d), g)
    text = "size*inv(A)' - out @ dA' @ inv(A)'"
    return g.written(text, A=a, out=node, dA=d, size=size)


def _cofactor_adjoint(g: Any, node: Any, bar: Any) -> Any:
    a = node.args[0]
    size = _whole(g.written("trace(bar @ inv(A))", A=a, bar=bar), g)
    return g.written("size*out - inv(A)' @ bar' @ out", A=a, bar=bar, out=node, size=size)


def _solve_adjoint(g: Any, node: Any, bar: Any) -> Any:
    a, b = node.args
    text = "-outer(solve(A', bar), out)" if len(b.shape) == 1 else "-solve(A', bar) @ out'"
    return g.written(text, A=a, bar=bar, out=node)


def _matrix_function(signature: str, one: Any, **columns: Any) -> ArrayPrimitive:
    def compute(m: Any, _: object, a: Any) -> Any:
        return _stacked(m, lambda part: one(m, part), a)

    return array_function(signature, compute=columns.pop("compute", compute), **columns)


PROD: ArrayPrimitive = _reduction(
    "prod",
    slope=_others_along,
    work=each(),
    text="{0}.prod(",
    compute=lambda m, axes, x: m.np.multiply.reduce(x, axis=axes.axes, keepdims=axes.keepdims),
    latex=r"\prod {x}",
)
OTHERS: ArrayPrimitive = array_function(
    "prod_others(x)",
    work=each(3),
    space=3,
    shape=lambda axes, x: x,
    tangents=(_others_tangent,),
    adjoints=(_others_adjoint,),
    compute=_others,
    spelling=lambda node, size: "_prod_others({0})",
    note="the product of all other elements of the last axis, also where one is 0",
)
AMAX: ArrayPrimitive = _reduction(
    "amax",
    work=each(),
    aliases="max",
    slope=_share,
    text="{0}.max(",
    compute=lambda m, axes, x: _folded(m, axes, x, "maximum"),
    latex=r"\max {x}",
)
AMIN: ArrayPrimitive = _reduction(
    "amin",
    work=each(),
    aliases="min",
    slope=_share,
    text="{0}.min(",
    compute=lambda m, axes, x: _folded(m, axes, x, "minimum"),
    latex=r"\min {x}",
)
NORM: ArrayPrimitive = _reduction(
    "norm2",
    work=each(2),
    space=1,
    aliases="norm",
    slope="where(out == 0, 0, x/out)",
    text="_norm2({0}",
    compute=_norm,
    latex=r"\left\lVert {x} \right\rVert",
    note="the root of the sum of squares; its gradient at 0 is 0",
)
LOGSUMEXP: ArrayPrimitive = _reduction(
    "logsumexp",
    work=each(4),
    space=2,
    slope="where(x == out, 1, exp(x - out))",
    text="_logsumexp({0}",
    compute=_logsumexp,
    latex=r"\log \sum \exp {x}",
)
INV: ArrayPrimitive = _matrix_function(
    "inv(A)",
    _inverse,
    work=cubic(2),
    shape=lambda _, a: square(a),
    tangents=("-out @ dA @ out",),
    adjoints=("-out' @ bar @ out'",),
    spelling=lambda node, size: "np.linalg.inv({0})",
    latex="{A}^{{-1}}",
)
SOLVE: ArrayPrimitive = array_function(
    "solve(A, b)",
    work=solving,
    shape=_solve_shape,
    tangents=("-solve(A, dA @ out)", "solve(A, db)"),
    adjoints=(_solve_adjoint, "solve(A', bar)"),
    compute=_solve,
    spelling=lambda node, size: "np.linalg.solve({0}, {1})",
    latex="{A}^{{-1}} {b}",
)
DET: ArrayPrimitive = _matrix_function(
    "det(A)",
    _determinant,
    work=cubic(Fraction(2, 3)),
    shape=lambda _, a: square(a)[:-2],
    tangents=("trace(cofactor(A)' @ dA)",),
    adjoints=(_by_bar("cofactor(A)"),),
    spelling=lambda node, size: "np.linalg.det({0})",
    latex=r"\det\left({A}\right)",
)
COFACTOR: ArrayPrimitive = _matrix_function(
    "cofactor(A)",
    _minors,
    work=cubic(Fraction(73, 3)),
    space=3,
    shape=lambda _, a: square(a),
    tangents=(_cofactor_tangent,),
    adjoints=(_cofactor_adjoint,),
    spelling=lambda node, size: "_cofactor({0})",
    note="the determinants of the minors: the gradient of det, of singular matrices too",
)
LOGDET: ArrayPrimitive = _matrix_function(
    "logdet(A)",
    _log_determinant,
    work=cubic(Fraction(2, 3)),
    shape=lambda _, a: square(a)[:-2],
    tangents=("trace(inv(A) @ dA)",),
    adjoints=(_by_bar("inv(A)'"),),
    spelling=lambda node, size: "np.linalg.slogdet({0})[1]",
    latex=r"\log \left\lvert \det {A} \right\rvert",
    note="log(abs(det(A)))",
)
PINV: ArrayPrimitive = _matrix_function(
    "pinv(A)",
    _pseudo_inverse,
    work=pseudo_inverse,
    space=3,
    shape=lambda _, a: (*a[:-2], a[-1], a[-2]),
    tangents=(
        "-out @ dA @ out + out @ out' @ (dA' - dA' @ A @ out) + (dA' - out @ A @ dA') @ out' @ out",
    ),
    adjoints=(
        "-out' @ bar @ out' + (bar' - A @ out @ bar') @ out @ out'"
        " + out' @ out @ (bar' - bar' @ out @ A)",
    ),
    spelling=lambda node, size: "np.linalg.pinv({0})",
    latex="{A}^{{+}}",
)
CHOLESKY: ArrayPrimitive = _matrix_function(
    "cholesky(A)",
    _cholesky,
    work=cubic(Fraction(1, 3)),
    shape=lambda _, a: square(a),
    tangents=("M = solve(out, solve(out, dA)'); out @ (0.5*(tril(M) + tril(M, -1)))",),
    adjoints=("M = out' @ bar; solve(out', solve(out', 0.5*(tril(M) + tril(M, -1)))')'",),
    spelling=lambda node, size: "np.linalg.cholesky({0})",
    latex=r"\operatorname{{chol}}\left({A}\right)",
    note="of the symmetric part: (A + A')/2",
)

ROWS = (
    *(PROD, OTHERS, AMAX, AMIN, NORM, LOGSUMEXP),
    *(INV, SOLVE, DET, COFACTOR, LOGDET, PINV, CHOLESKY),
)

"""Rows of functions of matrices that are not linear: inverses, determinants, factorisations.

The rules of inverses and determinants are those of Giles, Collected matrix derivative results for
forward and reverse mode algorithmic differentiation (2008); the pseudo-inverse's is Golub and
Pereyra's (1973), the Cholesky factor's Murray's (2016, arXiv:1602.07527).
"""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations
from typing import Any

from ..shapes import Shape, ShapeError, shown
from .linear import EXPAND, matrix, square
from .row import ArrayPrimitive, array_function
from .work import cubic, pseudo_inverse, solving

SCALING = ("negative", "multiply", "divide")  # what is linear in one array
SCALED = 4  # of these that are looked through
MINORS = 5  # rows of a matrix whose determinant is expanded


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


def _log_of_determinant(m: Any, a: Any) -> Any:
    return m.function("log")(m.np.asarray(_determinant(m, a)))


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


def _determinant_along(m: Any, a: Any, d: Any) -> Any:
    """By the product rule: a determinant is linear in each of its rows."""
    rows = m.np.arange(len(a))[:, None]
    return sum((_determinant(m, m.np.where(rows == k, d, a)) for k in range(len(a))), 0)


def _minors_along(m: Any, a: Any, d: Any) -> Any:
    found = m.np.empty(a.shape, dtype=object)
    for i, j in m.np.ndindex(*a.shape):
        minors = [m.np.delete(m.np.delete(x, i, 0), j, 1) for x in (a, d)]
        found[i, j] = (-1) ** (i + j) * _determinant_along(m, *minors)
    return found


def _along_shape(_: object, a: Shape, d: Shape) -> Shape:
    if square(a) != d:
        raise ShapeError(f"cofactor_along takes two arrays alike, not {shown(a)} and {shown(d)}")
    return a


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
        return g.written(f"bar*{text}", A=node.args[0], bar=_whole(bar, g))

    return rule


def _by_two_directions(change: str) -> Any:
    """How cofactor_along changes with the matrix, in the direction of that name.

    Of `cofactor(A) @ A' = det(A)*eye(n)`, both sides changed along both directions.
    """

    def rule(g: Any, node: Any, direction: Any) -> Any:
        a, d = node.args
        other = g.written(f"cofactor_along(A, {change})", A=a, **{change: direction})
        size = _whole(g.written("trace(M' @ D)", M=other, D=d), g)
        text = f"size*inv(A)' - (M @ D' + out @ {change}') @ inv(A)'"
        given = {"A": a, "D": d, "M": other, "out": node, "size": size, change: direction}
        return g.written(text, **given)

    return rule


def _solve_adjoint(g: Any, node: Any, bar: Any) -> Any:
    a, b = node.args
    text = "-outer(solve(A', bar), out)" if len(b.shape) == 1 else "-solve(A', bar) @ out'"
    return g.written(text, A=a, bar=bar, out=node)


def _matrix_function(signature: str, one: Any, **columns: Any) -> ArrayPrimitive:
    def compute(m: Any, _: object, a: Any) -> Any:
        return _stacked(m, lambda part: one(m, part), a)

    return array_function(signature, compute=columns.pop("compute", compute), **columns)


def _logarithm(signature: str, one: Any, **columns: Any) -> ArrayPrimitive:
    """Of a determinant, or of its size: both have the same slopes."""
    return _matrix_function(
        signature,
        one,
        work=cubic(Fraction(2, 3)),
        shape=lambda _, a: square(a)[:-2],
        tangents=("trace(inv(A) @ dA)",),
        adjoints=(_by_bar("inv(A)'"),),
        **columns,
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


def _scaled(graph: Any, _data: object, matrix: Any, right: Any) -> Any:
    """The multiple of a solution that is there."""
    found, scaled = None, list[Any]()
    while found is None and len(scaled) < SCALED:
        arrays = [a for a in right.args if a.shape]
        over = right.op.name == "divide" and arrays != [right.args[0]]
        if right.op.name not in SCALING or len(arrays) != 1 or over:
            return None
        scaled.append(right)
        right = arrays[0]
        found = graph.known(SOLVE, (matrix, right))
    for node in reversed(scaled) if found else ():
        found = graph.apply(node.op, *(found if a.shape else a for a in node.args))
    return found


SOLVE: ArrayPrimitive = array_function(
    "solve(A, b)",
    work=solving,
    fold=_scaled,
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
    work=cubic(Fraction(8, 3)),  # by the inverse; by singular values nine times as much
    space=2,
    shape=lambda _, a: square(a),
    tangents=("cofactor_along(A, dA)",),
    adjoints=("cofactor_along(A, bar)",),  # second derivatives of det are symmetric
    spelling=lambda node, size: "_cofactor({0})",
    note="the determinants of the minors: the gradient of det, of singular matrices too",
)
COFACTOR_ALONG: ArrayPrimitive = array_function(
    "cofactor_along(A, D)",
    work=cubic(Fraction(91, 3)),
    space=3,
    shape=_along_shape,
    tangents=(_by_two_directions("dA"), "cofactor_along(A, dD)"),
    adjoints=(_by_two_directions("bar"), "cofactor_along(A, bar)"),
    compute=lambda m, _, a, d: _stacked(m, lambda p, q: _minors_along(m, p, q), a, d),
    spelling=lambda node, size: "_cofactor_along({0}, {1})",
    note="how cofactor(A) changes along D: the second derivatives of det; by A if it has an inverse",
)
LOGDET: ArrayPrimitive = _logarithm(
    "logdet(A)",
    _log_determinant,
    spelling=lambda node, size: "np.linalg.slogdet({0})[1]",
    latex=r"\log \left\lvert \det\left({A}\right) \right\rvert",
    note="log(abs(det(A)))",
)
LOG_DET: ArrayPrimitive = _logarithm(
    "log_det(A)",
    _log_of_determinant,
    spelling=lambda node, size: "_log_det({0})",
    latex=r"\log \det\left({A}\right)",
    note="log(det(A)), where det(A) may leave the range; nan where it is negative",
)
PINV: ArrayPrimitive = _matrix_function(
    "pinv(A)",
    _pseudo_inverse,
    work=pseudo_inverse,
    space=3,
    shape=lambda _, a: (*matrix(a)[:-2], a[-1], a[-2]),
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

ROWS = (INV, SOLVE, DET, COFACTOR, COFACTOR_ALONG, LOGDET, LOG_DET, PINV, CHOLESKY)

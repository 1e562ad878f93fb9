# ruff: noqa: N803, PLW0108, SIM300  (matrices have capital names)
"""Programs of arrays, each with the same in NumPy: every function, in every form of its arguments.

The inputs have these shapes in all of them.
"""

from __future__ import annotations

import inspect
import re

import numpy as np
from scipy.special import log_softmax, logsumexp, softmax

from autodiff_compiler.shapes import shown

EXTENTS = {"n": 3, "m": 4, "k": 2}
SHAPES = {
    "x": ("n",),
    "y": ("n",),
    "z": ("m",),
    "A": ("n", "m"),
    "B": ("m", "k"),
    "M": ("n", "n"),
    "T": ("k", "n", "n"),
    "S": ("k", "n", "m"),
    "U": ("k", 1, "n"),
    "W": (2, 6),
    "w": (3,),
    "c": (),
    "i": (2,),
    "j": (2, 2),
}
POSITIONS = {"i": np.array([2, 0]), "j": np.array([[1, 2], [1, 0]])}


def spd(a):
    return a @ np.swapaxes(a, -1, -2) + np.eye(3)


def lower(a):
    return np.linalg.cholesky(a)


PRODUCTS = [
    ("x @ y", lambda x, y: x @ y),
    ("A @ z", lambda A, z: A @ z),
    ("x @ A", lambda x, A: x @ A),
    ("A @ B", lambda A, B: A @ B),
    ("x @ M @ x + x @ M @ y", lambda x, M, y: x @ M @ x + x @ M @ y),
    ("A' @ M @ A", lambda A, M: A.T @ M @ A),
    ("T @ x", lambda T, x: T @ x),
    ("x @ T", lambda x, T: x @ T),
    ("T @ M", lambda T, M: T @ M),
    ("M @ T", lambda M, T: M @ T),
    ("T @ S", lambda T, S: T @ S),
    ("S[:, None] @ B", lambda S, B: S[:, None] @ B),
    ("U @ T", lambda U, T: U @ T),
    ("matmul(A, B)", lambda A, B: A @ B),
    ("dot(x, y)", lambda x, y: x @ y),
    ("dot(A, B)", lambda A, B: A @ B),
    ("dot(x, 2)", lambda x: 2 * x),
    ("inner(x, y)", lambda x, y: x @ y),
    ("inner(S, A)", lambda S, A: np.inner(S, A)),
    ("inner(x, M)", lambda x, M: np.inner(x, M)),
    ("inner(M, x)", lambda M, x: np.inner(M, x)),
    ("outer(x, z)", lambda x, z: np.outer(x, z)),
    ("kron(A, B)", lambda A, B: np.kron(A, B)),
    ("kron(M, [[1, 2]])", lambda M: np.kron(M, [[1, 2]])),
    ('einsum("ij,jk->ik", A, B)', lambda A, B: A @ B),
    ('einsum("ij,jk", A, B)', lambda A, B: A @ B),
    ('einsum("ij,i,j->", A, x, z)', lambda A, x, z: x @ A @ z),
    ('einsum("ii->i", M)', lambda M: np.diag(M)),
    ('einsum("ii", M)', lambda M: np.trace(M)),
    ('einsum("ij->ji", A)', lambda A: A.T),
    ('einsum("ij->j", A)', lambda A: A.sum(0)),
    ('einsum("bij,bjk->bik", T, S)', lambda T, S: T @ S),
    ('einsum("bij,bij->b", T, T)', lambda T: (T * T).sum((1, 2))),
    ('einsum("i,j,i->ij", x, z, y)', lambda x, z, y: np.outer(x * y, z)),
    ('einsum("bii,i->b", T, x)', lambda T, x: np.einsum("bii,i->b", T, x)),
    ('einsum("ij,ij,ij->i", A, A, A)', lambda A: (A**3).sum(1)),
    ("f(a, b) = a @ b + 1; f(A, B)*f(x, y)", lambda A, B, x, y: (A @ B + 1) * (x @ y + 1)),
    ("q(v) = v @ v; g(v) = q(v)*v; g(x) + g(2*y)", lambda x, y: x @ x * x + 8 * (y @ y) * y),
    ("s(v) = sum(v)/2 + v[0]; s(x)*s(z)", lambda x, z: (x.sum() / 2 + x[0]) * (z.sum() / 2 + z[0])),
]

REDUCTIONS = [
    ("sum(x)", lambda x: x.sum()),
    ("sum(A)", lambda A: A.sum()),
    ("sum(A, 0)", lambda A: A.sum(0)),
    ("sum(A, axis=-1)", lambda A: A.sum(-1)),
    ("sum(A, axis=1, keepdims=True)*A", lambda A: A.sum(1, keepdims=True) * A),
    ("sum(S, axis=(0, 2))", lambda S: S.sum((0, 2))),
    ("sum(S, axis=[-1, 1], keepdims=1)", lambda S: S.sum((1, 2), keepdims=True)),
    ("sum(S, axis=0, keepdims=False)", lambda S: S.sum(0)),
    ("mean(x)", lambda x: x.mean()),
    ("mean(A, axis=0)", lambda A: A.mean(0)),
    ("mean(S, axis=(1, 2), keepdims=True)*S", lambda S: S.mean((1, 2), keepdims=True) * S),
    ("var(x)", lambda x: x.var()),
    ("var(A, axis=1, ddof=1)", lambda A: A.var(1, ddof=1)),
    ("std(x)", lambda x: x.std()),
    ("std(A, axis=0, keepdims=True)", lambda A: A.std(0, keepdims=True)),
    ("prod(x)", lambda x: x.prod()),
    ("prod(A)", lambda A: A.prod()),
    ("prod(A, axis=0)", lambda A: A.prod(0)),
    ("prod(A, axis=-1, keepdims=True)", lambda A: A.prod(1, keepdims=True)),
    ("prod(S, axis=1)", lambda S: S.prod(1)),
    ("prod_others(x)", lambda x: x.prod() / x),
    ("prod_others(A)", lambda A: A.prod(1, keepdims=True) / A),
    ("max(x)*min(x)", lambda x: x.max() * x.min()),
    ("max(A, axis=0)", lambda A: A.max(0)),
    ("min(A, axis=1, keepdims=True)", lambda A: A.min(1, keepdims=True)),
    ("amax(S, axis=(0, 2))", lambda S: S.max((0, 2))),
    ("amin(S)", lambda S: S.min()),
    ("norm(x)", lambda x: np.linalg.norm(x)),
    ("norm(A)", lambda A: np.linalg.norm(A)),
    ("norm(x, 1)", lambda x: np.linalg.norm(x, 1)),
    ("norm(A, 2, 0)", lambda A: np.linalg.norm(A, 2, 0)),
    ("norm(A, ord=1, axis=1)", lambda A: np.linalg.norm(A, ord=1, axis=1)),
    ("norm2(A, axis=0)", lambda A: np.linalg.norm(A, axis=0)),
    ("norm2(A, axis=1, keepdims=True)", lambda A: np.linalg.norm(A, axis=1, keepdims=True)),
    ("norm1(x - y)", lambda x, y: abs(x - y).sum()),
    ("norm1(A, axis=0)", lambda A: abs(A).sum(0)),
    ("norm_inf(x)", lambda x: abs(x).max()),
    ("norm_inf(A, axis=1)", lambda A: abs(A).max(1)),
    ("logsumexp(x)", lambda x: logsumexp(x)),
    ("logsumexp(A, axis=1)", lambda A: logsumexp(A, axis=1)),
    ("logsumexp(S, axis=(0, 1), keepdims=True)", lambda S: logsumexp(S, (0, 1), keepdims=True)),
    ("logsumexp(x, b=y**2)", lambda x, y: logsumexp(x, b=y**2)),
    ("logsumexp(A, axis=0, b=z**2)", lambda A, z: logsumexp(A, 0, np.broadcast_to(z**2, A.shape))),
    (
        "weighted_logsumexp(z, A**2, axis=1, keepdims=True)",
        lambda z, A: logsumexp(np.broadcast_to(z, A.shape), 1, A**2, keepdims=True),
    ),
    ("softmax(x)", lambda x: softmax(x)),
    ("softmax(A, axis=0)", lambda A: softmax(A, 0)),
    ("softmax(A)", lambda A: softmax(A)),
    ("log_softmax(x)", lambda x: log_softmax(x)),
    ("log_softmax(A, axis=1)", lambda A: log_softmax(A, 1)),
    ("log_softmax(x)", lambda x: log_softmax(x)),
    ("log_softmax(A, axis=1)", lambda A: log_softmax(A, 1)),
    ("cumsum(x)", lambda x: x.cumsum()),
    ("cumsum(A)", lambda A: A.cumsum()),
    ("cumsum(A, axis=0)", lambda A: A.cumsum(0)),
    ("cumsum(S, axis=1)", lambda S: S.cumsum(1)),
]

ELEMENTWISE = [
    ("x*y - x/y", lambda x, y: x * y - x / y),
    ("A*z + A*x[:, None]", lambda A, z, x: A * z + A * x[:, None]),
    ("c*A + z", lambda c, A, z: c * A + z),
    ("S*A", lambda S, A: S * A),
    ("U*T", lambda U, T: U * T),
    ("U*x[:, None]", lambda U, x: U * x[:, None]),
    ("x[:, None] - y", lambda x, y: x[:, None] - y),
    ("where(A > c, A**2, z)", lambda A, c, z: np.where(A > c, A**2, z)),
    ("x if c > 5 else y*U", lambda x, c, y, U: np.where(c > 5, x, y * U)),
    ("exp(-(x[:, None] - z)**2)", lambda x, z: np.exp(-((x[:, None] - z) ** 2))),
    ("maximum(x, y) + hypot(x, c)", lambda x, y, c: np.maximum(x, y) + np.hypot(x, c)),
    ("x**y + arctan2(x, y[0])", lambda x, y: x**y + np.arctan2(x, y[0])),
    ("log(1 + exp(A))", lambda A: np.log(1 + np.exp(A))),
    ("sin(x)/x + x**3", lambda x: np.sin(x) / x + x**3),
    ("(x > 1)*x + (x < y and y < 2)", lambda x, y: (x > 1) * x + ((x < y) & (y < 2))),
    ("h(t) = t/(1 + t^2); h(A)*h(c)", lambda A, c: A / (1 + A**2) * (c / (1 + c**2))),
    ("n*x + m*sum(y) + x*(n - 1)", lambda x, y: 3 * x + 4 * y.sum() + 2 * x),
    ("[c, c*c] * [x[0], sum(y)]", lambda c, x, y: np.array([c * x[0], c * c * y.sum()])),
    ("[x, y] @ x", lambda x, y: np.array([x, y]) @ x),
    ("[[c, x[0]], [1, 2]] @ [3, c]", lambda c, x: np.array([3 * c + x[0] * c, 3 + 2 * c])),
    ("[[1, 2, 3]]' * x", lambda x: np.array([[1], [2], [3]]) * x),
]

MOVES = [
    ("x[0]*x[-1]", lambda x: x[0] * x[-1]),
    ("x[n - 1] + x[1]", lambda x: x[2] + x[1]),
    ("A[1]", lambda A: A[1]),
    ("A[:, -2]*A[0, 1]", lambda A: A[:, -2] * A[0, 1]),
    ("A[1:, :2]", lambda A: A[1:, :2]),
    ("A[::2, ::-1]", lambda A: A[::2, ::-1]),
    ("x[::-2]", lambda x: x[::-2]),
    ("z[-3:-1]", lambda z: z[-3:-1]),
    ("z[3:0:-2]", lambda z: z[3:0:-2]),
    ("z[1:n]*x[:n - 1]", lambda z, x: z[1:3] * x[:2]),
    ("x[1:] - x[:-1]", lambda x: x[1:] - x[:-1]),
    ("z[3:1]", lambda z: z[3:1]),
    ("S[..., 0]", lambda S: S[..., 0]),
    ("S[1, ..., ::3]", lambda S: S[1, ..., ::3]),
    ("A[None, :, None]", lambda A: A[None, :, None]),
    ("A[..., None, 2]", lambda A: A[..., None, 2]),
    ("x[[2, 0, 2]]", lambda x: x[[2, 0, 2]]),
    ("A[[0, 2]]", lambda A: A[[0, 2]]),
    ("A[:, [3, -1, 0]]", lambda A: A[:, [3, -1, 0]]),
    ("A[[0, 1], [2, 2]]", lambda A: A[[0, 1], [2, 2]]),
    ("S[1, [0, 2]]", lambda S: S[1, [0, 2]]),
    ("x[i]", lambda x, i: x[i]),
    ("x[i]*y[i] + sum(x)", lambda x, i, y: x[i] * y[i] + x.sum()),
    ("A[i]", lambda A, i: A[i]),
    ("A[:, i]", lambda A, i: A[:, i]),
    ("x[j]", lambda x, j: x[j]),
    ("A[j, 1:]", lambda A, j: A[j, 1:]),
    ("A[i, j]", lambda A, i, j: A[i, j]),
    ("S[:, i, i]", lambda S, i: S[:, i, i]),
    ("x[2 - i]**2", lambda x, i: x[2 - i] ** 2),
    ("x[i][None]*x[i[0]]", lambda x, i: x[i][None] * x[i[0]]),
    ("A'", lambda A: A.T),
    ("S.T", lambda S: S.T),
    ("x' * y.T", lambda x, y: x * y),
    ("transpose(A) @ x", lambda A, x: A.T @ x),
    ("transpose(T')", lambda T: T),
    ("reshape(W, 4, 3)", lambda W: W.reshape(4, 3)),
    ("reshape(A, (m, n))", lambda A: A.reshape(4, 3)),
    ("reshape(W, [3, -1])", lambda W: W.reshape(3, -1)),
    ("reshape(S, -1)", lambda S: S.reshape(-1)),
    ("reshape(S, k*n, -1)", lambda S: S.reshape(6, -1)),
    ("reshape(S, (m, -1, k))", lambda S: S.reshape(4, -1, 2)),
    ("ravel(A)*2", lambda A: A.ravel() * 2),
    ("broadcast_to(x, (k, n))", lambda x: np.broadcast_to(x, (2, 3))),
    ("broadcast_to(U, (k, 3, n))", lambda U: np.broadcast_to(U, (2, 3, 3))),
    ("expand_dims(A, 1)", lambda A: A[:, None]),
    ("expand_dims(x, axis=-1)*z", lambda x, z: x[:, None] * z),
    ("concatenate([x, z, 2*x])", lambda x, z: np.concatenate([x, z, 2 * x])),
    ("concatenate([A, M], axis=1)", lambda A, M: np.concatenate([A, M], 1)),
    ("concatenate([A, 2*A], axis=-2)", lambda A: np.concatenate([A, 2 * A])),
    ("concatenate([T, S], axis=2)", lambda T, S: np.concatenate([T, S], 2)),
    ("stack([x, y])", lambda x, y: np.stack([x, y])),
    ("stack([x, y], axis=1)", lambda x, y: np.stack([x, y], 1)),
    ("stack([A, A*2], axis=-1)", lambda A: np.stack([A, A * 2], -1)),
    ("stack([c, x[0]])", lambda c, x: np.stack([c, x[0]])),
    ("flip(x)", lambda x: x[::-1]),
    ("flip(A)", lambda A: np.flip(A)),
    ("flip(A, axis=0)", lambda A: A[::-1]),
    ("eye(n) @ x + eye(n, m) @ z", lambda x, z: x + z[:3]),
    (
        "eye(3, k=1) @ w + eye(3, 2, k=-1) @ w[1:]",
        lambda w: np.append(w[1:], 0) + np.append(0, w[1:]),
    ),
    ("ones(n)*c + zeros(k, n)", lambda c: np.full((2, 3), c)),
    ("ones((2, n)) @ x + zeros(2)", lambda x: np.full(2, x.sum())),
    ("full(n, c) + full((k, n), 2*c)", lambda c: np.full((2, 3), 3 * c)),
    ("arange(n)*x + arange(1, stop=n + 1)", lambda x: np.arange(3) * x + np.arange(1, 4)),
    ("ones(n//2)*sum(x[:n//2])", lambda x: x[:1]),
    ("arange(3) @ w", lambda w: np.arange(3) @ w),
]

MATRICES = [
    ("trace(M)", lambda M: np.trace(M)),
    ("trace(T)", lambda T: np.trace(T, axis1=1, axis2=2)),
    ("trace(M @ A @ A')", lambda M, A: np.trace(M @ A @ A.T)),
    ("diag(x)", lambda x: np.diag(x)),
    ("diag(M)", lambda M: np.diag(M)),
    ("diag(x) @ A @ diag(z)", lambda x, A, z: np.diag(x) @ A @ np.diag(z)),
    ("diagonal(T)", lambda T: np.diagonal(T, axis1=1, axis2=2)),
    ("tril(A)", lambda A: np.tril(A)),
    ("tril(A, -1) + triu(A, k=1)", lambda A: np.tril(A, -1) + np.triu(A, 1)),
    ("triu(T)", lambda T: np.triu(T)),
    ("inv(M)", lambda M: np.linalg.inv(M)),
    ("inv(T)", lambda T: np.linalg.inv(T)),
    ("inv(M)' @ x", lambda M, x: np.linalg.inv(M).T @ x),
    ("det(M)", lambda M: np.linalg.det(M)),
    ("det(T)", lambda T: np.linalg.det(T)),
    ("logdet(M)", lambda M: np.linalg.slogdet(M)[1]),
    ("log_det(M @ M' + eye(n))", lambda M: np.log(np.linalg.det(spd(M)))),
    ("logdet(T)", lambda T: np.linalg.slogdet(T)[1]),
    ("solve(M, x)", lambda M, x: np.linalg.solve(M, x)),
    ("solve(M, A)", lambda M, A: np.linalg.solve(M, A)),
    ("solve(T, S)", lambda T, S: np.linalg.solve(T, S)),
    ("solve(T, x)", lambda T, x: np.linalg.inv(T) @ x),
    ("solve(M, S)", lambda M, S: np.linalg.inv(M) @ S),
    ("solve(T, A)", lambda T, A: np.linalg.inv(T) @ A),
    ("inv(T) @ S", lambda T, S: np.linalg.inv(T) @ S),
    ("inv(T) @ x", lambda T, x: np.linalg.inv(T) @ x),
    ("pinv(S)", lambda S: np.linalg.pinv(S)),
    ("cholesky(T + 9*eye(n))", lambda T: lower((T + T.swapaxes(1, 2)) / 2 + 9 * np.eye(3))),
    ("pinv(A)", lambda A: np.linalg.pinv(A)),
    ("pinv(A') @ z", lambda A, z: np.linalg.pinv(A.T) @ z),
    ("cholesky(M @ M' + eye(n))", lambda M: lower(spd(M))),
    ("cholesky(M + M' + 9*eye(n)) @ x", lambda M, x: lower(M + M.T + 9 * np.eye(3)) @ x),
    ("cofactor(M)", lambda M: np.linalg.det(M) * np.linalg.inv(M).T),
    ("cofactor(T)", lambda T: np.linalg.det(T)[:, None, None] * np.linalg.inv(T).swapaxes(1, 2)),
    (  # the determinant of a matrix of rank one
        "cofactor_along(M, outer(x, x) @ M)",
        lambda M, x: np.linalg.det(M) * (x @ x * np.eye(3) - np.outer(x, x)) @ np.linalg.inv(M).T,
    ),
    (
        "K = M @ M' + eye(n); -0.5*x @ solve(K, x) - 0.5*logdet(K)",
        lambda M, x: -0.5 * (x @ np.linalg.solve(spd(M), x) + np.log(np.linalg.det(spd(M)))),
    ),
]

CASES = PRODUCTS + REDUCTIONS + ELEMENTWISE + MOVES + MATRICES


def inputs(reference):
    """The names that a NumPy function takes."""
    return tuple(inspect.signature(reference).parameters)


def declared(text, names):
    """A program with the shapes of its inputs; those that it does not mention give extents."""
    shapes = {name: SHAPES[name] for name in names}
    known = {extent for shape in shapes.values() for extent in shape}
    wanted = {extent for extent in EXTENTS if re.search(rf"\b{extent}\b", text)} - known
    if wanted:
        shapes["S"] = SHAPES["S"]
    lines = "".join(f"{n}: {shown(s)}; " for n, s in shapes.items() if s)
    return lines + text


def point(names, seed=0):
    """Random values of the inputs, and the positions."""
    rng = np.random.default_rng(seed)
    found = {}
    for name, extents in SHAPES.items():
        shape = tuple(EXTENTS.get(extent, extent) for extent in extents)
        value = rng.uniform(0.4, 2.2, shape)
        if name in ("M", "T"):  # far from singular
            value = value + 2 * np.eye(3)
        if name in names:
            found[name] = POSITIONS.get(name, value if shape else float(value))
    return found

"""Values and derivatives as an expert writes them in NumPy: vectorised, in place, no work twice."""

from __future__ import annotations

from math import lgamma, log, pi

import numpy as np


def mixture(alphas, means, icf, X, gamma, m):
    """ADBench's Gaussian mixture: one product of matrices forward, one back."""
    (K, D), N = means.shape, len(X)
    logdiag, lower = icf[:, :D], icf[:, D:]
    diag = np.exp(logdiag)
    below, on = np.triu_indices(D, 1)[::-1], np.diag_indices(D)
    Q = np.zeros((K, D, D))
    Q[:, *below], Q[:, *on] = lower, diag
    Y = (Q.reshape(K * D, D) @ X.T).reshape(K, D, N)
    Y -= Q @ means[:, :, None]
    weights = np.einsum("kdn,kdn->kn", Y, Y)
    weights *= -0.5
    weights += (alphas + logdiag.sum(axis=1))[:, None]
    top = weights.max(axis=0)
    weights -= top
    np.exp(weights, out=weights)
    total = weights.sum(axis=0)
    weights /= total
    prior = np.exp(alphas - alphas.max())
    value = np.log(total).sum() + top.sum() - N * (log(prior.sum()) + alphas.max())
    value += gamma**2 / 2 * ((diag * diag).sum() + (lower * lower).sum()) - m * logdiag.sum()
    value += mixture_constant(N, K, D, gamma, m)
    share = weights.sum(axis=1)
    Y *= weights[:, None, :]
    total_Y = Y.sum(axis=2)
    Q_bar = total_Y[:, :, None] * means[:, None, :]
    Q_bar -= (Y.reshape(K * D, N) @ X).reshape(K, D, D)
    icf_bar = np.empty_like(icf)
    icf_bar[:, :D] = share[:, None] - m + diag * (Q_bar[:, *on] + gamma**2 * diag)
    icf_bar[:, D:] = Q_bar[:, *below] + gamma**2 * lower
    return value, (share - N / prior.sum() * prior, (total_Y[:, None, :] @ Q)[:, 0], icf_bar)


def mixture_constant(N, K, D, gamma, m):
    """What does not depend on the parameters."""
    dof = D + m + 1
    logs = D * (D - 1) / 4 * log(pi) + sum(lgamma((dof - i) / 2) for i in range(D))
    return -N * D * log(2 * pi) / 2 - K * (dof * D * (log(gamma) - log(2) / 2) - logs)


def bundle_blocks(r1, r2, r3, c1, c2, c3, f, x0, y0, k1, k2, X1, X2, X3, w, z1, z2):
    """The Jacobian's blocks, (15, 2, N)."""
    r, u = (r1, r2, r3), (X1 - c1, X2 - c2, X3 - c3)
    p1, p2, p3, back = turned(r, u)
    over = 1 / p3
    d1, d2 = p1 * over, p2 * over
    s = d1 * d1 + d2 * d2
    L, wf = 1 + s * (k1 + k2 * s), w * f
    slope = 2 * wf * (k1 + 2 * k2 * s)
    g11, g12, g22 = wf * L + slope * d1 * d1, slope * d1 * d2, wf * L + slope * d2 * d2
    g11, g12, g22 = g11 * over, g12 * over, g22 * over
    J = np.empty((15, 2, len(w)))
    for k, g1, g2 in ((0, g11, g12), (1, g12, g22)):
        J[0:3, k], J[11:14, k] = back(g1, g2, -(g1 * d1 + g2 * d2))
    np.negative(J[11:14], out=J[3:6])
    J[7], J[8] = (w, np.zeros_like(w)), (np.zeros_like(w), w)
    np.multiply(w, d1 * L, out=J[6, 0])
    np.multiply(w, d2 * L, out=J[6, 1])
    J[9], J[14] = (wf * d1 * s, wf * d2 * s), (d1 * L * f + x0 - z1, d2 * L * f + y0 - z2)
    np.multiply(J[9], s, out=J[10])
    return J


def bundle_loss(cameras, points, w, z, camera, point):
    """Half the sum of squared errors, and its gradient by cameras, points and weights."""
    *r, c1, c2, c3, f, x0, y0, k1, k2 = cameras.T.take(camera, axis=1)
    X1, X2, X3 = points.T.take(point, axis=1)
    p1, p2, p3, back = turned(r, (X1 - c1, X2 - c2, X3 - c3))
    over = 1 / p3
    d1, d2 = p1 * over, p2 * over
    s = d1 * d1 + d2 * d2
    L = 1 + s * (k1 + k2 * s)
    fL = f * L
    e1, e2 = d1 * fL + x0 - z[:, 0], d2 * fL + y0 - z[:, 1]
    squares = e1 * e1 + e2 * e2
    weight = w * w
    g1, g2 = weight * e1, weight * e2
    along = g1 * d1 + g2 * d2
    L_bar = along * f
    slope = 2 * L_bar * (k1 + 2 * k2 * s)
    q1, q2 = (g1 * fL + slope * d1) * over, (g2 * fL + slope * d2) * over
    by_r, by_u = back(q1, q2, -(q1 * d1 + q2 * d2))
    by_k1 = L_bar * s
    by_camera = *by_r, *by_u, along * L, g1, g2, by_k1, by_k1 * s
    cameras_bar = np.stack([np.bincount(camera, b, len(cameras)) for b in by_camera], axis=1)
    np.negative(cameras_bar[:, 3:6], out=cameras_bar[:, 3:6])
    points_bar = np.stack([np.bincount(point, b, len(points)) for b in by_u], axis=1)
    return (weight @ squares) / 2, (cameras_bar, points_bar, w * squares)


def turned(r, u):
    """Rodrigues' rotation by r of u, and the function that takes adjoints of it to r and u."""
    (r1, r2, r3), (u1, u2, u3) = r, u
    v1, v2, v3 = r2 * u3 - r3 * u2, r3 * u1 - r1 * u3, r1 * u2 - r2 * u1
    ru = r1 * u1 + r2 * u2 + r3 * u3
    c, a, q, a_bar, q_bar = rotation(r1 * r1 + r2 * r2 + r3 * r3)
    b = q * ru
    q_bar *= ru

    def back(g1, g2, g3):
        rg = r1 * g1 + r2 * g2 + r3 * g3
        h = q * rg
        t = a_bar * (v1 * g1 + v2 * g2 + v3 * g3) + q_bar * rg
        t -= a * (u1 * g1 + u2 * g2 + u3 * g3)
        by_r = (
            t * r1 + a * (u2 * g3 - u3 * g2) + b * g1 + h * u1,
            t * r2 + a * (u3 * g1 - u1 * g3) + b * g2 + h * u2,
            t * r3 + a * (u1 * g2 - u2 * g1) + b * g3 + h * u3,
        )
        by_u = (
            g1 * c + (g2 * r3 - g3 * r2) * a + r1 * h,
            g2 * c + (g3 * r1 - g1 * r3) * a + r2 * h,
            g3 * c + (g1 * r2 - g2 * r1) * a + r3 * h,
        )
        return by_r, by_u

    turned = u1 * c + v1 * a + r1 * b, u2 * c + v2 * a + r2 * b, u3 * c + v3 * a + r3 * b
    return *turned, back


def rotation(square):
    """Of an angle's square: cos, sin/angle, (1 - cos)/square; the slopes of these two by angle."""
    angle = np.sqrt(square)
    c, a = np.cos(angle), np.sin(angle)
    if not angle.all():
        return none_at_zero(square)
    over = 1 / square
    a, q = a / angle, (1 - c) * over
    return c, a, q, (c - a) * over, (a - 2 * q) * over


def none_at_zero(square):
    """The same, where some cameras are not turned."""
    at = square == 0
    found = rotation(np.where(at, 1, square))
    limits = 1, 1, 1 / 2, -1 / 3, -1 / 12
    return [np.where(at, limit, x) for limit, x in zip(limits, found, strict=True)]


def process(scales, X, y):
    """The Gaussian process: one system is solved, and no matrix is inverted."""
    apart = [X[:, None, k] - X[None, :, k] for k in (0, 1)]
    squares = [d * d for d in apart]
    kernels = [np.exp(s * (-0.5 / x**2)) for s, x in zip(squares, scales, strict=True)]
    weights = np.linalg.solve(kernels[0] + kernels[1], y)
    by_scales, by_places = np.empty(2), np.empty_like(X)
    for k in (0, 1):
        kernels[k] *= apart[k]
        by_places[:, k] = 2 / scales[k] ** 2 * weights * (kernels[k] @ weights)
        kernels[k] *= apart[k]
        by_scales[k] = -(weights @ kernels[k] @ weights) / scales[k] ** 3
    return y @ weights, (by_scales, by_places)


def network(W1, b1, W2, b2, W3, b3, X, Y):
    """Backpropagation through three layers."""
    h1 = X @ W1
    h1 += b1
    np.tanh(h1, out=h1)
    h2 = h1 @ W2
    h2 += b2
    np.tanh(h2, out=h2)
    delta = h2 @ W3
    delta += b3
    delta -= Y
    value = np.vdot(delta, delta) / 2
    third = h2.T @ delta, delta.sum(axis=0)
    delta = _through_tanh(delta @ W3.T, h2)
    second = h1.T @ delta, delta.sum(axis=0)
    delta = _through_tanh(delta @ W2.T, h1)
    return value, (X.T @ delta, delta.sum(axis=0), *second, *third)


def _through_tanh(adjoint, h):
    slope = h * h
    np.subtract(1, slope, out=slope)
    adjoint *= slope
    return adjoint


def logistic(w, X, t):
    """Logistic regression."""
    e = np.exp(-t * (X @ w))
    return np.log1p(e).sum(), (-(X.T @ (t * (e / (1 + e)))),)


def logistic_hessian(w, X, t):
    """Its Hessian, (d, d); labels are 1 or -1, so that their squares are 1."""
    e = np.exp(-t * (X @ w))
    s = e / ((1 + e) * (1 + e))
    return X.T @ (s[:, None] * X)

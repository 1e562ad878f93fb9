"""The functions that generated code for whole arrays may need beside NumPy's, as texts."""

from __future__ import annotations

PART = 4096  # elements of a dot product that BLAS adds up, in one thread
DOT = f'''\
def _dot(x, y):
    """The sum of the products, in parts: BLAS alone would lose digits, and take threads for it."""
    if x.ndim > 1:
        order = "K" if x.strides == y.strides else "C"
        x, y = x.ravel(order), y.ravel(order)
    if x.size <= {PART}:
        return x @ y
    size = x.size - x.size % {PART}
    parts = np.vecdot(x[:size].reshape(-1, {PART}), y[:size].reshape(-1, {PART}))
    return parts.sum() + x[size:] @ y[size:]'''

NORM = '''\
def _norm2(x, axis=None, keepdims=False):
    """The root of the sum of squares; what would overflow or underflow is scaled."""
    if axis is None and not keepdims and x.itemsize == 8:  # of singles, a sum keeps more digits
        elements = x.ravel("K")
        norm = np.sqrt(_dot(elements, elements))
    else:
        norm = np.sqrt(np.square(x).sum(axis=axis, keepdims=keepdims))
    limits = np.finfo(norm.dtype)
    least = np.sqrt(limits.tiny/limits.eps)
    lost = norm <= least
    if lost.any():  # but for the norms of zeros
        lost = np.logical_and(lost, np.any(x, axis=axis, keepdims=keepdims))
    if not lost.any() and np.max(norm, initial=1.0) < np.inf:
        return norm
    scale = np.abs(x).max(axis=axis, keepdims=True, initial=0.0)
    scale = np.where(np.logical_and(scale > 0.0, scale < np.inf), scale, 1.0)
    norm = np.sqrt(np.square(x/scale).sum(axis=axis, keepdims=True))*scale
    return norm if keepdims else norm.squeeze(axis)[()]'''

TOP = '''\
def _top(x, axis=None):
    """The largest elements along axes, which stay; -inf where there are none."""
    # NumPy compares whole rows faster than a few elements of each.
    if x.ndim > 1 and axis == x.ndim - 1 and x.shape[axis] < 64:
        rows = np.ascontiguousarray(np.moveaxis(x, -1, 0))
        return rows.max(axis=0, initial=-np.inf)[..., None]
    return x.max(axis=axis, keepdims=True, initial=-np.inf)'''

BELOW = '''\
def _below(x, top):
    """How far the elements are from the largest; none, if that is infinite and they are, too."""
    below = x - top
    return below if np.isfinite(top).all() else np.where(x == top, 0.0, below)'''

TOTAL = '''\
def _total(x, axis=None):
    """The sums along axes, which stay."""
    # BLAS adds up a few elements of many rows ten times as fast as NumPy.
    if x.ndim > 1 and axis == x.ndim - 1 and x.shape[axis] < 64 and x.dtype.char in "fd":
        return (x @ np.ones(x.shape[axis], x.dtype))[..., None]
    return x.sum(axis=axis, keepdims=True)'''

LOGSUMEXP = '''\
def _logsumexp(x, axis=None, keepdims=False):
    """The logarithm of the sum of exponentials, none of which overflows."""
    top = _top(x, axis)
    top = np.where(np.isfinite(top), top, 0.0)
    total = np.log(_total(np.exp(x - top), axis)) + top
    return total if keepdims else total.squeeze(axis)[()]'''

WEIGHTED_LOGSUMEXP = '''\
def _weighted_logsumexp(x, b, axis=None, keepdims=False):
    """The logarithm of the sum of exponentials times weights; none overflows."""
    top = _top(np.where(b == 0.0, -np.inf, x), axis)
    powers = np.exp(np.minimum(_below(x, top), 0.0))  # above the top, weights are 0
    powers = np.where(x == -np.inf, 0.0, powers)
    total = np.log(_total(b*powers, axis)) + top
    return total if keepdims else total.squeeze(axis)[()]'''

SOFTMAX = '''\
def _softmax(x, axis=None):
    """Exponentials divided by their sum; none overflows."""
    powers = np.exp(_below(x, _top(x, axis)))
    return powers/_total(powers, axis)'''

LOG_SOFTMAX = '''\
def _log_softmax(x, axis=None):
    """The logarithms of exponentials divided by their sum; none overflows or is that of 0."""
    below = _below(x, _top(x, axis))
    return below - np.log(_total(np.exp(below), axis))'''

PLACED = '''\
def _placed(value, shape, index):
    """Zeros of a shape, but for a value at an index."""
    result = np.zeros(shape, np.result_type(value))
    result[index] = value
    return result'''

SCATTER = '''\
def _scatter(value, shape, index):
    """Zeros of a shape, with a value added at an index that may meet an element more than once."""
    size = int(np.prod(shape))
    places = np.arange(size).reshape(shape)[index]
    total = np.bincount(places.ravel(), np.ravel(value), size)
    return total.reshape(shape).astype(np.result_type(value), copy=False)'''

ASSEMBLED = '''\
def _assembled(shape, *parts):
    """Zeros of a shape, with values added at their indices."""
    result = np.zeros(shape, np.result_type(*[value for _, value in parts]))
    for index, value in parts:
        result[index] += value
    return result'''

OTHERS = '''\
def _prod_others(x):
    """For each element of the last axis, the product of all others."""
    before, after = np.ones_like(x), np.ones_like(x)
    before[..., 1:] = np.cumprod(x[..., :-1], axis=-1)
    after[..., :-1] = np.cumprod(x[..., :0:-1], axis=-1)[..., ::-1]
    return before*after'''

SINGULAR = '''\
def _singular(a):
    """The singular value decomposition, with the signs that make det(a) the product of values."""
    finite = np.isfinite(a).all(axis=(-2, -1), keepdims=True)  # else LAPACK gives up
    u, s, v = np.linalg.svd(np.where(finite, a, 0.0))
    sign = np.linalg.det(u)*np.linalg.det(v)
    return np.where(finite, sign[..., None, None], np.nan), u, s, v'''

COFACTOR = '''\
def _cofactor(a):
    """The determinants of the minors: by the inverse if that is good, else by singular values."""
    det, limits = np.linalg.det(a), np.finfo(a.dtype)
    good = np.logical_and(limits.tiny < abs(det), abs(det) < np.inf)
    inverse = np.linalg.inv(np.where(good[..., None, None], a, np.eye(a.shape[-1], dtype=a.dtype)))
    # Squared, and n*n of a rotation.
    condition = np.square(a).sum(axis=(-2, -1))*np.square(inverse).sum(axis=(-2, -1))
    good = np.logical_and(good, condition < limits.eps**-0.6)
    minors = det[..., None, None]*inverse.swapaxes(-2, -1)
    if a.shape[-1] > 1 and good.all():
        return minors
    bad = np.logical_or(np.logical_not(good), a.shape[-1] == 1)
    sign, u, s, v = _singular(a[bad])
    minors[bad] = sign*(u*_prod_others(s)[..., None, :]) @ v
    return minors'''

COFACTOR_ALONG = '''\
def _cofactor_along(a, d):
    """How the determinants of the minors change along a direction."""
    sign, u, s, v = _singular(a)
    d = u.swapaxes(-2, -1) @ d @ v.swapaxes(-2, -1)
    same = np.eye(s.shape[-1], dtype=bool)
    # For each pair of singular values, the product of all others.
    pairs = _prod_others(np.where(same, 1.0, s[..., None, :]))
    pairs = np.where(same, 0.0, pairs)
    diagonal = pairs @ d.diagonal(axis1=-2, axis2=-1)[..., None]
    return sign*u @ np.where(same, diagonal, -pairs*d.swapaxes(-2, -1)) @ v'''

LOG_DET = '''\
def _log_det(a):
    """The logarithm of a determinant, which itself may leave the range."""
    sign, size = np.linalg.slogdet(a)
    return np.where(sign < 0.0, np.nan, size)[()]'''

HELPERS = {
    "_dot": DOT,
    "_norm2": NORM,
    "_top": TOP,
    "_logsumexp": LOGSUMEXP,
    "_below": BELOW,
    "_total": TOTAL,
    "_weighted_logsumexp": WEIGHTED_LOGSUMEXP,
    "_softmax": SOFTMAX,
    "_log_softmax": LOG_SOFTMAX,
    "_placed": PLACED,
    "_scatter": SCATTER,
    "_assembled": ASSEMBLED,
    "_prod_others": OTHERS,
    "_singular": SINGULAR,
    "_cofactor": COFACTOR,
    "_cofactor_along": COFACTOR_ALONG,
    "_log_det": LOG_DET,
}
NEEDS = {  # helpers that helpers call
    "_norm2": ("_dot",),
    "_cofactor": ("_prod_others", "_singular"),
    "_cofactor_along": ("_prod_others", "_singular"),
    "_logsumexp": ("_top", "_total"),
    "_weighted_logsumexp": ("_below", "_top", "_total"),
    "_softmax": ("_below", "_top", "_total"),
    "_log_softmax": ("_below", "_top", "_total"),
}

"""What holds of every program of arrays: a table of properties, compared with NumPy.

The program is read by Python, with NumPy's functions for its names.  They take complex numbers, whose
imaginary part is the tangent: f(x + ih*d) = f(x) + ih*f'(x)*d for a tiny h, to all digits (Squire and
Trapp, Using complex variables to estimate derivatives of real functions, 1998).
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property

import numpy as np
from array_strategies import POSITIONS
from cases import Finding
from properties import Property
from rounding import AGREES

import autodiff_compiler as ac
from autodiff_compiler.passes import PASSES

STEP = 1e-30
CLOSE, SECOND = 1e-9, 1e-5  # relative to the largest number of a result
MARGIN, NUDGES = 300, 3  # times what rounding inputs differently does may be lost; so many tries


def _by(choose):
    """The elements that an argument chooses along an axis, or of all."""

    def function(x, axis=None, keepdims=False):
        x = np.asarray(x)
        flat, along = (x.ravel(), 0) if axis is None else (x, axis)
        at = np.expand_dims(choose(flat.real, axis=along), along)
        found = np.take_along_axis(flat, at, along)
        if axis is None:
            return found.reshape((1,) * x.ndim)[()] if keepdims else found[0]
        return found if keepdims else found.squeeze(axis)

    return function


def _larger(x, y):
    return np.where(np.real(x) >= np.real(y), x, y)


def _norm(x, axis=None, keepdims=False):
    return np.sqrt(np.sum(np.square(x), axis=axis, keepdims=keepdims))


def _logsumexp(x, axis=None, keepdims=False):
    top = np.max(np.real(x))
    return top + np.log(np.sum(np.exp(x - top), axis=axis, keepdims=keepdims))


def _var(x, axis=None, keepdims=False):
    return np.mean(
        np.square(x - np.mean(x, axis=axis, keepdims=True)), axis=axis, keepdims=keepdims
    )


def _softmax(x, axis):
    shifted = np.exp(x - np.max(np.real(x), axis=axis, keepdims=True))
    return shifted / shifted.sum(axis=axis, keepdims=True)


def _cofactor(a):
    """By the adjugate's rule for all numbers, singular matrices included: minors."""
    n = len(a)
    minors = [[np.delete(np.delete(a, i, 0), j, 1) for j in range(n)] for i in range(n)]
    return np.array(
        [[(-1) ** (i + j) * np.linalg.det(minors[i][j]) for j in range(n)] for i in range(n)]
    )


def _cofactor_along(a, d):
    """Cofactors are polynomials of degree n - 1: exact by as many differences."""
    steps = np.arange(-len(a) // 2, len(a) - len(a) // 2 + 1)
    values = [_cofactor(a + t * d) for t in steps]
    slopes = np.linalg.solve(np.vander(steps, increasing=True).astype(float), np.eye(len(steps)))[1]
    return np.tensordot(slopes, values, 1)


def _cholesky(a):
    """NumPy's takes the conjugate of complex numbers."""
    n, lower = len(a), np.zeros_like(a)
    for j in range(n):
        lower[j, j] = np.sqrt(a[j, j] - lower[j, :j] @ lower[j, :j])
        for i in range(j + 1, n):
            lower[i, j] = (a[i, j] - lower[i, :j] @ lower[j, :j]) / lower[j, j]
    return lower


def _pinv(a):
    """Of a matrix of full rank, also of complex numbers, which have no conjugates here."""
    if a.shape[0] >= a.shape[1]:
        return np.linalg.solve(a.T @ a, a.T)
    return np.linalg.solve(a @ a.T, a).T


SHARED = """
    sin cos tanh arctan sqrt exp log square sum mean prod cumsum flip where einsum trace concatenate
    stack outer diag eye ravel tril triu diagonal reshape broadcast_to ones arange expand_dims kron
"""
NAMES = {
    **{name: getattr(np, name) for name in SHARED.split()},
    "abs": lambda x: np.where(np.real(x) < 0, -x, x),
    "expit": lambda x: 1 / (1 + np.exp(-x)),
    "softplus": lambda x: np.log(1 + np.exp(x)),
    "maximum": _larger,
    "minimum": lambda x, y: -_larger(-x, -y),
    "floor": lambda x: np.floor(x).astype(int),
    "norm1": lambda x: np.sum(NAMES["abs"](x)),
    "norm_inf": lambda x: _by(np.argmax)(NAMES["abs"](x)),
    "prod_others": lambda x: np.array([np.prod(np.delete(x, k)) for k in range(len(x))]),
    "hypot": lambda x, y: np.sqrt(x**2 + y**2),
    "max": _by(np.argmax),
    "min": _by(np.argmin),
    "norm": _norm,
    "logsumexp": _logsumexp,
    "var": _var,
    "std": lambda *args, **options: np.sqrt(_var(*args, **options)),
    "softmax": _softmax,
    "log_softmax": lambda x, axis: np.log(_softmax(x, axis)),
    "det": np.linalg.det,
    "logdet": lambda a: np.log(NAMES["abs"](np.linalg.det(a))),
    "inv": np.linalg.inv,
    "solve": np.linalg.solve,
    "pinv": _pinv,
    "cofactor": _cofactor,
    "cofactor_along": _cofactor_along,
    "cholesky": _cholesky,
}


class UnreadableError(Exception):
    """The program is not one in Python, or its shapes do not fit."""


def read(source, extents):
    """The program as a function of its inputs by name."""
    *lines, last = source.split("\n")
    lines = [re.sub(r"^(\w+)\((.*?)\) = ", r"\1 = lambda \2: ", line) for line in lines]
    code = compile("\n".join([*lines, f"result = {last}"]), "program", "exec")

    def function(**inputs):
        names = NAMES | extents | inputs
        try:
            exec(code, names)
        except Exception as error:  # whatever NumPy raises
            raise UnreadableError(str(error)) from error
        found = names["result"]
        return np.ravel(np.broadcast_arrays(*found) if isinstance(found, list) else found)

    return function


def _flat(found):
    """All numbers of an array, or of several, in a row."""
    if isinstance(found, tuple | list):
        return np.concatenate([_flat(part) for part in found])
    return np.ravel(found)


class Case:
    """A program at a point with a direction, and what is found about it."""

    def __init__(self, source, shapes, extents):
        self.source, self.shapes, self.extents = source, shapes, extents
        self.tally, self.findings = Counter(), []
        self.fn = self.compiled(source)
        self.reference = read(source, extents)
        rng = np.random.default_rng(0)
        self.point = {name: self._drawn(rng, name) for name in self.fn.inputs}
        for value in self.point.values():
            np.asarray(value).setflags(write=False)  # nobody may write to what is the caller's
        self.primals = list(self.point.values())
        self.tangents = [rng.normal(size=np.shape(self.point[n]))[()] for n in self.fn.wrt]
        self.other = [rng.normal(size=np.shape(self.point[n]))[()] for n in self.fn.wrt]
        self.rng, self.value = rng, self.fn(*self.primals)

    def compiled(self, source, **options):
        """A source with the same inputs."""
        return ac.compile(source, inputs=list(self.shapes), shapes=self.shapes, **options)

    def _drawn(self, rng, name):
        extents = self.extents
        shape = tuple(extents.get(e, e) for e in self.shapes[name])
        if name.startswith(POSITIONS):
            return rng.integers(0, 2 if min(extents.values()) > 1 else 1, shape)
        return (rng.uniform(0.3, 2, shape) * rng.choice((-1, 1), shape))[()]

    @cached_property
    def wanted(self):
        """The value and the tangent, and how far both move where inputs are rounded otherwise."""
        tries = [self._at(self.point)]
        for seed in range(NUDGES):
            signs = np.random.default_rng(seed)
            tries.append(self._at({n: _nudged(v, signs) for n, v in self.point.items()}))
        return tries[0], np.ptp(tries, axis=0)

    def _at(self, point):
        steps = dict(zip(self.fn.wrt, self.tangents, strict=True))
        moved = {n: v + 1j * STEP * steps[n] if n in steps else v for n, v in point.items()}
        found = self.reference(**moved)
        return np.real(found), np.imag(found) / STEP

    @cached_property
    def curvature(self):
        """How the tangent changes along the other direction, by differences."""
        h, steps = 1e-5, dict(zip(self.fn.wrt, self.other, strict=True))
        ends = [
            self._at({n: v + s * h * steps[n] if n in steps else v for n, v in self.point.items()})
            for s in (1, -1)
        ]
        return (ends[0][1] - ends[1][1]) / (2 * h)

    def compare(self, name, got, want, noise=0.0, close=CLOSE):
        """Numbers with what they should be."""
        got, want = _flat(got), _flat(want)
        size = max(1.0, np.abs(want).max(initial=0))
        allowed = close * size + MARGIN * np.max(noise, initial=0)
        off = np.inf if got.shape != want.shape else np.abs(_apart(got, want)).max(initial=0)
        self.note(name, off <= allowed, f"{got}, but it should be {want}")

    def note(self, name, agrees, detail):
        """What was found."""
        self.tally[name, AGREES if agrees else "DISAGREES"] += 1
        if not agrees:
            self.findings.append(Finding(name, self.source, self.point, detail))


def _apart(got, want):
    """The difference, which is 0 where both are nan."""
    return np.where(np.isnan(got) & np.isnan(want), 0.0, got - want)


def _nudged(value, rng):
    if np.issubdtype(np.asarray(value).dtype, np.integer):
        return value
    return value * (1 + rng.choice((-4e-16, 4e-16), np.shape(value)))


def _inner(left, right):
    return sum(np.vdot(a, b) for a, b in zip(left, right, strict=True))


def forward(case):
    """The value and the tangent."""
    (value, tangent), (value_noise, tangent_noise) = case.wanted
    case.compare("forward", case.value, value, value_noise)
    found = case.fn.jvp(case.primals, case.tangents)
    case.compare("forward", found[1], tangent, tangent_noise)


def reverse(case):
    """The adjoints beside the tangent: a cotangent has the same product with both."""
    bar = case.rng.normal(size=np.shape(case.value))[()]
    adjoints = case.fn.vjp(case.primals, bar)[1][: len(case.tangents)]
    want, noise = np.ravel(bar) @ case.wanted[0][1], np.sum(case.wanted[1][1])
    case.compare("reverse", _inner(adjoints, case.tangents), want, noise)


def jacobian(case):
    """The Jacobian times the direction."""
    columns = case.fn.jacobian(*case.primals)
    found = sum(np.tensordot(c, t, np.ndim(t)) for c, t in zip(columns, case.tangents, strict=True))
    case.compare("jacobian", found, case.wanted[0][1], case.wanted[1][1])


def second(case):
    """The Hessian, and its product with a direction."""
    if np.ndim(case.value):
        return
    product = case.fn.hvp(case.primals, case.tangents)
    noise = np.max(case.wanted[1]) / 1e-5
    case.compare("second", _inner(product, case.other), case.curvature, noise, SECOND)
    rows = case.fn.hessian(*case.primals)
    for row, want in zip(rows, product, strict=True):
        parts = zip(row, case.tangents, strict=True)
        found = sum(np.tensordot(block, t, np.ndim(t)) for block, t in parts)
        case.compare("second", found, want, np.max(case.wanted[1]))


def without_passes(case):
    """The same program with every pass switched off."""
    fn = case.compiled(case.source, without=PASSES)
    found = fn.jvp(case.primals, case.tangents)
    case.compare("without passes", found, case.wanted[0], case.wanted[1])


def generated(case):
    """A module's functions give the very bits of the compiled ones."""
    names = {}
    exec(case.fn.source("value", "jacobian"), names)
    for kind in ("value", "jacobian"):
        got, want = (_flat(f(*case.primals)) for f in (names[kind], getattr(case.fn, kind)))
        same = np.array_equal(got, want, equal_nan=True)
        case.note("generated", same, f"{kind}: {got}, but the compiled function gives {want}")


def derivative(case):
    """The derivatives as texts, compiled again."""
    found = 0.0
    for name, tangent in zip(case.fn.wrt, case.tangents, strict=True):
        try:
            text = case.fn.derivative(name)
        except ac.ExpressionError:
            return  # the language has no words for it
        fn = case.compiled(text, wrt=())
        found = found + np.tensordot(fn(*case.primals), tangent, np.ndim(tangent))
    case.compare("derivative", found, case.wanted[0][1], case.wanted[1][1])


def single(case):
    """Single precision stays single, of arrays."""
    if not np.ndim(case.value) or not any(case.shapes.values()):
        return
    given = [
        v if np.issubdtype(np.asarray(v).dtype, np.integer) else np.float32(v) for v in case.primals
    ]
    kind = np.asarray(case.fn(*given)).dtype
    case.note("single", kind == np.float32, f"{kind}")


LARGE = {"n": 271, "m": 270, "k": 269}


def blocks(case):
    """Large arrays in blocks give what whole arrays do."""
    parts = case.fn.cost(**{n: v for n, v in LARGE.items() if n in str(case.shapes)}).parts
    if max(p.memory.number for p in parts) > 4e6 or max(p.operations.number for p in parts) > 1e8:
        return
    large = Case(case.source, case.shapes, LARGE)
    if not np.isfinite(large.value).all():
        return
    whole = case.compiled(case.source, without="blocks")
    large.compare("blocks", large.value, whole(*large.primals))
    bar = np.ones_like(large.value)
    large.compare("blocks", *[f.vjp(large.primals, bar) for f in (large.fn, whole)])
    case.findings += large.findings
    case.tally += large.tally


PROPERTIES = {
    "forward": Property(forward),
    "reverse": Property(reverse),
    "jacobian": Property(jacobian),
    "second": Property(second),
    "derivative": Property(derivative, every=2),
    "without passes": Property(without_passes, every=2),
    "generated": Property(generated, every=3),
    "single": Property(single, every=3),
    "blocks": Property(blocks, every=4),
}

"""What `fn.cost` foretells, beside what is counted and measured while the code runs."""

from __future__ import annotations

import json
import tracemalloc
from fractions import Fraction

import counting
import numpy as np
import pytest

import autodiff_compiler as ac
from autodiff_compiler.counts import ZERO, count, total
from autodiff_compiler.primitives import ARRAYS
from autodiff_compiler.shapes import named

KERNELS = """
D1 = (X[:, None, 0] - X[None, :, 0])**2; D2 = (X[:, None, 1] - X[None, :, 1])**2
K1 = exp(-D1/(2*l[0]**2)); K2 = exp(-D2/(2*l[1]**2))
y @ inv(K1 + K2) @ y
"""
PROGRAMS = {
    KERNELS: {"X": ("N", 2), "l": (2,), "y": ("N",)},
    "sum(tanh(A @ x + b)**2)": {"A": ("N", "N"), "x": ("N",), "b": ("N",)},
    "h = tanh(X @ W); sum((h @ V - Y)**2)": {
        "X": ("N", 5), "W": (5, 8), "V": (8, 3), "Y": ("N", 3)
    },
    "logdet(A @ A' + eye(N)) + y @ solve(A, y)": {"A": ("N", "N"), "y": ("N",)},
    "trace(A @ B) + sum(tril(A), axis=0) @ diag(B)": {"A": ("N", "N"), "B": ("N", "N")},
    "cumsum(x)*x + outer(x, x) @ x": {"x": ("N",)},
    "mean(concatenate([x, x])**2) + det(outer(x, x) + eye(N))": {"x": ("N",)},
    'einsum("ij,jk,k->i", A, A, x) + prod(x)': {"A": ("N", "N"), "x": ("N",)},
    "norm2(x - 1) + logsumexp(A @ x) + sum(pinv(A)) + max(A)": {"A": ("N", "N"), "x": ("N",)},
    "where(x > 0, exp(x), x) @ x": {"x": ("N",)},
}  # fmt: skip
GUARDED = "norm2"  # a program of functions that also look for infinities
EACH = pytest.mark.parametrize("source", PROGRAMS, ids=lambda s: s.strip()[:30])


def example(source, n, **options):
    """The function, and its arguments for an extent."""
    shapes = PROGRAMS[source]
    fn, rng = ac.compile(source, shapes=shapes, **options), np.random.default_rng(1)
    size = {"N": n}
    return fn, [rng.standard_normal([size.get(e, e) for e in shapes[name]]) for name in fn.inputs]


def call(fn, kind, point):
    """What a kind is called with, when tangents are the point itself."""
    given = {"jvp": (point, point), "vjp": (point, fn(*point))}
    return given.get(kind, point)


@pytest.mark.parametrize("source", [s for s in PROGRAMS if not s.startswith(GUARDED)])
@pytest.mark.parametrize("n", [4, 7])
def test_operations_are_those_that_numpy_does(source, n):
    fn, point = example(source, n, without="blocks")  # which write into plain arrays
    for part in fn.cost(N=n).parts:
        done = counting.operations(fn, part.kind, *call(fn, part.kind, point))
        scalars = 12  # operations on numbers alone, which are Python's
        foretold = part.operations.number
        more = 0.07 * foretold + 7 * n * n if "det(outer" in source else 0  # to leading order
        assert foretold - scalars <= round(done) <= foretold + more, part.kind


@EACH
def test_memory_is_what_is_allocated(source):
    """NumPy may reuse the buffer of a temporary, and allocates somewhat more than the numbers."""
    n, blocks = 1200, 8 * 65536  # what loops need beside, however large the arrays are
    fn, point = example(source, n, threads=1)
    for part in fn.cost(N=n).parts:
        if part.memory.number < n * n:
            continue
        function, arguments = getattr(fn, part.kind), call(fn, part.kind, point)
        function(*arguments)
        ac.clear_cache()  # so that no memory is used again
        tracemalloc.start()
        function(*arguments)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert 0.6 * part.memory.number < peak / 8, part.kind
        assert peak / 8 < 1.2 * part.memory.number + blocks, part.kind
        assert part.live.number <= part.memory.number


def test_the_kernels_of_a_gaussian_process():
    """Their intermediates grow with the square of the number of points; forward mode pays for each."""
    fn = ac.compile(KERNELS, shapes=PROGRAMS[KERNELS], wrt="X l")
    cost = fn.cost()
    n = named("N")
    shapes = {row.symbol: row.shape for row in cost.value.rows}
    assert {shapes[name] for name in ("K1", "K2", "D1", "D2")} == {(n, n)}
    assert {"K1", "K2", "D1", "D2"} <= {row.symbol for row in cost.value.outgrown}
    assert "[N, N] outgrows the inputs and outputs: " in str(cost)
    assert str(cost.forward.passes) == "2*N + 2"
    assert cost.reverse.passes.number == 1
    assert {"K1", "K2"} <= {row.symbol for row in cost.reverse.kept}
    written = ac.compile(KERNELS, shapes=PROGRAMS[KERNELS], without="contract")
    assert str(written.cost().value.operations).startswith("2*N**3 + 11*N**2")  # an inverse
    assert str(cost.value.operations).startswith("2*N**3/3 + 11*N**2")  # a system solved instead
    assert cost.value.operations.number is None
    assert 667_000_000 < fn.cost(N=1000).value.operations.number < 681_000_000
    # by forward mode, the gradient is cubic for each of 2*N + 2 directions
    assert cost.forward.operations.formula.at({"N": 10**6}) > 6 * 10**17


def test_hand_derived_counts():
    """(m, k) @ (k, n) is 2*m*k*n, and its adjoints are two products more."""
    fn = ac.compile("sum(tanh(A @ B))", shapes={"A": ("m", "k"), "B": ("k", "n")})
    assert str(fn.cost().value.operations) == "2*k*m*n + 2*m*n"
    assert str(fn.cost().reverse.operations).startswith("6*k*m*n + ")
    product = ac.compile("sum(A @ B)", shapes={"A": ("m", "k"), "B": ("k", "n")})
    assert fn.cost(k=50, m=60, n=70).value.operations.number > 10**5
    assert product.cost(k=50, m=60, n=70).value.operations.number < 10**4  # sums first
    solve = ac.compile("solve(A, B)", shapes={"A": ("n", "n"), "B": ("n", "k")})
    assert str(solve.cost("value").value.operations) == "2*k*n**2 + 2*n**3/3"
    assert str(solve.cost().reverse.passes) == "k*n"
    rows = {
        "det(A)": "2*n**3/3",
        "inv(A)": "2*n**3",
        "cofactor(A)": "8*n**3/3",
        "cofactor_along(A, A)": "91*n**3/3",
        "pinv(A)": "24*n**3",
    }
    for name, want in rows.items():
        cost = ac.compile(name, shapes={"A": ("n", "n")}).cost("value")
        assert str(cost.value.operations) == want, name
    assert ac.compile("pinv(A)", shapes={"A": (3, 5)}).cost("value").value.operations.number == (
        16 * 5 * 9 + 8 * 27
    )


def test_numbers_cost_numbers():
    cost = ac.compile("log(x1) + x1*x2 - sin(x2)").cost()
    assert [part.operations.number for part in cost.parts] == [5, 13, 9]
    assert cost.forward.passes.number == 2
    assert cost.value.rows[0] == ("v1", "log(x1)", (), (count(1), 1))
    assert not cost.reverse.warnings
    assert ac.compile("3").cost().value.operations.number == 0
    assert ac.compile("[x, x*y]").cost().reverse.kind == "vjp"
    with pytest.raises(KeyError):
        cost["hessian"]
    assert ac.compile("x**2*y").cost("hessian")["hessian"].operations.number == 2


def test_the_cheap_gradient_principle():
    fn = ac.compile(" + ".join(f"sin(x{k})*x{k + 1}" for k in range(50)))
    cost = fn.cost()
    assert cost.reverse.operations.number <= 5 * cost.value.operations.number
    assert cost.forward.passes.number == 51


def test_what_outgrows():
    def outgrown(source, **shapes):
        cost = ac.compile(source, shapes=shapes).cost("value")
        return [row.called for row in cost.value.outgrown]

    assert outgrown("sum(exp(outer(x, y)))", x=("N",), y=("M",)) == ["v1", "v2"]
    assert outgrown("outer(x, y)", x=("N",), y=("M",)) == []  # it is the output
    assert outgrown("sum(exp(A @ B))", A=("N", "M"), B=("M", "N")) == ["v1", "v2"]
    assert outgrown("sum(A*2)", A=("N", "M")) == []
    assert outgrown("max(outer(x, x))", x=(5,)) == ["v1"]
    assert outgrown("sum(broadcast_to(x, (9, N)))", x=("N",)) == []  # a view


def test_extents_are_checked():
    fn = ac.compile("x @ x", shapes={"x": ("count",)})
    with pytest.raises(TypeError, match=r"coumt is not .* did you mean count"):
        fn.cost(coumt=3)
    with pytest.raises(TypeError, match="count: expected a whole number"):
        fn.cost(count=2.5)
    with pytest.raises(ValueError, match="count: expected at least 0"):
        fn.cost(count=-1)
    with pytest.raises(ValueError, match="kind: expected one of"):
        fn.cost("gradiant")


def test_formats():
    fn = ac.compile("sum(outer(x, x)**2)", shapes={"x": ("N",)}, without="contract")
    cost = fn.cost(N=10)
    assert "| `v2` | `v1*v1` | `[N, N]` | `100 = N**2` |" in cost.markdown()
    assert "<td>[N, N]</td>" in cost._repr_html_()
    assert "(880 bytes)" in cost.text()
    data = json.loads(cost.json())
    assert data["extents"] == {"N": 10}
    assert data["parts"][0]["operations"] == {"formula": "3*N**2", "number": 300}
    assert data["parts"][0]["rows"][1]["shape"] == ["N", "N"]
    assert data["parts"][0]["bytes"] == 8 * data["parts"][0]["memory"]["number"]
    assert repr(cost).startswith("<cost in operations: value 300 = 3*N**2;")
    with pytest.raises(ValueError, match="format"):
        cost.render("latex")


def test_every_array_operation_says_what_it_takes():
    assert all(row.work is not None for row in ARRAYS.values())


def test_counts():
    n = named("n")
    assert str(count(Fraction(2, 3), n, n, n)) == "2*n**3/3"
    assert str(total([count(-1, n), count(Fraction(1, 2))])) == "-n + 1/2"
    assert str(ZERO) == "0"
    assert count(1, n) + count(-1, n) == ZERO
    assert count(2, n + 1) == count(2, n) + count(2)
    assert hash(count(2, n)) == hash(count(1, n) + count(1, n))
    assert count(Fraction(1, 3), n, n).at({"n": 4}) == 5
    assert repr(count(1, (n + 1) // 2)) == "((n + 1)//2)"


COVARIANCES = (  # of Gaussian processes, and how often each function of a matrix is called
    (
        "exp(-(x[:, None] - x)**2/(2*l**2)) + 0.1*eye(n)",
        "a = solve(K, y); -0.5*y @ a",
        {"solve": 1},
    ),
    (
        "exp(-(x[:, None] - x)**2/l**2) + 0.1*eye(n)",
        "a = solve(K, y); -0.5*y @ a - 0.5*logdet(K)",
        {"solve": 1, "inv": 1, "slogdet": 1},
    ),
    ("exp(-abs(x[:, None] - x)/l) + 0.1*eye(n)", "y @ inv(K) @ y", {"solve": 1}),
    ("(1 + ((x[:, None] - x)/l)**2)**(-1.5) + 0.1*eye(n)", "y @ inv(K) @ y", {"solve": 1}),
)


@pytest.mark.parametrize(("kernel", "likelihood", "calls"), COVARIANCES)
def test_equations_are_solved_once(kernel, likelihood, calls):
    """Symmetric by how they are made, and solved for multiples of one right side."""
    fn = ac.compile(f"K = {kernel}; {likelihood}", shapes={"x": "n", "y": "n"}, wrt="l")
    source = fn.source("value_and_gradient").partition("def _value_and_gradient_at_poles")[0]
    found = {name: source.count(f"np.linalg.{name}(") for name in ("solve", "inv", "slogdet")}
    assert {name: count for name, count in found.items() if count} == calls
    point = {"x": np.linspace(0.0, 3.0, 5), "y": np.arange(5.0), "l": 0.7}
    step = 1e-6
    ends = [fn(**{**point, "l": 0.7 + way * step}) for way in (1, -1)]
    assert fn.gradient(**point)[0] == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=1e-6)

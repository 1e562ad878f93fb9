"""Other libraries, each asked for value and gradient of the same text.

`scalar(text, names)` gives a function of a point, `vector` one of a point as a vector, `hessian`
one that gives the Hessian alone; `elementwise(text, names, wrt)` gives one of numbers and arrays
for the value and the partials by `wrt` of each element, and `whole(program, names)` one of whole
arrays.  All return sequences of numbers or arrays.  `operations(text, names)` counts those of value
and gradient.  The texts are those of `formulas.py`, which is why they may be evaluated.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

import autodiff_compiler as ac
from benchmarks.formulas import Program

FUNCTIONS = ("exp", "log", "sin", "cos", "sqrt")
SUM = ("sum",)


class Peer(NamedTuple):
    """A library: its module, and what it can be asked for."""

    module: str
    scalar: Callable[..., Callable[..., Any]] | None = None
    hessian: Callable[..., Callable[..., Any]] | None = None
    elementwise: Callable[..., Callable[..., Any]] | None = None
    whole: Callable[..., Callable[..., Any]] | None = None
    operations: Callable[..., int] | None = None
    vector: Callable[..., Callable[..., Any]] | None = None


def evaluated(text: str, library: Any, values: Mapping[str, Any], *more: str) -> Any:
    """A formula, with the functions of a library, and `more` of them."""
    names = {name: getattr(library, name) for name in (*FUNCTIONS, *more)}
    return eval(text, {"__builtins__": {}}, {**names, **values})


def flat(result: Any) -> list[Any]:
    """The numbers or arrays of a result, in order."""
    if isinstance(result, tuple | list):
        return [each for part in result for each in flat(part)]
    return [result]


def _ours(text: str, names: Sequence[str]) -> Callable[..., Any]:
    return ac.compile(text, inputs=names, cache=False).value_and_gradient


def _our_vector(text: str, names: Sequence[str]) -> Callable[..., Any]:
    return ac.compile(text, inputs=names, cache=False).packed().value_and_gradient


def _our_hessian(text: str, names: Sequence[str]) -> Callable[..., Any]:
    return ac.compile(text, inputs=names, cache=False).hessian


def _our_partials(text: str, names: Sequence[str], wrt: Sequence[str]) -> Callable[..., Any]:
    return ac.compile(text, inputs=names, wrt=wrt, cache=False).value_and_gradient


def _our_program(program: Program, names: Sequence[str]) -> Callable[..., Any]:
    found = ac.compile(program.text, inputs=names, wrt=program.wrt, shapes=program.shapes)
    return found.value_and_gradient


def _our_operations(text: str, names: Sequence[str]) -> int:
    number = ac.compile(text, inputs=names).cost("value_and_gradient").parts[0].operations.number
    assert number is not None
    return number


def _by_hand(program: Program, _names: Sequence[str]) -> Callable[..., Any]:
    return program.by_hand


def _sympy(text: str, names: Sequence[str], wrt: Sequence[str] = (), modules: str = "math") -> Any:
    import sympy

    expression, symbols = sympy.sympify(text), sympy.symbols(names)
    outputs = [expression, *(expression.diff(name) for name in wrt or names)]
    return sympy.lambdify(symbols, outputs, modules=modules, cse=True)


def _sympy_vector(text: str, names: Sequence[str]) -> Callable[..., Any]:
    function = _sympy(text, names)
    return lambda x: np.array(function(*x.tolist()))


def _sympy_operations(text: str, names: Sequence[str]) -> int:
    import sympy

    expression = sympy.sympify(text)
    shared, outputs = sympy.cse([expression, *(expression.diff(name) for name in names)])
    return sum(int(sympy.count_ops(e)) for e in (*(e for _, e in shared), *outputs))


def _sympy_hessian(text: str, names: Sequence[str]) -> Callable[..., Any]:
    import sympy

    expression, symbols = sympy.sympify(text), sympy.symbols(names)
    rows = [[expression.diff(a, b) for b in symbols] for a in symbols]
    return sympy.lambdify(symbols, rows, modules="math", cse=True)


def _sympy_partials(text: str, names: Sequence[str], wrt: Sequence[str]) -> Callable[..., Any]:
    return _sympy(text, names, wrt, "numpy")


def _symengine_vector(text: str, names: Sequence[str]) -> Callable[..., Any]:
    import symengine

    expression, symbols = symengine.sympify(text), symengine.symbols(list(names))
    outputs = [expression, *(expression.diff(s) for s in symbols)]
    return symengine.Lambdify(symbols, outputs, cse=True)  # type: ignore[no-any-return]


def _symengine(text: str, names: Sequence[str]) -> Callable[..., Any]:
    function = _symengine_vector(text, names)
    return lambda *point: function(np.array(point))


def _casadi_function(text: str, names: Sequence[str]) -> Any:
    import casadi

    x = casadi.SX.sym("x", len(names))
    value = evaluated(text, casadi, {name: x[k] for k, name in enumerate(names)})
    return casadi.Function("f", [x], [value, casadi.gradient(value, x)])


def _casadi_operations(text: str, names: Sequence[str]) -> int:
    """Its instructions, but for those that take a number in or give one out."""
    instructions = int(_casadi_function(text, names).n_instructions())
    return instructions - 2 * len(names) - 1


def _casadi_vector(text: str, names: Sequence[str]) -> Callable[..., Any]:
    """Through CasADi's buffers, the fastest way to call it."""
    function = _casadi_function(text, names)
    buffer, run = function.buffer()
    point, first, rest = np.zeros(len(names)), np.zeros(1), np.zeros(len(names))
    buffer.set_arg(0, memoryview(point))
    buffer.set_res(0, memoryview(first))
    buffer.set_res(1, memoryview(rest))

    def call(x: Any) -> Any:
        point[:] = x
        run()
        return first, rest

    call.buffer = buffer  # type: ignore[attr-defined]  (which must outlive the function)
    return call


def _casadi(text: str, names: Sequence[str]) -> Callable[..., Any]:
    function = _casadi_vector(text, names)
    return lambda *point: function(point)


def _casadi_hessian(text: str, names: Sequence[str]) -> Callable[..., Any]:
    import casadi

    x = casadi.SX.sym("x", len(names))
    value = evaluated(text, casadi, {name: x[k] for k, name in enumerate(names)})
    function = casadi.Function("f", [x], [casadi.hessian(value, x)[0]])
    return lambda *point: np.array(function(point))


def _jax_function(text: str, names: Sequence[str]) -> Any:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    return jax, lambda *point: evaluated(text, jnp, dict(zip(names, point, strict=True)))


def _jax(text: str, names: Sequence[str]) -> Callable[..., Any]:
    jax, function = _jax_function(text, names)
    run = jax.jit(jax.value_and_grad(function, tuple(range(len(names)))))
    return lambda *point: jax.block_until_ready(run(*point))


def _jax_hessian(text: str, names: Sequence[str]) -> Callable[..., Any]:
    jax, function = _jax_function(text, names)
    run = jax.jit(jax.hessian(function, tuple(range(len(names)))))
    return lambda *point: jax.block_until_ready(run(*point))


def _jax_partials(text: str, names: Sequence[str], wrt: Sequence[str]) -> Callable[..., Any]:
    jax, function = _jax_function(text, names)
    by, axes = tuple(map(names.index, wrt)), tuple(None if n in wrt else 0 for n in names)
    run = jax.jit(jax.vmap(jax.value_and_grad(function, by), axes))
    return lambda *point: jax.block_until_ready(run(*point))


def _jax_program(program: Program, names: Sequence[str]) -> Callable[..., Any]:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def value(*point: Any) -> Any:
        return evaluated(program.text, jnp, dict(zip(names, point, strict=True)), *SUM)

    run = jax.jit(jax.value_and_grad(value, tuple(map(list(names).index, program.wrt))))
    return lambda *point: jax.block_until_ready(run(*point))


def _autograd_vector(text: str, names: Sequence[str]) -> Callable[..., Any]:
    import autograd
    import autograd.numpy as anp

    found: Callable[..., Any] = autograd.value_and_grad(
        lambda point: evaluated(text, anp, dict(zip(names, point, strict=True)))
    )
    return found


def _autograd(text: str, names: Sequence[str]) -> Callable[..., Any]:
    function = _autograd_vector(text, names)
    return lambda *point: function(np.array(point))


def _autograd_program(program: Program, names: Sequence[str]) -> Callable[..., Any]:
    import autograd
    import autograd.numpy as anp

    def value(wanted: Any, given: Mapping[str, Any]) -> Any:
        values = {**given, **dict(zip(program.wrt, wanted, strict=True))}
        return evaluated(program.text, anp, values, *SUM)

    both = autograd.value_and_grad(value)

    def call(*point: Any) -> Any:
        given = dict(zip(names, point, strict=True))
        return both(tuple(given.pop(name) for name in program.wrt), given)

    return call


def _pytensor(text: str, names: Sequence[str]) -> Callable[..., Any]:
    import pytensor
    import pytensor.tensor as pt

    inputs = [pt.dscalar(name) for name in names]
    value = evaluated(text, pt, dict(zip(names, inputs, strict=True)))
    return pytensor.function(inputs, [value, *pytensor.grad(value, inputs)])


def _pytensor_partials(text: str, names: Sequence[str], wrt: Sequence[str]) -> Callable[..., Any]:
    """The partials by numbers that every element of a vector is used with, element by element."""
    import pytensor
    import pytensor.tensor as pt

    inputs = {name: pt.dscalar(name) if name in wrt else pt.dvector(name) for name in names}
    length = inputs[next(name for name in names if name not in wrt)].shape
    repeated = {name: pt.broadcast_to(inputs[name], length) for name in wrt}
    value = evaluated(text, pt, {**inputs, **repeated})
    partials = pytensor.grad(value.sum(), list(repeated.values()))
    return pytensor.function(list(inputs.values()), [value, *partials])


def _pytensor_program(program: Program, names: Sequence[str]) -> Callable[..., Any]:
    import pytensor
    import pytensor.tensor as pt

    rank = {name: len(program.shapes.get(name, ())) for name in names}
    inputs = {name: pt.tensor(name, shape=(None,) * rank[name], dtype="float64") for name in names}
    value = evaluated(program.text, pt, inputs, *SUM)
    partials = pytensor.grad(value, [inputs[name] for name in program.wrt])
    return pytensor.function(list(inputs.values()), [value, *partials])


def _numexpr(text: str, names: Sequence[str], wrt: Sequence[str]) -> Callable[..., Any]:
    import numexpr
    import sympy

    expression = sympy.sympify(text)
    texts = [str(e) for e in (expression, *(expression.diff(name) for name in wrt))]

    def call(*point: Any) -> Any:
        values = dict(zip(names, point, strict=True))
        return [numexpr.evaluate(each, values) for each in texts]

    return call


OURS = "autodiff_compiler"
PEERS: dict[str, Peer] = {
    OURS: Peer(
        "autodiff_compiler",
        _ours,
        _our_hessian,
        _our_partials,
        _our_program,
        _our_operations,
        _our_vector,
    ),
    "NumPy by hand": Peer("numpy", whole=_by_hand),
    "SymPy lambdify, cse": Peer(
        "sympy",
        _sympy,
        _sympy_hessian,
        _sympy_partials,
        operations=_sympy_operations,
        vector=_sympy_vector,
    ),
    "SymEngine": Peer("symengine", _symengine, vector=_symengine_vector),
    "CasADi, SX": Peer(
        "casadi",
        _casadi,
        _casadi_hessian,
        operations=_casadi_operations,
        vector=_casadi_vector,
    ),
    "JAX, jit": Peer("jax", _jax, _jax_hessian, _jax_partials, _jax_program),
    "PyTensor": Peer("pytensor", _pytensor, None, _pytensor_partials, _pytensor_program),
    "autograd": Peer("autograd", _autograd, whole=_autograd_program, vector=_autograd_vector),
    "numexpr": Peer("numexpr", elementwise=_numexpr),
}


def installed() -> dict[str, Peer]:
    """The peers that can be imported here."""
    return {name: peer for name, peer in PEERS.items() if find_spec(peer.module)}


def agree(found: Any, wanted: Any) -> None:
    """Raise `AssertionError` where two results differ by more than rounding."""
    ours, theirs = (
        np.concatenate([np.ravel(np.asarray(v, float)) for v in flat(tree)])
        for tree in (found, wanted)
    )
    scale = float(np.abs(theirs).max())
    np.testing.assert_allclose(ours, theirs, rtol=1e-7, atol=1e-9 * max(scale, math.ulp(1.0)))

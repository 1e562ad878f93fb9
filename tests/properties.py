"""What holds of every program: a table of properties, each comparing independent things."""

from __future__ import annotations

import itertools
import math
import pickle
from typing import NamedTuple

import numpy as np
from cases import NO_VALUE, Method, Quantity, shown
from exact import DIGITS
from reading import NotPythonError, read
from rounding import AGREES

import autodiff_compiler as ac
from autodiff_compiler.backends import numpy as numpy_backend
from autodiff_compiler.backends.evaluate import Evaluation, sympy_algebra
from autodiff_compiler.backends.formula import write
from autodiff_compiler.derivatives import Program
from autodiff_compiler.graph import CONSTANT, DIVIDE, MULTIPLY, NEGATIVE, Graph
from autodiff_compiler.parser import parse
from autodiff_compiler.passes import PASSES

NO_COUNTERPART = "SymPy cannot differentiate or evaluate it"
MAX_SYMPY = 25  # nodes that SymPy is asked to differentiate


def flat(found):
    """Numbers, arrays, tuples and lists of them as one list of floats."""
    if isinstance(found, tuple | list):
        return [x for part in found for x in flat(part)]
    return [found] if isinstance(found, float) else [float(x) for x in np.ravel(found)]


def same(a, b):
    return a == b or (math.isnan(a) and math.isnan(b))


def forward(case):
    """Each column by the tangent pass."""
    count, n = len(case.outputs), len(case.names)
    dots = _seeds(case.fn, "jvp")
    for point in case.points:
        for i in range(n):
            seed = [float(j == i) for j in range(n)]
            tangent = flat(case.fn.jvp(point, seed)[1])
            for k in range(count):
                method = Method("jvp", count + k, dict(zip(dots, seed, strict=True)))
                case.compare("forward", point, tangent[k], Quantity(k, i), method)


def _seeds(fn, kind):
    *_, last = fn._program(kind).parameters
    return [node.data for node in getattr(last, "elements", (last,))]


def reverse(case):
    """Each row by the adjoint pass."""
    count = len(case.outputs)
    bars = _seeds(case.fn, "vjp")
    for point in case.points:
        for k in range(count):
            seed = [float(j == k) for j in range(count)]
            found = flat(case.fn.vjp(point, seed if case.is_list else seed[0])[1])
            for i, got in enumerate(found):
                method = Method("vjp", count + i, dict(zip(bars, seed, strict=True)))
                case.compare("reverse", point, got, Quantity(k, i), method)


def _rows(name, case, point, values, partials, **origin):
    """Values and partials at a point compared with mpmath."""
    for k, got in enumerate(values):
        case.compare(name, point, got, Quantity(k), Method("value", k, **origin))
    for leaf, got in enumerate(partials):
        i, k = divmod(leaf, len(case.outputs))
        case.compare(name, point, got, Quantity(k, i), Method("jacobian", leaf, **origin))


def compiled(case):
    """The value and the Jacobian."""
    for point in case.points:
        values, partials = flat(case.fn.value(*point)), flat(case.fn.jacobian(*point))
        _rows("value and Jacobian", case, point, values, partials)


def without_passes(case):
    """The same program with every pass switched off."""
    fn = ac.compile(case.source, without=PASSES)
    for point in case.points:
        values, partials = flat(fn.value(*point)), flat(fn.jacobian(*point))
        _rows("without passes", case, point, values, partials, options=PASSES)


def arrays(case):
    """A NumPy module on arrays of all points at once."""
    if not case.names:
        return
    names = {}
    exec(case.fn.source("value", "jacobian", target="numpy"), names)
    columns = [np.array(c) for c in zip(*case.points, strict=True)]
    count = len(case.outputs)
    values = np.array(names["value"](*columns)).reshape(count, -1)
    partials = np.array(names["jacobian"](*columns)).reshape(count * len(case.names), -1)
    for at, point in enumerate(case.points):
        found = flat(values[:, at]), flat(partials[:, at])
        _rows("NumPy module on arrays", case, point, *found, supports=numpy_backend.supports)


def generated(case):
    """A module's functions give the very bits of the compiled ones."""
    names = {}
    exec(case.fn.source("value", "jacobian"), names)
    for point in case.points:
        got = [flat(names[kind](*point)) for kind in ("value", "jacobian")]
        want = [flat(getattr(case.fn, kind)(*point)) for kind in ("value", "jacobian")]
        _identical("generated module", case, point, got, want)


def _identical(name, case, point, got, want):
    pairs = zip(itertools.chain(*got), itertools.chain(*want), strict=True)
    if all(same(a, b) for a, b in pairs):
        case.note(name, AGREES)
    else:
        case.fail(name, point, f"{got}, but the compiled function gives {want}")


def pickled(case):
    """A round trip leaves an equal function that gives the same bits."""
    twin = pickle.loads(pickle.dumps(case.fn))
    if twin != case.fn or hash(twin) != hash(case.fn):
        case.fail("pickled", (), "not equal")
    for point in case.points:
        _identical("pickled", case, point, [flat(twin(*point))], [flat(case.fn(*point))])


def derivative(case):
    """The derivative as text, compiled again; its rounding is that of the text."""
    for i, name in enumerate(case.names):
        text = case.fn.derivative(name)
        fn = ac.compile(text, inputs=case.names, wrt=())
        for point in case.points:
            for k, got in enumerate(flat(fn.value(*point))):
                method = Method("value", k, text=text)
                case.compare("derivative compiled again", point, got, Quantity(k, i), method)


def text(case):
    """The graph written as text and parsed is the graph, but for brackets and signs inside products."""
    inputs = tuple(case.graph.inputs.values())
    outputs = list(case.outputs) if case.is_list else case.output
    written = write(Program("value", case.graph, inputs, outputs))
    again, output = parse(written, inputs=case.names)
    shared = Graph()
    if _canonical(shared, case.graph, case.output, WRITTEN) is _canonical(
        shared, again, output, WRITTEN
    ):
        case.note("text of the graph", AGREES)
    else:
        case.fail("text of the graph", (), f"{written!r} is another graph")


def reading(case):
    """The graph that Python's parser gives, where the program is Python but for `^`."""
    try:
        graph, output = read(case.source, case.names)
    except NotPythonError:
        return case.note("as Python reads it", "not Python")
    shared = Graph()
    images = (
        _canonical(shared, *pair, {}) for pair in ((graph, output), (case.graph, case.output))
    )
    if len(set(images)) == 1:
        return case.note("as Python reads it", AGREES)
    return case.fail("as Python reads it", (), "another graph")


def _canonical(shared, graph, output, rewritten):
    """The output rebuilt in a graph where equal operations are one node, and some are rewritten."""
    image = {}
    for node in graph.ancestors([output]):
        args = [image[a] for a in node.args]
        write_out = rewritten.get(node.op)
        image[node] = (
            write_out(shared, *args) if write_out else shared.rebuild(node, args, shared.intern)
        )
    return image[output]


def _product(graph, left, right):
    """Products and quotients bracketed from the left, as they are read."""
    if right.op in (MULTIPLY, DIVIDE):
        first, second = right.args
        return graph.intern(right.op, _product(graph, left, first), second)
    return graph.intern(MULTIPLY, left, right)


def by_sympy(case):
    """SymPy's derivative of the graph, built node by node, at the first point."""
    import sympy

    if len(case.graph.nodes) > MAX_SYMPY:
        return case.note("SymPy", f"more than {MAX_SYMPY} nodes")
    if any(node.op.sympy == "Mod" for node in case.graph.nodes):  # its simplification can be wrong
        return case.note("SymPy", NO_COUNTERPART)  # and take gigabytes; it has no derivative
    point, symbols = (
        case.points[0],
        [sympy.Symbol(f"s{k}", real=True) for k in range(len(case.names))],
    )
    if case.reference(point) is None:
        return case.note("SymPy", NO_VALUE)
    substituted = {s: sympy.Rational(v) for s, v in zip(symbols, point, strict=True)}
    try:
        evaluation = Evaluation(case.graph, case.outputs, sympy_algebra())
        found = evaluation.at(dict(zip(case.names, symbols, strict=True)))
        numbers = [[_number(f.diff(s), substituted) for f in found] for s in symbols]
    except Exception:  # SymPy raises what it likes
        return case.note("SymPy", NO_COUNTERPART)
    for i, row in enumerate(numbers):
        for k, number in enumerate(row):
            _sympy_number(case, point, number, Quantity(k, i))
    return None


def _number(expression, substituted):
    return expression.evalf(DIGITS - 20, subs=substituted)


def _sympy_number(case, point, number, quantity):
    intervals = (quantity.of(case.reference(point, careful)) for careful in (False, True))
    if not (number.is_Float or number.is_Rational):
        return case.note("SymPy", NO_COUNTERPART)
    if any(map(number_in, itertools.repeat(number), intervals)):
        return case.note("SymPy", AGREES)
    if excuse := case.excuse(point):
        return case.note("SymPy", excuse)
    interval = quantity.of(case.reference(point, careful=True))
    return case.fail("SymPy", point, f"{float(number)!r}, but it lies in {shown(interval)}")


def number_in(number, interval):
    """Whether a number of SymPy's is the slope; 1e-25 is what `evalf` leaves of a zero."""
    return interval is None or interval.distance(number) <= 1e-9 * interval.size + 1e-25


def _negative(graph, node):
    """The minus of a product at its first factor."""
    if node.op in (MULTIPLY, DIVIDE):
        return graph.intern(node.op, _negative(graph, node.args[0]), node.args[1])
    if node.op is CONSTANT:
        return graph.constant(-node.data)
    return graph.intern(NEGATIVE, node)


WRITTEN = {MULTIPLY: _product, NEGATIVE: _negative}


class Property(NamedTuple):
    """A check, and of how many programs it looks at one."""

    check: object
    every: int = 1


PROPERTIES = {
    "value and Jacobian": Property(compiled),
    "forward": Property(forward),
    "reverse": Property(reverse),
    "generated module": Property(generated, every=3),
    "NumPy module on arrays": Property(arrays, every=3),
    "derivative compiled again": Property(derivative, every=2),
    "pickled": Property(pickled, every=6),
    "text of the graph": Property(text, every=2),
    "as Python reads it": Property(reading, every=2),
    "without passes": Property(without_passes, every=8),
    "SymPy": Property(by_sympy, every=10),
}

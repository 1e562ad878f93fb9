"""The graph, its passes and their laws."""

from __future__ import annotations

import itertools
import math
import random

import pytest

import autodiff_compiler as ac
from autodiff_compiler.derivatives import KINDS
from autodiff_compiler.graph import CONSTANT, Graph
from autodiff_compiler.parser import parse
from autodiff_compiler.passes import LOCAL, PASSES, optimise, pipeline, verify
from autodiff_compiler.primitives import lookup
from autodiff_compiler.simplify import SIMPLIFY
from autodiff_compiler.singular import differentiate

SPECIAL = (0.0, 1.0, -1.0, 2.0, 0.5, -3.7, 1e300, 1e-300, math.inf, -math.inf, math.nan)
PROGRAMS = [
    "log(x1) + x1*x2 - sin(x2)",
    "h = exp(-x)*y; where(h > 0.2, h**3, max(x, y))/h",
    "[x*y, x**2.5, 3, x]",
    "f(t) = t*sin(t); f(f(f(x)))*f(y)",
]


def evaluate(graph, output, point):
    from autodiff_compiler.derivatives import Program
    from autodiff_compiler.runtime import Callables

    program = Program("value", graph, tuple(graph.inputs.values()), output)
    return Callables(program, ()).general(*point)


def arguments(law):
    """Values for the names of a law: special ones, and constants that it accepts."""
    rng = random.Random(law.name)
    ordinary = [rng.uniform(-4, 4) for _ in range(4)]
    choices = {
        n: (2, 0.5, -2, 3, -0.25) if n in ("m", "n") else (*SPECIAL, *ordinary) for n in law.names
    }
    for values in itertools.product(*choices.values()):
        point = dict(zip(choices, values, strict=True))
        constants = {n: v for n, v in point.items() if n in ("m", "n")}
        if law.when is None or law.when(**constants):
            yield point


def substituted(text, point, names):
    """A law's text with its constants written in; conditions become comparisons."""
    scope = "".join(f"{n} = {point[n]!r}\n" for n in names if n in ("m", "n"))
    return ac.compile(
        scope + text, inputs=[n for n in names if n not in ("m", "n")], without=PASSES
    )


@pytest.mark.parametrize("law", SIMPLIFY, ids=lambda law: law.name)
def test_laws_hold(law):
    names, compiled = law.names, {}
    for point in arguments(law):
        key = tuple(point[n] for n in names if n in ("m", "n"))
        if key not in compiled:
            compiled[key] = [substituted(t, point, names) for t in (law.pattern, law.replacement)]
        before, after = compiled[key]
        free = [point[n] for n in names if n not in ("m", "n")]
        if "c" in names:  # a condition: any number but 0 and nan is one
            free[names.index("c")] = float(point["c"] > 0)
        left, right = before(*free), after(*free)
        if law.exact:
            assert left == right or (math.isnan(left) and math.isnan(right)), (point, left, right)
        elif all(map(math.isfinite, (*free, left, right))) and left:
            assert right == pytest.approx(left, rel=1e-15), point


@pytest.mark.parametrize("law", SIMPLIFY, ids=lambda law: law.name)
def test_laws_fire_and_are_reported(law):
    if " c" in law.pattern or "(c" in law.pattern:
        pytest.skip("a bare name is not a condition in a user's program")
    values = {n: v for n, v in (("m", 2), ("n", 4)) if n in law.names}
    if law.when and not law.when(**values):
        values["n"] = -4
    text = "".join(f"{n} = {v}\n" for n, v in values.items()) + law.pattern
    free = [n for n in law.names if n not in values]
    rules = [
        applied.rule for applied in ac.compile(text, inputs=free, without="fold, powers").rewrites
    ]
    assert law.name in rules


def test_what_is_wrong_for_ieee_is_not_a_law():
    for source, x, want in (("x*0", math.inf, math.nan), ("x - x", math.nan, math.nan)):
        assert math.isnan(ac.compile(source)(x)) == math.isnan(want)
    assert ac.compile("0**x")(-1.0) == math.inf
    assert ac.compile("x/x", stable=False)(0.0) != 1


def test_constants_are_folded_exactly_and_within_bounds():
    folded = {
        "2*3 + x": "6.0", "7/2*x": "3.5", "2**10*x": "1024.0", "(10**20 - 10**20 + 1)*3*x": "3.0",
        "2*pi*x": repr(2 * math.pi), "sqrt(2)*x": repr(math.sqrt(2)), "9**9**9 + x": "inf + x",
        "(2 > 1 and 3 > 2)*5*x": "5.0",
    }  # fmt: skip
    for source, text in folded.items():
        assert text in ac.compile(source).source("value"), source


def test_integers_are_exact_until_they_meet_a_float():
    assert ac.compile("(2**60 + 1 - 2**60)*x")(1.0) == 1.0
    assert math.isnan(ac.compile("2**2000/2**1999 + x")(0.0))  # beyond 1023 bits they are doubles


@pytest.mark.parametrize("exponent", [2, 3, 5, 7, 16, -1, -2, -3])
def test_integer_powers_become_multiplications(exponent):
    fn = ac.compile(f"x**({exponent})")
    assert "pow" not in fn.source("value")
    assert fn(1.7) == pytest.approx(1.7**exponent, rel=4e-16 * abs(exponent))
    assert "pow" in ac.compile(f"x**({exponent})", without=["powers", "simplify"]).source("value")


@pytest.mark.parametrize("without", [(), *((name,) for name in PASSES), PASSES], ids=str)
@pytest.mark.parametrize("source", PROGRAMS)
def test_passes_change_the_code_but_not_the_values(source, without):
    plain, fn = ac.compile(source), ac.compile(source, without=without)
    point = [0.7, 1.3][: len(fn.inputs)]
    assert list(map(float, _flat(fn(*point)))) == pytest.approx(
        list(map(float, _flat(plain(*point))))
    )
    for a, b in zip(_flat(fn.jacobian(*point)), _flat(plain.jacobian(*point)), strict=True):
        assert float(a) == pytest.approx(float(b), rel=1e-13)


def _flat(value):
    import numpy as np

    return [x for part in np.atleast_1d(value) for x in np.ravel(part)] if not isinstance(
        value, tuple
    ) else [x for part in value for x in np.ravel(part)]  # fmt: skip


def test_what_nothing_needs_may_have_no_counterpart():
    plain, whole = (ac.compile("atand(x)", without=w) for w in ((), "prune"))
    assert whole.gradient(0.3) == plain.gradient(0.3)
    assert whole.gradient([0.3])[0].shape == (1,)


@pytest.mark.parametrize("source", PROGRAMS)
@pytest.mark.parametrize("without", [(), *((name,) for name in LOCAL)], ids=str)
def test_the_verifier_accepts_the_graph_with_any_pass_left_out(source, without):
    graph, output = parse(source)
    verify(graph, [output])
    better, target, _ = optimise(graph, output, pipeline(without))
    verify(better, [target])
    for kind in KINDS:
        if not output.shape or kind in ("value", "jacobian", "jvp", "vjp"):
            program = differentiate(better, target, list(graph.inputs), kind)
            verify(program.graph, program.leaves())


def test_the_verifier_finds_what_is_broken():
    graph, output = parse("sin(x)*y")
    graph.nodes.reverse()
    with pytest.raises(AssertionError, match="index"):
        verify(graph, [output])
    graph, output = parse("sin(x)*y")
    object.__setattr__(output, "args", output.args[:1])
    with pytest.raises(AssertionError, match="arity"):
        verify(graph, [output])
    with pytest.raises(AssertionError, match="output"):
        verify(Graph(), [output])


def test_equal_subexpressions_are_one_node():
    graph, _ = parse("sin(x + y)*sin(x + y) + (x + y)")
    assert [n.op.name for n in graph.nodes] == ["input", "input", "add", "sin", "multiply", "add"]


def test_constants_are_kept_apart_by_type_and_bits():
    graph = Graph()
    nodes = [graph.constant(v) for v in (0, 0.0, -0.0, 1, True, 1.0, math.nan, math.nan)]
    assert len({n.index for n in nodes}) == 7
    assert all(n.op is CONSTANT for n in nodes)


def test_rewrites_tell_the_place():
    fn = ac.compile("a = x + 0\na*y**3")
    found = {(r.rule, r.line, r.column) for r in fn.rewrites}
    assert ("x + 0 -> x", 1, 7) in found
    assert ("integer power by multiplication", 2, 4) in found


def test_a_cheap_gradient_whatever_the_number_of_inputs():
    for n in (10, 1_000):
        graph, output = parse("*".join(f"x{k}" for k in range(n)))
        better, target, _ = optimise(graph, output, pipeline(()))
        program = differentiate(better, target, list(graph.inputs), "value_and_gradient")
        operations = sum(bool(node.args) for node in program.graph.ancestors(program.leaves()))
        assert operations <= 4 * n


def test_the_jacobian_takes_the_fewer_passes():
    wide = ac.compile("[" + "+".join(f"x{k}**2" for k in range(50)) + ", x1]").source("jacobian")
    tall = ac.compile("[" + ", ".join(f"sin({k}*x)" for k in range(50)) + "]").source("jacobian")
    assert len(wide) < 6_000
    assert tall.count("cos(") <= 102


def test_evaluating_a_graph_by_hand():
    graph = Graph()
    x = graph.input("x")
    assert evaluate(graph, graph.apply(lookup("sin"), x), [0.5]) == math.sin(0.5)


POWERS = {  # a program, and how many operations value and gradient take at most
    "x*x*x": 3,
    "x**5": 4,
    "1/x**3": 6,
    "y/x**2": 6,
    "w = x*x; w/w": 7,
    "w = x*x; y*w/(w*w)": 11,
    "w = x*x; (w + x)/w - x/w": 12,
    "w = sin(x)*sin(x); w*sin(x)*y": 8,
    "w = x*x; w*w*exp(w)": 10,
    "where(x > 1, x**3, y/x**4)": 20,
    "100*(y - x**2)**2 + (1 - x)**2": 12,
}


@pytest.mark.parametrize(("source", "most"), POWERS.items())
def test_the_chain_rule_goes_past_squares(source, most):
    fn = ac.compile(source, inputs="x y")
    assert fn.cost("value_and_gradient").parts[0].operations.number <= most
    assert fn.check([(1.75, -0.5), (0.5, 3.0), (-2.5, 0.25)])


def test_common_factors_divide_what_they_are_taken_out_of():
    x, y = 1.5, -0.75
    for a, b, n in itertools.product((2, 4, 3, 0.5), (2, 5, -6, 10), (2, 3, 5)):
        fn = ac.compile(f"w = sin(x)*y; {a}*y*w + {b}*w**2*y + w**{n} - {b}*x*w")
        w, slopes = math.sin(x) * y, (math.cos(x) * y, math.sin(x))
        by_w = a * y + 2 * b * w * y + n * w ** (n - 1) - b * x
        want = by_w * slopes[0] - b * w, by_w * slopes[1] + a * w + b * w * w
        assert fn.gradient(x=x, y=y) == pytest.approx(want, rel=1e-12)


@pytest.mark.parametrize("x", [-1e-200, 1e-5, 0.3, -1e100, -1e160, -4e187])
def test_a_sum_over_a_line_and_above_it_has_no_common_factor(x):
    """As `(3 - x*x)/x` overflows where `3/x - x` does not, and nobody is told."""
    fn = ac.compile("(3/x - (x - 1)) - 1")
    assert fn(x) == pytest.approx(3 / x - x)
    assert fn.gradient(x)[0] == pytest.approx(-3 / x / x - 1)


def test_slopes_of_inverse_powers_at_their_poles():
    for n in (2, 3, 4):
        fn = ac.compile(f"1/x**{n}")
        assert fn.gradient(0.0) == (-math.inf,)
        assert fn.gradient(1e200) == (0.0,)
        assert fn.gradient(1e-50) == pytest.approx((-n * 1e50 ** (n + 1),))


def test_powers_that_overflow_where_the_quotient_does_not():
    for source, x in (("1/exp(x)**2", 800.0), ("x**2/exp(x)**2", 800.0)):
        assert ac.compile(source).gradient(x) == (0.0,)
    assert ac.compile("1/exp(x)**2").gradient(-800.0) == (-math.inf,)


def test_powers_by_repeated_squaring_of_any_size():
    for count, slope in ((52, -(2.0**53)), (1023, -math.inf)):
        fn = ac.compile("y = x*x\n" + "y = y*y\n" * count + "y")
        assert fn.gradient(-1.0) == (slope,)


def test_sums_of_powers_share_their_slopes():
    terms = "".join(f"s = s + p/{k + 1}; p = p*x;" for k in range(40))
    fn = ac.compile(f"s = 1; p = x; {terms} s")
    value, both = (
        fn.cost(kind).parts[0].operations.number for kind in ("value", "value_and_gradient")
    )
    assert both < 3 * value
    assert "**" not in fn.source("gradient", target="numpy")


@pytest.mark.parametrize(
    ("source", "quotients"),
    [
        ("sqrt((x - a)**2 + (y - b)**2 + (z - c)**2)", 3),
        ("hypot(x, y, z, x)", 3),
        ("hypot(hypot(x, y), hypot(z, w))", 4),
        ("r = hypot(x, y); r*hypot(r, z)", 4),
    ],
)
def test_the_chain_rule_goes_past_norms_that_nothing_else_needs(source, quotients):
    fn = ac.compile(source.replace("; ", "\n"))
    assert fn.source("gradient").split("except")[0].count("/") == quotients
    assert fn.check().passed


@pytest.mark.parametrize("count", [50, 400])
def test_slopes_of_norms_are_linear_in_their_number(count):
    names = [f"x{k}" for k in range(count)]
    running = [f"h{k} = hypot(h{k - 1}, x{k})" for k in range(1, count)]
    total = " + ".join(f"h{k}" for k in range(count))
    for source in (f"hypot({', '.join(names)})", "\n".join(["h0 = abs(x0)", *running, total])):
        (part,) = ac.compile(source).cost("gradient").parts
        assert part.operations.number <= 18 * count


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("sqrt(sqrt(x*x + y*y) + z*z)", 3.0),
        ("sqrt(sqrt(x*x + y*y)**2 + z*z)", math.sqrt(29)),
        ("h = sqrt(x*x + y*y); sqrt(h + z*z) + h**2 + sqrt(h**2 + z*z)", 28 + math.sqrt(29)),
        ("sqrt(z*z + (hypot(x, y) + x*x))", math.sqrt(18)),
        ("s = x*x + y*y; sqrt(s) + sqrt(s + z*z) + sqrt(sqrt(s) + s)", 5 + math.sqrt(29) + math.sqrt(30)),
    ],
)  # fmt: skip
def test_norms_of_norms(source, value):
    assert ac.compile(source)(x=3, y=4, z=2) == pytest.approx(value, rel=1e-15)

"""Generated programs: everything that can be compared agrees, and only `ExpressionError` ever leaves.

`fuzz.py` does the same for as many programs as are asked for.
"""

from __future__ import annotations

from types import SimpleNamespace

import properties
import pytest
from cases import Case
from disturbances import disturbed, survives
from exact import Interval
from fuzz import examine
from hypothesis import given, settings
from hypothesis import strategies as st
from properties import PROPERTIES
from reduction import reduced
from rounding import ROUNDED, UNEXPLAINED, WRONG, Suspect
from strategies import FUNCTIONS, OPERATORS, numbered, program, programs

import autodiff_compiler as ac
from autodiff_compiler.backends.evaluate import Evaluation
from autodiff_compiler.backends.python import supports
from autodiff_compiler.parser import parse

CHECKS = [(name, row.check) for name, row in PROPERTIES.items() if name != "SymPy"]


@settings(max_examples=200)
@given(programs)
def test_what_holds_of_every_program(case):
    _, findings = examine(case, CHECKS)
    assert not findings, findings[0]


@settings(max_examples=25)
@given(programs)
def test_sympy_agrees(case):
    _, findings = examine(case, [("SymPy", PROPERTIES["SymPy"].check)])
    assert not findings, findings[0]


@settings(max_examples=400)
@given(st.randoms(use_true_random=False))
def test_disturbed_programs(rng):
    text = disturbed(rng, program(rng).source)
    assert survives(text) is None


@settings(max_examples=300)
@given(
    st.text()
    | st.text("x1+-*/^()[],;=<> .e\n")
    | st.binary().map(lambda data: data.decode("latin-1"))
)
def test_random_texts(text):
    assert survives(text) is None


@settings(max_examples=200)
@given(st.binary())
def test_random_bytes(data):
    assert survives(data.decode("utf-8", "surrogateescape")) is None


def test_every_row_of_the_table_is_written():
    wanted, seen = {*FUNCTIONS, *OPERATORS}, set()
    for number in range(6_000):
        graph, _ = parse(numbered(number).source)
        seen.update(node.op for node in graph.nodes)
        if wanted <= seen:
            break
    assert wanted <= seen, wanted - seen


# The checks can fail

ALMOST = "x*sin(1.0000001*y)"


class Forgetful:
    """A function that unpickles as another."""

    def __reduce__(self):
        return ac.compile, (ALMOST,)

    def __call__(self, x, y):
        return ac.compile("x*sin(y)")(x, y)


def _another_function(case, _patch):
    case.fn = ac.compile(ALMOST)


def _another_module(case, _patch):
    fn = case.fn
    case.fn = SimpleNamespace(
        value=fn.value, jacobian=fn.jacobian, source=ac.compile(ALMOST).source
    )


def _another_source(case, _patch):
    case.source = ALMOST


def _another_text(_case, patch):
    patch.setattr(properties, "write", lambda program: ALMOST)


def _another_graph(case, _patch):
    case.graph, output = parse(ALMOST)
    case.output, case.outputs = output, (output,)


def _another_pickle(case, _patch):
    case.fn = Forgetful()


def _another_expression(case, patch):
    graph, output = parse(ALMOST)
    patch.setattr(
        properties, "Evaluation", lambda _g, _o, algebra: Evaluation(graph, [output], algebra)
    )


BREAKAGES = dict.fromkeys(PROPERTIES, _another_function) | {
    "generated module": _another_module,
    "pickled": _another_pickle,
    "text of the graph": _another_text,
    "as Python reads it": _another_graph,
    "without passes": _another_source,
    "SymPy": _another_expression,
}


@pytest.mark.parametrize("name", PROPERTIES)
def test_another_function_is_found(name, monkeypatch):
    case = Case("x*sin(y)", ((0.7, 1.3), (2.0, -1.5)))
    BREAKAGES[name](case, monkeypatch)
    PROPERTIES[name].check(case)
    assert case.findings


def test_rounding_explains_what_it_can_and_no_more():
    program = ac.compile("(1 + x) - 1")._program("value")
    suspect = Suspect(program, supports)
    mpf = suspect.evaluation(50).mp.mpf
    want = Interval(mpf("1e-9"), mpf("1e-9"))
    words = [suspect.explain(0, {"x": 1e-9}, got, want, 50)[0] for got in (1e-9 + 2e-17, 1.01e-9)]
    assert words == [ROUNDED, UNEXPLAINED]
    other = Interval(mpf("1.1e-9"), mpf("1.1e-9"))
    assert suspect.explain(0, {"x": 1e-9}, 1e-9, other, 50)[0] == WRONG


def test_a_failing_source_is_reduced():
    source = "h = x*y + 3 # a comment\ncos(h)*(sin(x + exp(y)) - where(x > 1, h, 2))/7"
    assert reduced(source, lambda text: "exp(" in text and text.count("(") == text.count(")")) in (
        "exp(y)",
        "exp(x)",
        "exp(1)",
    )


def test_disturbances_that_break_the_promise_are_told(monkeypatch):
    def broken(text):
        raise RecursionError("too deep")

    monkeypatch.setattr(ac, "compile", broken)
    assert survives("x") == "RecursionError: too deep"

"""Limits: each is named by its error, can be changed, and holds for derivatives too."""

from __future__ import annotations

import json
import math
import pickle

import pytest

import autodiff_compiler as ac
from autodiff_compiler.cli import main

# limit: (what it allows, a source at it, one beyond it, the place of the excess)
CASES = {
    "length": (9, "x + y + z", "x + y + zz", (1, 1)),
    "nodes": (4, "sin(x*y)", "(sin(x*y)\n  + 1)", (1, 2)),
    "depth": (4, "((x))", "((((x))))", (1, 6)),
    "digits": (5, "x + 12345", "x + 123456", (1, 5)),
    "name": (3, "abc + x", "x + abcd", (1, 5)),
    "elements": (6, "x*sum(ones(6))", "x + sum(ones((2, 4)))", (1, 9)),
}


@pytest.mark.parametrize("name", CASES)
def test_each_limit_is_named_and_can_be_changed(name):
    value, fits, excess, place = CASES[name]
    limits = ac.Limits(**{name: value})
    assert ac.compile(fits, limits=limits).limits == limits
    with pytest.raises(ac.ExpressionError) as caught:
        ac.compile(excess, limits=limits)
    error = caught.value
    assert f"the limit {name} is {value}" in error.problem
    assert f"Limits({name}=...)" in (error.hint or "")
    assert f"--limit {name}=..." in (error.hint or "")
    assert (error.line, error.column) == place
    assert ac.compile(excess).inputs


@pytest.mark.parametrize("kind", ["gradient", "hessian", "jacobian"])
def test_derivatives_have_the_limits_of_the_program(kind):
    source = "*".join(f"sin(x{k})" for k in range(30))
    limits = ac.Limits(nodes=100)
    fn = ac.compile(source, limits=limits, cache=False)
    assert fn(*[1.0] * 30) > 0
    for twin in (fn, pickle.loads(pickle.dumps(fn))):
        with pytest.raises(ac.ExpressionError, match="the limit nodes is 100"):
            getattr(twin, kind)
    with pytest.raises(ac.ExpressionError, match="the limit nodes is 100"):
        fn.derivative("x3")
    with pytest.raises(ac.ExpressionError, match="the limit nodes is 100"):
        fn.trace("reverse")


def test_what_lies_within_the_default_limits():
    assert ac.compile("(" * 100_000 + "x" + ")" * 100_000).gradient(2.0) == (1.0,)
    assert ac.compile("-" * 100_000 + "x").gradient(2.0) == (1.0,)
    assert ac.compile("x + 1." + "0" * 5_000)(1.0) == 2.0
    assert ac.compile("x" * 1_000)(3.0) == 3.0


@pytest.mark.parametrize(
    "source",
    [
        "f0(x) = x*x + 1\n" + "\n".join(f"f{k + 1}(x) = f{k}(f{k}(x))" for k in range(60)) + "\nf60(y)",
        "f(x) = " + "+".join(f"sin(x*{k})" for k in range(2_000)) + "\n" + "+".join(["f(a)"] * 2_000),
        "f(z) = z + " + "+".join(f"b*{k}" for k in range(999)) + "\n" + "+".join(f"f(f({k}))" for k in range(999)),
        "v = [" + ",".join(f"x{k}" for k in range(2_000)) + "]\n" + "\n".join(["a = v*2"] * 2_000) + "\na",
    ],
    ids=["doubling", "repeated", "distinct", "lists"],
)  # fmt: skip
def test_little_text_that_comes_to_many_operations_is_refused(source):
    with pytest.raises(ac.ExpressionError, match="the limit nodes is 500,000"):
        ac.compile(source, limits=ac.Limits(nodes=500_000))


@pytest.mark.parametrize(
    ("source", "value"),
    [("9**9**9", float("inf")), ("2**10**2", 2.0**100), ("x*0 + 9**9**9**9", float("inf")), ("1/9**9**9", 0.0)],
)  # fmt: skip
def test_powers_of_powers_answer_at_once(source, value):
    fn = ac.compile(source, inputs=["x"])
    assert fn(1.0) == value


STEPS = (
    *("P*Q", "P/Q", "P**2/Q**2", "P**3*Q", "P*Q/(P + Q)", "P*Q*(1 - P)", "P - Q*P", "sin(P)*Q"),
    *("sqrt(P**2 + Q**2)", "hypot(P, Q)**2", "log(exp(P) + exp(Q))", "exp(P)/(exp(P) + exp(Q))"),
    *("P**Q", "(P + Q)*(P - Q)", "sin(P)/Q", "1/P - 1/Q", "sqrt(P + 1) - sqrt(P)"),
)


@pytest.mark.parametrize("step", STEPS)
def test_ladders_take_code_in_proportion(step):
    """Of each value computed from the two before, written out, there are very many."""

    def ladder(count):
        lines = [
            f"a{k + 2} = {step.replace('P', f'a{k + 1}').replace('Q', f'a{k}')}"
            for k in range(count)
        ]
        fn = ac.compile("; ".join([*lines, f"a{count + 1}"]), inputs="a0 a1")
        return len(fn.source("gradient")) + len(fn.source("hessian"))

    assert ladder(40) < 2.6 * ladder(20)


def test_a_norm_of_norms_may_be_deep():
    nested = "x"
    for _ in range(400):
        nested = f"sqrt({nested}**2 + 1)"
    assert ac.compile(nested).gradient(3.0) == pytest.approx([3 / math.sqrt(409)])


def test_a_source_may_have_many_names_and_special_names():
    fn = ac.compile("+".join(f"x{k}" for k in range(3_000)) + "+ beta + gamma*zeta")
    assert len(fn.inputs) == 3_003


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"nodes": 0}, ValueError), ({"depth": -1}, ValueError), ({"digits": 1.5}, TypeError),
        ({"length": "9"}, TypeError), ({"name": True}, TypeError),
    ],
)  # fmt: skip
def test_limits_are_checked(options, error):
    with pytest.raises(error, match=f"limits: {next(iter(options))}"):
        ac.Limits(**options)


def test_limits_of_another_type_are_refused():
    with pytest.raises(TypeError, match="limits: expected Limits, got dict"):
        ac.compile("x", limits={"nodes": 3})


def test_limits_in_the_shell(capsys):
    source = "sin(x)*cos(x)*y"
    assert main(["derivative", source, "--limit", "nodes=1_000", "--limit", "depth=90"]) == 0
    capsys.readouterr()
    assert main(["derivative", source, "--limit", "nodes=4", "--json"]) == 2
    assert "the limit nodes is 4" in json.loads(capsys.readouterr().err)["error"]
    for text in ("nodes", "nodez=3", "nodes=", "nodes=-1", "nodes=1e3", "=3"):
        assert main(["eval", "3", "--limit", text]) == 2
        assert f"--limit {text}: expected" in capsys.readouterr().err
    assert main(["eval", "3", "--limit", "nodes=0"]) == 2
    assert "nodes: expected 1 or more" in capsys.readouterr().err

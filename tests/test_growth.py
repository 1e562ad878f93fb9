"""Compiling takes work in proportion to the source, however deep it is nested or chained.

Work is counted in calls, of Python and of C, which are the same in every run.
"""

from __future__ import annotations

import sys

import pytest

import autodiff_compiler as ac

NESTED = [
    "1/(x + @)",
    "x/(1 + x/(@ + 1))",
    "sqrt(x*x + @)",
    "sqrt(x*x + (@)**2)",
    "sqrt(x + @)",
    "(@)**x",
    "(@ + x)**2",
    "1 - x*(@)",
    "exp(@)*exp(x)",
    "log(1 + exp(@))",
    "hypot(1, @)",
    "(@)**1.5/(1 + x)",
]
CHAINED = [
    "{0}*{1}",
    "{0}**x",
    "({0} + x)/({0} - x + 3)",
    "sqrt({0}*{0} + {1}*{1})",
    "1/{0} + 1/{1}",
    "{0}*{1}/({0} + {1})",
    "sin({0})/{0}",
    "log(exp({0}) + exp({1}))",
    "where({0} > {1}, {0} - {1}, {1} - {0})",
    "{0}*cos(x) - {1}*sin(x)",
    "({0} - {1})*({0} + {1})",
    "{0} + x*x*3 + sqrt({0}*2 + {1}*x*x)",
    "x*x*{0} + {1}*{1}",
    "abs({0} + {1}*sign({0}))",
]
ARRAYS = [
    "tanh(A @ {0}) + {1}",
    "A' @ (A @ {0})",
    "outer({0}, {1}) @ {0}",
    "inv(diag(1 + {0}**2)) @ {1}",
    "det(outer({0}, {0}) + eye(n))*{1}",
    "solve(A + 9*eye(n), {0})",
    "{0}/norm({0}) + softmax({1})",
    "concatenate([{0}[1:], {1}[:1]])",
    "where({0} > 0, {0} - mean({0}), {1})",
    "{0}[[1, 0]]*{1}[:1] + {0}[0]",
]


def nested(text, depth):
    before, after = text.split("@")
    return before * depth + "x" + after * depth


def chained(text, length):
    texts = [text.format(f"y{k}", f"y{k - 1}") for k in range(1, length)]
    lines = [f"y{k} = {line}" for k, line in enumerate(["x", "x + 1", *texts])]
    return "\n".join([*lines, f"y{length}"])


def of_arrays(text, length):
    return f"A: [n, n]; x: [n]; {chained(text, length)}[0]"


def calls(source):
    """How many calls it takes to compile a source and its gradient."""
    count = 0

    def see(_frame, event, _argument):
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(see)
    try:
        ac.compile(source, cache=False).source("value_and_gradient")
    finally:
        sys.setprofile(None)
    return count


SHAPES = [
    *((nested, t) for t in NESTED),
    *((chained, t) for t in CHAINED),
    *((of_arrays, t) for t in ARRAYS),
]


@pytest.mark.parametrize(("made", "text"), SHAPES, ids=[f"{m.__name__} {t}" for m, t in SHAPES])
def test_work_grows_with_the_length(made, text):
    calls(made(text, 2))  # what is made once
    few, many = calls(made(text, 100)), calls(made(text, 300))
    assert many < 3.6 * few

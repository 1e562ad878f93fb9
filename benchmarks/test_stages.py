"""Each stage of compiling by itself, and the whole way: `python -m pytest benchmarks`."""

from __future__ import annotations

import pytest
from formulas import FORMULAS, GROWTH

import autodiff_compiler as ac
from autodiff_compiler.backends import python
from autodiff_compiler.backends.module import python_schedule
from autodiff_compiler.derivatives import differentiate
from autodiff_compiler.parser import parse
from autodiff_compiler.passes import optimise, pipeline
from autodiff_compiler.runtime import load


@pytest.fixture(params=FORMULAS)
def source(request):
    return FORMULAS[request.param][0]


@pytest.fixture
def optimised(source):
    graph, output = parse(source)
    return optimise(graph, output, pipeline())[:2]


@pytest.fixture
def program(optimised):
    graph, output = optimised
    return differentiate(graph, output, list(graph.inputs), "value_and_gradient")


@pytest.mark.benchmark(group="parse")
def test_parse(benchmark, source):
    benchmark(parse, source)


@pytest.mark.benchmark(group="optimise")
def test_optimise(benchmark, source):
    graph, output = parse(source)
    benchmark(optimise, graph, output, pipeline())


@pytest.mark.benchmark(group="differentiate")
def test_differentiate(benchmark, optimised):
    graph, output = optimised
    benchmark(differentiate, graph, output, list(graph.inputs), "value_and_gradient")


@pytest.mark.benchmark(group="schedule")
def test_schedule(benchmark, program):
    benchmark(python_schedule, program)


@pytest.mark.benchmark(group="load")
def test_load(benchmark, program):
    text = "\n".join(python.define("f", python_schedule(program), (), "general", floats_only=True))
    benchmark(load, text, "f", {})


@pytest.mark.parametrize("size", [50, 200, 800])
@pytest.mark.parametrize("kind", GROWTH)
def test_growth(benchmark, kind, size):
    """From text to a first value and gradient; the time should grow like the size."""
    benchmark.group = f"growth of {kind}"
    text = GROWTH[kind](size)

    def whole():
        fn = ac.compile(text, cache=False)
        return fn.value_and_gradient(*[1.01] * len(fn.inputs))

    benchmark.pedantic(whole, rounds=3)

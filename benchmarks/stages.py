"""What a first gradient takes: the whole way from the text, and each stage of it by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import autodiff_compiler as ac
from autodiff_compiler.backends import python
from autodiff_compiler.backends.module import python_schedule
from autodiff_compiler.parser import parse
from autodiff_compiler.passes import optimise, pipeline
from autodiff_compiler.runtime import load, resolve
from autodiff_compiler.singular import differentiate

KIND, OTHERWISE = "value_and_gradient", "general"


def stages(text: str, point: tuple[float, ...]) -> Iterator[tuple[str, Callable[[], object]]]:
    """The whole way, then its stages: what each is called, and what runs it."""
    yield "whole", lambda: ac.compile(text, cache=False).value_and_gradient(*point)
    yield "parse", lambda: parse(text)
    written, passes = parse(text), pipeline(())
    yield "rewrite", lambda: optimise(*written, passes)
    graph, output = optimise(*written, passes)[:2]
    wrt = list(graph.inputs)
    yield "differentiate", lambda: differentiate(graph, output, wrt, KIND)
    program = differentiate(graph, output, wrt, KIND)
    yield "schedule", lambda: python_schedule(program)
    schedule = python_schedule(program)
    yield "write", lambda: list(python.define(KIND, schedule, (), OTHERWISE, floats_only=True))
    lines = "\n".join(python.define(KIND, schedule, (), OTHERWISE, floats_only=True))
    known = {**resolve(schedule.imports), OTHERWISE: None}
    yield "check and load", lambda: load(lines, KIND, known)

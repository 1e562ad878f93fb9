"""Whole arrays, and NumPy written by hand; `python -m benchmarks.arrays` prints a table."""

from __future__ import annotations

import pytest

from benchmarks.arrays import PROBLEMS, agree


@pytest.mark.parametrize("who", ["ours", "by_hand"])
@pytest.mark.parametrize("name", PROBLEMS)
def test_beside_numpy_by_hand(benchmark, name, who):
    benchmark.group = name
    problem = PROBLEMS[name]()
    agree(problem)
    benchmark(getattr(problem, who), *problem.arguments)

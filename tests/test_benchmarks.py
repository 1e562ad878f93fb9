"""The benchmarks run, and refuse what does not agree; what they measure is not looked at."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from benchmarks import __main__ as benchmarks
from benchmarks import formulas, peers

FEW = {name: peers.PEERS[name] for name in (peers.OURS, "NumPy by hand", "SymPy lambdify, cse")}


@pytest.fixture(autouse=True)
def brief(monkeypatch):
    """A few small cases, each called as often as it must be, beside what the tests need anyway."""
    monkeypatch.setattr(benchmarks, "ENOUGH", 0.0)
    monkeypatch.setattr(benchmarks, "SIZES", ((100, float), (100, np.float32)))
    monkeypatch.setattr(benchmarks, "GROWING", (3, 5))
    monkeypatch.setattr(benchmarks, "installed", lambda: FEW)
    monkeypatch.setattr(formulas, "COUNT", 100)


@pytest.mark.parametrize("section", benchmarks.SECTIONS)
def test_a_section(section, monkeypatch, capsys, tmp_path):
    found = tmp_path / "found.json"
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--only", section, "--json", str(found)])
    benchmarks.main()
    rows = json.loads(found.read_text())["rows"]
    cases = {row["case"] for row in rows if row["library"] == rows[0]["library"]}
    assert cases == {row["case"] for row in rows}
    assert all(row["amount"] > 0 for row in rows)
    table = capsys.readouterr().out
    assert all(f"| {case} | " in table for case in cases)
    assert len({row["library"] for row in rows}) == table.splitlines()[2].count(" | ")


def test_the_chart(monkeypatch, tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / "chart.svg"
    rows = [benchmarks.Row("call", "x", name, 1e-6 * k) for k, name in enumerate(FEW, 1)]
    grown = [benchmarks.Row("growth", f"chain {n}", peers.OURS, 1e-3 * n) for n in (1, 2)]
    benchmarks.chart([*rows, *grown], path)
    assert path.read_text().count("<!-- times ours -->") == 1


def test_what_differs_is_refused():
    with pytest.raises(AssertionError):
        peers.agree((1.0, [2.0]), (1.0, [2.001]))


def test_no_operations_are_lost():
    """The count of ours is that of the code: a number for each of a few texts."""
    counts = {"x*y": 1, "x*y + sin(x)": 5, "x**3": 3}
    assert {text: peers._our_operations(text, ["x", "y"]) for text in counts} == counts

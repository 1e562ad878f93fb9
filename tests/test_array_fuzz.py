"""Generated programs of arrays: values and derivatives of every kind agree with NumPy's.

`fuzz.py --arrays` does the same for as many programs as are asked for.
"""

from __future__ import annotations

from types import SimpleNamespace

import array_properties
import numpy as np
import pytest
from array_properties import PROPERTIES, Case
from array_strategies import PATTERNS, REDUCTIONS, SCANS, Program, numbered, programs
from fuzz import ARRAYS, examine
from hypothesis import given, settings

import autodiff_compiler as ac

CHECKS = [(name, row.check) for name, row in PROPERTIES.items()]
PROGRAM = Program("sum(tanh(A) @ x)", {"A": ("m", "n"), "x": ("n",)}, {"m": 2, "n": 3})


@settings(max_examples=120)
@given(programs)
def test_what_holds_of_every_program_of_arrays(program):
    with np.errstate(all="ignore"):
        _, findings = examine(program, CHECKS, ARRAYS.case)
    assert not findings, findings[0]


def test_every_construct_is_written():
    texts = [text.split("{")[0] for _, text, _ in PATTERNS] + [f"{n}(" for n in REDUCTIONS + SCANS]
    sources = " ".join(numbered(k).source for k in range(1500))
    assert not [text for text in texts if text not in sources]


def _another_function(case, _patch):
    case.fn = ac.compile("sum(tanh(1.0001*A) @ x)", shapes=PROGRAM.shapes, inputs=["A", "x"])


def _another_module(case, _patch):
    other = case.compiled("sum(tanh(1.0001*A) @ x)")
    case.fn = SimpleNamespace(source=other.source, value=case.fn.value, jacobian=case.fn.jacobian)


def _another_source(case, _patch):
    case.source = "sum(tanh(1.0001*A) @ x)"


def _another_text(case, patch):
    patch.setattr(type(case.fn), "derivative", lambda fn, name: f"0*{name}")


def _another_type(case, _patch):
    case.value, case.fn = np.zeros(1), lambda *_: np.zeros(1)


def _another_size(case, patch):
    patch.setattr(array_properties, "LARGE", {"m": 3, "n": 2})
    case.compiled = lambda *_, **__: ac.compile("sum(A) + sum(x)", shapes=PROGRAM.shapes)


BREAKAGES = dict.fromkeys(PROPERTIES, _another_function) | {
    "without passes": _another_source,
    "derivative": _another_text,
    "generated": _another_module,
    "single": _another_type,
    "blocks": _another_size,
}


@pytest.mark.parametrize("name", PROPERTIES)
def test_another_function_is_found(name, monkeypatch):
    case = Case(*PROGRAM)
    BREAKAGES[name](case, monkeypatch)
    PROPERTIES[name].check(case)
    assert case.findings

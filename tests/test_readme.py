"""What the README shows is what happens."""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import documents
import pytest

import autodiff_compiler as ac
from autodiff_compiler.cli import main

README = Path(__file__).resolve().parent.parent / "README.md"
TEXT = README.read_text(encoding="utf-8")


def test_the_python_examples():
    failed, tried = doctest.testfile(str(README), module_relative=False, encoding="utf-8")
    assert tried > 8
    assert failed == 0


def test_the_shell_examples(capsys):
    (block,) = re.findall(r"```console\n(.*?)```", TEXT, re.DOTALL)
    examples = re.findall(r"\$ autodiff-compiler (.*)\n((?:(?!\$ ).*\n)*)", block)
    assert len(examples) == block.count("$ ") > 0
    for command, output in examples:
        assert main(shlex.split(command)) == 0
        assert capsys.readouterr().out == output


def test_the_drawing():
    (drawing,) = re.findall(r"```mermaid\n(.*?)\n```", TEXT, re.DOTALL)
    assert drawing == ac.compile("log(x1) + x1*x2 - sin(x2)").graph().mermaid()


def test_the_program_of_the_language_section():
    (program,) = re.findall(r"```\n(sigma.*?)```", TEXT, re.DOTALL)
    assert ac.compile(program, wrt="w0 w1").gradient(0.5, 1.0, 2.0, 0.3)


def test_the_number_of_functions():
    numbers, arrays = (part.count("\n| ") - 1 for part in documents.functions().split("\n## "))
    assert f"{numbers} functions of numbers and {arrays} of arrays" in TEXT


@pytest.mark.parametrize("name", documents.DOCUMENTS)
def test_a_generated_document_is_up_to_date(name):
    text = (README.parent / name).read_text(encoding="utf-8")
    assert text == documents.DOCUMENTS[name](), "run python tests/documents.py"

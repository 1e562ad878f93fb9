"""The command line, in process and as a process."""

from __future__ import annotations

import errno
import io
import json
import math
import os
import subprocess
import sys

import pytest

import autodiff_compiler as ac
from autodiff_compiler.cli import COMMANDS, main

TEXTBOOK = "log(x1) + x1*x2 - sin(x2)"
AT = ("--at", "x1=2", "--at", "x2=5")


def test_compile_prints_the_module(run):
    code, out, err = run("compile", TEXTBOOK)
    assert (code, out, err) == (0, ac.compile(TEXTBOOK).source(), "")


def test_compile_options(run, tmp_path):
    path = tmp_path / "h.py"
    arguments = ("--emit", "value,hessian", "--target", "numpy", "--wrt", "x2", "-o", str(path))
    assert run("compile", TEXTBOOK, *arguments) == (0, "", "")
    want = ac.compile(TEXTBOOK, wrt="x2").source("value", "hessian", target="numpy")
    assert path.read_text() == want


def test_an_option_of_names_may_be_given_twice(run):
    want = run(
        "eval", "x**2*y*z", "--wrt", "x,y", "--emit", "value,gradient", "--at", "x=3,y=2,z=1"
    )
    twice = ("--wrt", "x", "--wrt", "y", "--emit", "value", "--emit", "gradient")
    assert run("eval", "x**2*y*z", *twice, "--at", "x=3", "--at", "y=2,z=1") == want


def test_a_dash_is_the_terminal(run):
    assert run("derivative", "x**2", "-o", "-") == (0, "2*x\n", "")


def test_a_file_that_cannot_be_written_is_named(run, tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(errno.EACCES, "Permission denied", "a temporary file")

    monkeypatch.setattr("os.open", refuse)
    code, _, err = run("compile", "x", "-o", str(tmp_path / "f.py"))
    assert (code, err) == (2, f"autodiff-compiler: {tmp_path / 'f.py'}: Permission denied\n")


def test_eval(run):
    assert run("eval", "x**2*y", "--at", "x=3", "--at", "y=2")[1].splitlines() == [
        "value = 18.0",
        "gradient x = 12.0",
        "gradient y = 9.0",
    ]
    code, out, _ = run("eval", TEXTBOOK, *AT, "--emit", "value,hessian", "--json")
    data = json.loads(out)
    assert code == 0
    assert data["hessian"] == [[-0.25, 1.0], [1.0, math.sin(5)]]
    assert data["at"] == {"x1": 2.0, "x2": 5.0}


def test_eval_takes_arrays_and_formulas_as_points(run):
    _, out, _ = run("eval", "sin(x)*k", "--at", "x=0,pi/2,k=2", "--emit", "value", "--json")
    assert json.loads(out)["value"] == [0.0, 2.0]


def test_infinities_are_valid_json(run):
    _, out, _ = run("eval", "1/x", "--at", "x=0", "--json")
    assert json.loads(out)["value"] == "inf"


def test_trace(run):
    _, out, _ = run("trace", TEXTBOOK, "--mode", "reverse", *AT)
    assert out.rstrip("\n") == ac.compile(TEXTBOOK).trace("reverse", at=(2, 5)).text()
    _, out, _ = run(
        "trace", TEXTBOOK, "--mode", "forward", *AT, "--seed", "-1,0", "--format", "latex"
    )
    assert "array" in out
    _, out, _ = run("trace", TEXTBOOK, "--mode", "forward", *AT, "--seed", "x2=1", "--json")
    assert json.loads(out)[1]["rows"][-1]["value"] == 2 - math.cos(5)


def test_graph(run):
    assert run("graph", "x*y")[1].startswith("digraph")
    assert run("graph", "x*y", "--format", "mermaid")[1].startswith("flowchart")
    assert json.loads(run("graph", "x*y", "--json")[1])["dot"].startswith("digraph")


def test_derivative(run):
    assert run("derivative", "x**2*y", "--wrt", "y")[1] == "x**2\n"
    code, out, _ = run("derivative", "x*y")
    assert (code, out) == (0, "# by x\ny\n\n# by y\nx\n")


def test_check(run, monkeypatch):
    code, out, _ = run("check", TEXTBOOK)
    assert code == 0
    assert out.startswith("passed")
    code, out, _ = run("check", "sqrt(-1 - x**2)", "--json")
    assert code == 1
    assert json.loads(out)["passed"] is False
    assert run("check", "abs(x)", "--at", "x=0")[0] == 0


def test_a_leading_minus_is_a_formula(run):
    assert run("eval", "-x**2", "--at", "x=3")[1].splitlines()[0] == "value = -9.0"
    assert run("eval", "--", "-x", "--at", "x=max(1, 3)")[1].splitlines()[0] == "value = -3.0"
    assert run("eval", "3")[1] == "value = 3.0\n"
    assert run("eval", "-h*w", "--at", "h=3,w=-2")[1].splitlines()[0] == "value = 6.0"


def test_files_and_standard_input(run, tmp_path, monkeypatch):
    path = tmp_path / "formula.txt"
    path.write_text("\ufeff# a program\nh = x*2\nh**2\n", encoding="utf-8")
    assert run("eval", "--file", str(path), "--at", "x=1")[1].splitlines()[0] == "value = 4.0"
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"x + 1\n")))
    assert run("eval", "-", "--at", "x=1")[1].splitlines()[0] == "value = 2.0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compile", "sinn(x)"), "did you mean sin?"),
        (("compile",), "give one source"),
        (("compile", "x", "--file", "y"), "give one source"),
        (("compile", "--file", "no-such-file"), "no-such-file"),
        (("compile", "x", "--emit", "gradiant"), "gradient"),
        (("compile", "x", "-o", "no/such/folder/x.py"), "no/such/folder"),
        (("compile", "x", "-o", ""), "--output: expected a file"),
        (("compile", "x", "--wrt", "y"), "y is not an input"),
        (("compile", "x", "--without", "fusion"), "without"),
        (("eval", "x*y", "--at", "x=1"), "no value for y"),
        (("eval", "x", "--at", "y=1"), "y is no input; expected x=VALUE"),
        (("eval", "x", "--at", "x=one"), "--at x: one is not among the inputs"),
        (("eval", "x", "--at", "x="), "x=VALUE"),
        (("eval", "x", "--at", "x=1,,2"), "x=VALUE"),
        (("eval", "x", "--at", "x=1", "--emit", "jvp"), "--emit jvp"),
        (("check", "x", "--at", "x=1,2"), "--at x: expected one number"),
        (("eval", "[x, 1]", "--at", "x=1", "--emit", "gradient"), "scalar output"),
        (("trace", "x", "--mode", "forward", "--seed", "1,2"), "seed"),
    ],
)
def test_bad_input_exits_with_2_and_a_message(run, arguments, message):
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    code, out, err = run(*arguments, "--json")
    assert (code, out) == (2, "")
    assert message in json.loads(err)["error"]


def test_json_errors_tell_the_place(run):
    _, _, err = run("eval", "1 +\n2x", "--json")
    assert json.loads(err)["line"] == 1


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_help_begins_with_examples(command, flag, capsys):
    with pytest.raises(SystemExit) as stop:
        main([*command, flag])
    assert stop.value.code == 0
    assert capsys.readouterr().out.startswith("examples:\n  autodiff-compiler ")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["eval", "x*y", "x=1", "y=2"], "write --at x=1"),
        (["eval", "x", "--att", "x=2"], "did you mean --at?"),
        (["eval", "x", "+", "1"], "in quotes"),
        (["graph", "x*y", "--at", "x=1"], "--at is for eval, trace, check"),
        (["compile", "x", "--frobnicate"], "see autodiff-compiler compile --help"),
    ],
)
def test_arguments_that_nothing_takes_are_explained(arguments, hint, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    assert hint in capsys.readouterr().err


EXAMPLES = [example for command in COMMANDS.values() for example in command.examples]


@pytest.mark.parametrize("example", [e for e in EXAMPLES if "|" not in e and "--file" not in e])
def test_the_examples_of_the_help_work(example, run, tmp_path, monkeypatch):
    import shlex

    monkeypatch.chdir(tmp_path)
    assert run(*shlex.split(example))[0] == 0


def test_usage_errors_exit_with_2():
    done = subprocess.run(
        [sys.executable, "-m", "autodiff_compiler", "nonsense"], capture_output=True, check=False
    )
    assert done.returncode == 2


def test_as_a_module_and_into_a_closed_pipe():
    command = [sys.executable, "-m", "autodiff_compiler", "compile", TEXTBOOK]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == ac.compile(TEXTBOOK).source()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_a_terminal_that_cannot_print_everything():
    done = subprocess.run(
        [sys.executable, "-m", "autodiff_compiler", "derivative", "θ**2"],
        capture_output=True, check=True, env={"PYTHONIOENCODING": "ascii", "PATH": ""},
    )  # fmt: skip
    assert done.stdout == b"2*\\u03b8\n"


def test_a_formula_as_it_is_written(capsys):
    for options, value in (([], "0.5"), (["--as-written"], "0.0")):
        assert (
            main(["eval", "(1 - cos(x))/x**2", "--at", "x=1e-9", "--emit", "value", *options]) == 0
        )
        assert capsys.readouterr().out == f"value = {value}\n"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("eval", "3", "--at", "x=1"), "the formula has no inputs"),
        (("eval", "x", "--at", "x=1", "--emit", "jvp"), "expected one of value, gradient, "),
        (("eval", "x", "--shape", "x=2", "--shape", "x=3"), "--shape x: it is given twice"),
        (("eval", "x", "--at", "x=1", "--at", "x=2"), "--at x: it is given twice"),
        (("eval", "x", "--at", "x=1,2,x=3"), "--at x: it is given twice"),
        (("trace", "x", "--mode", "forward", "--seed", "x=1,x=2"), "--seed x: it is given twice"),
        (("trace", "x", "--mode", "forward", "--seed", "y=2"), "y is no input; expected x=VALUE"),
    ],
    ids=str,
)
def test_wrong_arguments_are_told_what_is_right(run, arguments, hint):
    code, _, err = run(*arguments)
    assert code == 2
    assert hint in err


def test_tangents_given_one_by_one(run):
    both = run("trace", "x*y", "--mode", "forward", "--seed", "x=1,y=2")
    assert run("trace", "x*y", "--mode", "forward", "--seed", "x=1", "--seed", "y=2") == both


def test_help_after_the_formula(capsys):
    with pytest.raises(SystemExit):
        main(["eval", "x*y", "-h"])
    assert capsys.readouterr().out.startswith("examples:")


def test_a_module_is_utf_8_whatever_the_terminal_shows():
    command = [sys.executable, "-m", "autodiff_compiler", "compile", "α*2"]
    env = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(command, env=env, capture_output=True, check=True, timeout=60)
    assert "def value(α):" in done.stdout.decode("utf-8")


def test_what_is_open_already_goes_on(tmp_path):
    command = [sys.executable, "-m", "autodiff_compiler", "derivative", "x**2", "-o", "/dev/stdout"]
    with open(tmp_path / "all.txt", "w+") as file:
        file.write("before\n")
        file.flush()
        subprocess.run(command, stdout=file, check=True, timeout=60)
        file.seek(0)
        assert file.read() == "before\n2*x\n"

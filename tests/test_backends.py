"""Generated source: standalone, deterministic, formatted, and the user's own names."""

from __future__ import annotations

import ast
import math
import os
import subprocess
import sys

import numpy as np
import pytest

import autodiff_compiler as ac
from autodiff_compiler.backends.text import WIDTH
from autodiff_compiler.derivatives import KINDS, SCALAR_ONLY

TEXTBOOK = "log(x1) + x1*x2 - sin(x2)"
PROGRAMS = {
    "textbook": TEXTBOOK,
    "gauss": "b1*exp(-b2*x) + b3*exp(-(x - b4)**2/b5**2) + b6*exp(-(x - b7)**2/b8**2)",
    "program": "h = tanh(w*x + b)  # hidden\nz = v*h\n(y - z)**2",
    "pieces": "where(x > 0, x*log(x), abs(x)) if y < 1 or x == y else max(x, y, 1)",
    "system": "[x*y, exp(x)/y, 3, x]",
    "special": "gamma(x)*besselj(0, y) + airy_ai(x) + expit(y)",
    "quotes": 'x*y # """ \\" \\x00 {x} \\N{DASH}',
    "sum": "+".join(f"sin(x{k})*x{k}**2" for k in range(40)),
    "constant": "3",
    "nested": "(x**y)**2 % (x*y) + x % (y/x)",
    "infinite": "where(x > 5, 1/0, x) + 0*(0/0)",
}


def kinds(fn):
    return [k for k in KINDS if fn.default_kinds[1] == "gradient" or k not in SCALAR_ONLY]


def load(text):
    names: dict = {}
    exec(compile(text, "generated", "exec"), names)
    return names


def by_program(function):
    return pytest.mark.parametrize("source", PROGRAMS.values(), ids=PROGRAMS)(function)


def by_target(function):
    return pytest.mark.parametrize("target", ["python", "numpy"])(function)


@by_program
@by_target
def test_modules_compute_what_the_functions_do(source, target):
    fn = ac.compile(source)
    module = load(fn.source(*kinds(fn), target=target))
    point = tuple(0.4 + 0.1 * k for k in range(len(fn.inputs)))
    ones = (1.0,) * len(fn.inputs)
    for kind in kinds(fn):
        call = {"jvp": (point, ones), "hvp": (point, ones)}.get(kind, point)
        if kind == "vjp":
            call = (point, np.ones(np.shape(fn(*point))).tolist())
        for got, want in zip(
            flat(module[kind](*call)), flat(getattr(fn, kind)(*call)), strict=True
        ):
            np.testing.assert_allclose(got, want, rtol=1e-13, atol=1e-14)


def flat(value):
    if isinstance(value, tuple):
        return [x for part in value for x in flat(part)]
    return list(np.ravel(value))


@by_program
@by_target
def test_source_is_deterministic_to_the_byte(source, target):
    fn, twin = ac.compile(source), ac.compile(source)
    first = fn.source(*kinds(fn), target=target)
    twin.source("value")
    assert twin.source(*kinds(fn), target=target) == first
    code = f"import autodiff_compiler as ac\nprint(ac.compile({source!r}).source(*{kinds(fn)!r}, target={target!r}), end='')"
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        )  # fmt: skip
        assert done.stdout == first


@by_program
@by_target
def test_source_is_formatted_and_needs_nothing_of_ours(source, target):
    fn = ac.compile(source)
    text = fn.source(*kinds(fn), target=target)
    tree = ast.parse(text)
    assert ast.get_docstring(tree) is not None
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    imported |= {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    assert imported <= {"math", "numpy", "scipy", "scipy.special"}
    code = text.replace(source, "")
    assert all(len(line) <= WIDTH for line in code.splitlines() if '"""' not in line)
    assert not any(line != line.rstrip() for line in text.splitlines())
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in KINDS:
            assert ast.get_docstring(node)


@by_program
@by_target
def test_source_has_no_undefined_or_unused_names(source, target, tmp_path):
    fn = ac.compile(source)
    path = tmp_path / "generated.py"
    fn.save(path, *kinds(fn), target=target)
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "F,E9", str(path)]
    pytest.importorskip("ruff")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_the_textbook_gradient_reads_like_a_persons():
    assert ac.compile(TEXTBOOK).source("gradient").split("\n\n\n")[1] == (
        "def gradient(x1, x2):\n"
        '    """The gradient by x1, x2."""\n'
        "    try:\n"
        "        return (x2 + 1.0/x1, x1 - cos(x2))\n"
        "    except (ArithmeticError, ValueError):\n"
        "        return gradient_ieee(x1, x2)"
    )


def test_what_cannot_raise_is_not_guarded():
    assert "try" not in ac.compile("x*y + x").source("value", "gradient")


def test_repeated_work_is_done_once():
    code = ac.compile("sqrt(x**2 + exp(x**2)) + cos(x**2 + exp(x**2))").source("value_and_gradient")
    plain = code.split("\n\n\n")[1]
    assert plain.count("exp(") == plain.count("sqrt(") == 1


@by_target
def test_modules_answer_at_the_edges(target):
    fn = ac.compile("log(x) + 1/y + exp(z)")
    module = load(fn.source("value", "gradient", target=target))
    assert module["value"](0.0, 1.0, 0.0) == -math.inf
    assert module["value"](1.0, 0.0, 1000.0) == math.inf
    assert module["gradient"](0.0, 0.0, 1000.0) == (math.inf, -math.inf, math.inf)
    assert math.isnan(module["value"](-1.0, 1.0, 0.0))


def test_numpy_modules_take_numbers_lists_and_arrays():
    module = load(ac.compile("x/y + 1").source("value", "gradient", target="numpy"))
    assert module["value"](1, 2) == 1.5
    np.testing.assert_array_equal(module["value"]([1, 2], 2), [1.5, 2.0])
    np.testing.assert_array_equal(module["gradient"](np.ones((2, 1)), [1, 2, 4])[1].shape, (2, 3))
    single = np.ones(3, dtype=np.float32)
    assert module["value"](single, 2.0).dtype == np.float32


@pytest.mark.parametrize(
    "source",
    [
        "x" + "+x1*sin(x)" * 3_000,
        "*".join(f"x{k}" for k in range(3_000)),
        "sin(" * 500 + "x" + ")" * 500,
    ],
)
@by_target
def test_large_programs_stay_inside_cpythons_limits(source, target):
    fn = ac.compile(source)
    text = fn.source("value_and_gradient", target=target)
    load(text)
    assert max(len(line) for line in text.replace(source, "").splitlines()) < 2_100


def test_save_is_whole_or_nothing(tmp_path):
    fn, path = ac.compile(TEXTBOOK), tmp_path / "gradient.py"
    fn.save(path)
    assert path.read_text() == fn.source("value", "gradient")
    with pytest.raises(ValueError, match="kind"):
        fn.save(path, "gradients")
    assert path.read_text() == fn.source("value", "gradient")
    assert os.listdir(tmp_path) == ["gradient.py"]
    with pytest.raises(FileNotFoundError, match="missing"):
        fn.save(tmp_path / "missing" / "gradient.py")


def test_save_follows_links_and_writes_to_devices(tmp_path):
    fn, real, link = ac.compile("x**2"), tmp_path / "real.py", tmp_path / "link.py"
    real.write_text("")
    link.symlink_to(real)
    fn.save(link)
    assert link.is_symlink()
    assert real.read_text() == fn.source()
    fn.save(os.devnull)
    assert not os.path.isfile(os.devnull)


def test_unknown_targets_and_kinds_are_refused():
    fn = ac.compile(TEXTBOOK)
    with pytest.raises(ValueError, match="target: expected one of python, numpy"):
        fn.source(target="fortran")
    with pytest.raises(ValueError, match="kind: expected one of value"):
        fn.source("grad")


DERIVATIVES = {
    ("log(x1) + x1*x2 - sin(x2)", "x1"): "x2 + 1/x1",
    ("log(x1) + x1*x2 - sin(x2)", "x2"): "x1 - cos(x2)",
    ("x**3", "x"): "3*x**2",
    ("x**2*y", "x"): "2*y*x",
    ("exp(-x)", "x"): "-exp(-x)",
    ("3", "x"): "0",
    ("[x*y, y]", "x"): "[y, 0]",
    ("abs(x)", "x"): "sign(x)",
    ("(x % (2*y))*z", "z"): "x % (2*y)",
    ("(x**y)**2*z", "z"): "(x**y)**2",
    ("sin(x)*cos(x)", "x"): "cos(x)**2 - sin(x)**2",
}


@pytest.mark.parametrize(("source", "name"), DERIVATIVES, ids=str)
def test_derivatives_as_a_person_writes_them(source, name):
    got = ac.compile(source, inputs=None if name in source else [name]).derivative(name)
    if source == "sin(x)*cos(x)":
        assert ac.compile(got)(0.3) == pytest.approx(math.cos(0.6))
    else:
        assert got == DERIVATIVES[source, name]


@by_program
def test_derivatives_compile_again(source):
    fn = ac.compile(source)
    point = [0.4 + 0.1 * k for k in range(len(fn.inputs))]
    for name, want in zip(fn.inputs, fn.jacobian(*point), strict=True):
        again = ac.compile(fn.derivative(name), inputs=fn.inputs)
        np.testing.assert_allclose(again(*point), want, rtol=1e-12)


@pytest.mark.parametrize(
    "source", ["3/(-2.5/z**3)", "acosd(x**(1/3))", "-0.5*(7*z**3)**(1/3)", "5*(3/(7/x))*(11/x)"]
)
def test_tidying_constants_ends(source):
    fn = ac.compile(source)
    again = ac.compile(fn.derivative(fn.inputs[0]), inputs=fn.inputs)
    assert again(0.3) == pytest.approx(fn.gradient(0.3)[0], rel=1e-13)


def test_the_derivative_by_something_else_is_refused():
    with pytest.raises(ac.ExpressionError, match="z is not an input"):
        ac.compile("x*y").derivative("z")


@pytest.mark.parametrize(
    "name", ["float", "ValueError", "TypeError", "ArithmeticError", "array", "np"]
)
@pytest.mark.parametrize("of", ["x", None])
def test_variables_named_like_what_the_code_uses(name, of):
    fn = ac.compile(f"{name} = {of or name}/2; exp({name}*{name})/{name} + log({name} - 3)")
    functions = [fn]
    for target in ("python", "numpy"):
        names = {}
        exec(fn.source("value", target=target), names)
        functions.append(names["value"])
    for function in functions:
        assert math.isnan(function(0.5))
        assert function(8.0) == pytest.approx(math.exp(16) / 4)

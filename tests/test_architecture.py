"""The house: imports point down, functions and files stay short, the grammar is found."""

from __future__ import annotations

import ast
import shutil
import statistics
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "autodiff_compiler"
FILES = sorted(PACKAGE.rglob("*.py"))

FLOORS = (
    (
        "cache",
        "collector",
        "counts",
        "errors",
        "files",
        "graph",
        "limits",
        "primitives",
        "report",
        "shapes",
    ),
    ("language", "parser"),
    (
        "chainrule",
        "derivatives",
        "forward",
        "laws",
        "partials",
        "passes",
        "products",
        "reverse",
        "rewrite",
        "simplify",
        "singular",
        "singularities",
        "symbols",
    ),
    (
        "accounting",
        "allowlist",
        "arrayruntime",
        "backends",
        "cost",
        "drawing",
        "given",
        "liveness",
        "options",
        "recycling",
        "runtime",
        "tables",
        "traces",
    ),
    ("check", "checking", "compiler", "members", "packed"),
    ("__init__", "__main__", "cli", "points", "results"),
)
FLOOR = {name: k for k, floor in enumerate(FLOORS) for name in floor}
HEAVY = {"sympy", "scipy", "mpmath", "matplotlib", "numpy"}


def module(path):
    """The name by which a file is known in `FLOORS`."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported(path):
    """Names of the package's own modules that a file imports when it is loaded."""
    tree = ast.parse(path.read_text())
    depth = len(path.relative_to(PACKAGE).parts)
    skipped = {
        child
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and node not in skipped:
            names = [node.module] if node.module else [a.name for a in node.names]
            if node.level == depth:
                yield from ((n or "").split(".")[0] for n in names)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_only_point_down(path):
    own = module(path)
    for name in imported(path):
        if name in FLOOR:
            assert FLOOR[name] <= FLOOR[own], f"{own} imports {name}"


def test_every_module_has_a_floor():
    assert {module(path) for path in FILES} == set(FLOOR)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_imports_happen_where_they_are_used(path):
    allowed = {"packed.py": {"numpy"}}.get(path.name, set())
    for node in ast.parse(path.read_text()).body:
        names = []
        if isinstance(node, ast.Import):
            names = [a.name for a in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        assert not {n.split(".")[0] for n in names} & (HEAVY - allowed)


def functions():
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield path, node.name, (node.end_lineno or 0) - node.lineno + 1


def test_functions_and_files_stay_short():
    lengths = [(length, f"{path.name}:{name}") for path, name, length in functions()]
    assert statistics.median(length for length, _ in lengths) <= 8
    assert max(lengths)[0] <= 40, max(lengths)
    sizes = [
        (path.read_text().count("\n"), path.name) for path in [*FILES, *ROOT.glob("tests/*.py")]
    ]
    assert max(sizes)[0] <= 400, max(sizes)


def test_no_source_text_is_ever_evaluated():
    """`eval` is nowhere; `exec` runs only what the compiler itself has written."""
    calls = {}
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func).split(".")[-1]
                calls.setdefault(name, set()).add(path.name)
    assert "eval" not in calls
    assert "sympify" not in calls
    assert calls["exec"] == {"ieee.py", "partials.py", "runtime.py"}


CODE = "import autodiff_compiler as ac; print(ac.compile('x**2').gradient(3.0), ac.__file__)"


def run(python, *arguments, cwd):
    done = subprocess.run(
        [python, *arguments], capture_output=True, text=True, check=False, cwd=cwd
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_grammar_is_found_from_the_bare_checkout(tmp_path):
    for folder in ("autodiff_compiler", "grammar"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    assert str(tmp_path) in run(sys.executable, "-c", CODE, cwd=tmp_path)


def test_the_grammar_is_found_from_a_wheel(tmp_path):
    pytest.importorskip("hatchling")
    build = "from hatchling.build import build_wheel; print(build_wheel('{}'))"
    name = run(sys.executable, "-c", build.format(tmp_path), cwd=ROOT).split()[-1]
    with zipfile.ZipFile(tmp_path / name) as wheel:
        assert "autodiff_compiler/grammar/expression.lark" in wheel.namelist()
        assert "autodiff_compiler/py.typed" in wheel.namelist()
        wheel.extractall(tmp_path / "site")
    assert "site" in run(sys.executable, "-c", CODE, cwd=tmp_path / "site")


def test_the_grammar_is_found_from_an_editable_install(tmp_path):
    """An editable install is a path entry that points at the checkout."""
    pytest.importorskip("hatchling")
    build = "from hatchling.build import build_editable; print(build_editable('{}'))"
    name = run(sys.executable, "-c", build.format(tmp_path), cwd=ROOT).split()[-1]
    with zipfile.ZipFile(tmp_path / name) as wheel:
        entries = [n for n in wheel.namelist() if n.endswith(".pth")]
        path = wheel.read(entries[0]).decode().strip()
    assert Path(path) == ROOT
    first = "sys.path.insert(0, sys.path.pop())"  # before a regular install, if there is one
    code = f"import site, sys; site.addsitedir({str(tmp_path)!r}); {first}; {CODE}"
    (tmp_path / "entry.pth").write_text(path + "\n")
    assert str(PACKAGE) in run(sys.executable, "-c", code, cwd=tmp_path)

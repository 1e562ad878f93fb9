"""The command line with arrays: shapes, points from brackets and files, results, costs."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

import autodiff_compiler as ac

SQUARES = ("sum((A @ x)**2)", "--shape", "A=2,n", "--shape", "x=n")
AT = ("--at", "A=[[1,2],[3,4]]", "--at", "x=1,2")


def test_eval(run):
    _, out, _ = run("eval", *SQUARES, *AT)
    assert out.splitlines() == [
        "value = 146.0",
        "gradient A =",
        "[[10.0, 20.0],",
        " [22.0, 44.0]]",
        "gradient x = [76.0, 108.0]",
    ]
    data = json.loads(run("eval", *SQUARES, *AT, "--emit", "gradient,hessian", "--json")[1])
    a, x = np.array([[1, 2], [3, 4.0]]), np.array([1, 2.0])
    np.testing.assert_allclose(data["gradient"][0], 2 * np.outer(a @ x, x))
    np.testing.assert_allclose(data["hessian"][1][1], 2 * a.T @ a)
    assert data["at"] == {"A": [[1.0, 2.0], [3.0, 4.0]], "x": [1.0, 2.0]}


def test_long_results_are_shortened_but_not_as_json(run):
    point = ",".join(["1"] * 2000)
    options = ("x*2", "--shape", "x=n", "--at", f"x={point}", "--emit", "value")
    assert run("eval", *options)[1] == "value = [2.0, 2.0, 2.0, ..., 2.0, 2.0, 2.0]\n"
    assert len(json.loads(run("eval", *options, "--json")[1])["value"]) == 2000


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("x=[1, 2.5]", [1, 2.5]),
        ("x=[pi/2,max(1,3)]", [np.pi / 2, 3]),
        ("x=1,2", [1, 2]),
        ("x=7", [7]),
        ("x=[7]", [7]),
    ],
)
def test_vectors(run, text, want):
    _, out, _ = run("eval", "x*1", "--shape", "x=n", "--at", text, "--emit", "value", "--json")
    assert json.loads(out)["value"] == want


def test_matrices_of_formulas_and_arrays_for_numbers(run):
    options = ("--shape", "X=2,2", "--at", "X=[[1, 1/2], [pi, 0]]", "--emit", "value", "--json")
    assert json.loads(run("eval", "X*1", *options)[1])["value"] == [[1, 0.5], [np.pi, 0]]
    _, out, _ = run("eval", "t*k", "--at", "t=[1,2],k=3", "--emit", "value", "--json")
    assert json.loads(out)["value"] == [3, 6]


@pytest.mark.parametrize("suffix", [".npy", ".csv", ".txt", ".json"])
@pytest.mark.parametrize("rows", [1, 3])
def test_points_from_files(run, tmp_path, suffix, rows):
    array = np.arange(2.0 * rows).reshape(rows, 2) + 0.25
    path = tmp_path / f"data{suffix}"
    if suffix == ".npy":
        np.save(path, array)
    elif suffix == ".json":
        path.write_text(json.dumps(array.tolist()))
    else:
        np.savetxt(path, array, delimiter="," if suffix == ".csv" else " ")
    shapes = ("--shape", "X=N,2", "--shape", "c=")
    code, out, _ = run("eval", "sum(c*X**2)", *shapes, "--at", f"X=@{path},c=2", "--json")
    assert code == 0
    data = json.loads(out)
    assert data["value"] == pytest.approx(2 * (array**2).sum())
    assert data["at"]["X"] == array.tolist()
    np.testing.assert_allclose(data["gradient"][1], 4 * array)


def test_numbers_of_many_digits(run, tmp_path):
    large = "1" + "0" * 400
    (tmp_path / "x.json").write_text(f"[1, {large}]")
    for given in (f"x=[1, {large}]", f"x=@{tmp_path / 'x.json'}"):
        code, out, _ = run("eval", "sum(x)", "--shape", "x=2", "--at", given)
        assert (code, out.splitlines()[0]) == (0, "value = inf")
    code, _, err = run("eval", "x", "--at", "x=zeros(3)")
    assert code == 2
    assert "--at x: expected one number, got an array" in err


def test_a_column_of_a_file_is_a_vector(run, tmp_path):
    path = tmp_path / "t.csv"
    np.savetxt(path, [1.0, 2, 3])
    for shape in (("--shape", "t=n"), ()):  # an array, or one number after the other
        _, out, _ = run("eval", "t**2", *shape, "--at", f"t=@{path}", "--emit", "value", "--json")
        assert json.loads(out)["value"] == [1, 4, 9]


def test_files_may_begin_with_a_byte_order_mark(run, tmp_path):
    for name, text in (("t.csv", "1\n2\n"), ("t.json", "[1, 2]")):
        (tmp_path / name).write_text(text, encoding="utf-8-sig")
        _, out, _ = run("eval", "t: [n]; sum(t)", "--at", f"t=@{tmp_path / name}", "--json")
        assert json.loads(out)["value"] == 3


def test_compile_writes_numpy(run):
    assert run("compile", *SQUARES)[1] == (
        ac.compile(SQUARES[0], shapes={"A": (2, "n"), "x": ("n",)}).source()
    )
    assert json.loads(run("compile", *SQUARES, "--json")[1])["target"] == "numpy"
    assert json.loads(run("compile", "x", "--json")[1])["target"] == "python"


def test_shapes_may_have_sums_of_extents(run):
    at = ("--at", "x=1,2,3", "--at", "y=4")
    _, out, _ = run("eval", "sum(x[1:-1]*y)", "--shape", "x=n", "--shape", "y=n-2", *at, "--json")
    assert json.loads(out)["value"] == 8


def test_cost(run):
    fn = ac.compile(SQUARES[0], shapes={"A": (2, "n"), "x": ("n",)})
    assert run("cost", *SQUARES)[1] == f"{fn.cost()}\n"
    assert run("cost", *SQUARES, "--extent", "n=10**3")[1] == f"{fn.cost(n=1000)}\n"
    _, out, _ = run("cost", *SQUARES, "--extent", "n=1000", "--emit", "hessian", "--json")
    assert out.rstrip() == fn.cost("hessian", n=1000).json()
    assert run("cost", "x*y", "--format", "markdown")[1].startswith("**value**")


def test_graph_and_derivative(run):
    assert "A" in run("graph", *SQUARES)[1]
    code, out, _ = run("derivative", *SQUARES, "--wrt", "x")
    assert code == 0
    assert ac.compile(out, shapes={"A": (2, 2), "x": (2,)})([[1, 2], [3, 4]], [1, 2]).tolist() == [
        76,
        108,
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*SQUARES, "--at", "A=[[1,2],[3,4]]"), "--at: no value for x"),
        ((*SQUARES, "--at", "A=[[1,2],[3,4]", "--at", "x=1,2"), "--at A: expected an array such"),
        ((*SQUARES, "--at", "A=[[1,2],[3]]", "--at", "x=1,2"), "its rows differ in length"),
        ((*SQUARES, "--at", "A=[[1,2],[3,true]]", "--at", "x=1,2"), "true"),
        ((*SQUARES, "--at", "A=[[1,2],[3,4]]", "--at", "x=1,2,3"), "x: n is 3 here, but 2 in A"),
        ((*SQUARES, "--at", "A=5", "--at", "x=1,2"), "A: expected an array of shape [2, n]"),
        ((*SQUARES, "--at", "A=@no.npy,x=1,2"), "--at A=@no.npy: No such file"),
        ((*SQUARES, "--at", "A=@no.xlsx,x=1,2"), "expected a file of .npy, .csv, .txt, .json"),
        ((*SQUARES, "--at", f"A={'[' * 99}", "--at", "x=1"), "more than 32 brackets"),
        (("x", "--shape", "x"), "--shape x: expected NAME=EXTENTS"),
        (("x", "--shape", "x=2.5"), "--shape x=2.5: '2.5' is neither a length nor a name"),
        (("x", "--shape", "y=2"), "shapes: y is not an input"),
    ],
)
def test_bad_input_names_the_argument(run, arguments, message):
    code, out, err = run("eval", *arguments)
    assert (code, out) == (2, "")
    assert message in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--extent", "n"), "--extent n: expected NAME=LENGTH"),
        (("--extent", "n=2.5"), "--extent n=2.5: expected a whole number"),
        (("--extent", "m=2"), "m is not an extent of this formula"),
    ],
)
def test_bad_extents(run, arguments, message):
    code, _, err = run("cost", *SQUARES, *arguments)
    assert code == 2
    assert message in err


def test_files_with_objects_or_words_or_nothing_are_refused(run, tmp_path):
    objects, words, header = tmp_path / "o.npy", tmp_path / "w.json", tmp_path / "h.csv"
    np.save(objects, np.array([{}], dtype=object), allow_pickle=True)
    words.write_text('["one"]')
    header.write_text("a,b\n1,2\n")
    empty = tmp_path / "e.npy"
    empty.write_bytes(b"")
    blank, keyed = tmp_path / "e.csv", tmp_path / "k.json"
    blank.write_text("")
    keyed.write_text('{"x": [1, 2]}')
    table = {
        words: "expected numbers",
        blank: "there are no numbers",
        keyed: 'expected numbers, got {"x"',
    }
    for path in (objects, words, header, empty, blank, keyed):
        code, _, err = run("eval", "sum(x)", "--shape", "x=n", "--at", f"x=@{path}")
        assert code == 2
        assert f"--at x=@{path}: {table.get(path, '')}" in err


def test_numbers_do_not_wait_for_numpy():
    code = (
        "import sys\nfrom autodiff_compiler.cli import main\n"
        "main(['eval', 'x**2*y', '--at', 'x=3,y=2']); main(['compile', 'x']); main(['cost', 'x'])\n"
        "main(['compile', 'A @ A', '--shape', 'A=n,n'])\n"
        "print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False", done.stderr


def test_a_file_has_all_of_a_long_result_and_a_terminal_its_ends(run, tmp_path):
    numbers = tmp_path / "x.npy"
    np.save(numbers, np.arange(2000.0))
    command = ["eval", "sum(x**2)", "--shape", "x=n", "--at", f"x=@{numbers}", "--emit", "gradient"]
    assert run(*command)[1].strip() == "gradient x = [0.0, 2.0, 4.0, ..., 3994.0, 3996.0, 3998.0]"
    run(*command, "-o", str(tmp_path / "out.txt"))
    text = (tmp_path / "out.txt").read_text()
    assert json.loads(text.partition("=")[2]) == [2.0 * k for k in range(2000)]


def test_seeds_of_arrays_are_given_as_points_are(run):
    trace = ("trace", "x: [n]; sum(x**2)", "--mode", "forward", "--at", "x=3,4")
    wanted = run(*trace, "--seed", "1,2")
    assert wanted[1].rstrip().endswith("= 22")
    assert run(*trace, "--seed", "x=1,2") == run(*trace, "--seed", "x=[1,2]") == wanted


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1;2\n3;4\n", "could not convert string '1;2'"),
        ("a,b\n1,2\n", "could not convert string 'a'"),
        ("1,2\n3\n", "the number of columns changed from 2 to 1"),
    ],
)
def test_tables_that_are_no_numbers(text, problem, run, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(text)
    code, _, err = run("eval", "X: [n, m]; sum(X)", "--at", f"X=@{path}")
    assert code == 2
    assert problem in err
    assert "rows of numbers with commas between them, and no header" in err

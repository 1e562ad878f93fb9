"""What is wrong with programs of arrays, and with their arguments, is told where it is."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

import autodiff_compiler as ac

# What is wrong, where in the source it is (before ^), and a hint if there has to be one.
WRONG = [
    ("x: [n]; y: [m]; x ^+ y", "shapes [n] and [m] do not broadcast: n against m", "m, n"),
    ("x: [n]; y: [m]; x ^@ y", "[n] @ [m]: n columns meet m rows", "always equal"),
    ("A: [n, m]; x: [n]; 1 + A ^@ x", "[n, m] @ [n]: m columns meet n rows", "m, n"),
    ("x: [2]; y: [3]; x ^* y", "shapes [2] and [3] do not broadcast: 2 against 3", None),
    ("A: [n, m]; ^inv(A)", "square matrix is expected, not an array of shape [n, m]", None),
    ("A: [n, m]; ^cholesky(A)", "square matrix is expected, not an array of shape [n, m]", None),
    ("x: [n]; ^trace(x)", "a matrix is expected, not an array of shape [n]", None),
    ("x: [n]; ^pinv(x)", "a matrix is expected, not an array of shape [n]", None),
    ("x: [n]; A: [m, m]; ^solve(A, x)", "solve takes a matrix and as many rows", None),
    ("T: [k, n, n]; S: [m, n, 2]; ^solve(T, S)", "[k] and [m] do not broadcast", None),
    ("x ^@ y", "@ multiplies arrays", "declare the shape: x: [n]"),
    ("f(a) = a ^@ a; f(c)", "@ multiplies arrays", "declare the shape: c: [n]"),
    ("^sum(x)", "sum takes an array, and x is a number", "declare its shape: x: [n]"),
    ("^softmax(x)", "softmax takes an array, and x is a number", "x: [n]"),
    ("x.^T", "a scalar has no transpose", "x: [m, n]"),
    ("x^[0]", "a scalar has no elements", "x: [n]"),
    ("^eye(-1)", "-1 is no extent: it is negative", None),
    ("^ones((2, -1))", "-1 is no extent: it is negative", None),
    ("x: [n]; ^sum(x, axis=1)", "there is no axis 1 in an array of 1", None),
    ("A: [n, n]; ^max(A, axis=-3)", "there is no axis -3 in an array of 2", None),
    ("x: [n]; ^softmax(x, axis=2)", "there is no axis 2", None),
    ("A: [n, m]; ^norm(A, 1)", "the order of a norm is for vectors", "norm(A, axis=0)"),
    ("x: [n]; ^norm(x, 0)", "a norm is of order 1 or 2", "norm_inf(x)"),
    ("x: [n]; sum(x, ^axes=0)", "sum takes no axes", "did you mean axis?"),
    ("x: [n]; sum(x, axis=0, ^axis=0)", "sum is given axis twice", None),
    ("x: [n]; ^sum(x, 0, 1, 2)", "sum takes 3 arguments, not 4", None),
    ("x: [n]; ^sum()", "sum lacks x", "write sum(x)"),
    ("x: [n]; ^sum(x, keepdims=c)", "keepdims is a whole number", None),
    ("x: [n]; ^std(x, ddof=1.5)", "ddof is a whole number", None),
    ("A: [n, n, 2]; ^prod(A, axis=(0, 1))", "prod goes over one axis, or over all", None),
    ("x: [3]; x^[5]", "index 5 is outside an axis of 3: [3]", None),
    ("x: [3]; x^[-4]", "index -4 is outside an axis of 3", None),
    ("x: [3]; x^[[0, 3]]", "index 3 is outside an axis of 3", None),
    ("A: [n, m]; A^[0, 1, 2]", "3 indices for an array of 2 axes", None),
    ("A: [n, m]; A^[..., ...]", "one ... is enough", None),
    ("A: [n, m]; A^[1.5]", "an index is a whole number, a slice", None),
    ("A: [n, m]; A^[A > 0]", "an index is a whole number, a slice", "where(c, a, b)"),
    ("A: [n, m]; A^[::0]", "the step of a slice is not 0", None),
    ("A: [n, m]; A^[::n]", "a whole number, written as such", None),
    ("A: [n, m, 2]; i: [2]; A^[i, :, i]", "arrays of positions have to stand side by side", None),
    ("x: [n]; ^reshape(x, 2, 2)", "shape [n] cannot have the shape [2, 2]", None),
    ("x: [n]; ^reshape(x, -1, -1)", "one extent may be -1", None),
    ("x: [n]; ^reshape(x, -1, 4)", "n elements do not make rows of 4", None),
    ("x: [n]; ^broadcast_to(x, (2, m))", "this is no extent", None),
    (
        "x: [n]; ^broadcast_to(x, (2, 3))",
        "shapes [n] and [2, 3] do not broadcast: n against 3",
        None,
    ),
    ("x: [n]; ^expand_dims(x, 5)", "there is no axis 5", None),
    ("x: [n]; y: [m]; [x, y]^ @ x", "the elements of a list differ in shape: [m], [n]", None),
    ("x: [n]; y: [m]; ^stack([x, y])", "stack takes arrays of one shape, not [n] and [m]", "m, n"),
    ("x: [n]; ^stack([x, sum(x)])", "stack takes arrays of one shape, not [n] and []", None),
    ("x: [n]; ^stack([1, x])", "stack takes arrays of one shape, not [] and [n]", None),
    ("x: [n]; ^var(sum(x))", "var takes an array, and this is a number", None),
    ("x: [n]; x^[[0, 1.7]]", "an index is a whole number, a slice", "floor(i)"),
    ("x: [n]; x^[sqrt(arange(n))]", "an index is a whole number, a slice", "floor(i)"),
    ("A: [n, n]; ^sum(A, axis=(0, -2))", "sum: an axis is given twice", None),
    ("A: [n, n]; B: [n, m]; ^cofactor_along(A, B)", "takes two arrays alike", "m, n"),
    ("A: [n, n]; ^swapaxes(A, 0, 1)", "unknown function swapaxes", 'write einsum("aij->aji", T)'),
    ("A: [n, n]; einsum(^'ii', A)", "labels in single quotes have an arrow", "jk->ik"),
    ("x: [n]; ^concatenate(x)", "concatenate takes a list of arrays", "concatenate([x, y])"),
    ('x: [n]; ^einsum("ij->i", x)', "labels 'ij' are not those of an array of shape [n]", None),
    ('x: [n]; ^einsum("i->j", x)', 'the labels "i->j" do not fit 1 array', None),
    ('x: [n]; y: [m]; ^einsum("i,i->", x, y)', "the axes called i differ: n and m", "m, n"),
    ("x: [n]; ^einsum(x, x)", "einsum starts with its labels", "einsum("),
    ("x: [n]; ^kron(x, x)", "kron takes two matrices", None),
    ("A: [n, m, 2]; ^dot(A, A)", "dot takes vectors and matrices", "einsum"),
    ("x: [n]; ^outer(x, outer(x, x))", "outer takes two vectors, not [n] and [n, n]", None),
    ("A: [n, m]; ^tril(A, n)", "k is a whole number", None),
    ("x: [n]; ^eye(c)", "this is no extent", "extents are whole numbers"),
    ("x ^// 2", "// is only for extents", "floor(x/y)"),
    ("x: [n]; x.^shape", "no attributes but .T", None),
    ("x: [^-1]; x", "an extent is not negative", None),
    ("x: [^1.5]; x", "an extent is a whole number or a name", "X: [N, 2]"),
    ("x: [n]; q(v) = v ^@ v; g(v) = q(v)*v; g(c)", "@ multiplies arrays", "c: [n]"),
]


@pytest.mark.parametrize(("marked", "problem", "hint"), WRONG, ids=[w[0] for w in WRONG])
def test_sources(marked, problem, hint):
    with pytest.raises(ac.ExpressionError) as caught:
        ac.compile(marked.replace("^", ""))
    error = caught.value
    assert problem in str(error)
    if "[x, y]^" not in marked:
        assert (error.line, error.column) == (1, marked.index("^") + 1)
    assert (hint or "") in (error.hint or "")


def test_the_line_is_that_of_the_operator():
    source = "x: [n]\ny: [m]\nh = x*2\nh + y"
    with pytest.raises(ac.ExpressionError) as caught:
        ac.compile(source)
    assert (caught.value.line, caught.value.column) == (4, 3)
    assert "h + y\n    ^" in str(caught.value)


ARGUMENTS = [
    ("A @ x", ([[1, 2]], [1, 2, 3]), "x: n is 3 here, but 2 in A"),
    ("A @ x", ([1, 2], [1, 2]), "A: expected an array of shape [m, n], got an array of shape [2]"),
    ("A @ x", (1.0, [1, 2]), "A: expected an array of shape [m, n], got a number"),
    ("w @ w*c", ([1, 2], 3), "w: [3] has 3 where there are 2"),
    ("w @ w*c", ([1, 2, 3], [3]), "c: expected a number, got an array of shape [1]"),
    ("sum(e)*sum(x)", ([1, 2], [1, 2, 3]), "e: n + 1 is 4, but there are 2"),
    ("x[:5]", ([1, 2],), "x: n is 2, too short for the index [:5]"),
    ("x[n - 4:]", ([1, 2],), "x: n is 2, too short for the index [n - 4:]"),
    ("x[-3]*sum(x)", ([1, 2],), "x: n is 2, too short for the index [-3]"),
    ("x[i]", ([1, 2], [1, 2]), "a position is outside its axis: index 2 is out of bounds"),
    ("x[i]", ([1, 2], [1, -3]), "a position is outside its axis: index -3"),
    ("x[A[0, 0]]", ([1, 2], [[7, 3]]), "a position is outside its axis"),
    ("inv(A) + 0*A @ eye(2)", ([[1, 2], [2, 4]],), "Singular matrix"),
]
SHAPES = {"A": ("m", "n"), "x": ("n",), "w": (3,), "e": "n + 1", "i": ("k",)}


@pytest.mark.parametrize(("text", "arguments", "problem"), ARGUMENTS, ids=str)
def test_arguments(text, arguments, problem):
    names = [n for n in re.findall(r"\b[AxweicE]\b", text) if n]
    shapes = {n: SHAPES[n] for n in dict.fromkeys(names) if n in SHAPES}
    if "inv" in text:
        shapes["A"] = ("n", "n")
        text = "inv(A)"
    declared = shapes.pop("e", None)
    source = f"e: [{declared}]; {text}" if declared else text
    fn = ac.compile(source, inputs=dict.fromkeys(names), shapes=shapes)
    with pytest.raises(ValueError, match=re.escape(problem)):
        fn(*arguments)
    if "inv" not in text and "[i]" not in text and "[A" not in text:
        with pytest.raises(ValueError, match=re.escape(problem)):
            fn.jvp(arguments, arguments)


def test_wrong_arguments_are_type_errors_that_name_them():
    fn = ac.compile("A: [m, n]; x: [n]; A @ x")
    with pytest.raises(TypeError, match="no value for x"):
        fn([[1, 2]])
    with pytest.raises(TypeError, match="y is no argument"):
        fn([[1, 2]], y=[1, 2])
    with pytest.raises(TypeError, match="x is given twice"):
        fn([[1, 2]], [1, 2], x=[1, 2])
    with pytest.raises(TypeError, match="x: expected a real number or an array"):
        fn([[1, 2]], ["a", "b"])
    with pytest.raises(TypeError, match="A: expected"):
        fn([[1, 2], [3]], [1, 2])
    with pytest.raises(ValueError, match="tangents: expected 2 values"):
        fn.jvp([[[1, 2]], [1, 2]], [[1, 2]])
    with pytest.raises(ValueError, match=re.escape("cotangent: m is 2 here, but 1 in A")):
        fn.vjp([[[1, 2]], [1, 2]], [1, 2])


def test_what_needs_a_number_says_so():
    fn = ac.compile("A: [m, n]; 2*A")
    for kind in ("gradient", "hessian", "hvp"):
        with pytest.raises(ValueError, match=f"{kind} needs a scalar output"):
            getattr(fn, kind)


def test_extents_that_no_shape_tells():
    with pytest.raises(ac.ExpressionError, match="no shape tells what n is"):
        ac.compile("x: [n*n]; n*sum(x)")([1.0])


def test_shapes_are_checked():
    for shapes, problem in [
        ({"y": ("n",)}, "y is not an input"),
        ({"x": 2.5}, "x: expected a tuple of extents"),
        ({"x": "n,,2"}, "x: '' is neither a length nor a name"),
        ({"x": (1.5,)}, "x: 1.5 is neither a length nor a name"),
        ({"x": (-1,)}, "x: -1 is neither"),
        ({"x": ("n]; x: [m",)}, "x: 'n]; x: [m' is neither"),
        ([("x", 2)], "expected a mapping"),
    ]:
        with pytest.raises((TypeError, ValueError), match=f"shapes: .*{re.escape(problem)}"):
            ac.compile("x @ x" if "x" in shapes else "x", shapes=shapes)


def test_shapes_may_have_sums_of_extents():
    fn = ac.compile("sum(x[1:-1]*y)", shapes={"x": ("n",), "y": ("n - 2",)})
    assert fn([1, 2, 3, 4], [5, 6]) == 28
    assert ac.compile(fn.formula, shapes=fn.shapes).shapes == fn.shapes
    with pytest.raises(ValueError, match="y: "):
        fn([1, 2, 3, 4], [5, 6, 7])


def test_what_positions_are_computed_from_changes_nothing_between_jumps():
    fn = ac.compile("x: [n]; i: [m]; x[i]*i", inputs="x i")
    assert fn.wrt == ("x", "i")
    by_x, by_i = fn.jacobian([1, 2], [0.0, 1.0])
    assert (by_x == [[0, 0], [0, 1]]).all()
    assert (by_i == [[1, 0], [0, 2]]).all()
    fn = ac.compile("x: [n]; i: [m]; sum(x[i])", wrt="i")
    assert (fn.gradient([1, 2], [0, 1])[0] == [0, 0]).all()
    assert fn.jvp([[1, 2], [0, 1]], [[1, 1]])[1] == 0


EXTENTS = [
    ("x: [2*n]; sum(x)*n", 5, r"x: 2\*n is 4, but there are 5"),
    ("x: [2*n]; sum(x[:n]*x[n:])", 3, r"x: 2\*n is 2, but there are 3"),
    ("x: [n + 2]; sum(x)*n", 1, r"x: a length of 1 is too short for n \+ 2"),
]


@pytest.mark.parametrize(("source", "length", "problem"), EXTENTS)
def test_lengths_that_no_extent_gives(source, length, problem):
    fn = ac.compile(source)
    for run in (fn.value, fn.gradient):
        with pytest.raises(ValueError, match=problem):
            run(np.ones(length))


def test_a_shape_is_declared_once():
    for source, shapes in (("x: [n]; x: [m]; sum(x)", {}), ("x: [3]; sum(x)", {"x": (4,)})):
        with pytest.raises(ac.ExpressionError, match=r"x has the shape .* already"):
            ac.compile(source, shapes=shapes)
    fn = ac.compile("x: [n]; x: [n]; sum(x)")
    assert ac.compile("sum(x)", shapes=fn.shapes)([1.0, 2.0]) == 3.0


def test_positions_are_whole_numbers():
    fn = ac.compile("x: [n]; i: [k]; sum(x[i])", wrt="x")
    assert fn([1.0, 2.0, 4.0], [2.0, 0.0]) == 5.0
    for wrong in ([0.5], [math.nan]):
        with pytest.raises(ValueError, match="i: positions are whole numbers"):
            fn([1.0, 2.0], wrong)
    with pytest.raises(TypeError, match="i: expected positions, not truth values"):
        fn([1.0, 2.0], [True, False])


def test_masked_elements_are_refused():
    fn = ac.compile("sum(x)", shapes={"x": ("n",)})
    with pytest.raises(TypeError, match=r"x: some elements are masked; .*filled"):
        fn(np.ma.array([1.0, 100.0], mask=[False, True]))
    assert fn(np.ma.array([1.0, 100.0])) == 101


@pytest.mark.parametrize("kind", ["value", "jacobian", "gradient", "hessian", "hvp"])
@pytest.mark.parametrize(("source", "n"), [("2*x[2]", 1), ("sum(x[3:])", 1), ("x[0]", 0)])
def test_derivatives_ask_as_much_of_an_extent_as_the_value(source, n, kind):
    fn = ac.compile(f"x: [n]; {source}")
    given = ([np.ones(n)], [np.ones(n)]) if kind == "hvp" else (np.ones(n),)
    with pytest.raises(ValueError, match=f"n is {n}, too short for the index"):
        getattr(fn, kind)(*given)


def test_a_mean_of_nothing_is_nan_and_has_no_slopes():
    fn = ac.compile("x: [n]; mean(x)")
    assert np.isnan(fn(np.ones(0)))
    assert fn.gradient(np.ones(0))[0].shape == (0,)

"""Errors: the place, the problem, and what to write instead."""

from __future__ import annotations

import pickle
import re

import pytest

import autodiff_compiler as ac

# source: (line, column, a part of the problem, a part of the hint)
ERRORS = {
    "2x": (1, 2, "operator", "2*x"),
    "3.5x + 1": (1, 4, "operator", "3.5*x"),
    "sin x": (1, 5, "parentheses", "sin(x)"),
    "y + cos theta": (1, 9, "parentheses", "cos(theta)"),
    "|x|": (1, 1, "|", "abs(x)"),
    "x!": (1, 2, "!", "factorial(x)"),
    "\\frac{a}{b}": (1, 1, "LaTeX", "(a)/(b)"),
    "\\sin(x)": (1, 1, "LaTeX", "sin"),
    "$x$": (1, 1, "LaTeX", "plain"),
    "(x + 1": (1, 1, "never closed", ""),
    "[x, y": (1, 1, "never closed", ""),
    "x + 1)": (1, 6, "closes nothing", ""),
    "(x]": (1, 3, "closes nothing", ""),
    "sinn(x)": (1, 1, "unknown function sinn", "sin"),
    "foo(x)": (1, 1, "unknown function foo", ""),
    "sin(x, y)": (1, 1, "1 argument, not 2", "sin(x)"),
    "hypot(x)\n": (1, 1, "2 arguments", "hypot(x, y)"),
    "hypot()": (1, 1, "2 arguments, not 0", "hypot(x, y)"),
    "f(a, b) = a*b\nf(x)": (2, 1, "2 arguments, not 1", ""),
    "exp*x": (1, 1, "exp is a function", "exp(...)"),
    "x = 2; x(3)": (1, 8, "variable", "x*(...)"),
    "(x + 1)(x - 1)": (1, 8, "operator", ")*("),
    "sin(x)cos(x)": (1, 7, "operator", "* to multiply"),
    "5!": (1, 2, "!", "factorial(5)"),
    "x is None": (1, 3, "compare", "=="),
    "x in y": (1, 3, "not part", "a <= x and x <= b"),
    "lambda x: x": (1, 1, "name", "f(x) = "),
    "sum(i for i in x)": (1, 7, "for", "arange"),
    "x | y": (1, 3, "|", "`or`"),
    "real(x)": (1, 1, "unknown function real", "leave it out"),
    "2(3)": (1, 2, "called", "2*("),
    "1j": (1, 2, "complex", ""),
    "0x10": (1, 2, "decimal", ""),
    "1.2.3": (1, 4, "decimal point", ""),
    "1e999": (1, 1, "too large", ""),
    "9" * 5_000: (1, 1, "too large", ""),
    "True + 1": (1, 1, "True", "1"),
    "=x + 1": (1, 1, "=", "leave"),
    "x + 1 = 2": (1, 7, "assigned", "=="),
    "x && y": (1, 3, "&", "and"),
    "x <> y": (1, 4, "<>", "!="),
    "x =< y": (1, 4, "=<", "<="),
    "x => y": (1, 4, "=>", ">="),
    "x mod y": (1, 3, "operator", "x % y"),
    "x div y": (1, 3, "operator", "floor(x/y)"),
    "x y + 1": (1, 3, "operator", "x*y"),
    "let a = x": (1, 1, "let", "name = value"),
    "x_{1} + 2": (1, 3, "LaTeX", "without braces"),
    "pi()": (1, 1, "pi is a number", "without brackets"),
    "cosine(x)": (1, 1, "unknown function cosine", "cos(x)"),
    "int(x)": (1, 1, "unknown function int", "trunc(x)"),
    "sin(30°)": (1, 7, "°", "radians"),
    "x*٣": (1, 3, "U+0663", "write 3"),
    "x＋1": (1, 2, "U+FF0B", "write +"),
    "x << 2": (1, 4, "", ""),
    "x := 2": (1, 4, ":=", "="),
    "{x}": (1, 1, "braces", "("),
    "'x'": (1, 1, "strings", ""),
    "x, y": (1, 2, "comma", "[a, b]"),
    "x²": (1, 2, "²", "**2"),
    "a × b": (1, 3, "×", "*"),
    "√x": (1, 1, "√", "sqrt"),
    "a − b": (1, 3, "−", "-"),
    "x +": (1, 4, "the formula ends too early", ""),
    "a = 1\nb +\nc": (2, 4, "ends in the middle", "( )"),
    "x\n\n  y + * z": (3, 7, "'*'", ""),
    "": (1, 1, "nothing to compile", "x**2"),
    "  \n\t": (1, 1, "nothing to compile", ""),
    "# only words\n;": (1, 1, "nothing to compile", ""),
    "f(and) = 3; f(2)": (1, 1, "not a name", ""),
    "x➂ + 1": (1, 2, "U+2782", ""),
    "x.real": (1, 3, "attributes", ""),
    "x @ y": (1, 3, "arrays", "*"),
    "x // y": (1, 3, "//", "floor"),
    "x[0]": (1, 2, "no elements", ""),
    "[x, y][2]": (1, 7, "outside", ""),
    "[[x], [y, 1]]": (1, 1, "differ in shape", ""),
    "[]": (1, 1, "empty", ""),
    "1; 2": (1, 1, "no effect", "( )"),
    "a = 1\nx^2 + 3*x\n  + y^2": (2, 1, "no effect", "( )"),
    "x' + 1": (1, 2, "transpose", ""),
    "x.T": (1, 3, "transpose", ""),
    "np.sin(x)": (1, 7, "plain names", "sin(...)"),
    "x.sum() + 1": (1, 6, "no methods", "sum(x)"),
    "f(x) = f(x - 1); f(3)": (1, 8, "f is not defined yet where it is called", "a line before"),
    "y = g(2)\ng(x) = x; y": (1, 5, "g is not defined yet where it is called", "a line before"),
    "x ? 1 : 2": (1, 3, "? is not part of the language", "a if condition else b"),
    "len(x)": (1, 1, "unknown function len", "extent"),
    "isnan(x)": (1, 1, "unknown function isnan", "x != x"),
    "SIN(x)": (1, 1, "unknown function", "sin"),
    "x(y + 1)": (1, 1, "unknown function x", "x*(...)"),
    "sin^2(x)": (1, 1, "sin is a function", "sin(...)**2"),
    "x if x > 0": (1, 11, "else", ""),
    "beta(a, b)*beta": (1, 12, "beta is a function", "beta(...)"),
    "log(x, base=2)": (1, 8, "keyword", ""),
    "f(x, x) = x\nf(1, 2)": (1, 1, "twice", ""),
    "x'y": (1, 3, "'y'", ""),
    "__import__ + x": (1, 1, "__import__", ""),
    "5%": (1, 3, "remainder", "x/100"),
    "x \x00": (1, 3, "", ""),
}


@pytest.mark.parametrize("source", ERRORS)
def test_place_problem_and_hint(source):
    line, column, problem, hint = ERRORS[source]
    with pytest.raises(ac.ExpressionError) as caught:
        ac.compile(source)
    error = caught.value
    assert (error.line, error.column) == (line, column), str(error)
    assert problem in error.problem
    assert hint in (error.hint or "")
    assert isinstance(error, ValueError)


def test_the_message_shows_the_line_and_a_caret():
    with pytest.raises(ac.ExpressionError) as caught:
        ac.compile("a = 1\nsinn(a*x)")
    assert str(caught.value).splitlines() == [
        "line 2, column 1: unknown function sinn",
        "  sinn(a*x)",
        "  ^^^^",
        "hint: did you mean sin?",
    ]
    assert caught.value.span == (6, 10)


def test_long_lines_are_cut_around_the_caret():
    with pytest.raises(ac.ExpressionError) as caught:
        ac.compile("x + " * 1_000 + "sinn(x)" + " + x" * 1_000)
    _, excerpt, caret, _ = str(caught.value).splitlines()
    assert len(excerpt) < 150
    assert excerpt[caret.index("^") :].startswith("sinn")


def test_control_characters_are_not_echoed():
    with pytest.raises(ac.ExpressionError) as caught:
        ac.compile("x + \x1b[31m")
    assert "\x1b" not in str(caught.value)


def test_errors_pickle():
    with pytest.raises(ac.ExpressionError) as caught:
        ac.compile("2x")
    twin = pickle.loads(pickle.dumps(caught.value))
    assert str(twin) == str(caught.value)
    assert (twin.line, twin.column, twin.span, twin.hint) == (1, 2, (1, 2), "write 2*x")


def test_an_undeclared_name_is_refused_with_the_nearest():
    with pytest.raises(ac.ExpressionError, match="alpho is not among the inputs") as caught:
        ac.compile("alpho*x", inputs=["alpha", "x"])
    assert caught.value.hint == "did you mean alpha?"


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"wrt": "z"}, "z is not an input"),
        ({"inputs": ["x", "x", "y"]}, "twice"),
        ({"inputs": ["x", "2y"]}, "not a name"),
        ({"inputs": "x,,y"}, "inputs: '' is not a name"),
        ({"without": ["fuse"]}, "without"),
        ({"shapes": {"X": ("n",)}}, "shapes: X is not an input"),
        ({"shapes": {"x": ("2n",)}}, "shapes: x"),
        ({"shapes": {"x": (-1,)}}, "shapes: x"),
        ({"inputs": "x", "wrt": "x"}, "y is not among"),
    ],
)
def test_wrong_options_name_the_option(options, match):
    with pytest.raises(ValueError, match=match):
        ac.compile("x*y", **options)


@pytest.mark.parametrize("option", ["stable", "cache"])
@pytest.mark.parametrize("given", ["no", 3, None, [True]], ids=str)
def test_a_switch_is_on_or_off(option, given):
    with pytest.raises(TypeError, match=f"{option}: expected True or False, got "):
        ac.compile("x*y", **{option: given})


def test_a_source_that_is_no_string():
    with pytest.raises(TypeError, match="source"):
        ac.compile(b"x")


@pytest.mark.parametrize(
    "source", ["[x, 1]", "[x, 1] + 1", "a = [x, 1]; 2", "sin([x, 1])", "x[[x, 1]]", "not [x, 1]"]
)
def test_a_list_of_different_shapes_is_only_to_be_joined(source):
    with pytest.raises(ac.ExpressionError, match=r"differ in shape: \[\], \[n\]"):
        ac.compile(f"x: [n]; {source}")


def test_arrays_of_different_lengths_are_joined():
    fn = ac.compile("x: [n]; y: [m]; sum(concatenate([x, y, [1, 2]])**2)")
    assert fn([1.0, 2.0], [3.0]) == 19.0


HINTED = (
    ("a = (x +\n  y*2\nb = 3\na*b", "this ( is never closed", (1, 5), None),
    ("a = max(x, (y + 2)\nb = a\nb", "this ( is never closed", (1, 8), None),
    ("u:[n]; u.dot(v)", "no methods", (1, 13), "write dot(u, v)"),
    ("u:[n]; u.flatten()", "no methods", (1, 17), "write ravel(A)"),
    ("u:[n]; T.transpose(0, 2, 1)", "no methods", (1, 19), 'write A.T, or einsum("aij->aji", T)'),
    ("u:[n]; u.roll(1)", "no methods", (1, 14), "concatenate([x[-1:], x[:-1]])"),
    ("u:[n]; abs(u).max()", "no methods", (1, 18), "write max(...)"),
    ("u:[n]; zeros_like(u)", "unknown function zeros_like", (1, 8), "write 0*x"),
    ("A:[n, n]; x:[n]; A\\x", "from the left", (1, 19), "write solve(A, x)"),
    ("x:(n, m); sum(x)", "brackets", (1, 3), "write [n, m]"),
    ("u, w: [n]; u @ w", "each declaration stands alone", (1, 2), "write u: [n]; v: [n]"),
    ("u: [n], w: [n]; u @ w", "each declaration stands alone", (1, 7), "write u: [n]; v: [n]"),
    ("for i in range(3): x", "for is not part", (1, 1), "each line by itself"),
    ("if x > 0: x", "begin with if", (1, 1), "where(condition, a, b)"),
    ("y = if(x > 0, x, 0)", "begin with if", (1, 5), "where(condition, a, b)"),
    ("exp(x) if x > 0", "the else is missing", (1, 16), "a if condition else b"),
    ("sum(x if x > 0)", "the else is missing", (1, 15), "a if condition else b"),
    ("x^^2", "an operator too many", (1, 3), "x**2"),
    ("norm.cdf(d)", "no methods", (1, 9), "ndtr("),
    ("x*sni(x)", "unknown function sni", (1, 3), "did you mean sin?"),
    ("integral(x)", "unknown function", (1, 1), "no integrals"),
    ("import numpy", "import is not part", (1, 1), "leave it out"),
    ("from math import sin", "from is not part", (1, 1), "leave it out"),
    ("y = lambda t: t", "no functions without a name", (1, 5), "f(x) = 2*x"),
    ("sort(x)", "unknown function", (1, 1), "the language has nothing like it"),
    ("grad(x**2, x)", "unknown function", (1, 1), "fn.gradient"),
    ("Piecewise(x)", "unknown function", (1, 1), "write where(condition, a, b)"),
    ("日本 + sinn(x)", "unknown function", (1, 6), "did you mean sin?"),
)


@pytest.mark.parametrize(("source", "problem", "place", "hint"), HINTED)
def test_what_is_wrong_is_named_where_it_is(source, problem, place, hint):
    with pytest.raises(ac.ExpressionError, match=re.escape(problem)) as caught:
        ac.compile(source)
    assert (caught.value.line, caught.value.column) == place
    assert hint is None or hint in caught.value.hint


def test_carets_stand_under_wide_characters_and_lines_end_before_their_returns():
    with pytest.raises(ac.ExpressionError) as caught:
        ac.compile("日本 + sinn(x)")
    assert str(caught.value).splitlines()[2] == " " * 9 + "^^^^"
    with pytest.raises(ac.ExpressionError) as caught:
        ac.compile("x\r\ny")
    assert "\\r" not in str(caught.value)


def test_an_error_in_a_function_says_where_it_was_called():
    with pytest.raises(ac.ExpressionError) as caught:
        ac.compile("f(a) = a[0] + 1\ng(b) = f(b)*2\nx = 3\ng(x)")
    assert [note.split(" with")[0] for note in caught.value.__notes__] == [
        "in f, called on line 2",
        "in g, called on line 4",
    ]


def test_infinity_is_written_as_a_quotient():
    with pytest.raises(ac.ExpressionError) as caught:
        ac.compile("where(m > 0, x, inf)", inputs="m x")
    assert caught.value.hint == "write 1/0"


def test_the_first_of_several_unknown_names_is_told():
    with pytest.raises(ac.ExpressionError, match=r"^line 1, column 1: q is not an input"):
        ac.compile("x", wrt="q z k")

"""What to write instead: a table for syntax errors, and what is said of shapes and calls."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from ..errors import ExpressionError, nearest
from ..graph import INPUT, Node
from ..primitives import BY_NAME
from ..shapes import extent_names
from .characters import describe

BRACKETS = {")": "(", "]": "[", "}": "{"}
WINDOW = 80


class Hint(NamedTuple):
    """Shown where `before` matches up to the error and `after` matches from it on."""

    before: str
    after: str
    problem: str
    hint: str


NUMBER = r"(?P<number>(?<![\w.])[\d.]+(?:[eE][+-]?\d+)?)\s*$"
NAME = r"(?P<name>[^\W\d]\w*)"
LOOPS = "write sum(f(arange(n))), or each line by itself"
CHOICE = "write a if condition else b, or where(condition, a, b)"
HINTS = (
    Hint(
        r"\b(?:np|numpy|math|sp|sympy|scipy|special|torch|jnp|linalg)\.(?P<function>\w+)$",
        r"\(",
        "functions have plain names",
        "write {function}(...)",
    ),
    Hint(
        r"(?P<name>[^\W\d]\w*)\.(?P<function>\w+)$",
        r"\(\s*\)",
        "arrays have no methods",
        "write {function}({name})",
    ),
    Hint(
        r"(?P<name>[^\W\d]\w*)\.(?P<function>\w+)$",
        r"\((?P<given>[^()\n]*)",
        "arrays have no methods",
        "write {function}({name}, {given})",
    ),
    Hint(r"[)\]]\.(?P<function>\w+)$", r"\(", "arrays have no methods", "write {function}(...)"),
    Hint(
        r"(?:^|[;\n])[ \t]*[^\W\d]\w*\s*:\s*$",
        r"\(?\s*(?P<shape>\w+(?:\s*,\s*\w+)*)",
        "a shape stands in brackets",
        "write [{shape}]",
    ),
    Hint(NUMBER, r"[jJ]\b", "complex numbers are not part of the language", "use real numbers"),
    Hint(r"(?<![\w.])0$", r"[xXoObB]\w", "only decimal numbers are read", "write it in decimal"),
    Hint(NUMBER, NAME, "an operator is missing", "write {number}*{name}"),
    Hint(NUMBER, r"\(", "a number cannot be called", "write {number}*(...)"),
    Hint(
        r"(?<![\w.])[\d.]+$",
        r"\.\d",
        "a number has one decimal point",
        "write one number, such as 1.5",
    ),
    Hint(
        r"\b(?P<word>lambda)\s+$",
        r"",
        "there are no functions without a name",
        "write f(x) = 2*x; f(y)",
    ),
    Hint(
        r"\b(?P<word>from|import)\s+$",
        r"\w",
        "{word} is not part of the language",
        "leave it out: sin, exp and others are there without it",
    ),
    Hint(r"", r"is\b", "is does not compare", "write =="),
    Hint(r"", r"in\b", "in is not part of the language", "write a <= x and x <= b"),
    Hint(r"\w\s+$", r"(?P<word>for|while)\b", "{word} is not part of the language", LOOPS),
    Hint(r"\)\s*$", r"\(", "an operator is missing", "write )*( to multiply"),
    Hint(r"[)\]]\s*$", r"[(\w]", "an operator is missing", "write * to multiply"),
    Hint(r"(?P<function>[^\W\d]\w*)\s*$", r"(?P<word>\w+)", "", "write {function}({word})"),
    Hint(r"_$", r"\{(?P<index>\w+)\}", "LaTeX is not read", "write the name without braces"),
    Hint(r"[\w)\]]\s*$", r"\|\|?", "| is not part of the language", "write `or` for a condition"),
    Hint("", r"\|\s*" + NAME, "| is not part of the language", "write abs({name})"),
    Hint("", r"\|\|?", "| is not part of the language", "write abs(x), or `or` for a condition"),
    Hint(NAME + r"\s*$", r"!(?!=)", "! is not part of the language", "write factorial({name})"),
    Hint(NUMBER, r"!(?!=)", "! is not part of the language", "write factorial({number})"),
    Hint("", r"!(?!=)", "! is not part of the language", "write factorial(x), or `not`"),
    Hint("", r"&&?", "& is not part of the language", "write `and`"),
    Hint("", r"~", "~ is not part of the language", "write `not`"),
    Hint("", r"\\frac", "LaTeX is not read", "write (a)/(b)"),
    Hint(
        r"(?P<left>[^\W\d]\w*)\s*$",
        r"\\\s*" + NAME,
        "there is no division from the left",
        "write solve({left}, {name})",
    ),
    Hint("", r"\\" + NAME, "LaTeX is not read", "write {name} without the backslash"),
    Hint("", r"[\\$]", "LaTeX is not read", "write a plain formula, such as x**2/2"),
    Hint("", r"<<|>>", "shifts are not part of the language", "write 2**n*x"),
    Hint(r"<\s*$", r">", "<> is not part of the language", "write !="),
    Hint(r"=\s*$", r"(?P<sign>[<>])", "={sign} is not part of the language", "write {sign}="),
    Hint("", r"mod\b", "mod is no operator", "write x % y"),
    Hint("", r"div\b", "div is no operator", "write floor(x/y)"),
    Hint("", r"xor\b", "xor is no operator", "write (p) != (q)"),
    Hint(r"\b(?P<word>for|while)\s+$", r"", "{word} is not part of the language", LOOPS),
    Hint(r"(?:^|[;\n=(])\s*$", r"if\b", "a formula does not begin with if", CHOICE),
    Hint(r"\bif\b[^;\n]*$", r"(?=$|[;\n)])", "the else is missing", CHOICE),
    Hint(r"\*\*\s*$|\^\s*$", r"[*^]", "there is an operator too many", "write x**2"),
    Hint(
        r"\b(?P<word>let|var|const|def|return|float|double|class)\s+$",
        r"",
        "{word} is not part of the language",
        "write name = value, and the output on the last line",
    ),
    Hint(r":$", r"=", ":= is not part of the language", "write name = value on a line of its own"),
    Hint("", r"[{}]", "braces are not part of the language", "write ( and )"),
    Hint(r"^\s*$", r"=", "a formula does not begin with =", "leave the = out"),
    Hint("", r"=", "only a name can be assigned", "write name = value, or == to compare"),
    Hint(
        r"\beinsum\(\s*$",
        r"'",
        "labels in single quotes have an arrow",
        'write einsum("ij,jk->ik", A, B)',
    ),
    Hint("", r"[\"'`]", "there are no strings in the language", "write a formula"),
    Hint("", r",(?=[^\n;]*:\s*\[)", "each declaration stands alone", "write u: [n]; v: [n]"),
    Hint("", r",", "a comma only separates arguments", "write [a, b] for a vector"),
    Hint(
        r"[-+*/%^<>=@,]\s*$",
        r"\n",
        "the line ends in the middle of a formula",
        "put the formula in ( ) to continue it on the next line",
    ),
    Hint("", r"\?", "? is not part of the language", "write a if condition else b"),
    Hint(
        r"\b(?!(?:if|else|and|or|not)\b)(?P<left>[^\W\d]\w*)[ \t]+$",
        r"(?!(?:if|else|and|or|not)\b)" + NAME,
        "an operator is missing",
        "write {left}*{name}",
    ),
    Hint(r"%\s*$", r"$", "% is the remainder of a division", "write x/100 for a percentage"),
)

INSTEAD: Mapping[str, str] = {
    "linspace": "write a + (b - a)*arange(n)/(n - 1)",
    "swapaxes": 'write einsum("aij->aji", T)',
    "len": "write the name of its extent: n, after x: [n]",
    "isnan": "write x != x",
    "isfinite": "write x - x == 0",
    "isinf": "write abs(x) == 1/0",
    "diff": "write x[1:] - x[:-1]; fn.derivative(name) is the derivative of a compiled formula",
    "piecewise": "write where(condition, a, b), or a if condition else b",
    "vstack": "write concatenate([A, B])",
    "hstack": "write concatenate([A, B], axis=1), or without the axis for vectors",
    "slogdet": "write logdet(A), the logarithm of abs(det(A))",
    "real": "leave it out: all numbers are real",
    "fact": "write factorial(n)",
    "average": "write mean(x), or sum(w*x)/sum(w)",
    "trapz": "write sum((y[1:] + y[:-1])*(x[1:] - x[:-1]))/2",
    "flatten": "write ravel(A)",
    "astype": "leave it out: results have the type of the arguments",
    "zeros_like": "write 0*x",
    "ones_like": "write 0*x + 1",
    "identity": "write eye(n)",
    "cdf": "write ndtr((x - mu)/sigma) for the normal distribution",
    "pdf": "write its formula",
    "integral": "the language has no integrals; write an antiderivative, if there is one",
    "integrate": "the language has no integrals; write an antiderivative, if there is one",
    "squeeze": "write x[0], or x[:, 0]",
    "take": "write x[i]",
    "moveaxis": 'write einsum("aij->ija", T)',
    "tensordot": 'write einsum("aij,jk->aik", T, A)',
    "trapezoid": "write sum((y[1:] + y[:-1])*(x[1:] - x[:-1]))/2",
    "cumprod": "write exp(cumsum(log(x))) for positive numbers",
    "roll": "write concatenate([x[-1:], x[:-1]])",
    "cross": "write its elements: [a[1]*b[2] - a[2]*b[1], ...]",
}  # for functions that NumPy or SymPy has
WORDS: Mapping[str, str] = {
    "sine": "sin(x)", "cosine": "cos(x)", "tangent": "tan(x)", "logarithm": "log(x)",
    "int": "trunc(x)", "integer": "trunc(x)", "float": "x",
    "print": "what is printed alone, on the last line",
}  # fmt: skip
NUMBERS = {"inf": "write 1/0", "oo": "write 1/0", "nan": "write 0/0"}  # names of NumPy's
MODULES = frozenset({"np", "numpy", "math", "sp", "sympy", "scipy", "special", "linalg", "jnp"})
DERIVATIVES = frozenset({"d", "derivative", "grad", "gradient", "hessian", "jacobian"})
_ABSENT = """
    all any argmax argmin argsort convolve eig eigh eigvals eigvalsh expm fft integrate interp
    matrix_power median pad percentile qr quantile repeat searchsorted sort summation svd tile
    unique
"""
ABSENT = frozenset(_ABSENT.split())  # whose nearest names mean something else

REPLACEMENTS: Mapping[str, str] = {
    "×": "*", "·": "*", "⋅": "*", "∗": "*", "÷": "/", "∕": "/", "−": "-", "–": "-", "—": "-",
    "²": "**2", "³": "**3", "√": "sqrt(...)", "≤": "<=", "≥": ">=", "≠": "!=", "∧": "and",
    "∑": "sum(...)", "°": "radians(...)", "∨": "or", "¬": "not", "∞": "1/0", "½": "1/2",
    "¼": "1/4", "“": "a formula", "’": "'",
}  # fmt: skip


def undeclared(name: str, known: Iterable[str]) -> str:
    """What to write instead of a name that is none of the inputs."""
    if name in MODULES:
        return "functions have plain names: sum(x), not np.sum(x)"
    close = nearest(name, known)
    other = f"did you mean {close}?" if close else "declare it among the inputs"
    return NUMBERS.get(name.lower(), other)


def unknown_function(name: str, known: Iterable[str], source: str) -> tuple[str, str]:
    """`(problem, hint)` for a call of what is no function so far."""
    if name in BY_NAME and not BY_NAME[name].arity:
        return f"{name} is a number", f"write {name} without brackets"
    if re.search(rf"(?m)^(?:.*;)?[ \t]*{name}\([^()]*\)[ \t]*=(?!=)", source):
        hint = "define it on a line before; a function does not call itself"
        return f"{name} is not defined yet where it is called", hint
    return f"unknown function {name}", _instead(name, known)


def _instead(name: str, known: Iterable[str]) -> str:
    if name.lower() in INSTEAD:
        return INSTEAD[name.lower()]
    if name.lower() in DERIVATIVES:
        return "derivatives are asked of the compiled formula: fn.gradient, fn.derivative(name)"
    if name.lower() in WORDS:
        return f"write {WORDS[name.lower()]}"
    if name in ABSENT:
        return "the language has nothing like it; FUNCTIONS.md lists what it has"
    close = nearest(name, known)
    other = f"define {name}(x) = ..., or write {name}*(...) to multiply"
    return f"did you mean {close}?" if close else other


def explain(source: str, position: int) -> tuple[str, str, tuple[int, int] | None] | None:
    """`(problem, hint, span)` for a syntax error at an offset, if the table knows it.

    The span is that of the word before the offset that is wrong, if it is one.
    """
    replacement = REPLACEMENTS.get(source[position : position + 1])
    if replacement:
        return f"{source[position]!r} is not part of the language", f"write {replacement}", None
    before, after = (
        source[max(0, position - WINDOW) : position],
        source[position : position + WINDOW],
    )
    for row in HINTS:
        left, right = re.search(row.before, before), re.match(row.after, after)
        if left and right and (row.problem or _is_application(left["function"])):
            words = {**left.groupdict(), **right.groupdict()}
            hint = _replaced(words) or row.hint.format(**words)
            problem = row.problem or "a function needs parentheses"
            return problem.format(**words), hint, _word_before(left, position - len(before))
    return None


def _word_before(match: re.Match[str], offset: int) -> tuple[int, int] | None:
    if not match.groupdict().get("word"):
        return None
    return offset + match.start("word"), offset + match.end("word")


def _replaced(words: Mapping[str, str]) -> str | None:
    """What to write instead of a method that is no function, or one without these arguments."""
    function = words.get("function", "").lower()
    if function == "transpose" and words.get("given", "").strip():
        return 'write A.T, or einsum("aij->aji", T)'
    return INSTEAD.get(function) if "name" in words else None


def _is_application(name: str) -> bool:
    row = BY_NAME.get(name)
    return row is not None and row.arity > 0


def unbalanced(source: str) -> tuple[int, str] | None:
    """Offset and description of the first bracket that has no partner, if there is one."""
    opened: list[int] = []
    for match in re.finditer(r"[()\[\]{}]|#[^\n]*", source):
        bracket, position = match[0], match.start()
        if bracket in "([{":
            opened.append(position)
        elif bracket in BRACKETS:
            if not opened or source[opened[-1]] != BRACKETS[bracket]:
                return position, f"this {bracket} closes nothing"
            opened.pop()
    return (opened[-1], f"this {source[opened[-1]]} is never closed") if opened else None


def syntax_error(error: UnexpectedInput, source: str) -> ExpressionError:
    """What Lark found wrong, in terms of formulas: the place, the problem and a hint."""
    position, width, at_end = _where(error, source)
    bracket = unbalanced(source)
    if bracket is not None and (at_end or bracket[0] == position or _ends_inside(bracket, source)):
        return ExpressionError(bracket[1], source, (bracket[0], bracket[0] + 1))
    known = explain(source, position)
    if known is not None:
        problem, hint, span = known
        return ExpressionError(problem, source, span or (position, position + width), hint)
    text = source[position : position + min(width, 20)]
    if isinstance(error, UnexpectedCharacters) and not text.isascii():
        problem = f"{_shown(text)} is not part of the language"
        return ExpressionError(problem, source, (position, position + width), _plain(text))
    problem = "the formula ends too early" if at_end else f"unexpected {_shown(text)}"
    expected = _expected(error, source[:position])
    return ExpressionError(f"{problem}; expected {expected}", source, (position, position + width))


def _plain(character: str) -> str | None:
    """The plain form of a character, if it has one: of full width, or of other digits."""
    plain = unicodedata.normalize("NFKC", character)
    digit = unicodedata.decimal(plain, None) if len(plain) == 1 else None
    plain = plain if digit is None else str(digit)
    return f"write {plain}" if plain.isascii() else None


def _ends_inside(bracket: tuple[int, str], source: str) -> bool:
    """Whether a bracket is open at the end of its line, and of the source: what follows is fine."""
    return source[bracket[0]] in "([" and "\n" in source[bracket[0] :]


def _shown(text: str) -> str:
    """A text as it may be echoed; a single character outside ASCII with its name."""
    plain = len(text) > 1 or (text.isascii() and text.isprintable())
    return ascii(text) if plain else f"{text!r} ({describe(text)})"


def _where(error: UnexpectedInput, source: str) -> tuple[int, int, bool]:
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return len(source.rstrip()), 1, True
    position = error.pos_in_stream or 0  # type: ignore[redundant-expr]
    width = len(error.token) if isinstance(error, UnexpectedToken) else 1
    return position, max(1, width), False


OPERAND = {"NAME", "NUMBER", "LPAR"}
OPERATOR = {"PLUS", "TIMES", "POWER"}


def _expected(error: UnexpectedInput, before: str) -> str:
    names: set[str] = set()
    if isinstance(error, UnexpectedToken):
        names = set(error.expected)
    elif isinstance(error, UnexpectedCharacters):
        names = set(error.allowed or ())
    groups = [
        ("else", "ELSE" in names),
        ("a number, a name or (", names >= OPERAND),
        ("an operator", bool(OPERATOR & names) and not names >= OPERAND),
        (")", "RPAR" in names and before.count("(") > before.count(")")),
        ("]", "RSQB" in names and before.count("[") > before.count("]")),
    ]
    return ", ".join(text for text, present in groups if present) or "the end of the formula"


def shape_hint(number: Node) -> str:
    """What to write where an input that was taken for a number has to be an array."""
    if number.op is not INPUT:
        return "write * for numbers"
    return f"write * for numbers, or declare the shape: {number.data}: [n]"


def extents_hint(args: Sequence[Node]) -> str | None:
    """What to write where shapes do not go together, if a name may be meant to be another."""
    shapes = [a.shape for a in args]
    if len(set().union(*map(extent_names, shapes))) < 2:
        return None
    names = sorted({str(e) for shape in shapes for e in shape if not isinstance(e, int)})
    if len(names) < 2:
        return None
    return f"extents that are always equal have one name; these are {', '.join(names)}"


def usage(name: str) -> str | None:
    """How a row of the table is called."""
    row = BY_NAME.get(name)
    return f"write {name}({', '.join(row.args)})" if row else None

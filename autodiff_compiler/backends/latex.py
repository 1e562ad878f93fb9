"""LaTeX, for traces and formulas."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from ..graph import Node
from ..primitives import Primitive
from ..primitives.arithmetic import POWER, PRODUCT, REMAINDER, SIGN
from ..primitives.ieee import Number
from ..shapes import Extent
from .base import ATOM, NAME, Spelling, literal
from .notation import latex as array_latex

SMALL = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau"
LARGE = "upsilon phi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"
GREEK = frozenset(f"{SMALL} {LARGE}".split())
COMMANDS = dict(zip("αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ", f"{SMALL} {LARGE}".split(), strict=True))
OPERATORS = frozenset({"sin", "cos", "tan", "sinh", "cosh", "tanh", "arcsin", "arccos", "arctan",
                       "sec", "csc", "cot", "coth", "exp", "log"})  # fmt: skip
TALL = re.compile(r"\\(frac|sum|prod|sqrt|begin)(?![a-z])")
ACCENTS = {"_dot": r"\dot", "_bar": r"\bar"}


class LatexSpeller:
    """Rows by their `latex` template, or as operator names."""

    keywords: frozenset[str] = frozenset()

    def constant(self, value: Number) -> Spelling:
        text = number(repr(value))
        spelled = literal(text.replace("{", "{{").replace("}", "}}"))
        level = PRODUCT if r"\cdot" in text else POWER if "^" in text else spelled.precedence
        return spelled._replace(precedence=min(level, spelled.precedence))

    def spell(self, row: Primitive) -> Spelling:
        return _spelling(row)

    def spell_node(self, node: Node, _size: Callable[[Extent], str]) -> Spelling:
        """How an operation on arrays is written."""
        return array_latex(node)


def brackets(text: str) -> str:
    """Brackets as tall as what they are around."""
    return rf"\left({text}\right)" if TALL.search(text) else f"({text})"


NOT_FINITE = {"inf": r"\infty", "-inf": r"-\infty", "nan": r"\mathrm{nan}"}


def number(text: str) -> str:
    """A number's text: infinities as symbols, powers of ten written out."""
    if text in NOT_FINITE:
        return NOT_FINITE[text]
    mantissa, _, exponent = text.partition("e")
    if not exponent:
        return mantissa
    power = rf"10^{{{int(exponent)}}}"
    return mantissa[:-1] + power if mantissa in ("1", "-1") else rf"{mantissa} \cdot {power}"


@cache
def _spelling(row: Primitive) -> Spelling:
    text = row.latex or _operator(row)
    for k, name in enumerate(row.args):
        text = text.replace(f"{{{name}}}", f"{{{k}}}")
    if not row.args or text.startswith(r"\left"):  # which closes itself
        return Spelling(text, NAME, (0,) * row.arity)
    if row.latex is None or not row.symbol or row.name == "divide":
        return Spelling(text, ATOM, (0,) * row.arity)
    level = row.precedence
    if row.arity == 1:
        return Spelling(text, level, (PRODUCT if level == SIGN else level,))
    if level == POWER:
        return Spelling(text, level, (NAME, 0))
    if level == REMAINDER:
        return Spelling(text, level, (level, POWER))
    # A person writes no brackets inside a product, or a sum of sums.
    return Spelling(text, level, (level, level + (not row.commutative)))


def _operator(row: Primitive) -> str:
    name = rf"\{row.name}" if row.name in OPERATORS else rf"\operatorname{{{{{escape(row.name)}}}}}"
    return rf"{name}\left({', '.join(f'{{{a}}}' for a in row.args)}\right)" if row.args else name


def escape(text: str) -> str:
    """Text that LaTeX prints as it is."""
    special = {"\\": r"\textbackslash ", "~": r"\textasciitilde ", "^": r"\textasciicircum "}
    return re.sub(r"[\\~^&%$#_{}]", lambda m: special.get(m[0], "\\" + m[0]), text)


def letters(text: str) -> str:
    """Text in mathematics: Greek letters as commands, those of other alphabets as text."""
    return re.sub(r"[^\x00-\x7f]", _letter, escape(text))


def _letter(match: re.Match[str]) -> str:
    command = COMMANDS.get(match[0])
    return rf"{{\{command}}}" if command else rf"\text{{{match[0]}}}"


def symbol(name: str) -> str:
    r"""A name: `x1` as `x_{1}`, `alpha` as `\alpha`, `v3_bar` as `\bar{v}_{3}`."""
    accents = ""
    while name[-4:] in ACCENTS and len(name) > 4:
        accents, name = accents + ACCENTS[name[-4:]] + "{", name[:-4]
    stem, index = _split(name)
    stem = COMMANDS.get(stem, stem)
    if stem in GREEK:
        stem = f"\\{stem}"
    else:
        stem = rf"\mathit{{{letters(stem)}}}" if len(stem) > 1 else letters(stem)
    closed = accents + stem + "}" * accents.count("{")
    return f"{closed}_{{{letters(index)}}}" if index else closed


def _split(name: str) -> tuple[str, str]:
    match = re.fullmatch(r"([^\W\d_]+)_?(-?[0-9][0-9_]*|_?[^\W_]\w*)?", name)
    if match is None:
        return name, ""
    if match[2] is None or re.fullmatch(r"[^\W\d_]+", name):
        return match[1], match[2] or ""
    return match[1], match[2]

"""Hostile strings: none is evaluated, none breaks out of what it is written into."""

from __future__ import annotations

import ast
import html.parser
import json
import re
import subprocess
import sys

import pytest

import autodiff_compiler as ac
from autodiff_compiler import allowlist
from autodiff_compiler.cli import main
from autodiff_compiler.primitives import TABLE

EVIL = "__import__('os').system('touch MARK')"
COMMENTS = [
    '"""', "'''", "\\", '\\"""', '"""\n\nopen("MARK", "w")\n"""', "\\N{BULLET} \\x41 \\u0041",
    EVIL, "{x} {0} %s $x$", "<script>alert(1)</script>", '"];evil[label="y', "] --> evil; %%{init}%%",
    "\\end{array}\\input{/etc/passwd}", "|a|b|\n|---|", "```", "😀 ٣ 中文 שלום", "# type: ignore",
    "-*- coding: rot13 -*-", "\f", "\t", "x" * 5_000,
]  # fmt: skip
NAMES = [
    "np + numpy + math + x", "lambda*class + None_", "open*eval + exec", "__x + x__*_", "self*value*gradient",
    "t1*t2 + sin(t1*t2)", "v1*sin(v1)", "shape*_full*_floats*special", "_general*float/TypeError", "é*ñ_1 + ü",
    "α*θ_max + Δx", "速度*時間", "скорость**2", "שלום*عدد", "x1_dot*x1_bar*x1", "primals*tangents*cotangent",
    "gradient_ieee*log(x)", "ｆｕｌｌ*x", "e_*pi_", "array*sqrt(array)", "a_1_2_3*x_",
]  # fmt: skip
SOURCES = ["x*y # " + text.replace("\n", "\n# ") for text in COMMENTS] + NAMES[:-1]


def functions(text):
    return [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]


@pytest.mark.parametrize("source", SOURCES, ids=ascii)
def test_generated_modules_hold_the_functions_and_nothing_else(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    fn = ac.compile(source)
    for target in ("python", "numpy"):
        text = fn.source("value", "gradient", target=target)
        found = [n for n in functions(text) if not n.startswith("_")]
        assert {n.rstrip("_").removesuffix("_ieee") for n in found} == {"value", "gradient"}
        kinds = {type(node) for node in ast.parse(text).body[1:]}
        assert kinds <= {ast.FunctionDef, ast.Import, ast.ImportFrom, ast.Assign}
        names: dict = {}
        exec(text, names)
        point = [0.5 + k for k in range(len(fn.inputs))]
        assert names["gradient"](*point) == fn.gradient(*point)
        assert all(c.isprintable() or c == "\n" for c in text + (names["__doc__"] or ""))
    assert list(tmp_path.iterdir()) == []


class Balanced(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], set()

    def handle_starttag(self, tag, attrs):
        assert attrs == []
        self.open.append(tag)
        self.seen.add(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("source", SOURCES, ids=ascii)
def test_traces_and_drawings_of_hostile_sources_are_well_formed(source):
    fn = ac.compile(source)
    at = [0.5] * len(fn.inputs)
    for mode in ("primal", "forward", "reverse"):
        trace = fn.trace(mode, at=at)
        parser = Balanced()
        parser.feed(trace.html())
        assert parser.open == []
        assert parser.seen <= {"table", "caption", "tr", "th", "td"}
        assert [s["title"] for s in json.loads(trace.json())] == [s.title for s in trace.sections]
        assert {line.count("|") for line in trace.markdown().splitlines() if line[:1] == "|"} == {4}
        assert trace.text().replace("\n", "").isprintable()
        check_latex(trace.latex())
    check_dot(fn.graph().dot())
    for line in fn.graph().mermaid().splitlines()[1:]:
        assert re.fullmatch(r'  \w+(\["[^"<>&]*"\]| --> \w+)', line), line


def check_latex(text):
    assert text.isascii() or re.fullmatch(r"(?:[\x00-\x7f]|\\text\{[^\x00-\x7f]\})*", text)
    plain = re.sub(r"\\.", "", text)
    assert plain.count("{") == plain.count("}")
    assert set(re.findall(r"\\(?:begin|end)\{\w+\}", text)) == {"\\begin{array}", "\\end{array}"}


def check_dot(text):
    first, *lines, last = text.splitlines()
    assert (first, last) == ("digraph trace {", "}")
    for line in lines[2:]:
        assert re.fullmatch(r'  \w+( \[label="(?:[^"\\]|\\.)*"\]| -> \w+);', line), line


@pytest.mark.parametrize(
    "text", [*COMMENTS[:6], EVIL, "\x1b]0;title\x07", "<b>", "x\u202e"], ids=ascii
)
def test_errors_are_safe_to_print(text, capsys):
    for source in (f"sinn(x) + {text}", f"x + {text} y z", f"{text}"):
        with pytest.raises(ac.ExpressionError) as caught:
            ac.compile(source)
        assert str(caught.value).replace("\n", "").isprintable()
    assert main(["eval", "x", "--at", f"{text}=1"]) == 2
    assert capsys.readouterr().err.replace("\n", "").isprintable()


def test_a_repr_is_one_printable_line():
    assert repr(ac.compile("x*y # \tok\r\n")).isprintable()


def test_a_docstring_says_what_the_source_says():
    source = 'x*y # """ \\ \\x41 \' {0}'
    names: dict = {}
    exec(ac.compile(source).source(), names)
    assert source in names["__doc__"]


# Names that are allowed, although some of their letters have spellings or neighbours elsewhere.
@pytest.mark.parametrize(
    ("source", "inputs"),
    [
        ("α + a*ρ - p", ("α", "a", "ρ", "p")), ("ν_max*ν0", ("ν_max", "ν0")), ("Δx/Δt", ("Δx", "Δt")),
        ("dθ*σ_x*λmax", ("dθ", "σ_x", "λmax")), ("Ω*ω + γ*y", ("Ω", "ω", "γ", "y")), ("ısı*2", ("ısı",)),
        ("а*б", ("а", "б")), ("速度*t", ("速度", "t")), ("ｘ + x", ("x",)), ("ſ + s + ℓ + l", ("s", "l")),
        ("\ufeffx + 1", ("x",)), ("x # 👨\u200d👩 ok \u2014", ("x",)), ("x\r\n", ("x",)), ("ν*u", ("ν", "u")),
    ],
)  # fmt: skip
def test_letters_of_other_alphabets_are_names(source, inputs):
    assert ac.compile(source).inputs == inputs


CODE_POINTS = {
    "x\u202e + 1": "U+202E RIGHT-TO-LEFT OVERRIDE", "x # \u2067hi": "U+2067 RIGHT-TO-LEFT ISOLATE",
    "x # \u200fhi": "U+200F RIGHT-TO-LEFT MARK", "x\u200b": "U+200B ZERO WIDTH SPACE",
    "x\u200dy": "U+200D ZERO WIDTH JOINER", "x + \ufeff1": "U+FEFF ZERO WIDTH NO-BREAK SPACE",
    "x\u00ady": "U+00AD SOFT HYPHEN", "\u3164": "U+3164 HANGUL FILLER", "x\u115f": "U+115F HANGUL CHOSEONG",
    "x\ufe0f": "U+FE0F VARIATION SELECTOR-16", "x\U000e0100": "U+E0100", "x\u034f": "U+034F COMBINING GRAPHEME",
    "x\U000e0041": "U+E0041 TAG LATIN CAPITAL", "x\ue000": "U+E000, a private-use", "x\u0378": "U+0378, no",
    "x\u00a0+ 1": "U+00A0 NO-BREAK SPACE", "x\u2028y": "U+2028 LINE SEPARATOR", "x # \u2029": "U+2029",
    "x # \x1b[2J": "U+001B, a control", "x\x00": "U+0000, a control", "x # \udc80": "U+DC80, a lone",
    "a = 1\r-b": "U+000D, a control", "x # hi\ry": "U+000D", "x\x0b": "U+000B", "x\x85": "U+0085",
    "s\u0456n(x)": "U+0456 CYRILLIC SMALL LETTER BYELORUSSIAN", "\u0391x": "U+0391 GREEK CAPITAL LETTER ALPHA",
    "\u0430 + a": "U+0430 CYRILLIC SMALL LETTER A", "a + \u0430": "U+0430", "\u03bf*o": "U+03BF GREEK",
    "\u03bd*v": "U+03BD GREEK SMALL LETTER NU", "\u0435*x": "U+0435 CYRILLIC SMALL LETTER IE",
    "\u03bf + \u043e": "U+043E", "\u0531\u057d + u\u057d": "U+057D", "\u051dhere(x, 1, 2)": "U+051D",
    "\ufdfa": "U+FDFA", "x\U0001f100": "U+1F100 DIGIT ZERO FULL STOP", "\u0661 + x": "U+0661 ARABIC-INDIC",
    "\u2210x": "U+2210 N-ARY COPRODUCT", "x\u2782": "U+2782",
}  # fmt: skip


@pytest.mark.parametrize("source", CODE_POINTS, ids=ascii)
def test_hidden_and_lookalike_characters_are_refused_by_code_point(source):
    with pytest.raises(ac.ExpressionError) as caught:
        ac.compile(source)
    assert CODE_POINTS[source] in caught.value.problem, caught.value.problem
    shown = str(caught.value)
    assert not set(shown) & set("\u202e\u200b\u2067\u3164\ufe0f\u034f\x1b\x00")
    place = caught.value.span[0]
    assert not source[place : caught.value.span[1]].isascii() or source[place] < " "


def test_inputs_are_looked_at_too():
    for name in ("x\u3164", "x\u115f"):
        with pytest.raises(ac.ExpressionError, match=r"U\+\w+ HANGUL"):
            ac.compile(f"{name} + 1", inputs=[name])
    with pytest.raises(ac.ExpressionError, match=r"U\+0430"):
        ac.compile("a + 1", inputs=["a", "\u0430"])
    with pytest.raises(ac.ExpressionError, match=r"U\+0456"):
        ac.compile("x", inputs=["x", "\u0456nt"])


@pytest.mark.parametrize("count", [30, 100_000])
def test_blanks_before_an_error_take_no_time(count):
    with pytest.raises(ac.ExpressionError):
        ac.compile("x" + " " * count + "$")
    with pytest.raises(ac.ExpressionError, match="unknown function foo"):
        ac.compile("\n" * count + " " * count + "foo(1)")


def load(text, names=()):
    return allowlist.compiled(text, "<test>", dict.fromkeys(names))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("import os", "import of os"), ("from os import system", "import of os"), ("x = [1]; del x[0]", "a changed element"),
        ("def f(x):\n return open(x)", "unknown name open"), ("def f(x):\n return x.func", "attribute func"),
        ("def f(x):\n return x.__globals__", "attribute __globals__"), ("f = lambda x: x", "Lambda"),
        ("def f(x):\n global y\n y = x", "Global"), ("class A: pass", "ClassDef"), ("open('x')", "name open"),
        ("def f(x):\n return eval(x)", "name eval"), ("def f(x):\n while x: pass", "While"),
        ("def f(x):\n return f'{x}'", "JoinedStr"), ("def f(x):\n x.shape = 1", "changed attribute"),
        ("def f(x):\n return x[__import__('os')]", "name __import__"), ("def f(__class__): pass", "__class__"),
        ("def f(x):\n return 1j", "constant"), ("def f(x):\n return b''", "constant"), ("__name__ = 1", "__name__"),
        ("def f(x):\n yield x", "Yield"), ("async def f(x): pass", "Async"), ("def f(x):\n return (y := x)", "NamedExpr"),
        ("def f(x):\n return ().__class__.__bases__", "__bases__"), ("def f(x):\n return {x: 1}", "Dict"),
        ("def f(x):\n import math\n return math.sys", "attribute sys"), ("from math import *", r"\*"),
        ("def f(x):\n raise x", "Raise"), ("assert x", "Assert"),
    ],
)  # fmt: skip
def test_nothing_off_the_allowlist_is_run(text, what):
    with pytest.raises(allowlist.GeneratedCodeError, match=what):
        load(text)
    with pytest.raises(allowlist.GeneratedCodeError, match=what):
        allowlist.inspect(text)


def test_generated_code_cannot_reach_other_builtins_or_modules():
    assert not {"open", "eval", "exec", "getattr", "compile", "vars"} & set(allowlist.BUILTINS)
    with pytest.raises(allowlist.GeneratedCodeError, match="import of os"):
        exec("import os", {"__builtins__": allowlist.BUILTINS})
    fn = ac.compile("exp(x)*y")
    assert set(fn.gradient.__globals__["__builtins__"]) == set(allowlist.BUILTINS)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("row", [r for r in TABLE if r.args and not r.symbol], ids=lambda r: r.name)
def test_every_row_of_the_table_passes_both_checks(row, monkeypatch):
    """The tree is inspected for each text, and no text is unknown to the quick check."""
    texts = []
    quick = allowlist._is_known
    monkeypatch.setattr(allowlist, "_is_known", lambda *a: texts.append(quick(*a)))
    args = ", ".join(row.args)
    fn = ac.compile(
        f"{row.name}({args})" if row.name != "where" else "where(x > y, x, y)", cache=False
    )
    names = [n for n, p in zip(row.args, row.partials, strict=True) if p] or None
    fn = ac.compile(
        fn.formula, inputs=fn.inputs, wrt=names if row.name != "where" else None, cache=False
    )
    for target in ("python", "numpy"):
        fn.source("value", target=target)
    fn.value(*[1.0] * len(fn.inputs))
    fn.value(*[[1.0, 2.0]] * len(fn.inputs))
    assert texts
    assert all(texts)


def test_importing_a_saved_module_does_nothing_else(tmp_path):
    fn = ac.compile(f"log(x)*y # {EVIL}\n")
    fn.save(tmp_path / "saved.py", target="numpy")
    done = subprocess.run(
        [sys.executable, "-B", "-c", "import saved; print(saved.value(1.0, 2.0))"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "0.0\n"
    assert [p.name for p in tmp_path.iterdir()] == ["saved.py"]

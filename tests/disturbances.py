"""Texts that are almost programs, and texts that are nothing: whatever they are, one error says so."""

from __future__ import annotations

import math
import random
import re

import autodiff_compiler as ac
from autodiff_compiler.primitives import special

TOKEN = re.compile(r"\w+|\s+|\*\*|[<>=!]=|.", re.DOTALL)
ODD = (
    "(", ")", "[", "]", "{", "}", ",", ";", "\n", "\r", "=", "==", ":=", "**", "^", "'", '"', "`", "@",
    ".", "..", "...", ":", "%", "//", "!", "~", "&", "|", "<>", "<<", "\\", "\\\n", "#", "$", "?", "²",
    "½", "×", "√", "∞", "−", "\x00", "\x1b[31m", "\ufeff", "\u2028", "\u200b", "\ud800", "𝑥", "ﬁ", "ⅷ",
    "٣", "if", "else", "and", "or", "not", "None", "True", "lambda", "import", "1e", "1e999", "0x1f",
    "1_", "1__0", "9" * 400, "f(x) =", "f(x, x) =", "[x][5]", "[]", "(,)", "x.T", "x.real", "__class__",
    "sin", "where(", "jv(", "expn(", "np.sin(x)", "nan", "inf", "e", "pi", "x x", "2x", "-", "--", "+",
    "\t", "\x0c", "\x0b", "\x85", "\xa0", "a" * 300, "(" * 250, ")" * 250, "-" * 300, "0**-1", "9**9**9",
)  # fmt: skip


def disturbed(rng: random.Random, source: str) -> str:
    """A text made from a program by a few careless edits, or from nothing."""
    kind = rng.random()
    if kind < 0.1:
        return noise(rng)
    tokens = TOKEN.findall(source)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 6))):
        if tokens:
            rng.choice(EDITS)(rng, tokens)
    return "".join(tokens)[: rng.choice((10_000, 10_000, 10_000, len(source) // 2))]


def noise(rng: random.Random) -> str:
    """Random bytes as text, or random characters, or random tokens."""
    count = rng.randint(0, 60)
    data = rng.randbytes(count)
    texts = (
        lambda: data.decode("latin-1"),
        lambda: data.decode("utf-8", "surrogateescape"),
        lambda: data.decode("utf-16", "replace"),
        lambda: "".join(chr(rng.randrange(0x110000)) for _ in range(count)),
        lambda: "".join(rng.choice(ODD) for _ in range(count)),
        lambda: "".join(rng.choice("x1+-*/^()[],;=<> .e\n") for _ in range(count)),
    )
    return rng.choice(texts)()


def _delete(rng, tokens):
    del tokens[rng.randrange(len(tokens))]


def _double(rng, tokens):
    k = rng.randrange(len(tokens))
    tokens.insert(k, tokens[k])


def _swap(rng, tokens):
    j, k = rng.randrange(len(tokens)), rng.randrange(len(tokens))
    tokens[j], tokens[k] = tokens[k], tokens[j]


def _insert(rng, tokens):
    tokens.insert(rng.randrange(len(tokens) + 1), rng.choice(ODD))


def _replace(rng, tokens):
    tokens[rng.randrange(len(tokens))] = rng.choice((*ODD, *tokens))


def _character(rng, tokens):
    tokens.insert(
        rng.randrange(len(tokens) + 1), chr(rng.choice((rng.randrange(128), rng.randrange(0x3000))))
    )


EDITS = (_delete, _double, _swap, _insert, _insert, _replace, _replace, _character)


# Far out, where a disturbed argument may lie, SciPy's functions of several arguments take for ever.
ENDLESS = re.compile(
    rf"\b({'|'.join(n for r in special.ROWS if r.arity > 1 for n in (r.name, *r.aliases))})\b"
)


def survives(text: str) -> str | None:
    """`None` if a text compiles to functions that give floats, or is refused by the one error."""
    try:
        return _looked_at(text)
    except ac.ExpressionError as error:
        return _explained(error, text)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def _looked_at(text):
    fn = ac.compile(text)
    if ENDLESS.search(text):
        return None
    point = [0.5 + k for k in range(len(fn.inputs))]
    value, partials = fn.value(*point), fn.jacobian(*point)
    kind = float if isinstance(value, float) else type(value)
    if len(partials) != len(fn.inputs) or not all(isinstance(p, kind) for p in partials):
        return f"{value!r} and {partials!r} do not go together"
    return None


def _explained(error, text):
    """An error has its place within the text, and a message that can be printed."""
    start, stop = error.span
    lines = text.count("\n") + 1
    if not (0 <= start <= len(text) + 1 and start <= stop and 1 <= error.line <= lines + 1):
        return f"the error is at {error.span}, line {error.line}"
    printable = all(c.isprintable() or c == "\n" for c in str(error))
    return None if printable and math.isfinite(error.column) else f"unprintable: {str(error)!r}"

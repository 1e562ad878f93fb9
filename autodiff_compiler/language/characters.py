"""Characters that make a text look like another one: hidden, reordering, and lookalike.

After Unicode Technical Standard 39, Unicode Security Mechanisms, and Unicode Standard Annex 31; see
also Boucher and Anderson, Trojan Source (2023).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from ..errors import INVISIBLE, ExpressionError
from ..primitives import BY_NAME, CONSTANTS

LAYOUT = "\t\n\r\f"
# Controls, and a return that ends no line: it would hide what it joins.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]|\r(?!\n|\Z)")
BIDIRECTIONAL = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
BARRED = frozenset({"Cc", "Cs", "Zl", "Zp"})  # general categories refused in comments too
HIDDEN = frozenset({"Cf", "Cn", "Co", "Zs"})
KINDS: Mapping[str, str] = {
    "Cc": "a control character", "Cs": "a lone surrogate", "Co": "a private-use character",
    "Cn": "no character of this Unicode version",
}  # fmt: skip

# The letters of other alphabets that confusables.txt of UTS 39 maps to one Latin letter, as code
# points; without those that formulas set beside it and readers tell apart: alpha, gamma, iota, rho,
# sigma.
TABLE = """
a 0251 0430; b 0184 042C 13CF; c 1D04 2CA5 0441 ABAF; d 0501 13E7 A4D2; e AB32 0435 04BD;
f AB35 A799 1E9D 0584; g 0261 1D83 018D 0581; h 04BB 0570 13C2;
i 0131 026A 0269 0456 A647 AB75 13A5; j 03F3 0458; l 0196 01C0 04C0 04CF; n 0578 057C;
o 1D0F 1D11 AB3D 03BF 2C9F 043E 10FF 0585; p 2CA3 0440; q 051B 0563 0566;
r AB47 AB48 1D26 2C85 0433 AB81; s A731 01BD 0455 ABAA; u A79F 1D1C AB4E AB52 028B 03C5 057D;
v 1D20 03BD 0475 ABA9; w 026F 1D21 0461 051D 0561 AB83; x 0445;
y 0263 1D8C 028F 1EFF AB5A 0443 04AF 10E7; z 1D22 AB93; A 0391 0410 13AA A4EE;
B A7B4 0392 0412 13F4 A4D0; C 2CA4 0421 13DF A4DA; D 13A0 A4D3; E 0395 0415 13AC A4F0;
F A798 03DC A4DD; G 050C 13C0 13F3 A4D6; H 0397 2C8E 041D 13BB A4E7; I 0399 2C92 0406 A4F2;
J A7B2 037F 0408 13AB A4D9; K 039A 2C94 041A 13E6 A4D7; L 2CD0 13DE A4E1;
M 039C 03FA 2C98 041C 13B7 A4DF; N 039D 2C9A A4E0; O 039F 2C9E 041E 0555 A4F3;
P 03A1 2CA2 0420 13E2 A4D1; R 01A6 13A1 13D2 A4E3; S 0405 054F 13D5 13DA A4E2;
T 03A4 2CA6 0422 13A2 A4D4; U 054D A4F4; V 0474 13D9 A4E6; W 051C 13B3 13D4 A4EA;
X A7B3 03A7 2CAC 0425 A4EB; Y 03A5 2CA8 0423 04AE 13A9 13BD A4EC; Z 0396 13C3 A4DC
"""
LOOKALIKES: Mapping[int, str] = {
    int(point, 16): letter
    for letter, *points in map(str.split, TABLE.split(";"))
    for point in points
}
IN_FORMULAS = frozenset("\u03bd\u03c5")  # nu and upsilon also stand inside Latin names: nu_max


def describe(character: str) -> str:
    """A character by its code point and its name: `U+202E RIGHT-TO-LEFT OVERRIDE`."""
    point, name = f"U+{ord(character):04X}", unicodedata.name(character, "")
    return f"{point} {name}" if name else f"{point}, {KINDS[unicodedata.category(character)]},"


def inspect(source: str, text: str, inputs: Iterable[str]) -> None:
    """Refuse what a reader of a source cannot see, or would take for something else.

    `text` is the source without its comments, at the same offsets; `inputs` are names declared
    beside it.  Raises `ExpressionError`.
    """
    if not source.isprintable():
        found = CONTROL.search(source)
        if found:
            raise _refused(source, found.start())
    if source.isascii() and all(map(str.isascii, inputs)):
        return
    places = [source.find(c) for c in set(source) if _is_barred(c)]
    places += [text.find(c) for c in set(text) if _is_hidden(c)]
    if places:
        raise _refused(source, min(places))
    _compare(source, [*((name, None) for name in inputs), *_names(text)])


def _is_barred(character: str) -> bool:
    barred = character in BIDIRECTIONAL or unicodedata.category(character) in BARRED
    return barred and character not in LAYOUT


def _is_hidden(character: str) -> bool:
    hidden = unicodedata.category(character) in HIDDEN and character != " "
    return hidden or INVISIBLE.match(character) is not None


HINTS: Mapping[str, str] = {
    "Zs": "write a plain space",
    "Cn": "use letters of an older Unicode version",
    "\r": "end lines with a line feed",
}


def _refused(source: str, place: int) -> ExpressionError:
    character = source[place]
    hint = HINTS.get(character) or HINTS.get(unicodedata.category(character))
    return ExpressionError(
        f"{describe(character)} is not part of the language",
        source,
        (place, place + 1),
        hint or "delete it: it does not show, or changes how the rest shows",
    )


def _names(text: str) -> Iterator[tuple[str, int]]:
    for match in re.finditer(r"[^\W\d]\w*", text):
        yield unicodedata.normalize("NFKC", match[0]), match.start()


def _compare(source: str, names: Iterable[tuple[str, int | None]]) -> None:
    """Refuse names that mix alphabets so as to look Latin, and names that look like another one."""
    seen: dict[str, tuple[str, int | None]] = {name: (name, None) for name in _known()}
    for name, place in names:
        plain = name.translate(LOOKALIKES)
        if not name.isascii():
            _check_alphabets(source, name, plain, place)
        other, before = seen.setdefault(plain, (name, place))
        if other != name:
            pair = (name, other, place) if plain != name else (other, name, before)
            raise _lookalike(source, *pair)


@cache
def _known() -> Sequence[str]:
    """Every name with a meaning of its own, and `if` and the like."""
    words = ("and", "or", "not", "if", "else", "True", "False", "None")
    return (*BY_NAME, *CONSTANTS, *words)


def _check_alphabets(source: str, name: str, plain: str, place: int | None) -> None:
    latin = any(map(_is_latin, name))
    for letter in name:
        foreign = ord(letter) in LOOKALIKES and not _is_latin(letter)
        if latin and foreign and letter not in IN_FORMULAS:
            problem = f"{name} mixes alphabets: {describe(letter)} looks like a Latin letter"
            raise _at(source, place, len(name), problem, f"write {plain}")


def _is_latin(character: str) -> bool:
    return unicodedata.name(character, "").startswith("LATIN ")


def _lookalike(source: str, name: str, other: str, place: int | None) -> ExpressionError:
    letter = next(c for c in name if ord(c) in LOOKALIKES)
    problem = f"{name}, with {describe(letter)}, looks like {other}, which is another name"
    return _at(source, place, len(name), problem, "spell both alike, or rename one")


def _at(source: str, place: int | None, width: int, problem: str, hint: str) -> ExpressionError:
    start = place or 0
    return ExpressionError(problem, source, (start, start + width), hint)

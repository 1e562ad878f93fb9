"""Text to tokens: one regular expression made of the grammar's terminals.

Lark's own lexers give each token its line and column, which only errors need; this one keeps the
offset, and takes a third of the time.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from lark.common import LexerConf
from lark.exceptions import UnexpectedCharacters
from lark.lexer import Lexer, TerminalDef


class Word(str):
    """A token: its text, its terminal, and its offset in the source."""

    __slots__ = ("start_pos", "type")

    type: str
    start_pos: int
    line = column = end_line = end_column = end_pos = None  # what Lark copies to the end token


class FormulaLexer(Lexer):
    """Terminals tried in the order of their priority, the longer pattern first."""

    def __init__(self, conf: LexerConf) -> None:
        ordered = sorted(conf.terminals, key=_rank)
        self._keywords = {t.pattern.value: t.name for t in ordered if t.pattern.value.isalpha()}
        patterns = [
            f"(?P<{t.name}>{t.pattern.to_regexp()})"
            for t in ordered
            if t.name not in conf.ignore and t.name not in self._keywords.values()
        ]
        skipped = "|".join(t.pattern.to_regexp() for t in ordered if t.name in conf.ignore)
        # Atomic, because blanks that may be split in many ways would all be tried before an error.
        anything = f"{'|'.join(patterns)}|(?P<end>$)|(?P<other>.)"
        self._find = re.compile(f"(?>(?:{skipped})*)(?:{anything})", re.DOTALL).finditer

    def lex(self, data: str) -> Iterator[Any]:  # type: ignore[override]  # a text is all it needs
        """The tokens of a text; raises Lark's `UnexpectedCharacters`."""
        keywords, is_plain = self._keywords, data.isascii()
        for match in self._find(data):
            kind, group = str(match.lastgroup), match.lastindex or 0
            if kind == "end":
                return
            if kind == "other":
                raise _unexpected(data, match.start())
            text = match[group]
            if not is_plain and not text.isascii():
                text = _normalised(data, match.start(group), text)
            if kind == "NAME":
                kind = keywords.get(text, kind)
                if kind == "NEWAXIS" and not _ENDS_ITEM(data, match.end()):
                    kind = "NAME"  # None is a new axis in an index, and no value elsewhere
            word = Word(text)
            word.start_pos, word.type = match.start(group), kind
            yield word


_ENDS_ITEM = re.compile(r"[ \t]*[,\]]").match


def span(token: Word) -> tuple[int, int]:
    """Where a token stands in the source."""
    return token.start_pos, token.start_pos + len(token)


def _rank(terminal: TerminalDef) -> tuple[int, bool, int]:
    pattern = terminal.pattern
    return -terminal.priority, pattern.type != "str", -len(pattern.value)


def _normalised(source: str, start: int, text: str) -> str:
    """The names in a token as Python reads them: some characters are spellings of others."""

    def spell(match: re.Match[str]) -> str:
        name = unicodedata.normalize("NFKC", match[0])
        if not name.isidentifier():
            raise UnexpectedCharacters(source, start + match.start() + _culprit(match[0]), 0, 0)  # type: ignore[no-untyped-call]
        return name

    return re.sub(r"\w+", spell, text)


def _culprit(word: str) -> int:
    """Where a word has its first character that no name may have; some stand for spaces or dots."""
    spelt = ("_" * (k > 0) + unicodedata.normalize("NFKC", c) for k, c in enumerate(word))
    return next((k for k, text in enumerate(spelt) if not text.isidentifier()), 0)


def _unexpected(text: str, position: int) -> UnexpectedCharacters:
    """An error at the first character after blanks from `position`."""
    blanks = re.compile(r"[ \t\r\f]*").match(text, position)
    start = blanks.end() if blanks else position
    return UnexpectedCharacters(text, start, 0, 0)  # type: ignore[no-untyped-call]


_LAYOUT = re.compile(r"#[^\n]*|\\\r?\n|[(\[{]|[)\]}]|\n")


def flatten(source: str) -> str:
    """The source with comments, line breaks inside brackets and a leading byte-order mark blanked.

    Every other character keeps its offset.
    """
    source = source.replace("\ufeff", " ", 1) if source.startswith("\ufeff") else source
    if "\n" not in source and "#" not in source:
        return source
    depth = 0

    def blank(match: re.Match[str]) -> str:
        nonlocal depth
        text = match[0]
        depth = max(0, depth + (text in "([{") - (text in ")]}"))
        return " " * len(text) if text[0] in "#\\" or (text == "\n" and depth) else text

    return _LAYOUT.sub(blank, source)


def statement_start(text: str, number: int) -> int:
    """The offset at which a statement of a flattened source begins, counted from 0."""
    found = re.finditer(r"[^;\n\s][^;\n]*", text)
    return next(itertools.islice(found, number, None)).start()

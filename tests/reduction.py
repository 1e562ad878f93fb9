"""A failing source made shorter for as long as it fails."""

from __future__ import annotations

import re

MAX_TRIES = 400


def reduced(source, fails):
    """The shortest text found for which `fails(text)` still holds."""
    tries = 0
    while True:
        for candidate in sorted(set(candidates(source)), key=lambda text: (len(text), text)):
            tries += 1
            if tries > MAX_TRIES:
                return source
            if len(candidate) < len(source) and fails(candidate):
                source = candidate
                break
        else:
            return source


def candidates(source):
    """Shorter texts: a statement, a call, a bracket or a term less."""
    statements = re.split(r"\s*[;\n]\s*", re.sub(r"#[^\n]*", "", source.strip("\ufeff")))
    if len(statements) > 1:
        yield from ("\n".join(statements[:k] + statements[k + 1 :]) for k in range(len(statements)))
    for start, opened, stop in _calls(source):
        inside = source[opened + 1 : stop - 1]
        for short in ("x", "1", *_arguments(inside), *(f"({a})" for a in _arguments(inside))):
            yield source[:start] + short + source[stop:]
    for match in re.finditer(r"[-+*/%^]+\s*[\w.]+|[\w.]+\s*[-+*/%^]+|\bnot |\w+ (and|or) ", source):
        yield source[: match.start()] + source[match.end() :]
    yield " ".join(source.split(" ")) if "  " in source else source
    for match in re.finditer(r"[\w.]{2,}(?!\w*\()", source):
        yield source[: match.start()] + "x" + source[match.end() :]


def _calls(source):
    """Where each bracket begins (its function's name included), opens and ends."""
    opened = []
    for k, character in enumerate(source):
        if character in "([":
            opened.append(k)
        elif character in ")]" and opened:
            at = opened.pop()
            name = re.search(r"\w*$", source[:at])
            yield name.start(), at, k + 1


def _arguments(inside):
    depth, start = 0, 0
    for k, character in enumerate(inside):
        depth += (character in "([") - (character in ")]")
        if character == "," and not depth:
            yield inside[start:k].strip()
            start = k + 1
    yield inside[start:].strip()

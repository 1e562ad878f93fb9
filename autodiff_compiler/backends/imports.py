"""The import statements of a generated module."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

from .base import HERE, Import
from .text import WIDTH, wrap


def imports(wanted: Iterable[Import]) -> Iterator[str]:
    """Import statements, sorted, Python's own modules first; builtins only under another name."""
    own = [w for w in wanted if w.module.partition(".")[0] in sys.stdlib_module_names]
    others = [w for w in wanted if w.module != HERE and w not in own]
    first, second = [*_imports(own)], [*_imports(others)]
    yield from (*first, *[""] * bool(first and second), *second)


def _imports(wanted: Iterable[Import]) -> Iterator[str]:
    modules: dict[str, list[str]] = {}
    for module, name, local in sorted(wanted):
        if not name:
            yield f"import {module}" + (f" as {local}" if local != module else "")
        elif module != "builtins" or local != name:
            modules.setdefault(module, []).append(name if local == name else f"{name} as {local}")
    for module, names in modules.items():
        text = f"from {module} import {', '.join(names)}"
        long = len(text) > WIDTH
        yield from wrap(f"from {module} import ({', '.join(names)})", "") if long else (text,)

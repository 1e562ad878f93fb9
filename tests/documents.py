"""The documents that are made from the code: `python tests/documents.py` writes them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from test_architecture import FLOORS, PACKAGE, ROOT

from autodiff_compiler.language.arrays import FUNCTIONS
from autodiff_compiler.laws.stable import STABLE
from autodiff_compiler.primitives import ARRAYS, TABLE


def functions() -> str:
    """The text of FUNCTIONS.md, from the table."""
    lines = [
        "# The functions",
        "",
        "Each with its partials by its arguments, in the language; `out` is the function's own value.",
        "",
        "| function | also | partials | remarks |",
        "|---|---|---|---|",
    ]
    for row in TABLE:
        if row.args and not row.symbol:
            partials = ", ".join(_partial(text) for text in row.partials)
            also = ", ".join(f"`{alias}`" for alias in row.aliases)
            cells = [f"`{row.name}({', '.join(row.args)})`", also, partials, row.note]
            lines.append(f"| {' | '.join(cells)} |".replace("  ", " "))
    return "\n".join([*lines, "", *array_functions(), ""])


NAMED = "of one array, the axis by its name, `axis=0`; `{0}(x, 0)` looks at each element and 0"
REMARKS = {name: NAMED.format(name) for name in ("max", "min")}


def array_functions() -> Iterator[str]:
    """The functions of arrays, with what may be left out in brackets."""
    yield from ("## Of arrays", "", "| function | remarks |", "|---|---|")
    for name, function in FUNCTIONS.items():
        required, _, optional = (part.split() for part in function.parameters.partition("*"))
        inside = ", ".join([*required, *["..."] * function.rest, *(f"[{o}]" for o in optional)])
        note = ARRAYS[name].note if name in ARRAYS else REMARKS.get(name, "")
        yield f"| `{name}({inside})` | {note} |".replace("  ", " ")


def _partial(text: str | None) -> str:
    return "none" if text is None else "a difference" if "4/105" in text else f"`{text}`"


def rewrites() -> str:
    """The text of REWRITES.md, from the rows of the pass."""
    lines = [
        "# The stable rewrites",
        "",
        "What `compile` writes instead of formulas that cancel, overflow or divide 0 by 0, unless",
        "`stable=False`. A letter stands for any expression, `n` for a constant; `out` is the pattern as",
        "it was written. A difference stands also for the one the other way round, with the other sign.",
        "With `d = x - y`, a law applies only where terms of the difference cancel, as",
        "in `sqrt(t + 1) - sqrt(t)`; with `r = y/x`, where one is a constant times the other, or both have",
        "a factor in common, as in `sin(a*t)/t`. Quotients are in lowest terms: common factors are gone, and",
        "so are common divisors of polynomials in one variable, as in `(t**3 - 8)/(t - 2)`. A constant counts",
        "as a value of the function beside it, as in `sin(1 + t) - sin(1)` and `(2**t - 8)/(t - 3)`; and",
        "`(1 + t)**5 - 1` is `t` times a sum of powers. What one formula is at two points, as `f(t + h) - f(t)`,",
        "is taken apart by rules for the differences of products, quotients and the functions below, and so is",
        "`(f(t + h) - f(t))/h`. Some more look at sums of up to 512 terms:",
        "`sqrt(x**2 + y**2 + ...)` is `hypot(x, y, ...)`, also with a constant before it or as a power",
        "between 0.5 and 1, and `hypot(x, y, ...)**2` is the sum again;",
        "`log(exp(x) + exp(y) + ...)` is `logaddexp(x, y, ...)`, and one exponential divided by a sum of them is",
        "`expit` of a difference. Of arrays, `sqrt(sum(x**2)/y)` and `sqrt(x @ x)` are norms,",
        "`log(sum(exp(x))/y)` is `logsumexp(x) - log(y)`, and `exp(x)/sum(exp(x))` is `softmax(x)`; the logarithm",
        "of that, and `x - logsumexp(x)`, is `log_softmax(x)`. With weights, `log(sum(b*exp(x)))` is",
        "`logsumexp(x, b=b)`, and `sum(b*exp(x))/sum(exp(x))` is `sum(b*softmax(x))`, also as `exp(x) @ b`; where",
        "only some count, `where(c, exp(x), 0)` is `exp(where(c, x, -inf))`. `log(prod(x))` is a sum of logarithms.",
        "In whatever order, `x*x + y*y - 2*x*y*cos(t)` is `(x - y)**2 + 4*x*y*sin(t/2)**2` where `x*y > 0`, and",
        "`arccos((x*x + y*y - z*z)/(2*x*y))` is by the sides of the triangle; `x*log(x/y) - x + y` is `kl_div(x, y)`;",
        "`n*(w - 1 - log(w))` is `n*expm1mx(log(w))` where `w` is near 1, a ratio, its inverse or the square of one.",
        "`y*f(x) - y` is `y*(f(x) - 1)` for functions that are 1 at 0.",
        "",
        "| pattern | replacement | with | because | apart from |",
        "|---|---|---|---|---|",
    ]
    for law in STABLE:
        apart = f"not `{law.holds}`" if law.holds else "what has a name" * law.alone
        given = f"`{law.given}`" if law.given else ""
        cells = [f"`{law.pattern}`", f"`{law.replacement}`", given, law.why, apart]
        lines.append(f"| {' | '.join(cells)} |".replace("  ", " "))
    return "\n".join([*lines, ""])


STOREYS = (
    "What everything stands on",
    "Reading: text to graph",
    "Rewriting and differentiating: graph to graph",
    "Writing and running: graph to code, and to what people look at",
    "What is offered to Python",
    "What is offered to the shell",
)


def modules() -> str:
    """The text of MODULES.md: every module by the first line of its docstring."""
    lines = [
        "# The modules",
        "",
        "Each floor imports only from itself and those above it in this list.",
    ]
    for title, floor in zip(STOREYS, FLOORS, strict=True):
        files = [path for name in floor if (path := PACKAGE / f"{name}.py").exists()]
        lines += ["", f"## {title}", "", *_listed(files)]
        for folder in (PACKAGE / name for name in floor if (PACKAGE / name).is_dir()):
            lines += ["", f"### `{folder.name}/`: {_headline(folder / '__init__.py')}", ""]
            lines += _listed(sorted(folder.glob("*.py")))
    return "\n".join([*lines, ""])


def _listed(paths: list[Path]) -> Iterator[str]:
    for path in paths:
        if path.name != "__init__.py":
            yield f"- `{path.name}`: {_headline(path)}"


def _headline(path: Path) -> str:
    """The first line of a module's docstring."""
    return (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").splitlines()[0]


DOCUMENTS = {"FUNCTIONS.md": functions, "REWRITES.md": rewrites, "MODULES.md": modules}

if __name__ == "__main__":
    for name, text in DOCUMENTS.items():
        (ROOT / name).write_text(text(), encoding="utf-8")

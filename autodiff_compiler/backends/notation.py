"""Operations on arrays as a person writes them: in the language, and in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from ..graph import STACK, Node
from ..primitives import ARRAYS, ArrayPrimitive
from ..primitives.arithmetic import POWER, SUM
from ..primitives.axes import Axes, axis_text, index_text, tuple_text
from ..primitives.linear import MATRIX_PRODUCT
from ..primitives.moving import index_spelling
from .base import ATOM, NAME, Spelling

Write = Callable[[Node], str]
AXIS = r"\mathrm{{axis}} = "  # in a template


def _shape(node: Node) -> str:
    return tuple_text(node.shape, str)


def _axis(node: Node) -> str:
    return f"axis={len(node.shape) + node.data}"


def _scattered(node: Node) -> str:
    index, shape = node.data
    takes = [f"{{{k}}}" for k in range(1, len(node.args))]
    return f"scatter({{0}}, {tuple_text(shape, str)}, {index_text(index, str, takes)})"


def _expanded(node: Node) -> str:
    rank = len(node.shape)
    items = ["None" if k - rank in node.data else ":" for k in range(rank)]
    while items[-1] == ":":
        items.pop()
    return "{0}[" + ", ".join(items) + "]"


def _transposed(node: Node) -> str:
    if node.data == tuple(range(-1, -len(node.shape) - 1, -1)):
        return "{0}.T"
    lead = len(node.shape) - len(node.data)
    order = [*range(lead), *(len(node.shape) + axis for axis in node.data)]
    letters = "".join(chr(97 + k) for k in range(len(node.shape)))
    return f'einsum("{letters}->{"".join(letters[k] for k in order)}", {{0}})'


def _einsum(node: Node) -> str:
    inside, out = node.data
    return f'einsum("{",".join(inside)}->{out}", {_fields(node)})'


def _fields(node: Node) -> str:
    return ", ".join(f"{{{k}}}" for k in range(len(node.args)))


def _eye(node: Node) -> str:
    rows, columns, k = node.data
    sizes = [str(rows)] + [str(columns)] * (columns != rows)
    return f"eye({', '.join(sizes)}" + (f", k={k})" if k else ")")


def _filled(node: Node) -> str:
    value = node.args[0]
    if value.is_constant(0) or value.is_constant(1):
        return f"{'ones' if value.data else 'zeros'}({_shape(node)})"
    return f"broadcast_to({{0}}, {_shape(node)})"


WRITTEN: Mapping[ArrayPrimitive, Write] = {
    ARRAYS["matmul"]: lambda _: "{0} @ {1}",
    ARRAYS["transpose"]: _transposed,
    ARRAYS["expand_dims"]: _expanded,
    ARRAYS["broadcast_to"]: _filled,
    ARRAYS["einsum"]: _einsum,
    ARRAYS["prod_others"]: lambda _: "prod_others({0})",
    ARRAYS["reshape"]: lambda node: f"reshape({{0}}, {_shape(node)})",
    ARRAYS["index"]: lambda node: index_spelling(node, str),
    ARRAYS["scatter"]: _scattered,
    ARRAYS["concatenate"]: lambda node: f"concatenate([{_fields(node)}], {_axis(node)})",
    ARRAYS["cumsum"]: lambda node: f"cumsum({{0}}, {_axis(node)})",
    ARRAYS["flip"]: lambda node: f"flip({{0}}, {_axis(node)})",
    ARRAYS["tril"]: lambda node: f"tril({{0}}{', ' + str(node.data) if node.data else ''})",
    ARRAYS["triu"]: lambda node: f"triu({{0}}{', ' + str(node.data) if node.data else ''})",
    ARRAYS["eye"]: _eye,
    ARRAYS["arange"]: lambda node: f"arange({', '.join(map(str, node.data))})",
    ARRAYS["extent"]: lambda node: str(node.data),
}


def text(node: Node) -> str:
    """A node's operation in the language, with numbered fields for its arguments."""
    row = node.op
    if row is STACK:
        return f"[{_fields(node)}]"
    assert isinstance(row, ArrayPrimitive)
    if row in WRITTEN:
        return WRITTEN[row](node)
    return f"{row.name}({_fields(node)}{_options(node)})"


def _options(node: Node) -> str:
    """The axes of a reduction, unless it goes over all."""
    if not isinstance(node.data, Axes):
        return ""
    rank = len(node.args[0].shape)
    axes = "" if len(node.data.axes) == rank else f", axis={axis_text(node.data.positive(rank))}"
    return axes + ", keepdims=1" * node.data.keepdims


def spelling(node: Node) -> Spelling:
    """A node in the language."""
    written, row = text(node), node.op
    if row is ARRAYS["extent"]:
        plain = written.isidentifier() or written.isdigit()
        return Spelling(written, NAME if plain else SUM, ())
    level = MATRIX_PRODUCT if row is ARRAYS["matmul"] else ATOM
    operands = tuple(_needed(written, k) for k in range(len(node.args)))
    return Spelling(written, level, operands)


def _needed(template: str, k: int) -> int:
    """The precedence that argument `k` must have in a template."""
    if re.search(rf"\{{{k}\}}[.\[]", template):
        return ATOM
    return (MATRIX_PRODUCT, POWER)[k] if "@" in template else 0


def latex(node: Node) -> Spelling:
    """A node in LaTeX."""
    row, count = node.op, range(len(node.args))
    if row is ARRAYS["matmul"]:  # binds closer than the dot of an elementwise product
        row_vector = len(node.args[0].shape) == 1
        template = r"{0}^{{\top}} {1}" if row_vector else "{0} {1}"
        return Spelling(template, POWER - 1, (NAME if row_vector else POWER - 1, POWER - 1))
    if isinstance(node.data, Axes):
        template = _reduced(node)
    else:
        template = DRAWN[row](node) if row in DRAWN else _template(row) or _called(node)
    raised = re.search(r"\}\^|\}_|\{0\}\\left\[", template) is not None
    level = NAME if row is ARRAYS["index"] else ATOM
    return Spelling(template, level, (NAME if raised else 0,) * len(count))


def _reduced(node: Node) -> str:
    """A reduction: its sign, the axes unless it goes over all, and in brackets what it is of."""
    rank, axes = len(node.args[0].shape), node.data.axes
    which = "" if len(axes) == rank else axis_text(node.data.positive(rank))
    under = f"_{{{{{AXIS}{which}}}}}" if which else ""
    head = node.op.latex or rf"\operatorname{{{{{_escaped(node.op.name)}}}}}"
    if "{x}" in head:
        return head.replace("{x}", "{0}") + under
    return rf"{head}{under}\left({_fields(node)}\right)"


def _indexed(node: Node) -> str:
    inside = index_text(node.data, str, [f"{{{k}}}" for k in range(1, len(node.args))])
    return "{{{0}}}_{{" + inside.replace("None", r"\cdot") + "}}"


def _called(node: Node) -> str:
    """What has no sign of its own, as in the language."""
    written = text(node)
    if written.startswith("{0}["):
        inside = written[4:-1].replace("None", r"\mathrm{{None}}")
        return rf"{{0}}\left[{inside}\right]"
    name, _, rest = written.partition("(")
    rest = re.sub(r'"([^"]*)"', r"\\text{{\1}}", rest[:-1]).replace("axis=", AXIS)
    return rf"\operatorname{{{{{_escaped(name)}}}}}\left({rest}\right)"


def _escaped(name: str) -> str:
    return name.replace("_", r"\_")


def _repeated(node: Node) -> str:
    return r"\mathbf{{1}}" if node.args[0].is_constant(1) else _called(node)


def _turned(node: Node) -> str:
    return r"{0}^{{\top}}" if text(node) == "{0}.T" else _called(node)


DRAWN: Mapping[object, Write] = {
    STACK: lambda node: rf"\left[{_fields(node)}\right]",
    ARRAYS["index"]: _indexed,
    ARRAYS["extent"]: lambda node: str(node.data),
    ARRAYS["broadcast_to"]: _repeated,
    ARRAYS["transpose"]: _turned,
}


@cache
def _template(row: Any) -> str | None:
    found: str | None = row.latex
    for k, name in enumerate(row.args):
        found = found and found.replace(f"{{{name}}}", f"{{{k}}}")
    return found

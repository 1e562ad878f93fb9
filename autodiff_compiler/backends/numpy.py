"""NumPy: elementwise over arrays that broadcast together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache

from ..chainrule.roots import INVALID
from ..derivatives import ALONG, Program, Tree
from ..graph import CONSTANT, INPUT, WHERE, Node
from ..primitives import Primitive
from ..primitives.arithmetic import PRODUCT
from ..primitives.ieee import Number
from ..singularities.divisors import has_divisors
from .base import (
    HERE,
    PYTHON_KEYWORDS,
    Import,
    Schedule,
    Spelling,
    call,
    infix,
    layout,
    literal,
    template,
    tuple_of,
)
from .precision import doubles
from .python import helper_call, signature
from .style import Style
from .text import WIDTH, docstring, wrap

NUMPY = Import("numpy", "", "np")
RAISED = Import("builtins", "ArithmeticError", "ArithmeticError")
SPECIAL = Import("scipy", "special", "special")

FLOATS = '''\
def _floats(*arguments):
    """The arguments as arrays of one floating-point type: theirs, or else double."""
    arrays = [np.asarray(a) for a in arguments]
    types = [a.dtype for a in arrays if a.dtype.kind == "f" and a.ndim]
    common = np.result_type(*types) if types else float
    return [a.astype(common, copy=False) for a in arrays]'''

FULL = '''\
def _full(value, shape, dtype):
    """A value as a new array of a shape that it broadcasts to, or as a number."""
    return np.array(np.broadcast_to(value, shape), dtype)[()]'''

HELPERS = {"_floats": FLOATS, "_full": FULL}


class NumpySpeller:
    """`np.log(x)`, `x*y`, `special.gamma(x)`."""

    keywords = PYTHON_KEYWORDS

    def constant(self, value: Number) -> Spelling:
        text = repr(value if isinstance(value, bool) else float(value))
        name = text.removeprefix("-")
        if name not in ("inf", "nan"):
            return literal(text, (), PRODUCT)
        return literal(text.replace(name, f"np.{name}"), [NUMPY], PRODUCT)

    def spell(self, row: Primitive) -> Spelling:
        return _spelling(row)


def supports(row: Primitive) -> bool:
    """Whether NumPy or SciPy has a counterpart; the other rows are lowered."""
    return bool(row.apart or row.numpy or row.symbol or (row.scipy and not row.define))


@cache
def _spelling(row: Primitive) -> Spelling:
    if row.apart:
        return helper_call(row)
    if row.numpy:
        return call(f"np.{row.numpy}", row.arity, [NUMPY])
    if row.symbol:
        return infix(row, row.symbol, row.precedence >= PRODUCT, PRODUCT)
    assert row.scipy is not None, row
    if "{" in row.scipy:
        return template(row, f"special.{row.scipy}", [SPECIAL])
    return call(f"special.{row.scipy}", row.arity, [SPECIAL])


def define(name: str, schedule: Schedule, doc: Sequence[str], style: Style) -> Iterator[str]:
    """A function definition; it accepts whatever arrays of numbers can be made of."""
    program, names = schedule.program, list(schedule.parameters.values())
    yield errors(style)
    yield from head(name, schedule, doc, names)
    writer = _OutputWriter(schedule)
    outputs = writer.write(program.outputs)
    if writer.shape:
        np = schedule.require(NUMPY)
        shapes = ", ".join(f"{np}.shape({n})" for n in names)
        yield from wrap(f"{writer.shape} = {np}.broadcast_shapes({shapes})", "    ")
    for target, text in schedule.statements:
        yield f"    {target} = {text}"
    yield from wrap(f"return {outputs}", "    ")


def raising(program: Program) -> tuple[str, ...]:
    """NumPy's errors where a program, or the one it is differentiated to, may be another."""
    graph = program.graph
    invalid = not INVALID.isdisjoint(graph.heads) or (has_divisors(graph) and not graph.has_arrays)
    over = () if program.kind == "value" else ("over",)
    return ("divide", *over, *(("invalid",) if invalid or program.kind in ALONG else ()))


def errors(style: Style) -> str:
    """The decorator for IEEE's answers, but for those errors that another function mends."""
    kinds = "".join(f', {kind}="raise"' for kind in style.raising)
    return f'@np.errstate(all="ignore"{kinds})'


def head(name: str, schedule: Schedule, doc: Sequence[str], names: Sequence[str]) -> Iterator[str]:
    """The first lines of a definition, after which some arguments are arrays of one type."""
    parameters, unpack = signature(schedule.program, schedule)
    yield from wrap(f"def {name}({parameters}):", "")
    yield from docstring(doc, "    ")
    for line in unpack:
        yield from wrap(line, "    ")
    if names:
        floats = schedule.require(Import(HERE, "_floats", "_floats"))
        text = ", ".join(names)
        yield from wrap(f"{tuple_of(text, len(names))} = {floats}({text})", "    ")


def choose(
    name: str, schedule: Schedule, doc: Sequence[str], fast: str, careful: str
) -> Iterator[str]:
    """A function that calls another one, and a third where that divides by 0."""
    parameters, _ = signature(schedule.program, schedule)
    error = schedule.require(RAISED)
    yield from wrap(f"def {name}({parameters}):", "")
    yield from docstring(doc, "    ")
    yield "    try:"
    yield from wrap(f"return {fast}({parameters})", "        ")
    yield f"    except {error}:  # something is divided by 0, or overflows"
    yield from wrap(f"return {careful}({parameters})", "        ")


def numbers(names: Sequence[str], schedule: Schedule) -> Iterator[str]:
    """Arguments as floats: whole numbers of NumPy would wrap around, and arrays are refused."""
    if names:
        number = schedule.require(Import("builtins", "float", "float"))
        made = [f"{number}({name})" for name in names]
        several = listed if len(names) > 1 else "".join
        yield from wrap(f"{several(names)} = {several(made)}", "    ")


def listed(names: Sequence[str]) -> str:
    """Values with commas between them; after one alone too, and brackets where lines may break."""
    text = f"{names[0]}," if len(names) == 1 else ", ".join(names)
    return text if len(text) < WIDTH // 2 else f"({text})"


def outputs_text(
    tree: Tree, leaf: Callable[[Node], str], schedule: Schedule, dtype: str = ""
) -> str:
    """A tree of outputs: tuples, and NumPy's arrays for lists, those of numbers of a type."""

    def array(branches: list[Tree], parts: str) -> str:
        numbers = dtype and all(isinstance(b, Node) and not b.shape for b in branches)
        of = f", {dtype}" if numbers else ""
        return f"{schedule.require(NUMPY)}.array([{parts}]{of})"

    return layout(tree, leaf, array)


class _OutputWriter:
    """The outputs as text; what may fall short of the common shape is filled up to it."""

    def __init__(self, schedule: Schedule) -> None:
        self.shape = ""
        each = {node: 1 << k for k, node in enumerate(schedule.program.arguments())}
        self._schedule, self._reach = schedule, reach(schedule.program, each)
        self._everything = (1 << len(schedule.parameters)) - 1
        self._doubles = doubles(schedule.nodes, False)
        self._seen: set[Node] = set()

    def write(self, tree: Tree) -> str:
        return outputs_text(tree, self._leaf, self._schedule)

    def _leaf(self, node: Node) -> str:
        text = self._schedule.text(node)
        whole = self._reach[node] == self._everything and node.op not in (INPUT, CONSTANT, WHERE)
        if whole and node not in self._seen and node not in self._doubles:
            self._seen.add(node)
            return text
        self.shape = self.shape or self._schedule.claim("shape")
        dtype = next((f"{name}.dtype" for name in self._schedule.parameters.values()), "float")
        full = self._schedule.require(Import(HERE, "_full", "_full"))
        return f"{full}({text}, {self.shape}, {dtype})"


def reach(program: Program, masks: Mapping[Node, int]) -> dict[Node, int]:
    """For each node, what `masks` has for the parameters that its value needs, as one bit mask."""
    found = dict(masks)
    for node in program.graph.ancestors(program.leaves()):
        if node not in found:
            mask = 0
            for argument in node.args:
                mask |= found[argument]
            found[node] = mask
    return found

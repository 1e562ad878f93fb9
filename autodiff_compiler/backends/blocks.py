"""Loops over blocks of large arrays: a few operations later, a block is still in the cache.

Inside a block every operation has a line, and writes into memory that is there: the result's own,
or that of a block which is no longer needed.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from functools import cached_property
from operator import attrgetter

from ..derivatives import Program
from ..graph import CONSTANT, Node, users
from ..primitives.axes import index_text, tuple_text
from .assembly import Assembler, Part, leading, margins
from .base import HERE, NAME, Import, Speller, Text
from .body import Body, Results
from .numbers import NumberSchedule
from .numpy import NUMPY, listed
from .precision import common_type
from .regions import BLOCK, Region, ShapeOf, is_assembly, is_elementwise, is_total, steps
from .style import RESERVED, Style
from .vectorised import HELPERS, is_slow

BLOCKS = '''\
BLOCK = {block}  # elements of a block, of up to two dozen arrays: so many fit into a cache


def _blocks(shape, most):
    """The indices of the blocks of an array, along its last axes; one, of all, if it is small."""
    axis, size = len(shape), 1  # the axes from here on have so many elements
    for length in shape[::-1]:
        if size*length > most:
            break
        axis, size = axis - 1, size*length
    if axis == 0 or 0 in shape:
        return [(...,)]
    step, after = most//size, (slice(None),)*(len(shape) - axis)
    return [
        (..., *before, slice(k, k + step), *after)
        for before in np.ndindex(shape[: axis - 1])
        for k in range(0, shape[axis - 1], step)
    ]


def _in_blocks(function, shape, memory, *arrays, length=BLOCK, shared=None):
    """Call a function with each block of arrays, and `memory`: so many more blocks, of a type.

    The sums of what it returns.  `shared` calls `work` with shares of the blocks.
    """
    rank, (count, dtype) = len(shape), memory
    most = min(length, max(24*BLOCK//(count + len(arrays)), 4096))
    blocks = _blocks(shape, most)
    if len(blocks) == 1:
        return function(*arrays, [{empty}(shape, dtype) for _ in range(count)])
    whole = [a if a.shape[a.ndim - rank :] == shape else np.broadcast_to(a, shape) for a in arrays]

    def at(block, free):
        parts = [a[block] for a in whole]
        return function(*parts, free[:, : parts[0].size].reshape(count, *parts[0].shape))

    def work(share):
        free = {empty}((count, most), dtype)
        return [at(block, free) for block in share]

    found = shared(work, blocks) if shared else work(blocks)
    return [np.sum(parts) for parts in zip(*[sums for sums in found if sums])]'''

BY_THREADS = '''\
THREADS = {threads}  # that share the blocks of a large array


def _by_threads(work, blocks):
    """What comes of work on blocks, of which each thread has a share."""
    size = max(-(-len(blocks)//THREADS), 2)
    shares = [blocks[k : k + size] for k in range(0, len(blocks), size)]
    if len(shares) == 1:
        return work(blocks)
    kept = np.geterr()  # which other threads do not have

    @np.errstate(divide=kept["divide"], over=kept["over"], invalid=kept["invalid"], under="ignore")
    def of_others(share):
        return work(share)

    with ThreadPoolExecutor(len(shares) - 1) as pool:
        theirs = pool.map(of_others, shares[1:])
        return [found for share in (work(shares[0]), *theirs) for found in share]'''

IN_BLOCKS = Import(HERE, "_in_blocks", "_in_blocks")
LENGTH, SHARED = Import(HERE, "BLOCK", "BLOCK"), Import(HERE, "_by_threads", "_by_threads")
MANY = 12  # operations that are worth another thread
POOL = Import("concurrent.futures", "ThreadPoolExecutor", "ThreadPoolExecutor")


class BlockSchedule(NumberSchedule):
    """A program as statements, among them loops over blocks where those are worth it.

    `shape_of` gives the shape of a node, `()` of numbers; what has one shape can share a loop.
    """

    always = False  # also where straight code may be as fast

    def __init__(self, program: Program, speller: Speller, style: Style, shape_of: ShapeOf) -> None:
        self.shape_of, self._style = shape_of, style
        self.functions: dict[int, list[str]] = {}  # before a statement, the function that it calls
        self.over: dict[str, tuple[int, list[str]]] = {}  # what a loop may write a result over
        self.leaves = {node: k for k, node in enumerate(dict.fromkeys(program.leaves()))}
        super().__init__(program, speller, (*RESERVED, style.allocator))

    def _place_all(self) -> None:
        for step in steps(self.nodes, self.leaves, self.shape_of, self.always):
            if isinstance(step, Region):
                self._loop(step)
            else:
                self._place(step)
        made = {*self.named.values()} if self.functions else set[Node]()
        for leaf in self.leaves if made else ():
            self._name(leaf, made)

    def _name(self, leaf: Node, made: Container[Node]) -> None:
        """Give an output a statement if it could be in the memory of what it is computed from."""
        inline = is_elementwise(leaf, self.shape_of) and self._texts[leaf].precedence < NAME
        if inline and any(a in made and a.shape == leaf.shape for a in leaf.args):
            self._assign(leaf)

    def is_array(self, node: Node) -> bool:
        """Whether a node is an array, of which a loop takes one block at a time."""
        return bool(self.shape_of(node))

    def _loop(self, region: Region) -> None:
        """A function of one block, and the statement that calls it with each."""
        given = {a: self._operand(a, NAME) for a in _operands(region)}
        shape = self._shape(region, given)
        results = self._results(region, shape)
        arrays = {name: name for a, name in given.items() if self.is_array(a)} | results.arrays
        body, name = Body(self, region, results), self.claim("block")
        at = len(self.statements)
        self.functions[at] = body.function(name, [*arrays], self.claim("memory"))
        whole = {a: name for a, name in given.items() if self.shape_of(a) == region.shape}
        self.over |= {r: (at, [*body.read_before(r, whole)]) for r in results.inside.values()}
        memory = f"({len(body.blocks)}, {self._dtype})"
        how = self._how(region, results, body)
        call = ", ".join([name, shape, memory, *arrays.values(), *how])
        self.statements.append((listed(body.totals), f"{self.require(IN_BLOCKS)}({call})"))
        for node, text in results.outside.items():
            self._texts[node] = text
        self.passing.update(n for n in region.nodes if n not in results.outside)

    def _how(self, region: Region, results: Results, body: Body) -> Iterator[str]:
        """Whether threads share a loop, and how long its blocks are, if not as usual.

        One thread is enough if there is little to do, or parts may overlap.  Threads take turns at
        the interpreter between two operations, so these have to be long: a slow function, or many
        of which some write results.  Without sums, which would depend on it, blocks are longer.
        """
        many = bool(results.arrays) and len(region.nodes) >= MANY
        pays = many or any(is_slow(node.op) for node in region.nodes)
        if pays and self._style.threads > 1 and not results.parts:
            self.imports.add(POOL)
            if not body.totals:
                yield f"length=2*{self.require(LENGTH)}"
            yield f"shared={self.require(SHARED)}"

    def _shape(self, region: Region, given: Mapping[Node, str]) -> str:
        """The shape of a region's arrays: that of one, or what they all broadcast to."""
        known = {**given, **self.parameters}
        whole = [a for a in known if self.shape_of(a) == region.shape]
        if whole:  # the first, because tangents may be numbers where inputs are arrays
            return f"{known[min(whole, key=attrgetter('index'))]}.shape"
        shapes = (f"{name}.shape" for a, name in given.items() if self.is_array(a))
        shape = self.claim("shape")
        text = f"{self.require(NUMPY)}.broadcast_shapes({', '.join(shapes)})"
        self.statements.append((shape, text))
        return shape

    @cached_property
    def _dtype(self) -> str:
        arrays = {n: name for n, name in self.parameters.items() if self.is_array(n)}
        return common_type(self.program.graph, arrays)

    def _empty(self, shape: str, boolean: bool = False) -> str:
        """New memory."""
        allocator = self._style.allocator.replace("np.", f"{self.require(NUMPY)}.")
        dtype = self.require(Import("builtins", "bool", "bool")) if boolean else self._dtype
        return f"{allocator}({shape}, {dtype})"

    def _results(self, region: Region, shape: str) -> Results:
        """An array for everything that is needed after a loop, in the order of the outputs."""
        names = {node: self.bind(node) for node in self._kept(region)}
        self.named |= {name: node for node, name in names.items()}
        texts = {node: Text(name, NAME) for node, name in names.items()}
        assembler = Assembler((n for n in region.nodes if n not in names), self._users)
        parts, arrays = dict[Node, list[Part]](), dict[str, str]()
        for node, name in names.items():
            if is_assembly(node):
                self.statements += self._around(node, name)
                places = self._places(node, name)
                parts[node], arrays = assembler.parts(node, [*places]), arrays | places
            else:
                self.statements.append((name, self._empty(shape, node.is_boolean)))
                arrays[name] = name
        inside = {node: name for node, name in names.items() if node not in parts}
        inside |= {p.node: p.name for found in parts.values() for p in found if not p.assignment}
        return Results(inside, arrays, texts, parts=parts)

    def _kept(self, region: Region) -> list[Node]:
        """The arrays that are needed after a loop, in the order of the outputs."""
        inside = set(region.nodes)
        needed = (n for n in region.nodes if not inside.issuperset(self._users.get(n, ())))
        wanted = [n for n in needed if n not in self.leaves]
        outputs = sorted((n for n in region.nodes if n in self.leaves), key=self.leaves.__getitem__)
        return [n for n in (*wanted, *outputs) if not is_total(n)]

    @cached_property
    def _users(self) -> dict[Node, list[Node]]:
        return users(self.nodes)

    def _around(self, node: Node, name: str) -> Iterator[tuple[str, str]]:
        """The array for a sum of placed parts: zeros, at least where no part is written."""
        shape, lead = tuple_text(node.shape, self.size), leading(node)
        if lead is None:
            yield name, f"{self.require(NUMPY)}.zeros({shape}, {self._dtype})"
            return
        yield name, self._empty(shape)
        for index in margins(node, lead):
            yield f"{name}[{index_text(index, self.size, ())}]", "0.0"

    def _places(self, node: Node, name: str) -> dict[str, str]:
        """The parts of an array in which others are added, by a name for each."""
        indices = (index_text(index, self.size, ()) for index in node.data[0])
        return {self.claim(f"{name}_part"): f"{name}[{index}]" for index in indices}

    def operands(self, node: Node) -> str:
        """The operands of a node as text."""
        return ", ".join(self._texts[a].text for a in node.args)

    def operation(self, node: Node) -> str:
        """A node's own operation, on the names of its operands."""
        return self._write(node).text

    def bind(self, node: Node, name: str | None = None) -> str:
        """Let a name, or one of its own, stand for a node."""
        wanted = self._wanted(node)
        name = name or (self._names.claim(wanted) if wanted else self._names.fresh())
        self._texts[node] = Text(name, NAME)
        return name


def helpers(style: Style) -> dict[str, str]:
    """The helpers of code with loops over blocks."""
    blocks = BLOCKS.replace("{block}", str(BLOCK)).replace("{empty}", style.allocator)
    threads = BY_THREADS.replace("{threads}", str(style.threads))
    return {"_in_blocks": blocks, "BLOCK": "", "_by_threads": threads} | HELPERS


def _operands(region: Region) -> list[Node]:
    """What a region is given."""
    inside = set(region.nodes)
    found = dict.fromkeys(a for n in region.nodes for a in n.args if a not in inside)
    return [a for a in found if a.op is not CONSTANT]

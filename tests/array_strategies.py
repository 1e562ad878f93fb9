"""Programs of arrays, drawn at random: every construct, with the shapes that it needs.

They are Python as well, with NumPy's functions for their names, as which `array_properties.py` reads
them, but for the definitions of functions.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import NamedTuple

from hypothesis import strategies as st

EXTENTS = ({"n": 3, "m": 2, "k": 4}, {"n": 2, "m": 3, "k": 2}, {"n": 1, "m": 2, "k": 3})
MAX_AXES = 3
POSITIONS = "i"  # inputs whose names begin so hold positions

FUNCTIONS = (
    "sin({})", "cos({})", "tanh({})", "expit({})", "arctan({})", "abs({})", "-{}", "{}**2",
    "sqrt(1 + {}**2)", "log(2 + sin({}))", "exp(-{}**2)", "softplus({})", "{}/3", "square({})",
)  # fmt: skip
OPERATIONS = (
    "({} + {})", "({} - {})", "{}*{}", "{}/(2 + cos({}))", "maximum({}, {})", "minimum({}, {})",
    "hypot({}, {})", "({} + {})", "{}*{}",
)  # fmt: skip
REDUCTIONS = ("sum", "sum", "mean", "prod", "max", "min", "norm", "logsumexp", "var", "std")
SCANS = ("softmax", "log_softmax", "cumsum", "flip")

# Texts with a result of axes like the letters, and arguments that have theirs in common with it.
PATTERNS = (
    ("", "{} @ {}", "i i"),
    ("", "trace({})", "ii"),
    ("", "det({} + 5*eye({i}))", "ii"),
    ("", "logdet({} + 5*eye({i}))", "ii"),
    ("", "einsum('ij,ji->', {}, {})", "ij ji"),
    ("", "{}[0]*{i}", "i"),
    ("", "{} @ {} @ {}", "i ij j"),
    ("", "{}[-1, 0]/{j}", "ij"),
    ("i", "{} @ {}", "ij j"),
    ("i", "{} @ {}", "j ji"),
    ("i", "diagonal({})", "ii"),
    ("i", "solve({} + 5*eye({i}), {})", "ii i"),
    ("i", "einsum('ij,ij->i', {}, {})", "ij ij"),
    ("i", "einsum('ii->i', {})", "ii"),
    ("i", "einsum('ij,jk,k->i', {}, {}, {})", "ij jk k"),
    ("i", "{}[:, 0]", "ij"),
    ("i", "ravel({}[:, :1])", "ij"),
    ("i", "concatenate([{}, {}])[{j}:]", "j i"),
    ("i", "concatenate([{}[:1], {}[1:]])", "i i"),
    ("i", "{}[::-1]", "i"),
    ("i", "sum(stack([{}, {}]), axis=0)", "i i"),
    ("ij", "{} @ {}", "ik kj"),
    ("ij", "outer({}, {})", "i j"),
    ("ij", "{}.T", "ji"),
    ("ij", "einsum('ik,jk->ij', {}, {})", "ik jk"),
    ("ij", "einsum('i,ij->ij', {}, {})", "i ij"),
    ("ij", "tril({})", "ij"),
    ("ij", "triu({}, 1)", "ij"),
    ("ij", "solve({} + 5*eye({i}), {})", "ii ij"),
    ("ij", "pinv({})", "ji"),
    ("ij", "({}[:, None] + {})", "i j"),
    ("ij", "{}[:, ::-1]", "ij"),
    ("ij", "concatenate([{}, {}[:, None]], axis=1)[:, 1:]", "ij i"),
    ("ij", "sum({}[:, :, None]*{}, axis=1)", "ik kj"),
    ("ij", "reshape({}.T, ({i}, {j}))", "ij"),
    ("ij", "broadcast_to({}, ({i}, {j}))*{}", "j ij"),
    ("ij", "stack([{}, {}])[1]", "ij ij"),
    ("ij", "{}[{}]", "kj I"),
    ("i", "{}[{}]", "k I"),
    ("i", "{}[0, {}]", "jk I"),
    ("i", "{}[{}[0]]", "ki I"),
    ("ij", "outer({}[{}[0]]/3, {})", "ki I j"),
    ("ij", "exp({}[:, {}[-1]][:, None])*{}", "ik I ij"),
    ("", "sum(({0}[1:] + {0}[:-1])**2)", "i"),
    ("", "sum(({0}[1:] - 2*{0}[:-1]*{1}[1:])**2)", "i i"),
    ("", "sum(({0}[1:, :-1] + {0}[:-1, 1:] + {0}[1:, 1:]**2)**2)", "ij"),
    ("", "sum({}[::2])", "i"),
    ("", "sum({}[1:, ::-2])", "ij"),
    ("", "sum({}[[0, 0, -1]])", "i"),
    ("", "norm1({})", "i"),
    ("", "norm_inf({})", "ij"),
    ("", "sum({} > 0.1)*{}[-1]", "i i"),
    ("", "mean({}, axis=(0, 1))", "ij"),
    ("i", "sum({}, axis=(0, -1))", "jik"),
    ("i", "prod_others({})", "i"),
    ("i", "{0}[floor(arange({i})/2)]*{0}", "i"),
    ("i", "{}[-1:-{i} - 1:-1]", "i"),
    ("i", "{}*arange({i})", "i"),
    ("i", "where({} > 0.1, {}, 0)", "i i"),
    ("i", "diagonal({}[:, ::-1])", "ii"),
    ("i", "{}[{}, {}]", "kj I I"),
    ("i", "det({} + 5*eye({j}))", "ijj"),
    ("i", "sum({}*{}[:, None], axis=0)[{}]", "jk j I"),
    ("ij", "{} + eye({i}, {j})", "ij"),
    ("ij", "{}*ones(({i}, {j}))", "ij"),
    ("ij", "expand_dims({}, 0)*{}", "j ij"),
    ("ij", "{}[:, {}].T", "jk I"),
    ("ij", "kron({}, {}[:, :1])[:{i}]", "ij ij"),
    ("kii", "inv({} + 5*eye({i}))", "kii"),
    ("kij", "solve({} + 5*eye({i}), {})", "kii kij"),
    ("kij", "{}[::-1, :, ::-1]", "kij"),
    ("kij", "{}[{}]", "aij I"),
    ("ii", "inv({} + 5*eye({i}))", "ii"),
    ("ii", "diag({})", "i"),
    ("ii", "cofactor({})", "ii"),
    ("ii", "cofactor_along({}, {})", "ii ii"),
    ("ii", "cholesky({0} @ {0}.T + eye({i}))", "ij"),
    ("ii", "{0} - {0}.T", "ii"),
    ("kij", "{} @ {}", "kia kaj"),
    ("kij", "{} @ {}", "ia kaj"),
    ("kij", "{}[:, :, None]*{}[:, None]", "ki kj"),
    ("kij", "einsum('ki,kij->kij', {}, {})", "ki kij"),
)


class Program(NamedTuple):
    """A source, the shapes of its inputs, and the extents' lengths."""

    source: str
    shapes: dict[str, tuple[str | int, ...]]
    extents: dict[str, int]


class Author:
    """Writes one program; `rng` decides everything."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.shapes: dict[str, tuple[str | int, ...]] = {}
        self.values: dict[str, tuple[str | int, ...]] = {}
        self.lines: list[str] = []
        self.functions: list[str] = []
        self.kinds = (self.elementwise, self.elementwise, self.pattern, self.pattern)
        self.kinds += (self.reduction, self.scan)

    def program(self, depth: int) -> Program:
        """A program of a few statements."""
        if self.likely(0.3):
            self.define(depth - 1)
        shape = self.some((), (), self.any_shape())
        last = self.list(depth) if self.likely(0.15) else self.array(shape, depth)
        if not self.shapes:  # a program of constants
            self.shapes["a0"] = ()
            last = "a0"
        return Program("\n".join([*self.lines, last]), self.shapes, self.some(*EXTENTS))

    def some(self, *choices):
        return self.rng.choice(choices)

    def likely(self, probability: float) -> bool:
        return self.rng.random() < probability

    def any_shape(self):
        count = self.some(0, 1, 1, 2, 2, MAX_AXES)
        return tuple(self.some("n", "n", "m", "k", 1) for _ in range(count))

    def list(self, depth: int) -> str:
        shape = self.some((), (), ("n",), ("n", 1))
        return f"[{self.array(shape, depth)}, {self.array(shape, depth - 1)}]"

    def define(self, depth: int) -> None:
        inner = Body(self.rng)
        self.lines.append(f"f(t, u) = {inner.elementwise((), depth)} + t*u")
        self.functions.append("f")

    # expressions, each of a shape

    def array(self, shape, depth: int) -> str:
        if depth <= 0:
            return self.leaf(shape)
        if self.pattern in self.kinds and self.likely(0.12):
            return self.named(shape, depth)
        return self.some(*self.kinds)(shape, depth - 1)

    def leaf(self, shape) -> str:
        if not shape and self.likely(0.3):
            known = [n for s in self.shapes.values() for n in s if n != 1]
            return self.some("2", "0.5", "3", "1", *known[:1])
        known = [*self.shapes.items(), *self.values.items()]
        names = [n for n, s in known if s == shape and not n.startswith(POSITIONS)]
        if names and self.likely(0.75):
            return self.rng.choice(names)
        name = f"{'abcd'[len(shape)]}{len(self.shapes)}"
        self.shapes[name] = shape
        return name

    def positions(self, length) -> str:
        name = f"{POSITIONS}{len(self.shapes)}"
        self.shapes[name] = (length,)
        return name

    def named(self, shape, depth: int) -> str:
        text, name = self.array(shape, depth - 1), f"w{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        self.values[name] = shape
        return name

    def elementwise(self, shape, depth: int) -> str:
        if self.likely(0.4):
            return f"({self.some(*FUNCTIONS)})".replace("{}", f"({self.array(shape, depth)})")
        parts = [self.array(shape, depth), self.array(self.narrowed(shape), depth)]
        self.rng.shuffle(parts)
        if self.functions and self.likely(0.3):
            return f"{self.functions[0]}({', '.join(parts)})"
        if self.likely(0.15):
            test = self.array(self.narrowed(shape), depth - 1)
            return f"where({test} {self.some('<', '>=')} {self.leaf(())}, {', '.join(parts)})"
        return f"({self.some(*OPERATIONS).format(*parts)})"

    def narrowed(self, shape):
        """A shape that broadcasts to another."""
        if self.likely(0.5):
            return shape
        first = self.rng.randint(0, len(shape))
        return tuple(1 if self.likely(0.3) else extent for extent in shape[first:])

    def reduction(self, shape, depth: int) -> str:
        name = self.some(*REDUCTIONS)
        if not shape and self.likely(0.5):
            return f"{name}({self.array(self.any_shape() or ('n',), depth)})"
        if len(shape) == MAX_AXES:
            return self.elementwise(shape, depth)
        stays = [p for p, extent in enumerate(shape) if extent == 1]
        extent = self.some("n", "m", "k")
        if stays and self.likely(0.7):
            axis = self.rng.choice(stays)
            inside = self.array((*shape[:axis], extent, *shape[axis + 1 :]), depth)
            return f"{name}({inside}, axis={axis}, keepdims=True)"
        axis = self.rng.randint(0, len(shape))
        inside = self.array((*shape[:axis], extent, *shape[axis:]), depth)
        return f"{name}({inside}, axis={self.some(axis, axis - len(shape) - 1)})"

    def scan(self, shape, depth: int) -> str:
        if not shape:
            return self.pattern(shape, depth)
        axis = self.rng.randint(-len(shape), len(shape) - 1)
        return f"{self.some(*SCANS)}({self.array(shape, depth)}, axis={axis})"

    def pattern(self, shape, depth: int) -> str:
        fitting = list(self.fitting(shape))
        if not fitting:
            return self.elementwise(shape, depth)
        extents, text, arguments = self.rng.choice(fitting)
        parts = [self.argument(a, extents, shape, depth) for a in arguments.split()]
        return f"({text.format(*parts, **extents)})"

    def fitting(self, shape) -> Iterator[tuple[dict, str, str]]:
        """The patterns for a shape, with the extent of each letter."""
        for result, text, arguments in PATTERNS:
            extents = dict(zip(result, shape, strict=False))
            if len(result) == len(shape) and shape == tuple(extents[c] for c in result):
                for letter in sorted(set(arguments) - {" ", "I"} - set(extents)):
                    extents[letter] = self.some("n", "m", "k")
                yield extents, text, arguments

    def argument(self, letters: str, extents, shape, depth: int) -> str:
        if letters == "I":
            return self.positions(shape[0])
        return self.array(tuple(extents[c] for c in letters), depth)


class Body(Author):
    """Writes what a function does to each element of its parameters."""

    def __init__(self, rng: random.Random) -> None:
        super().__init__(rng)
        self.kinds = (self.elementwise,)

    def leaf(self, shape) -> str:
        return self.some("t", "u", "t", "2", "0.5")


def program(rng: random.Random) -> Program:
    """A program of arrays."""
    return Author(rng).program(rng.choice((1, 2, 2, 3, 3, 4)))


def numbered(number: int) -> Program:
    """The program of a seed."""
    return program(random.Random(number))


programs = st.integers(0, 2**64).map(numbered) | st.randoms(use_true_random=False).map(program)

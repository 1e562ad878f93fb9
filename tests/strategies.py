"""Programs of the language and points, drawn at random: every row of the table, every construct.

One author writes them all, from a source of random choices: a seeded `random.Random` in the long
run, Hypothesis's own in the tests, so that it can shrink what it finds.
"""

from __future__ import annotations

import random
from typing import NamedTuple

from hypothesis import strategies as st

from autodiff_compiler.graph import WHERE
from autodiff_compiler.language.scope import FOLDED
from autodiff_compiler.primitives import CONSTANTS, TABLE, special

PLAIN = ("x", "y", "z", "a", "b", "x1", "x2")
ODD = (
    "lambda", "class", "def", "list", "int", "float", "sum", "print", "self", "np", "math", "array",
    "numpy", "v1", "v0", "t1", "t2", "x_", "x_dot", "y_bar", "v1_bar", "cotangent", "cotangent0",
    "primals", "tangents", "_general", "_log", "_floats", "_full", "shape", "value", "gradient",
    "value_ieee", "out", "inf", "nan", "α", "β", "Δx", "θ_1", "ℓ", "_", "__", "T",
    "beta", "gamma", "y1", "k0", "zeta", "y", "f", "async", "import", "graph", "n0", "µ", "naïve",
)  # fmt: skip
CONSTANT_NAMES = ("e", "pi")
DEFINED = ("f", "g", "sigma", "φ", "h2", "sqrt", "gamma", "k0")
NUMBERS = (
    "0", "1", "2", "2", "3", "4", "5", "7", "10", "0.5", ".5", "1.", "1.5", "2.50", "1e-3", "2E1",
    "1.5e+0", "1_000", "0.25", "007", "1e1", "3.14159", "0.1", ".3e1", "0.0",
)  # fmt: skip
RARE_NUMBERS = ("12345678901234567890", "1e20", "1e-300", "9007199254740993", "1e308")
EXPONENTS = (
    "2",
    "2",
    "3",
    "-1",
    "0.5",
    "-2",
    "4",
    "1/3",
    "(2/3)",
    "-0.5",
    "0",
    "1",
    "5",
    "2.0",
    "17",
)
COMPARE = ("<", "<=", ">", ">=", "==", "!=")
TERNARY, OR, AND, NOT, COMPARISON, SUM, PRODUCT, UNARY, POWER, ATOM = range(10)

FUNCTIONS = tuple(row for row in TABLE if row.args and not row.symbol and row is not WHERE)
SPECIAL = tuple(row for row in FUNCTIONS if row in special.ROWS)
ELEMENTARY = tuple(row for row in FUNCTIONS if row not in special.ROWS)
OPERATORS = tuple(row for row in TABLE if row.symbol or row is WHERE)


class Program(NamedTuple):
    """A source, and points at which to look at it: of their numbers, as many as it has inputs."""

    source: str
    points: tuple[tuple[float, ...], ...]


class Author:
    """Writes one program; `rng` decides everything."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.names = [
            rng.choice(ODD if rng.random() < 0.25 else PLAIN) for _ in range(rng.randint(1, 3))
        ]
        self.functions: dict[str, int] = {}
        self.banned = {*self.names}  # names that are variables here, and cannot be called
        self.special_share = rng.choice((0.0, 0.0, 0.0, 0.5))

    def program(self, depth: int) -> str:
        """A program of a few statements."""
        statements = [self.statement(depth - 1) for _ in range(self.some(0, 0, 0, 1, 2, 3))]
        statements.append(self.last(depth))
        return self.joined(statements)

    def some(self, *choices):
        return self.rng.choice(choices)

    def likely(self, probability: float) -> bool:
        return self.rng.random() < probability

    # statements

    def joined(self, statements: list[str]) -> str:
        text = self.some("", "", "", "\n", "# a comment; with = signs (\n", "\ufeff")
        for k, statement in enumerate(statements):
            text += statement
            if k + 1 < len(statements):
                text += self.some("\n", "\n", ";", "; ", "\n\n", " # then\n", ";\n", "\r\n", " ;; ")
        return text + self.some("", "", "", "\n", "  # the output", ";", " ; \n")

    def statement(self, depth: int) -> str:
        define = self.likely(0.4)
        return self.definition(depth) if define else self.assignment(depth)

    def assignment(self, depth: int) -> str:
        name = self.some(
            "h", "u", "w", "s", "v2", "t1", self.some(*ODD), self.some(*CONSTANT_NAMES)
        )
        text = self.expression(depth)
        while name in self.functions or name in self.called:
            name += "_"
        self.names += [name, name]  # read more often than an input
        self.banned.add(name)
        return f"{name}{self.gap()}={self.gap()}{text}"

    def definition(self, depth: int) -> str:
        name = self.some(*DEFINED)
        while name in self.banned or name in self.called:
            name += "1"
        parameters = self.rng.sample(["t", "u", "x", "lambda", "e"], self.rng.randint(1, 2))
        outer, self.names = self.names, [*self.names[:1], *parameters, *parameters]
        body = self.expression(depth)
        self.names = outer
        self.functions[name] = len(parameters)
        return f"{name}({', '.join(parameters)}) = {body}"

    def last(self, depth: int) -> str:
        kind = self.rng.random()
        if kind < 0.12:
            return self.list_output(depth)
        if kind < 0.16:
            return self.assignment(depth)
        if kind < 0.18 and not self.functions:
            return self.definition(depth)
        return self.expression(depth)

    def list_output(self, depth: int) -> str:
        text = self.list(depth - 1, self.rng.randint(1, 3))
        wrap = self.some(
            "{}", "{}", "{}'", "{}.T", "2*{}", "{} + {}", "where(x > 1, {}, 0)", "sin({})", "-{}"
        )
        if "x" in wrap and "x" in self.functions:
            wrap = "{}"
        if "sin" in wrap and not self.callable("sin"):
            wrap = "{}"
        return wrap.replace("{}", text)

    def list(self, depth: int, count: int) -> str:
        return f"[{', '.join(self.expression(depth) for _ in range(count))}]"

    # expressions

    def gap(self) -> str:
        return self.some("", "", " ", " ", "\t") if self.likely(0.3) else " "

    def expression(self, depth: int) -> str:
        return self.at(depth, TERNARY)

    def at(self, depth: int, level: int) -> str:
        """An expression that may stand where `level` is needed."""
        text, own = self.any(depth)
        if own >= level and not self.likely(0.05):
            return text
        inside = (
            self.some("{}", "{}", "{}", " {} ", "\n{}\n", "{} # why\n")
            if self.likely(0.2)
            else "{}"
        )
        return f"({inside.replace('{}', text)})"

    def any(self, depth: int) -> tuple[str, int]:
        if depth <= 0 or self.likely(0.08):
            return self.leaf(), ATOM
        (kind,) = self.rng.choices(KINDS, WEIGHTS)
        return kind(self, depth - 1)

    def leaf(self) -> str:
        kind = self.rng.random()
        if kind < 0.68:
            return self.some(*self.names)
        if kind < 0.96:
            return self.some(*(RARE_NUMBERS if self.likely(0.004) else NUMBERS))
        return self.some(*CONSTANTS)

    def sum(self, depth: int) -> tuple[str, int]:
        return self.chain(depth, "+-", PRODUCT, self.some(2, 2, 3, 4)), SUM

    def product(self, depth: int) -> tuple[str, int]:
        return self.chain(depth, "***//", UNARY, self.some(2, 2, 3)), PRODUCT

    def remainder(self, depth: int) -> tuple[str, int]:
        return self.chain(depth, "%", UNARY, 2), PRODUCT

    def chain(self, depth: int, operators: str, level: int, count: int) -> str:
        text = self.at(depth, level)
        for _ in range(count - 1):
            text += f"{self.gap()}{self.some(*operators)}{self.gap()}{self.at(depth, level)}"
        return text

    def sign(self, depth: int) -> tuple[str, int]:
        return self.some("-", "-", "-", "+", "- ") + self.at(depth, UNARY), UNARY

    def power(self, depth: int) -> tuple[str, int]:
        exponent = self.some(*EXPONENTS) if self.likely(0.7) else self.at(depth, UNARY)
        exponent = f"({exponent})" if "/" in exponent and not exponent.startswith("(") else exponent
        return f"{self.at(depth, ATOM)}{self.some('**', '**', '^', ' ** ')}{exponent}", POWER

    def comparison(self, depth: int) -> tuple[str, int]:
        text = self.at(depth, SUM)
        for _ in range(self.some(1, 1, 1, 2)):
            text += f" {self.some(*COMPARE)} {self.at(depth, SUM)}"
        return text, COMPARISON

    def conjunction(self, depth: int) -> tuple[str, int]:
        return f"{self.at(depth, NOT)} and {self.at(depth, NOT)}", AND

    def disjunction(self, depth: int) -> tuple[str, int]:
        return f"{self.at(depth, AND)} or {self.at(depth, AND)}", OR

    def negation(self, depth: int) -> tuple[str, int]:
        return f"not {self.at(depth, NOT)}", NOT

    def condition(self, depth: int) -> str:
        made = (
            self.comparison
            if self.likely(0.8)
            else self.some(self.conjunction, self.negation, self.any)
        )
        return made(depth)[0]

    def conditional(self, depth: int) -> tuple[str, int]:
        condition = self.condition(depth)
        if "if" in condition.split():
            condition = f"({condition})"
        return f"{self.at(depth, OR)} if {condition} else {self.expression(depth)}", TERNARY

    def where(self, depth: int) -> tuple[str, int]:
        name = self.some("where", "where", "if_else")
        text = (
            f"{name}({self.condition(depth)}, {self.expression(depth)}, {self.expression(depth)})"
        )
        return text, ATOM

    def norm(self, depth: int) -> tuple[str, int]:
        """A sum of squares or of exponentials, and its root or logarithm."""
        outer, inner = self.some(("sqrt", "{0}*{0}"), ("sqrt", "({0})**2"), ("log", "exp({0})"))
        if not (self.callable(outer) and self.callable("exp")):
            return self.any(depth)
        self.called.update((outer, "exp"))
        terms = [inner.format(self.at(depth, ATOM)) for _ in range(self.some(1, 2, 2, 3))]
        if self.likely(0.2):
            terms.append(self.at(depth, SUM))
        return f"{outer}({' + '.join(terms)})", ATOM

    def item(self, depth: int) -> tuple[str, int]:
        count = self.rng.randint(1, 3)
        return f"{self.list(depth, count)}[{self.rng.randint(-count, count - 1)}]", ATOM

    def own(self, depth: int) -> tuple[str, int]:
        if not self.functions:
            return self.any(depth)
        name = self.some(*self.functions)
        return self.applied(
            name, [self.expression(depth) for _ in range(self.functions[name])]
        ), ATOM

    def applied(self, name: str, arguments: list[str]) -> str:
        comma = self.some(", ", ", ", ",", " , ")
        return f"{name}({comma.join(arguments)}{self.some('', '', '', '', ',')})"

    def callable(self, name: str) -> bool:
        return name not in self.banned and name not in self.functions

    def call(self, depth: int) -> tuple[str, int]:
        row = self.some(*(SPECIAL if self.likely(self.special_share) else ELEMENTARY))
        name = self.some(row.name, row.name, *row.aliases)
        if not self.callable(name):
            return self.any(depth)
        self.called.add(name)
        slopes = zip(row.domain, row.partials, strict=True)
        tame = row in SPECIAL and row.arity > 1  # far out, SciPy may take for ever over those
        arguments = [self.argument(d, depth, tame) if p else self.fixed(d) for d, p in slopes]
        if row.name in FOLDED and self.likely(0.3):
            arguments.append(self.expression(depth))
        if row.name == "log" and self.likely(0.1):
            arguments.append(self.some("2", "10", "3.5"))
        return self.applied(name, arguments), ATOM

    def argument(self, interval: tuple[float, float], depth: int, tame: bool) -> str:
        """An argument; most of those of a narrow domain, and all `tame` ones, lie in it."""
        low, high = interval
        if not tame and (interval == (-3.0, 3.0) or self.likely(0.4)):
            return self.expression(depth)
        middle, half = (low + high) / 2, (high - low) / 2
        return (
            f"{middle:g} + {half:g}*sin({self.expression(depth)})"
            if self.callable("sin")
            else self.leaf()
        )

    def fixed(self, interval: tuple[float, float]) -> str:
        """An argument by which there is no derivative: an order, a degree or a parameter."""
        low, high = interval
        if low == high:
            return self.some("1", "2", "3", "0", "4", f"{low:.0f}")
        return f"{self.rng.uniform(low, high):.3g}"

    @property
    def called(self) -> set[str]:
        """Names of the table that the program calls."""
        return self.__dict__.setdefault("_called", {"sin", "where", "if_else"})


PRODUCTIONS = {
    Author.sum: 26,
    Author.product: 24,
    Author.power: 9,
    Author.call: 30,
    Author.sign: 6,
    Author.where: 4,
    Author.conditional: 3,
    Author.comparison: 2,
    Author.conjunction: 1,
    Author.disjunction: 1,
    Author.negation: 1,
    Author.remainder: 3,
    Author.item: 2,
    Author.own: 8,
    Author.norm: 6,
}
KINDS, WEIGHTS = list(PRODUCTIONS), list(PRODUCTIONS.values())

MAX_INPUTS = 9  # three, and the parameters of a function that ends the program, have room
SPECIAL_VALUES = (0.0, 1.0, -1.0, 2.0, 0.5, -2.0, 3.0, -0.0, 0.1, 10.0)
EXTREMES = (1e-8, 1e8, -1e8, 1e-160, 1e160, 1e300, -1e300, 1e-300, 1e-20, 5e-324, 710.0, -745.0)


def usual_point(rng: random.Random, count: int) -> tuple[float, ...]:
    """Magnitudes for which most formulas have values."""
    low, high = rng.choice(((0.2, 2.5), (0.2, 2.5), (-2.5, 2.5), (0.05, 0.95), (2.0, 9.0)))
    return tuple(rng.uniform(low, high) for _ in range(count))


def special_point(rng: random.Random, count: int) -> tuple[float, ...]:
    """Kinks, ties, zeros and extremes, among usual values."""
    if rng.random() < 0.2:
        return (rng.choice(SPECIAL_VALUES) + rng.random() * rng.choice((0, 1)),) * count
    usual = usual_point(rng, count)
    kinds = ((SPECIAL_VALUES, 0.5), (EXTREMES, 0.08))
    values, share = kinds[rng.random() < 0.2]
    return tuple(rng.choice(values) if rng.random() < share + 0.1 else v for v in usual)


def program(rng: random.Random) -> Program:
    """A source with a usual and a special point."""
    source = Author(rng).program(rng.choice((1, 2, 2, 3, 3, 3, 4, 5)))
    return Program(source, (usual_point(rng, MAX_INPUTS), special_point(rng, MAX_INPUTS)))


def numbered(number: int) -> Program:
    """The program of a seed."""
    return program(random.Random(number))


# The first find most, the second shrink best.
programs = st.integers(0, 2**64).map(numbered) | st.randoms(use_true_random=False).map(program)

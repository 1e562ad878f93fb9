"""Shapes: tuples of extents, each a number or a polynomial in names, combined as NumPy broadcasts.

An extent is an `int` where it is known and a `Polynomial` where it is not, so that a program of
numbers never meets anything but integers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import reduce
from itertools import zip_longest
from typing import NamedTuple, Union

Monomial = tuple["str | Quotient", ...]  # sorted factors


class Quotient(NamedTuple):
    """The whole part of an extent divided by a number: a factor like any name."""

    numerator: Polynomial
    divisor: int

    def text(self, spelled: Mapping[str, str]) -> str:
        """As a formula, with other names for some of its names."""
        above = self.numerator.text(spelled)
        return f"({above}//{self.divisor})" if above.isalnum() else f"(({above})//{self.divisor})"


class Polynomial:
    """A polynomial in the names of extents, with whole coefficients; equal ones are one value."""

    __slots__ = ("_key", "terms")

    def __init__(self, terms: Mapping[Monomial, int]) -> None:
        self.terms = dict(terms)
        self._key = frozenset(terms.items())

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Polynomial) and self._key == other._key

    def __add__(self, other: Extent) -> Extent:
        terms = dict(self.terms)
        for monomial, count in terms_of(other).items():
            terms[monomial] = terms.get(monomial, 0) + count
        return _extent(terms)

    def __neg__(self) -> Extent:
        return self * -1

    def __sub__(self, other: Extent) -> Extent:
        return self + -other

    def __rsub__(self, other: Extent) -> Extent:
        return -self + other

    def __mul__(self, other: Extent) -> Extent:
        terms: dict[Monomial, int] = {}
        for mine, count in self.terms.items():
            for theirs, times in terms_of(other).items():
                monomial = tuple(sorted((*mine, *theirs), key=lambda f: _word(f, {})))
                terms[monomial] = terms.get(monomial, 0) + count * times
        return _extent(terms)

    def __floordiv__(self, divisor: int) -> Extent:
        """What is divisible comes out; a remainder that has names stays a quotient."""
        whole = _extent({m: n // divisor for m, n in self.terms.items()})
        rest = _extent({m: n % divisor for m, n in self.terms.items()})
        if isinstance(rest, int):
            return whole
        return whole + Polynomial({(Quotient(rest, divisor),): 1})

    __radd__, __rmul__ = __add__, __mul__

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        """As a formula of the language: `2*N - 1`."""
        return self.text({})

    def text(self, spelled: Mapping[str, str]) -> str:
        """As a formula, with other names for some of its names."""
        text = ""
        for monomial, count in sorted(self.terms.items(), key=_order):
            words = [str(abs(count))] * (abs(count) != 1 or not monomial)
            words += [_word(factor, spelled) for factor in monomial]
            text += f" {'-' if count < 0 else '+'} {'*'.join(words)}"
        return text[3:] if text.startswith(" + ") else "-" + text[3:]

    @property
    def names(self) -> set[str]:
        """The names it has."""
        return set().union(*(_names(factor) for monomial in self.terms for factor in monomial))

    def at(self, extents: Mapping[str, int]) -> int:
        """Its value where the names have these."""
        return sum(
            count * math.prod(_value(factor, extents) for factor in monomial)
            for monomial, count in self.terms.items()
        )


Extent = Union[int, Polynomial]  # noqa: UP007  (a union at run time, too)
Shape = tuple[Extent, ...]
SCALAR: Shape = ()


class ShapeError(ValueError):
    """Shapes that do not go together."""


def named(name: str) -> Extent:
    """The extent of a name."""
    return Polynomial({(name,): 1})


def evaluated(extent: Extent, extents: Mapping[str, int]) -> int:
    """An extent's value where the names have these."""
    return extent if isinstance(extent, int) else extent.at(extents)


def sized(shape: Iterable[Extent], extents: Mapping[str, int]) -> tuple[int, ...]:
    """A shape where the names of extents have these values."""
    return tuple(evaluated(extent, extents) for extent in shape)


def extent_names(shape: Shape) -> set[str]:
    """The names in a shape."""
    return set().union(*(e.names for e in shape if isinstance(e, Polynomial)))


def inverted(extent: Polynomial, name: str) -> tuple[int, Extent] | None:
    """`(a, b)` where an extent is `a*name + b`; none, if it is not of that kind."""
    factors = extent.terms.get((name,), 0)
    rest = extent + Polynomial({(name,): -factors}) if factors else extent
    return None if not factors or name in extent_names((rest,)) else (factors, rest)


def solved(lengths: Iterable[tuple[Extent, int]]) -> dict[str, int]:
    """The values of names, from extents and how long they are, as far as these tell."""
    found: dict[str, int] = {}
    pending = [(e, n) for e, n in lengths if isinstance(e, Polynomial)]
    while True:
        count = len(found)
        for extent, length in pending:
            unknown = extent.names - found.keys()
            name = next(iter(unknown)) if len(unknown) == 1 else ""
            form = inverted(extent, name)
            if form is not None:
                found[name] = (length - evaluated(form[1], found)) // form[0]
        if len(found) == count:
            return found


def plain(extent: Extent) -> str | None:
    """The name that an extent is, if it is one."""
    text = str(extent)
    return text if isinstance(extent, Polynomial) and text in extent.names else None


def nominal(extent: Extent) -> int:
    """A value to compare sizes by: every name stands for the same large number."""
    return extent if isinstance(extent, int) else extent.at(dict.fromkeys(extent.names, 100))


def size_of(shape: Iterable[Extent]) -> Extent:
    """The number of elements of a shape."""
    one: Extent = 1
    return reduce(lambda a, b: a * b, shape, one)


def ceil_div(extent: Extent, divisor: int) -> Extent:
    """An extent divided by a number, rounded up."""
    return (extent + (divisor - 1)) // divisor


def word(extent: Extent) -> int | str:
    """An extent as a number, or as the text of its formula."""
    return extent if isinstance(extent, int) else str(extent)


def shown(shape: Shape) -> str:
    """A shape as a source writes it: `[N, 2]`; a number as `[]`."""
    return f"[{', '.join(map(str, shape))}]"


def broadcast(shapes: Iterable[Shape]) -> Shape:
    """The shape NumPy gives an elementwise operation on operands of these shapes.

    Raises `ShapeError` where two extents differ and neither is 1.
    """
    result: Shape = SCALAR
    for shape in shapes:
        if shape and shape != result:
            result = _pair(result, shape) if result else shape
    return result


def _pair(a: Shape, b: Shape) -> Shape:
    extents = zip_longest(reversed(a), reversed(b), fillvalue=1)
    return tuple(_common(m, n, a, b) for m, n in extents)[::-1]


def _common(m: Extent, n: Extent, a: Shape, b: Shape) -> Extent:
    if n in (m, 1):
        return m
    if m == 1:
        return n
    raise ShapeError(f"shapes {shown(a)} and {shown(b)} do not broadcast: {m} against {n}")


def terms_of(extent: Extent) -> Mapping[Monomial, int]:
    """Its monomials, each with the number that it is multiplied by."""
    return extent.terms if isinstance(extent, Polynomial) else {(): extent}


def _extent(terms: Mapping[Monomial, int]) -> Extent:
    found = {monomial: count for monomial, count in terms.items() if count}
    return found.get((), 0) if found.keys() <= {()} else Polynomial(found)


def _order(term: tuple[Monomial, int]) -> tuple[int, list[str]]:
    return -len(term[0]), [_word(factor, {}) for factor in term[0]]


def _word(factor: str | Quotient, spelled: Mapping[str, str]) -> str:
    return spelled.get(factor, factor) if isinstance(factor, str) else factor.text(spelled)


def _names(factor: str | Quotient) -> Iterator[str]:
    if isinstance(factor, str):
        yield factor
    else:
        yield from factor.numerator.names


def _value(factor: str | Quotient, extents: Mapping[str, int]) -> int:
    if isinstance(factor, str):
        return extents[factor]
    return factor.numerator.at(extents) // factor.divisor

"""Counts of operations: polynomials in the names of extents, with rational coefficients."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from fractions import Fraction

from .shapes import Extent, Monomial, Polynomial, size_of, terms_of


class Count:
    """A number of operations; equal ones are one value."""

    __slots__ = ("terms",)

    def __init__(self, terms: Mapping[Monomial, Fraction]) -> None:
        self.terms = {monomial: times for monomial, times in terms.items() if times}

    def __hash__(self) -> int:
        return hash(frozenset(self.terms.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Count) and self.terms == other.terms

    def __add__(self, other: Count) -> Count:
        return total((self, other))

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        """As a formula of the language: `2*N**3/3 + N`."""
        terms = sorted(self.terms.items(), key=_order)
        text = "".join(f" {'-' if c < 0 else '+'} {_term(m, abs(c))}" for m, c in terms)
        return ("" if text.startswith(" + ") else "-") + text[3:] if text else "0"

    @property
    def names(self) -> set[str]:
        """The extents that it depends on."""
        return set().union(*(Polynomial({m: 1}).names for m in self.terms))

    def at(self, extents: Mapping[str, int]) -> int:
        """The nearest whole number where the extents have these values."""
        return round(sum(c * Polynomial({m: 1}).at(extents) for m, c in self.terms.items()))


ZERO = Count({})


def count(times: int | Fraction, *extents: Extent) -> Count:
    """A number times a product of extents."""
    terms = terms_of(size_of(extents)).items()
    return Count({monomial: Fraction(times) * number for monomial, number in terms})


def total(counts: Iterable[Count]) -> Count:
    """The sum."""
    terms: dict[Monomial, Fraction] = {}
    for each in counts:
        for monomial, times in each.terms.items():
            terms[monomial] = terms.get(monomial, Fraction(0)) + times
    return Count(terms)


def _order(term: tuple[Monomial, Fraction]) -> tuple[int, str]:
    return -len(term[0]), _product(term[0])


def _term(monomial: Monomial, times: Fraction) -> str:
    above = "*".join([str(times.numerator)] * (times.numerator != 1 or not monomial))
    text = "*".join(filter(None, (above, _product(monomial))))
    return text if times.denominator == 1 else f"{text}/{times.denominator}"


def _product(monomial: Monomial) -> str:
    powers = Counter(str(Polynomial({(factor,): 1})) for factor in monomial)
    return "*".join(name if n == 1 else f"{name}**{n}" for name, n in powers.items())

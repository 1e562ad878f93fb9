"""Choices in choices: what is decided around them is not asked again, and nothing else changes."""

import itertools
import math

import pytest

import autodiff_compiler as ac

COMPARISONS = ("<", "<=", "==", "!=", ">=", ">")
NUMBERS = (-math.inf, -1.0, -0.0, 0.0, 1.0, math.nan)
GRID = list(itertools.product(NUMBERS, repeat=2))


def chosen(condition, inner, x, y):
    """What Python chooses."""
    first, second = (eval(text, {"x": x, "y": y}) for text in (condition, inner))
    return {(True, True): 1, (True, False): 2, (False, True): 3, (False, False): 4}[first, second]


def agrees(condition, inner):
    fn = ac.compile(f"where({condition}, where({inner}, 1, 2), where({inner}, 3, 4))", inputs="x y")
    return all(fn(x, y) == chosen(condition, inner, x, y) for x, y in GRID)


@pytest.mark.parametrize("outer", COMPARISONS)
@pytest.mark.parametrize("inner", COMPARISONS)
def test_comparisons_of_the_same_numbers(outer, inner):
    assert agrees(f"x {outer} y", f"x {inner} y")
    assert agrees(f"x {outer} y", f"y {inner} x")
    assert agrees(f"not x {outer} y", f"x {inner} y")


@pytest.mark.parametrize("join", ["and", "or"])
@pytest.mark.parametrize("pair", list(itertools.product(COMPARISONS, repeat=2)), ids=" ".join)
def test_parts_of_conditions(join, pair):
    first, second = (f"{name} {op} 0" for name, op in zip("xy", pair, strict=True))
    assert agrees(f"{first} {join} {second}", first)
    assert agrees(f"{first} {join} {second}", f"not ({second})")
    assert agrees(first, f"{first} {join} {second}")
    assert agrees(f"{first} {join} not ({second})", f"{second} or {first}")


@pytest.mark.parametrize("triple", list(itertools.permutations(COMPARISONS, 3)), ids=" ".join)
def test_three_comparisons(triple):
    first, second, third = (f"x {op} y" for op in triple)
    inner = f"where({second}, 2, where({third}, 3, 4))"
    fn = ac.compile(f"where({first}, {inner}, {inner} + 4)", inputs="x y")
    for x, y in GRID:
        one, two, three = (eval(text, {"x": x, "y": y}) for text in (first, second, third))
        assert fn(x, y) == (2 if two else 3 if three else 4) + 4 * (not one)


DECIDED = (
    ("where(x >= 0 and y > 0, where(x > 0 and y > 0, 1, 2), 3)", 3),
    ("where(x > 0, where(x >= 0, 1, 2), 3)", 1),
    ("where(x >= 0, where(x > 0, 1, where(x == 0, 2, 4)), 3)", 2),
    ("where(x < y, where(y > x, 1, 2), where(y > x, 3, 4))", 1),
    ("where(x > 0 or y > 0, 1, where(x > 0, 2, 3))", 2),
)


@pytest.mark.parametrize(("source", "comparisons"), DECIDED)
def test_fewer_comparisons_are_left(source, comparisons):
    code = ac.compile(source, inputs="x y").source("value").partition("def value")[2]
    assert sum(code.count(f" {op} ") for op in COMPARISONS) == comparisons

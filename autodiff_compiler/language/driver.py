"""The loop of the LALR parser, over the tables that Lark has made.

Lark's own loop looks every rule up by its text, calls a function for each of the many rules that
pass one value on unchanged, and makes a tree of what a rule repeats; here that is decided once,
when the tables are read.  Errors are left to Lark, which explains them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from lark import Lark
from lark.grammar import Rule
from lark.parsers.lalr_analysis import Shift

END = "$END"


class Reduction(NamedTuple):
    """What to do with the last `size` values: `make` one of them, which is an `origin`.

    Without `make`, the one value stays as it is.
    """

    size: int
    make: Make | None
    origin: str


Table = Mapping[int, Mapping[str, int | Reduction]]  # the next state, or what to reduce first
Make = Callable[[list[Any]], Any]


class StuckError(Exception):
    """The text is not in the language; Lark knows why."""


class TooDeepError(Exception):
    """More symbols wait on the stack than may."""

    def __init__(self, token: Any) -> None:
        self.token = token


class Driver:
    """Parses token streams by Lark's tables."""

    def __init__(self, lark: Lark, start: str, reducer: object) -> None:
        machine: Any = lark.parser.parser.parser
        self._start: int = machine.parse_table.start_states[start]
        self._end: int = machine.parse_table.end_states[start]
        self._on_shift = {k: f for k, f in machine.callbacks.items() if isinstance(k, str)}
        self._passed: dict[tuple[int, int, str], int] = {}
        self._table: Table = {
            state: {str(symbol): _action(entry, reducer) for symbol, entry in row.items()}
            for state, row in machine.parse_table.states.items()
        }
        self._goto: Mapping[int, Mapping[str, int]] = {
            state: {symbol: found for symbol, found in row.items() if isinstance(found, int)}
            for state, row in self._table.items()
        }

    def run(self, tokens: Iterable[Any], depth: int | None = None) -> None:
        """Reduce a token stream to its start rule; raises `StuckError`.

        With `depth`, at most so many symbols may wait on the stack; else raises `TooDeepError`.
        """
        states: list[int] = [self._start]
        if depth is not None:
            tokens = _bounded(tokens, states, depth)
        values: list[Any] = []
        table, on_shift = self._table, self._on_shift
        try:
            for token in tokens:
                symbol = token.type
                found = table[states[-1]][symbol]
                if type(found) is not int:  # faster than isinstance, and asked for every token
                    found = self._reduce(symbol, states, values)
                states.append(found)
                values.append(on_shift[symbol](token) if symbol in on_shift else token)
            self._reduce(END, states, values)
        except KeyError:
            raise StuckError from None

    def _reduce(self, symbol: str, states: list[int], values: list[Any]) -> int:
        """Reduce until `symbol` can be shifted; the state after it."""
        table, goto, end, passed = self._table, self._goto, self._end, self._passed
        while True:
            found = table[states[-1]][symbol]
            if type(found) is int:
                return found
            size, make, origin = found  # type: ignore[misc]
            if make is None:
                key = (states[-2], states[-1], symbol)
                states[-1] = passed[key] if key in passed else self._pass_on(*key)
            else:
                taken = values[-size:] if size else []
                if size:
                    del states[-size:], values[-size:]
                values.append(make(taken))
                states.append(goto[states[-1]][origin])
            if symbol == END and states[-1] == end:
                return end

    def _pass_on(self, below: int, state: int, symbol: str) -> int:
        """The state after all the rules that pass the topmost value on, found once."""
        key, reached = (below, state, symbol), state
        while symbol != END or reached != self._end:
            found = self._table[reached][symbol]
            if isinstance(found, int) or found.make is not None:
                break
            reached = self._goto[below][found.origin]
        self._passed[key] = reached
        return reached


def _bounded(tokens: Iterable[Any], states: Sequence[int], depth: int) -> Iterator[Any]:
    for token in tokens:
        if len(states) - 1 > depth:  # the first state stands for no symbol
            raise TooDeepError(token)
        yield token


def _action(entry: tuple[Any, Any], reducer: object) -> int | Reduction:
    action, argument = entry
    if action is Shift:
        state: int = argument
        return state
    return Reduction(len(argument.expansion), _maker(argument, reducer), str(argument.origin.name))


def _maker(rule: Rule, reducer: object) -> Make | None:
    """What makes the value of a rule: the reducer's method of its name, of the symbols that count.

    A rule whose name begins with an underscore is a list, which goes into the rule that has it.
    """
    kept = [
        (place, not symbol.is_term and symbol.name.startswith("_"))
        for place, symbol in enumerate(rule.expansion)
        if not (symbol.is_term and symbol.filter_out)  # type: ignore[attr-defined]
    ]
    whole = len(kept) == len(rule.expansion) and not any(inlined for _, inlined in kept)
    single = rule.options.expand1 and not rule.alias
    if single and len(kept) == 1:
        return None if whole else itemgetter(kept[0][0])
    name = rule.alias or rule.origin.name
    make: Make = _listed if name.startswith("_") else getattr(reducer, name)
    return make if whole else _filtering(kept, make, single)


def _listed(children: list[Any]) -> list[Any]:
    return children


def _filtering(kept: Sequence[tuple[int, bool]], make: Make, single: bool) -> Make:
    def filtered(values: list[Any]) -> Any:
        children: list[Any] = []
        for place, inlined in kept:
            if not inlined:
                children.append(values[place])
            elif children:
                children += values[place]
            else:
                children = values[place]  # the list of a repetition grows in place
        return children[0] if single and len(children) == 1 else make(children)

    return filtered

"""The loop of the LALR parser, over the tables that Lark has made.

Lark's own loop looks every rule up by its text and calls a function for each of the many rules
that pass one value on unchanged; here that is decided once, when the tables are read.  Errors are
left to Lark, which explains them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lark import Lark
from lark.parse_tree_builder import ExpandSingleChild
from lark.parsers.lalr_analysis import Shift

END = "$END"


class Reduction(NamedTuple):
    """What to do with the last `size` values: `make` one of them, which is an `origin`.

    Without `make`, the one value stays as it is.
    """

    size: int
    make: Callable[[list[Any]], Any] | None
    origin: str


Table = Mapping[int, Mapping[str, int | Reduction]]  # the next state, or what to reduce first


class StuckError(Exception):
    """The text is not in the language; Lark knows why."""


class TooDeepError(Exception):
    """More symbols wait on the stack than may."""

    def __init__(self, token: Any) -> None:
        self.token = token


class Driver:
    """Parses token streams by Lark's tables."""

    def __init__(self, lark: Lark, start: str) -> None:
        machine: Any = lark.parser.parser.parser
        self._start: int = machine.parse_table.start_states[start]
        self._end: int = machine.parse_table.end_states[start]
        self._on_shift = {k: f for k, f in machine.callbacks.items() if isinstance(k, str)}
        self._passed: dict[tuple[int, int, str], int] = {}
        self._table: Table = {
            state: {str(symbol): _action(entry, machine.callbacks) for symbol, entry in row.items()}
            for state, row in machine.parse_table.states.items()
        }

    def run(self, tokens: Iterable[Any], depth: int | None = None) -> None:
        """Reduce a token stream to its start rule; raises `StuckError`.

        With `depth`, at most so many symbols may wait on the stack; else raises `TooDeepError`.
        """
        states: list[int] = [self._start]
        if depth is not None:
            tokens = _bounded(tokens, states, depth)
        values: list[Any] = []
        on_shift = self._on_shift
        try:
            for token in tokens:
                states.append(self._reduce(token.type, states, values))
                values.append(on_shift[token.type](token) if token.type in on_shift else token)
            self._reduce(END, states, values)
        except KeyError:
            raise StuckError from None

    def _reduce(self, symbol: str, states: list[int], values: list[Any]) -> int:
        """Reduce until `symbol` can be shifted; the state after it."""
        table, end, passed = self._table, self._end, self._passed
        while True:
            found = table[states[-1]][symbol]
            if isinstance(found, int):
                return found
            size, make, origin = found
            if make is None:
                key = (states[-2], states[-1], symbol)
                states[-1] = passed[key] if key in passed else self._pass_on(*key)
            else:
                taken = values[-size:] if size else []
                if size:
                    del states[-size:], values[-size:]
                values.append(make(taken))
                goto = table[states[-1]][origin]
                assert isinstance(goto, int)
                states.append(goto)
            if symbol == END and states[-1] == end:
                return end

    def _pass_on(self, below: int, state: int, symbol: str) -> int:
        """The state after all the rules that pass the topmost value on, found once."""
        key, reached = (below, state, symbol), state
        while symbol != END or reached != self._end:
            found = self._table[reached][symbol]
            if isinstance(found, int) or found.make is not None:
                break
            goto = self._table[below][found.origin]
            assert isinstance(goto, int)
            reached = goto
        self._passed[key] = reached
        return reached


def _bounded(tokens: Iterable[Any], states: Sequence[int], depth: int) -> Iterator[Any]:
    for token in tokens:
        if len(states) - 1 > depth:  # the first state stands for no symbol
            raise TooDeepError(token)
        yield token


def _action(entry: tuple[Any, Any], callbacks: Mapping[Any, Callable[[list[Any]], Any]]) -> Any:
    action, argument = entry
    if action is Shift:
        return argument
    make = callbacks[argument]
    size = len(argument.expansion)
    passes_on = size == 1 and isinstance(make, ExpandSingleChild)
    return Reduction(size, None if passes_on else make, str(argument.origin.name))

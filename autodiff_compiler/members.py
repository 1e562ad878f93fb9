"""Members of a compiled function that are made when they are first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .compiler import Function


class Generated:
    """A member that is generated on first use, and from then on is the function itself."""

    def __init__(self, kind: str, doc: str) -> None:
        self.kind, self.__doc__ = kind, doc

    def __get__(self, instance: Function | None, owner: type) -> Callable[..., Any]:
        if instance is None:
            return self  # type: ignore[return-value]
        function = instance._generate(self.kind)
        function.__doc__ = self.__doc__
        instance.__dict__[self.kind] = function
        return function


class Signature:
    """What `inspect.signature` shows of a compiled function: the arguments of its value."""

    def __get__(self, instance: Function | None, owner: type) -> Any:
        from inspect import signature

        return None if instance is None else signature(instance.value)

"""What people read: it prints as text, and shows itself as tables in a notebook."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping


class Report(ABC):
    """Tables that can be had in several formats."""

    @property
    @abstractmethod
    def _writers(self) -> Mapping[str, Callable[[], str]]:
        """What writes the tables in each of the formats."""

    def render(self, form: str) -> str:
        """The tables in a format such as `"text"`; raises `ValueError` for one that is not."""
        if form not in self._writers:
            raise ValueError(f"format: expected one of {', '.join(self._writers)}, got {form!r}")
        return self._writers[form]()

    def text(self) -> str:
        """Aligned columns for a terminal."""
        return self.render("text")

    def markdown(self) -> str:
        """Tables for a README or a notebook."""
        return self.render("markdown")

    def html(self) -> str:
        """Tables for a page."""
        return self.render("html")

    def json(self) -> str:
        """Every number and formula, as JSON."""
        return self.render("json")

    __str__ = text
    _repr_html_ = html

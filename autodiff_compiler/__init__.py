"""Formulas compiled to derivatives: values, gradients, Jacobians, Hessians, and the traces."""

from .compiler import Function, clear_cache, compile
from .errors import ExpressionError
from .limits import Limits

__all__ = ["ExpressionError", "Function", "Limits", "__version__", "clear_cache", "compile"]
__version__ = "0.1.0"


def __dir__() -> list[str]:
    return __all__

"""Formulas compiled to derivatives: values, gradients, Jacobians, Hessians, and the traces."""

from .compiler import Function, compile
from .errors import ExpressionError

__all__ = ["ExpressionError", "Function", "__version__", "compile"]
__version__ = "0.1.0"


def __dir__() -> list[str]:
    return __all__

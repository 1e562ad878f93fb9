"""What generated code may be made of, checked before any of it runs.

No text of a source reaches generated code other than as names, so what is refused here is a mistake
of the compiler.  The rule is about the syntax tree, and `inspect` holds it.  To make a tree takes
longer than to compile a text, so before a function runs `compiled` looks at its code object, where
operations and names lie side by side, and asks `inspect` only about what it does not know.
"""

from __future__ import annotations

import ast
import builtins
import dis
import importlib
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from types import CodeType
from typing import Any

from .derivatives import KINDS
from .primitives import TABLE

MODULES = frozenset(
    {"builtins", "concurrent", "concurrent.futures", "math", "numpy", "scipy", "scipy.special"}
)
_BUILTINS = """
    abs bool float int len max min pow range round slice sum zip
    ArithmeticError OverflowError TypeError ValueError ZeroDivisionError
"""
NAMES = frozenset(_BUILTINS.split())
CLASS = "__class__"
CONSTANTS = frozenset({bool, float, int, str, tuple, type(None), type(...)})

_NODES = """
    Module FunctionDef arguments arg Return Assign AugAssign Delete Del For If Try ExceptHandler
    Pass Expr Import ImportFrom alias Name Load Store Constant Tuple List Starred BinOp UnaryOp
    BoolOp Compare IfExp Call keyword Attribute Subscript ListComp comprehension Slice Add Sub
    Mult MatMult Div FloorDiv Mod Pow USub Not And Or Is In Lt LtE Gt GtE Eq NotEq With withitem
    Break
"""
NODES: frozenset[type[ast.AST]] = frozenset(getattr(ast, name) for name in _NODES.split())


def _operations(names: str) -> frozenset[int]:
    return frozenset(dis.opmap[name] for name in names.split() if name in dis.opmap)


# What CPython makes of those nodes, from 3.11 on: no globals are stored, nothing is deleted, no
# attribute is set, and only whole modules import.
OPERATIONS = _operations("""
    CACHE RESUME NOP EXTENDED_ARG NOT_TAKEN COPY SWAP POP_TOP PUSH_NULL LOAD_CONST LOAD_SMALL_INT
    LOAD_FAST LOAD_FAST_CHECK LOAD_FAST_LOAD_FAST LOAD_FAST_BORROW LOAD_FAST_BORROW_LOAD_FAST_BORROW
    STORE_FAST STORE_FAST_STORE_FAST STORE_FAST_LOAD_FAST LOAD_FAST_AND_CLEAR STORE_FAST_MAYBE_NULL
    DELETE_FAST
    LOAD_GLOBAL LOAD_ATTR LOAD_METHOD MAKE_CELL LOAD_CLOSURE LOAD_DEREF STORE_DEREF COPY_FREE_VARS
    BINARY_OP BINARY_SUBSCR BINARY_SLICE BUILD_SLICE STORE_SUBSCR
    UNARY_NEGATIVE UNARY_NOT COMPARE_OP IS_OP CONTAINS_OP TO_BOOL
    BUILD_TUPLE BUILD_LIST LIST_APPEND LIST_EXTEND LIST_TO_TUPLE UNPACK_SEQUENCE MAKE_FUNCTION
    SET_FUNCTION_ATTRIBUTE PRECALL CALL CALL_KW KW_NAMES CALL_INTRINSIC_1 CALL_FUNCTION_EX
    GET_ITER FOR_ITER END_FOR POP_ITER JUMP_FORWARD JUMP_BACKWARD JUMP_BACKWARD_NO_INTERRUPT
    POP_JUMP_IF_FALSE POP_JUMP_IF_TRUE POP_JUMP_FORWARD_IF_FALSE POP_JUMP_FORWARD_IF_TRUE
    POP_JUMP_BACKWARD_IF_FALSE POP_JUMP_BACKWARD_IF_TRUE
    JUMP_IF_FALSE_OR_POP JUMP_IF_TRUE_OR_POP RETURN_VALUE RETURN_CONST
    BEFORE_WITH WITH_EXCEPT_START LOAD_SPECIAL SWAP
    PUSH_EXC_INFO CHECK_EXC_MATCH POP_EXCEPT RERAISE
""")
OF_MODULES = OPERATIONS - _operations("CALL_INTRINSIC_1")  # it imports *
OF_MODULES |= _operations("LOAD_NAME STORE_NAME IMPORT_NAME IMPORT_FROM")
OF_MODULES |= _operations("BUILD_CONST_KEY_MAP BUILD_MAP")  # of keyword arguments' defaults


class GeneratedCodeError(RuntimeError):
    """The compiler has written code that it never should; nothing of it has run."""

    def __init__(self, what: str) -> None:
        super().__init__(f"generated code has {what}: a bug of autodiff_compiler, please report it")


def compiled(text: str, filename: str, names: Mapping[str, object]) -> CodeType:
    """A generated text as code to run where `names` are known; raises `GeneratedCodeError`."""
    code = compile(text, filename, "exec", dont_inherit=True)
    if not _is_known(code, names):
        inspect(text, names)
    return code


def _is_known(code: CodeType, names: Mapping[str, object]) -> bool:
    """Whether operations, names and constants are all on the lists; `False` decides nothing."""
    known, operations, pending = vocabulary(), OF_MODULES, [code]
    for part in pending:
        inner = [c for c in part.co_consts if type(c) is CodeType]
        pending += inner
        if not (
            operations.issuperset(part.co_code[::2])
            and all((n.rstrip("_") or n) in known or n in names for n in part.co_names)
            and CONSTANTS.issuperset([type(c) for c in part.co_consts if type(c) is not CodeType])
        ):
            return False
        operations = OPERATIONS
    return True


@cache
def attributes() -> frozenset[str]:
    """Attributes that generated code asks for: functions of NumPy and SciPy, and of arrays."""
    texts = " ".join(f"{row.numpy or ''} {row.scipy or ''}" for row in TABLE)
    return frozenset({CLASS, *re.findall(r"\w+", texts), *OF_ARRAYS.split()})


OF_ARRAYS = """
    abs add all any arange array asarray ascontiguousarray astype axis1 axis2 bincount bitwise_and
    bitwise_xor broadcast_shapes broadcast_to char cholesky concatenate copyto count_nonzero cumprod
    cumsum det diag diagonal divide dtype einsum empty eps errstate exp eye finfo flip fmax full
    geterr hypot inf initial inv isfinite itemsize keepdims kind linalg log log1p logical_and
    logical_not map max maximum min mod moveaxis multiply nan ndim ndindex negative ones ones_like
    out outer pinv power prod ravel real reshape result_type s_ shape size slogdet solve sqrt square
    squeeze strides subtract sum svd swapaxes T tensordot tiny trace transpose tril triu vdot vecdot
    view where zeros
"""

HELPERS_OF_ARRAYS = """
    assembled below blocks by_threads cofactor cofactor_along dot in_blocks log_det log_softmax
    logsumexp norm2 placed prod_others scatter select singular softmax top total weighted_logsumexp
"""
OF_KINDS = ("{}", "{}_ieee", "_{}", "_{}_at_poles")
OF_LOOPS = {"BLOCK", "THREADS", "ThreadPoolExecutor"}


@cache
def vocabulary() -> frozenset[str]:
    """Names that a module may define, import or ask for; underscores after one make no difference.

    None of them comes from a source: its names are local variables.
    """
    functions = {text.format(kind) for kind in KINDS for text in OF_KINDS}
    functions |= {f"_{row.name}" for row in TABLE}
    public = {name for name in dir(math) if not name.startswith("_")}
    helpers = {"np", "special", "_floats", "_full", CLASS.rstrip("_"), "__doc"}
    helpers |= {f"_{name}" for name in HELPERS_OF_ARRAYS.split()} | OF_LOOPS
    return frozenset(functions | public | helpers | MODULES | NAMES | attributes())


def inspect(text: str, names: Sequence[str] | Mapping[str, object] = ()) -> None:
    """Check the syntax tree of a generated text; raises `GeneratedCodeError`."""
    known, used = {*names, *NAMES}, dict[str, ast.Name]()
    for node in _walk(compile(text, "<generated>", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)):
        kind = type(node)
        if kind not in NODES:
            raise GeneratedCodeError(f"a node {kind.__name__} on line {_line(node)}")
        if kind is ast.Name and type(node.ctx) is ast.Load:
            used.setdefault(node.id, node)
        elif kind in CHECKS:
            known.update(CHECKS[kind](node))
    for name in used.keys() - known:
        raise GeneratedCodeError(f"the unknown name {name} on line {_line(used[name])}")


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)


def _walk(tree: ast.AST) -> Iterator[Any]:
    """The nodes of a tree, but for contexts and operators that stand for themselves."""
    pending: list[Any] = [tree]
    while pending:
        node = pending.pop()
        yield node
        for value in vars(node).values():
            if type(value) is list:
                pending += value
            elif isinstance(value, ast.AST):
                pending.append(value)


# The nodes that bind or say a name, or a constant: the names that are known after them.
def _bound(name: str, node: ast.AST) -> tuple[str, ...]:
    if name == "*" or (name.startswith("__") and name.endswith("__") and name.strip("_")):
        raise GeneratedCodeError(f"a variable {name} on line {_line(node)}")
    return (name,)


def _attribute(node: ast.Attribute) -> tuple[str, ...]:
    if node.attr not in attributes():
        raise GeneratedCodeError(f"the attribute {node.attr} on line {_line(node)}")
    return _read(node)


def _read(node: ast.Attribute) -> tuple[str, ...]:
    if type(node.ctx) is not ast.Load:
        raise GeneratedCodeError(f"a changed attribute on line {_line(node)}")
    return ()


def _element(node: ast.Subscript) -> tuple[str, ...]:
    """An element may be set in an array that the code has made."""
    made = type(node.ctx) is ast.Store and type(node.value) is ast.Name
    if type(node.ctx) is not ast.Load and not made:
        raise GeneratedCodeError(f"a changed element on line {_line(node)}")
    return ()


def _constant(node: ast.Constant) -> tuple[str, ...]:
    if type(node.value) not in CONSTANTS:
        raise GeneratedCodeError(f"the constant {node.value!r} on line {_line(node)}")
    return ()


def _import(node: ast.Import | ast.ImportFrom) -> tuple[str, ...]:
    modules = (
        [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
    )
    for module in modules:
        if module not in MODULES:
            raise GeneratedCodeError(f"an import of {module} on line {_line(node)}")
    return ()


CHECKS: Mapping[type[ast.AST], Callable[[Any], tuple[str, ...]]] = {
    ast.Name: lambda node: _bound(node.id, node),
    ast.FunctionDef: lambda node: _bound(node.name, node),
    ast.arg: lambda node: _bound(node.arg, node),
    ast.alias: lambda node: _bound(node.asname or node.name, node),
    ast.Attribute: _attribute,
    ast.Subscript: _element,
    ast.Constant: _constant,
    ast.Import: _import,
    ast.ImportFrom: _import,
}


def _guarded_import(name: str, *arguments: Any) -> Any:
    """What the code imports, and parts of NumPy that its functions import in its name."""
    if name not in MODULES and not name.startswith(("numpy.", "scipy.")):
        raise GeneratedCodeError(f"an import of {name}")
    return importlib.__import__(name, *arguments)


# The builtins of generated code: there is no `open`, no `eval` and no `getattr` to be found.
BUILTINS: Mapping[str, object] = {name: getattr(builtins, name) for name in sorted(NAMES)} | {
    "__import__": _guarded_import
}

"""Arrays that count the floating-point operations done on them, by watching NumPy."""

from __future__ import annotations

import math

import numpy as np

FREE = {
    *("concatenate", "broadcast_to", "swapaxes", "diagonal", "diag", "tril", "triu", "flip"),
    *(
        "eye",
        "zeros",
        "ones_like",
        "expand_dims",
        "transpose",
        "reshape",
        "array",
        "asarray",
        "result_type",
    ),
}
ELEMENTWISE = {"where", "outer", "cumprod"}  # NumPy has them as functions


class Counted(np.ndarray):
    """An array that adds up what is done with it and with all that is made of it."""

    done = 0

    def __array_ufunc__(self, ufunc, method, *inputs, **options):
        plain = [np.asarray(x) for x in inputs]
        options |= {"out": tuple(map(np.asarray, options["out"]))} if "out" in options else {}
        result = np.asarray(getattr(ufunc, method)(*plain, **options))
        if method != "__call__":
            Counted.done += plain[0].size
        elif ufunc in (np.matmul, np.vecdot):
            Counted.done += 2 * result.size * plain[0].shape[-1]
        else:
            Counted.done += result.size
        return result.view(Counted)

    def __array_function__(self, function, types, args, options):
        name, plain = function.__name__, plainly(args)
        result = function(*plain, **options)
        if name in ELEMENTWISE:
            Counted.done += np.size(result)
        elif name in ("inv", "solve", "det", "slogdet", "cholesky"):
            Counted.done += linear_algebra(name, plain)
        elif name == "svd":
            Counted.done += 21 * np.shape(plain[0])[-1] ** 3
            return [part.view(Counted) for part in result]
        elif name == "trace":
            Counted.done += np.shape(plain[0])[-1]
        elif name == "einsum":
            Counted.done += contraction(plain)
        else:
            assert name in FREE, name
        return result if name in ("slogdet", "result_type") else np.asarray(result).view(Counted)

    def __setitem__(self, index, value):
        np.asarray(self)[plainly(index)] = plainly(value)

    def __getitem__(self, index):
        return np.asarray(np.asarray(self)[plainly(index)]).view(Counted)


def plainly(value):
    """The same without counting."""
    if isinstance(value, tuple | list):
        return type(value)(plainly(v) for v in value)
    return np.asarray(value) if isinstance(value, Counted) else value


def linear_algebra(name, args):
    """The textbook's counts, to leading order."""
    n = args[0].shape[-1]
    columns = np.size(args[1]) // n if name == "solve" else 0
    times = {"inv": 2, "solve": 2 / 3, "det": 2 / 3, "slogdet": 2 / 3, "cholesky": 1 / 3}[name]
    return times * n**3 + 2 * n**2 * columns


def contraction(args):
    """A multiplication for each further factor, and an addition, for every choice of labels."""
    labels, arrays = args[0], args[1:]
    terms = labels.split("->")[0].split(",")
    extents = {
        c: n for t, a in zip(terms, arrays, strict=True) for c, n in zip(t, a.shape, strict=True)
    }
    whole = math.prod(extents.values())
    if len(arrays) == 1:
        return whole if set(labels.split("->")[1]) < set(extents) else 0
    return whole * len(arrays)


def _counted(function):
    return lambda *arguments: function(*arguments).view(Counted)


def operations(fn, kind, *arguments):
    """How many operations the generated module does on these arguments."""
    text = fn.source(kind, target="numpy")
    names = {}
    exec(compile(text, "generated", "exec"), names)
    names["_floats"] = lambda *given: [np.asarray(a, float).view(Counted) for a in given]
    for name in {"_placed", "_scatter"} & names.keys():
        names[name] = _counted(names[name])
    Counted.done = 0
    names[kind](*arguments)
    return Counted.done

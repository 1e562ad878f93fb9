"""The command line: compile, eval, trace, graph, derivative, cost and check a formula."""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from . import options, points
from .backends.module import TARGETS
from .compiler import Function, compile
from .cost import FORMATS as COST_FORMATS
from .derivatives import KINDS
from .errors import ExpressionError, nearest, printable
from .files import write
from .passes import PASSES
from .results import LONG, lines
from .tables import FORMATS, json_value
from .traces import MODES

PROGRAM = "autodiff-compiler"
AT_POINT = ("value", "gradient", "value_and_gradient", "jacobian", "hessian")  # what `eval` prints
OK, DISAGREES, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class Option(NamedTuple):
    """One option of the command line, as `argparse` takes it."""

    flags: tuple[str, ...]
    settings: Mapping[str, Any]


class Joined(argparse.Action):
    """What an option of names does: given twice, it has the names of both."""

    def __call__(self, _parser: Any, namespace: Any, values: Any, _option: Any = None) -> None:
        before = getattr(namespace, self.dest)
        setattr(namespace, self.dest, values if before is None else f"{before},{values}")


def _option(*flags: str, **settings: Any) -> Option:
    return Option(flags, settings)


def _names(*flags: str, **settings: Any) -> Option:
    return Option(flags, {"action": Joined, **settings})


FILE = _option("--file", metavar="FILE", help="read the source from a file")
INPUTS = _names("--inputs", metavar="NAMES", help="names of the arguments, in order: x1,x2")
WRT = _names("--wrt", metavar="NAMES", help="what to differentiate by; by default, every input")
WITHOUT = _names(
    "--without", metavar="PASSES", help=f"leave out passes, a,b of {', '.join(PASSES)}"
)
AS_WRITTEN = _option(
    "--as-written",
    action="store_true",
    help="compute what is written, even where it cancels or overflows",
)
LIMIT = _option(
    "--limit",
    metavar="NAME=N",
    action="append",
    default=[],
    help=f"limits, of {', '.join(points.LIMITS)}",
)
OUTPUT = _option("-o", "--output", metavar="FILE", help="write to a file; - is the terminal")
JSON = _option("--json", action="store_true", help="print JSON")
AT = _option(
    "--at",
    metavar="NAME=VALUE",
    action="append",
    default=[],
    help="a point, each input once: x=2, X=[[1,2],[3,4]], or X=@FILE of .npy, .csv, .txt, .json",
)
SHAPE = _option(
    "--shape",
    metavar="NAME=EXTENTS",
    action="append",
    default=[],
    help="the shape of an array input, of lengths, names and sums: X=N,2 or y=N-1",
)
EXTENT = _option(
    "--extent", metavar="NAME=N", action="append", default=[], help="the length of an extent"
)
EMIT = _names("--emit", metavar="KINDS", help=f"functions, of {', '.join(KINDS)}")
EMIT_AT = _names("--emit", metavar="KINDS", help=f"what to print, of {', '.join(AT_POINT)}")
TARGET = _option(
    "--target", choices=tuple(TARGETS), help="plain Python, the default of numbers, or NumPy"
)
ARRAYS = _names("--arrays", metavar="NAMES", help="inputs that will be large arrays: x,y")
THREADS = _option(
    "--threads",
    type=int,
    default=options.THREADS,
    metavar="N",
    help="that share large arrays; by default %(default)s",
)
MODE = _option("--mode", choices=MODES, default="primal", help="values, tangents or adjoints")
SEED = _names("--seed", metavar="VALUES", help="tangents x1=1,x2=0 or the adjoint of the output")
TRACE_FORMAT, COST_FORMAT = (
    _option("--format", choices=tuple(formats), default="text", help="how to print it")
    for formats in (FORMATS, COST_FORMATS)
)
FORM = _option("--format", choices=("text", "latex"), default="text", help="how to write it")
GRAPH_FORMAT = _option(
    "--format", choices=("dot", "mermaid"), default="dot", help="drawing language"
)
SAMPLES = _option("--samples", type=int, default=5, metavar="N", help="random points to check at")
RANDOM = _option("--random-seed", type=int, default=0, metavar="N", help="which random points")
ACCURACY = _option(
    "--accuracy",
    type=int,
    metavar="N",
    help="points of each range to measure bits of error at; by default 100, or fewer",
)
BITS = _option("--bits", type=float, metavar="N", help="fail at more bits of error than this")

COMMON = (FILE, INPUTS, WRT, SHAPE, WITHOUT, AS_WRITTEN, LIMIT, OUTPUT, JSON)


class Command(NamedTuple):
    """A subcommand: what runs it, what it is for, its own options and its examples."""

    run: Callable[[Function, argparse.Namespace], tuple[str, Any, int]]
    summary: str
    options: tuple[Option, ...]
    examples: tuple[str, ...]


def _compile(fn: Function, args: argparse.Namespace) -> tuple[str, Any, int]:
    target = args.target or ("numpy" if args.arrays else fn.default_target)
    text = fn.source(*_kinds(args.emit), target=target, arrays=args.arrays or "")
    return text, {"inputs": fn.inputs, "wrt": fn.wrt, "target": target, "module": text}, OK


def _eval(fn: Function, args: argparse.Namespace) -> tuple[str, Any, int]:
    point, kinds = points.point(args.at, fn), _kinds(args.emit, AT_POINT) or fn.default_kinds
    found = {kind: json_value(getattr(fn, kind)(**point)) for kind in kinds}
    long = LONG if args.output in (None, "-") else math.inf  # a file has room for all
    return "\n".join(lines(found, fn.wrt, long)), {"at": json_value(point), **found}, OK


def _trace(fn: Function, args: argparse.Namespace) -> tuple[str, Any, int]:
    trace = fn.trace(args.mode, at=points.single(args.at, fn), seed=points.seed(args.seed, fn))
    return trace.render(args.format), json.loads(trace.json()), OK


def _graph(fn: Function, args: argparse.Namespace) -> tuple[str, Any, int]:
    text = getattr(fn.graph(), args.format)()
    return text, {args.format: text}, OK


def _derivative(fn: Function, args: argparse.Namespace) -> tuple[str, Any, int]:
    found = {name: fn.derivative(name, args.format) for name in fn.wrt}
    if len(found) == 1:
        return next(iter(found.values())), found, OK
    mark = "%" if args.format == "latex" else "#"
    return "\n\n".join(f"{mark} by {name}\n{text}" for name, text in found.items()), found, OK


def _cost(fn: Function, args: argparse.Namespace) -> tuple[str, Any, int]:
    cost = fn.cost(*_kinds(args.emit), **points.extents(args.extent))
    return cost.render(args.format), json.loads(cost.json()), OK


def _check(fn: Function, args: argparse.Namespace) -> tuple[str, Any, int]:
    point = points.single(args.at, fn)
    certificate = fn.check(
        [point] if point else None,
        samples=args.samples,
        seed=args.random_seed,
        accuracy=args.accuracy,
        bits=args.bits,
    )
    code = OK if certificate else DISAGREES
    return certificate.text(), json.loads(certificate.json()), code


COMMANDS: Mapping[str, Command] = {
    "compile": Command(
        _compile,
        "print or save a module of plain Python or NumPy",
        (EMIT, TARGET, ARRAYS, THREADS),
        (
            'compile "log(x1) + x1*x2 - sin(x2)"',
            'compile "x**2*y" --emit value,hessian --target numpy -o hessian.py',
            'compile "a*exp(-b*x)" --wrt a,b --emit jacobian --arrays x -o model.py',
        ),
    ),
    "eval": Command(
        _eval,
        "the value and the derivatives at a point",
        (AT, EMIT_AT),
        (
            'eval "x**2*y" --at x=3 --at y=2',
            'eval "sin(x)" --at x=0,pi/2,pi --emit value,gradient',
            'eval "sum((A @ x)**2)" --shape A=2,n --shape x=n --at "A=[[1,2],[3,4]]" --at x=1,2',
        ),
    ),
    "trace": Command(
        _trace,
        "the evaluation trace, as lectures draw it",
        (AT, MODE, SEED, TRACE_FORMAT),
        ('trace "log(x1) + x1*x2 - sin(x2)" --mode reverse --at x1=2 --at x2=5',),
    ),
    "graph": Command(
        _graph,
        "the drawing, for Graphviz or Mermaid",
        (GRAPH_FORMAT,),
        ('graph "x*y + sin(x)" | dot -Tsvg > graph.svg', 'graph "x*y" --format mermaid'),
    ),
    "derivative": Command(
        _derivative,
        "the derivative as a formula",
        (FORM,),
        ('derivative "x**2*y" --wrt x', 'derivative "x @ A @ x" --shape x=n --shape A=n,n --wrt x'),
    ),
    "cost": Command(
        _cost,
        "operations, shapes and memory, before anything runs",
        (EXTENT, EMIT, COST_FORMAT),
        (
            'cost "y @ inv(A) @ y" --shape A=N,N --shape y=N --extent N=1000',
            'cost "log(x1) + x1*x2 - sin(x2)" --format markdown',
        ),
    ),
    "check": Command(
        _check,
        "compare the derivatives with SymPy, mpmath and differences, and measure lost digits",
        (AT, SAMPLES, RANDOM, ACCURACY, BITS),
        ('check "x**y*exp(-y)"', 'check "abs(x)" --at x=0', 'check "x**2 - y**2" --bits 20'),
    ),
}


class Parser(argparse.ArgumentParser):
    """An argument parser whose help begins with examples."""

    def __init__(self, *, examples: Sequence[str] = (), **settings: Any) -> None:
        super().__init__(allow_abbrev=False, add_help=False, **settings)
        self.examples = examples
        self.add_argument("-h", "--help", action="help", help="show this help")

    def format_help(self) -> str:
        lines = "\n".join(f"  {PROGRAM} {example}" for example in self.examples)
        return f"examples:\n{lines}\n\n{super().format_help()}"


def parser() -> Parser:
    """The parser of the whole command line."""
    from . import __version__

    main_parser = Parser(
        prog=PROGRAM,
        description="Compile formulas to derivatives.",
        examples=[command.examples[0] for command in COMMANDS.values()],
    )
    main_parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = main_parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, command in COMMANDS.items():
        sub = commands.add_parser(
            name, help=command.summary, description=command.summary, examples=command.examples
        )
        sub.add_argument(
            "source", nargs="?", metavar="SOURCE", help="a formula; - reads standard input"
        )
        for flags, settings in (*COMMON, *command.options):
            sub.add_argument(*flags, **settings)
    return main_parser


def _flags(*commands: str) -> set[str]:
    options = (option for name in commands for option in (*COMMON, *COMMANDS[name].options))
    return {flag for option in options for flag in option.flags}


def _instead(word: str, command: str) -> str:
    """What to write instead of an argument that the command does not take."""
    flag = word.partition("=")[0]
    others = [name for name in COMMANDS if flag in _flags(name)]
    if others:
        return f"{flag} is for {', '.join(others)}"
    if word.startswith("-"):
        close = nearest(flag, _flags(command))
        return f"did you mean {close}?" if close else f"see {PROGRAM} {command} --help"
    if re.match(r"[^\W\d]\w*=", word):
        return f"write --at {word} for a point"
    return "put a formula with spaces in quotes"


def shield(arguments: Sequence[str]) -> list[str]:
    """Arguments with a space before those that begin with a minus and are no option: `-x**2`."""
    asks = len(arguments) < 3 or not arguments[1].startswith("-")  # else -h may be the formula
    known = _flags(*COMMANDS) | {"-", "--help", "--version", "-h" if asks else ""}
    return [
        f" {a}" if a.startswith("-") and a.partition("=")[0] not in known else a
        for a in arguments
        if a != "--"
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    args = _parsed(sys.argv[1:] if arguments is None else arguments)
    try:
        return run(args)
    except ExpressionError as error:
        place = {"line": error.line, "column": error.column, "hint": error.hint}
        return _complain(args, "\n".join([str(error), *getattr(error, "__notes__", ())]), place)
    except BrokenPipeError:  # the reader has what it wanted
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except OSError as error:
        at = f"{error.filename}: " if error.filename is not None else ""
        return _complain(args, f"{at}{error.strerror or error}", {})
    except (ValueError, TypeError) as error:
        return _complain(args, str(error), {})
    except KeyboardInterrupt:
        return INTERRUPTED


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments; ends with a message that says what to write instead of those nothing takes."""
    commands = parser()
    args, rest = commands.parse_known_args(shield(arguments))
    if rest:
        words = [word.strip() for word in rest]
        hint = _instead(words[0], args.command)
        commands.error(f"unrecognized arguments: {' '.join(words)}; {hint}")
    return args


def run(args: argparse.Namespace) -> int:
    """Run a command that has been parsed."""
    fn = compile(
        _source(args),
        inputs=args.inputs,
        wrt=args.wrt,
        shapes=points.shapes(args.shape),
        without=args.without or "",
        stable=not args.as_written,
        limits=points.limits(args.limit),
        threads=getattr(args, "threads", options.THREADS),
    )
    text, data, code = COMMANDS[args.command].run(fn, args)
    if args.json:
        text = json.dumps(data, indent=2, allow_nan=False)
    if args.output == "":
        raise ValueError("--output: expected a file, or - for the terminal")
    if args.output not in (None, "-"):
        write(args.output, text.rstrip("\n") + "\n")
    elif sys.stdout is not None:
        # Python reads modules as UTF-8, whatever the terminal shows.
        coding = {"encoding": "utf-8"} if args.command == "compile" else {}
        sys.stdout.reconfigure(errors="backslashreplace", **coding)  # type: ignore[union-attr]
        print(text.rstrip("\n"), flush=True)
    return code


def _complain(args: argparse.Namespace, message: str, place: Mapping[str, Any]) -> int:
    if args.json:
        print(json.dumps({"error": message, **place}, indent=2), file=sys.stderr)
    else:
        shown = "\n".join(map(printable, message.split("\n")))
        print(f"{PROGRAM}: {shown}", file=sys.stderr)
    return BAD_INPUT


def _source(args: argparse.Namespace) -> str:
    if (args.source is None) == (args.file is None):
        raise ValueError("give one source: a formula, - for standard input, or --file FILE")
    if args.file is not None:
        return _text(Path(args.file).read_bytes(), args.file)
    if args.source == "-":
        return _text(sys.stdin.buffer.read() if sys.stdin else b"", "standard input")
    return str(args.source).removeprefix(" ")


def _text(data: bytes, origin: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"{origin} is not a UTF-8 text: {error.reason}") from None


def _kinds(text: str | None, known: Collection[str] = tuple(KINDS)) -> tuple[str, ...]:
    kinds = tuple((text or "").replace(",", " ").split())
    for kind in kinds:
        if kind not in known:
            close = nearest(kind, known)
            hint = f"did you mean {close}?" if close else f"expected one of {', '.join(known)}"
            raise ValueError(f"--emit {kind}: {hint}")
    return kinds

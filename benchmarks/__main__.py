"""The compiler beside other libraries, in one process: `python -m benchmarks`.

Every library gets the same texts, and what it returns is compared before it is measured.  Times are
the best of several, and the ratios say how many times as long as ours another takes.  Libraries
that are not installed are left out; the extra `bench` has them.  Two sections are about ours alone:
the stages of compiling beside the whole, and what derivatives cost beside the value.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tracemalloc
from collections.abc import Callable, Collection, Iterator
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from benchmarks.formulas import FORMULAS, GAUSS, GROWTH, NAMES, PARAMETERS, PROGRAMS
from benchmarks.peers import OURS, PEERS, Peer, agree, flat, installed
from benchmarks.stages import stages

ENOUGH = 0.2  # seconds for which something is called again
SIZES = ((10**4, float), (10**6, float), (10**6, np.float32))  # of arrays
GROWING = (10, 30, 100, 300, 1000)  # sizes of programs
KINDS = ("value", "value_and_gradient", "hessian")
PATIENCE = 20.0  # seconds after which larger sizes are left out


class Row(NamedTuple):
    """A measurement: of what, by whom, in seconds, in bytes, or in operations.

    Where it is about ours alone, a stage or a derivative stands for the library.
    """

    section: str
    case: str
    library: str
    amount: float


Task = tuple[str, str, Callable[[], float]]  # a case, a library, and what measures it


def best(run: Callable[[], object], least: int = 3) -> float:
    """The shortest time of a call, in seconds."""
    shortest, spent, calls = float("inf"), 0.0, 0
    while calls < least or spent < ENOUGH:
        started = perf_counter()
        run()
        took = perf_counter() - started
        shortest, spent, calls = min(shortest, took), spent + took, calls + 1
    return shortest


def per_call(run: Callable[[], object], turns: int = 100) -> float:
    """The shortest time of a call that is too short to be measured alone."""

    def turn() -> None:
        for _ in range(turns):
            run()

    return best(turn) / turns


def having(libraries: dict[str, Peer], ability: str) -> Iterator[tuple[str, Any]]:
    """The libraries that can do something, with the function that makes one that does."""
    for name, peer in libraries.items():
        if make := getattr(peer, ability):
            yield name, make


def points() -> Iterator[tuple[str, str, list[str], tuple[float, ...]]]:
    """The formulas, with the names of their inputs and a point."""
    import autodiff_compiler as ac

    for case, (text, point) in FORMULAS.items():
        yield case, text, list(ac.compile(text).inputs), point


def compiling(libraries: dict[str, Peer]) -> Iterator[Task]:
    """From the text to a first value and gradient."""
    for case, text, names, point in points():
        for name, make in having(libraries, "scalar"):
            yield case, name, lambda m=make, t=text, n=names, p=point: best(lambda: m(t, n)(*p), 2)


def counting(libraries: dict[str, Peer]) -> Iterator[Task]:
    """Operations for value and gradient."""
    for case, text, names, _ in points():
        for name, count in having(libraries, "operations"):
            yield case, name, lambda c=count, t=text, n=names: float(c(t, n))


def calling(libraries: dict[str, Peer]) -> Iterator[Task]:
    """A call for value and gradient."""
    yield from _calls(libraries, "scalar", FORMULAS)


def second(libraries: dict[str, Peer]) -> Iterator[Task]:
    """A call for the Hessian."""
    yield from _calls(libraries, "hessian", ["textbook", "gauss", "rosenbrock10"])


def optimized(libraries: dict[str, Peer]) -> Iterator[Task]:
    """The same of one vector, as optimizers call it."""
    yield from _calls(libraries, "vector", FORMULAS, lambda point: (np.array(point),))


def _calls(
    libraries: dict[str, Peer],
    ability: str,
    cases: Collection[str],
    given: Callable[[tuple[float, ...]], tuple[Any, ...]] = tuple,
) -> Iterator[Task]:
    for case, text, names, point in points():
        wanted: Any = None
        for name, make in having(libraries, ability) if case in cases else ():
            function = make(text, names)
            arguments = given(point)
            wanted = function(*arguments) if wanted is None else wanted
            agree(function(*arguments), wanted)
            yield case, name, lambda f=function, p=arguments: per_call(lambda: f(*p))


def elementwise(libraries: dict[str, Peer]) -> Iterator[Task]:
    """Value and 8 partials of three exponentials."""
    for name, case, call in _elementwise(libraries):
        yield case, name, lambda c=call: best(c, 7)


def memory(libraries: dict[str, Peer]) -> Iterator[Task]:
    """The memory that NumPy takes for that, results included, at most."""
    for name, case, call in _elementwise(libraries):
        if not name.startswith("JAX"):
            yield case, name, lambda c=call: traced(c)


def _elementwise(libraries: dict[str, Peer]) -> Iterator[tuple[str, str, Callable[[], Any]]]:
    for size, dtype in SIZES:
        x = np.linspace(1, 250, size).astype(dtype)
        wanted: Any = None
        for name, make in having(libraries, "elementwise"):
            function = make(GAUSS, NAMES, NAMES[:8])
            if dtype is float:
                found = [np.broadcast_to(a, x.shape) for a in flat(function(*PARAMETERS, x))]
                wanted = found if wanted is None else wanted
                agree(found, wanted)
            case = f"{size:.0e} {np.dtype(dtype).name}".replace("e+0", "e")
            yield name, case, lambda f=function, p=(*PARAMETERS, x): f(*p)


def programs(libraries: dict[str, Peer]) -> Iterator[Task]:
    """Value and gradient of programs of whole arrays."""
    for case, program in PROGRAMS.items():
        given = program.arguments()
        names, point, wanted = list(given), tuple(given.values()), None
        for name, make in having(libraries, "whole"):
            function = make(program, names)
            found = function(*point)
            wanted = found if wanted is None else wanted
            agree(found, wanted)
            yield case, name, lambda f=function, p=point: best(lambda: f(*p), 7)


def traced(run: Callable[[], object]) -> float:
    """The largest amount of memory during a call, in bytes."""
    import autodiff_compiler as ac

    run()
    ac.clear_cache()
    tracemalloc.start()
    run()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return float(peak)


def growing(libraries: dict[str, Peer]) -> Iterator[Task]:
    """From the text to a first value and gradient, of larger and larger programs."""
    import autodiff_compiler as ac

    late: set[tuple[str, str]] = set()
    for kind, write in GROWTH.items():
        for size in GROWING:
            text = write(size)
            names = list(ac.compile(text).inputs)
            for name, make in having(libraries, "scalar"):
                one_line = ";" not in text and "\n" not in text
                if (kind, name) in late or not (one_line or name == OURS):
                    continue

                def measured(
                    m: Any = make, t: str = text, n: Any = names, key: Any = (kind, name)
                ) -> float:
                    took = best(lambda: m(t, n)(*[1.01] * len(n)), 1)
                    if took > PATIENCE / 10:
                        late.add(key)
                    return took

                yield f"{kind} {size}", name, measured


def staged(_: dict[str, Peer]) -> Iterator[Task]:
    """Each stage of compiling, beside the whole way from the text to a first value and gradient."""
    for case, (text, point) in FORMULAS.items():
        for name, run in stages(text, point):
            yield case, name, lambda r=run: best(r)


def differentiating(_: dict[str, Peer]) -> Iterator[Task]:
    """A call for derivatives, beside one for the value."""
    import autodiff_compiler as ac

    for case, (text, point) in FORMULAS.items():
        fn = ac.compile(text)
        for kind in KINDS:
            function = getattr(fn, kind)
            yield case, kind, lambda f=function, p=point: per_call(lambda: f(*p))


SECTIONS: dict[str, Callable[[dict[str, Peer]], Iterator[Task]]] = {
    "compile": compiling,
    "operations": counting,
    "call": calling,
    "vector": optimized,
    "hessian": second,
    "arrays": elementwise,
    "programs": programs,
    "memory": memory,
    "growth": growing,
    "stages": staged,
    "derivatives": differentiating,
}


def measure(sections: list[str], libraries: dict[str, Peer]) -> list[Row]:
    """All measurements, with a bar of progress on a terminal."""
    rows = []
    for section in sections:
        tasks = SECTIONS[section](libraries)
        for case, library, run in tqdm(tasks, section, disable=not sys.stderr.isatty()):
            rows.append(Row(section, case, library, run()))
    return rows


def amount(row: Row) -> str:
    """A measurement with its unit."""
    if row.section == "memory":
        return f"{row.amount / 1e6:.3g} MB"
    if row.section == "operations":
        return f"{row.amount:,.0f}"
    unit, factor = next(
        (u, f) for u, f in (("µs", 1e6), ("ms", 1e3), ("s", 1)) if row.amount * f < 1000 or f == 1
    )
    return f"{row.amount * factor:.3g} {unit}"


def table(section: str, rows: list[Row]) -> Iterator[str]:
    """A Markdown table: a line for each case, a column for each library."""
    here = [row for row in rows if row.section == section]
    libraries = list(dict.fromkeys(row.library for row in here))
    yield f"### {section}: {(SECTIONS[section].__doc__ or '').strip()}\n"
    yield f"| | {' | '.join(libraries)} |"
    yield "|---" * (len(libraries) + 1) + "|"
    for case in dict.fromkeys(row.case for row in here):
        found = {row.library: row for row in here if row.case == case}
        cells = [_cell(found.get(name), found[libraries[0]]) for name in libraries]
        yield f"| {case} | {' | '.join(cells)} |"
    yield ""


def _cell(row: Row | None, first: Row) -> str:
    if row is None or row is first:
        return amount(row) if row else ""
    return f"{amount(row)} ({row.amount / first.amount:.3g}x)"


def machine(libraries: dict[str, Peer]) -> dict[str, Any]:
    """In general terms, what this runs on."""
    modules = {peer.module.replace("_", "-") for peer in libraries.values()} | {"numpy"}
    return {
        "cores": os.cpu_count(),
        "processor": platform.processor() or platform.machine(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in sorted(modules)},
    }


def chart(rows: list[Row], path: Path) -> None:
    """How many times as long as ours others take, and how compiling grows: a file of SVG or PNG."""
    import matplotlib as mpl

    mpl.use("agg")
    from matplotlib import pyplot

    rows = [row for row in rows if row.library in PEERS]
    sections = [s for s in SECTIONS if any(row.section == s for row in rows)]
    lines = -(-len(sections) // 2)
    figure, axes = pyplot.subplots(lines, 2, figsize=(15, 3.2 * lines), squeeze=False)
    colours = {library: f"C{k}" for k, library in enumerate(PEERS)}
    for section, axis in zip_longest(sections, axes.flat):
        here = [row for row in rows if row.section == section]
        draw = _curves if section == "growth" else _bars
        axis.set(yscale="log", title=section, visible=bool(here))
        draw(axis, here, colours)
    used = dict.fromkeys(row.library for row in rows)
    handles = [pyplot.Rectangle((0, 0), 1, 1, color=colours[library]) for library in used]
    figure.legend(handles, used, loc="upper center", ncols=len(used))
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.35 / (3.2 * lines)))
    figure.savefig(path)


def _bars(axis: Any, rows: list[Row], colours: dict[str, str]) -> None:
    """How many times ours, a group of bars for each case."""
    cases = list(dict.fromkeys(row.case for row in rows))
    libraries = list(dict.fromkeys(row.library for row in rows))
    ours = {row.case: row.amount for row in rows if row.library == OURS}
    width = 0.8 / max(len(libraries), 1)
    for row in rows:
        place = cases.index(row.case) + libraries.index(row.library) * width
        axis.bar(place, row.amount / ours[row.case], width, color=colours[row.library])
    axis.set_ylabel("times ours")
    axis.set_xticks([k + 0.4 - width / 2 for k in range(len(cases))], cases, fontsize=7)
    axis.axhline(1, color="black", linewidth=0.8)


def _curves(axis: Any, rows: list[Row], colours: dict[str, str]) -> None:
    """Seconds to compile, over the number of variables of the last kind of program."""
    kind = rows[-1].case.split()[0]
    for library in dict.fromkeys(row.library for row in rows):
        found = [
            (int(row.case.split()[1]), row.amount)
            for row in rows
            if row.library == library and row.case.startswith(f"{kind} ")
        ]
        axis.plot(*zip(*found, strict=True), marker="o", color=colours[library])
    axis.set(xscale="log", xlabel=f"variables of {kind}", ylabel="seconds")


def main() -> None:
    """Print the tables; write JSON and a chart if asked to."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="*", choices=tuple(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all measurements")
    parser.add_argument("--chart", type=Path, metavar="FILE", help="draw the ratios, .svg or .png")
    options = parser.parse_args()
    libraries = installed()
    rows = measure(options.only, libraries)
    for section in options.only:
        print("\n".join(table(section, rows)))
    if options.json:
        data = {"machine": machine(libraries), "rows": [row._asdict() for row in rows]}
        options.json.write_text(json.dumps(data, indent=1) + "\n")
    if options.chart:
        chart(rows, options.chart)


if __name__ == "__main__":
    main()

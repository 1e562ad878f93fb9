"""A long run over generated programs: `python tests/fuzz.py --programs 200000 --seed 1`.

Every program is compared in every way that `properties.py` lists, and disturbed in the ways of
`disturbances.py`.  The figures and every disagreement, made as short as possible, are printed at the
end; the exit status is 1 if there is one.  A run is determined by its seed, but for time limits.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import random
import signal
import sys
import time
import traceback
from collections import Counter
from typing import NamedTuple

import array_properties
import array_strategies
import numpy as np
from cases import Case, Finding
from disturbances import disturbed, survives
from exact import TooLong
from properties import PROPERTIES
from reduction import reduced
from rounding import AGREES
from strategies import program

SECONDS = 5.0  # for one program, and for one reduced text
CHUNK = 50  # programs of one task
FOREIGN = "foreign exception"
TOO_LONG = "took too long"
UNREADABLE = "NumPy does not take it"
SINGULAR = "the matrix of cofactors of a singular matrix"
PROGRAMS = "programs with a comparison that agrees"
DISTURBED = "disturbed texts"


class Outcome(NamedTuple):
    """What a chunk found: a tally of (property, outcome), and findings with their programs' numbers."""

    programs: int
    tally: Counter
    findings: list[tuple[int, Finding]]


class Kind(NamedTuple):
    """A kind of programs: who writes them, what is found about one, and what should hold of it."""

    program: object
    case: object
    properties: dict


NUMBERS = Kind(program, Case, PROPERTIES)
ARRAYS = Kind(array_strategies.program, array_properties.Case, array_properties.PROPERTIES)


class Choice(NamedTuple):
    """Which programs, and how much of them is looked at."""

    kind: Kind
    seed: int
    sympy_every: int
    disturb: int


@contextlib.contextmanager
def limit(seconds):
    """Raise `TooLong` in the block after so many seconds."""

    def stop(_signal, _frame):
        raise TooLong

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def checks(choice, number):
    """The properties to look at in a program."""
    for name, row in choice.kind.properties.items():
        every = choice.sympy_every if name == "SymPy" else row.every
        if every and number % every == 0:
            yield name, row.check


def examine(written, wanted, make=Case, seconds=SECONDS):
    """The tally and the findings of some properties of a program."""
    tally, findings, name = Counter(), [], "compile"
    case = None
    try:
        with limit(seconds):
            case = make(*written)
            for name, check in wanted:
                check(case)
                tally[name, PROGRAMS] += (name, AGREES) in case.tally
    except TooLong:
        tally[name, TOO_LONG] += 1
    except array_properties.UnreadableError:
        tally[name, UNREADABLE] += 1
    except Exception as error:
        if isinstance(error, np.linalg.LinAlgError) and "cofactor" in written.source:
            tally[name, SINGULAR] += 1  # whose derivatives, as told, take the inverse
        else:
            trace = traceback.format_exc(limit=-3)
            findings.append(Finding(f"{name}: {FOREIGN}", written.source, (), trace))
    if case is not None:
        tally += case.tally
        findings += case.findings
    return tally, findings


def chunk(task):
    """A run of programs; a module-level function, for other processes."""
    choice, numbers = task
    tally, findings = Counter(), []
    for number in numbers:
        rng = random.Random(f"{choice.seed}/{number}")
        written = choice.kind.program(rng)
        counted, found = examine(written, list(checks(choice, number)), choice.kind.case)
        tally += counted
        findings += [(number, shortest(f, written, choice.kind)) for f in _each_once(found)]
        for _ in range(choice.disturb):
            text = disturbed(rng, written.source)
            problem = survives(text)
            tally[DISTURBED, "DISAGREES" if problem else "only ExpressionError"] += 1
            if problem:
                findings.append((number, Finding(DISTURBED, text, (), problem)))
    return Outcome(len(numbers), tally, findings)


def _each_once(findings):
    return {finding.name: finding for finding in findings}.values()


def shortest(finding, written, kind):
    """The finding on the shortest text that still has it."""
    name = finding.name.split(":")[0]
    if name not in kind.properties:
        return finding
    found = [finding]

    def fails(text):
        check = kind.properties[name].check
        again = examine(written._replace(source=text), [(name, check)], kind.case)[1]
        same = [other for other in again if other.name == finding.name]
        found.extend(same[:1])
        return bool(same)

    reduced(finding.source, fails)
    return min(found, key=lambda other: len(other.source))


def tasks(choice, first, programs):
    end = first + programs
    for start in range(first, end, CHUNK):
        yield choice, range(start, min(start + CHUNK, end))


def run(options):
    """All chunks, in order, until the time is up."""
    kind = ARRAYS if options.arrays else NUMBERS
    choice = Choice(kind, options.seed, options.sympy_every, options.disturb)
    total = Outcome(0, Counter(), [])
    start = time.monotonic()
    with contextlib.ExitStack() as stack:
        imap = map
        if options.jobs > 1:
            imap = stack.enter_context(multiprocessing.Pool(options.jobs)).imap
        for outcome in imap(chunk, tasks(choice, options.first, options.programs)):
            counted, tally, findings = total
            total = Outcome(
                counted + outcome.programs, tally + outcome.tally, findings + outcome.findings
            )
            elapsed = time.monotonic() - start
            for number, finding in outcome.findings:
                sys.stderr.write(f"\nprogram {number}: {finding.name}: {finding.source!r}\n")
            progress(total, elapsed)
            if options.seconds and elapsed > options.seconds:
                break
    return total, time.monotonic() - start


def progress(total, elapsed):
    """One line on a terminal, written over and over."""
    if sys.stderr.isatty():
        rate = total.programs / max(elapsed, 1e-9)
        text = f"\r{total.programs} programs, {rate:.0f}/s, {len(total.findings)} disagreements"
        sys.stderr.write(text)
        sys.stderr.flush()


def report(options, total, elapsed):
    """The figures and the findings as text."""
    rate = total.programs / max(elapsed, 1e-9)
    yield (
        f"{total.programs} programs from {options.first} on, seed {options.seed}, {elapsed:.0f} s, "
        f"{rate:.0f} programs/s"
    )
    for name in dict.fromkeys([*PROPERTIES, *array_properties.PROPERTIES, DISTURBED, "compile"]):
        outcomes = {o: n for (p, o), n in total.tally.items() if p == name}
        compared = outcomes.pop(PROGRAMS, 0)
        if outcomes:
            yield f"{name}: {sum(outcomes.values())} cases" + f", {compared} programs agree" * bool(
                compared
            )
            yield from (
                f"  {n:9} {o}" for o, n in sorted(outcomes.items(), key=lambda item: -item[1])
            )
    yield f"{len(total.findings)} disagreements"
    for number, finding in total.findings:
        yield f"\nprogram {number} of seed {options.seed}: {finding.name}"
        yield f"  source {finding.source!r}"
        yield f"  point {finding.point}"
        yield f"  {finding.detail}"


def main(arguments=None):
    """Run, print, and say by the exit status whether all agreed."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--programs", type=int, default=2_000, help="how many (default 2000)")
    parser.add_argument("--seed", type=int, default=1, help="which ones (default 1)")
    parser.add_argument(
        "--first",
        type=int,
        default=0,
        metavar="N",
        help="begin with program N, to go on with a run",
    )
    parser.add_argument("--seconds", type=float, help="stop after so long")
    parser.add_argument(
        "--sympy-every",
        type=int,
        default=10,
        metavar="N",
        help="ask SymPy about one in N (default 10)",
    )
    parser.add_argument(
        "--disturb", type=int, default=2, metavar="N", help="disturbed texts for each (default 2)"
    )
    parser.add_argument("--arrays", action="store_true", help="programs of arrays")
    parser.add_argument("--jobs", type=int, default=1, help="processes (default 1)")
    options = parser.parse_args(arguments)
    total, elapsed = run(options)
    sys.stdout.write("\n".join(report(options, total, elapsed)) + "\n")
    return 1 if total.findings else 0


if __name__ == "__main__":
    sys.exit(main())

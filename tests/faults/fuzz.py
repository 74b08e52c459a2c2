"""Damages every kind of file that wellgram reads, and says what became of it.

``python tests/faults/fuzz.py --inputs 10000 --seed 1 [--kind map.npz] [--keep FOLDER]``

Each input is a small file with one damage. It is read in another process, with a limit of 20 s.
Wanted are the same values, or an error of ours of one line. Failures are values that changed in a
file that carries checksums, a traceback, a hang and a crash. Foreign files without checksums may
change: that is counted apart. The exit status is 1 if there are failures that are not in `KNOWN`.
A seed gives the same inputs each time.
"""

import argparse
import itertools
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from faults.file_kinds import FILE_KINDS, kinds_named
from faults.known import KNOWN
from faults.reader_processes import (
    CHANGED,
    CRASH,
    HANG,
    REFUSED,
    SAME,
    TRACEBACK,
    Input,
    Outcome,
    files_at,
    outcomes,
    put_files,
)  # fmt: skip

UNPROTECTED = "changed, unprotected"
COLUMNS = (SAME, REFUSED, UNPROTECTED, CHANGED, TRACEBACK, HANG, CRASH)
FAILURES = (CHANGED, TRACEBACK, HANG, CRASH)


def inputs(kinds: Sequence[str], count: int, seed: int) -> Iterator[Input]:
    """Yield as many inputs, of each kind in turn."""
    turns = itertools.cycle(kinds)
    return (Input(next(turns), seed, k // len(kinds)) for k in range(count))


def column_of(outcome: Outcome) -> str:
    """Return under which heading an outcome is counted."""
    changed_as_expected = outcome.what == CHANGED and not FILE_KINDS[outcome.input.kind].protected
    return UNPROTECTED if changed_as_expected else outcome.what


def is_failure(outcome: Outcome) -> bool:
    """Whether an outcome is one that must not be."""
    return column_of(outcome) in FAILURES


def is_known(outcome: Outcome) -> bool:
    """Whether a failure is one of `KNOWN`."""
    return (outcome.input.kind, outcome.what) in KNOWN


def table_of(ended: Sequence[Outcome]) -> str:
    """Return the counts of outcomes, a line per kind."""
    counts = Counter((outcome.input.kind, column_of(outcome)) for outcome in ended)
    kinds = list(dict.fromkeys(kind for kind in FILE_KINDS if any(k == kind for k, _ in counts)))
    lines = [" " * 24 + "".join(f"{name:>22}" for name in COLUMNS)]
    lines += [
        f"{kind:24}" + "".join(f"{counts[kind, name]:22,}" for name in COLUMNS) for kind in kinds
    ]
    totals = (sum(counts[kind, name] for kind in kinds) for name in COLUMNS)
    return "\n".join([*lines, f"{'all':24}" + "".join(f"{total:22,}" for total in totals)])


def keep(outcome: Outcome, folder: Path) -> Path:
    """Write a failing input into a folder, with the files beside it; return where."""
    given = outcome.input
    kind = FILE_KINDS[given.kind]
    name = f"{given.kind} {given.seed} {given.number} {outcome.what}".replace(", ", " ")
    place = folder / name.replace(" ", "_")
    place.mkdir(parents=True)
    kind.write(place)
    changed, damage = given.damaged(files_at(place / kind.target))
    put_files(place / kind.target, changed)
    (place / "outcome.txt").write_text(f"{damage}\n{outcome.what}: {outcome.message}\n")
    return place


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; return its exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", choices=[*FILE_KINDS], help="all by default")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where failing inputs go")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    chosen = parser.parse_args(arguments)
    kinds = [chosen.kind] if chosen.kind else [*FILE_KINDS]
    for kind in kinds:
        if not FILE_KINDS[kind].usable:
            print(f"{kind} is left out: it needs {FILE_KINDS[kind].needs}")
    kinds = [kind for kind in kinds if FILE_KINDS[kind].usable]
    ended = [
        *outcomes(
            inputs(kinds, chosen.inputs, chosen.seed),
            partial(kinds_named, *kinds),
            chosen.processes,
        )
    ]
    print(table_of(ended))
    failures = [outcome for outcome in ended if is_failure(outcome)]
    for outcome in sorted(failures, key=lambda one: (one.input.kind, one.input.number)):
        given = outcome.input
        beside = f", known: {KNOWN[given.kind, outcome.what]}" if is_known(outcome) else ""
        print(f"{given.kind}, number {given.number}: {outcome.what}{beside}: "
              f"{outcome.damage}: {outcome.message}")  # fmt: skip
        if chosen.keep:
            print(f"  kept in {keep(outcome, chosen.keep)}")
    return int(any(not is_known(outcome) for outcome in failures))


if __name__ == "__main__":
    sys.exit(main())

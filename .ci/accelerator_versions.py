"""The accelerator beside every release of the libraries that it accelerates.

Run ``python .ci/accelerator_versions.py FOLDER [--library NAME] [--write] [--check]`` in an
environment that has the newest releases. Each release is installed into a folder of its own below
FOLDER. Its calls (``tests/accelerator_calls``) run three times in processes of their own: as they
are, accelerated, and accelerated with ``WELLGRAM_ACCEL_VERIFY=1``. All results, errors, printed
lines and arguments must be the same. The table of what was replaced goes into
``docs/accelerator.md`` with ``--write``; with ``--check`` it must be there already. A release that
is newer than the table is tried too, and need not be there.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "accelerator.md"
BEGIN, END = "<!-- versions: begin -->", "<!-- versions: end -->"


class Library(NamedTuple):
    """A library that is accelerated, and which releases of it are supported."""

    distribution: str
    oldest: str
    calls: str
    older_needs: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """What releases before a version need beside them"""
    ends_alone: bool = False
    """Whether only the oldest and the newest are tried: between them, too many"""
    door: tuple[str, ...] = ("-m", "wellgram.accel")
    """How Python is told to accelerate"""

    def needs(self, version: str) -> list[str]:
        """Return what is installed for a release."""
        needs = [f"{self.distribution}=={version}"]
        for before, others in self.older_needs:
            if ordered(version) < ordered(before):
                needs += others
        return needs


LIBRARIES = (
    # The older releases import no DuckDB from 1.4 on, and that knows no texts of pandas 3.
    Library(
        "copairs",
        "0.5.0",
        "copairs_calls.py",
        older_needs=(("0.5.2", ("duckdb==1.3.2", "pandas==2.3.3", "pytz")),),
    ),
    Library("pycytominer", "1.5.1", "pycytominer_calls.py"),
    Library("efaar_benchmarking", "1.0", "efaar_calls.py"),
    Library(
        "scikit-learn",
        "1.6.0",
        "sklearn_calls.py",
        ends_alone=True,
        door=("-m", "wellgram.accel", "--also", "scikit-learn"),
    ),
)


def ordered(version: str) -> tuple[int, ...]:
    """Return a version as numbers, which are in order."""
    return tuple(map(int, re.findall(r"\d+", version)))


def releases(library: Library) -> list[str]:
    """Return the supported releases that the package registry has, the oldest first."""
    command = [sys.executable, "-m", "pip", "index", "versions", library.distribution]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (line,) = re.findall("Available versions: (.*)", output)
    known = sorted(line.split(", "), key=ordered)
    supported = [version for version in known if ordered(version) >= ordered(library.oldest)]
    if library.ends_alone:
        return sorted({supported[0], *listed(library), supported[-1]}, key=ordered)
    return supported


def listed(library: Library) -> list[str]:
    """Return the releases that the page has a column for."""
    heads = re.findall(rf"^\| {library.distribution} \|(.*)\|$", PAGE.read_text(), re.MULTILINE)
    return [version.strip() for head in heads for version in head.split("|")]


def install(library: Library, version: str, folder: Path) -> Path:
    """Install a release without what it depends on; return where it lies."""
    target = folder / f"{library.distribution}-{version}"
    if not target.is_dir():
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        subprocess.run([*command, target, *library.needs(version)], check=True)
    return target


def run(library: Library, version: str, folder: Path) -> dict[str, object]:
    """Return what differs between the runs of a release, and where its calls ran."""
    target = install(library, version, folder)
    calls = ROOT / "tests" / "accelerator_calls"
    recorded = folder / f"{library.distribution}-{version}.calls"
    report = recorded.with_suffix(".json")
    recorded.unlink(missing_ok=True)
    report.unlink(missing_ok=True)
    found: dict[str, object] = {"differences": [], "rows": []}
    # The inputs are small, so calls that would be too small to pay are replaced too.
    accelerated = {"REPORT": str(report), "WELLGRAM_ACCEL_SMALL": "1"}
    for door, settings in (
        ((), {}),
        (library.door, accelerated),
        (library.door, accelerated | {"WELLGRAM_ACCEL_VERIFY": "1"}),
    ):
        home = folder / f"{target.name}-{len(door)}{len(settings)}"
        shutil.rmtree(home, ignore_errors=True)  # what was kept of an earlier run
        home.mkdir()
        paths = [str(target), str(calls), str(folder / "stand_ins")]
        run_of_calls = subprocess.run(
            [sys.executable, "-W", "ignore", *door, str(calls / library.calls)],
            cwd=home,
            env=os.environ
            | {"PYTHONPATH": os.pathsep.join(paths), "HOME": str(home), "PYTHONHASHSEED": "0"}
            # As many processes run as there are cores.
            | {"RECORDED": str(recorded), "OPENBLAS_NUM_THREADS": "1", **settings},
            capture_output=True,
            text=True,
            check=False,
        )
        if run_of_calls.returncode or not (report if settings else recorded).is_file():
            found["differences"] = [run_of_calls.stderr[-2000:]]
            return found
        if settings:
            this = json.loads(report.read_text())
            how = "accelerated" if settings == accelerated else "verified"
            found["differences"] += [f"{how}: {difference}" for difference in this["differences"]]
            found["calls"] = len(this["calls"])
            if settings == accelerated:
                found["rows"] = this["rows"]
    return found


def cells(rows: list[list[object]]) -> dict[str, str]:
    """Return for each function how many of its calls were replaced."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    refused = set()
    for name, ran, calls, *_ in rows:
        if ran == "refused":
            refused.add(name)
        counts[name][0] += calls if ran == "wellgram" else 0
        counts[name][1] += calls
    return {
        name: "refused" if name in refused else f"{replaced} of {every}"
        for name, (replaced, every) in counts.items()
    }


def table(library: Library, by_version: dict[str, dict[str, str]]) -> str:
    """Return the table of a library: a row a function, a column a release."""
    names = sorted({name for column in by_version.values() for name in column})
    lines = [
        "| " + " | ".join([library.distribution, *by_version]) + " |",
        "|---" * (1 + len(by_version)) + "|",
    ]
    for name in names:
        row = [column.get(name, "absent") for column in by_version.values()]
        lines.append("| " + " | ".join([f"`{name}`", *row]) + " |")
    return "\n".join(lines)


def without_counts(page: str) -> str:
    """Return a page with whether calls were replaced in the place of how many."""
    replaced = re.sub(r"\b[1-9]\d* of \d+", "replaced", page)
    return re.sub(r"\b0 of \d+", "declined", replaced)


def main() -> None:
    """Run all calls of the releases that are asked for, and say what differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--library", choices=[library.distribution for library in LIBRARIES])
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if options.library and (options.write or options.check):
        parser.error("the table is of all libraries: leave out --library")
    folder = options.folder.absolute()
    folder.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(ROOT / "benchmarks"))
    from peers import write_stand_ins

    write_stand_ins(folder / "stand_ins")
    chosen = [one for one in LIBRARIES if options.library in (None, one.distribution)]
    jobs = [(library, version) for library in chosen for version in releases(library)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda job: run(*job, folder), jobs))
    wrong = False
    tables = []
    for library in chosen:
        by_version = {}
        for (of, version), found in zip(jobs, results, strict=True):
            if of is library:
                print(f"{library.distribution} {version}: {found.get('calls', 0)} calls, "
                      f"{len(found['differences'])} differences", flush=True)  # fmt: skip
                for difference in found["differences"]:
                    wrong = True
                    print(f"  {difference}")
                if options.check and version not in listed(library):
                    print(f"  {version} is newer than the table of {PAGE.name}")
                else:
                    by_version[version] = cells(found["rows"])
        tables.append(table(library, by_version))
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = f"{before}{BEGIN}\n\n" + "\n\n".join(tables) + f"\n\n{END}{after}"
    if options.write:
        PAGE.write_text(made)
    # Processors round otherwise, so that a call or two may be declined on one of them alone.
    if options.check and without_counts(made) != without_counts(page):
        wrong = True
        print(f"{PAGE} has another table; write it with --write")
    if not (options.write or options.check):
        print("\n\n".join(tables))
    raise SystemExit(wrong)


if __name__ == "__main__":
    main()

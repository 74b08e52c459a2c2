"""The tests that the public tools publish with their sources, as they are and accelerated.

Run ``python benchmarks/published_suites.py FOLDER``, where FOLDER holds unpacked source
distributions (``pip download --no-binary :all: --no-deps copairs==0.5.5``, and so on) or checkouts
of repositories, with the release that is installed. Each suite runs twice in processes of its own;
every test must come out the same, and some call must have been replaced. Small calls are replaced
too (``WELLGRAM_ACCEL_SMALL=1``). Absent packages that efaar_benchmarking imports, but its tested
functions never call, are stood in for. The sources of copairs lack ``tests/helpers.py``, which is
in its repository; without it the tests that import it fail both ways, and are counted so.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from peers import write_stand_ins


def outcomes(suite: Path, folder: Path, door: list[str]) -> tuple[dict[str, str], int]:
    """Return what became of each test, and how many calls were replaced."""
    home = folder / ("accelerated" if door else "as_it_is")
    home.mkdir()
    report = home / "report.xml"
    paths = [str(folder / "stand_ins"), os.environ.get("PYTHONPATH", "")]
    command = [sys.executable, *door, "-m", "pytest", "tests", "-q", "-p", "no:cacheprovider"]
    command += ["--continue-on-collection-errors", "-o", "addopts="]  # coverage, of the tool's own
    settings = {"PYTHONPATH": os.pathsep.join(paths), "HOME": str(home)}
    run = subprocess.run(
        [*command, f"--junitxml={report}"],
        cwd=suite,
        env=os.environ | settings | {"WELLGRAM_ACCEL_SMALL": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if not report.is_file():
        raise SystemExit(f"{suite}: the tests do not run: {run.stderr[-2000:]}")
    tests = {
        f"{test.get('classname')}.{test.get('name')}": next(iter(test)).tag
        if len(test)
        else "passed"
        for test in ElementTree.parse(report).iter("testcase")
    }
    rows = (line.split() for line in run.stderr.splitlines())
    replaced = sum(int(row[1].replace(",", "")) for row in rows if row[:1] == ["wellgram"])
    return tests, replaced


def main() -> None:
    """Run all suites of a folder both ways."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    wrong = False
    for suite in sorted(path for path in options.folder.iterdir() if path.is_dir()):
        if not (suite / "tests").is_dir():
            print(f"{suite.name}: publishes no tests")
            continue
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            write_stand_ins(folder / "stand_ins")
            doors = ([], ["-m", "wellgram.accel", "--profile"])
            with ThreadPoolExecutor(len(doors)) as pool:
                (plain, _), (ours, replaced) = pool.map(partial(outcomes, suite, folder), doors)
        print(f"{suite.name}: as it is {dict(Counter(plain.values()))}, accelerated "
              f"{dict(Counter(ours.values()))}; {replaced:,} calls replaced",
              flush=True)  # fmt: skip
        wrong |= plain != ours or not replaced
        for test in sorted({*plain, *ours}):
            if plain.get(test) != ours.get(test):
                print(f"  {test}: {plain.get(test)}, accelerated {ours.get(test)}")
    raise SystemExit(wrong)


if __name__ == "__main__":
    main()

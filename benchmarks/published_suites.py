"""The tests that the public tools publish with their sources, as they are and accelerated.

Run ``python benchmarks/published_suites.py FOLDER``, where FOLDER holds unpacked source
distributions (``pip download --no-binary :all: --no-deps copairs==0.5``, and so on). Each suite
runs twice in processes of its own; every test must come out the same. Absent packages that
efaar_benchmarking imports, but its tested functions never call, are stood in for. The sources of
copairs lack ``tests/helpers.py``, which is in its repository.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections import Counter
from pathlib import Path

from peers import write_stand_ins


def outcomes(suite: Path, door: list[str], folder: Path) -> dict[str, str]:
    """Return what became of each test."""
    report = folder / "report.xml"
    report.unlink(missing_ok=True)
    paths = [str(folder / "stand_ins"), os.environ.get("PYTHONPATH", "")]
    command = [sys.executable, *door, "-m", "pytest", "tests", "-q", "-p", "no:cacheprovider"]
    command += ["-o", "addopts="]  # coverage, of the tool's own
    subprocess.run(
        [*command, f"--junitxml={report}"],
        cwd=suite,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths), "HOME": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )
    return {
        f"{test.get('classname')}.{test.get('name')}": next(iter(test)).tag
        if len(test)
        else "passed"
        for test in ElementTree.parse(report).iter("testcase")
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    differ = False
    for suite in sorted(path for path in options.folder.iterdir() if path.is_dir()):
        if not (suite / "tests").is_dir():
            print(f"{suite.name}: publishes no tests")
            continue
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            write_stand_ins(folder / "stand_ins")
            plain = outcomes(suite, [], folder)
            ours = outcomes(suite, ["-m", "wellgram.accel"], folder)
        print(f"{suite.name}: as it is {dict(Counter(plain.values()))}, "
              f"accelerated {dict(Counter(ours.values()))}", flush=True)  # fmt: skip
        for test in sorted({*plain, *ours}):
            if plain.get(test) != ours.get(test):
                differ = True
                print(f"  {test}: {plain.get(test)}, accelerated {ours.get(test)}")
    if differ:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

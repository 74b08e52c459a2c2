"""Runs the code of README.md and docs/: ``pytest README.md docs``.

Blocks of Python share a namespace, and blocks of the console a folder, for each page; in a console,
lines that begin with ``$`` are run, and must succeed. What needs a file or a machine that only
readers have is preceded by ``<!-- skip: next -->``.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from sybil import Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

HERE = Path(__file__).parent
sys.path.append(str(HERE / "docs"))


class ConsoleParser(CodeBlockParser):
    """Commands, and what they print, which is not compared."""

    language = "console"

    def evaluate(self, example: Example) -> None:
        """Run the commands one after another."""
        for command in commands(example.parsed):
            paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
            done = subprocess.run(
                ["bash", "-c", command],
                env=os.environ | {"PATH": paths, "COLUMNS": "120"},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"$ {command}\n{done.stdout}{done.stderr}"


def commands(text: str) -> list[str]:
    """Return the commands of a console: lines after a prompt, with those that they go on in."""
    found: list[str] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append(line[2:])
        elif found and found[-1].endswith("\\"):
            found[-1] += "\n" + line
    return found


def begin(namespace: dict[str, object]) -> None:
    """Go to a new folder, where no figure opens a window."""
    import matplotlib

    matplotlib.use("Agg")
    namespace["_home"], namespace["_folder"] = Path.cwd(), tempfile.TemporaryDirectory()
    os.chdir(namespace["_folder"].name)


def begin_with_a_screen(namespace: dict[str, object]) -> None:
    """Go to a folder with the files, and begin with the names, that the pages speak of."""
    begin(namespace)
    import page_screen

    namespace.update(page_screen.prepare())


def end(namespace: dict[str, object]) -> None:
    """Go back."""
    os.chdir(namespace["_home"])
    namespace["_folder"].cleanup()


parsers = [PythonCodeBlockParser(), ConsoleParser(), SkipParser()]
stories = Sybil(parsers, patterns=["docs/tutorials/*.md"], setup=begin, teardown=end)
pages = Sybil(
    parsers,
    patterns=["README.md", "docs/*.md", "docs/guide/*.md"],
    setup=begin_with_a_screen,
    teardown=end,
)
pytest_collect_file = (stories + pages).pytest()

"""The lists of "How to add" are true: places and names are there, registries are complete."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import wellgram
from helpers.cases import one_of_each
from wellgram import align, pairs
from wellgram.backends import consumers, cpu_scan
from wellgram.backends.gpu import card_consumers
from wellgram.backends.protocol import Backend, Kernels
from wellgram.io import FORMATS
from wellgram.suite.benchmarks import BENCHMARKS

ROOT = Path(__file__).parents[1]
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
TOPICS = ["An alignment", "A metric", "A consumer", "A file format", "A backend primitive"]


def read(*names):
    """The text of files, and of all files of folders."""
    paths = [ROOT / name for name in names]
    files = [f for path in paths for f in (path.rglob("*") if path.is_dir() else [path])]
    text = {".py", ".pyi", ".md", ".hpp", ".cpp", ".toml", ".txt"}
    return "\n".join(file.read_text() for file in files if file.suffix in text)


def items():
    """Every item of the lists: its topic, its place, and the other code in it."""
    _, lists = CONTRIBUTING.split("\n## How to add\n")
    for section in re.split(r"^### ", lists, flags=re.MULTILINE)[1:]:
        topic, *_ = section.splitlines()
        for number, item in enumerate(re.split(r"^\d+\. ", section, flags=re.MULTILINE)[1:], 1):
            place, *names = re.findall(r"`([^`]+)`", item)
            yield pytest.param(place, names, id=f"{topic}, {number}: {place}")


def public_consumers():
    """The consumers that a pass may have."""
    named = [getattr(consumers, name) for name in consumers.__all__]
    return [
        c for c in named if inspect.isclass(c) and "absorb" in vars(c) and c.__name__ != "Consumer"
    ]


def test_there_is_a_list_for_each_topic():
    headings = re.findall(r"^### (.+)", CONTRIBUTING.split("\n## How to add\n")[1], re.MULTILINE)
    assert headings == TOPICS


@pytest.mark.parametrize(("place", "names"), list(items()))
def test_places_and_names_of_the_lists_are_there(place, names):
    assert (ROOT / place).exists()
    text = read(place)
    for name in names:
        assert name in text or (ROOT / name).exists() or (ROOT / place / name).exists(), name


def test_places_of_the_rest_are_there():
    for name in re.findall(
        r"`((?:[\w.]+/)*[\w.]+)`", CONTRIBUTING.split("\n## Where things are")[1]
    ):
        if "/" in name:
            assert (ROOT / name).exists(), name


@pytest.mark.parametrize("name", [*align.ALIGNMENTS, *align.BY_COLUMN, *align.OPTIONAL])
def test_an_alignment_is_in_all_places(name):
    of_class = (align.ALIGNMENTS | align.BY_COLUMN | align.OPTIONAL)[name].__name__
    assert of_class in align.__all__
    assert of_class in wellgram.__all__
    assert f"`{name}`" in read("docs/guide/alignments.md")
    assert f"::: wellgram.{of_class}\n" in read("docs/reference/alignments.md")


@pytest.mark.parametrize("name", sorted(wellgram.__all__))
def test_a_public_name_is_in_the_reference(name):
    assert re.search(rf"^::: wellgram\.{name}$", read("docs/reference"), re.MULTILINE)


def test_a_benchmark_of_the_suite_is_on_the_page_of_files():
    """By the name of its table or figure."""
    page = read("README.md")
    for name in BENCHMARKS:
        assert f"`{name.replace('-', '_')}.csv`" in page, name


@pytest.mark.parametrize("kind", public_consumers(), ids=lambda kind: kind.__name__)
def test_a_consumer_is_in_all_places(kind):
    assert kind.__name__ in pairs.__all__
    assert kind in cpu_scan._TWINS
    assert kind in card_consumers.TWINS
    assert kind in map(type, one_of_each(consumers.Extent(9), np.float64))
    assert f"class {kind.__name__}:" in read("python/wellgram/_cpu.pyi")
    assert f"make_consumer(const {kind.__name__}&" in read("csrc/cpu/scan.cpp")


def test_a_format_is_on_the_page_of_files():
    page = read("docs/guide/files.md")
    for entry in FORMATS.values():
        assert any(f"`{suffix}`" in page for suffix in entry.suffixes), entry.name


@pytest.mark.parametrize("name", [word for word in vars(Backend) if not word.startswith("_")])
def test_a_primitive_is_compared_and_listed(name):
    if name in ("name", "why_not", "describe", "resident"):  # what a backend is
        return
    assert f".{name}(" in read("tests/conformance")
    assert f"`{name}`" in read("ARCHITECTURE.md")
    if name not in vars(Kernels):  # made of others by the front
        return
    for backend in ("reference", "cpu", "numba"):
        assert hasattr(import_module(f"wellgram.backends.{backend}"), name), backend


def test_the_suite_runs_the_command_of_the_readme():
    (command,) = re.findall(r"&& (pytest .+)", read("README.md"))
    assert re.search(rf"^{re.escape(command)}$", (ROOT / ".ci" / "run").read_text(), re.MULTILINE)
    assert f"`{command}`" in CONTRIBUTING

"""The glossary has every public name, each in one place, and words that were given up stay out."""

import ast
import inspect
import re
from pathlib import Path

import pytest
from typer.main import get_command

import wellgram
from wellgram.cli import app
from wellgram.metrics import legacy

ROOT = Path(__file__).parents[1]
PACKAGE = Path(wellgram.__file__).parent
PAGE = ROOT / "docs" / "glossary.md"
ROOMS = ("align", "graphs", "maps", "metrics", "metrics/legacy", "pairs", "studies", "wells.py")
"""Where tables are made that people read"""
FUNCTIONS = [name for name in legacy.__all__ if inspect.isfunction(getattr(legacy, name))]
"""Those of the legacy measures"""
VALUES = {
    *("CRISPR", "COMPOUND", "all", "max", "farthest", "train", "test", "whole", "log2"),
    *("Pipeline", "GridSearchCV", "clone", "fit", "transform", "get_params"),  # scikit-learn's
}
"""Words that docstrings of columns set as code, and that are no columns"""

RETIRED = {
    "precision, of a type": (r"\bprecision=|--precision\b|\bprecision: (str|\w*Dtype)", "dtype"),
    "truth, but what is planted": (r"(?<!planted )\btruth\b|_truth\b|\btruth_", "targets"),
    "compound_gene, but peers' names": (
        r"compound_gene(?!_interactions\.csv|_benchmark)",
        "drug_targets",
    ),
    "clusters of genes": (r"\bclusters=|--clusters\b|\bcluster_separation\b", "gene sets"),
    "complexes of pairs": (
        r"\bcomplexes=|--complexes\b|\bcomplex_similarity\b|\bcomplexes_of_pairs\b",
        "gene sets",
    ),
    "baseline": (r"\bbaseline=|--baseline\b|\bnumber_baseline\b", "covariate"),
    "mean_number": (r"\bmean_number\b", "covariate_means"),
    "neighborhood": (r"neighborhood", "neighbors"),
    "nearest, the function": (r"\b(wg|wellgram)\.nearest\b", "neighbors"),
    "project": (r"\b(wg|wellgram)\.project\b", "pca_projection"),
    "interval_low, interval_high": (r"\binterval_(low|high)\b", "ci_low, ci_high"),
    "corrected p-value": (r"\b(below_)?corrected_p(_value)?\b", "q_value"),
    "seeds": (r"\bseeds=", "draws"),
    "blocks of rows": (r"\bWellBlock\b|\bblocks? of (rows|wells)\b", "chunks"),
    "told, as a head": (r"[\"'](\w+ )?told[\"']", "accuracy"),
}
"""Words that were given up, how they are found, and what is said instead"""
RETIRED_NAMES = {"clusters": "gene_sets", "complexes": "gene_sets", "baseline": "covariate"}
"""What no variable is called any more, but where complexes are planted"""


def entries():
    """Every row of the glossary: the term, its meaning, and where it appears."""
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells[0] != "term" and not cells[0].startswith("---"):
            term, meaning, where = cells
            yield term, meaning, re.findall(r"`([^`]+)`", where)


@pytest.fixture(scope="module")
def places():
    """Which term each name stands beside; fails where it stands beside two."""
    found = {}
    for term, _, where in entries():
        for name in where:
            assert name not in found, f"{name} is {found[name]!r} and {term!r}"
            found[name] = term
    return found


def parameters():
    """Every parameter of the public functions and classes, with their names."""
    names = [(wellgram, name) for name in wellgram.__all__]
    for room, name in [*names, *((legacy, name) for name in FUNCTIONS)]:
        public = getattr(room, name)
        if callable(public) and not (inspect.isclass(public) and issubclass(public, Exception)):
            for parameter in inspect.signature(public).parameters:
                yield name, parameter


def docstrings():
    """Every docstring of the rooms, those of fields too."""
    files = [file for room in ROOMS for file in (*PACKAGE.glob(room), *PACKAGE.glob(f"{room}/*"))]
    for file in files:
        if file.suffix != ".py":
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                yield ast.get_docstring(node) or ""
            if isinstance(node, ast.ClassDef):
                texts = [n.value for n in node.body if isinstance(n, ast.Expr)]
                yield from (n.value for n in texts if isinstance(n, ast.Constant))


def tables():
    """What docstrings say of columns: the text of a table, or of a parameter that is one."""
    for text in docstrings():
        for section in re.split(r"\n\n(?=\w+\n-+\n)", text):
            if section.startswith("Parameters\n"):
                yield from re.findall(r"[Cc]olumns ``.*?(?=\n\S|\Z)", section, re.DOTALL)
            elif not section.startswith("Raises\n") and re.search(
                r"[Cc]olumns\b|[Rr]ow per|`table` has|Per (item|source)", section
            ):
                yield section


def columns():
    """The columns of tables, input and output, that are documented."""
    return {name for text in tables() for name in re.findall(r"``([A-Za-z_]\w*)``", text)}


def options():
    """Every option of the command line, with its command; those of all commands have none."""
    main = get_command(app)
    for name, command in [("", main), *main.commands.items()]:
        for parameter in command.params:
            if parameter.param_type_name == "option":
                yield name, parameter.opts[0]


def test_every_parameter_is_in_the_glossary_once(places):
    for function, name in parameters():
        assert (f"{name}=" in places) or (f"{function}({name}=)" in places), (
            f"add `{name}=` of {function} to docs/glossary.md"
        )


def test_every_column_is_in_the_glossary(places):
    assert columns() - VALUES - set(places) == set(), "add these columns to docs/glossary.md"


def test_every_option_is_in_the_glossary(places):
    for command, name in options():
        assert name in places or f"{command} {name}" in places, (
            f"add `{name}` of wellgram {command} to docs/glossary.md"
        )


def test_the_glossary_names_nothing_that_is_not_there(places):
    there = {f"{name}=" for _, name in parameters()}
    there |= {f"{function}({name}=)" for function, name in parameters()}
    there |= {name for _, name in options()} | {f"{c} {name}" for c, name in options()}
    there |= columns() | set(wellgram.__all__)
    assert set(places) - there == set(), "take these out of docs/glossary.md"


def test_a_general_entry_is_needed_by_a_function(places):
    """One that every function with the parameter has an entry of its own for says nothing."""
    named = {name for function, name in parameters() if f"{function}({name}=)" not in places}
    assert {name for name in places if re.fullmatch(r"\w+=", name)} == {f"{n}=" for n in named} & (
        set(places)
    )


def test_terms_have_one_meaning_in_short_sentences():
    terms = [term for term, _, _ in entries()]
    assert len(terms) == len(set(terms)) > 100
    for term, meaning, _ in entries():
        assert meaning.endswith("."), term
        longest = max(len(sentence.split()) for sentence in re.split(r"[.:] ", meaning))
        assert longest <= 22, f"{term}: a sentence of {longest} words"


def texts():
    """What people read and write of wellgram; the accelerator speaks the words of the peers."""
    for suffix in ("py", "html", "js"):
        for file in PACKAGE.rglob(f"*.{suffix}"):
            if "accel" not in file.relative_to(PACKAGE).parts:
                yield file
    yield from (ROOT / "docs").rglob("*.md")
    yield from (ROOT / name for name in ("README.md", "CONTRIBUTING.md"))
    yield from (ROOT / "docs").glob("*.py")


@pytest.mark.parametrize("word", RETIRED)
def test_words_that_were_given_up_stay_out(word):
    pattern, instead = RETIRED[word]
    for file in texts():
        found = re.search(pattern, file.read_text())
        assert found is None, f"{file}: {found.group()!r}; say {instead}"


def test_names_that_were_given_up_stay_out():
    for file in texts():
        if file.suffix != ".py" or "simulate" in file.parts or PACKAGE not in file.parents:
            continue
        for node in ast.walk(ast.parse(file.read_text())):
            names = {getattr(node, field, None) for field in ("id", "attr", "arg", "name")}
            for old in names & set(RETIRED_NAMES):
                pytest.fail(f"{file}: {old!r}; say {RETIRED_NAMES[old]}")

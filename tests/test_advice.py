"""On the command line advice names options, and only those that the command has."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import wellgram
from wellgram.cli.advice import in_options
from wellgram.cli.score_command import score
from wellgram.cli.study_commands import batch_study, blocks
from wellgram.io.screens import read_wells

READERS = [score, blocks, batch_study]
IO = Path(wellgram.__file__).parent / "io"
NO_OPTIONS = {"layout"}


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("drop them (missing='drop-wells')", "drop them (--missing drop-wells)"),
        ("name it (control=)", "name it (--control)"),
        ("keep both (allow_unmatched=True)", "keep both (--allow-unmatched)"),
        ("(batch=['a b', 'c'])", "(--batch 'a b' --batch c)"),
        ("(columns=)", "(--same or --covariate)"),
        ("k = 2, x=3, unknown=1", "k = 2, x=3, unknown=1"),
        ("no such parameter (elsewhere=True)", "no such parameter (elsewhere=True)"),
    ],
)
def test_parameters_become_options(message, words):
    assert in_options(message, score) == words


def parameters_in_messages():
    """The parameters of reading that messages of wellgram.io name, as ``name=``."""
    known = set(inspect.signature(read_wells).parameters)
    texts = [
        node.value
        for file in IO.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    ]
    return {name for text in texts for name in re.findall(r"\b([a-z_]+)=", text)} & known


@pytest.mark.parametrize("command", READERS)
def test_every_parameter_that_messages_name_is_an_option(command):
    named = parameters_in_messages()
    assert {"control", "well_id", "missing", "allow_unmatched"} <= named
    for name in named - {"dose" if command is not score else ""}:
        assert in_options(f"({name}=)", command) != f"({name}=)", name

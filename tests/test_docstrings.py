"""The examples in docstrings run and give what they say."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import wellgram

MODULES = [
    found.name
    for found in pkgutil.walk_packages(wellgram.__path__, "wellgram.")
    if (source := getattr(found.module_finder.find_spec(found.name, None), "origin", None))
    and source.endswith(".py")
    and ">>> " in Path(source).read_text()
]


def test_there_are_examples():
    assert "wellgram.wells" in MODULES


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    failed, tried = doctest.testmod(importlib.import_module(name))
    assert tried
    assert not failed

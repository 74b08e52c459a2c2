"""What files of named arrays share: ``embeddings`` (n, d), labels (n,), and what is beside them."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeAlias

from numpy.typing import NDArray

from wellgram.io.places import Place

EMBEDDINGS = "embeddings"
NOTE = "wellgram"
"""What wellgram wrote beside labels and embeddings: see `labels.py`"""
MISSING = "missing"
"""The group of masks: of the vector of that name, which values there are none"""

Arrays = Mapping[str, Any]
"""By name, what has a shape and a dtype and returns values for a slice; or a group of such"""

OpenArrays: TypeAlias = Callable[[Place], AbstractContextManager[Arrays]]
"""Opens the arrays of a file to be read"""

WriteArrays: TypeAlias = Callable[[Path, Mapping[str, NDArray[Any]]], None]
"""Writes arrays of numbers, booleans and text (of dtype object)"""

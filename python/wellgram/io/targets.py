"""Compounds and their targets, as ``compound_gene_interactions.csv`` of efaar_benchmarking."""

from pathlib import Path

import pandas as pd

from wellgram.input_kinds import check_path
from wellgram.io.formats import open_table
from wellgram.io.frames import frame_of
from wellgram.io.tables import need_column

TARGET_COLUMNS = ("treatment", "gene_symbol", "nM_value")
"""Compound, gene, and the concentration at which the compound acts on it"""


def read_targets(path: str | Path, *, encoding: str | None = None) -> pd.DataFrame:
    """Read measured concentrations: columns ``treatment``, ``gene_symbol`` and ``nM_value``.

    Parameters
    ----------
    path
        The table, here or at a URL.
    encoding
        What text of a csv or tsv file is in, such as ``cp1252``; by default UTF-8, or what a mark
        at the beginning of the file says.

    Raises
    ------
    InputError
        If there is no such file, or it lacks a column.
    """
    check_path(path)
    file = open_table(path, encoding=encoding)
    for column in TARGET_COLUMNS:
        need_column(column, file.names, str(path), f"targets are {', '.join(TARGET_COLUMNS)}")
    return frame_of(file.read(list(TARGET_COLUMNS), text=list(TARGET_COLUMNS[:2])))

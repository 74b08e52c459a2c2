"""Chromosome arms: the table that says which gene lies where."""

from typing import Any

import pandas as pd

from wellgram.errors import InputError
from wellgram.input_kinds import check_frame
from wellgram.label_rules.missing_labels import without_missing


def arms_of_genes(genes: pd.DataFrame) -> "pd.Series[Any]":
    """Return the chromosome arm of each gene, indexed by gene.

    Parameters
    ----------
    genes
        Columns ``gene`` and ``chromosome_arm`` (such as ``17q``); a row that lacks either is left
        out.

    Raises
    ------
    InputError
        If a column is missing, or a gene is on two arms.
    """
    check_frame(genes, "the table of genes")
    for column in ("gene", "chromosome_arm"):
        if column not in genes:
            raise InputError(
                f"the table of genes has no column {column!r}; there are {list(genes.columns)}"
            )
    known = genes[["gene", "chromosome_arm"]].apply(without_missing).dropna()
    known = known.drop_duplicates(["gene", "chromosome_arm"])
    twice = known["gene"].duplicated()
    if twice.any():
        gene = known.loc[twice, "gene"].iloc[0]
        arms = known.loc[known["gene"] == gene, "chromosome_arm"].tolist()
        raise InputError(f"gene {gene!r} is on {' and '.join(map(str, arms))}; keep one")
    return known.set_index("gene")["chromosome_arm"]

"""Proximity bias (Lazar et al. 2024): genes of one chromosome arm look alike; take that off."""

from typing import Any, Self

import numpy as np
import pandas as pd

from wellgram.align.chromosome_arms import arms_of_genes
from wellgram.backends.protocol import Floats, Rows
from wellgram.errors import InputError
from wellgram.wells import PerturbationMap


class ProximityCorrection:
    """Subtract from each gene of a map what the unexpressed genes of its chromosome arm share.

    Cutting a chromosome disturbs the genes beside the target, so knockouts of one arm are alike
    whatever their genes do. Genes that are not expressed show that alone: the mean of their
    embeddings, per arm, is subtracted from all genes of the arm.

    The table of genes is the user's: columns ``gene``, ``chromosome_arm`` (such as ``17q``) and
    ``zfpkm``, the expression of the cells used (``log2`` of FPKM, standardised). Without ``zfpkm``
    all genes of an arm are taken. Rows of a map that the table does not name stay as they are.

    Parameters
    ----------
    unexpressed_below
        Genes with a zFPKM below this are not expressed; -3 as published.
    min_genes
        The least number of such genes in the map for an arm to be corrected; 20 as published.

    Attributes
    ----------
    arms_
        One row per arm of the map: ``chromosome_arm``, ``n_genes``, ``n_unexpressed``,
        ``corrected``.
    """

    def __init__(self, unexpressed_below: float = -3.0, min_genes: int = 20) -> None:
        if min_genes < 1:
            raise InputError(f"min_genes must be 1 or more, not {min_genes}")
        self.unexpressed_below = unexpressed_below
        self.min_genes = min_genes

    def fit(self, map_: PerturbationMap, genes: pd.DataFrame) -> Self:
        """Find the mean of each arm's unexpressed genes in a map.

        Raises
        ------
        InputError
            If a column is missing, a gene is on two arms, or no arm of the map can be corrected.
        """
        self._arm = arms_of_genes(genes)
        arm = self._arms_of(map_)
        silent = arm.notna()
        if "zfpkm" in genes:
            expression = genes.drop_duplicates("gene").set_index("gene")["zfpkm"]
            silent &= (
                expression.reindex(map_.labels["perturbation"]).to_numpy() < self.unexpressed_below
            )
        counts = pd.DataFrame({"arm": arm, "silent": silent}).groupby("arm")["silent"]
        table = counts.agg(["size", "sum"]).reset_index()
        table.columns = pd.Index(["chromosome_arm", "n_genes", "n_unexpressed"])
        table["corrected"] = table["n_unexpressed"] >= self.min_genes
        if not table["corrected"].any():
            most = int(table["n_unexpressed"].max()) if len(table) else 0
            raise InputError(
                f"no chromosome arm of the map has {self.min_genes} unexpressed genes (the most: "
                f"{most}); check the names of genes, or lower min_genes"
            )
        self.arms_ = table
        self.means_ = {
            name: _mean(map_.embeddings[((arm == name) & silent).to_numpy()])
            for name in table.loc[table["corrected"], "chromosome_arm"]
        }
        return self

    def _arms_of(self, map_: PerturbationMap) -> "pd.Series[Any]":
        return self._arm.reindex(map_.labels["perturbation"]).reset_index(drop=True)

    def transform(self, map_: PerturbationMap) -> PerturbationMap:
        """Return the map with the means of arms subtracted.

        Raises
        ------
        InputError
            If a corrected value is beyond what the type of the map represents.
        """
        arm = self._arms_of(map_)
        embeddings = map_.embeddings.copy()
        for name, mean in self.means_.items():
            rows = (arm == name).to_numpy()
            with np.errstate(over="ignore"):
                embeddings[rows] = map_.embeddings[rows] - mean
            wrong = ~np.isfinite(embeddings[rows]).all(axis=0)
            if wrong.any():
                raise InputError(
                    f"feature {wrong.argmax()} of the corrected genes of arm {name!r} cannot be "
                    f"represented in {embeddings.dtype}; divide the features by a constant"
                )
        provenance = {**map_.provenance, "proximity_corrected_arms": sorted(map(str, self.means_))}
        return PerturbationMap(embeddings, map_.labels, provenance)

    def fit_transform(self, map_: PerturbationMap, genes: pd.DataFrame) -> PerturbationMap:
        """Fit to a map, then correct it."""
        return self.fit(map_, genes).transform(map_)

    def __repr__(self) -> str:
        said = f"ProximityCorrection({self.unexpressed_below}, {self.min_genes})"
        if not hasattr(self, "arms_"):
            return said
        return f"{said}, fitted: {len(self.means_)} of {len(self.arms_)} arms corrected"


def _mean(rows: Rows) -> Floats:
    """Return the mean of rows, also where their sum is beyond float64."""
    with np.errstate(over="ignore"):
        mean = rows.mean(axis=0, dtype=np.float64)
    lost = ~np.isfinite(mean)
    if lost.any():
        bits, far = len(rows).bit_length(), rows.astype(np.float64)
        with np.errstate(over="ignore"):
            whole = np.ldexp(np.ldexp(far, -bits).mean(axis=0), bits)
        # Rounding carries the mean of the largest numbers there are past them.
        mean[lost] = np.clip(whole, far.min(axis=0), far.max(axis=0))[lost]
    return np.asarray(mean)

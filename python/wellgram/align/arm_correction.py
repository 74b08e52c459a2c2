"""Chromosome arms in wells: what the unexpressed genes of an arm share is taken off."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from wellgram.align.affine import AnySample, BatchAffine, diagonal_maps
from wellgram.align.estimator import Alignment
from wellgram.align.sample import Sample, check_width
from wellgram.align.well_columns import well_column
from wellgram.errors import InputError
from wellgram.label_rules.missing_labels import is_missing

_ARMS = ("Metadata_arm", "chromosome_arm")
_EXPRESSIONS = ("Metadata_zfpkm", "zfpkm")
_NO_ARM = ""


class ArmCorrection(Alignment):
    """Subtract from the wells of each chromosome arm the mean well of its unexpressed genes.

    Knock-outs of one arm look alike whatever their genes do (proximity bias, Lazar et al. 2024).
    Those of genes that the cells do not use show that alone. Follows ``arm_correction`` of the
    jump-profiling-recipe (``correct/corrections.py``): wells are averaged, and an arm is corrected
    if it has enough unexpressed genes. `ProximityCorrection` does the same to a map.

    The wells' metadata has the arm of the gene that was cut, in a column chromosome_arm or
    Metadata_arm, and its expression in zfpkm or Metadata_zfpkm. Wells without an arm, such as
    controls, stay as they are; genes without an expression are not among the unexpressed.

    Parameters
    ----------
    unexpressed_below
        Genes with a zFPKM below this are not expressed; -3 as published.
    min_genes
        The least number of such genes for an arm to be corrected; 21 as published, which asks for
        more than 20.

    Attributes
    ----------
    arms_
        The arms that are corrected.
    """

    name = "arm-correction"

    def __init__(self, unexpressed_below: float = -3.0, min_genes: int = 21) -> None:
        self.unexpressed_below = unexpressed_below
        self.min_genes = min_genes
        self.check_params()

    def check_params(self) -> None:
        """Raise unless the parameters can be used."""
        if self.min_genes < 1:
            raise InputError(f"min_genes must be 1 or more, not {self.min_genes}")

    def check_columns(self, sample: AnySample) -> None:
        """Raise unless the wells have an arm and an expression."""
        self._arms(sample)
        self._expression(sample)

    def fit_sample(self, sample: Sample) -> None:
        """Take the mean of each arm's wells of unexpressed genes."""
        arms = self._arms(sample)
        expression = self._expression(sample)
        numbers = pd.to_numeric(expression, errors="coerce").to_numpy(np.float64)
        silent = (numbers < self.unexpressed_below) & (arms != _NO_ARM).to_numpy()
        metadata = sample.metadata
        assert metadata is not None
        genes = metadata["perturbation"][silent].groupby(arms[silent].to_numpy()).nunique()
        corrected = genes.index[genes >= self.min_genes].tolist()
        if not corrected:
            raise InputError(
                f"no chromosome arm has {self.min_genes} genes with a {expression.name} below "
                f"{self.unexpressed_below} (the most: {int(genes.max()) if len(genes) else 0}); "
                "check that column, or lower min_genes"
            )
        names = [_NO_ARM, *corrected]
        place = {name: k for k, name in enumerate(names)}
        places = arms.map(place).fillna(-1).to_numpy(np.int64)
        codes = np.where(silent, places, -1).astype(np.int64)
        of_silent = replace(sample, codes=codes, names=names)
        moments = of_silent.moments(codes, "variances")
        means = moments.means * moments.unit
        means[0] = 0
        maps = diagonal_maps(np.zeros(sample.width), means, np.ones_like(means))
        self.arms_: list[str] = corrected
        self.means_ = BatchAffine(tuple(names), (maps,), moments.counts)

    def transform_sample(self, sample: AnySample) -> AnySample:
        """Return a sample without the means of arms."""
        check_width(sample.width, self.means_.inputs)
        arms = self._arms(sample)
        names = [_NO_ARM, *self.arms_]
        place = {name: k for k, name in enumerate(names)}
        codes = arms.map(place).fillna(0).to_numpy().astype(np.int64)
        aligned = self.means_.apply_sample(replace(sample, codes=codes, names=names))
        return replace(aligned, codes=sample.codes, names=sample.names)

    def _expression(self, sample: Sample) -> "pd.Series[Any]":
        what = "expression (zFPKM) of its gene"
        return well_column(sample, _EXPRESSIONS, what, self.name, may_lack=True)

    def _arms(self, sample: Sample) -> "pd.Series[str]":
        """Return the arm of each well, or that it has none."""
        arms = well_column(sample, _ARMS, "chromosome arm", self.name, may_lack=True)
        return arms.astype("str").mask(np.asarray(is_missing(arms), bool), _NO_ARM)

"""A screen with planted truth, in the shape of RxRx1: what corrections should do is known.

Every well has the effect of its siRNA, most of it shared by the cell types. On top lie what all
wells vary by, whatever was done to them, along a few directions (whitening by controls takes it
off); a shift and a stretch of features per experiment (centring and scaling by controls do); and
what a plate adds. Same seed, same bytes: see `wellgram.simulate.rxrx3_core`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from wellgram.errors import InputError
from wellgram.files import output_folder
from wellgram.io.screens import wells_from_frame
from wellgram.parquet_checksums import write_parquet
from wellgram.wells import Wells

Vectors = NDArray[np.float32]

# The published shape (RxRx1, arXiv 2301.05768, and its metadata file).
_EXPERIMENTS = {"HUVEC": (16, 8), "RPE": (7, 4), "HEPG2": (7, 4), "U2OS": (3, 2)}  # train, test
_PLATES, _TREATMENTS, _POSITIVES, _SITES = 4, 1108, 30, 2
_DROPPED = {"train": 88, "test": 66}  # sites, by quality control

# Sizes of what is planted, in units of the noise of a well in a typical direction.
_EFFECT, _OWN_OF_CELL_TYPE, _CELL_TYPE = 0.55, 0.3, 3.0
_SHIFT, _STRETCH, _PLATE_SHIFT, _SITE = 1.5, 0.1, 0.2, 0.3
_NUISANCES, _NUISANCE = 6, 0.7

CORRECTIONS = ("none", "center-scale", "pca-center-scale")
"""The planted order: each takes off what the one before does, and more; the last is the best"""


@dataclass(frozen=True)
class SimulatedStudy:
    """A simulated study of batch correction, and what is planted in it.

    `embeddings` (n, d) float32, one row per site; `metadata` with the columns of RxRx1's
    ``metadata.csv``; `corrections`, names of alignments from the worst to the best.
    """

    embeddings: Vectors
    metadata: pd.DataFrame
    corrections: Sequence[str]

    def wells(self) -> Wells:
        """Return the study as `Wells`, as reading its files would give them: sites averaged."""
        codes, names = pd.factorize(self.metadata["well_id"])
        # In float64, site after site: as the reader averages them.
        sums = np.zeros((len(names), self.embeddings.shape[1]))
        np.add.at(sums, codes, self.embeddings)
        means = (sums / np.bincount(codes)[:, None]).astype(np.float32)
        wells = self.metadata.drop_duplicates("well_id").reset_index(drop=True)
        return wells_from_frame(means, wells, layout="rxrx1")

    def sites(self) -> Wells:
        """Return each site as a well of its own, as ``well_id="site_id"`` would read them."""
        return wells_from_frame(
            self.embeddings, self.metadata.assign(well_id=self.metadata["site_id"]), layout="rxrx1"
        )

    def write(self, folder: str | Path) -> None:
        """Write ``metadata.csv`` and ``embeddings.parquet``."""
        with output_folder(folder) as out:
            self.metadata.to_csv(out / "metadata.csv", index=False)
            columns = {f"feature_{j}": column for j, column in enumerate(self.embeddings.T)}
            table = pa.table({"site_id": pa.array(self.metadata["site_id"])} | columns)
            write_parquet(
                table, out / "embeddings.parquet", row_group_size=1 << 16,
                use_dictionary=["site_id"],
            )  # fmt: skip


def rxrx1(scale: float = 1.0, seed: int = 0, *, features: int = 128) -> SimulatedStudy:
    """Simulate a study of the shape of RxRx1.

    Parameters
    ----------
    scale
        1.0: 125,510 sites of 62,832 wells, 1,138 siRNAs (30 of them positive controls) and
        untreated wells, 51 experiments of 4 plates, 4 cell types. Smaller: fewer siRNAs; and fewer
        experiments of each cell type, two at least, one of them to be tested. In (0, 1].
    seed
        Same seed, same bytes.
    features
        The width d of the embeddings.

    Raises
    ------
    InputError
        If scale, seed or features are out of range.
    """
    if not 0 < scale <= 1:
        raise InputError(f"scale must lie in (0, 1], not {scale}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed must be a whole number from 0, not {seed!r}")
    if features < 16:
        raise InputError(f"features must be 16 at least, not {features}")
    design_rng, effect_rng, noise_rng = np.random.default_rng(seed).spawn(3)
    metadata = _design(scale, design_rng)
    return SimulatedStudy(_embed(metadata, features, effect_rng, noise_rng), metadata, CORRECTIONS)


def _design(scale: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return the published columns: each siRNA once an experiment, in a fixed group of a plate."""
    per_plate = max(4, round(_TREATMENTS * scale / _PLATES))
    positives = max(4, round(_POSITIVES * scale))
    addresses = np.array(
        [f"{row}{column:02d}" for row in "BCDEFGHIJKLMNO" for column in range(2, 24)], object
    )
    parts = []
    for cell_type, (train, test) in _EXPERIMENTS.items():
        counts = {"train": max(2, round(train * scale)), "test": max(1, round(test * scale))}
        if scale == 1:
            counts = {"train": train, "test": test}
        number = 0
        for dataset, count in counts.items():
            for _ in range(count):
                number += 1
                parts += [
                    _plate(cell_type, dataset, number, plate, per_plate, positives, addresses, rng)
                    for plate in range(1, _PLATES + 1)
                ]
    wells = pd.concat(parts, ignore_index=True)
    wells["well_id"] = (
        wells["experiment"] + "_" + wells["plate"].astype("str") + "_" + wells["well"]
    )
    sites = wells.loc[wells.index.repeat(_SITES)].reset_index(drop=True)
    sites["site"] = np.tile(np.arange(1, _SITES + 1), len(wells))
    sites["site_id"] = sites["well_id"] + "_" + sites["site"].astype("str")
    kept = np.ones(len(sites), bool)
    for dataset, count in _DROPPED.items():
        own = np.flatnonzero(sites["dataset"] == dataset)
        kept[rng.choice(own, round(count * scale), replace=False)] = False
    columns = [
        "site_id", "well_id", "cell_type", "dataset", "experiment", "plate", "well", "site",
        "well_type", "sirna", "sirna_id",
    ]  # fmt: skip
    return sites.loc[kept, columns].reset_index(drop=True)


def _plate(
    cell_type: str,
    dataset: str,
    number: int,
    plate: int,
    per_plate: int,
    positives: int,
    addresses: "NDArray[np.object_]",
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the wells of a plate: one untreated at B02, the others in random places."""
    # Numbered as published: treatments, then positive controls, then the untreated.
    treatments = _PLATES * per_plate
    own = range((plate - 1) * per_plate, plate * per_plate)
    number_of = [treatments + positives, *range(treatments, treatments + positives), *own]
    sirna = ["EMPTY", *(f"s{20000 + k}" for k in range(positives)), *(f"s{100 + k}" for k in own)]
    kinds = ["negative_control"] + ["positive_control"] * positives + ["treatment"] * per_plate
    where = np.concatenate([addresses[:1], rng.permutation(addresses[1:])[: len(sirna) - 1]])
    return pd.DataFrame(
        {
            "cell_type": cell_type,
            "dataset": dataset,
            "experiment": f"{cell_type}-{number:02d}",
            "plate": plate,
            "well": where,
            "well_type": kinds,
            "sirna": sirna,
            "sirna_id": number_of,
        }
    )


def _embed(
    metadata: pd.DataFrame,
    features: int,
    effects: np.random.Generator,
    noises: np.random.Generator,
) -> Vectors:
    """Return the embeddings (n, d) of sites."""
    sirna, names = pd.factorize(metadata["sirna"], sort=True)
    cell_type, cell_types = pd.factorize(metadata["cell_type"], sort=True)
    experiment = pd.factorize(metadata["experiment"], sort=True)[0]
    plate = pd.factorize(metadata["experiment"] + "/" + metadata["plate"].astype("str"))[0]
    well = pd.factorize(metadata["well_id"])[0]

    def draw(count: int, size: float) -> Vectors:
        return np.float32(size) * effects.standard_normal((count, features), dtype=np.float32)

    shared, untreated = draw(len(names), _EFFECT), names.get_loc("EMPTY")
    shared[untreated] = 0
    own = draw(len(names) * len(cell_types), _EFFECT * _OWN_OF_CELL_TYPE)
    of_cell_type, of_plate = draw(len(cell_types), _CELL_TYPE), draw(plate.max() + 1, _PLATE_SHIFT)
    shift = draw(experiment.max() + 1, _SHIFT)
    stretch = np.exp(draw(experiment.max() + 1, _STRETCH))
    nuisance = draw(_NUISANCES, _NUISANCE)
    embeddings = np.empty((len(metadata), features), np.float32)
    for first in range(0, len(metadata), 4096):
        some = slice(first, first + 4096)
        noise = noises.standard_normal((len(embeddings[some]), features), dtype=np.float32)
        noise *= np.float32(_SITE)
        embeddings[some] = noise
    of_well = noises.standard_normal((well.max() + 1, _NUISANCES), dtype=np.float32)
    per_well = noises.standard_normal((well.max() + 1, features), dtype=np.float32)
    for k in range(_NUISANCES):
        per_well += of_well[:, k, None] * nuisance[k]
    embeddings += per_well[well]
    embeddings += (
        shared[sirna]
        + own[sirna * len(cell_types) + cell_type]
        * (sirna != untreated).astype(np.float32)[:, None]
    )
    embeddings += of_cell_type[cell_type]
    embeddings *= stretch[experiment]
    embeddings += shift[experiment] + of_plate[plate]
    return embeddings

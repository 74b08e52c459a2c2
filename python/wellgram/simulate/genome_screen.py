"""A genome-wide screen of any size, written an experiment at a time: for what memory cannot hold.

Planted in it: complexes of genes that look alike, guides that work more or less, compounds that
look like the knock-out of a gene, and a shift and a spread of each experiment. The design is that
of RxRx3: guides of a gene are on the plates of one experiment, so are the doses of a compound, and
one well in eight is a control.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from wellgram.backends.protocol import Codes
from wellgram.errors import InputError
from wellgram.files import output_folder
from wellgram.parquet_checksums import write_parquet
from wellgram.simulate.rxrx3_core_screen import Vectors, complexes_of

_GUIDES, _CONTROLS = 6, 8
_DOSES = (0.0025, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0)
_HALF_DOSE = 0.5
"""The dose at which a compound has half of its effect"""
_COMPLEX_EFFECT, _GENE_EFFECT, _SHIFT = 0.08, 0.3, 1.0
_GROUP_BYTES = 1 << 26


def genome(
    folder: str | Path,
    *,
    genes: int = 17_063,
    experiments: int = 176,
    wells: int = 12_500,
    features: int = 1024,
    compounds: int = 0,
    compound_experiments: int = 4,
    seed: int = 0,
) -> None:
    """Write a genome-wide screen with planted complexes, an experiment at a time.

    Writes ``embeddings/EXPERIMENT.parquet``, ``metadata.csv`` and ``complexes.csv`` (entity1,
    entity2), which ``wellgram score FOLDER/embeddings --metadata FOLDER/metadata.csv
    --relationships FOLDER/complexes.csv`` reads. Memory is that of one experiment.

    Parameters
    ----------
    folder
        Where to; made if it is not there.
    genes
        How many, spread evenly over experiments.
    experiments, wells
        How many, and wells of each: by default 2.2 million in all, as in RxRx3.
    features
        The width d of the embeddings, float32: the files take ``4 d`` bytes a well.
    compounds, compound_experiments
        How many compounds, each at eight doses, and experiments of them, of as many wells. RxRx3
        has 1,674 in 4.
    seed
        Same seed, same screen.

    Raises
    ------
    InputError
        If there are fewer than 8 features, no experiment, fewer genes than experiments, fewer
        than eight wells per gene, or fewer than nine per compound of an experiment.
    """
    if features < 8 or experiments < 1 or genes < experiments:
        raise InputError(
            f"a genome needs 8 features, an experiment, and a gene for each at least, not "
            f"{features}, {experiments} and {genes}"
        )
    parts = np.array_split(np.arange(genes), experiments)
    if wells < _CONTROLS * len(parts[0]):
        raise InputError(
            f"{wells} wells are too few for the {len(parts[0])} genes of an experiment; give "
            f"{_CONTROLS * len(parts[0])} or more"
        )
    parts_of_compounds = np.array_split(np.arange(compounds), compound_experiments)
    if compounds and wells < (len(_DOSES) + 1) * len(parts_of_compounds[0]):
        raise InputError(
            f"{wells} wells are too few for eight doses of the {len(parts_of_compounds[0])} "
            f"compounds of an experiment; give {(len(_DOSES) + 1) * len(parts_of_compounds[0])} or "
            "more, or more compound_experiments"
        )
    rng = np.random.default_rng(seed)
    names = [f"GENE{g:05d}" for g in range(genes)]
    complexes = complexes_of(names, rng)
    effects = _GENE_EFFECT * _directions(genes, features, rng)
    place = {name: g for g, name in enumerate(names)}
    for members, shared in zip(complexes, _directions(len(complexes), features, rng), strict=True):
        effects[[place[name] for name in members]] += _COMPLEX_EFFECT * shared
    streams = rng.spawn(experiments + compound_experiments)
    with output_folder(folder) as out:
        (out / "embeddings").mkdir()
        for e, (own, stream) in enumerate(zip(parts, streams[:experiments], strict=True)):
            guides = [f"{names[gene]}_guide_{k + 1}" for gene in own for k in range(_GUIDES)]
            efficacy = stream.uniform(0.4, 1.3, len(guides)).astype(np.float32)
            planted = _Planted(guides, efficacy, effects, np.repeat(own, _GUIDES))
            _write_experiment(out, f"gene-{e + 1:04d}", planted, "CRISPR", wells, stream, e == 0)
        for e, own in enumerate(parts_of_compounds if compounds else ()):
            stream = streams[experiments + e]
            treatments = [f"COMPOUND{compound:04d}" for compound in own for _ in _DOSES]
            doses = np.tile(np.array(_DOSES, np.float32), len(own))
            targets = np.repeat(stream.integers(genes, size=len(own)), len(_DOSES))
            planted = _Planted(treatments, doses / (doses + _HALF_DOSE), effects, targets, doses)
            _write_experiment(out, f"compound-{e + 1:03d}", planted, "COMPOUND", wells, stream)
        pairs = [
            (a, b) for members in complexes for i, a in enumerate(members) for b in members[i + 1 :]
        ]
        known = pd.DataFrame(pairs, columns=["entity1", "entity2"])
        known.to_csv(out / "complexes.csv", index=False)


@dataclass(frozen=True)
class _Planted:
    """What is done to wells: one after another, and again from the first on."""

    treatments: list[str]
    strengths: Vectors
    """(m,) how much of the effect each has"""
    effects: Vectors
    """(genes, d)"""
    genes: Codes
    """(m,) whose effect"""
    doses: Vectors | None = None


def _write_experiment(
    out: Path,
    name: str,
    planted: _Planted,
    kind: str,
    wells: int,
    rng: np.random.Generator,
    begins: bool = False,
) -> None:
    """Write the embeddings of an experiment's wells, and add what was done to each."""
    features = planted.effects.shape[1]
    is_control = np.arange(wells) % _CONTROLS == 0
    done = np.zeros(wells, np.int64)
    done[~is_control] = np.resize(np.arange(len(planted.treatments)), np.sum(~is_control))
    x = rng.standard_normal((wells, features), dtype=np.float32)
    x *= np.exp(rng.normal(0, 0.15, features)).astype(np.float32)
    x += _SHIFT * rng.standard_normal(features, dtype=np.float32)
    strength = np.where(is_control, 0, planted.strengths[done]).astype(np.float32)
    x += strength[:, None] * planted.effects[planted.genes[done]]
    ids = [f"{name}_{well}" for well in range(wells)]
    _write(out / "embeddings" / f"{name}.parquet", ids, x)
    dose = np.nan if planted.doses is None else np.where(is_control, np.nan, planted.doses[done])
    metadata = pd.DataFrame(
        {
            "well_id": ids,
            "experiment_name": name,
            "treatment": np.where(
                is_control, "EMPTY_control", np.array(planted.treatments, object)[done]
            ),
            "concentration": dose,
            "perturbation_type": kind,
        }
    )
    metadata.to_csv(out / "metadata.csv", mode="a", header=begins, index=False)


def _directions(count: int, features: int, rng: np.random.Generator) -> Vectors:
    return rng.standard_normal((count, features), dtype=np.float32)


def _write(path: Path, ids: list[str], x: Vectors) -> None:
    columns = {f"feature_{j}": column for j, column in enumerate(np.ascontiguousarray(x.T))}
    table = pa.table({"well_id": ids, **columns})
    rows = max(1, _GROUP_BYTES // (4 * x.shape[1]))
    write_parquet(table, path, row_group_size=rows, use_dictionary=["well_id"])

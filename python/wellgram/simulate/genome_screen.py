"""A genome-wide screen of any size, written an experiment at a time: for what memory cannot hold.

Planted in it: complexes of genes that look alike, guides that work more or less, and a shift and a
spread of each experiment. The design is that of RxRx3: guides of a gene are on the plates of one
experiment, and one well in eight is a control.
"""

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
_COMPLEX_EFFECT, _GENE_EFFECT, _SHIFT = 0.08, 0.3, 1.0
_GROUP_BYTES = 1 << 26


def genome(
    folder: str | Path,
    *,
    genes: int = 17_063,
    experiments: int = 176,
    wells: int = 12_500,
    features: int = 1024,
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
    seed
        Same seed, same screen.

    Raises
    ------
    InputError
        If there are fewer than 8 features, no experiment, fewer genes than experiments, or fewer
        than eight wells per gene.
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
    rng = np.random.default_rng(seed)
    names = [f"GENE{g:05d}" for g in range(genes)]
    complexes = complexes_of(names, rng)
    effects = _GENE_EFFECT * _directions(genes, features, rng)
    place = {name: g for g, name in enumerate(names)}
    for members, shared in zip(complexes, _directions(len(complexes), features, rng), strict=True):
        effects[[place[name] for name in members]] += _COMPLEX_EFFECT * shared
    with output_folder(folder) as out:
        (out / "embeddings").mkdir()
        for e, (own, stream) in enumerate(zip(parts, rng.spawn(experiments), strict=True)):
            name = f"gene-{e + 1:04d}"
            x, treatment = _experiment(own, names, effects, wells, stream)
            ids = [f"{name}_{well}" for well in range(wells)]
            _write(out / "embeddings" / f"{name}.parquet", ids, x)
            metadata = pd.DataFrame(
                {
                    "well_id": ids,
                    "experiment_name": name,
                    "treatment": treatment,
                    "concentration": np.nan,
                    "perturbation_type": "CRISPR",
                }
            )
            metadata.to_csv(out / "metadata.csv", mode="a", header=e == 0, index=False)
        pairs = [
            (a, b) for members in complexes for i, a in enumerate(members) for b in members[i + 1 :]
        ]
        known = pd.DataFrame(pairs, columns=["entity1", "entity2"])
        known.to_csv(out / "complexes.csv", index=False)


def _experiment(
    genes: Codes,
    names: list[str],
    effects: Vectors,
    wells: int,
    rng: np.random.Generator,
) -> tuple[Vectors, list[str]]:
    """Return the embeddings of an experiment's wells, and what was done to each."""
    features = effects.shape[1]
    guides = np.resize(np.arange(len(genes) * _GUIDES), wells)
    is_control = np.arange(wells) % _CONTROLS == 0
    efficacy = rng.uniform(0.4, 1.3, len(genes) * _GUIDES).astype(np.float32)
    x = rng.standard_normal((wells, features), dtype=np.float32)
    x *= np.exp(rng.normal(0, 0.15, features)).astype(np.float32)
    x += _SHIFT * rng.standard_normal(features, dtype=np.float32)
    does = np.where(is_control, 0, efficacy[guides])[:, None]
    x += does.astype(np.float32) * effects[genes[guides // _GUIDES]]
    labels = [f"{names[gene]}_guide_{k + 1}" for gene in genes for k in range(_GUIDES)]
    treatment = np.where(is_control, "EMPTY_control", np.array(labels, object)[guides]).tolist()
    return x, treatment


def _directions(count: int, features: int, rng: np.random.Generator) -> Vectors:
    return rng.standard_normal((count, features), dtype=np.float32)


def _write(path: Path, ids: list[str], x: Vectors) -> None:
    columns = {f"feature_{j}": column for j, column in enumerate(np.ascontiguousarray(x.T))}
    table = pa.table({"well_id": ids, **columns})
    rows = max(1, _GROUP_BYTES // (4 * x.shape[1]))
    write_parquet(table, path, row_group_size=rows, use_dictionary=["well_id"])

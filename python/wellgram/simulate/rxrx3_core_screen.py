"""A screen with planted truth, in the shape of RxRx3-core.

Planted in them: complexes of genes that look alike, compounds that look like the knock-out of their
targets the more the higher the dose, shifts and covariances of experiments, controls, positive
controls with many wells, and a few doses off the grid. Same seed, same bytes: values come from
elementwise operations only, whose rounding does not depend on the number of threads.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from wellgram.errors import InputError
from wellgram.files import output_folder
from wellgram.io.layouts import RXRX3_CORE_DOSES
from wellgram.io.screens import wells_from_frame
from wellgram.parquet_checksums import write_parquet
from wellgram.wells import Wells

Vectors = NDArray[np.float32]

# The published shape (RxRx3-core, arXiv 2503.20158, and its metadata file).
_GENES, _GUIDES, _COMPOUNDS = 735, 6, 1674
_GENE_EXPERIMENTS, _PLATES, _EMPTY_PER_PLATE, _GUIDES_PER_PLATE = 176, 9, 16, 48
_EXTRA_GUIDE_SLOTS = 20  # brings the CRISPR wells to the published 126,900
_POSITIVE = {"PLK1": 6, "MTOR": 6, "SRC": 1, "EIF3H": 1, "HCK": 1, "CYP11B1": 1}  # guides a plate
_COMPOUND_EXPERIMENTS = (28231, 6681, 39664, 21125)  # wells
_COMPOUND_SHARES = (490, 94, 815, 275)  # compounds, summing to _COMPOUNDS
_COMPOUND_PLATES = 48
_REPLICATES = 4
_EMPTY_IN_COMPOUND_PLATES, _CRISPR_CONTROLS = 10234, 22062
_OFF_GRID = (0.002, 0.026, 0.26, 2.6)
_REFERENCE_COMPOUNDS, _REFERENCE_DOSES = 28, (0.25, 2.5)

# Sizes of what is planted, in units of the noise of a well in a typical direction.
_COMPLEX_EFFECT, _GENE_EFFECT, _TARGET_EFFECT, _OFF_TARGET = 0.35, 0.5, 4.0, 0.8
_EXPERIMENT_SHIFT, _PLATE_SHIFT, _NUISANCE = 3.0, 0.8, 3.0


@dataclass(frozen=True)
class SimulatedScreen:
    """A simulated screen and what is planted in it.

    `embeddings` (n, d) float32; `metadata` with the columns of ``metadata_rxrx3_core.csv``;
    `relationships` (entity1, entity2), the pairs within planted complexes; `compound_targets` with
    the columns of EFAAR's ``compound_gene_interactions.csv``.
    """

    embeddings: Vectors
    metadata: pd.DataFrame
    relationships: pd.DataFrame
    compound_targets: pd.DataFrame

    def wells(self) -> Wells:
        """Return the screen as `Wells`, as reading its files would give them."""
        return wells_from_frame(self.embeddings, self.metadata, layout="rxrx3-core")

    def write(self, folder: str | Path) -> None:
        """Write the files of the screen, named as the published ones, and what is planted."""
        with output_folder(folder) as out:
            (out / "relationships").mkdir(exist_ok=True)
            for name, frame in (
                ("metadata_rxrx3_core.csv", self.metadata),
                ("relationships/planted_complexes.csv", self.relationships),
                ("compound_gene_interactions.csv", self.compound_targets),
            ):
                frame.to_csv(out / name, index=False)
            columns = {f"feature_{j}": column for j, column in enumerate(self.embeddings.T)}
            table = pa.table({"well_id": pa.array(self.metadata["well_id"])} | columns)
            path = out / "OpenPhenom_rxrx3_core_embeddings.parquet"
            write_parquet(table, path, row_group_size=1 << 16, use_dictionary=["well_id"])


def rxrx3_core(scale: float = 1.0, seed: int = 0, *, features: int = 384) -> SimulatedScreen:
    """Simulate a screen of the shape of RxRx3-core.

    Parameters
    ----------
    scale
        1.0: 222,601 wells, 735 genes, 1,674 compounds at 8 doses, 180 experiments. Smaller: fewer
        genes, compounds and experiments; experiments keep their design. In (0, 1].
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
    if not isinstance(seed, int | np.integer) or seed < 0:
        raise InputError(f"seed must be a whole number from 0, not {seed!r}")
    if features < 8:
        raise InputError(f"features must be 8 at least, not {features}")
    design_rng, effect_rng, planted_rng, noise_rng = np.random.default_rng(seed).spawn(4)
    genes, compounds = _names(scale)
    metadata = pd.concat(
        [_gene_wells(genes, scale, design_rng), _compound_wells(compounds, scale, design_rng)],
        ignore_index=True,
    )
    complexes = complexes_of(genes[len(_POSITIVE) :], planted_rng)
    gene_effects = _gene_effects(genes, complexes, features, effect_rng)
    targets = _targets(genes, compounds, planted_rng)
    effects, effect_of_well = _effects(metadata, genes, gene_effects, targets, effect_rng)
    embeddings = _embed(metadata, effects, effect_of_well, features, noise_rng)
    pairs = [
        (a, b) for members in complexes for i, a in enumerate(members) for b in members[i + 1 :]
    ]
    metadata = metadata.drop(columns="guide")
    return SimulatedScreen(
        embeddings, metadata, pd.DataFrame(pairs, columns=["entity1", "entity2"]), targets
    )


def _scaled(count: int, scale: float, least: int) -> int:
    return max(least, round(count * scale))


def _names(scale: float) -> tuple[list[str], list[str]]:
    ordinary = _scaled(_GENES, scale, 40) - len(_POSITIVE)
    genes = [*_POSITIVE, *(f"GENE{i:04d}" for i in range(ordinary))]
    shares = [_scaled(share, scale, 4) for share in _COMPOUND_SHARES]
    return genes, [f"Compound-{i:04d}" for i in range(sum(shares))]


def _gene_wells(genes: list[str], scale: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return the wells of the gene experiments: guides on each of nine plates, and controls."""
    experiments = _scaled(_GENE_EXPERIMENTS, scale, 6)
    guides = [f"{gene}_guide_{k + 1}" for gene in genes[len(_POSITIVE) :] for k in range(_GUIDES)]
    slots = experiments * _GUIDES_PER_PLATE + round(_EXTRA_GUIDE_SLOTS * scale)
    order = np.concatenate([rng.permutation(len(guides)) for _ in range(slots // len(guides) + 1)])
    fixed = [f"{gene}_guide_{k + 1}" for gene, count in _POSITIVE.items() for k in range(count)]
    treatment: list[str] = []
    experiment: list[int] = []
    plate: list[int] = []
    first = 0
    for e in range(experiments):
        extra = e < slots - experiments * _GUIDES_PER_PLATE
        last = first + _GUIDES_PER_PLATE + extra
        own = [guides[g] for g in order[first:last]]
        on_plate = ["EMPTY_control"] * _EMPTY_PER_PLATE + fixed + own
        treatment += on_plate * _PLATES
        experiment += [e + 1] * (len(on_plate) * _PLATES)
        plate += np.repeat(np.arange(1, _PLATES + 1), len(on_plate)).tolist()
        first = last
    wells = pd.DataFrame({"treatment": treatment, "plate": plate})
    wells["experiment_name"] = [f"gene-{e:03d}" for e in experiment]
    gene = wells["treatment"].str.split("_guide_").str[0]
    wells["guide"] = wells["treatment"].where(gene != wells["treatment"], None)
    return _as_published(wells, gene, "CRISPR", rng)


def _compound_wells(compounds: list[str], scale: float, rng: np.random.Generator) -> pd.DataFrame:
    """Return the wells of the compound experiments: replicates of each dose, and controls."""
    shares = [_scaled(share, scale, 4) for share in _COMPOUND_SHARES]
    total = sum(_COMPOUND_EXPERIMENTS)
    parts = []
    first = 0
    for e, (share, wells) in enumerate(zip(shares, _COMPOUND_EXPERIMENTS, strict=True)):
        own = compounds[first : first + share]
        first += share
        treatment = np.repeat(own, len(RXRX3_CORE_DOSES) * _REPLICATES).astype(object)
        dose = np.tile(np.repeat(RXRX3_CORE_DOSES, _REPLICATES), share)
        if e == 0:
            treatment = np.append(treatment, [own[0]] * (_REPLICATES * len(_OFF_GRID)))
            dose = np.append(dose, np.repeat(_OFF_GRID, _REPLICATES))
        empty = round(_EMPTY_IN_COMPOUND_PLATES * scale * wells / total)
        crispr = round(_CRISPR_CONTROLS * scale * wells / total)
        left = round(wells * scale) - len(treatment) - empty - crispr
        if left > 0:  # reference compounds fill the plates
            known = own[: max(1, round(_REFERENCE_COMPOUNDS * wells / total))]
            treatment = np.append(treatment, np.resize(np.array(known, object), left))
            dose = np.append(dose, np.resize(_REFERENCE_DOSES, left))
        treatment = np.append(treatment, ["EMPTY_control"] * max(empty, 32))
        treatment = np.append(treatment, ["CRISPR_control"] * crispr)
        dose = np.append(dose, np.full(len(treatment) - len(dose), np.nan))
        part = pd.DataFrame({"treatment": treatment, "concentration": dose})
        plates = _scaled(_COMPOUND_PLATES, scale, 2)
        part["plate"] = rng.permutation(np.resize(np.arange(1, plates + 1), len(part)))
        part["experiment_name"] = f"compound-{e + 1:03d}"
        parts.append(part.sort_values("plate", kind="stable"))
    table = pd.concat(parts, ignore_index=True)
    table["guide"] = None
    return _as_published(table, None, "COMPOUND", rng)


def _as_published(
    wells: pd.DataFrame, gene: "pd.Series[str] | None", kind: str, rng: np.random.Generator
) -> pd.DataFrame:
    """Return wells with the published columns, addresses drawn anew on each plate."""
    addresses = np.array(
        [f"{row}{column:02d}" for row in _plate_rows() for column in range(1, 49)], object
    )
    sizes = wells.groupby(["experiment_name", "plate"], sort=False).size()
    address = np.concatenate([rng.permutation(addresses)[:size] for size in sizes])
    wells = wells.assign(address=address)
    wells["well_id"] = wells["experiment_name"] + "_" + wells["plate"].astype("str") + "_" + address
    compound = ~wells["treatment"].str.contains("_control")
    wells["gene"] = gene if kind == "CRISPR" else None
    smiles = (
        "C" * 3 + wells["treatment"].str[-4:]
        if kind == "COMPOUND"
        else pd.Series([None] * len(wells))
    )
    wells["SMILES"] = smiles.where(compound, None)
    if "concentration" not in wells:
        wells["concentration"] = np.nan
    wells["perturbation_type"] = kind
    wells["cell_type"] = "HUVEC"
    return wells[
        ["well_id", "experiment_name", "plate", "address", "gene", "treatment", "SMILES",
         "concentration", "perturbation_type", "cell_type", "guide"]
    ]  # fmt: skip


def _plate_rows() -> list[str]:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return [*letters, *(f"A{letter}" for letter in letters[:6])]


def complexes_of(genes: list[str], rng: np.random.Generator) -> list[list[str]]:
    """Return about half of some genes in complexes of 3 to 8."""
    free = rng.permutation(np.array(genes, object)).tolist()
    half = len(free) // 2
    complexes = []
    while len(free) > half:
        size = int(rng.integers(3, 9))
        complexes.append(sorted(free[:size]))
        free = free[size:]
    return complexes


def _gene_effects(
    genes: list[str], complexes: list[list[str]], features: int, rng: np.random.Generator
) -> Vectors:
    """Return an effect (d,) per gene: one of its own, and one shared with its complex."""
    place = {gene: g for g, gene in enumerate(genes)}
    # A third of the genes that are in no complex does nothing to the cells.
    active = rng.random(len(genes)) > 1 / 3
    effects = _directions(len(genes), features, rng) * (_GENE_EFFECT * active)[:, None]
    for members, shared in zip(complexes, _directions(len(complexes), features, rng), strict=True):
        strength = rng.uniform(0, 2, len(members))
        for gene, size in zip(members, strength, strict=True):
            effects[place[gene]] += _COMPLEX_EFFECT * size * shared
    effects[: len(_POSITIVE)] *= 2
    return effects.astype(np.float32)


def _targets(genes: list[str], compounds: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """Return the targets of compounds: a quarter hits 1 to 4 genes, others were measured."""
    records = []
    for compound in compounds:
        if rng.random() > 0.25:
            continue
        hit = rng.choice(genes, size=1 + int(rng.geometric(0.5)) % 4 + 2, replace=False)
        grey, inactive, actives = hit[0], hit[1], hit[2:]
        values = np.round(np.exp(rng.uniform(np.log(1), np.log(1000), len(actives))), 2)
        records += [(gene, value, compound) for gene, value in zip(actives, values, strict=True)]
        records.append((grey, round(float(rng.uniform(1001, 10000)), 1), compound))
        records.append((inactive, round(float(rng.uniform(10001, 130000)), 1), compound))
    table = pd.DataFrame(records, columns=["gene_symbol", "nM_value", "treatment"])
    table.insert(2, "measurement_type", "ic50")
    table.insert(3, "database", "simulated")
    return table


def _effects(
    metadata: pd.DataFrame,
    genes: list[str],
    gene_effects: Vectors,
    targets: pd.DataFrame,
    rng: np.random.Generator,
) -> tuple[Vectors, NDArray[np.int64]]:
    """Return the distinct effects (m, d), the first one nothing, and which one each well has."""
    place = {gene: g for g, gene in enumerate(genes)}
    features = gene_effects.shape[1]
    key = metadata["guide"].where(metadata["guide"].notna(), "")
    dosed = metadata["concentration"].notna()
    key = key.where(~dosed, metadata["treatment"] + "@" + metadata["concentration"].astype("str"))
    codes, names = pd.factorize(key, sort=True)  # "" sorts first
    effects = np.zeros((len(names), features), np.float32)
    off_target = _directions(len(names), features, rng) * _OFF_TARGET
    efficacy = rng.uniform(0.4, 1.3, len(names)).astype(np.float32)
    actives = targets[targets["nM_value"] <= 1000].groupby("treatment")["gene_symbol"].agg(list)
    own_direction: dict[str, Vectors] = {}
    potency: dict[str, float] = {}
    for k, name in enumerate(names):
        if "_guide_" in name:
            effects[k] = efficacy[k] * gene_effects[place[name.split("_guide_")[0]]] + off_target[k]
        elif "@" in name:
            compound, dose = name.split("@")
            if compound not in potency:
                potency[compound] = float(np.exp(rng.normal(np.log(0.5), 1.0)))
                own_direction[compound] = off_target[k] * rng.uniform(0, 3)
            occupancy = float(dose) / (float(dose) + potency[compound])
            effects[k] = occupancy * own_direction[compound]
            for gene in actives.get(compound, []):
                toward = gene_effects[place[gene]]
                length = np.sqrt(np.square(toward).sum())
                if length > 0:
                    effects[k] += (
                        occupancy * _TARGET_EFFECT / len(actives[compound]) * toward / length
                    )
    return effects, codes.astype(np.int64)


def _directions(count: int, features: int, rng: np.random.Generator) -> Vectors:
    """Return random vectors (count, d) of length about 1."""
    return rng.standard_normal((count, features), dtype=np.float32) / np.float32(np.sqrt(features))


def _embed(
    metadata: pd.DataFrame,
    effects: Vectors,
    effect_of_well: NDArray[np.int64],
    features: int,
    rng: np.random.Generator,
) -> Vectors:
    """Return the embeddings: effect, noise, and what the experiment and the plate add.

    The noise has a decaying spectrum in a rotated basis; each experiment shifts it, stretches it
    and adds two nuisance factors along directions of its own.
    """
    spectrum = (np.arange(1, features + 1) ** -0.35).astype(np.float32)
    spectrum /= np.sqrt(np.square(spectrum).mean())
    mirrors = _directions(3, features, rng)
    mirrors /= np.sqrt(np.square(mirrors).sum(axis=1))[:, None]
    origin = 5 * _directions(1, features, rng)[0] * np.float32(np.sqrt(features))
    embeddings = np.empty((len(metadata), features), np.float32)
    shrink = np.float32(1 / np.sqrt(features))
    experiments, names = pd.factorize(metadata["experiment_name"], sort=True)
    plates = pd.factorize(metadata["experiment_name"] + "/" + metadata["plate"].astype("str"))[0]
    plate_shift = _PLATE_SHIFT * _directions(int(plates.max()) + 1, features, rng)
    for e in range(len(names)):
        wells = np.flatnonzero(experiments == e)
        shift = _EXPERIMENT_SHIFT * _directions(1, features, rng)[0]
        nuisance = _NUISANCE * _directions(2, features, rng)
        stretch = np.exp(rng.normal(0, 0.15, features)).astype(np.float32)
        for some in np.array_split(wells, len(wells) // 4096 + 1):
            noise = rng.standard_normal((len(some), features), dtype=np.float32)
            noise *= spectrum * stretch * (4 * shrink)
            factors = rng.standard_normal((len(some), 2), dtype=np.float32)
            noise += factors[:, :1] * nuisance[0] + factors[:, 1:] * nuisance[1]
            noise += effects[effect_of_well[some]] + plate_shift[plates[some]] + shift
            for mirror in mirrors:
                noise -= 2 * (noise * mirror).sum(axis=1)[:, None] * mirror
            embeddings[some] = noise + origin
    return embeddings

"""Gene sets: whether a map keeps them together, and which a list of genes is rich in."""

from collections.abc import Collection, Iterable, Mapping

import numpy as np
import pandas as pd

from wellgram.backends import takes_backend
from wellgram.backends.number_checks import check_whole
from wellgram.backends.protocol import Progress
from wellgram.errors import InputError, NotApplicable
from wellgram.input_kinds import check_map, text_of
from wellgram.label_rules.label_spelling import near_labels, near_text
from wellgram.label_rules.missing_labels import is_missing
from wellgram.metrics.recall import Null, null_rows
from wellgram.nulls import benjamini_hochberg
from wellgram.pairs.unit_rows import unit_embeddings
from wellgram.wells import LabelledMap

GeneSets = Mapping[str, Collection[str]]


def members_of(gene_sets: GeneSets) -> dict[str, set[str]]:
    """Return the genes of each gene set, those without a name left out.

    Raises
    ------
    InputError
        If it is no mapping of names to lists of genes.
    """
    if not isinstance(gene_sets, Mapping):
        raise InputError(
            "gene sets are lists of genes by the name of their set, such as read_gene_sets "
            f"returns, not a {type(gene_sets).__name__}"
        )
    return {
        text_of(name, "the name of a gene set"): _genes(of, f"gene set {name!r}")
        for name, of in gene_sets.items()
    }


def near_members(gene_sets: Mapping[str, set[str]], labels: Iterable[str]) -> str:
    """Return in words which genes of gene sets are those of a map but for case or blanks."""
    near = near_labels(sorted(set().union(*gene_sets.values())), set(labels))
    return f": of them, {near_text(near)}" if near else ""


def _genes(given: Collection[str], what: str) -> set[str]:
    if isinstance(given, str | bytes) or not isinstance(given, Iterable):
        raise InputError(f"{what} is a list of genes, not {given!r}")
    genes = pd.Series(list(given), dtype=object)
    return set(genes[~is_missing(genes)].astype("str"))


@takes_backend
def gene_set_separation(
    map_: LabelledMap,
    /,
    gene_sets: GeneSets,
    *,
    min_genes: int = 10,
    null: Null | None = None,
    backend: str | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Compare the cosines within each gene set with those between it and the rest of the map.

    By the two-sample Kolmogorov-Smirnov test, as ``cluster_benchmark`` of efaar_benchmarking has
    it. The p-value takes pairs for independent, which those that share a gene are not.

    Parameters
    ----------
    map_
        The map (p, d).
    gene_sets
        Labels by the name of their gene set; those that are not in the map are left out.
    min_genes
        Gene sets with fewer in the map are left out.
    null
        ``"genes"``: the CRISPR rows, the default where the map has such; ``"all"``: every row.
    backend, progress
        See `wellgram.set_backend`; called with the share of the gene sets done.

    Returns
    -------
    DataFrame
        One row per gene set: ``gene_set``, ``genes`` (labels), ``n_genes``, ``n_rest``,
        ``within_mean``, ``between_mean``, ``ks_statistic``, ``p_value``, ``q_value``.

    Raises
    ------
    InputError
        If no gene set has enough genes in the map and a rest to compare with.
    """
    from scipy.stats import ks_2samp

    check_map(map_)
    check_whole(min_genes, "min_genes")
    if min_genes < 2:
        raise InputError(f"min_genes must be 2 or more, not {min_genes}: one gene has no pair")
    rows, _ = null_rows(map_.labels, null)
    labels = map_.labels["perturbation"].astype("str").to_numpy()[rows]
    unit = unit_embeddings(map_.embeddings[rows])
    sets = members_of(gene_sets)
    members = {name: np.flatnonzero(np.isin(labels, list(of))) for name, of in sets.items()}
    chosen = {n: of for n, of in members.items() if min_genes <= len(of) < len(labels)}
    if not chosen:
        most = max(map(len, members.values()), default=0)
        raise NotApplicable(
            f"none of the {len(sets):,} gene sets has {min_genes} genes in the map and a rest "
            f"to compare with (the most: {most} of {len(labels):,}); lower min_genes, or name "
            f"genes as the map does{near_members(sets, labels)}"
        )
    records = []
    for k, (name, of) in enumerate(chosen.items()):
        cosines = unit[of] @ unit.T
        inside = np.isin(np.arange(len(labels)), of)
        within = cosines[:, of][np.triu_indices(len(of), 1)]
        between = cosines[:, ~inside].ravel()
        test = ks_2samp(within, between)
        records.append(
            {
                "gene_set": name,
                "genes": labels[of].tolist(),
                "n_genes": len(of),
                "n_rest": len(labels) - len(of),
                "within_mean": np.clip(within, -1, 1).mean(dtype=np.float64),
                "between_mean": np.clip(between, -1, 1).mean(dtype=np.float64),
                "ks_statistic": float(test.statistic),
                "p_value": float(test.pvalue),
            }
        )
        if progress is not None:
            progress((k + 1) / len(chosen))
    table = pd.DataFrame(records)
    return table.assign(q_value=benjamini_hochberg(table["p_value"]))


def enrichment(
    genes: Collection[str],
    universe: Collection[str],
    gene_sets: GeneSets,
    *,
    min_genes: int = 10,
) -> pd.DataFrame:
    """Return which gene sets a list of genes holds more of than chance would have it.

    By the hypergeometric distribution, as ``enrichment`` of efaar_benchmarking has it.

    Parameters
    ----------
    genes
        The list.
    universe
        All genes that could have been on it, those of a map for example.
    gene_sets
        Genes by the name of their gene set; those outside of the universe are left out.
    min_genes
        Gene sets with fewer in the universe are left out.

    Returns
    -------
    DataFrame
        One row per gene set, by p-value: ``gene_set``, ``n_genes``, ``shared`` (genes),
        ``jaccard``, ``p_value``, ``p_bonferroni``, ``q_value``.

    Raises
    ------
    InputError
        If the list or the universe is empty, a gene of the list is not in it, or no gene set has
        enough genes.
    """
    from scipy.stats import hypergeom

    check_whole(min_genes, "min_genes")
    listed, known = _genes(genes, "genes"), _genes(universe, "universe")
    if not listed or not known:
        raise InputError("enrichment needs a list of genes and a universe that holds them")
    foreign = sorted(listed - known)
    if foreign:
        raise InputError(
            f"{len(foreign)} genes are not in the universe (first: {foreign[0]!r}); leave them out"
        )
    records = []
    for name, of in members_of(gene_sets).items():
        own = of & known
        if len(own) < min_genes:
            continue
        shared = listed & own
        p = hypergeom.sf(len(shared) - 1, len(known), len(listed), len(own))
        jaccard = len(shared) / len(listed | own)
        records.append((name, len(own), sorted(shared), jaccard, float(p)))
    if not records:
        raise NotApplicable(f"no gene set has {min_genes} genes in the universe; lower min_genes")
    columns = ["gene_set", "n_genes", "shared", "jaccard", "p_value"]
    table = pd.DataFrame(records, columns=columns)
    table = table.assign(
        p_bonferroni=np.minimum(table["p_value"] * len(table), 1),
        q_value=benjamini_hochberg(table["p_value"]),
    )
    return table.sort_values("p_value", kind="stable").reset_index(drop=True)

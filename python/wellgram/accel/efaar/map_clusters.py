"""Clusters of a map as efaar_benchmarking compares them: each row is scaled once for all."""

from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.accel.efaar.gene_maps import check_map


def clusters(
    map_data: Any, pert_col: str, source: str, benchmark_data_dir: Any, min_genes: int
) -> pd.DataFrame:
    """Compare cosines within each cluster and to the rest.

    Ranks of cosines that tie but for rounding decide, so products are those of the original to the
    bit: of the same rows, in the same shapes and order of memory.
    """
    from efaar_benchmarking import benchmarking
    from sklearn.preprocessing import normalize

    check_map(map_data, pert_col)
    labels = map_data.metadata[pert_col]
    try:
        genes_of = benchmarking.get_benchmark_clusters(
            benchmark_data_dir, source, min_genes, list(labels)
        )
    except Exception as error:  # which the original raises, after it has printed
        raise Declined(f"reading raised {type(error).__name__}") from None
    unit, records = None, []
    for name, genes in genes_of.items():
        inside = labels.isin(genes).to_numpy(bool)
        if inside.sum() < 2 or inside.all():
            raise Declined("a cluster is one row, or all rows of the map")
        if unit is None:
            order = _order(map_data.features[inside].to_numpy())
            unit = normalize(np.asarray(map_data.features.to_numpy(), order=order))
        records.append([name, *_compared(unit, inside, labels)])
    print(len(map_data.metadata), "genes in the map")
    print(len(genes_of), "clusters are used from the benchmark source", source)
    columns = ["cluster", "within_cossim_mean", "between_cossim_mean", "genes", "cluster_size"]
    return pd.DataFrame(records, columns=[*columns, "not_cluster_size", "ks_stat", "ks_pval"])


def _compared(
    unit: NDArray[np.floating], inside: NDArray[np.bool_], labels: "pd.Series[Any]"
) -> list[Any]:
    from scipy.stats import ks_2samp

    members, others = _rows(unit, inside), _rows(unit, ~inside)
    # A matrix by its own transpose would be another product than that of two matrices.
    within = (members @ _rows(unit, inside).T)[np.triu_indices(len(members), k=1)]
    between = (members @ others.T).flatten()
    test = ks_2samp(within, between)
    genes = [] if np.isnan(test.pvalue) else list(labels[inside])
    sizes = len(members), len(others)
    return [within.mean(), between.mean(), genes, *sizes, test.statistic, test.pvalue]


def _rows(unit: NDArray[np.floating], chosen: NDArray[np.bool_]) -> NDArray[np.floating]:
    """Return some rows in the order of memory of all."""
    return unit[chosen] if _order(unit) == "C" else unit.T[:, chosen].T


def _order(rows: NDArray[np.floating]) -> Literal["C", "F"]:
    """Return the order of memory, which a product's last bits depend on."""
    return "C" if rows.flags.c_contiguous else "F"

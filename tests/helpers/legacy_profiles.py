"""Profiles of guides of genes with controls, and what is alike of them."""

import numpy as np
import pandas as pd

from wellgram import PerturbationMap

CONTROLS = [f"c{k}" for k in range(6)]


def guides_of_genes(rng, *, effect=0.6, genes=12, guides=3, wells=4, features=20):
    """A map of wells: perturbation (the guide) and gene, then six controls of one gene."""
    guide = np.repeat(np.arange(genes * guides), wells)
    gene = guide // guides
    control = np.repeat(np.arange(6), 5)
    directions = rng.normal(size=(genes, features))
    treated = effect * directions[gene] + rng.normal(size=(len(gene), features))
    rows = np.concatenate([treated, rng.normal(size=(len(control), features))])
    labels = pd.DataFrame(
        {
            "perturbation": [*(f"p{k}" for k in guide), *(f"c{k}" for k in control)],
            "gene": [*(f"g{k}" for k in gene), *["control"] * len(control)],
        }
    )
    order = rng.permutation(len(labels))
    return PerturbationMap(rows[order], labels.iloc[order].reset_index(drop=True))


def similarity_matrix(map_, similarity="correlation"):
    """The similarities of all profiles, in float64."""
    rows = map_.embeddings.astype(np.float64)
    if similarity == "correlation":
        return np.corrcoef(rows)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit @ unit.T


def has_same(map_, column="perturbation"):
    """Which pairs of profiles have the same value (n, n), a profile with itself left out."""
    values = map_.labels[column].to_numpy()
    same = values[:, None] == values
    np.fill_diagonal(same, False)
    return same

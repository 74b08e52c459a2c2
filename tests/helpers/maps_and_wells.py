"""Maps and wells of random embeddings, with the effects and batches that a test asks for."""

import numpy as np
import pandas as pd

from wellgram import PerturbationMap, Wells


def map_of(embeddings, names=None, **labels):
    """A map of these embeddings; its perturbations are G0, G1, ... unless they are named."""
    names = [f"G{k}" for k in range(len(embeddings))] if names is None else names
    return PerturbationMap(embeddings, pd.DataFrame({"perturbation": names, **labels}))


def make_map(rng, n=60, d=8, *, dtype=np.float64, **labels):
    """A map of n perturbations without signal; labels as in `map_of`."""
    return map_of(rng.normal(size=(n, d)).astype(dtype), **labels)


def shuffled(rng, map_):
    """The same map with its rows in another order."""
    order = rng.permutation(len(map_))
    labels = map_.labels.iloc[order].reset_index(drop=True)
    return PerturbationMap(map_.embeddings[order], labels)


def make_wells(
    rng, sizes=(6, 2, 9, 1), d=16, *, effect=0.0, batches=2, controls=30, dtype=np.float64
):
    """Wells of perturbations p0, p1, ..., as many of each as `sizes` says, then controls (DMSO).

    `effect` moves the wells of each perturbation along a direction of its own. Perturbed wells are
    in any of the batches, controls in each in turn; a batch by itself does nothing.
    """
    kinds = np.repeat(np.arange(len(sizes)), sizes)
    directions = rng.normal(size=(len(sizes), d))
    x = rng.normal(size=(len(kinds) + controls, d))
    x[: len(kinds)] += effect * directions[kinds]
    batch = [*rng.integers(0, batches, len(kinds)), *np.arange(controls) % batches]
    labels = [*(f"p{k}" for k in kinds), *["DMSO"] * controls]
    return Wells.from_arrays(x.astype(dtype), labels, control="DMSO", batch=batch)


def make_batches(rng, sizes=(60, 40, 30), d=7, *, controls=0.6):
    """Rows of batches a, b, ... and which are controls: (x, batch, control).

    Each batch has a shift and a covariance of its own.
    """
    parts = [
        rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + 3 * rng.normal(size=d) for n in sizes
    ]
    control = np.concatenate([np.arange(n) < controls * n for n in sizes])
    return np.concatenate(parts), np.repeat([*"abcdef"][: len(sizes)], sizes), control

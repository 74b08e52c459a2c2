"""Screens of pure noise with batch effects."""

import numpy as np

from wellgram import Wells


def noise(
    seed, perturbations=24, wells=4, batches=3, controls=40, features=6, shift=1.5, moved=0.3
):
    """Wells without effects. Most of a perturbation's lie in one batch, which has its own shift.

    `moved` is the share of wells whose batch is drawn anew.
    """
    rng = np.random.default_rng(seed)
    label = np.repeat([f"p{k}" for k in range(perturbations)], wells)
    home = np.repeat(rng.integers(0, batches, perturbations), wells)
    batch = np.where(rng.random(len(label)) < moved, rng.integers(0, batches, len(label)), home)
    label = np.concatenate([label, np.repeat("DMSO", batches * controls)])
    batch = np.concatenate([batch, np.repeat(np.arange(batches), controls)])
    x = rng.normal(size=(len(label), features))
    x += shift * rng.normal(size=(batches, features))[batch]
    return Wells.from_arrays(x, label, control="DMSO", batch=batch.astype(str))

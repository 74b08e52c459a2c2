"""Wells of a few classes in batches, and an alignment that would cheat."""

import numpy as np
import pandas as pd

from wellgram import Wells
from wellgram.align import Alignment


def toy(batches=6, classes=4, repeats=2, seed=0, effect=3.0, **columns):
    """Wells with classes far apart, in batches that shift them."""
    rng = np.random.default_rng(seed)
    batch = np.repeat([f"b{k}" for k in range(batches)], classes * repeats)
    code = np.tile(np.repeat(np.arange(classes), repeats), batches)
    x = effect * rng.normal(size=(classes, 8))[code] + rng.normal(size=(len(code), 8))
    found = Wells.from_arrays(
        x, [f"p{c}" for c in code], control="p0", batch=batch, controls_in_map=True
    )
    for name, values in columns.items():
        found.metadata[name] = values(batch, code) if callable(values) else values
    return found


class Cheat(Alignment):
    """Moves every well to where its label says, as far as it can see labels."""

    name = "cheat"

    def fit_sample(self, sample):
        raise NotImplementedError

    def transform_sample(self, sample):
        raise NotImplementedError

    def aligned(self, x, **options):
        places = np.random.default_rng(0).normal(size=(1000, x.features))
        codes = pd.factorize(x.metadata["perturbation"])[0]
        return x.with_embeddings(x.embeddings + 100 * places[codes])

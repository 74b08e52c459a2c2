"""Text that no file can hold is refused by name: halves of characters of badly decoded bytes."""

import pandas as pd
import pytest

from helpers.maps_and_wells import make_wells
from wellgram import InputError, Wells, score

BROKEN = "a\udc80b"


@pytest.mark.parametrize("what", ["perturbation", "batch"])
def test_labels_of_wells(rng, what):
    labels = {"perturbation": ["a", "a", "b"], "batch": ["1", "1", "2"]}
    labels[what][1] = BROKEN
    with pytest.raises(InputError, match=rf"{what}= is no valid text: 'a\\udc80b'; decode"):
        Wells.from_arrays(rng.normal(size=(3, 4)), control=None, **labels)


@pytest.mark.parametrize("what", ["source", "gene set"])
def test_names_of_what_is_measured(rng, what):
    pairs = pd.DataFrame({"entity1": ["p0"], "entity2": ["p1"]})
    given = {
        "source": {"sources": {BROKEN: pairs}, "metrics": ["recall"]},
        "gene set": {"gene_sets": {BROKEN: ["p0", "p1"]}, "metrics": ["gene-set-separation"]},
    }
    with pytest.raises(InputError, match=rf"the name of a {what} is no valid text: .*; decode"):
        score(make_wells(rng), None, **given[what])

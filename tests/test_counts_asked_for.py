"""How many are asked for: what is no whole number, none, or more than there are."""

import numpy as np
import pandas as pd
import pytest

import wellgram as wg

SETS = {"set": [f"g{i}" for i in range(12)]}


@pytest.fixture
def map_(rng):
    labels = pd.DataFrame({"perturbation": [f"g{i}" for i in range(30)]})
    return wg.PerturbationMap(rng.normal(size=(30, 5)), labels)


@pytest.mark.parametrize("wrong", [2.5, True, False, "3", None, np.nan, np.float64(3)])
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("k", lambda m, k: wg.neighbors(m, k)),
        ("k", lambda m, k: wg.neighbors_of(m, "g1", k)),
        ("k", lambda m, k: wg.neighbor_graph(m, k)),
        ("farthest", lambda m, k: wg.neighbors(m, 3, farthest=k)),
        ("farthest", lambda m, k: wg.neighbors_of(m, "g1", 3, farthest=k)),
        ("perturbation", lambda m, k: wg.neighbors_of(m, k, 3)),
        ("min_genes", lambda m, k: wg.gene_set_separation(m, SETS, min_genes=k)),
        ("most_unmatched", lambda m, k: wg.replicate_agreement(m, m, most_unmatched=k)),
    ],
)
def test_whole_numbers_are_asked_for(map_, name, call, wrong):
    if (name, wrong) == ("farthest", None) or (name, wrong) == ("perturbation", "3"):
        pytest.skip("means something else")
    with pytest.raises(wg.InputError, match=f"{name}.* must be a whole number, not"):
        call(map_, wrong)


@pytest.mark.parametrize("draws", [2.5, True])
def test_whole_numbers_of_draws(rng, draws):
    wells = wg.Wells.from_arrays(
        rng.normal(size=(40, 5)), [f"g{i % 10}" for i in range(40)], control="g0"
    )
    for call in (
        lambda: wg.consistency(wells, draws=draws),
        lambda: wg.magnitude(wells, draws=draws),
        lambda: wg.mean_average_precision(
            wg.average_precision(wells, pos_sameby="perturbation", neg_diffby="perturbation"),
            null_size=draws,
        ),
    ):
        with pytest.raises(wg.InputError, match="must be a whole number"):
            call()


@pytest.mark.parametrize("call", [wg.neighbors, lambda m, *k: wg.neighbors_of(m, "g1", *k)])
def test_none_and_fewer_than_none(map_, call):
    for k in (0, -1, np.int64(0)):
        with pytest.raises(wg.InputError, match=f"(positive|one neighbor at least), not k={k}"):
            call(map_, k)


def test_more_than_there_are(map_):
    with pytest.raises(wg.InputError, match=r"25 neighbors .* 3 partners; ask for at most so many"):
        wg.neighbors(wg.PerturbationMap(map_.embeddings[:4], map_.labels[:4]), 25)
    assert len(wg.neighbors_of(map_, "g1", 500).table) == 2 * 29


def test_names_that_are_nearly_there(map_):
    for wrong in ("G1", " g1", "g1 ", "G1 "):
        with pytest.raises(wg.InputError, match=rf"no perturbation '{wrong}'; it has g1$"):
            wg.neighbors_of(map_, wrong)
    with pytest.raises(wg.InputError, match=r"it has g0$"):
        wg.neighbors_of(map_, "nope")
    for row in (-1, 30, 10**30):
        with pytest.raises(wg.InputError, match="its rows are 0 to 29"):
            wg.neighbors_of(map_, row)

"""The stand-in for the drug-target benchmark beside its plain statement: the same tables."""

import numpy as np
import pandas as pd
import pytest

import peers
from helpers import drug_target_benchmark as stated
from helpers.accelerated import Pair, equal, outcome, quiet_profile

pytestmark = pytest.mark.skipif(
    not peers.has_efaar(),
    reason="efaar_benchmarking is absent (pip install --no-deps efaar_benchmarking==1.0)",
)

GENES = [f"G{k:02d}" for k in range(45)]
COMPOUNDS = [f"cpd{k:02d}" for k in range(12)]
QUANTILES = [0.5, 0.75, 0.95]


@pytest.fixture
def pair(monkeypatch):
    stated.restate(monkeypatch, peers.efaar("benchmarking"))
    return Pair(":compound_gene_benchmark")


def known_targets():
    """Targets below, between and above the thresholds, on them, several times, without a value."""
    rng = np.random.default_rng(3)
    return pd.DataFrame({
        "gene_symbol": [*GENES, *rng.choice(GENES, 205)],
        "nM_value": [*rng.uniform(1, 5e4, 240), *[1000.0] * 4, *[10_000.0] * 4, np.nan, np.nan],
        "treatment": rng.choice([*COMPOUNDS, "stranger"], 250),
    })  # fmt: skip


def a_map(dtype=np.float64, seed=0):
    """Compounds at most of the doses, genes, and what is in no table of targets."""
    from sklearn.utils import Bunch

    doses = pd.MultiIndex.from_product([[*COMPOUNDS, "other"], stated.DOSES]).to_frame(False)
    doses = doses.drop(index=range(3, 20)).set_axis(["perturbation", "concentration"], axis=1)
    genes = pd.DataFrame({"perturbation": [*GENES, "GX"], "concentration": np.nan})
    metadata = pd.concat([doses, genes]).reset_index(drop=True)
    metadata = metadata[::-1].drop(index=[7])
    rows = np.random.default_rng(seed).normal(size=(len(metadata), 12)).astype(dtype)
    return Bunch(metadata=metadata, features=pd.DataFrame(rows, index=metadata.index))


def config(**options):
    return stated.BenchmarkConfig(**{"quantiles": QUANTILES, "random_seed": 0} | options)


OPTIONS = {
    "as the notebook": {"config": config(), "check_random": False},
    "another seed": {"config": config(random_seed=99)},
    "no quantiles": {"config": config(quantiles=None)},
    "the defaults": {},
    "uniform scores": {"check_random": True},
    "few negatives": {"config": config(min_negatives=0)},
    "more negatives than genes": {"config": config(min_negatives=40)},
    "other thresholds": {"activity_threshold": 9000.5, "inactivity_threshold": 20_000},
    "thresholds in the other order": {"activity_threshold": 9000, "inactivity_threshold": 10},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_tables_are_equal(pair, options, dtype):
    both = pair(a_map(dtype), truth_data=known_targets(), **options)
    # The same cosines to the bit; means are added up in other orders.
    equal(*both, within=1e-12)


def test_targets_are_read_as_the_original_reads_them(pair, tmp_path):
    known_targets().to_csv(tmp_path / "compound_gene_interactions.csv", index=False)
    equal(*pair(a_map(), benchmark_data_dir=str(tmp_path)), within=1e-12)


def test_scores_that_tie_are_scored_by_the_originals_rule(pair):
    map_ = a_map()
    rows = map_.features.to_numpy().copy()
    rows[5:30], rows[60:90], rows[100] = rows[5], rows[60], 0
    map_.features = pd.DataFrame(rows, index=map_.features.index)
    equal(*pair(map_, truth_data=known_targets(), config=config()), within=1e-12)


def test_one_call_of_many_seeds_is_compared(pair):
    """The notebook makes a hundred calls, each with tables of its own and another seed."""
    with quiet_profile() as found:
        tables = [
            pair.stand_in(a_map(), truth_data=known_targets(), config=config(random_seed=seed))
            for seed in range(5)
        ]
    assert [call.saved is not None for call in found.calls] == [True, *[False] * 4]
    assert [call.declined for call in found.calls] == [None] * 5
    for seed, table in enumerate(tables):
        theirs = pair.original(a_map(), truth_data=known_targets(), config=config(random_seed=seed))
        equal(theirs, table, within=1e-12)


def changed(map_, **columns):
    map_.metadata = map_.metadata.assign(**columns)
    return map_


def without(map_, *labels):
    map_.metadata = map_.metadata[~map_.metadata["perturbation"].isin(labels)]
    map_.features = map_.features.loc[map_.metadata.index]
    return map_


def twice(map_, row):
    map_.metadata = pd.concat([map_.metadata, map_.metadata.iloc[[row]]], ignore_index=True)
    map_.features = pd.concat([map_.features, map_.features.iloc[[row]] + 1], ignore_index=True)
    return map_


def repeated_index(map_):
    index = pd.Index([0, *range(len(map_.metadata) - 1)])
    map_.metadata, map_.features = map_.metadata.set_axis(index), map_.features.set_axis(index)
    return map_


def with_nan(map_):
    map_.features.iloc[4, 2] = np.nan
    return map_


MAPS = {
    "doses as texts": lambda m: changed(m, concentration=m.metadata["concentration"].astype(str)),
    "a dose off the grid": lambda m: changed(
        m, concentration=m.metadata["concentration"].replace(2.5, 2.6)
    ),
    "no dose": lambda m: changed(m, concentration=np.nan),
    "genes of the targets are absent": lambda m: without(m, *GENES[5:20]),
    "no gene": lambda m: without(m, *GENES),
    "no compound": lambda m: without(m, *COMPOUNDS),
    "a compound twice at a dose": lambda m: twice(m, -5),
    "a gene twice": lambda m: twice(m, 5),
    "an index that repeats": repeated_index,
    "a NaN": with_nan,
}


@pytest.mark.parametrize("case", MAPS)
def test_other_maps_are_left_to_the_original(pair, case):
    theirs = outcome(pair.original, MAPS[case](a_map()), truth_data=known_targets())
    with quiet_profile() as found:
        ours = outcome(pair.stand_in, MAPS[case](a_map()), truth_data=known_targets())
    assert type(ours) is type(theirs)
    if isinstance(theirs, Exception):
        assert str(ours) == str(theirs)
        assert not getattr(ours, "__notes__", None)
    else:
        assert found.calls[-1].declined
        pd.testing.assert_frame_equal(ours, theirs)


OTHER_OPTIONS = {
    "by gene": {"config": config(aggregate_by=stated.AggregateBy.GENE)},
    "pooled": {"config": config(average_type=stated.AverageType.MICRO)},
    "no seed": {"config": config(random_seed=None)},
    "quantiles in a tuple": {"config": config(quantiles=(0.5,))},
    "a threshold of NumPy": {"activity_threshold": np.float64(1000)},
    "a missing treatment": {
        "truth_data": known_targets().assign(treatment=[None, *["cpd01", "cpd02"] * 124, "cpd03"])
    },
}


@pytest.mark.parametrize("options", OTHER_OPTIONS.values(), ids=OTHER_OPTIONS)
def test_other_options_are_left_to_the_original(pair, options):
    why, _ = pair.declines(a_map(), **{"truth_data": known_targets()} | options)
    assert why


def test_another_state_of_the_trunk_is_left_to_itself(pair, monkeypatch):
    monkeypatch.delattr(peers.efaar("benchmarking"), "compute_ap_auc")
    monkeypatch.setattr(stated, "compute_ap_auc", lambda *_: (0.5, 0.5))
    why, _ = pair.declines(a_map(), truth_data=known_targets())
    assert why == "this state of the trunk is not known"

"""FeatureSelect beside pycytominer's feature_select: the same columns."""

import numpy as np
import pandas as pd
import pytest

from wellgram import FeatureSelect, Wells

pytestmark = pytest.mark.filterwarnings("ignore")  # the peer's own


@pytest.fixture(scope="module")
def feature_select():
    peer = pytest.importorskip(
        "pycytominer",
        reason="pycytominer, or what it imports, is absent (pip install --no-deps "
        "pycytominer==1.7.1; pip install pyyaml clevercsv sqlalchemy fire)",
    )
    if not hasattr(peer.operations, "frequency_threshold"):
        pytest.skip("this pycytominer has no frequency_threshold (pip install pycytominer==1.7.1)")
    return peer.feature_select


def profiles(seed, dtype="float64", n=240, d=60):
    """Profiles with features of every kind that is dropped."""
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(n, 9))
    x = causes[:, rng.integers(9, size=d)] + rng.uniform(0.1, 1, d) * rng.normal(size=(n, d))
    x[:, 3], x[:, 4] = 0.1, x[:, 5]
    x[:, 7] = rng.integers(3, size=n)
    x[:, 11] = np.where(np.arange(n) % 60, 0, x[:, 11])
    x[:, 13] *= 1e-5
    x[:, 17] *= 400
    names = [f"Cells_F{k}" for k in range(d)]
    names[20:22] = ["Nuclei_Correlation_RWC_AGP_DNA", "Nuclei_Granularity_16_RNA"]
    table = pd.DataFrame(x.astype(dtype), columns=names)
    table.insert(0, "Metadata_Group", np.arange(n) // 4)
    return table


RECIPE = [
    "variance_threshold",
    "frequency_threshold",
    "correlation_threshold",
    "drop_na_columns",
    "blocklist",
    "drop_outliers",
]
CALLS = {
    **{name: {"operation": name} for name in RECIPE},
    "recipe": {"operation": RECIPE},
    "backwards": {"operation": RECIPE[::-1]},
    "shares": {"operation": "frequency_threshold", "freq_cut": 0.9, "unique_cut": 0.5},
    "no variance": {"operation": "variance_threshold", "min_variance": 0},
    "ranks": {"operation": RECIPE[:3], "corr_method": "spearman", "corr_threshold": 0.6},
    "half": {"operation": RECIPE[2:3], "corr_threshold": 0.5},
    "block": {"operation": "blocklist", "blocklist": ["Cells_F9", "nowhere"]},
    "near": {"operation": "drop_outliers", "outlier_cutoff": 3.0},
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("kind", ["float64", "float32", "gaps"])
def test_the_same_columns_remain(feature_select, call, seed, kind):
    table = profiles(seed, "float32" if kind == "float32" else "float64")
    features = list(table.columns[1:])
    if kind == "gaps":
        table.loc[::9, features[30]] = np.nan
        table.loc[:2, features[40:43]] = np.nan
        if call == "no variance":
            return  # of missing values, theirs warns and takes what it gets
    theirs = feature_select(table, features=features, **CALLS[call])
    ours = FeatureSelect(**CALLS[call]).fit(table[features])
    assert ours.get_feature_names_out().tolist() == theirs.columns[1:].tolist()


def test_the_same_noise_is_removed(feature_select):
    table = profiles(0)
    features = list(table.columns[1:])
    wells = Wells.from_arrays(table[features].to_numpy(), table["Metadata_Group"])
    for cutoff in (0.3, 0.7, 1.0):
        theirs = feature_select(
            table, features=features, operation="noise_removal",
            noise_removal_perturb_groups="Metadata_Group", noise_removal_stdev_cutoff=cutoff,
        )  # fmt: skip
        ours = FeatureSelect("noise_removal", noise_removal_stdev_cutoff=cutoff).fit(wells)
        expected = [name in theirs.columns for name in features]
        assert sum(expected) > 0
        np.testing.assert_array_equal(ours.kept_, expected)

"""The stand-in for pycytominer's selection of features beside the original: the same columns."""

import numpy as np
import pandas as pd
import pytest

from helpers.accelerated import Pair, outcome, same_error

pytest.importorskip(
    "pycytominer",
    reason="pycytominer, or what it imports, is absent (pip install --no-deps pycytominer; "
    "pip install pyyaml clevercsv sqlalchemy fire)",
)
from wellgram.accel.pycytominer.pycytominer_releases import installed_release

pytestmark = pytest.mark.filterwarnings("ignore")  # the peer's own

TARGET = ":feature_select"
NAMES = [f"{part}_F{k}" for part in ("Cells", "Cytoplasm", "Nuclei") for k in range(20)]
CONSTANT, TWO_VALUES, FEW_VALUES, RARE, TWIN, TINY, FAR, ABSENT = (
    NAMES[k] for k in (3, 5, 7, 11, 13, 17, 23, 31)
)


@pytest.fixture(scope="module")
def table():
    """Profiles whose features have every reason to be dropped; an index of its own, attributes."""
    rng = np.random.default_rng(0)
    n = 400
    causes = rng.normal(size=(n, 12))
    x = causes[:, rng.integers(12, size=60)] + 0.4 * rng.normal(size=(n, 60))
    table = pd.DataFrame(x, columns=NAMES)
    table[CONSTANT] = 1.5
    table[TWO_VALUES] = rng.integers(2, size=n).astype(float)
    table[FEW_VALUES] = rng.integers(3, size=n) - 0.0
    table[RARE] = np.where(np.arange(n) % 50, 0.0, rng.normal(size=n))
    table[TWIN] = table[NAMES[14]]
    table[TINY] *= 1e-5
    table[FAR] *= 400
    table.insert(0, "Metadata_Well", [f"w{k // 4}" for k in range(n)])
    table.insert(1, "Metadata_Plate", np.where(np.arange(n) % 3, "a", "b"))
    table["Image_note"] = "text"
    table["Image_Count"] = rng.integers(90, size=n)
    table["Cells_Number"] = rng.integers(7, size=n)
    table.attrs["screen"] = "x"
    return table.set_axis(rng.permutation(n) + 3)


@pytest.fixture(scope="module")
def gaps(table):
    """The same with missing values."""
    gaps = table.copy()
    gaps.loc[gaps.index[::9], ABSENT] = np.nan
    gaps.loc[gaps.index[:3], [FEW_VALUES, RARE, NAMES[40]]] = np.nan
    return gaps


def same(table, **options):
    theirs, ours = Pair(TARGET)(table, **options)
    pd.testing.assert_frame_equal(theirs, ours, check_exact=True)
    assert theirs.attrs == ours.attrs
    return theirs


CALLS = {
    "default": {},
    "shares of values": {"operation": "variance_threshold", "freq_cut": 0.2, "unique_cut": 0.3},
    "no shares": {"operation": "variance_threshold", "freq_cut": 0.0, "unique_cut": 0.0},
    "missing": {"operation": "drop_na_columns"},
    "no missing": {"operation": "drop_na_columns", "na_cutoff": 0},
    "outliers": {"operation": "drop_outliers"},
    "nearer outliers": {"operation": ["drop_outliers"], "outlier_cutoff": 3},
    "default blocklist": {"operation": "blocklist"},
    "blocklist": {"operation": "blocklist", "blocklist": [RARE, "nowhere"]},
    "noise": {
        "operation": "noise_removal",
        "noise_removal_perturb_groups": "Metadata_Well",
        "noise_removal_stdev_cutoff": 0.9,
    },
    "some features": {"operation": ["drop_outliers"], "features": NAMES[20:30]},
    "images": {"operation": ["drop_outliers"], "outlier_cutoff": 3, "image_features": True},
    "nothing": {"operation": []},
}  # fmt: skip
SAMPLES = ["all", "Metadata_Plate == 'b'", "Metadata_Well < 'w5' and Cells_F2 > 0", "index > 90"]


@pytest.mark.parametrize("samples", SAMPLES)
@pytest.mark.parametrize("name", CALLS)
def test_the_same_features_remain(table, gaps, name, samples):
    for profiles in (table, gaps):
        same(profiles, samples=samples, **CALLS[name])


@pytest.mark.parametrize("method", ["pearson", "spearman", "Pearson"])
@pytest.mark.parametrize("threshold", [0.9, 0.7, 0.0, 1])
@pytest.mark.parametrize("samples", SAMPLES)
def test_the_same_correlated_features_are_dropped(table, samples, threshold, method):
    some = table.drop(columns=CONSTANT)
    options = {"corr_threshold": threshold, "corr_method": method, "samples": samples}
    left = same(some, operation="correlation_threshold", **options)
    assert threshold == 1 or left.shape[1] < some.shape[1]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("method", ["pearson", "spearman"])
def test_equal_features_are_dropped_in_the_same_order(seed, method):
    """Sums of correlations tie there, and a sort that is not stable decides."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(12, size=60)
    x = rng.normal(size=(90, 12))[:, kinds] * rng.choice([-1, 1], size=60)
    table = pd.DataFrame(x, columns=NAMES)
    same(table, operation="correlation_threshold", corr_method=method)


def test_a_recipe_drops_the_same_features(table):
    order = ["drop_na_columns", "variance_threshold", "correlation_threshold", "blocklist"]
    same(table, operation=order, corr_threshold=0.8)
    same(table, operation=order[::-1], samples="Metadata_Plate == 'a'")


def test_narrow_and_whole_features_are_selected_alike(table):
    for kinds in (
        dict.fromkeys(NAMES, np.float32),
        dict.fromkeys(NAMES[:30], np.float32),
        {TWO_VALUES: int, FEW_VALUES: np.int32},
    ):
        changed = table.astype(kinds)
        for operation in ("variance_threshold", "drop_outliers", "correlation_threshold"):
            same(changed, operation=operation)


@pytest.mark.skipif(not installed_release().has_frequency_threshold, reason="since 1.7.0")
@pytest.mark.parametrize("name", ["default", "shares of values", "no shares"])
def test_shares_of_values_have_an_operation_of_their_own(gaps, name):
    same(gaps, **{**CALLS[name], "operation": "frequency_threshold"})


@pytest.mark.skipif(not installed_release().has_frequency_threshold, reason="since 1.7.0")
@pytest.mark.parametrize("least", [0, 0.0, 1e-9, 0.5, 2])
def test_the_least_variance_is_obeyed(table, least):
    left = same(table, min_variance=least)
    assert CONSTANT not in left


def test_zeros_of_both_signs_are_one_value():
    zeros = np.where(np.arange(500) % 2, 0.0, -0.0)
    zeros[:20] = np.arange(20)
    table = pd.DataFrame({"Cells_a": zeros, "Cells_b": np.arange(500.0)})
    for operation in ("variance_threshold", "frequency_threshold"):
        if operation == "variance_threshold" or installed_release().has_frequency_threshold:
            same(table, operation=operation)


def test_columns_keep_their_name(table):
    named = table.rename_axis(columns="feature")
    assert same(named, operation=["drop_outliers", "blocklist"]).columns.name == "feature"


def test_files_are_written_as_the_original_does(table, tmp_path):
    both = Pair(TARGET)
    for kind in ("csv", "parquet"):
        paths = [tmp_path / f"{who}.{kind}" for who in ("theirs", "ours")]
        for run, path in zip((both.original, both.stand_in), paths, strict=True):
            assert run(table, output_file=path, output_type=kind, float_format="%.5g") == path
        assert paths[0].read_bytes() == paths[1].read_bytes()


OUTSIDE = {
    "kendall": {"operation": "correlation_threshold", "corr_method": "kendall"},
    "no method": {"operation": "correlation_threshold", "corr_method": "cosine"},
    "no operation": {"operation": ["variance_threshold", "nothing"]},
    "no list": {"operation": ("variance_threshold",)},
    "no such feature": {"features": ["nowhere"]},
    "a feature twice": {"features": [NAMES[0], NAMES[0]]},
    "no query": {"samples": "nonsense ==="},
    "a query that chooses none": {"samples": "Metadata_Plate == 'c'", "operation": "drop_outliers"},
    "a threshold above 1": {"operation": "correlation_threshold", "corr_threshold": 1.5},
    "a share above 1": {"operation": "drop_na_columns", "na_cutoff": 2},
    "no groups": {"operation": "noise_removal"},
    "text": {"features": ["Metadata_Well"]},
    "a negative variance": {"min_variance": -1.0},
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_outside_of_the_domain_the_original_answers(table, case):
    both = Pair(TARGET)
    theirs = outcome(both.original, table.copy(), **OUTSIDE[case])
    why, ours = both.declines(table.copy(), **OUTSIDE[case])
    if isinstance(theirs, Exception):
        assert same_error(theirs, ours)
    else:
        assert why
        assert type(theirs) is type(ours)
        if isinstance(theirs, pd.DataFrame):
            pd.testing.assert_frame_equal(theirs, ours)


@pytest.mark.parametrize("threshold", [0.9, 0.5, 0])
@pytest.mark.parametrize("samples", SAMPLES)
def test_features_with_missing_values_are_correlated(gaps, samples, threshold):
    some = gaps.drop(columns=[RARE, TWIN])
    options = {"operation": "correlation_threshold", "samples": samples}
    left = same(some, corr_threshold=threshold, **options)
    assert threshold == 0.9 or left.shape[1] < some.shape[1]


def test_a_pair_at_the_threshold_is_decided_by_pandas():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(50, 3)), columns=["Cells_a", "Cells_b", "Nuclei_c"])
    table.loc[::7, "Cells_a"] = np.nan
    table["Cells_b"] += table["Cells_a"].fillna(0)
    correlations = table.corr().to_numpy()
    for threshold in (correlations[0, 1], np.nextafter(correlations[0, 1], 0)):
        left = same(table, operation="correlation_threshold", corr_threshold=float(threshold))
        assert left.shape[1] == (3 if threshold == correlations[0, 1] else 2)


GAPS = {
    "equal features": lambda t: t,
    "few values": lambda t: t.assign(Cells_F0=t["Cells_F0"].where(np.arange(len(t)) < 2)),
    "an infinite value": lambda t: t.assign(Cells_F0=np.inf),
    "the same where another is": lambda t: t.assign(
        Cells_F0=np.where(np.arange(len(t)) % 9, 1.0, t["Cells_F1"])
    ),
}


@pytest.mark.parametrize("case", GAPS)
def test_gaps_that_rounding_could_decide_are_left_to_the_original(gaps, case):
    why, ours = Pair(TARGET).declines(GAPS[case](gaps), operation="correlation_threshold")
    theirs = Pair(TARGET).original(GAPS[case](gaps), operation="correlation_threshold")
    assert why
    pd.testing.assert_frame_equal(theirs, ours)


def test_ranks_with_missing_values_are_left_to_the_original(gaps):
    options = {"operation": "correlation_threshold", "corr_method": "spearman"}
    why, _ = Pair(TARGET).declines(gaps, **options)
    assert "missing" in why


def test_a_variance_near_to_the_least_is_left_to_the_original():
    if not installed_release().has_frequency_threshold:
        pytest.skip("variances are judged since 1.7.0")
    column = np.random.default_rng(0).normal(size=300)
    table = pd.DataFrame({"Cells_a": column, "Cells_b": 3 * column})
    why, _ = Pair(TARGET).declines(table, min_variance=float(column.var()))
    assert "near" in why

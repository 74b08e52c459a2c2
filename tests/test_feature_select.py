"""Selection of features: each operation by its definition, in memory, streamed and in chains."""

import numpy as np
import pandas as pd
import pytest

from wellgram import (
    CenterScale,
    FeatureSelect,
    InputError,
    InverseNormal,
    RobustMAD,
    Wells,
    build_map,
    chain,
)
from wellgram.align import alignment
from wellgram.errors import ColumnMissing
from wellgram.stream import WellStream

ALL = [
    "drop_na_columns",
    "variance_threshold",
    "frequency_threshold",
    "correlation_threshold",
    "blocklist",
    "drop_outliers",
]
NAMES = [f"Cells_F{k}" for k in range(28)] + ["Nuclei_Granularity_14_DNA"]
CONSTANT, TINY, COUNTS, RARE, TWIN, FAR = 2, 5, 8, 11, 14, 17
BLOCKED = 28


@pytest.fixture
def x(rng):
    """Features of six causes, with one of each kind that an operation drops."""
    causes = rng.normal(size=(300, 6))
    x = causes[:, rng.integers(6, size=29)] + rng.uniform(0.2, 1, size=29) * rng.normal(
        size=(300, 29)
    )
    x[:, CONSTANT] = 0.1
    x[:, TINY] *= 1e-5
    x[:, COUNTS] = rng.integers(2, size=300)
    x[:, RARE] = np.where(np.arange(300) % 50, 0.0, x[:, RARE])
    x[:, TWIN] = x[:, TWIN + 1]
    x[3, FAR] = -501
    return x


def slowly(x, operations, names=NAMES, corr_threshold=0.9, method="pearson"):
    """The definition, a feature and a pair at a time."""
    left = dict(enumerate(np.asarray(x, np.float64).T))
    for operation in operations:
        dropped = set()
        for k, values in left.items():
            there = values[~np.isnan(values)]
            counts = sorted(np.unique(there, return_counts=True)[1], reverse=True)
            dropped |= {
                "variance_threshold": {k} if np.var(there) <= 1e-6 else set(),
                "frequency_threshold": {k}
                if len(counts) < 2 or counts[1] / counts[0] < 0.05 or len(counts) / len(x) < 0.01
                else set(),
                "drop_na_columns": {k} if 1 - len(there) / len(x) > 0.05 else set(),
                "drop_outliers": {k} if np.abs(there).max() > 500 else set(),
                "blocklist": {k} if names[k].startswith("Nuclei_Granularity_14") else set(),
            }.get(operation, set())
        if operation == "correlation_threshold":
            r = pd.DataFrame(left).corr(method)
            total = r.abs().sum()
            for a in left:
                for b in left:
                    if a < b and r.loc[a, b] > corr_threshold:
                        dropped.add(a if total[a] > total[b] else b)
        left = {k: values for k, values in left.items() if k not in dropped}
    kept = np.zeros(x.shape[1], bool)
    kept[list(left)] = True
    return kept


def wells_of(x):
    labels = np.where(np.arange(len(x)) % 3, "drug", "DMSO")
    batch = np.arange(len(x)) % 2
    wells = Wells.from_arrays(x, labels, control="DMSO", batch=batch)
    return Wells(wells.embeddings, wells.metadata, wells.origin, feature_columns=tuple(NAMES))


def streamed(wells):
    return WellStream(
        wells.metadata, wells.features, wells.embeddings.dtype, wells.chunks, wells.origin,
        feature_columns=wells.feature_columns,
    )  # fmt: skip


@pytest.mark.parametrize("operation", ALL[1:2] + ALL[2:3] + ALL[4:])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_an_operation_drops_what_its_definition_says(x, operation, dtype):
    table = pd.DataFrame(x.astype(dtype), columns=NAMES)
    ours = FeatureSelect(operation).fit(table)
    expected = slowly(x, [operation])
    assert 0 < expected.sum() < len(expected)
    np.testing.assert_array_equal(ours.kept_, expected)
    np.testing.assert_array_equal(ours.transform(table), x.astype(dtype)[:, expected])


@pytest.mark.parametrize("method", ["pearson", "spearman"])
@pytest.mark.parametrize("threshold", [0.9, 0.5])
def test_of_a_correlated_pair_goes_what_correlates_more_with_all(x, method, threshold):
    x = np.delete(x, [CONSTANT, TWIN], axis=1)  # no correlation, and no difference but rounding
    ours = FeatureSelect("correlation_threshold", corr_threshold=threshold, corr_method=method)
    expected = slowly(
        x, ["correlation_threshold"], corr_threshold=threshold, method=method, names=NAMES[:27]
    )
    assert not expected.all()
    np.testing.assert_array_equal(ours.fit(x).kept_, expected)


def test_one_of_two_equal_features_goes(x):
    kept = FeatureSelect("correlation_threshold", corr_threshold=0.999).fit(x).kept_
    assert kept[TWIN] != kept[TWIN + 1]


def test_a_correlation_below_minus_the_threshold_drops_nothing(rng):
    a = rng.normal(size=50)
    assert FeatureSelect("correlation_threshold").fit(np.stack([a, -a], axis=1)).kept_.all()


def test_operations_come_one_after_another(x):
    table = pd.DataFrame(x, columns=NAMES)
    x = np.delete(x, TWIN, axis=1)
    table = table.drop(columns=NAMES[TWIN])
    names = list(table.columns)
    for operations in (ALL, ALL[::-1]):
        ours = FeatureSelect(operations).fit(table)
        np.testing.assert_array_equal(ours.kept_, slowly(x, operations, names))


def test_missing_values(x, rng):
    x[rng.random(300) < 0.2, 20] = np.nan
    x[:3, [21, 23]] = np.nan
    x = np.delete(x, [CONSTANT, TWIN], axis=1)
    ours = FeatureSelect(ALL[:1] + ALL[3:4]).fit(x)
    np.testing.assert_array_equal(ours.kept_, slowly(x, ALL[:1] + ALL[3:4], NAMES[:27]))
    assert not ours.kept_[18]
    assert np.isnan(ours.transform(x)).any()
    x[0, 0] = np.inf
    with pytest.raises(InputError, match="row 0 holds"):
        ours.transform(x)
    with pytest.raises(InputError, match="row 0 holds a NaN"):
        CenterScale().fit(np.full((3, 2), np.nan))


def test_noisy_features_within_replicates_go(rng):
    group = np.repeat(np.arange(20), 5)
    x = rng.normal(size=(20, 4))[group] + [0.1, 2.0, 0.1, 0.5] * rng.normal(size=(100, 4))
    wells = Wells.from_arrays(x, [f"P{g}" for g in group])
    expected = pd.DataFrame(x).groupby(group).std(ddof=0).mean() <= 1
    ours = FeatureSelect("noise_removal", noise_removal_stdev_cutoff=1.0).fit(wells)
    np.testing.assert_array_equal(ours.kept_, expected)
    assert ours.kept_.tolist() == [True, False, True, True]
    wells.metadata["guide"] = group
    other = FeatureSelect(
        "noise_removal", noise_removal_stdev_cutoff=1.0, noise_removal_perturb_groups="guide"
    )
    np.testing.assert_array_equal(other.fit(wells).kept_, expected)
    other.set_params(noise_removal_perturb_groups="sister")
    with pytest.raises(ColumnMissing, match=r"no column 'sister'.*columns="):
        other.fit(wells)
    with pytest.raises(InputError, match="rows alone do not have"):
        other.fit(x)


def test_a_stream_is_chosen_from_as_wells_in_memory(x):
    wells = wells_of(x)
    ours = FeatureSelect()
    aligned = ours.aligned(streamed(wells))
    np.testing.assert_array_equal(ours.kept_, FeatureSelect().fit(wells).kept_)
    np.testing.assert_array_equal(aligned.read().embeddings, x[:, ours.kept_])
    assert not ours.kept_[[CONSTANT, TINY, BLOCKED]].any()
    both = FeatureSelect(["drop_outliers", "correlation_threshold"]).fit(streamed(wells))
    assert not both.kept_[FAR]
    for values in (
        FeatureSelect("frequency_threshold"),
        FeatureSelect("noise_removal", noise_removal_stdev_cutoff=1.0),
        FeatureSelect("correlation_threshold", corr_method="spearman"),
    ):
        with pytest.raises(InputError, match="feature-select takes all wells at once"):
            values.fit(streamed(wells))


def test_a_chain_knows_the_names_of_features_that_are_left(x):
    wells = wells_of(x)
    select = FeatureSelect(["variance_threshold", "blocklist"])
    steps = chain(RobustMAD(), select, CenterScale())
    y = steps.fit_transform(wells)
    assert not select.kept_[BLOCKED]
    first = RobustMAD().fit_transform(wells)[:, select.kept_]
    batch, control = wells.metadata["batch"], wells.metadata["is_control"].to_numpy()
    expected = CenterScale().fit_transform(first, batch=batch, control=control)
    np.testing.assert_allclose(y, expected, rtol=1e-12)
    names = np.array(NAMES)[select.kept_]
    assert steps.get_feature_names_out(NAMES).tolist() == names.tolist()
    again = chain(RobustMAD(), FeatureSelect(["variance_threshold", "blocklist"]), CenterScale())
    np.testing.assert_allclose(again.aligned(streamed(wells)).read().embeddings, y, rtol=1e-9)
    map_ = build_map(wells, alignment("robust-mad+feature-select+inverse-normal"))
    assert map_.provenance["align"] == "robust-mad+feature-select+inverse-normal"


def test_names_do_not_outlive_a_rotation(x):
    """Axes are blocked by nobody, whatever the features were called."""
    wells = wells_of(x + np.random.default_rng(1).normal(size=x.shape))
    steps = chain(alignment("pca-whiten"), FeatureSelect("blocklist"), InverseNormal())
    assert steps.fit_transform(wells).shape == (300, 29)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (lambda: FeatureSelect("variance"), "unknown operation 'variance'; choose variance_thres"),
        (lambda: FeatureSelect([]), "operation is empty"),
        (lambda: FeatureSelect(freq_cut=2), r"freq_cut must be within \[0, 1\], not 2"),
        (lambda: FeatureSelect(min_variance=-1), "min_variance must be 0 or more, not -1"),
        (lambda: FeatureSelect(corr_method="kendall"), "corr_method must be one of"),
        (lambda: FeatureSelect(blocklist="a"), r"blocklist takes a list of names: \['a'\]"),
        (lambda: FeatureSelect("noise_removal"), "needs noise_removal_stdev_cutoff"),
        (lambda: FeatureSelect().fit(np.ones((9, 2))), "leaves none of the 2 features; look at"),
        (lambda: FeatureSelect("blocklist", blocklist=["a"]).fit(np.eye(2)), "have no names"),
        (lambda: FeatureSelect().fit(np.ones((1, 2))), "a minimum of 2 is required"),
    ],
)
def test_what_cannot_be_is_named(made, message):
    with pytest.raises(InputError, match=message):
        made()

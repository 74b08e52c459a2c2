"""Regression on a count: residuals of least squares, feature by feature."""

import numpy as np
import pytest

from wellgram import CenterScale, CovariateRegression, InputError, Wells, chain
from wellgram.errors import ColumnMissing
from wellgram.stream import WellStream


@pytest.fixture
def wells(rng):
    counts = rng.integers(50, 4000, size=200)
    x = rng.normal(size=(200, 7)) + np.outer(counts, rng.normal(size=7)) / 500 + 100
    labels = np.where(np.arange(200) % 3, "drug", "DMSO")
    found = Wells.from_arrays(x, labels, control="DMSO", batch=np.arange(200) % 2)
    found.metadata["Metadata_Count_Cells"] = counts
    return found


def streamed(wells):
    return WellStream(
        wells.metadata, wells.features, wells.embeddings.dtype, wells.chunks, wells.origin
    )


def residuals(x, counts):
    """A fit for each feature."""
    y = np.empty_like(x)
    for k in range(x.shape[1]):
        slope, intercept = np.polyfit(counts, x[:, k], 1)
        y[:, k] = x[:, k] - slope * counts - intercept
    return y


def test_residuals_are_those_of_a_fit_for_each_feature(wells):
    counts = wells.metadata["Metadata_Count_Cells"].to_numpy()
    y = CovariateRegression().fit_transform(wells)
    # Both round sums of 200 numbers of about 100.
    np.testing.assert_allclose(y, residuals(wells.embeddings, counts), atol=1e-10)
    assert np.abs(np.corrcoef(y.T, counts)[-1, :-1]).max() < 1e-10
    ours = CovariateRegression("Metadata_Count_Cells").aligned(streamed(wells)).read().embeddings
    np.testing.assert_allclose(ours, y, atol=1e-10)


def test_residuals_equal_those_of_statsmodels(wells):
    api = pytest.importorskip(
        "statsmodels.api", reason="statsmodels is absent (pip install statsmodels)"
    )
    counts = api.add_constant(wells.metadata["Metadata_Count_Cells"].to_numpy(float))
    y = CovariateRegression().fit_transform(wells)
    for k in range(7):
        theirs = api.OLS(wells.embeddings[:, k], counts).fit().resid
        np.testing.assert_allclose(y[:, k], theirs, atol=1e-10)


def test_a_planted_effect_of_the_count_goes_and_another_stays(rng):
    counts = rng.normal(1000, 200, size=4000)
    treated = rng.random(4000) < 0.3
    x = np.stack([counts / 100, 3.0 * treated], axis=1) + rng.normal(size=(4000, 2))
    wells = Wells.from_arrays(x, np.where(treated, "drug", "DMSO"), control="DMSO")
    wells.metadata["cell_count"] = counts
    y = CovariateRegression().fit_transform(wells)
    assert abs(y[:, 0].std() - 1) < 0.05
    assert abs(y[treated, 1].mean() - y[~treated, 1].mean() - 3) < 0.15


def test_features_of_few_values_stay(wells, rng):
    wells.embeddings[:, 2] = rng.integers(4, size=200)
    align = CovariateRegression(min_distinct=100)
    y = align.fit_transform(wells)
    np.testing.assert_array_equal(y[:, 2], wells.embeddings[:, 2])
    every = CovariateRegression().fit_transform(wells)
    others = [0, 1, 3, 4, 5, 6]
    np.testing.assert_array_equal(y[:, others], every[:, others])
    with pytest.raises(InputError, match="cell-count takes all wells at once"):
        align.fit(streamed(wells))


def test_it_is_a_step_of_a_chain(wells):
    first = wells.with_embeddings(CovariateRegression().fit_transform(wells))
    ours = chain(CovariateRegression(), CenterScale())
    expected = CenterScale().fit_transform(first)
    np.testing.assert_allclose(ours.fit_transform(wells), expected, atol=1e-10)
    np.testing.assert_allclose(
        ours.aligned(streamed(wells)).read().embeddings, expected, atol=1e-10
    )
    single = Wells(wells.embeddings.astype(np.float32), wells.metadata)
    assert ours.fit_transform(single).dtype == np.float32


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        (5, r"the cell count is 5.0 in all 200 wells.*column="),
        ([None] + [3] * 199, r"1 wells have no cell count in column 'Metadata_Count_Cells'"),
        (["many"] + ["3"] * 199, r"column 'Metadata_Count_Cells' reads 'many' in 1 wells"),
    ],
)
def test_counts_that_are_none_are_named(wells, counts, message):
    wells.metadata["Metadata_Count_Cells"] = counts
    with pytest.raises(InputError, match=message):
        CovariateRegression().fit(wells)


def test_a_column_that_is_missing_is_named(wells):
    with pytest.raises(ColumnMissing, match=r"no column 'cells'; keep it .*columns="):
        CovariateRegression("cells").fit(wells)
    with pytest.raises(InputError, match="rows alone do not have"):
        CovariateRegression().fit(wells.embeddings)
    with pytest.raises(InputError, match="min_distinct must be 0 or more, not -1"):
        CovariateRegression(min_distinct=-1)

"""Stand-ins for pycytominer beside the originals."""

import numpy as np
import pandas as pd
import pytest

from helpers.accelerated import Pair, equal, outcome, same_error

pytest.importorskip(
    "pycytominer",
    reason="pycytominer, or what it imports, is absent (pip install --no-deps pycytominer; "
    "pip install pyyaml clevercsv sqlalchemy fire)",
)
pytestmark = pytest.mark.filterwarnings("ignore")  # the peer's own

FEATURES = [f"{part}_{k}" for part in ("Cells", "Nuclei") for k in range(6)]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Small tables are aggregated here too."""
    monkeypatch.setenv("WELLGRAM_ACCEL_SMALL", "1")


@pytest.fixture(scope="module")
def table():
    """Profiles of three plates, replicates of 30 perturbations; an index of its own."""
    rng = np.random.default_rng(0)
    n = 360
    kind = rng.integers(30, size=n)
    x = rng.normal(size=(30, 12))[kind] + rng.normal(size=(n, 12))
    return pd.DataFrame(x @ rng.normal(size=(12, 12)), columns=FEATURES).assign(
        Cells_1=rng.integers(50, size=n),
        Metadata_Plate=np.where(np.arange(n) % 3, "a", None),
        Metadata_Well=[f"w{k}" for k in kind],
        Metadata_dose=kind / 7,
        Image_note="text",
    ).set_axis(rng.permutation(n) + 3)  # fmt: skip


@pytest.mark.parametrize("operation", ["median", "Median"])
@pytest.mark.parametrize(
    "options",
    [{}, {"strata": ["Metadata_Well"]}, {"strata": ["Metadata_dose"], "features": FEATURES[3:5]}],
    ids=str,
)
def test_aggregates_are_equal(table, operation, options):
    equal(
        *Pair("pycytominer.aggregate:aggregate")(table, operation=operation, **options),
        within=1e-12,
    )


def test_narrow_features_are_aggregated_in_float64(table):
    narrow = table.astype(dict.fromkeys(FEATURES[2:], np.float32))
    theirs, ours = Pair("pycytominer.aggregate:aggregate")(narrow)
    equal(theirs, ours, within=1e-6)  # float32 rows are added up as they are
    assert set(ours[FEATURES].dtypes) == {np.dtype(np.float64)}


@pytest.mark.parametrize("operation", ["median", "modz"])
@pytest.mark.parametrize("columns", [["Metadata_Well"], ["Metadata_Plate", "Metadata_Well"]])
def test_consensus_is_equal(table, operation, columns):
    equal(*Pair(":consensus")(table, columns, operation), within=1e-12)


def test_weights_at_the_edge_of_rounding_are_those_of_the_original():
    """Ranks of five features correlate by tenths, so weights lie at 0.16875 and its kind."""
    for seed in range(20):
        x = np.random.default_rng(seed).normal(size=(32, 5))
        table = pd.DataFrame(x, columns=FEATURES[:5])
        table = table.assign(Metadata_Well=np.repeat([*"abcd"], 8))
        theirs, ours = Pair(":consensus")(table, ["Metadata_Well"], "modz", FEATURES[:5])
        equal(theirs, ours, within=1e-12)


@pytest.mark.parametrize("method", ["spearman", "pearson"])
def test_weights_follow_their_options(table, method):
    options = {"method": method, "min_weight": 0.2, "precision": 2}
    both = Pair(":consensus")
    equal(*both(table, ["Metadata_Well"], "modz", modz_args=options), within=1e-12)


METHODS = {
    "standardize": {"method": "standardize"},
    "robustize": {"method": "robustize"},
    "mad_robustize": {"method": "mad_robustize"},
    "mad_robustize, with an epsilon": {"method": "mad_robustize", "mad_robustize_epsilon": 0.5},
    "ZCA-cor": {"method": "spherize"},
    "ZCA": {"method": "spherize", "spherize_method": "ZCA", "spherize_epsilon": 0.1},
}


@pytest.mark.parametrize("samples", ["all", "Metadata_Well < 'w2'", "Metadata_dose < 0.2"])
@pytest.mark.parametrize("name", METHODS)
def test_normalized_profiles_are_equal(table, name, samples):
    theirs, ours = Pair(":normalize")(table, samples=samples, **METHODS[name])
    equal(theirs, ours, within=1e-9)


def test_sphering_by_fewer_samples_than_features_is_equal(table):
    samples = "Metadata_Well == 'w3'"
    assert len(table.query(samples)) < len(FEATURES) + 3
    some = table.query("Metadata_Well in ['w3', 'w4']")
    few = some.assign(Metadata_few=np.arange(len(some)) < 6)
    for kind in ("ZCA", "ZCA-cor"):
        both = Pair(":normalize")
        options = {"method": "spherize", "spherize_method": kind, "spherize_epsilon": 0.01}
        equal(*both(few, samples="Metadata_few", **options), within=1e-8)


def test_files_are_written_as_the_original_does(table, tmp_path):
    for name in (":aggregate", ":normalize", ":consensus"):
        both = Pair(f"pycytominer.{name[1:]}{name}")
        paths = [tmp_path / f"{name[1:]}_{who}.csv" for who in ("theirs", "ours")]
        for run, path in zip((both.original, both.stand_in), paths, strict=True):
            returned = run(table, output_file=str(path), float_format="%.6g")
            assert str(returned) == str(path)
        assert paths[0].read_text() == paths[1].read_text()


OUTSIDE = {
    "a missing value to sphere": (
        ":normalize",
        {"method": "spherize"},
        lambda t: t.assign(Cells_0=t["Cells_0"].where(t["Cells_0"] > 0)),
    ),
    "means": (":aggregate", {"operation": "mean"}, 0),
    "means of replicates": (
        ":consensus", {"replicate_columns": ["Metadata_Well"], "operation": "mean"}, 0
    ),
    "no method": (":normalize", {"method": "nothing"}, 0),
    "no features": (":normalize", {"features": ["nowhere"]}, 0),
    "some float32": (
        ":normalize", {"method": "mad_robustize"}, lambda t: t.astype({"Cells_0": np.float32})
    ),
    "a feature that is the same": (
        ":normalize", {"method": "spherize"}, lambda t: t.assign(Cells_0=1.0)
    ),
    "text": (":aggregate", {}, lambda t: t.assign(Cells_0="1")),
    "counts": (":aggregate", {"compute_object_count": True, "object_feature": "Image_note"}, 0),
    "no operation": (":aggregate", {"operation": "mode"}, 0),
    "a category": (":aggregate", {}, lambda t: t.astype({"Metadata_Well": "category"})),
    "no such stratum": (":consensus", {"replicate_columns": ["nowhere"]}, 0),
    "kendall": (":consensus", {"operation": "modz", "modz_args": {"method": "kendall"}}, 0),
}  # fmt: skip


@pytest.mark.parametrize("case", OUTSIDE)
def test_outside_of_the_domain_the_original_answers(table, case):
    name, options, change = OUTSIDE[case]
    if change:
        table = change(table)
    both = Pair(f"pycytominer.{name[1:]}{name}")
    theirs = outcome(both.original, table.copy(), **options)
    why, ours = both.declines(table.copy(), **options)
    if not same_error(theirs, ours):
        assert why
        pd.testing.assert_frame_equal(theirs, ours)

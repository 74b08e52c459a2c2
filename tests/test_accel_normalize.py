"""The stand-in for pycytominer's normalisation beside the original, on tables of many kinds."""

import numpy as np
import pandas as pd
import pytest

from helpers.accelerated import Pair, equal, outcome, same_error

pytest.importorskip(
    "pycytominer",
    reason="pycytominer, or what it imports, is absent (pip install --no-deps pycytominer; "
    "pip install pyyaml clevercsv sqlalchemy fire)",
)
from wellgram.accel.pycytominer.pycytominer_releases import installed_release

pytestmark = pytest.mark.filterwarnings("ignore")  # the peer's own

NAMES = [f"{part}_F{k}" for part in ("Cells", "Cytoplasm", "Nuclei") for k in range(5)]
METHODS = {
    "standardize": {},
    "robustize": {"method": "robustize"},
    "mad_robustize": {"method": "mad_robustize"},
    "mad_robustize without epsilon": {"method": "MAD_robustize", "mad_robustize_epsilon": 0},
    "ZCA-cor": {"method": "spherize"},
    "ZCA": {"method": "spherize", "spherize_method": "ZCA", "spherize_epsilon": 0.1},
    "raw ZCA": {"method": "spherize", "spherize_method": "ZCA", "spherize_center": False},
    "PCA-cor": {"method": "spherize", "spherize_method": "PCA-cor"},
    "PCA": {"method": "spherize", "spherize_method": "PCA"},
    "raw PCA": {"method": "spherize", "spherize_method": "PCA", "spherize_center": False},
}
if installed_release().has_inverse_normal:
    METHODS["inverse_normal"] = {"method": "inverse_normal"}
    METHODS["few quantiles"] = {"method": "inverse_normal", "inverse_normal_n_quantiles": 10}
ONE_BY_ONE = [name for name in METHODS if "CA" not in name]
SAMPLES = ["all", "Metadata_pert == 'DMSO'", "Cells_F0 > 0 and Metadata_n != 2"]


@pytest.fixture(scope="module")
def table():
    """Profiles of two plates, with an index and columns of their own, and attributes."""
    rng = np.random.default_rng(26)
    n = 240
    x = rng.normal(size=(n, 15)) @ rng.normal(size=(15, 15)) + rng.normal(size=15)
    table = pd.DataFrame(x, columns=NAMES)
    table.insert(0, "Metadata_n", np.arange(n) % 3)
    table.insert(1, "Metadata_pert", np.tile(["DMSO", "a"], n // 2))
    table.insert(2, "Metadata_Plate", np.repeat(["P1", None], n // 2))
    table["Image_path"] = "x.tiff"
    table["Image_Count"] = rng.integers(200, size=n)
    table.attrs["screen"] = "x"
    return table.set_axis(rng.permutation(n) + 3)


@pytest.mark.parametrize("samples", SAMPLES)
@pytest.mark.parametrize("name", METHODS)
def test_normalized_profiles_are_equal(table, name, samples):
    equal(*Pair(":normalize")(table, samples=samples, **METHODS[name]), within=1e-8)


@pytest.mark.parametrize("samples", SAMPLES)
@pytest.mark.parametrize("name", METHODS)
def test_narrow_features_are_normalized_in_their_type(table, name, samples):
    narrow = table.astype(dict.fromkeys(NAMES, np.float32))
    theirs, ours = Pair(":normalize")(narrow, samples=samples, **METHODS[name])
    equal(theirs, ours, within=1e-5)


@pytest.mark.skipif(not installed_release().has_inverse_normal, reason="since 1.7.0")
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_normal_scores_have_the_same_bits(table, kind):
    some = table.astype(dict.fromkeys(NAMES, kind))
    some[NAMES[3]] = some[NAMES[3]].round()  # quantiles that repeat
    some[NAMES[4]] = np.asarray(1.5, kind)
    for samples in SAMPLES:
        both = Pair(":normalize")(some, method="inverse_normal", samples=samples)
        pd.testing.assert_frame_equal(*both, check_exact=True)


@pytest.mark.parametrize("name", [name for name in ONE_BY_ONE if "normal" not in name])
def test_missing_values_stay_missing(table, name):
    if name == "few quantiles":
        pytest.skip("ranks of what is missing are the original's")
    gaps = table.copy()
    gaps.loc[gaps.index[::7], [NAMES[2], NAMES[9]]] = np.nan
    for samples in SAMPLES:
        theirs, ours = Pair(":normalize")(gaps, samples=samples, **METHODS[name])
        equal(theirs, ours, within=1e-10)
        assert ours.isna().any().any()


CHANGES = {
    "whole numbers": lambda t: t.assign(Cells_F1=np.arange(len(t)) % 7),
    "a repeated index": lambda t: t.set_axis(np.arange(len(t)) % 4),
    "an index of text": lambda t: t.set_axis([f"r{k}" for k in range(len(t))]),
    "columns with a name": lambda t: t.rename_axis(columns="feature"),
    "the other order": lambda t: t[t.columns[::-1]],
    "rows twice": lambda t: pd.concat([t, t]),
    "categories": lambda t: t.astype({"Metadata_pert": "category"}),
    "a feature that is the same": lambda t: t.assign(Cells_F1=3.1),
    "a feature that is mostly the same": lambda t: t.assign(
        Cells_F1=np.where(np.arange(len(t)) % 5, 1.0, 2.5)
    ),
    "large features": lambda t: t.assign(Cells_F1=t["Cells_F1"] * 1e7 + 1e8),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("name", ["standardize", "robustize", "mad_robustize"])
def test_tables_of_all_kinds_are_normalized(table, name, change):
    changed = CHANGES[change](table)
    theirs, ours = Pair(":normalize")(changed, **METHODS[name])
    pd.testing.assert_frame_equal(theirs, ours, rtol=1e-9, atol=1e-9, check_names=True)
    assert theirs.attrs == ours.attrs


@pytest.mark.parametrize("change", ["columns with a name", "a repeated index", "categories"])
@pytest.mark.parametrize("name", ["ZCA-cor", "PCA"])
def test_tables_of_all_kinds_are_sphered(table, name, change):
    changed = CHANGES[change](table)
    theirs, ours = Pair(":normalize")(changed, **METHODS[name])
    pd.testing.assert_frame_equal(theirs, ours, rtol=1e-8, atol=1e-8, check_names=True)


def test_features_and_labels_can_be_named(table):
    for options in (
        {"features": NAMES[::-2]},
        {"features": NAMES, "meta_features": ["Metadata_n"]},
        {"image_features": True},
    ):
        equal(*Pair(":normalize")(table, **options), within=1e-10)


def test_arguments_are_left_as_they_are(table):
    before = table.copy(deep=True)
    for options in METHODS.values():
        Pair(":normalize").stand_in(table, **options)
    pd.testing.assert_frame_equal(table, before)


OUTSIDE = {
    "an infinite value": ({}, lambda t: t.assign(Cells_F1=np.inf)),
    "squares that leave float64": ({}, lambda t: t.assign(Cells_F1=t["Cells_F1"] * 1e200)),
    "values that hardly vary": ({}, lambda t: t.assign(Cells_F1=1e9 + t["Cells_F1"] * 1e-7)),
    "Boolean": ({}, lambda t: t.assign(Cells_F1=t["Cells_F0"] > 0)),
    "Float64": ({}, lambda t: t.astype({"Cells_F1": "Float64"})),
    "objects": ({}, lambda t: t.astype({"Cells_F1": object})),
    "missing in words": ({}, lambda t: t.assign(Cells_F1=["nan"] * len(t))),
    "no profiles": ({}, lambda t: t.iloc[:0]),
    "no query": ({"samples": "nonsense ==="}, None),
    "a query of nobody": ({"samples": "Metadata_pert == 'nobody'"}, None),
    "a query of a variable": ({"samples": "Metadata_n > @method"}, None),
    "a feature that is not there": ({"features": [*NAMES, "absent"]}, None),
    "a feature for labels": ({"meta_features": NAMES}, None),
    "one name": ({"features": "Cells_F1"}, None),
    "no epsilon": ({"method": "mad_robustize", "mad_robustize_epsilon": None}, None),
    "no such sphering": ({"method": "spherize", "spherize_method": "ICA"}, None),
    "correlations without a centre": ({"method": "spherize", "spherize_center": False}, None),
    "dependent features": (
        {"method": "spherize"}, lambda t: t.assign(Cells_F1=t["Cells_F0"] * 2 + 1)
    ),
    "no such file": ({"profiles": "nowhere.csv"}, None),
    "no such compression": ({"output_file": "out.csv", "compression_options": "zip"}, None),
    "dropped rows": ({"drop_cosmicqc_rows": True}, None),
}  # fmt: skip


@pytest.mark.parametrize("case", OUTSIDE)
def test_outside_of_the_domain_the_original_answers(table, case):
    options, change = OUTSIDE[case]
    options = {"profiles": change(table) if change else table.copy(), **options}
    both = Pair(":normalize")
    theirs = outcome(both.original, **options)
    why, ours = both.declines(**options)
    assert not getattr(ours, "__notes__", [])  # an error is the original's alone
    if not same_error(theirs, ours):
        assert why
        pd.testing.assert_frame_equal(theirs, ours)

"""Stand-ins for efaar_benchmarking beside the originals: the same tables, lines, side effects."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import peers
from helpers.accelerated import Pair, equal, outcome, same_error

# Warnings of the peer (complex results cast to real, empty groups) are not ours to mend.
pytestmark = [
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.skipif(
        not peers.has_efaar(),
        reason="efaar_benchmarking is absent (pip install --no-deps efaar_benchmarking==1.0)",
    ),
]

CONTROL = "EMPTY_control"


@pytest.fixture(scope="module", autouse=True)
def small_calls():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WELLGRAM_ACCEL_SMALL", "1")
        yield


@pytest.fixture(scope="module")
def pair():
    """Makes the pair of a function, by its name."""
    modules = peers.efaar("efaar"), peers.efaar("benchmarking")

    def pair(name):
        assert any(hasattr(module, name) for module in modules)
        return Pair(f":{name}")

    return pair


@pytest.fixture(scope="module")
def screen():
    """Wells of 60 perturbations and many controls in 6 batches, in no order, index and all."""
    rng = np.random.default_rng(0)
    n, d = 1200, 30
    names = np.array([CONTROL] * 25 + [f"GENE{k:02d}" for k in range(60)])
    labels = names[rng.integers(len(names), size=n)]
    batch = np.array([f"batch{b}" for b in rng.integers(6, size=n)])
    rows = rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d)
    metadata = pd.DataFrame({"label": labels, "batch": batch}, index=rng.permutation(n) + 7)
    return rows, metadata


ALIGN = [
    ("centerscale_on_controls", ("label", CONTROL)),
    ("centerscale_by_batch", ()),
    ("tvn_on_controls", ("label", CONTROL)),
    ("embed_by_pca", (7,)),
    ("embed_by_pca", (0.8,)),
    ("embed_by_pca", (None,)),
]


@pytest.mark.parametrize("batch", ["batch", None])
@pytest.mark.parametrize(("name", "options"), ALIGN, ids=str)
def test_alignments_are_equal(pair, screen, name, options, batch):
    rows, metadata = screen
    before = rows.copy()
    # Axes are as certain as the gaps between variances: a few digits are lost of sixteen.
    equal(*pair(name)(rows, metadata, *options, batch_col=batch), within=1e-8)
    np.testing.assert_array_equal(rows, before)


@pytest.mark.parametrize(("name", "options"), ALIGN, ids=str)
def test_float32_alignments_are_as_near_float64_as_the_original(pair, screen, name, options):
    rows, metadata = screen
    both = pair(name)
    theirs, ours = both(rows.astype(np.float32), metadata, *options, batch_col="batch")
    wide = both.original(
        rows.astype(np.float32).astype(float), metadata, *options, batch_col="batch"
    )
    assert ours.dtype == theirs.dtype == np.float32
    drift = np.abs(theirs - wide).max()
    assert np.abs(ours - wide).max() <= max(1e-5, drift)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("removed", [[CONTROL], [], CONTROL, ("GENE03", "nowhere")], ids=str)
def test_medians_are_equal(pair, screen, dtype, removed):
    rows, metadata = screen
    theirs, ours = pair("aggregate")(rows.astype(dtype), metadata, "label", removed, "median")
    assert list(ours) == list(theirs) == ["features", "metadata"]
    equal(theirs.metadata, ours.metadata)
    equal(theirs.features, ours.features, within=1e-12 if dtype == np.float64 else 1e-5)


OUTSIDE = {
    "integers": lambda x, m: (x.astype(int), m),
    "a table": lambda x, m: (pd.DataFrame(x), m),
    "a NaN": lambda x, m: (np.where(x == x[5, 2], np.nan, x), m),
    "rows that do not fit": lambda x, m: (x, m[:-1]),
    "no controls in a batch": lambda x, m: (
        x, m.assign(batch=np.where(m["label"] == CONTROL, m["batch"], m["batch"] + "x"))
    ),
    "labels of pandas' own": lambda x, m: (
        x, m.assign(label=m["label"].astype("string").where(m["label"] != "GENE01"))
    ),
    "no batch": lambda x, m: (x, m.assign(batch=m["batch"].where(m["batch"] != "batch1"))),
    "too few controls": lambda x, m: (
        x, m.assign(label=np.where(np.arange(len(m)) < 20, CONTROL, "GENE01"), batch="batch")
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", OUTSIDE)
def test_alignments_outside_of_the_domain_are_the_originals(pair, screen, case):
    rows, metadata = OUTSIDE[case](*screen)
    both = pair("tvn_on_controls")
    why, ours = both.declines(rows, metadata, "label", CONTROL, "batch")
    theirs = outcome(both.original, rows, metadata, "label", CONTROL, "batch")
    if not same_error(theirs, ours):
        assert why
        np.testing.assert_array_equal(ours, theirs)


def test_a_randomized_decomposition_is_left_to_the_original(pair):
    rows = np.random.default_rng(0).normal(size=(600, 100))
    why, _ = pair("embed_by_pca").declines(rows, variance_or_ncomp=20)
    assert "randomized" in why


def test_the_newer_alignment_is_tried_where_it_is_present(screen, monkeypatch):
    """No release has pca_centerscale_on_controls yet: a stand-in must prove itself on first use."""
    from sklearn.decomposition import PCA

    efaar = peers.efaar("efaar")

    def pca_centerscale_on_controls(embeddings, metadata, pert_col, control_key, batch_col=None):
        control = metadata[pert_col] == control_key
        turned = PCA().fit(embeddings[control]).transform(embeddings)
        return efaar.centerscale_on_controls(turned, metadata, pert_col, control_key, batch_col)

    monkeypatch.setattr(
        efaar, "pca_centerscale_on_controls", pca_centerscale_on_controls, raising=False
    )
    rows, metadata = screen
    for batch in ("batch", None):
        both = Pair(":pca_centerscale_on_controls")
        equal(*both(rows, metadata, "label", CONTROL, batch), within=1e-8)
    monkeypatch.setattr(efaar, "pca_centerscale_on_controls", lambda *a, **k: rows)
    with pytest.raises(Exception, match="parameters a, k do is not known"):
        Pair(":pca_centerscale_on_controls")


GENES = [f"G{k:03d}" for k in range(200)]


@pytest.fixture
def relationships(tmp_path):
    """A folder of two sources, with pairs both ways, of one with itself, and of strangers."""
    rng = np.random.default_rng(1)
    for source in ("first", "second"):
        ends = rng.choice([*GENES, "stranger"], size=(400, 2))
        table = pd.DataFrame(ends, columns=["entity1", "entity2"])
        table = pd.concat([table, table.iloc[:20, ::-1].set_axis(table.columns, axis=1)])
        table.to_csv(tmp_path / f"{source}.txt", index=False)
    (tmp_path / "CORUM_clusters.tsv").write_text(
        "".join(f"complex {k}\t{' '.join(GENES[10 * k : 10 * k + 12])}\n" for k in range(19))
    )
    return tmp_path


def a_map(dtype=np.float64, labels=GENES):
    from sklearn.utils import Bunch

    rows = np.random.default_rng(2).normal(size=(len(labels), 24)).astype(dtype)
    return Bunch(features=pd.DataFrame(rows), metadata=pd.DataFrame({"gene": labels}))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("told", [False, True])
def test_recall_is_equal(pair, relationships, dtype, told):
    tails = [(0.05, 0.95), (0.9, 0.1), (0.0, 1.0), (0.5, 0.5)]
    theirs, ours = pair("known_relationship_benchmark")(
        a_map(dtype), "gene", ["first", "second"], tails, 20, str(relationships), told
    )
    # Shares of a few hundred pairs: equal, but for a cosine that rounds across a threshold.
    equal(theirs, ours, within=1e-12 if dtype == np.float64 else 1e-2)


def test_recall_of_a_map_with_repeated_labels_is_the_originals_or_equal(pair, relationships):
    labels = [*GENES[:150], *["compound"] * 50]  # no pair speaks of it
    both = pair("known_relationship_benchmark")
    options = ("gene", ["first"], [(0.05, 0.95)], 20, str(relationships))
    equal(*both(a_map(labels=labels), *options))
    why, error = both.declines(a_map(labels=[*GENES[:150], *["G003"] * 50]), *options)
    assert "occurs twice" in why
    assert isinstance(error, Exception)  # as without the accelerator


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clusters_are_equal(pair, relationships, dtype):
    theirs, ours = pair("cluster_benchmark")(
        a_map(dtype), "gene", benchmark_data_dir=str(relationships), min_genes=11
    )
    assert ours["genes"].tolist() == theirs["genes"].tolist()
    # A p-value of a statistic that is one rank apart, in float32.
    equal(theirs.drop(columns="genes"), ours.drop(columns="genes"),
          within=1e-9 if dtype == np.float64 else 1e-3)  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_top_similars_are_equal(pair, dtype):
    both = pair("compute_top_similars")
    within = 1e-12 if dtype == np.float64 else 1e-6
    equal(*both(a_map(dtype), "gene", "G005"), within=within)
    equal(*both(a_map(dtype), "gene", "G005", "nowhere", topx=3), within=within)
    theirs, ours = both(a_map(dtype), "gene", "G005", "G017", topx=500)
    equal(theirs[0], ours[0], within=within)
    assert [type(part) for part in theirs] == [type(part) for part in ours]
    assert ours[1] == theirs[1]
    assert ours[2] == pytest.approx(theirs[2], abs=within)


NUMBERS = st.floats(-1, 1, width=16)  # few values, so that there are ties


@given(
    null=st.lists(NUMBERS, min_size=1, max_size=60),
    query=st.lists(NUMBERS, min_size=1, max_size=20),
    tails=st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), max_size=4),
    dtype=st.sampled_from([np.float32, np.float64]),
)
@settings(deadline=None, max_examples=200)
def test_compute_recall_is_equal_to_the_bit(pair, null, query, tails, dtype):
    theirs, ours = pair("compute_recall")(np.array(null, dtype), np.array(query, dtype), tails)
    assert list(ours.items()) == list(theirs.items())
    assert [type(value) for value in ours.values()] == [type(value) for value in theirs.values()]


@given(
    pairs=st.lists(st.tuples(*[st.sampled_from(["A", "B", "b", "", "Ä", "A1"])] * 2), min_size=1),
    extra=st.booleans(),
)
@settings(deadline=None)
def test_relationships_are_filtered_alike_the_callers_table_too(pair, pairs, extra):
    both = pair("filter_relationships")
    table = pd.DataFrame(pairs, columns=["entity1", "entity2"]).set_axis(range(3, len(pairs) + 3))
    if extra:
        table["score"] = 1.5
    given, ours = table.copy(), table.copy()
    equal(both.original(given), both.stand_in(ours))
    pd.testing.assert_frame_equal(given, ours)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_consistency_is_equal(pair, screen, dtype):
    rows, metadata = screen
    alone = metadata.assign(label=metadata["label"].where(np.arange(len(rows)) > 0, "alone"))
    negatives = ["GENE01", "GENE02", "GENE05", "nowhere"]
    theirs, ours = pair("pert_signal_consistency_benchmark")(
        rows.astype(dtype), alone, "label", negatives, [CONTROL], n_jobs=1
    )
    assert ours["avgcossim"].isna().sum() == 1
    equal(theirs, ours, within=1e-12 if dtype == np.float64 else 1e-6)


def test_magnitude_is_equal_by_the_same_draws(pair, screen):
    pytest.importorskip("geomloss", reason="geomloss is absent (pip install geomloss)")
    pytest.importorskip("torch", reason="torch is absent (pip install torch==2.13.0)")
    rows, metadata = screen
    both = pair("pert_signal_magnitude_benchmark")
    options = (rows, metadata, "label", ["GENE01", "GENE02"], CONTROL, 100)
    tables = []
    for run in (both.original, both.stand_in):
        np.random.seed(4)  # noqa: NPY002  # what pandas' sample draws from
        tables.append(run(*options, n_jobs=1))
    equal(*tables, within=1e-9)


MISSING = {
    "text": pd.Series([*"ABCABCABC", None, None, None], dtype="str"),
    "objects": pd.Series([*"ABCABCABC", None, np.nan, pd.NA], dtype=object),
    "numbers": pd.Series([1.0, 2, 3] * 3 + [np.nan] * 3),
    "whole numbers": pd.Series([1, 2, 3] * 3 + [pd.NA] * 3, dtype="Int64"),
}


@pytest.mark.parametrize("labels", MISSING.values(), ids=MISSING)
@pytest.mark.parametrize("dropped", [[], ["A"]])
def test_rows_without_a_label_are_aggregated_by_the_original(pair, rng, labels, dropped):
    rows, both = rng.normal(size=(12, 3)), pair("aggregate")
    metadata = pd.DataFrame({"gene": labels})
    theirs = both.original(rows, metadata, "gene", dropped, "median")
    why, ours = both.declines(rows, metadata, "gene", dropped, "median")
    assert why == "a row has no label"
    pd.testing.assert_frame_equal(ours.features, theirs.features)
    pd.testing.assert_frame_equal(ours.metadata, theirs.metadata)


@pytest.mark.parametrize("case", ["constant", "few controls"])
def test_a_declined_alignment_calls_nothing_of_ours(pair, rng, monkeypatch, case):
    """Standardised by us within the original, axes of no variance would turn by rounding."""
    n, d = (300, 10) if case == "constant" else (600, 128)
    rows = rng.normal(size=(n, d)) * 2 + 1
    if case == "constant":
        rows[:, 4] = 7.0
    controls = 120 if case == "constant" else 96
    metadata = pd.DataFrame({
        "gene": ["ctl"] * controls + [f"g{k % 20}" for k in range(n - controls)],
        "batch": rng.choice(["b1", "b2"], n),
    })  # fmt: skip
    both = pair("tvn_on_controls")
    home = peers.efaar("efaar")
    monkeypatch.setattr(home, "centerscale_on_controls", pair("centerscale_on_controls").stand_in)
    theirs = both.original(rows.copy(), metadata, "gene", "ctl", "batch")
    why, ours = both.declines(rows.copy(), metadata, "gene", "ctl", "batch")
    assert why
    np.testing.assert_array_equal(ours, theirs)

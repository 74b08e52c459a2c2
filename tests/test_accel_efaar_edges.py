"""Where rounding or an unusual argument would make a stand-in differ, the original runs."""

import numpy as np
import pandas as pd
import pytest

import peers
from helpers.accelerated import Pair, outcome, quiet_profile

# Warnings of the peer (overflows, empty groups) are not ours to mend.
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


@pytest.fixture(autouse=True)
def _peer():
    peers.efaar("efaar"), peers.efaar("benchmarking")


def wells(n=240, d=6):
    rng = np.random.default_rng(0)
    names = np.array([CONTROL] * 10 + [f"G{k}" for k in range(14)])
    metadata = pd.DataFrame({
        "label": names[rng.integers(len(names), size=n)],
        "batch": rng.choice(["b1", "b2"], n),
    })  # fmt: skip
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) + rng.normal(size=d), metadata


def same_both_ways(name, *arguments, **options):
    """Assert that the original runs, or raises: the same result, error and draws."""
    pair = Pair(f":{name}")
    draws = np.random.RandomState(3).get_state()
    results = []
    for run in (pair.original, pair.stand_in):
        np.random.set_state(draws)  # noqa: NPY002  # what the originals draw from
        with quiet_profile() as found:
            results.append(outcome(run, *arguments, **options))
    theirs, ours = results
    assert type(ours) is type(theirs)
    if isinstance(theirs, Exception):
        assert str(ours) == str(theirs)
        assert not getattr(ours, "__notes__", None)  # it is the original's own
        return
    assert found.calls[-1].declined
    for a, b in zip(parts(theirs), parts(ours), strict=True):
        assert type(a) is type(b)
        if isinstance(a, pd.DataFrame):
            pd.testing.assert_frame_equal(b, a, check_exact=True)
        else:
            np.testing.assert_array_equal(b, a)


def parts(result):
    return list(result.values()) if isinstance(result, dict) else [result]


def at(rows, places, value):
    rows = rows.copy()
    rows[places] = value
    return rows


X, METADATA = wells()
ALIGNMENTS = {
    "masked values": np.ma.masked_array(X, X > 3),
    "all zeros": X * 0,
    "a feature whose variance leaves float32": (X * [1, 1, 1e-40, 1, 1, 1]).astype(np.float32),
    "a feature whose variance leaves float64": X * [1, 1, 1e-160, 1, 1, 1],
    "features far from zero": X + 1e12,
}


@pytest.mark.parametrize("rows", ALIGNMENTS.values(), ids=ALIGNMENTS)
def test_wells_at_the_edge_are_aligned_by_the_original(rows):
    same_both_ways("tvn_on_controls", rows, METADATA, "label", CONTROL, "batch")


@pytest.mark.parametrize("key", [[CONTROL, "G1"], None, {"a"}], ids=str)
def test_a_control_that_is_no_label_is_the_originals(key):
    same_both_ways("centerscale_on_controls", X, METADATA, "label", key)


@pytest.mark.parametrize("kind", ["unhashable", "of several types", "missing"])
def test_batches_of_unusual_labels_are_the_originals(kind):
    values = {"unhashable": ["b"], "of several types": ("b", 1), "missing": None}
    batch = pd.Series([values[kind]] * 3 + ["b"] * (len(X) - 3), dtype=object)
    same_both_ways("centerscale_by_batch", X, METADATA.assign(batch=batch), "batch")


@pytest.mark.parametrize("wanted", [True, 2.5, "mle", 0, 0.5, 1], ids=str)
def test_components_that_rounding_decides_are_the_originals(wanted):
    halves = np.kron(np.eye(2), [[1.0], [-1.0]]).repeat(20, axis=0)
    same_both_ways("embed_by_pca", halves, None, wanted)


@pytest.mark.parametrize(
    "removed",
    [None, iter([CONTROL]), {CONTROL: 1}, [True]],
    ids=["none", "an iterator", "a dictionary", "a truth value"],
)
def test_what_is_removed_in_an_unusual_way_is_the_originals(removed):
    numbers = METADATA.assign(label=pd.factorize(METADATA["label"])[0])
    same_both_ways("aggregate", X, numbers, "label", removed, "median")
    same_both_ways("aggregate", X, METADATA, "label", removed, "median")


REPLICATES = {
    "rows that scikit-learn does not scale": (X * 1e-20, ["G1"], []),
    "a row that it does not scale": (at(X, 5, X[5] * 1e-20), ["G1"], []),
    "a row of zeros": (at(X, 5, 0.0), ["G1"], []),
    "scores that tie": (X[:1].repeat(len(X), axis=0), ["G1"], []),
    "scores that tie but for rounding": (X + 1e12, ["G1"], []),
    "no others": (X, [*METADATA["label"].unique()], []),
    "names in a text": (X, "G1", []),
    "names in a mapping": (X, {"G1": 0}, []),
    "names of another type": (X, ["G1", 5], []),
    "nothing to drop": (X, ["G1"], None),
}


@pytest.mark.parametrize("case", REPLICATES)
def test_replicates_at_the_edge_are_scored_by_the_original(case):
    rows, negatives, dropped = REPLICATES[case]
    same_both_ways(
        "pert_signal_consistency_benchmark", rows, METADATA, "label", negatives, dropped, 1
    )


def test_rows_are_looked_at_for_faults_once(monkeypatch):
    from wellgram.accel.efaar import screen_checks

    looked = []
    run = screen_checks.get_backend()
    whole = type(run).row_faults
    monkeypatch.setattr(type(run), "row_faults", lambda *a: looked.append(1) or whole(*a))
    Pair(":pert_signal_consistency_benchmark").stand_in(X, METADATA, "label", ["G1"], [], 1)
    assert looked == [1]


DISTANCES = {
    "short distances": (X * 1e-8, {}),
    "wells far from zero": (X + 1e6, {}),
    "one well far from zero": (at(X, (5, 2), 1e10), {}),
    "the same well many times": (X[:1].repeat(len(X), axis=0), {}),
    "no controls drawn": (X, {"max_controls": 0}),
    "a share of the controls": (X, {"max_controls": 2.5}),
    "controls to be dropped": (X, {"keys_to_drop": [CONTROL]}),
    "no jobs": (X, {"n_jobs": 0}),
}


@pytest.mark.parametrize("case", DISTANCES)
def test_magnitudes_at_the_edge_are_the_originals_by_the_same_draws(case):
    pytest.importorskip("geomloss", reason="geomloss is absent (pip install geomloss)")
    pytest.importorskip("torch", reason="torch is absent (pip install torch==2.13.0)")
    rows, options = DISTANCES[case]
    same_both_ways(
        "pert_signal_magnitude_benchmark",
        *(rows, METADATA, "label", ["G1", "G2"], CONTROL),
        **{"max_controls": 20, "n_jobs": 1} | options,
    )


@pytest.mark.parametrize("order", "CF")
def test_scores_near_the_nulls_are_the_originals_to_the_bit(monkeypatch, order):
    """With a wide margin all scores are computed as the original computes them."""
    from wellgram.accel.efaar import near_scores, replicate_scores

    monkeypatch.setattr(replicate_scores, "_COSINE_ROUNDING", 1e9)
    monkeypatch.setattr(near_scores, "_MOST_SHARE", 1.0)
    rows = np.asarray(X, np.float32, order=order)
    theirs, ours = Pair(":pert_signal_consistency_benchmark")(
        rows, METADATA, "label", ["G1", "G2", "G3"], [CONTROL], 1
    )
    pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_magnitudes_near_the_nulls_are_the_originals_to_the_bit(monkeypatch, kind):
    """Of float32 wells they are those of the original in float64."""
    pytest.importorskip("geomloss", reason="geomloss is absent (pip install geomloss)")
    pytest.importorskip("torch", reason="torch is absent (pip install torch==2.13.0)")
    from wellgram.accel.efaar import near_scores, replicate_scores

    monkeypatch.setattr(replicate_scores, "_DISTANCE_ROUNDING", 1e20)
    monkeypatch.setattr(near_scores, "_MOST_SHARE", 1.0)
    pair, tables, rows = Pair(":pert_signal_magnitude_benchmark"), [], X.astype(kind)
    for run, given in ((pair.original, rows.astype(np.float64)), (pair.stand_in, rows)):
        np.random.seed(4)  # noqa: NPY002  # what pandas' sample draws from
        options = ("label", ["G1", "G2", "G3"], CONTROL, 20)
        tables.append(run(given, METADATA, *options, n_jobs=1))
    pd.testing.assert_frame_equal(*tables, check_exact=True)

"""Stand-ins for copairs beside the originals."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from helpers.accelerated import Pair, equal, outcome, same_error

pytest.importorskip(
    "copairs.map",
    reason="copairs is absent (pip install --no-deps copairs==0.5 duckdb==1.3.2 statsmodels patsy "
    "tqdm)",
)
pytestmark = pytest.mark.filterwarnings("ignore")  # the peer divides by zero, and draws progress

DISTANCES = ["cosine", "abs_cosine", "correlation", "euclidean", "manhattan", "chebyshev"]
RULES = [
    (["perturbation"], [], [], ["perturbation"]),
    (["perturbation"], [], ["plate"], ["is_control"]),
    (["moa"], ["perturbation"], [], ["moa", "plate"]),
    (["moa"], ["perturbation", "plate"], ["plate"], ["moa"]),
]


@pytest.fixture(scope="module")
def precision():
    return Pair("map.average_precision:average_precision")


@pytest.fixture(scope="module")
def profiles():
    """Replicates of 60 perturbations of 15 mechanisms on 5 plates; some rows are there twice."""
    rng = np.random.default_rng(3)
    kind = np.arange(300) // 5
    x = 0.5 * rng.normal(size=(60, 40))[kind] + rng.normal(size=(300, 40))
    x[50:55] = x[100:105]
    names = pd.Series([f"p{k}" for k in kind], dtype=object)  # what DuckDB knows of pandas 3
    meta = pd.DataFrame({"perturbation": names, "plate": np.arange(300) % 5, "moa": kind // 4})
    meta["is_control"], meta["note"] = kind < 8, 0.5
    return x, meta.set_axis(np.arange(300) + 9)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("rules", RULES, ids=str)
def test_average_precision_is_equal(precision, profiles, rules, distance):
    """Ranks and ties alike: those of similarities rounded to float32."""
    x, meta = profiles
    equal(*precision(meta, x, *rules, distance=distance), within=0)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("kind", ["normal", "binary"])
def test_ranks_of_float32_are_those_of_its_products(precision, profiles, kind, distance):
    """Binary profiles tie exactly, and only where sums are rounded in the same order."""
    x, meta = profiles
    x = (x > 0 if kind == "binary" else x).astype(np.float32)
    equal(*precision(meta, x, *RULES[0], distance=distance), within=0)


@given(
    x=arrays.arrays(np.float64, (24, 3), elements=st.sampled_from([-2.0, -0.1, 0.3, 1.0, 1.0001])),
    kind=arrays.arrays(np.int64, 24, elements=st.integers(0, 4)),
    plate=arrays.arrays(np.int64, 24, elements=st.integers(0, 2)),
    distance=st.sampled_from(DISTANCES),
    dtype=st.sampled_from([np.float32, np.float64]),
)
@settings(deadline=None, max_examples=60)
def test_awkward_profiles_are_equal_or_the_originals(precision, x, kind, plate, distance, dtype):
    meta = pd.DataFrame({"kind": kind, "plate": plate})
    rules, x = (["kind"], [], ["plate"], ["kind"]), x.astype(dtype)
    theirs = outcome(precision.original, meta, x, *rules, distance=distance)
    ours = outcome(precision.stand_in, meta, x, *rules, distance=distance)
    if not same_error(theirs, ours):
        equal(theirs, ours, within=0)


@given(
    values=arrays.arrays(np.float64, 50, elements=st.floats(-1, 1)),
    other=arrays.arrays(np.float64, 50, elements=st.floats(-1, 1)),
)
@settings(deadline=None, max_examples=200)
def test_what_must_be_exceeded_is_where_the_next_rounding_begins(values, other):
    from wellgram.accel.copairs.ranking_keys import last_similarity

    def key(s):
        return np.float32(1) - s.astype(np.float32)

    bound = last_similarity(key(values))
    assert (key(bound) >= key(values)).all()
    assert (key(np.nextafter(bound, 2)) < key(values)).all()
    np.testing.assert_array_equal(other > bound, key(other) < key(values))


OUTSIDE = {
    "another distance": {"distance": "canberra"},
    "a callable": {"distance": lambda x, y: (x * y).sum(axis=1)},
    "a query": {"pos_sameby": ["perturbation", "plate == 1"]},
    "no list": {"neg_diffby": "perturbation"},
    "no such column": {"pos_sameby": ["nowhere"]},
    "equal and different": {"pos_diffby": ["perturbation"]},
    "no positives": {"pos_sameby": ["row"]},
    "squares that overflow": {"feats": 1e200},
    "a row of zeros": {"feats": 0},
    "a NaN": {"feats": np.nan},
    "integers": {"feats": 3},
    "too few rows": {"feats": None},
    "scores already": {"meta": "average_precision"},
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_outside_of_the_domain_the_original_answers(precision, profiles, case):
    x, meta = profiles
    meta = meta.assign(row=np.arange(300))[:60]
    names = ("pos_sameby", "pos_diffby", "neg_sameby", "neg_diffby")
    arguments = dict(zip(names, RULES[0], strict=True)) | {"meta": meta, "feats": x[:60].copy()}
    change = dict(OUTSIDE[case])
    if "meta" in change:
        change["meta"] = meta.assign(**{change["meta"]: 0.5})
    if "feats" in change:
        feats, value = arguments["feats"], change.pop("feats")
        if value == 3:
            feats = feats.astype(int)
        elif value is None:
            feats = feats[:50]
        else:
            feats[7] = value
        arguments["feats"] = feats
    arguments |= change
    why, ours = precision.declines(**arguments)
    theirs = outcome(precision.original, **arguments)
    if same_error(theirs, ours):
        return
    assert why or case == "integers"  # which are numbers like others
    equal(theirs, ours, within=0)

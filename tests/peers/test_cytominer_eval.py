"""The legacy measures against cytominer-eval itself."""

import numpy as np
import pandas as pd
import pytest

from helpers.legacy_profiles import CONTROLS, guides_of_genes
from wellgram.metrics import legacy

pytestmark = pytest.mark.filterwarnings("ignore")  # of what pandas has since deprecated
FEATURES = [f"f{k}" for k in range(20)]


@pytest.fixture
def profiles():
    return guides_of_genes(np.random.default_rng(4))


@pytest.fixture
def evaluated(evaluate):
    """What cytominer-eval returns for an operation on a map."""

    def call(map_, operation, groups, **options):
        frame = map_.labels.join(pd.DataFrame(map_.embeddings, columns=FEATURES))
        return evaluate(frame, FEATURES, ["perturbation", "gene"], groups, operation, **options)

    return call


def test_replicate_reproducibility_is_theirs(evaluated, profiles):
    share, medians = evaluated(
        profiles,
        "replicate_reproducibility",
        ["perturbation"],
        replicate_reproducibility_return_median_cor=True,
    )
    result = legacy.replicate_reproducibility(profiles)
    assert result.share_of_pairs == share
    ours = result.table.set_index("perturbation")["median_similarity"]
    theirs = medians.set_index("perturbation")["similarity_metric"]
    np.testing.assert_allclose(ours[theirs.index], theirs, atol=1e-12)


@pytest.mark.parametrize("summary", ["mean", "median"])
def test_grit_is_theirs(evaluated, profiles, summary):
    theirs = evaluated(
        profiles,
        "grit",
        {"profile_col": "perturbation", "replicate_group_col": "gene"},
        grit_control_perts=CONTROLS,
        grit_replicate_summary_method=summary,
    )
    ours = legacy.grit(profiles, group="gene", controls=CONTROLS, summary=summary).table
    theirs = theirs.set_index("perturbation")["grit"].astype(float)
    ours = ours.set_index("perturbation")["grit"]
    # Our sums of squares are in fixed point: 5e-13 a term.
    np.testing.assert_allclose(ours[theirs.index], theirs, atol=1e-8)


def test_precision_and_recall_are_theirs(evaluated, profiles):
    theirs = evaluated(profiles, "precision_recall", ["perturbation"], precision_recall_k=7)
    ours = legacy.precision_recall(profiles, k=7, groupby="perturbation")
    theirs = theirs.set_index("perturbation")
    ours = ours.set_index("perturbation").loc[theirs.index]
    np.testing.assert_array_equal(ours["precision"], theirs["precision"].astype(float))
    np.testing.assert_array_equal(ours["recall"], theirs["recall"].astype(float))


def test_mp_values_are_theirs(evaluated, profiles):
    """Permutations are drawn otherwise: of 200 and 1,000, shares differ by up to some 0.12."""
    np.random.seed(0)  # noqa: NPY002 - theirs draws from it
    some = profiles.labels["perturbation"].isin(["p0", "p1", "p2", *CONTROLS]).to_numpy()
    part = type(profiles)(profiles.embeddings[some], profiles.labels[some].reset_index(drop=True))
    theirs = evaluated(
        part,
        "mp_value",
        "perturbation",
        grit_control_perts=CONTROLS,
        mp_value_params={"nb_permutations": 200},
    ).set_index("perturbation")["mp_value"]
    ours = legacy.mp_value(part, controls=CONTROLS, p_form="share").table
    ours = ours.set_index("perturbation")["mp_value"].dropna()
    assert len(ours) == 3
    np.testing.assert_allclose(ours, theirs[ours.index], atol=0.12)

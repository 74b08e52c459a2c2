"""Where a screen has batches, a score is shown against sets of the same batches and of any."""

import json

import pytest

from helpers.noise_screens import noise
from wellgram import InputError, Wells, consistency, magnitude, score


@pytest.fixture(scope="module")
def wells():
    """Noise; every perturbation lies in one batch."""
    return noise(3, wells=6, moved=0)


def found(table):
    return int((table["q_value"] <= 0.05).sum())


def test_consistency_is_counted_against_both_nulls(wells, tmp_path):
    result = score(wells, metrics=["consistency"], seed=1)
    by_null = {
        null: consistency(wells, null=null, nested=True, seed=1).table
        for null in ("batches", "permutation")
    }
    whole = result.summary["consistency"][0]
    assert whole["n_significant"] == found(by_null["batches"]) <= 1
    assert whole["n_significant_permutation"] == found(by_null["permutation"]) >= 12
    assert whole["significant_share_permutation"] == whole["n_significant_permutation"] / 24
    shown = result.parts["consistency"].presentation
    assert "The former is right" in shown.note
    assert "24 of the 24 lie in one batch" in shown.note
    result.save(tmp_path)
    assert shown.note in (tmp_path / "report.html").read_text()
    written = result.parts["consistency"].findings.tables["consistency"]
    assert written["q_value_permutation"].tolist() == by_null["permutation"]["q_value"].tolist()
    assert (
        json.loads((tmp_path / "summary.json").read_text())["consistency"][0][
            "n_significant_permutation"
        ]
        == whole["n_significant_permutation"]
    )


def test_the_null_of_consistency_can_be_chosen(wells):
    part = score(wells, metrics=["consistency"], consistency_null="permutation").parts[
        "consistency"
    ]
    assert part.result.null == "10,000 random sets of as many wells"
    whole = part.findings.records.iloc[0]
    assert whole["n_significant_batches"] < whole["n_significant"]
    assert "That is the right figure" in part.presentation.note


def test_magnitude_says_what_sets_of_any_batches_would_add(wells):
    part = score(wells, metrics=["magnitude"], seed=1).parts["magnitude"]
    tables = magnitude(wells, nested=True, seed=1).table, magnitude(
        wells, null="permutation", draws=99, nested=True, seed=1).table  # fmt: skip
    far, of_any = (int((table["p_value"] <= 0.05).sum()) for table in tables)
    assert far < of_any
    assert f"{far} of 24" in part.presentation.note
    assert f"{of_any} of 24" in part.presentation.note
    assert "of each batch" in part.result.null
    chosen = score(wells, metrics=["magnitude"], magnitude_null="permutation", seed=1)
    assert "of each batch" not in chosen.parts["magnitude"].result.null


def test_one_batch_has_one_null(wells):
    single = Wells(wells.embeddings, wells.metadata.drop(columns="batch"))
    parts = score(single, metrics=["consistency", "magnitude"]).parts
    for part in parts.values():
        assert not part.presentation.note
        assert "n_significant_permutation" not in part.findings.records


def test_an_unknown_null_is_refused_before_any_work(wells):
    for option in ("consistency_null", "magnitude_null", "average_precision_null"):
        with pytest.raises(InputError, match=f"unknown {option}='none'; choose"):
            score(wells, **{option: "none"})

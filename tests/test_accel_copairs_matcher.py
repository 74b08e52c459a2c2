"""Pairs of copairs' Matcher beside the original: the same ones, in the same order."""

import numpy as np
import pandas as pd
import pytest

from helpers.accelerated import outcome
from helpers.pasted import source_file

if source_file("copairs.matching") is None:
    pytest.skip("copairs is absent (pip install copairs)", allow_module_level=True)
from copairs.matching import Matcher

from wellgram.accel import Declined, accelerated
from wellgram.accel.copairs.matched_pairs import all_pairs

COLUMNS = ["compound", "plate", "dose", "is_control"]


@pytest.fixture
def wells():
    """A table whose doses are not all known."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "compound": pd.Series(
                [f"c{k}" for k in rng.permutation(np.arange(240) // 6)], dtype=object
            ),
            "plate": np.arange(240) % 7,
            "dose": rng.choice([0.1, 1.0, np.nan], 240),
            "is_control": rng.random(240) < 0.2,
            "well": "A01",
        }
    )


RULES = [
    (["compound", "plate"], []),
    (["plate", "compound"], ["dose"]),
    (["plate", "dose", "is_control"], ["compound"]),
    ([], ["compound"]),
    ([], ["dose", "plate"]),
]


def same(theirs, ours):
    """Assert that keys, pairs and their types are equal, in the same order."""
    assert list(theirs) == list(ours)
    for key, other in zip(theirs, ours, strict=True):
        assert repr(key) == repr(other)
        assert theirs[key] == ours[key]
        assert set(map(type, theirs[key][0])) == set(map(type, ours[key][0]))


@pytest.mark.parametrize("rule", RULES, ids=str)
@pytest.mark.parametrize("kind", ["mixed", "numbers"])
def test_pairs_are_equal(wells, kind, rule):
    table = (
        wells[COLUMNS]
        if kind == "mixed"
        else wells[COLUMNS].assign(compound=wells["compound"].str[1:].astype(float)).astype(float)
    )
    matcher = Matcher(table, COLUMNS, seed=0)
    same(Matcher.get_all_pairs(matcher, *rule), all_pairs(matcher, *rule))


@pytest.mark.parametrize("index", [np.arange(240)[::-1] + 5, [f"w{k}" for k in range(240)]])
@pytest.mark.parametrize(
    "rule", [*RULES, (["plate"], ["compound"]), ("compound", "plate")], ids=str
)
def test_pairs_have_the_names_of_their_rows(wells, index, rule):
    matcher = Matcher(wells.set_axis(index), COLUMNS, seed=0)
    same(Matcher.get_all_pairs(matcher, *rule), all_pairs(matcher, *rule))
    if len(rule[0]) != 1 and rule[0] != "compound":
        same(Matcher.get_all_pairs(matcher, *rule, False), all_pairs(matcher, *rule, False))


@pytest.mark.parametrize(
    ("sameby", "diffby"),
    [
        (["compound"], []),
        ({"any": ["compound", "plate"]}, []),
        (["nowhere", "plate"], []),
        (["compound", "plate"], ["plate"]),
        (["compound", "compound"], []),
        ([], ["well"]),
        ([], []),
    ],
)
def test_other_rules_are_left_to_the_original(wells, sameby, diffby):
    matcher = Matcher(wells, [*COLUMNS, "well"], seed=0)
    with pytest.raises(Declined):
        all_pairs(matcher, sameby, diffby)


def test_missing_values_that_equal_each_other_are_left_to_the_original(wells):
    wells["plate"] = wells["plate"].astype(object).where(wells.index > 9, None)
    matcher = Matcher(wells, COLUMNS, seed=0)
    with pytest.raises(Declined):
        all_pairs(matcher, ["plate", "compound"], [])


def test_the_method_is_replaced_and_errors_are_the_originals(wells):
    original = Matcher.get_all_pairs
    matcher = Matcher(wells, COLUMNS, seed=0)
    with accelerated():
        assert Matcher.get_all_pairs is not original
        same(original(matcher, *RULES[0]), matcher.get_all_pairs(*RULES[0]))
        theirs = outcome(original, matcher, ["compound", "plate"], ["plate"])
        ours = outcome(matcher.get_all_pairs, ["compound", "plate"], ["plate"])
        assert str(theirs) == str(ours)
        assert type(theirs) is type(ours)
    assert Matcher.get_all_pairs is original

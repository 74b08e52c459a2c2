"""Names that a text may mean, by letters that differ."""

from itertools import product

import numpy as np
import pytest

from helpers.maps_and_wells import make_map, map_of
from wellgram import InputError, MapLookup
from wellgram.label_rules.spellings import near_spellings


def letters_apart(one, other):
    """The distance of optimal string alignment, as it is defined."""
    d = {(i, 0): i for i in range(len(one) + 1)} | {(0, j): j for j in range(len(other) + 1)}
    for i, j in product(range(1, len(one) + 1), range(1, len(other) + 1)):
        changed = d[i - 1, j - 1] + (one[i - 1] != other[j - 1])
        d[i, j] = min(changed, d[i - 1, j] + 1, d[i, j - 1] + 1)
        if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
            d[i, j] = min(d[i, j], d[i - 2, j - 2] + 1)
    return d[len(one), len(other)]


def test_it_finds_what_the_definition_does(rng):
    names = ["".join(rng.choice([*"abc"], rng.integers(1, 8))) for _ in range(300)]
    for text in (*names[:20], "abcabcab", "é"):
        allowed = 1 if len(text) <= 4 else 2
        expected = sorted(
            (letters_apart(text, name), name, k)
            for k, name in enumerate(names)
            if letters_apart(text, name) <= allowed
        )
        assert near_spellings(text, names, most=300) == [k for _, _, k in expected]


def test_empty_and_endless_texts_mean_nothing():
    assert near_spellings("", ["a"]) == []
    assert near_spellings("a" * 1000, ["a" * 1000]) == []


def test_a_slip_of_the_finger_is_understood(rng):
    lookup = MapLookup(make_map(rng, 4, names=["PIK3CA", "RPS6KB1", "MTOR", "TP53"]))
    for wrong, meant in (("PIK3AC", "PIK3CA"), ("rps6b1", "RPS6KB1"), ("MTRO", "MTOR")):
        with pytest.raises(InputError, match=f"no perturbation '{wrong}'; it has {meant}$"):
            lookup.row(wrong)


def test_partners_may_be_of_one_type(rng):
    types = np.array(["CRISPR", "COMPOUND", None], object)[rng.integers(0, 3, 80)]
    lookup = MapLookup(make_map(rng, 80, dtype=np.float32, perturbation_type=types))
    found = lookup.neighbors_of(7, 4, perturbation_type="COMPOUND")
    others = [row for row in np.flatnonzero(types == "COMPOUND") if row != 7]
    cosines = found.cosines[others]
    near, far = (found.table[found.table["side"] == side] for side in ("nearest", "farthest"))
    assert near["row"].tolist() == [others[k] for k in np.argsort(-cosines, kind="stable")[:4]]
    assert far["row"].tolist() == [others[k] for k in np.argsort(cosines, kind="stable")[:4]]
    for row in found.table.to_dict("records"):
        assert row["percentile"] == 100 * (cosines <= row["cosine"]).sum() / len(others)
    with pytest.raises(InputError, match="is of type 'GENE'; it has 'C"):
        lookup.neighbors_of(7, perturbation_type="GENE")


def test_equal_cosines_share_a_percentile_beyond_what_is_shown():
    x = np.array([[1, 0]] * 3 + [[-1, 0]] * 4, np.float32)
    table = MapLookup(map_of(x)).neighbors_of(0, 1).table
    assert table["row"].tolist() == [1, 3]
    assert table["percentile"].tolist() == [100, 100 * 4 / 6]

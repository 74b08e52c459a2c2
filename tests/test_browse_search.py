"""The search of the page: what a text may mean, and what it does mean."""

import numpy as np
import pytest

from helpers.maps_and_wells import make_map
from wellgram import MapLookup
from wellgram.browse.perturbation_search import PerturbationSearch

DOSES = [0.1, 1.0, 10.0]


@pytest.fixture(scope="module")
def search():
    names = ["MTOR", "MTORC1", "TP53", *np.repeat(["CORE-0004", "CORE-0010"], 3), None, "", "a, 1"]
    count = len(names)
    types = [*["CRISPR"] * 3, *["COMPOUND"] * 6, *["CRISPR"] * (count - 9)]
    doses = [*[np.nan] * 3, *DOSES, *DOSES, *[np.nan] * (count - 9)]
    map_ = make_map(
        np.random.default_rng(0), count, names=names, perturbation_type=types, dose=doses
    )
    return PerturbationSearch(MapLookup(map_))


def rows(search, text, kind=None):
    return [(match.perturbation, match.rows.tolist()) for match in search.matches(text, kind).shown]


def test_doses_of_a_compound_are_one_match(search):
    assert rows(search, "core") == [("CORE-0004", [3, 4, 5]), ("CORE-0010", [6, 7, 8])]
    assert rows(search, " mtor") == [("MTOR", [0]), ("MTORC1", [1])]
    assert search.matches("o", most=1).total == 4
    assert rows(search, "zz") == rows(search, "  ") == rows(search, "(") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0004 10", [("CORE-0004", [5])]),  # not dose 10 of 0010, nor dose 1
        ("10 0004", [("CORE-0004", [5])]),
        ("0004 1", [("CORE-0004", [4])]),  # dose 1, though 10 begins with it
        ("0004 0.", [("CORE-0004", [3])]),  # while it is typed
        ("core 10", [("CORE-0004", [5]), ("CORE-0010", [8])]),
        ("core-0004, 10, COMPOUND", [("CORE-0004", [5])]),
        ("core comp", [("CORE-0004", [3, 4, 5]), ("CORE-0010", [6, 7, 8])]),
        ("1 10", [("CORE-0010", [7, 8])]),  # a word must be in the name
    ],
)
def test_words_are_of_the_name_the_dose_and_the_type(search, text, found):
    assert rows(search, text) == found


def test_matches_may_be_of_one_type(search):
    assert rows(search, "o", "CRISPR") == [("MTOR", [0]), ("MTORC1", [1])]
    assert rows(search, "0004 10", "CRISPR") == []


def test_what_is_typed_is_taken(search):
    """Never the likeliest match of several."""
    assert search.answer("MTOR").rows.tolist() == [0]
    assert search.answer(" mtor ").rows.tolist() == [0]
    assert search.answer("tp5").rows.tolist() == [2]  # the only one that holds it
    assert search.answer("0004 10").rows.tolist() == [5]
    assert search.answer("CORE-0004").rows.tolist() == [3, 4, 5]
    several = search.answer("MTO")
    assert len(several.rows) == 0
    assert [match.perturbation for match in several.matches.shown] == ["MTOR", "MTORC1"]


def test_misspelt_names_are_asked_about(search):
    for typed, meant in (("MTRO", "MTOR"), ("TP35", "TP53"), ("CORE-0005 99", "CORE-0004")):
        answer = search.answer(typed)
        assert len(answer.rows) == answer.matches.total == 0
        assert answer.alike[0].perturbation == meant
    assert search.answer("xyzzy").alike == []


def test_addresses_are_names_wherever_names_tell_rows_apart(search):
    assert search.address(0) == "MTOR"
    assert search.address(5) == "CORE-0004, 10, COMPOUND"
    assert [search.address(row) for row in (9, 10)] == [None, None]  # no name
    for row in range(12):
        address = search.address(row)
        assert address is None or search.answer(address).rows.tolist() == [row]


def test_words_are_those_of_the_library(search):
    lookup = search._lookup
    assert [search.words(row) for row in range(12)] == [lookup.name(row) for row in range(12)]

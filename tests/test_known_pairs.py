"""Known pairs however they are given: which rows they are, and what is words where names differ."""

import warnings
from itertools import combinations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from wellgram import (
    InputError,
    PerturbationMap,
    Wells,
    compare_recall,
    gene_sets_of_pairs,
    relationship_recall,
    score,
)
from wellgram.errors import LabelsWarning
from wellgram.metrics import known_pairs, matched_recall

GENES = ["TP53", "MDM2", "PLK1", "SEPTIN2", "MARCHF5", "H2AX", "RPL3", "RPL4", "7157", "KRAS"]
PAIRS = [("TP53", "MDM2"), ("RPL3", "RPL4"), ("KRAS", "PLK1")]
MISSING = ["", " ", "nan", "None", "NA", None, np.nan]
MOA = {
    "c1": ["kinase inhibitor", "ALK inhibitor"],
    "c2": ["ALK inhibitor"],
    "c3": ["ALK inhibitor", "HDAC inhibitor"],
    "c4": ["HDAC inhibitor"],
    "c5": [],
    "c6": [],
    "c7": [],
    "c9": ["kinase inhibitor"],
    "c10": ["unknown"],
    "c11": ["unknown"],
}


def frame(pairs):
    return pd.DataFrame(pairs, columns=["entity1", "entity2"])


def make_map(names=GENES, **columns):
    rng = np.random.default_rng(0)
    labels = pd.DataFrame({"perturbation": list(names)}).assign(**columns)
    return PerturbationMap(rng.normal(size=(len(labels), 6)), labels)


def named(map_, source, **options):
    """The names of the known pairs of a source, sorted within and among pairs."""
    known = relationship_recall(map_, **options).known[source]
    names = map_.labels["perturbation"].to_numpy()
    ends = zip(names[known["i"]], names[known["j"]], strict=True)
    return sorted(tuple(sorted(pair)) for pair in ends)


def sharing(values):
    """By definition: those that have a value in common."""
    return sorted(
        tuple(sorted(pair)) for pair in combinations(values, 2)
        if set(values[pair[0]]) & set(values[pair[1]])
    )  # fmt: skip


@pytest.mark.parametrize("missing", MISSING)
def test_rows_without_a_value_share_none(missing):
    moa = np.array([f"m{i // 3}" for i in range(60)] + [missing] * 240, object)
    table = relationship_recall(make_map([f"c{i}" for i in range(300)], moa=moa), same="moa").table
    assert table["n_known_pairs"].tolist() == [60, 60]


@pytest.mark.parametrize("missing", MISSING)
@pytest.mark.parametrize("separator", ["|", "; "])
def test_rows_that_share_any_of_several_values_are_a_pair(missing, separator):
    assert len(sharing(MOA)) == 6
    texts = [separator.join(values) if values else missing for values in MOA.values()]
    of_texts = named(make_map(MOA, moa=texts), "moa", same=["moa"], separator=separator)
    assert of_texts == sharing(MOA)


@pytest.mark.parametrize("kind", [list, tuple, set, np.array])
def test_values_may_be_lists(kind):
    column = pd.Series([kind(values) if values else None for values in MOA.values()], dtype=object)
    assert named(make_map(MOA, moa=column), "moa", same="moa") == sharing(MOA)


def test_two_values_in_common_are_one_pair():
    map_ = make_map([*"abc"], moa=["x|y|x", "y|x", "z"])
    assert named(map_, "moa", same=["moa"], separator="|") == [("a", "b")]


def test_values_that_look_like_several_are_named():
    map_ = make_map(MOA, moa=["|".join(values) for values in MOA.values()])
    with pytest.warns(LabelsWarning, match=r"2 of 6 values of 'moa'.*separator='\|'"):
        assert named(map_, "moa", same="moa") == [("c10", "c11")]
    with warnings.catch_warnings():
        warnings.simplefilter("error", LabelsWarning)
        named(map_, "moa", same="moa", separator="|")
    with pytest.warns(LabelsWarning, match=r"separator='\|'"):
        named(map_, "moa", same="moa", separator=";")


def test_any_and_all_of_several_columns():
    rng = np.random.default_rng(3)
    names = [f"c{i}" for i in range(30)]
    a, b = (rng.choice([*"pqrstuv", ""], 30) for _ in range(2))
    map_ = make_map(names, a=a, b=b)
    by_a, by_b = (
        set(sharing({n: [v] if v else [] for n, v in zip(names, of, strict=True)})) for of in (a, b)
    )
    assert named(map_, "a or b", same={"any": ["a", "b"]}) == sorted(by_a | by_b)
    assert named(map_, "a and b", same=[{"all": ["a", "b"]}]) == sorted(by_a & by_b)
    assert list(relationship_recall(map_, same=["b", {"any": ["a", "b"]}]).known) == ["b", "a or b"]


def tables():
    polars = pytest.importorskip("polars")
    pairs = frame(PAIRS)
    return [pairs, pa.Table.from_pandas(pairs), polars.from_pandas(pairs)]


@pytest.mark.parametrize("which", range(3))
def test_any_table_is_a_source(which):
    table = tables()[which]
    expected = relationship_recall(make_map(), {"pairs": frame(PAIRS)}).table
    for given in (table, {"pairs": table}):
        pd.testing.assert_frame_equal(relationship_recall(make_map(), given).table, expected)
    means = pd.DataFrame({"perturbation": GENES, "cells": np.arange(10.0)})
    matched = matched_recall(make_map(), means, table, bins=2)
    assert (matched["source"] == "pairs").all()
    assert (compare_recall(make_map(), make_map(), table).table["source"] == "pairs").all()
    assert sorted(map(sorted, gene_sets_of_pairs(table).values())) == sorted(map(sorted, PAIRS))
    wells = Wells.from_arrays(
        np.random.default_rng(1).normal(size=(24, 5)), [*GENES, *GENES, *["DMSO"] * 4],
        control="DMSO",
    )  # fmt: skip
    recall = score(wells, sources=table, metrics=["recall"]).outcomes["recall"].result
    assert recall.table["n_known_pairs"].tolist() == [3, 3]


@pytest.mark.parametrize("given", ["pairs.csv", [frame(PAIRS)], 7, {"mine": "pairs.csv"}])
def test_what_is_no_table_is_refused(given):
    with pytest.raises(InputError, match="known pairs are"):
        relationship_recall(make_map(), given)


def test_columns_of_other_names_are_listed():
    with pytest.raises(InputError, match=r"'entity1'.*'gene_a', 'gene_b'"):
        relationship_recall(make_map(), pd.DataFrame({"gene_a": ["TP53"], "gene_b": ["MDM2"]}))


def test_ends_written_otherwise_are_named():
    pairs = frame([(" TP53", "MDM2"), ("RPL3", "RPL4"), ("kras", "PLK1 "), ("AAA", "BBB")])
    words = r"labels of mine, 3 are there but for case or blanks: ' TP53' for 'TP53'"
    with pytest.warns(LabelsWarning, match=words):
        assert named(make_map(), "mine", sources={"mine": pairs}) == [("RPL3", "RPL4")]
    with pytest.raises(InputError, match="2 are there but for case or blanks: 'tp53' for 'TP53'"):
        relationship_recall(make_map(), {"mine": frame([("tp53", "mdm2")])})
    with warnings.catch_warnings():
        warnings.simplefilter("error", LabelsWarning)
        relationship_recall(make_map(), {"mine": frame([*PAIRS, ("AAA", "BBB")])})


@pytest.mark.parametrize("missing", MISSING)
def test_ends_without_a_label_are_none(missing):
    pairs = pd.DataFrame({"entity1": ["TP53", missing, missing], "entity2": ["MDM2", "KRAS", "x"]})
    map_ = make_map([*GENES, "nan", ""])
    assert named(map_, "pairs", sources=pairs) == [("MDM2", "TP53")]


def test_numbers_of_genes_beside_missing_ones():
    pairs = pd.DataFrame({"entity1": [7157, np.nan], "entity2": ["TP53", "KRAS"]})
    assert named(make_map(), "pairs", sources=pairs) == [("7157", "TP53")]


def test_known_pairs_of_labels_alone():
    _, null, known = known_pairs(make_map(MOA, moa=list(MOA.values())).labels, same=["moa"])
    assert null == "all"
    assert len(known["moa"][0]) == 6

"""Doses with units, in numbers and in words, become what can be ordered."""

import numpy as np
import pandas as pd
import pytest

import wellgram as wg
from helpers.small_screens import plate
from wellgram import InputError, Wells, read_wells
from wellgram.label_rules.doses import as_doses


def doses(*given, dtype=None):
    column = pd.Series(given, name="dose", dtype=dtype)
    return as_doses(column, pd.Series([f"w{k}" for k in range(len(given))]))


@pytest.mark.parametrize("dtype", [None, "str", object])
def test_numbers_stay_exact(dtype):
    exact = [10 / 3, 1 / 3, 0.1 + 0.2, 1.0]
    given = exact if dtype is None else [repr(value) for value in exact]
    values, unit = doses(*given, dtype=dtype)
    assert values.tolist() == exact
    assert unit == ""


def test_units_become_one():
    values, unit = doses("1 uM", "0.1 µM", "0.1 μM", "10nM", "1e-3 mM", "0", None, " nan ")
    assert values.tolist()[:6] == [1.0, 0.1, 0.1, 0.01, 1.0, 0.0]
    assert values[6:].isna().all()
    assert unit == "uM"
    assert doses("1 mg/mL", "1 ug/mL")[0].tolist() == [1000.0, 1.0]


def test_words_keep_the_order_given():
    values, _ = doses("lo", "mid", None, "hi", "lo")
    assert values.cat.categories.tolist() == ["lo", "mid", "hi"]
    assert values.sort_values().tolist()[:4] == ["lo", "lo", "mid", "hi"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (["1", "l0"], "1 doses are not numbers: well 'w1' has 'l0' in column 'dose'"),
        (["1 uM", "2 uM", "3 ug/mL"], "1 doses are not in uM, as the others are: well 'w2'"),
        (["1 uM", "2 uM", "3"], "1 doses are not in uM"),
        ([1.0, np.inf], "well 'w1' has 'inf'"),
    ],
)
def test_what_cannot_be_ordered_is_refused(given, words):
    with pytest.raises(InputError, match=words):
        doses(*given)


def test_a_number_and_its_unit_in_two_columns():
    frame = plate().assign(Metadata_unit=["nM", "uM"] * 8)
    wells = read_wells(frame, layout="cell-painting", dose=["Metadata_dose", "Metadata_unit"])
    expected = [1.0 * (0.001 if k % 2 == 0 else 10.0) for k in range(12)]
    assert wells.metadata["dose"][4:].tolist() == expected
    assert wells.origin["unit of doses"] == "uM"


def test_arrays_take_the_same_doses():
    x = np.ones((3, 2))
    wells = Wells.from_arrays(x, ["a", "b", "c"], dose=["1 uM", "10 nM", None])
    assert wells.metadata["dose"].tolist()[:2] == [1.0, 0.01]
    with pytest.raises(InputError, match="3 embeddings but 2 values of dose="):
        Wells.from_arrays(x, ["a", "b", "c"], dose=[1, 2])


def test_drug_targets_of_doses_in_words_are_those_of_their_ranks(rng):
    genes, compounds = [f"g{k}" for k in range(40)], [f"c{k}" for k in range(3)]
    given = pd.Series([*[None] * 40, *["low", "mid", "high"] * 3])
    words = as_doses(given, given.index.astype("str").to_series())[0]
    labels = pd.DataFrame({"perturbation": [*genes, *np.repeat(compounds, 3)], "dose": words})
    embeddings = rng.normal(size=(49, 8)).astype(np.float32)
    known = {(c, k): 1.0 for c in compounds for k in range(5)}
    targets = pd.DataFrame(
        [(c, g, known.get((c, k), 5e4)) for c in compounds for k, g in enumerate(genes)],
        columns=["treatment", "gene_symbol", "nM_value"],
    )
    ranks = labels.assign(dose=labels["dose"].cat.codes.replace(-1, np.nan).astype(float))
    in_words, in_ranks = (
        wg.drug_targets(wg.PerturbationMap(embeddings, each), targets) for each in (labels, ranks)
    )
    assert in_words.table["concentration"].tolist() == ["low", "mid", "high", "max"]
    for name in ("table", "items"):
        pd.testing.assert_frame_equal(
            getattr(in_words, name).drop(columns="concentration"),
            getattr(in_ranks, name).drop(columns="concentration"),
        )
    pd.testing.assert_frame_equal(in_words.trend, in_ranks.trend)
    assert [text.get_text() for text in in_words.plot().get_xticklabels()] == [
        "low", "mid", "high", "max",
    ]  # fmt: skip

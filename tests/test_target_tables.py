"""Tables of targets as people have them: values that contradict, are missing, or no numbers."""

import warnings

import numpy as np
import pandas as pd
import pytest

from wellgram import InputError, PerturbationMap, drug_targets
from wellgram.errors import LabelsWarning

GENES, COMPOUNDS = [f"G{i}" for i in range(60)], [f"c{i}" for i in range(6)]


@pytest.fixture
def map_(rng):
    labels = pd.DataFrame(
        {
            "perturbation": [*GENES, *COMPOUNDS],
            "perturbation_type": ["CRISPR"] * 60 + ["COMPOUND"] * 6,
        }
    )
    return PerturbationMap(rng.normal(size=(66, 16)), labels)


@pytest.fixture
def targets():
    return pd.DataFrame(
        [
            (gene, 10.0 if i % 6 == k else 50000.0, compound)
            for k, compound in enumerate(COMPOUNDS)
            for i, gene in enumerate(GENES)
        ],
        columns=["gene_symbol", "nM_value", "treatment"],
    )


def scores(map_, targets):
    return drug_targets(map_, targets, draws=5).table


def test_a_pair_measured_twice_counts_by_its_lowest_value(map_, targets):
    again = targets[targets["treatment"] == "c0"].assign(nM_value=5000.0)
    alike = targets[targets["treatment"] == "c1"]
    both = pd.concat([targets, again, alike], ignore_index=True)
    lowest = both.groupby(["gene_symbol", "treatment"], sort=False, as_index=False).min()
    with pytest.warns(LabelsWarning, match=r"60 pairs of a compound and a gene .*'c0' and 'G0'"):
        twice = scores(map_, both)
    pd.testing.assert_frame_equal(twice, scores(map_, lowest[targets.columns]))


def test_contradictions_outside_of_the_map_do_not_matter(map_, targets):
    gone = targets[targets["treatment"] == "c0"].assign(gene_symbol="ZZZ", nM_value=5000.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", LabelsWarning)
        scores(map_, pd.concat([targets, gone.iloc[:1], gone.iloc[1:].assign(nM_value=1.0)]))


@pytest.mark.parametrize("missing", ["", " ", "nan", "NA", None, np.nan])
@pytest.mark.parametrize("column", ["gene_symbol", "treatment", "nM_value"])
def test_rows_that_lack_a_value_are_counted(map_, targets, column, missing):
    lacking = targets.astype({column: object})
    lacking.loc[[3, 7], column] = missing
    with pytest.warns(LabelsWarning, match="2 of 360 rows of the table of targets lack"):
        table = scores(map_, lacking)
    pd.testing.assert_frame_equal(table, scores(map_, targets.drop([3, 7])))


def test_names_written_otherwise_are_counted(map_, targets):
    lower = targets["gene_symbol"].str.lower()
    some = targets.assign(gene_symbol=lower.where(targets["gene_symbol"].isin(["G1", "G2"]),
                                                  targets["gene_symbol"]))  # fmt: skip
    with pytest.warns(LabelsWarning, match=r"genes of the targets .*2 are there .*'g1' for 'G1'"):
        scores(map_, some)
    with pytest.raises(InputError, match=r"no gene .* 60 are there but for case or blanks"):
        scores(map_, targets.assign(gene_symbol=lower))
    blanks = targets.assign(treatment=targets["treatment"] + " ")
    with pytest.raises(InputError, match=r"no compound .*6 are there but for .*'c0 ' for 'c0'"):
        scores(map_, blanks)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.assign(nM_value=[">10000"] * 2 + ["5"] * 358), "'>10000', .*1 more such"),
        (lambda t: t.assign(nM_value=-t["nM_value"]), r"-10\.0, no concentration, and 359 more"),
        (lambda t: t.drop(columns="nM_value"), "'nM_value'; it .* has 'gene_symbol', 'treatment'"),
        (lambda t: t.rename(columns={"treatment": "drug"}), "no column 'treatment'"),
    ],
)
def test_what_is_no_concentration(map_, targets, change, words):
    with pytest.raises(InputError, match=words):
        scores(map_, change(targets))


def test_texts_of_numbers_and_categories_are_what_they_say(map_, targets):
    expected = scores(map_, targets)
    for other in (
        targets.astype({"nM_value": str}),
        targets.astype({"gene_symbol": "category", "treatment": "category"}),
    ):
        pd.testing.assert_frame_equal(scores(map_, other), expected)

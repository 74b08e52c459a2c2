"""A label without a value is in no group, whichever metric groups by it and however it is spelt."""

import numpy as np
import pandas as pd
import pytest

import wellgram as wg
from wellgram.align.chromosome_arms import arms_of_genes
from wellgram.metrics.labelled import LabelledWells
from wellgram.probes.splits import splits_by

MISSING = ["", " ", "nan", "None", "NA", None, np.nan]


def make_wells(missing, **columns):
    """Six perturbations of eight wells in four batches; the last two perturbations lack a label."""
    rng = np.random.default_rng(0)
    names = np.repeat([f"p{i}" for i in range(6)], 8)
    label = np.array([f"class {name[1:]}" for name in names], object)
    label[32:] = missing
    wells = wg.Wells.from_arrays(
        rng.normal(size=(48, 5)) + np.repeat(np.arange(6), 8)[:, None], names,
        control=None, batch=np.tile([*"abcd"], 12),
    )  # fmt: skip
    metadata = wells.metadata.assign(label=label, **columns)
    return wg.Wells(wells.embeddings, metadata, wells.origin)


@pytest.mark.parametrize("missing", MISSING)
def test_probes_tell_labels_that_are_there(missing):
    wells = make_wells(missing)
    labelled = LabelledWells.of(wells, "label", None)
    assert labelled.names == [f"class {i}" for i in range(4)]
    assert labelled.used.tolist() == [True] * 32 + [False] * 16
    result = wg.linear_probe(wells, label="label", method="lda", resamples=2)
    assert len(result.outcomes.codes) == 32


@pytest.mark.parametrize("missing", MISSING)
def test_accuracies_by_kind_are_of_kinds_that_are_there(missing):
    kind = np.array(["HUVEC", "U2OS"] * 24, object)
    kind[::6] = missing
    side = np.tile(["train", "train", "test", "test"], 12)
    wells = make_wells("class 9", kind=kind, side=side)
    options = {"label": "label", "method": "lda", "kind": "kind", "resamples": 2}
    result = wg.linear_probe(wells, split="side", **options)
    assert result.by_kind["kind"].tolist() == ["HUVEC", "U2OS"]
    assert result.by_kind["n_wells"].sum() == 20
    with pytest.raises(wg.InputError, match="8 wells have no value in column 'kind'"):
        wg.linear_probe(wells, split="batch", **options)  # folds are dealt within kinds


@pytest.mark.parametrize("missing", MISSING)
def test_wells_are_not_split_by_nothing(missing):
    group = np.tile([*"wxyz"], 12).astype(object)
    group[5] = missing
    wells = make_wells("class 9", group=group)
    with pytest.raises(wg.InputError, match="1 wells have no value in column 'group'"):
        splits_by(wells, "group", folds=2, within=None, seed=0)
    with pytest.raises(wg.InputError, match="1 wells have no value in column 'group'"):
        wg.neighbor_accuracy(wells, label="label", split="group")


@pytest.mark.parametrize("missing", MISSING)
def test_guides_without_a_name_are_none(missing):
    guide = np.tile(["g1", "g1", "g2", "g2", "g3", "g3", "x", "x"], 6).astype(object)
    guide[guide == "x"] = missing
    table = wg.guide_agreement(make_wells("class 9", guide=guide), "guide", draws=20).table
    assert (table["n_wells"] == 3).all()


@pytest.mark.parametrize("missing", MISSING)
def test_arms_of_genes_that_are_there(missing):
    genes = pd.DataFrame(
        {"gene": ["A", "B", missing, "C"], "chromosome_arm": ["1p", missing, "2q", "3p"]}
    )
    assert arms_of_genes(genes).to_dict() == {"A": "1p", "C": "3p"}


@pytest.mark.parametrize("missing", MISSING)
def test_genes_without_a_name_are_in_no_set(missing, rng):
    names = [f"g{i}" for i in range(30)]
    labels = pd.DataFrame({"perturbation": [*names, str(missing)]})
    map_ = wg.PerturbationMap(rng.normal(size=(31, 6)), labels)
    sets = {"set": [*names[:12], missing]}
    assert wg.gene_set_separation(map_, sets)["n_genes"].tolist() == [12]
    assert wg.gene_set_similarity(map_, sets).table["n_genes"].tolist() == [12]
    table = wg.enrichment([*names[:5], missing], [*names, missing], sets)
    assert table[["n_genes"]].to_numpy().tolist() == [[12]]
    assert table["shared"].tolist() == [names[:5]]

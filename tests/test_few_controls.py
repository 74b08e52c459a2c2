"""Batches with too few controls get the map of all batches together, if asked."""

import numpy as np
import pytest
from typer.testing import CliRunner

import wellgram as wg
from helpers.small_screens import plate, write_csv
from wellgram import InputError, Wells, build_map, open_wells
from wellgram.align import BatchAffine, alignment, pooled_batches
from wellgram.cli import app

NAMES = ["center-scale", "robust-mad", "pca-center-scale", "tvn", "coral"]
CHAINS = ["center-scale+tvn", "robust-mad+sphering", "tvn+robust-mad"]
FEW = pytest.mark.filterwarnings("ignore::wellgram.errors.ControlsWarning")


def rows(controls_of_c, seed=0, d=5):
    """Rows of batches a, b and c, shifted and scaled, and which are controls."""
    rng = np.random.default_rng(seed)
    batch = np.repeat(["a", "b", "c"], 40)
    code = np.repeat(np.arange(3), 40)
    x = rng.normal(size=(120, d)) * [1.0, 2.0, 3.0, 1.0, 0.5] * (1 + code[:, None]) + code[:, None]
    control = np.tile(np.arange(40) < 15, 3)
    control[code == 2] = np.arange(40) < controls_of_c
    return x, batch, control


@FEW
@pytest.mark.parametrize("name", NAMES + CHAINS)
def test_a_batch_without_controls_is_aligned_as_one_that_was_not_there(name):
    """The pooled map is that of unseen batches; those with controls keep their own."""
    x, batch, control = rows(0)
    y = alignment(name, few_controls="pooled").fit_transform(x, batch=batch, control=control)
    there = batch != "c"
    other = alignment(name)
    for step in getattr(other, "steps", [other]):
        if "unseen" in step.get_params():
            step.set_params(unseen="pooled")
    other.fit(x[there], batch=batch[there], control=control[there])
    # Signs of principal axes, and sums of controls, are those of the same controls.
    np.testing.assert_allclose(y, other.transform(x, batch=batch), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("controls", [0, 1])
def test_the_pooled_map_is_that_of_the_controls_of_all_batches(controls):
    x, batch, control = rows(controls)
    known = x[control]
    y = wg.CenterScale(few_controls="pooled").fit_transform(x, batch=batch, control=control)
    expected = (x - known.mean(axis=0)) / known.std(axis=0)
    np.testing.assert_allclose(y[batch == "c"], expected[batch == "c"], rtol=1e-10, atol=1e-12)
    of_a = x[control & (batch == "a")]
    expected = (x - of_a.mean(axis=0)) / of_a.std(axis=0)
    np.testing.assert_allclose(y[batch == "a"], expected[batch == "a"], rtol=1e-10, atol=1e-12)
    y = wg.RobustMAD(few_controls="pooled").fit_transform(x, batch=batch, control=control)
    median = np.median(known, axis=0)
    mad = 1.4826 * np.median(np.abs(known - median), axis=0)
    expected = ((x - median) / mad)[batch == "c"]
    np.testing.assert_allclose(y[batch == "c"], expected, rtol=1e-10, atol=1e-12)


@FEW
@pytest.mark.parametrize("name", NAMES)
def test_nothing_changes_where_all_batches_have_enough(name):
    x, batch, control = rows(15)
    asked = alignment(name, few_controls="pooled").fit(x, batch=batch, control=control)
    plain = alignment(name).fit(x, batch=batch, control=control)
    np.testing.assert_array_equal(asked.transform(x, batch=batch), plain.transform(x, batch=batch))
    assert pooled_batches(asked) == pooled_batches(plain) == []


@FEW
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("controls", [0, 1])
def test_it_is_asked_for(name, controls):
    x, batch, control = rows(controls)
    with pytest.raises(InputError, match=r"in batch 'c'.*few_controls='pooled'"):
        alignment(name).fit(x, batch=batch, control=control)
    with pytest.raises(InputError, match=r"no control well \(batch=.*name other controls"):
        alignment(name, few_controls="pooled").fit(x, batch=batch, control=np.zeros(120, bool))


@FEW
def test_unseen_batches_have_the_pooled_map_too(tmp_path):
    x, batch, control = rows(0)
    align = wg.TVN(few_controls="pooled", unseen="pooled").fit(x, batch=batch, control=control)
    np.testing.assert_array_equal(
        align.transform(x, batch=np.full(120, "c")), align.transform(x, batch=np.full(120, "new"))
    )
    align.affine_.save(tmp_path / "tvn.npz")
    saved = BatchAffine.load(tmp_path / "tvn.npz")
    assert saved.pooled_for == align.affine_.pooled_for == ("c",)
    assert "3 batches, 1 of them by the pooled map" in repr(saved)
    assert "fitted on 15 wells in the smallest batch" in repr(saved)


@pytest.mark.parametrize("name", [*NAMES, *CHAINS, "robust-mad+inverse-normal"])
@FEW
def test_a_map_names_the_batches(name):
    x, batch, control = rows(1)
    labels = np.where(control, "DMSO", np.tile([f"p{k}" for k in range(8)], 15))
    wells = Wells.from_arrays(x, labels, control="DMSO", batch=batch)
    map_ = build_map(wells, alignment(name, few_controls="pooled"), dtype="float64")
    assert map_.provenance["aligned_by_pooled_map"] == ["c"]
    y = alignment(name, few_controls="pooled").fit_transform(wells)
    np.testing.assert_allclose(map_.embeddings[0], y[labels == "p0"].mean(axis=0), atol=1e-9)
    wells.metadata["batch"] = "one"
    again = build_map(wells, alignment(name, few_controls="pooled"))
    assert "aligned_by_pooled_map" not in again.provenance


def test_a_warning_speaks_of_batches_with_maps_of_their_own():
    x, batch, control = rows(1, d=5)
    wide = np.hstack([x + k * np.random.default_rng(k).normal(size=x.shape) for k in range(20)])
    with pytest.warns(wg.ControlsWarning, match="15 controls in batch 'a' for 100 features"):
        wg.TVN(few_controls="pooled").fit(wide, batch=batch, control=control)


def test_other_words_are_refused():
    with pytest.raises(InputError, match="few_controls must be 'raise' or 'pooled', not 'drop'"):
        wg.CenterScale(few_controls="drop")


@FEW
def test_a_stream_and_the_command_line(tmp_path):
    first, second = plate(), plate("P2", seed=1)
    second = second[second["Metadata_broad_sample"] != "DMSO"]
    files = [write_csv(tmp_path / f"{k}.csv", p) for k, p in enumerate((first, second))]
    stream = open_wells(files, layout="cell-painting")
    by_stream, by_wells = (
        build_map(wells, wg.RobustMAD(few_controls="pooled")) for wells in (stream, stream.read())
    )
    np.testing.assert_allclose(by_stream.embeddings, by_wells.embeddings, rtol=1e-6)
    assert by_stream.provenance["aligned_by_pooled_map"] == ["P2"]
    command = ["score", *map(str, files), "--layout", "cell-painting", "--out", str(tmp_path / "o")]
    assert "few_controls" in str(CliRunner().invoke(app, command).exception)
    done = CliRunner().invoke(app, [*command, "--few-controls", "pooled"])
    assert done.exit_code == 0
    assert "aligned by the pooled map, for few controls: P2" in done.output
    report = (tmp_path / "o" / "report.html").read_text()
    assert "batches aligned by the pooled map, for few controls" in report

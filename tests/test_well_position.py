"""Well-position correction: the mean of each address over plates, and where there is none."""

import numpy as np
import pandas as pd
import pytest

from wellgram import CenterScale, InputError, WellPosition, Wells, build_map, chain
from wellgram.align import alignment
from wellgram.errors import ColumnMissing, LabelsWarning
from wellgram.stream import WellStream


def screen(rng, plates=6, addresses=12, effect=5.0):
    """Plates on which treatments lie anywhere, and addresses with effects of their own."""
    batch = np.repeat(np.arange(plates), addresses)
    address = np.tile([f"A{k:02}" for k in range(addresses)], plates)
    treatment = np.concatenate([rng.permutation(addresses) for _ in range(plates)]) // 2
    effects = effect * rng.normal(size=(addresses, 5))
    signal = rng.normal(size=(addresses, 5))
    x = effects[np.tile(np.arange(addresses), plates)] + signal[treatment]
    x += 0.1 * rng.normal(size=x.shape)
    names = [f"P{t}" if t else "DMSO" for t in treatment]
    wells = Wells.from_arrays(x, names, control="DMSO", batch=batch)
    wells.metadata["Metadata_Well"] = address
    return wells, signal[treatment]


def streamed(wells):
    return WellStream(
        wells.metadata, wells.features, wells.embeddings.dtype, wells.chunks, wells.origin
    )


def test_each_address_loses_its_mean(rng):
    wells, _ = screen(rng)
    frame = pd.DataFrame(wells.embeddings)
    means = frame.groupby(wells.metadata["Metadata_Well"].to_numpy()).transform("mean")
    fitted = WellPosition().fit(wells)
    y = fitted.transform(wells)
    np.testing.assert_allclose(y, frame - means, atol=1e-12)
    aligned = WellPosition().aligned(streamed(wells)).read()
    np.testing.assert_allclose(aligned.embeddings, y, atol=1e-12)
    assert aligned.metadata["batch"].equals(wells.metadata["batch"])
    some = np.arange(3, 40, 5)
    part = Wells(wells.embeddings[some], wells.metadata.iloc[some].reset_index(drop=True))
    np.testing.assert_allclose(fitted.transform(part), y[some], atol=1e-12)


def test_planted_effects_of_positions_are_taken_off(rng):
    wells, signal = screen(rng, plates=60)
    centred = signal - signal.mean(axis=0)
    before = wells.embeddings - wells.embeddings.mean(axis=0)
    after = WellPosition().fit_transform(wells)
    assert np.square(after - centred).mean() < 0.1 * np.square(before - centred).mean()
    assert np.square(after - centred).mean() < 0.1  # of the signal's 1: treatments at each address


def test_it_is_a_step_of_a_chain(rng):
    wells, _ = screen(rng)
    steps = chain(WellPosition(), CenterScale())
    first = wells.with_embeddings(WellPosition().fit_transform(wells))
    expected = CenterScale().fit_transform(first)
    np.testing.assert_allclose(steps.fit_transform(wells), expected, atol=1e-12)
    np.testing.assert_allclose(
        chain(WellPosition(), CenterScale()).aligned(streamed(wells)).read().embeddings,
        expected, atol=1e-9,
    )  # fmt: skip
    map_ = build_map(wells, alignment("well-position+robust-mad"))
    assert map_.provenance["align"] == "well-position+robust-mad"
    steps = chain(WellPosition(), alignment("robust-mad"))  # one needs all wells, one the controls
    np.testing.assert_allclose(
        steps.aligned(streamed(wells)).read().embeddings,
        alignment("well-position+robust-mad").fit_transform(wells), atol=1e-9,
    )  # fmt: skip


def test_a_layout_that_never_changes_is_warned_of(rng):
    wells, _ = screen(rng)
    fixed = wells.metadata["Metadata_Well"].str[1:].astype(int)
    labels = fixed.map(lambda k: f"P{k}" if k > 1 else "DMSO")
    same = Wells.from_arrays(
        wells.embeddings, labels, control="DMSO", batch=wells.metadata["batch"]
    )
    same.metadata["Metadata_Well"] = wells.metadata["Metadata_Well"]
    with pytest.warns(LabelsWarning, match=r"address 'A02' have treatment 'P2'.*\(10 addresses"):
        WellPosition().fit(same)


def test_what_cannot_be_corrected_is_named(rng):
    wells, _ = screen(rng)
    first = wells.metadata["batch"] == "0"
    one = Wells(wells.embeddings[first], wells.metadata[first].reset_index(drop=True))
    with pytest.raises(InputError, match="12 addresses occurs once: this is one plate"):
        WellPosition().fit(one)
    wells.metadata.loc[5, "Metadata_Well"] = "P24"
    with pytest.raises(InputError, match=r"address 'P24' has one well only \(1 addresses have\)"):
        WellPosition().fit(wells)
    wells.metadata.loc[5, "Metadata_Well"] = None
    with pytest.raises(InputError, match=r"1 wells have no well address.*first: 'well 5'"):
        WellPosition().fit(wells)
    with pytest.raises(ColumnMissing, match=r"no column 'place'; keep it .*columns="):
        WellPosition("place").fit(wells)
    bare = Wells(wells.embeddings, wells.metadata.drop(columns="Metadata_Well"))
    with pytest.raises(ColumnMissing, match="no column 'Metadata_Well' or 'well_position' or"):
        WellPosition().fit(bare)
    with pytest.raises(InputError, match="rows alone do not have"):
        WellPosition().fit(wells.embeddings)


def test_an_address_that_was_not_there_is_named(rng):
    wells, _ = screen(rng)
    fitted = WellPosition().fit(wells)
    wells.metadata.loc[5, "Metadata_Well"] = "P24"
    with pytest.raises(InputError, match=r"1 addresses were not there.*'P24'"):
        fitted.transform(wells)

"""What is aligned comes back as the kind it was; who fits, and what containers answer."""

import numpy as np
import pandas as pd
import pytest

from wellgram import (
    TVN,
    CenterScale,
    InputError,
    InverseNormal,
    RobustMAD,
    Wells,
    build_map,
    chain,
    consistency,
)
from wellgram.align import ALIGNMENTS, affine_of, aligned, aligned_in_memory, alignment
from wellgram.folds import GroupSums
from wellgram.stream import WellStream

FEW = pytest.mark.filterwarnings("ignore::wellgram.errors.ControlsWarning")


@pytest.fixture
def wells(rng):
    labels = np.where(np.arange(60) % 3 > 0, "DMSO", "drug")
    batch = np.repeat(["a", "b"], 30)
    found = Wells.from_arrays(
        rng.normal(size=(60, 4)).astype(np.float32), labels, control="DMSO", batch=batch
    )
    found.metadata["note"] = np.arange(60)
    return found


def stream(wells):
    """The same wells, read in chunks."""
    dtype = wells.embeddings.dtype
    return WellStream(wells.metadata, wells.features, dtype, wells.chunks, wells.origin)


@pytest.mark.parametrize("name", ALIGNMENTS)
def test_rows_come_back_as_rows_and_wells_as_wells(wells, name):
    expected = alignment(name).fit_transform(wells)
    ours = alignment(name).aligned(wells)
    assert isinstance(ours, Wells)
    np.testing.assert_array_equal(ours.embeddings, expected)
    assert ours.metadata is wells.metadata
    assert ours.origin is wells.origin
    batch, control = wells.metadata["batch"], wells.metadata["is_control"].to_numpy(bool)
    rows = alignment(name).aligned(wells.embeddings, batch=batch, control=control)
    np.testing.assert_array_equal(rows, expected)


@pytest.mark.parametrize("name", [n for n in ALIGNMENTS if alignment(n).streams])
def test_a_stream_comes_back_as_a_stream(wells, name):
    ours = alignment(name).aligned(stream(wells))
    assert isinstance(ours, WellStream)
    expected = alignment(name).fit_transform(stream(wells)).read()
    np.testing.assert_array_equal(ours.read().embeddings, expected.embeddings)


def test_what_was_fitted_before_is_not_fitted_again(wells):
    other = wells.with_embeddings(wells.embeddings * 3 + 1)
    align = CenterScale().fit(other)
    expected = align.transform(wells)
    affine = align.affine_
    for aligner in (align, affine):
        for given, read in ((wells, wells.embeddings), (stream(wells), None)):
            ours = aligner.aligned(given)
            assert type(ours) is type(given)
            np.testing.assert_array_equal(ours.read().embeddings, expected)
            if read is not None:
                rows = aligner.aligned(read, batch=wells.metadata["batch"])
                np.testing.assert_array_equal(rows, expected)
    assert align.affine_ is affine


def test_no_alignment_leaves_wells_as_they_are(wells):
    assert aligned(wells, None) is wells
    assert aligned_in_memory(wells, None) is wells
    assert affine_of(None) is None
    np.testing.assert_array_equal(
        aligned_in_memory(stream(wells), None).embeddings, wells.embeddings
    )


def test_a_stream_is_read_first_where_all_wells_are_needed_at_once(wells):
    align = chain(RobustMAD(), InverseNormal())
    with pytest.raises(InputError, match="takes all wells at once"):
        align.aligned(stream(wells))
    expected = align.aligned(wells).embeddings
    np.testing.assert_array_equal(
        aligned_in_memory(stream(wells), chain(RobustMAD(), InverseNormal())).embeddings, expected
    )


@FEW
def test_a_well_at_the_centre_may_be_zero_once_it_is_aligned(wells):
    """The only control of a batch lies on its mean."""
    x = np.array([[1.0, 2.0], [3.0, 1.0]])
    few = Wells.from_arrays(x, ["DMSO", "drug"], control="DMSO")
    expected = [[0, 0], [2, -1]]
    for given in (few, stream(few)):
        ours = CenterScale(min_controls=1).aligned(given).read()
        np.testing.assert_array_equal(ours.embeddings, expected)
    with pytest.raises(InputError, match="hold nothing but zeros"):
        Wells(ours.embeddings, ours.metadata)


def test_embeddings_are_put_in_the_place_of_others(wells):
    wide = np.ones((60, 9))
    ours = wells.with_embeddings(wide)
    assert ours.features == 9
    assert ours.embeddings is wide
    pd.testing.assert_frame_equal(ours.metadata, wells.metadata)
    with pytest.raises(InputError, match="59 embeddings but 60 rows of metadata"):
        wells.with_embeddings(wide[1:])
    with pytest.raises(InputError, match="float"):
        wells.with_embeddings(np.ones((60, 9), int))


def test_wells_in_memory_and_streams_answer_alike(wells):
    told = []
    for given in (wells, stream(wells)):
        assert given.in_memory == (given is wells)
        np.testing.assert_array_equal(given.read().embeddings, wells.embeddings)
        doubled = given.mapped(lambda chunk: 2 * chunk.rows, 4)
        assert type(doubled) is type(given)
        np.testing.assert_array_equal(doubled.read().embeddings, 2 * wells.embeddings)
        sums = GroupSums.start(np.zeros(60, np.int64), 1, 4, np.float64)
        given.reported(told.append).fold(sums)
        assert sums.complete
        np.testing.assert_allclose(sums.rows[0], wells.embeddings.sum(axis=0), rtol=1e-6)
    assert wells.read() is wells
    assert told == [1.0]  # by the stream, of one chunk


def test_a_pass_over_a_stream_serves_what_watches_it(wells):
    for given in (wells, stream(wells)):
        sums = GroupSums.start(np.zeros(60, np.int64), 1, 4, np.float64)
        TVN().fit(given.watched_by(sums))
        assert sums.complete == (not given.in_memory)  # in memory a pass of its own costs no more


@pytest.mark.parametrize(
    ("given", "words"),
    [("tvn", r"alignment\('tvn'\) makes one"), (TVN, r"write TVN\(\)"), (5, "give one, or None")],
)
@pytest.mark.parametrize("of", [aligned, build_map, consistency])
def test_what_is_no_alignment_is_refused(wells, of, given, words):
    with pytest.raises(InputError, match=words):
        of(wells, given)

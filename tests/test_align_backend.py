"""backend= of an alignment holds for all that the call leads to, at once or later."""

import numpy as np
import pytest

from wellgram import (
    TVN,
    CenterScale,
    InverseNormal,
    RobustMAD,
    Sphering,
    Standardize,
    Wells,
    chain,
)
from wellgram.backends import get_backend, set_backend
from wellgram.stream import WellStream

USED = ("group_moments", "group_medians", "apply_affine")
ALIGNMENTS = {
    "moments": CenterScale,
    "medians": RobustMAD,
    "moments in a chain": lambda: chain(Standardize(), TVN()),
    "maps and ranks in a chain": lambda: chain(RobustMAD(), InverseNormal(), Sphering()),
}


@pytest.fixture
def wells(rng):
    labels = np.where(np.arange(60) % 3 > 0, "DMSO", "drug")
    batch = np.repeat(["a", "b"], 30)
    return Wells.from_arrays(rng.normal(size=(60, 4)), labels, control="DMSO", batch=batch)


def stream(wells):
    """The same wells, read in chunks."""
    dtype = wells.embeddings.dtype
    return WellStream(wells.metadata, wells.features, dtype, wells.chunks, wells.origin)


@pytest.fixture
def only_reference(monkeypatch):
    """The default backend fails where it is used; the reference does not."""
    default = get_backend()
    assert default.name != "reference"

    def fails(*_, **__):
        raise AssertionError(f"{default.name} was used, but another backend was named")

    for name in USED:
        monkeypatch.setattr(default, name, fails)


@pytest.mark.parametrize("case", ALIGNMENTS)
def test_the_named_backend_fits_and_applies(wells, case, only_reference):
    align = ALIGNMENTS[case]()
    fitted = align.fit(wells, backend="reference").transform(wells, backend="reference")
    ours = ALIGNMENTS[case]().fit_transform(wells, backend="reference")
    np.testing.assert_array_equal(ours, fitted)


@pytest.mark.parametrize("case", ["moments", "medians", "moments in a chain"])
def test_a_stream_is_aligned_later_by_the_backend_that_was_named(wells, case, only_reference):
    align = ALIGNMENTS[case]()
    aligned = align.fit_transform(stream(wells), backend="reference")
    again = align.transform(stream(wells), backend="reference")
    maps = align.affine_.transform(stream(wells), backend="reference")
    expected = aligned.read().embeddings  # outside of the calls that name it
    for other in (again, maps):
        np.testing.assert_array_equal(other.read().embeddings, expected)


def test_a_stream_without_a_named_backend_follows_the_process(wells, only_reference):
    align = CenterScale().fit(wells, backend="reference")
    aligned = align.transform(stream(wells))
    with pytest.raises(AssertionError, match="another backend was named"):
        aligned.read()
    set_backend("reference")
    try:
        expected = align.transform(wells)
        np.testing.assert_array_equal(aligned.read().embeddings, expected)
    finally:
        set_backend(None)

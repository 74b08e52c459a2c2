"""The matrix of cosines, whole, in part, and on disk."""

import numpy as np
import pytest

from wellgram import InputError, cosine_matrix
from wellgram.pairs import full_matrix as module


@pytest.fixture
def x():
    return np.random.default_rng(7).normal(size=(75, 6))


def by_numpy(x):
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    return unit @ unit.T


def test_it_is_that_of_numpy(x):
    whole = cosine_matrix(x)
    np.testing.assert_allclose(whole, by_numpy(x), atol=1e-14)  # sums of 6 terms below 1
    np.testing.assert_array_equal(whole, whole.T)
    assert cosine_matrix(x.astype(np.float32)).dtype == np.float32


def test_rows_and_columns_are_chosen(x):
    whole = cosine_matrix(x)
    rows, columns = np.array([70, 3, 3]), slice(10, 60, 7)
    np.testing.assert_array_equal(
        cosine_matrix(x, rows=rows, columns=columns), whole[rows][:, columns]
    )
    np.testing.assert_array_equal(cosine_matrix(x, rows=rows), whole[rows])
    np.testing.assert_array_equal(cosine_matrix(x, rows=[5], other=x[:9]), whole[5:6, :9])
    assert cosine_matrix(x, rows=[]).shape == (0, 75)


@pytest.mark.parametrize("block", [1, 1 << 11, 1 << 28])
def test_it_is_streamed_to_a_file(x, tmp_path, monkeypatch, block):
    whole = cosine_matrix(x)
    monkeypatch.setattr(module, "_CHUNK_BYTES", block)
    told = []
    mapped = cosine_matrix(x, out=tmp_path / "cosines.npy", progress=told.append)
    assert isinstance(mapped, np.memmap)
    assert told[-1] == 1
    np.testing.assert_array_equal(mapped, whole)
    np.testing.assert_array_equal(np.load(tmp_path / "cosines.npy"), whole)
    assert [path.name for path in tmp_path.iterdir()] == ["cosines.npy"]


def test_an_open_array_takes_blocks_of_rows(x, monkeypatch):
    monkeypatch.setattr(module, "_CHUNK_BYTES", 75 * 8 * 20)

    class Sink:
        """As a Zarr array or an HDF5 dataset."""

        shape = (75, 30)

        def __init__(self):
            self.blocks = {}

        def __setitem__(self, rows, block):
            self.blocks[rows.start, rows.stop] = block

    sink = Sink()
    assert cosine_matrix(x, columns=slice(30), out=sink) is sink
    np.testing.assert_array_equal(
        np.concatenate([sink.blocks[key] for key in sorted(sink.blocks)]),
        cosine_matrix(x)[:, :30],
    )
    assert len(sink.blocks) > 1


def test_a_failure_leaves_no_file(x, tmp_path):
    def stop(share):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cosine_matrix(x, out=tmp_path / "cosines.npy", progress=stop)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rows": [75]}, r"rows\[0\] is 75, but there are 75 rows"),
        ({"columns": [-1]}, r"columns\[0\] is -1"),
        ({"columns": [[1]]}, "vector of integers"),
        ({"out": "cosines.txt"}, r"\.npy"),
        ({"out": "nowhere/cosines.npy"}, "no folder"),
        ({"out": np.empty((75, 74))}, r"out is \(75, 74\), but the matrix \(75, 75\)"),
    ],
)
def test_what_cannot_be_used_is_named(x, options, words):
    with pytest.raises(InputError, match=words):
        cosine_matrix(x, **options)

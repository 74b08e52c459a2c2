"""NPZ files that are damaged are refused, also where ranges of rows are read."""

import os
import zipfile

import numpy as np
import pandas as pd
import pytest

from helpers.flipped_bits import flips
from wellgram import InputError, PerturbationMap, open_map, read_map, write_map
from wellgram.io.npz import open_npz
from wellgram.io.places import locate

LONG_AGO = (10**9, 10**9)


@pytest.fixture
def map_(rng):
    labels = pd.DataFrame({"perturbation": [f"g{i}" for i in range(30)], "dose": [None, 1.5] * 15})
    return PerturbationMap(rng.normal(size=(30, 4)), labels, {"origin": "test"})


@pytest.fixture
def path(tmp_path, map_):
    write_map(map_, tmp_path / "map.npz")
    return tmp_path / "map.npz"


def damage(path, values):
    """Flip a bit of some values, which stand in the file as they are."""
    data = bytearray(path.read_bytes())
    data[data.index(values.tobytes())] ^= 1
    path.write_bytes(data)


def in_halves(path):
    opened = open_map(path)
    rows = np.concatenate([opened[:15], opened[15:]])
    return PerturbationMap(rows, opened.labels, opened.provenance)


@pytest.mark.parametrize("read", [read_map, in_halves])
def test_no_flipped_bit_changes_a_value(path, map_, rng, read):
    def unchanged(file):
        back = read(file)
        return (
            back.embeddings.tobytes() == map_.embeddings.tobytes()
            and back.labels.equals(map_.labels)
            and back.provenance == map_.provenance
        )

    assert flips(path, 400, rng, unchanged)["changed"] == 0


def test_damage_in_one_range_is_met_by_the_first_that_is_read(path, map_):
    damage(path, map_.embeddings[20])
    with pytest.raises(
        InputError, match=r"map.npz': Bad CRC-32 .*; the file is damaged or truncated; copy"
    ):
        open_map(path)[:5]


def test_a_file_is_checked_once_until_it_changes(path, map_, monkeypatch):
    reads = []
    opened = zipfile.ZipFile.open

    def counted(archive, name, *rest, **options):
        reads.append(name)
        return opened(archive, name, *rest, **options)

    monkeypatch.setattr(zipfile.ZipFile, "open", counted)
    os.utime(path, LONG_AGO)
    for first in range(3):
        with open_npz(path) as arrays:
            arrays["embeddings"][first : first + 2]
    # Its header at each opening, and all of it once.
    assert reads.count("embeddings.npy") == 4
    damage(path, map_.embeddings[20])
    with pytest.raises(zipfile.BadZipFile), open_npz(path) as arrays:
        arrays["embeddings"][:2]


def test_a_pass_over_a_file_far_away_ends_with_its_checksum(tmp_path, rng):
    fsspec = pytest.importorskip("fsspec")
    embeddings = rng.normal(size=(4000, 4))  # more than is read at once with the header
    path = tmp_path / "map.npz"
    np.savez(path, embeddings=embeddings)
    place = locate("memory://checksums/map.npz")
    for is_damaged in (False, True):
        if is_damaged:
            damage(path, embeddings[2000])
        fsspec.filesystem("memory").pipe_file("/checksums/map.npz", path.read_bytes())
        with open_npz(place) as arrays:
            rows = [arrays["embeddings"][k : k + 1000] for k in range(0, 3000, 1000)]
            np.testing.assert_array_equal(np.concatenate(rows)[:100], embeddings[:100])
            if is_damaged:
                with pytest.raises(zipfile.BadZipFile, match="CRC-32"):
                    arrays["embeddings"][3000:3999], arrays["embeddings"][3999:]
            else:
                np.testing.assert_array_equal(
                    arrays["embeddings"][3000:3999], embeddings[3000:3999]
                )
                np.testing.assert_array_equal(arrays["embeddings"][3999:], embeddings[3999:])

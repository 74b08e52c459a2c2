"""NPZ files that are damaged are refused, also where ranges of rows are read."""

import os
import zipfile

import numpy as np
import pandas as pd
import pytest

from helpers.flipped_bits import flips
from wellgram import InputError, PerturbationMap, open_map, read_map, read_wells, write_map
from wellgram.io import array_table
from wellgram.io.npz import _Member, open_npz
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


@pytest.fixture
def far(tmp_path, rng):
    """Embeddings in a file at a URL, its place, and what flips a bit of a row there."""
    files = pytest.importorskip("fsspec").filesystem("memory")
    embeddings = rng.normal(size=(4000, 4))  # more than is read at once with the header
    path, url = tmp_path / "map.npz", f"/{rng.integers(1 << 60)}/map.npz"

    def put():
        files.pipe_file(url, path.read_bytes())

    def damage_row(row):
        damage(path, embeddings[row])
        put()

    np.savez(path, embeddings=embeddings, perturbation=np.array(["a", "b"] * 2000))
    put()
    return embeddings, locate(f"memory:/{url}"), damage_row


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_pass_over_a_file_far_away_ends_with_its_checksum(far, is_damaged):
    embeddings, place, damage_row = far
    if is_damaged:
        damage_row(2000)
    with open_npz(place) as arrays:
        array = arrays["embeddings"].in_order()
        rows = [array[k : k + 1000] for k in range(0, 3000, 1000)]
        np.testing.assert_array_equal(np.concatenate(rows)[:100], embeddings[:100])
        if is_damaged:
            with pytest.raises(zipfile.BadZipFile, match="CRC-32"):
                array[3000:3999], array[3999:]
        else:
            np.testing.assert_array_equal(array[3000:3999], embeddings[3000:3999])
            np.testing.assert_array_equal(array[3999:], embeddings[3999:])


@pytest.mark.parametrize("first", [0, 1000, 3000])
@pytest.mark.parametrize("in_order", [False, True])
def test_ranges_out_of_order_of_a_file_far_away_are_checked_before(far, first, in_order):
    embeddings, place, damage_row = far
    for is_damaged in (False, True):
        if is_damaged:
            damage_row(2000)
        with open_npz(place) as arrays:
            array = arrays["embeddings"]
            if in_order:
                array = array.in_order()
                array[0:10]
            if is_damaged:
                with pytest.raises(zipfile.BadZipFile, match="CRC-32"):
                    array[first : first + 10]
            else:
                expected = embeddings[first : first + 10]
                np.testing.assert_array_equal(array[first : first + 10], expected)


def test_a_file_far_away_is_fetched_once_for_its_checksum(far, monkeypatch):
    _, place, _ = far
    checks = []
    monkeypatch.setattr(_Member, "_check", lambda member: checks.append(member.name))
    for first in (1000, 0, 3000):
        with open_npz(place) as arrays:
            arrays["embeddings"][first : first + 10]
    assert checks == ["embeddings.npy"]


def test_wells_and_maps_of_a_file_far_away(far, monkeypatch):
    """What passes over them all is told at the end, what asks for some rows before."""
    monkeypatch.setattr(array_table, "_PART_BYTES", 1 << 12)
    embeddings, place, damage_row = far
    roles = {"layout": "columns", "perturbation": "perturbation", "control": "a"}
    wells = read_wells(str(place), features="embeddings", **roles)
    np.testing.assert_array_equal(wells.embeddings, embeddings)
    np.testing.assert_array_equal(open_map(str(place))[:5], embeddings[:5])
    damage_row(2000)
    with pytest.raises(InputError, match="CRC-32"):
        read_wells(str(place), features="embeddings", **roles)
    with pytest.raises(InputError, match="CRC-32"):
        open_map(str(place))[:5]

"""HDF5 files that are damaged are refused, and reading them ends."""

import struct

import pandas as pd
import pytest

from wellgram import InputError, PerturbationMap, read_map, read_wells, write_map

h5py = pytest.importorskip("h5py")

HEADER = struct.Struct("<H6xQ")
OPTIONS = {"layout": "columns", "perturbation": "gene", "control": "NTC"}


@pytest.fixture
def foreign(tmp_path, rng):
    """Wells whose text has no fixed length, as h5py and anndata write it."""
    path = tmp_path / "wells.h5"
    with h5py.File(path, "w") as file:
        file["embeddings"] = rng.normal(size=(40, 4))
        file["gene"] = [f"gene{i % 5}" if i % 8 else "NTC" for i in range(40)]
        file["well_id"] = [f"w{i:03d}" for i in range(40)]
    return path


def objects_of_heap(data):
    """Where the objects of the first heap collection begin, up to the one that is free."""
    start = data.index(b"GCOL")
    place, places = start + HEADER.size, []
    number = -1
    while number:
        number, length = HEADER.unpack_from(data, place)
        places.append(place)
        place += HEADER.size + -(-length // 8) * 8
    return places


def test_a_heap_whose_lengths_lead_nowhere_is_refused(foreign):
    """The library would look for the next object at the same place for ever."""
    whole = foreign.read_bytes()
    *texts, free = objects_of_heap(whole)
    used = HEADER.unpack_from(whole, texts[-1])
    for place, number, length in (
        (free, 0, 0),
        (texts[-1], 0, 0),
        (texts[-1], used[0], used[1] + 64),
        (texts[0], 1, 1 << 40),
        (texts[0], 1, (1 << 64) - 1),
    ):
        damaged = bytearray(whole)
        HEADER.pack_into(damaged, place, number, length)
        foreign.write_bytes(damaged)
        with pytest.raises(InputError, match=r"cannot read .*wells.h5'"):
            read_wells(foreign, **OPTIONS)
    foreign.write_bytes(whole)
    assert read_wells(foreign, **OPTIONS).metadata["perturbation"][0] == "NTC"


def test_text_whose_type_is_no_text_is_refused(foreign):
    """The library would crash: the bits that say that it is text are of its type's message."""
    data = bytearray(foreign.read_bytes())
    variable_text = bytes([0x19, 0x01, 0x01, 0x00, 0x10])
    data[data.index(variable_text) + 1] ^= 4
    foreign.write_bytes(data)
    with pytest.raises(InputError, match="neither text nor a number"):
        read_wells(foreign, **OPTIONS)


def test_text_of_many_heaps_is_read(tmp_path, rng):
    genes = [f"gene{i}" * 20 for i in range(5000)]
    with h5py.File(tmp_path / "map.h5", "w") as file:
        file["embeddings"] = rng.normal(size=(5000, 2))
        file["perturbation"] = genes
    assert read_map(tmp_path / "map.h5").labels["perturbation"].tolist() == genes


def test_what_we_write_has_checksums_and_no_heap(tmp_path, rng):
    path = tmp_path / "map.h5"
    embeddings = rng.normal(size=(40, 4))
    labels = pd.DataFrame({"perturbation": ["", "Å", *(f"gene{i}" for i in range(38))]})
    write_map(PerturbationMap(embeddings, labels, {"origin": "test"}), path)
    whole = path.read_bytes()
    assert b"GCOL" not in whole
    with h5py.File(path) as file:
        assert all(file[name].fletcher32 for name in file)
    assert read_map(path).labels.equals(labels)
    damaged = bytearray(whole)
    damaged[damaged.index(embeddings[20].tobytes())] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(InputError, match="cannot read"):
        read_map(path)

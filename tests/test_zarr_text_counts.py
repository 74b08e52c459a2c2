"""Damaged counts of texts in Zarr are an error before memory is asked for."""

import struct

import numpy as np
import pytest

from wellgram import InputError, read_wells

zarr = pytest.importorskip("zarr")

pytestmark = pytest.mark.filterwarnings("ignore:.*(Zarr V3|Zarr format 3).*")

LABELS = [*"cabcab"] * 5
OPTIONS = {"layout": "columns", "perturbation": "label", "control": "c"}
TOO_MANY = struct.pack("<I", 2**32 - 1)


def write_store(path, version):
    group = zarr.open_group(str(path), mode="w", zarr_format=version)
    group.create_array(
        "embeddings", data=np.random.default_rng(0).normal(size=(30, 4)), compressors=None
    )
    text = np.asarray(LABELS, np.dtypes.StringDType())
    group.create_array("label", data=text, chunks=(30,), compressors=None)
    return path / "label" / ("c/0" if version == 3 else "0")


@pytest.mark.parametrize("version", [2, 3])
def test_a_whole_store_is_read(tmp_path, version):
    write_store(tmp_path / "wells.zarr", version)
    wells = read_wells(tmp_path / "wells.zarr", **OPTIONS)
    assert list(wells.metadata["perturbation"]) == LABELS


@pytest.mark.parametrize("version", [2, 3])
def test_a_count_beyond_its_chunk_is_an_error(tmp_path, version):
    chunk = write_store(tmp_path / "wells.zarr", version)
    chunk.write_bytes(TOO_MANY + chunk.read_bytes()[4:])
    with pytest.raises(InputError, match="says that it holds 4,294,967,295 texts"):
        read_wells(tmp_path / "wells.zarr", **OPTIONS)


@pytest.mark.parametrize("version", [2, 3])
def test_a_chunk_without_a_count_is_an_error(tmp_path, version):
    chunk = write_store(tmp_path / "wells.zarr", version)
    chunk.write_bytes(b"\x01")
    with pytest.raises(InputError, match="too short"):
        read_wells(tmp_path / "wells.zarr", **OPTIONS)

"""Zarr stores that are damaged are refused, also where the damage is in what describes an array."""

import json

import numpy as np
import pandas as pd
import pytest

from wellgram import InputError, PerturbationMap, open_map, read_map, write_map

pytest.importorskip("zarr")

pytestmark = pytest.mark.filterwarnings("ignore:Object at")


@pytest.fixture
def store(tmp_path, rng):
    path = tmp_path / "map.zarr"
    labels = pd.DataFrame(
        {
            "perturbation": [f"gene{i}" for i in range(40)],
            "plate": np.arange(40) % 3,
            "dose": [None, 1.5] * 20,
        }
    )
    write_map(PerturbationMap(rng.normal(size=(40, 4)), labels, {"origin": "test"}), path)
    return path


def test_every_chunk_has_a_checksum(store):
    arrays = list(store.rglob("*/zarr.json"))
    codecs = [json.loads(file.read_text()).get("codecs") for file in arrays]
    assert sum(names is not None for names in codecs) == 6  # the embeddings, labels, a mask, a note
    assert all(names[-1]["name"] == "crc32c" for names in codecs if names)
    for file in store.rglob("c/**/*"):
        if file.is_file():
            whole = file.read_bytes()
            file.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
            with pytest.raises(InputError, match=r"map\.zarr.*damaged"):
                read_map(store)
            file.write_bytes(whole)
    read_map(store)


@pytest.mark.parametrize("array", ["plate", "dose", "missing/dose", "wellgram"])
@pytest.mark.parametrize(
    ("text", "damage"),
    [
        ('"zarr_format"', '"zarr_fosmat"'),
        ('"data_type"', '"data_typd"'),
        ('"node_type"', '"node_typd"'),
        ('"separator": "/"', '"separator": "."'),
    ],
)
def test_an_array_whose_description_is_damaged_is_not_passed_over(store, array, text, damage):
    file = store / array / "zarr.json"
    assert text in file.read_text()
    file.write_text(file.read_text().replace(text, damage))
    with pytest.raises(InputError, match=r"map\.zarr"):
        read_map(store)


def test_a_label_of_another_length_is_refused(store):
    file = store / "plate" / "zarr.json"
    about = json.loads(file.read_text())
    about["shape"] = [32]
    file.write_text(json.dumps(about))
    with pytest.raises(InputError, match=r"label column 'plate' of map.zarr is damaged"):
        read_map(store)


def test_a_mask_that_claims_to_be_endless_is_refused(store):
    """It would be read chunk by chunk, for hours."""
    about = store / "missing" / "dose" / "zarr.json"
    described = json.loads(about.read_text()) | {"shape": [2**31 - 1]}
    about.write_text(json.dumps(described))
    with pytest.raises(InputError, match=r"missing of 'dose' is of shape \(2147483647,\)"):
        read_map(store)


def test_a_lost_chunk_of_embeddings_is_found_before_any_range_is_read(store):
    (store / "embeddings" / "c" / "0" / "0").unlink()
    with pytest.raises(InputError, match="chunks"):
        open_map(store)
    with pytest.raises(InputError, match="chunks"):
        read_map(store)

"""Names of files and folders that are not text, as archives from other systems leave them."""

import os
import sys

import numpy as np
import pandas as pd
import pytest

from wellgram import InputError, read_wells

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="names are text on a Mac")
OPTIONS = {"layout": "columns", "perturbation": "name", "control": "c", "features": "f*"}


def write(folder, name):
    """Write a table under a name of bytes, and return its path."""
    folder = os.fsencode(folder)
    os.makedirs(os.path.dirname(folder + b"/" + name), exist_ok=True)
    path = os.fsdecode(folder + b"/" + name)
    frame = pd.DataFrame(np.arange(8.0).reshape(4, 2), columns=["f0", "f1"]).assign(name=[*"cabc"])
    with open(path, "wb") as file:
        if path.endswith(".parquet"):
            frame.to_parquet(file)
        else:
            frame.to_csv(file, index=False)
    return path


@pytest.mark.parametrize("suffix", [b".parquet", b".csv"])
def test_a_file_is_read(tmp_path, suffix):
    path = write(tmp_path, b"M\xfcller" + suffix)
    assert len(read_wells(path, **OPTIONS)) == 4
    assert len(read_wells(tmp_path, **OPTIONS)) == 4


@pytest.mark.parametrize("suffix", [b".parquet", b".csv"])
@pytest.mark.parametrize("folder", [b"plate=\xfc", b"\xfc=1", b"plate=%FC"])
def test_a_folder_that_would_be_a_column_is_refused(tmp_path, folder, suffix):
    write(tmp_path, folder + b"/a" + suffix)
    with pytest.raises(InputError, match="has a name that is not text of UTF-8; rename it"):
        read_wells(tmp_path, **OPTIONS)


def test_escapes_of_text_are_read(tmp_path):
    write(tmp_path, b"plate=M%C3%BCller/a.csv")
    assert set(read_wells(tmp_path, batch="plate", **OPTIONS).metadata["batch"]) == {"Müller"}

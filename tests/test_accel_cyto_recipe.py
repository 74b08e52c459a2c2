"""A recipe as notebooks have it, from cells to consensus profiles: the same files either way."""

import contextlib
import io

import numpy as np
import pandas as pd
import pytest

import wellgram.accel

pycytominer = pytest.importorskip(
    "pycytominer",
    reason="pycytominer, or what it imports, is absent (pip install --no-deps pycytominer; "
    "pip install pyyaml clevercsv sqlalchemy fire)",
)
pytestmark = pytest.mark.filterwarnings("ignore")  # the peer's own

KINDS = {"float64": 1e-9, "float32": 1e-4}
"""Types of features, and how near the last tables are: float32 is rounded at every step"""


def cells(kind):
    """Return cells of two plates, whose features repeat causes; some labels and values lack."""
    rng = np.random.default_rng(8)
    wells = np.repeat([f"{row}{column:02d}" for row in "ABCDEFGH" for column in range(1, 13)], 4)
    n = 2 * len(wells)
    x = rng.normal(size=(n, 12))[:, rng.integers(12, size=60)] + 0.5 * rng.normal(size=(n, 60))
    names = [f"{part}_F{k}" for part in ("Cells", "Cytoplasm", "Nuclei") for k in range(20)]
    table = pd.DataFrame(x.astype(kind), columns=names)
    table["Cells_F7"] = np.asarray(1, kind)
    table.loc[rng.random(n) < 0.02, "Nuclei_F3"] = np.nan
    table.insert(0, "Metadata_Plate", np.repeat(["P1", "P2"], n // 2))
    table.insert(1, "Metadata_Well", [*wells, *wells])
    table["ImageNumber"] = 1
    return table


def compounds(profiles):
    """Return the profiles with the compound of each well, DMSO in one column of a plate."""
    column = profiles["Metadata_Well"].str[1:].astype(int)
    row = profiles["Metadata_Well"].str[0]
    names = [
        "DMSO" if c == 1 else None if c == 12 else f"{r}{c // 3}"
        for r, c in zip(row, column, strict=True)
    ]
    return profiles.assign(Metadata_compound=names)


def recipe(folder, kind):
    """Make the files of a recipe; return them, and the tables that they came from."""
    tables = {}
    wells = compounds(pycytominer.aggregate(cells(kind), ["Metadata_Plate", "Metadata_Well"]))
    tables["wells"] = wells.astype({name: kind for name in wells if "_F" in name})
    control = "Metadata_compound == 'DMSO'"
    plates = [
        pycytominer.normalize(plate, samples=control, method=method)
        for method in ("mad_robustize", "standardize")
        for _, plate in tables["wells"].groupby("Metadata_Plate")
    ]
    tables["normalized"] = pd.concat(plates, ignore_index=True)
    operations = ["variance_threshold", "correlation_threshold", "drop_na_columns", "blocklist"]
    tables["selected"] = pycytominer.feature_select(tables["normalized"], operation=operations)
    tables["outliers"] = pycytominer.feature_select(
        tables["selected"], operation="drop_outliers", outlier_cutoff=20
    )
    tables["sphered"] = pycytominer.normalize(
        tables["outliers"], method="spherize", spherize_epsilon=0.1
    )
    tables["consensus"] = pycytominer.consensus(
        tables["sphered"], ["Metadata_compound"], operation="modz"
    )
    for name, table in tables.items():
        pycytominer.feature_select(
            table,
            operation="drop_outliers",
            output_file=folder / f"{name}.csv.gz",
            float_format="%.4g",
            compression_options={"method": "gzip", "mtime": 1},
        )
    return tables


@pytest.mark.parametrize("kind", KINDS)
def test_a_recipe_makes_the_same_profiles(tmp_path, monkeypatch, kind):
    monkeypatch.setenv("WELLGRAM_ACCEL_SMALL", "1")
    folders = [tmp_path / who for who in ("theirs", "ours")]
    for folder in folders:
        folder.mkdir()
    theirs = recipe(folders[0], kind)
    with (
        contextlib.redirect_stderr(io.StringIO()),
        wellgram.accel.accelerated(),
        wellgram.accel.profile() as found,
    ):
        ours = recipe(folders[1], kind)
    assert {call.declined for call in found.calls} == {None}
    assert len(found.calls) == 15
    for name, table in theirs.items():
        within = KINDS[kind]
        pd.testing.assert_frame_equal(table, ours[name], rtol=within, atol=within)
        written = [pd.read_csv(folder / f"{name}.csv.gz") for folder in folders]
        pd.testing.assert_frame_equal(*written, rtol=1e-3, atol=1e-3)  # of four digits each

"""Many small files are read side by side and become few blocks; nothing else changes."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import wellgram as wg
from wellgram import InputError
from wellgram.io import gather
from wellgram.io.gather import Where, gathered
from wellgram.io.read_ahead import side_by_side
from wellgram.io.tables import Part


def part(rows, start, kind=np.float32):
    values = pa.array(np.arange(start, start + rows, dtype=kind))
    return Part(pa.table({"a": values, "b": values}), f"part {start}")


@given(
    st.lists(st.tuples(st.integers(0, 30), st.booleans()), max_size=30),
    st.integers(1, 40),
)
def test_parts_keep_their_rows_order_and_names(sizes, rows):
    starts = np.cumsum([0, *(size for size, _ in sizes)]).tolist()
    parts = [
        part(size, start, np.float64 if wide else np.float32)
        for (size, wide), start in zip(sizes, starts, strict=False)
    ]
    met, names = [], []
    for table, ends, own in gathered(iter(parts), ["a", "b"], rows):
        assert table.num_rows == ends[-1]
        assert len(own) == 1 or (table.num_rows <= rows and table.column("a").num_chunks <= 1)
        met += table.column("a").to_pylist()
        names += own
        where = Where(table.column("a").to_numpy().astype(int), ends, own)
        for value in table.column("a").to_pylist():
            holder = max(
                s for s, (size, _) in zip(starts, sizes, strict=False) if s <= value < s + size
            )
            assert where(int(value)) == f"part {holder}"
    assert met == list(range(starts[-1]))
    assert names == [one.where for one in parts]


def test_small_parts_become_few(rng):
    assert len(list(gathered((part(10, 10 * k) for k in range(100)), ["a"], 100))) == 10


def test_text_and_vectors_are_left_apart():
    for values in (["x"], [[1.0]]):
        parts = [Part(pa.table({"a": values}), f"{k}") for k in range(3)]
        assert [names for *_, names in gathered(iter(parts), ["a"], 10)] == [["0"], ["1"], ["2"]]


@pytest.fixture
def folder(tmp_path, rng, monkeypatch):
    """Sixty small files and one that is not, several rows a well, across files too."""
    monkeypatch.setattr(gather, "_SMALL_FILE", 6000)
    monkeypatch.setattr("wellgram.io.chunks._CHUNK_BYTES", 100 * 4 * 4)
    (tmp_path / "wells").mkdir()
    frames = []
    for k in range(61):
        count = 900 if k == 30 else int(rng.integers(1, 30))
        wells = rng.integers(0, 700, count)
        x = rng.normal(size=(count, 4)).astype(np.float32)
        frame = pd.DataFrame(x).add_prefix("feature_")
        frame = frame.assign(well_id=[f"w{w}" for w in wells])
        frame["treatment"] = [f"g{w % 7}" for w in wells]
        frame["experiment_name"] = [f"e{w % 3}" for w in wells]
        frame.to_parquet(tmp_path / "wells" / f"{k:02d}.parquet", index=False)
        frames.append(frame)
    return tmp_path / "wells", pd.concat(frames, ignore_index=True)


OPTIONS = {
    "layout": "columns", "perturbation": "treatment", "batch": "experiment_name",
    "well_id": "well_id", "control": "g0", "allow_duplicates": True,
}  # fmt: skip

pytestmark = pytest.mark.filterwarnings("ignore:.*rows are averaged into")


def test_a_folder_of_small_files_is_what_one_file_is(folder, tmp_path):
    path, whole = folder
    whole.to_parquet(tmp_path / "one.parquet", index=False)
    assert (tmp_path / "wells" / "30.parquet").stat().st_size > 6000
    many, one = wg.open_wells(path, **OPTIONS), wg.open_wells(tmp_path / "one.parquet", **OPTIONS)
    pd.testing.assert_frame_equal(many.metadata, one.metadata)
    np.testing.assert_array_equal(many.read().embeddings, one.read().embeddings)
    assert len(list(many.chunks())) < 40
    maps = [wg.build_map(wells, wg.CenterScale(), dtype="float64") for wells in (many, one)]
    # Sums of several blocks are rounded in another order.
    np.testing.assert_allclose(maps[0].embeddings, maps[1].embeddings, rtol=0, atol=1e-12)


def test_the_file_of_a_bad_well_is_named(folder):
    path, _ = folder
    file = path / "41.parquet"
    frame = pd.read_parquet(file).assign(well_id=lambda f: [f"new{k}" for k in range(len(f))])
    frame.loc[frame.index[-1], "feature_2"] = np.nan
    frame.to_parquet(file, index=False)
    wells = wg.open_wells(path, **OPTIONS)
    said = rf"of 1 wells of 41.parquet, row group 0 hold a NaN .*'new{len(frame) - 1}'"
    with pytest.raises(InputError, match=said):
        wg.build_map(wells, wg.CenterScale())


@pytest.mark.parametrize("far", [False, True])
def test_results_come_in_order_and_failures_are_raised(far):
    assert list(side_by_side(lambda k: k * k, range(100), far=far)) == [k * k for k in range(100)]

    def fail(k):
        if k == 3:
            raise InputError("no")
        return k

    with pytest.raises(InputError, match="no"):
        list(side_by_side(fail, range(100), far=far))

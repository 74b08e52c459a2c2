"""Screens read in blocks: the same numbers however they are cut, and what goes wrong midway."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import wellgram as wg
from helpers.small_screens import FEATURES, plate, write_csv
from wellgram import InputError, build_map, map_from_wells, open_wells, read_wells
from wellgram.align import ALIGNMENTS, alignment
from wellgram.backends import get_backend
from wellgram.simulate import rxrx3_core
from wellgram.stream import WellStream

STREAMED = [name for name in ALIGNMENTS if alignment(name).streams]
CHAINS = ["center-scale+tvn", "robust-mad+sphering", "standardize+robust-mad", "combat+pca-whiten"]
TWICE = [*CHAINS[2:], "feature-select"]
"""One step is fitted on all wells, the other on controls; or it is no affine map"""


@pytest.fixture(scope="module")
def screen():
    return rxrx3_core(scale=0.02, seed=1, features=32)


def as_lists(screen, values=None):
    values = screen.embeddings if values is None else values
    flat = pa.array(np.ascontiguousarray(values).ravel())
    vectors = pa.FixedSizeListArray.from_arrays(flat, values.shape[1])
    return pa.table({"well_id": screen.metadata["well_id"].to_numpy(), "feature_0": vectors})


def as_columns(screen, values=None):
    values = screen.embeddings if values is None else values
    columns = {f"feature_{j}": column for j, column in enumerate(values.T)}
    return pa.table({"well_id": screen.metadata["well_id"].to_numpy(), **columns})


@pytest.fixture(scope="module", params=[as_columns, as_lists], ids=["columns", "lists"])
def files(request, screen, tmp_path_factory):
    """A parquet of several row groups and the metadata."""
    folder = tmp_path_factory.mktemp("screen")
    pq.write_table(request.param(screen), folder / "e.parquet", row_group_size=700)
    return folder / "e.parquet", write_csv(folder / "m.csv", screen.metadata)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Blocks of 200 wells, so that every row group is several; moments of 100 and more."""
    monkeypatch.setattr("wellgram.io.chunks._CHUNK_BYTES", 200 * 32 * 4)
    monkeypatch.setattr("wellgram.align.sample._COLLECTED_BYTES", 100 * 32 * 4)


def same(streamed, whole):
    """Maps of float64 sums, of at most some thousand wells: their rounding is all that differs."""
    pd.testing.assert_frame_equal(streamed.labels, whole.labels)
    size = np.linalg.norm(whole.embeddings, axis=1).max()
    np.testing.assert_allclose(streamed.embeddings, whole.embeddings, rtol=0, atol=1e-9 * size)


def passes(stream):
    """Count how often a stream is read from now on."""
    source, count = stream.source, []

    def counting():
        count.append(1)
        return source()

    object.__setattr__(stream, "source", counting)
    return count


@pytest.mark.parametrize("name", ["none", *STREAMED, *CHAINS])
def test_a_map_is_that_of_wells_in_memory(files, name):
    whole = build_map(read_wells(*files), alignment(name), dtype="float64")
    stream = open_wells(*files)
    read = passes(stream)
    same(build_map(stream, alignment(name), dtype="float64"), whole)
    assert len(read) == (2 if name in TWICE else 1)


@pytest.mark.parametrize("aggregate", ["mean", "median", "spherical-mean"])
@pytest.mark.parametrize("name", ["none", "tvn", "robust-mad"])
def test_every_aggregation(monkeypatch, files, aggregate, name):
    """Two passes at most for means, however made; medians by parts of a few perturbations."""
    whole = build_map(read_wells(*files), alignment(name), aggregate=aggregate, dtype="float64")
    monkeypatch.setattr("wellgram.maps.build._CELL_BYTES", 0)
    monkeypatch.setattr("wellgram.maps.build._STREAM_BYTES", 2000 * 32 * 8)
    stream = open_wells(*files)
    read = passes(stream)
    # Aligned wells are float32, so their means are of float32 roundings, up or down.
    map_ = build_map(stream, alignment(name), aggregate=aggregate, dtype="float64")
    size = np.linalg.norm(whole.embeddings, axis=1).max()
    np.testing.assert_allclose(map_.embeddings, whole.embeddings, rtol=0, atol=2e-6 * size)
    assert aggregate == "median" or len(read) <= 2
    assert aggregate != "median" or len(read) > 2


@pytest.mark.parametrize("name", STREAMED)
def test_fitted_maps_are_those_of_wells_in_memory(files, name):
    wells, stream = read_wells(*files), open_wells(*files)
    whole = alignment(name).fit(wells).transform(wells)
    aligned = alignment(name).fit_transform(stream)
    assert isinstance(aligned, WellStream)
    assert aligned.features == whole.shape[1]
    # float32 rows of maps that differ by the rounding of float64.
    scale = np.abs(whole).max()
    np.testing.assert_allclose(aligned.read().embeddings, whole, rtol=0, atol=1e-6 * scale)


def test_all_of_the_wells_can_be_read(files, screen):
    stream = open_wells(*files)
    assert repr(stream).replace("WellStream", "Wells") == repr(read_wells(*files))
    np.testing.assert_array_equal(stream.read().embeddings, screen.embeddings)
    some = np.array([900, 3, 3000, 4])
    np.testing.assert_array_equal(stream.take(some), screen.embeddings[some])


@pytest.mark.filterwarnings("ignore:.*rows are averaged into")
@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    cuts=st.lists(st.integers(0, 400), max_size=6),
    repeats=st.integers(0, 2),
    seed=st.integers(0, 9),
)
def test_wells_in_any_order_cut_anyhow_some_more_than_once(cuts, repeats, seed):
    """Batches of record batches; rows of a well may lie in different ones."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"Metadata_Plate": rng.choice([*"PQR"], 300)})
    frame["Metadata_broad_sample"] = rng.choice(["DMSO", "A", "B", "C"], 300)
    frame["well"] = [f"w{k}" for k in range(300)]
    x = rng.normal(size=(300, 6)).astype(np.float32) + 5
    order = np.concatenate([np.arange(300), rng.integers(0, 300, 60 * repeats)])
    rng.shuffle(order)
    more = rng.normal(size=(len(order), 6)).astype(np.float32)
    columns = {f"Cells_{j}": column for j, column in enumerate((x[order] + more).T)}
    table = pa.table({**{n: frame[n].to_numpy()[order] for n in frame}, **columns})
    bounds = [0, *sorted(min(cut, len(order)) for cut in cuts), len(order)]

    def batches():
        for first, last in pairwise(bounds):
            yield from table.slice(first, last - first).combine_chunks().to_batches()

    options = {"layout": "cell-painting", "well_id": "well"}
    stream = open_wells(batches, **options)
    whole = read_wells(table, **options)
    streamed = stream.read()
    pd.testing.assert_frame_equal(streamed.metadata, whole.metadata)
    np.testing.assert_array_equal(streamed.embeddings, whole.embeddings)
    for align in (wg.TVN(), wg.CenterScale(), wg.RobustMAD()):
        fitted = type(align)()
        same(
            build_map(stream, align, dtype="float64"),
            build_map(whole, fitted, dtype="float64"),
        )


@pytest.mark.parametrize("spread", ["smaller", "rows", "variances"])
@pytest.mark.parametrize("origin", [0, 1e4])
def test_moments_of_parts_are_those_of_the_whole(rng, spread, origin):
    x = rng.normal(size=(90, 20)) + origin
    parts = np.split(x, [1, 11, 19, 60])
    run = get_backend("reference")
    whole, *found = (
        run.group_moments(part, np.zeros(len(part), np.int64), 1, spread)[0] for part in [x, *parts]
    )
    total = found[0]
    for part in found[1:]:
        total = total.plus(part, spread)
        assert total.is_rows == (spread == "rows" or (spread == "smaller" and total.count < 20))
    assert total.count == 90
    # A mean errs by some eps of the origin; its square enters the squares.
    np.testing.assert_allclose(total.mean, whole.mean, rtol=1e-15, atol=1e-15)
    np.testing.assert_allclose(total.squares(), whole.squares(), rtol=1e-11)
    if spread != "variances":
        np.testing.assert_allclose(total.scatter(), whole.scatter(), atol=1e-9)


def test_sources_that_arrow_hands_over(files, screen, tmp_path):
    described = files[1]
    expected = build_map(read_wells(*files), wg.TVN())
    table = as_columns(screen)
    pq.write_to_dataset(table, tmp_path / "set", max_rows_per_group=500)
    sources = [
        table,
        pyarrow.dataset.dataset(tmp_path / "set"),
        lambda: table.to_batches(300),
        lambda: iter(table.to_batches(300)),
        tmp_path / "set",
        [files[0]],
    ]
    for source in sources:
        map_ = map_from_wells(source, wg.TVN(), metadata=described, layout="rxrx3-core")
        np.testing.assert_allclose(map_.embeddings, expected.embeddings, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (lambda t: iter(t.to_batches()), "can be read only once"),
        (lambda t: pa.RecordBatchReader.from_batches(t.schema, t.to_batches()), "read only once"),
        (lambda t: list, "returned none"),
        (lambda t: 7, "not from a int"),
    ],
)
def test_sources_that_cannot_be_read(screen, source, words):
    with pytest.raises(InputError, match=words):
        open_wells(source(as_columns(screen)), layout="columns", perturbation="well_id")


def test_columns_can_be_named_and_wells_given_as_they_are(tmp_path):
    path = write_csv(tmp_path / "p.csv", plate())
    map_ = map_from_wells(path, by="Metadata_Well", layout="cell-painting", control=[])
    assert map_.labels["perturbation"].tolist() == plate()["Metadata_Well"].tolist()
    wells = open_wells(path, layout="cell-painting")
    assert len(map_from_wells(wells)) == 6
    with pytest.raises(InputError, match="leave out by, layout"):
        map_from_wells(wells, by="x", layout="columns")


def test_a_csv_too_large_to_hold_is_parsed_for_each_pass(monkeypatch, tmp_path):
    monkeypatch.setattr("wellgram.io.screens._HELD_BYTES", 0)
    paths = [write_csv(tmp_path / f"{p}.csv", plate(p, seed)) for seed, p in enumerate("PQ")]
    whole, stream = (get(paths, layout="cell-painting") for get in (read_wells, open_wells))
    same(
        build_map(stream, wg.CenterScale(), dtype="float64"),
        build_map(whole, wg.CenterScale(), dtype="float64"),
    )


def test_a_row_group_too_large_to_hold_is_cut(monkeypatch, files, screen):
    monkeypatch.setattr("wellgram.io.parquet._WHOLE_GROUP", 10_000)
    np.testing.assert_array_equal(open_wells(*files).read().embeddings, screen.embeddings)


@pytest.mark.parametrize("missing", ["drop-wells", "drop-features"])
def test_what_is_missing_is_dropped_as_in_memory(files, screen, tmp_path, missing):
    values = screen.embeddings.copy()
    values[[5, 1000], 3] = np.nan
    values[1800, 30] = -np.inf
    if missing == "drop-wells":
        values[2000] = 0
    make = as_lists if "feature_1" not in pq.read_schema(files[0]).names else as_columns
    pq.write_table(make(screen, values), tmp_path / "e.parquet", row_group_size=300)
    whole, stream = (
        get(tmp_path / "e.parquet", files[1], missing=missing) for get in (read_wells, open_wells)
    )
    assert stream.features == whole.features
    pd.testing.assert_frame_equal(stream.metadata, whole.metadata)
    np.testing.assert_array_equal(stream.read().embeddings, whole.embeddings)
    same(
        build_map(stream, wg.TVN(), dtype="float64"),
        build_map(whole, wg.TVN(), dtype="float64"),
    )


@pytest.mark.parametrize("missing", ["drop-wells", "drop-features"])
def test_nothing_missing_costs_nothing_later(files, missing):
    assert len(open_wells(*files, missing=missing)) == len(read_wells(*files))


@pytest.mark.parametrize(("value", "what"), [(np.nan, "a NaN or an Inf"), (0, "but zeros")])
def test_a_bad_well_in_the_middle_is_named_with_its_row_group(files, screen, tmp_path, value, what):
    values = screen.embeddings.copy()
    values[1500] = value
    path = tmp_path / "e.parquet"
    pq.write_table(as_columns(screen, values), path, row_group_size=700)
    stream = open_wells(path, files[1])
    well = screen.metadata["well_id"][1500]
    with pytest.raises(InputError, match=rf"e.parquet, row group 2 hold.*{what}.*{well!r}"):
        build_map(stream, wg.TVN())


def test_files_of_one_name_are_told_apart(screen, files, tmp_path):
    values = screen.embeddings.copy()
    values[2000, 1] = np.inf
    table = as_columns(screen, values)
    for name, part in (("P1", table[:1500]), ("P2", table[1500:])):
        (tmp_path / name).mkdir()
        pq.write_table(part, tmp_path / name / "embeddings.parquet")
    stream = open_wells(tmp_path, files[1], layout="rxrx3")
    with pytest.raises(InputError, match=r"P2/embeddings.parquet, row group 0"):
        build_map(stream)


def test_a_file_damaged_in_the_middle(files, tmp_path):
    damaged = tmp_path / "e.parquet"
    whole = files[0].read_bytes()
    with pq.ParquetFile(files[0]) as file:
        facts = file.metadata.row_group(2)
        # Every page of the features, whose codec then fails; footer and labels stay readable.
        start = facts.column(1).data_page_offset
    middle = bytes(255 - b for b in whole[start : start + 40_000])
    damaged.write_bytes(whole[:start] + middle + whole[start + 40_000 :])
    stream = open_wells(damaged, files[1])
    with pytest.raises(InputError, match=r"cannot read row group 2 of .*e.parquet"):
        build_map(stream)


def test_vectors_of_another_width_in_the_middle(screen, files, tmp_path):
    table = as_lists(screen)
    narrow = as_lists(screen, screen.embeddings[:, :31])[2000:]
    for name, part in (("a", table[:2000]), ("b", narrow)):
        pq.write_table(part, tmp_path / f"{name}.parquet")
    with pytest.raises(InputError, match=r"b.parquet, row group 0 has 31 features, but a.parquet"):
        build_map(open_wells(tmp_path, files[1]))


@pytest.mark.parametrize("rows", [3000, None])
def test_a_file_that_changes_between_passes(screen, files, tmp_path, rows):
    table, path = as_columns(screen), tmp_path / "e.parquet"
    count = table.num_rows if rows else 3000
    pq.write_table(table[:count], path)
    stream = open_wells(path, files[1], allow_unmatched=True)
    pq.write_table(table[:rows], path)
    with pytest.raises(InputError, match=r"e.parquet has changed since it was opened"):
        build_map(stream)


@pytest.mark.parametrize(("rows", "word"), [(3000, "shrunk"), (None, "grown")])
def test_a_file_elsewhere_that_changes_between_passes(screen, files, rows, word):
    """Nothing but its rows tells it."""
    fsspec = pytest.importorskip("fsspec")
    table, url = as_columns(screen), "memory://changing/e.parquet"
    count = table.num_rows if rows else 3000

    def write(part):
        with fsspec.open(url, "wb") as file:
            pq.write_table(part, file)

    write(table[:count])
    stream = open_wells(url, files[1], allow_unmatched=True)
    write(table[:rows])
    with pytest.raises(InputError, match=f"e.parquet.* has {word}"):
        build_map(stream)


@pytest.mark.parametrize("name", ["inverse-normal", "robust-mad+inverse-normal"])
def test_what_takes_all_wells_at_once_says_so(files, name):
    stream = open_wells(*files)
    with pytest.raises(InputError, match=r"takes all wells at once .*stream.read\(\)"):
        build_map(stream, alignment(name))
    fitted = alignment(name).fit(stream.read())
    for use in (fitted.transform, lambda wells: build_map(wells, fitted)):
        with pytest.raises(InputError, match="takes all wells at once"):
            use(stream)


def test_too_few_controls_are_told_before_anything_is_read(files):
    stream = open_wells(*files)
    read = passes(stream)
    with pytest.raises(InputError, match="an alignment needs"):
        build_map(stream, wg.TVN(min_controls=10_000))
    assert not read


def test_an_interrupted_run_leaves_nothing_behind(files, tmp_path, monkeypatch):
    """Ctrl-C comes as an exception between two blocks."""
    stream = open_wells(*files)
    source = stream.source

    def interrupted():
        for k, block in enumerate(source()):
            if k == 2:
                raise KeyboardInterrupt
            yield block

    object.__setattr__(stream, "source", interrupted)
    align = wg.TVN()
    with pytest.raises(KeyboardInterrupt):
        wg.score(stream, align).save(tmp_path / "out")
    assert not align.is_fitted
    assert not list(tmp_path.iterdir())
    object.__setattr__(stream, "source", source)  # and the next attempt starts afresh
    expected = build_map(read_wells(*files), wg.TVN())
    np.testing.assert_allclose(
        build_map(stream, align).embeddings, expected.embeddings, rtol=0, atol=1e-5
    )


def test_a_score_by_stream_is_that_of_wells_in_memory(files, screen):
    pairs = {"planted": screen.relationships}
    whole, streamed = (
        wg.score(get(*files), wg.TVN(), sources=pairs) for get in (read_wells, open_wells)
    )
    pd.testing.assert_frame_equal(streamed.recall.table, whole.recall.table)
    assert streamed.summary["screen"] == whole.summary["screen"]


def test_progress_of_each_pass(files):
    told = []
    build_map(open_wells(*files), wg.TVN(), progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1
    assert len(told) > 4
    told.clear()
    build_map(open_wells(*files), wg.TVN(), aggregate="spherical-mean", progress=told.append)
    assert told.count(1) == 2


def test_features_named_by_pattern(tmp_path):
    path = tmp_path / "p.parquet"
    pq.write_table(pa.Table.from_pandas(plate()), path)
    options = {"layout": "cell-painting", "features": FEATURES[1:4]}
    streamed, whole = open_wells(path, **options), read_wells(path, **options)
    assert streamed.features == 3
    np.testing.assert_array_equal(streamed.read().embeddings, whole.embeddings)


def test_maps_that_do_not_fit_are_refused_before_anything_is_read(files, screen):
    stream = open_wells(*files)
    read = passes(stream)
    wells = screen.wells()
    other = wells.metadata.assign(batch=wells.metadata["batch"].str.replace("gene", "other"))
    fitted = wg.TVN().fit(wg.Wells(wells.embeddings, other))
    narrow = wg.CenterScale().fit(wg.Wells(wells.embeddings[:, :30], wells.metadata))
    for align, words in ((fitted, "were not there when"), (narrow, "was fitted on 30 features")):
        with pytest.raises(InputError, match=words):
            build_map(stream, align)
    assert not read

"""Mixing and labels by the neighbors of a graph, against loops over its rows."""

from collections import Counter

import numpy as np
import pytest

import wellgram as wg
from wellgram import InputError
from wellgram.errors import ColumnMissing, NotApplicable
from wellgram.metrics.mixing import kbet, lisi, nearest_with_self, scaled_lisi


@pytest.fixture
def wells(rng):
    """120 wells of four perturbations and three batches."""
    x = rng.normal(size=(120, 6)) + 2 * np.repeat(rng.normal(size=(4, 6)), 30, axis=0)
    batch, named = rng.choice(list("abc"), 120), np.repeat(list("pqrs"), 30)
    return wg.Wells.from_arrays(x, named, batch=batch)


def test_mixing_is_that_of_the_measures_of_batch_effects(wells):
    graph = wg.neighbor_graph(wells, 20)
    found = wg.neighbor_mixing(graph)
    codes, _ = wells.batches()
    near, apart = nearest_with_self(wells.embeddings, 21)
    assert found.kbet == kbet(near, codes)
    # Distances there are those of rows of length 1; a graph by cosine has half their squares.
    expected = lisi(near, np.square(apart) / 2, codes)
    np.testing.assert_allclose(found.lisi, expected, rtol=1e-4)  # a bisection to 1e-5
    assert found.scaled_lisi == scaled_lisi(found.lisi, codes)
    assert repr(found).startswith("Mixing of 'batch': kBET ")


def test_rows_that_are_left_out_have_no_mixing(wells):
    rows = wells.embeddings.copy()
    rows[5] = 0
    graph = wg.neighbor_graph(wells.with_embeddings(rows), 20)
    found = wg.neighbor_mixing(graph)
    assert np.flatnonzero(np.isnan(found.lisi)).tolist() == [5]
    kept = np.delete(np.arange(120), 5)
    alone = wg.Wells.from_arrays(
        rows[kept], ["p"] * 119, batch=wells.metadata["batch"].to_numpy()[kept]
    )
    assert wg.neighbor_mixing(wg.neighbor_graph(alone, 20)).kbet == found.kbet


def test_mixing_by_the_column_of_the_graph_is_refused(wells):
    graph = wg.neighbor_graph(wells, 20, across="batch")
    with pytest.raises(InputError, match=r"across 'batch', so they cannot mix by it"):
        wg.neighbor_mixing(graph)
    assert wg.neighbor_mixing(graph, "perturbation").kbet <= 1


def by_counting(graph, labels):
    """Label and share for each row: the most frequent, the nearest first among equals."""
    for nearest in graph.nearest:
        met = [labels[row] for row in nearest if row >= 0 and labels[row] is not None]
        counts = Counter(met)
        most = max(counts.values(), default=0)
        first = next((label for label in met if counts[label] == most), None)
        yield first, most / len(met) if met else np.nan


def test_labels_are_those_of_most_neighbors(wells, monkeypatch):
    labels = wells.metadata["perturbation"].to_numpy(object).copy()
    labels[[3, 50, 100]] = None
    wells.metadata["known"] = labels
    graph = wg.neighbor_graph(wells, 6, across="batch")
    monkeypatch.setattr("wellgram.metrics.graph_measures._CHUNK_CELLS", 36 * 50)
    found = wg.transfer_labels(graph, "known")
    expected, shares = zip(*by_counting(graph, labels), strict=True)
    assert found.table["predicted"].tolist() == list(expected)
    np.testing.assert_allclose(found.table["share"], shares)
    assert found.table["is_right"].isna().to_numpy().nonzero()[0].tolist() == [3, 50, 100]
    right = [a == b for a, b in zip(expected, labels, strict=True) if b is not None]
    assert found.accuracy == np.mean(right)


def test_a_table_of_labels_is_written(wells, tmp_path):
    wg.transfer_labels(wg.neighbor_graph(wells, 3)).save(tmp_path / "labels.csv")
    head = (tmp_path / "labels.csv").read_text().splitlines()[0]
    assert head == "row,label,predicted,share,is_right"


def test_a_graph_without_labels_is_refused(wells):
    graph = wg.neighbor_graph(wells.embeddings, 3)
    for measure in (wg.neighbor_mixing, wg.transfer_labels):
        with pytest.raises(InputError, match=r"rows without labels; make it of wells"):
            measure(graph)


def test_columns_that_cannot_be_used(wells):
    graph = wg.neighbor_graph(wells, 3)
    with pytest.raises(ColumnMissing, match=r"no column 'plate' \(column=\); there are well_id"):
        wg.neighbor_mixing(graph, "plate")
    wells.metadata["one"], wells.metadata["gaps"], wells.metadata["none"] = "x", None, None
    wells.metadata.loc[4:, "gaps"] = "y"
    graph = wg.neighbor_graph(wells, 3)
    with pytest.raises(NotApplicable, match="one value in column 'one'"):
        wg.neighbor_mixing(graph, "one")
    with pytest.raises(InputError, match="4 rows have no value in column 'gaps'"):
        wg.neighbor_mixing(graph, "gaps")
    with pytest.raises(NotApplicable, match="no row has a value in column 'none'"):
        wg.transfer_labels(graph, "none")
    with pytest.raises(InputError, match="2 neighbors of each row or more, not k=1"):
        wg.neighbor_mixing(wg.neighbor_graph(wells, 1))

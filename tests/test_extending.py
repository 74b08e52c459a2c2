"""What a reader adds from outside of the package, by the code of the pages alone."""

import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import wellgram as wg
from wellgram.align import ALIGNMENTS, alignment
from wellgram.backends import available_backends
from wellgram.cli import app
from wellgram.io import FORMATS
from wellgram.suite import BENCHMARKS

DOCS = Path(__file__).parents[1] / "docs"


def code_under(page, heading):
    """The Python of a page between a heading and the next one of its level."""
    text = (DOCS / page).read_text()
    start = re.search(rf"^(#+) {re.escape(heading)}$", text, re.MULTILINE)
    assert start, f"{page} has no heading {heading!r}"
    rest = text[start.end() :]
    end = re.search(rf"^#{{1,{len(start[1])}}} ", rest, re.MULTILINE)
    blocks = re.findall(r"```python\n(.*?)```", rest[: end.start()] if end else rest, re.DOTALL)
    assert blocks, f"{page} has no code under {heading!r}"
    return "\n".join(blocks)


@pytest.fixture(autouse=True)
def registries():
    """Leave the registries as they were."""
    before = [(registry, dict(registry)) for registry in (ALIGNMENTS, BENCHMARKS, FORMATS)]
    yield
    for registry, entries in before:
        registry.clear()
        registry.update(entries)


@pytest.fixture(scope="module")
def screen():
    return wg.simulate.rxrx3_core(scale=0.02, seed=0, features=12)


@pytest.fixture
def names(request, screen, monkeypatch, tmp_path):
    """The names that the code under a heading makes, in a module of its own."""
    page, heading = request.param
    module = ModuleType("of_a_reader")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.chdir(tmp_path)
    wells = screen.wells()
    vars(module).update(wg=wg, wells=wells, map_=wg.build_map(wells))
    exec(compile(code_under(page, heading), f"{page}: {heading}", "exec"), vars(module))
    return vars(module)


def of(page, heading):
    return pytest.mark.parametrize("names", [(page, heading)], indirect=True, ids=[heading])


@of("guide/alignments.md", "An alignment of your own")
def test_an_alignment(names, screen, tmp_path):
    wells = screen.wells()
    by_hand = wells.embeddings.astype(np.float64)
    control = wells.metadata["is_control"].to_numpy(bool)
    batch = wells.batches()[0]
    for b in np.unique(batch):
        by_hand[batch == b] -= by_hand[(batch == b) & control].mean(axis=0)
    # float32 rows less means of float64: half a unit in the last place of values up to 10.
    y = alignment("center").fit_transform(wells)
    np.testing.assert_allclose(y, by_hand, atol=1e-6)
    screen.write(tmp_path)
    files = sorted(tmp_path.glob("*.parquet"))[0], sorted(tmp_path.glob("metadata*.csv"))[0]
    streamed = wg.build_map(wg.open_wells(*files), alignment("center"))
    np.testing.assert_allclose(streamed.embeddings, names["map_"].embeddings, atol=1e-6)
    chained = wg.build_map(wells, alignment("center+center-scale"))
    plain = wg.build_map(wells, wg.CenterScale())
    np.testing.assert_allclose(chained.embeddings, plain.embeddings, atol=1e-5)


@of("guide/benchmarks.md", "A benchmark of your own")
def test_a_benchmark(names, tmp_path):
    result = names["result"]
    lengths = np.linalg.norm(result.map_.embeddings, axis=1)
    (record,) = result.summary["lengths"]
    assert record == {"n_rows": len(lengths), "mean_length": pytest.approx(lengths.mean())}
    result.save(tmp_path / "out")
    np.testing.assert_allclose(pd.read_csv(tmp_path / "out" / "lengths.csv")["length"], lengths)
    assert "<h2>Lengths of rows</h2>" in (tmp_path / "out" / "report.html").read_text()
    ran = CliRunner().invoke(
        app,
        ["score", "--demo", "--metric", "lengths", "--out", str(tmp_path / "demo")],
        catch_exceptions=False,
    )
    assert "Lengths of rows" in ran.stdout
    few = wg.Wells.from_arrays(np.eye(3), ["a", "DMSO", "DMSO"], control="DMSO")
    skipped = wg.score(few, metrics=["lengths"]).skipped["lengths"]
    assert skipped == "there are fewer than two perturbations"


@of("guide/pairs.md", "A question of your own")
def test_a_consumer(names, tmp_path):
    """On each backend that is here, whole and in parts; cards and clusters are tested elsewhere."""
    x, consumer = names["map_"].embeddings, names["CountAbove"](0.5)
    cosines = wg.cosine_matrix(x)
    expected = int((cosines[np.triu_indices(len(x), 1)] > np.float64(0.5)).sum())
    assert names["above"] == expected
    for backend in available_backends():
        (found,) = wg.scan_pairs(x, [consumer], backend=backend)
        # The reference has float64 products: a cosine next to 0.5 may lie on its other side.
        assert abs(found - expected) <= (0 if backend == "cpu" else 1)
    part = wg.scan_pairs(x, [consumer], tiles=(0, 1))
    part.save(tmp_path / "part.npz")
    assert list(wg.Scan.load(tmp_path / "part.npz")) == [expected]


@of("guide/files.md", "A format of your own")
def test_a_table_format(names, screen, tmp_path):
    wells = screen.wells()
    back = wg.read_map("map.feather")
    np.testing.assert_array_equal(back.embeddings, names["map_"].embeddings)
    pd.testing.assert_frame_equal(back.labels, names["map_"].labels)
    opened = wg.open_map("map.feather")
    np.testing.assert_array_equal(opened[3:7], back.embeddings[3:7])
    screen.write(tmp_path)
    files = sorted(tmp_path.glob("*.parquet"))[0], sorted(tmp_path.glob("metadata*.csv"))[0]
    pd.read_parquet(files[0]).to_feather(tmp_path / "embeddings.feather")
    read = wg.read_wells(tmp_path / "embeddings.feather", files[1])
    np.testing.assert_array_equal(
        read.embeddings[np.argsort(read.metadata["well_id"])],
        wells.embeddings[np.argsort(wells.metadata["well_id"])],
    )

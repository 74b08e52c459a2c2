"""The search of blocks finds the planted one, resumes, and pairs what it compares."""

import json

import numpy as np
import pandas as pd
import pytest

from helpers.class_wells import toy
from helpers.small_screens import plate, write_csv
from wellgram import CenterScale, InputError, Wells, linear_probe, open_blocks, search_blocks
from wellgram.simulate import block_stack


@pytest.fixture(scope="module")
def stack():
    return block_stack(7, seed=1, perturbations=45, batches=8, features=48)


@pytest.fixture(scope="module")
def folder(stack, tmp_path_factory):
    folder = tmp_path_factory.mktemp("stack")
    stack.write(folder)
    return folder


def blocks_of(folder):
    return open_blocks(folder / "blocks", folder / "metadata.csv")


def quick(blocks, **options):
    chosen = {"method": "lda", "penalty": 0.1, "metrics": [], "resamples": 200} | options
    return search_blocks(blocks, **chosen)


def wells_of(stack):
    return {name: stack.wells(k) for k, name in enumerate(stack.names)}


@pytest.mark.parametrize(
    ("method", "penalty", "split"), [("lda", None, "batch"), ("logistic", 1.0, "dataset")]
)
def test_the_planted_block_is_found(stack, method, penalty, split):
    result = quick(wells_of(stack), method=method, penalty=penalty, split=split)
    assert result.best == stack.best
    balanced = result.table["balanced"].to_numpy()
    best = stack.names.index(stack.best)
    assert max(balanced[0], balanced[-1]) < balanced[best] / 2
    assert np.argsort(-balanced)[:3].max() - np.argsort(-balanced)[:3].min() == 2  # a peak
    assert result.table["best_share"].sum() == pytest.approx(1)
    assert result.table["behind"].iloc[best] == 0
    low, high = (stack.names.index(name) for name in result.best_interval)
    assert low <= best <= high


def test_recall_and_consistency_come_beside(stack, folder):
    result = search_blocks(
        blocks_of(folder), align=CenterScale(), split="dataset", method="lda", penalty=0.1,
        sources={"planted": stack.relationships}, resamples=100,
    )  # fmt: skip
    best = stack.names.index(stack.best)
    for name in ("recall", "consistency"):
        values = result.table[name]
        assert values.iloc[best] > values.iloc[0] + 0.05
        assert values.iloc[best] > values.iloc[-1] + 0.05
    assert "drug_targets" not in result.table  # no truth was given


def test_blocks_have_the_figures_of_their_own_probe(stack):
    result = quick(wells_of(stack), split="dataset", seed=3)
    for k in (0, 3):
        alone = linear_probe(
            stack.wells(k), split="dataset", method="lda", penalty=0.1, resamples=200, seed=3
        )
        for figure, row in zip(("top_1", "top_5", "balanced"), alone.table.to_dict("records"),
                               strict=True):  # fmt: skip
            assert result.table[figure].iloc[k] == row["accuracy"]
            assert result.table[f"{figure}_ci_low"].iloc[k] == row["ci_low"]


def test_differences_are_paired():
    """Blocks that are right and wrong about the same batches differ by less than each wavers."""
    wells = toy(batches=8, repeats=3)
    spoiled = np.isin(wells.metadata["batch"], ["b0", "b1", "b2"])
    noise = np.random.default_rng(1).normal(size=(int(spoiled.sum()), 8))
    wells.embeddings[spoiled] = noise
    copy = Wells(wells.embeddings * 2.0, wells.metadata)
    table = quick({"a": wells, "b": copy, "c": wells}).table
    assert (table["balanced_ci_high"] - table["balanced_ci_low"]).min() > 0.1
    assert table[["behind_ci_low", "behind_ci_high"]].abs().to_numpy().max() == 0


def test_a_search_goes_on_where_it_stopped(folder, tmp_path, monkeypatch):
    scored = []
    real = linear_probe

    def probe(wells, *args, **options):
        scored.append(len(wells))
        if len(scored) == 4:
            raise KeyboardInterrupt
        return real(wells, *args, **options)

    whole = quick(blocks_of(folder), split="dataset")
    monkeypatch.setattr("wellgram.studies.block_search.linear_probe", probe)
    with pytest.raises(KeyboardInterrupt):
        quick(blocks_of(folder), split="dataset", out=tmp_path)
    assert len(list((tmp_path / "blocks").glob("*.npz"))) == 3
    assert not list((tmp_path / "blocks").glob(".*"))
    result = quick(blocks_of(folder), split="dataset", out=tmp_path)
    assert result.resumed == 3
    assert len(scored) == 4 + 4
    pd.testing.assert_frame_equal(result.table, whole.table)
    again = quick(blocks_of(folder), split="dataset", out=tmp_path)
    assert again.resumed == 7


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 1},
        {"penalty": 0.2},
        {"method": "ridge"},
        {"align": CenterScale()},
        {"kind": "site"},
    ],
)
def test_what_was_scored_otherwise_is_scored_again(stack, tmp_path, changed):
    blocks = dict(list(wells_of(stack).items())[:2])
    for wells in blocks.values():
        wells.metadata["site"] = "1"
    quick(blocks, split="dataset", out=tmp_path)
    assert quick(blocks, split="dataset", out=tmp_path).resumed == 2
    assert quick(blocks, split="dataset", out=tmp_path, **changed).resumed == 0


def test_a_file_that_changed_is_scored_again(stack, folder, tmp_path):
    stack.write(tmp_path / "files")
    quick(blocks_of(tmp_path / "files"), split="dataset", out=tmp_path)
    changed = tmp_path / "files" / "blocks" / f"{stack.names[2]}.parquet"
    frame = pd.read_parquet(changed)
    frame.assign(feature_0=frame["feature_0"] + 1).to_parquet(changed)
    assert quick(blocks_of(tmp_path / "files"), split="dataset", out=tmp_path).resumed == 6


def test_an_array_with_a_block_axis_is_taken(stack, folder, tmp_path):
    np.save(tmp_path / "stack.npy", stack.embeddings)
    tables = [
        quick(blocks, split="dataset").table.drop(columns="block")
        for blocks in (
            blocks_of(folder),
            open_blocks(stack.embeddings, stack.metadata),
            open_blocks(tmp_path / "stack.npy", folder / "metadata.csv"),
        )
    ]
    for table in tables[1:]:
        pd.testing.assert_frame_equal(tables[0], table)


def test_files_are_in_the_order_of_their_numbers(stack, tmp_path):
    sites = stack.metadata["site_id"].tolist()
    for k in (10, 2, 1):
        path = tmp_path / f"block_{k}.parquet"
        rows = {f"feature_{j}": column for j, column in enumerate(stack.embeddings[0].T)}
        pd.DataFrame({"site_id": sites, **rows}).to_parquet(path)
    stack.metadata.to_csv(tmp_path / "metadata.csv", index=False)
    blocks = open_blocks(tmp_path, tmp_path / "metadata.csv")
    assert list(blocks.names) == ["block_1", "block_2", "block_10"]


def test_wells_in_another_order_are_put_in_order(stack):
    blocks = wells_of(stack)
    table = quick(blocks, split="dataset").table
    name = stack.names[2]
    order = np.random.default_rng(0).permutation(len(blocks[name]))
    blocks[name] = Wells(
        blocks[name].embeddings[order], blocks[name].metadata.iloc[order].reset_index(drop=True)
    )
    pd.testing.assert_frame_equal(quick(blocks, split="dataset").table, table)


def test_blocks_of_different_wells_are_refused_before_any_is_read(stack):
    blocks = wells_of(stack)
    name = stack.names[3]
    short = Wells(
        blocks[name].embeddings[1:], blocks[name].metadata.iloc[1:].reset_index(drop=True)
    )
    first = blocks[name].metadata["well_id"].iloc[0]
    with pytest.raises(InputError, match=f"'{name}' has other wells .* '{first}' is missing"):
        quick(blocks | {name: short})
    with pytest.raises(InputError, match=f"1 are new .*'{first}' is not in the first"):
        quick({"a": short, "b": blocks[name]})
    renamed = blocks[name].metadata.assign(
        perturbation=blocks[name].metadata["perturbation"].mask(lambda s: s.index == 5, "other")
    )
    with pytest.raises(InputError, match="is 'other' in block"):
        quick(blocks | {name: Wells(blocks[name].embeddings, renamed)})


def test_one_tested_batch_has_no_interval(tmp_path):
    wells = toy(dataset=lambda batch, code: np.where(batch == "b5", "test", "train"))
    result = quick({"a": wells, "b": wells}, split="dataset")
    assert (result.best, result.best_interval) == ("a", None)
    result.save(tmp_path)
    assert json.loads((tmp_path / "best.json").read_text())["interval"] is None


def test_blocks_that_cannot_be_are_refused(stack, tmp_path):
    with pytest.raises(InputError, match="two at least"):
        open_blocks({"a": stack.wells(0)})
    with pytest.raises(InputError, match="no file or folder"):
        open_blocks([tmp_path / "absent.parquet", tmp_path / "other.parquet"], "metadata.csv")
    with pytest.raises(InputError, match="there is no file"):
        open_blocks(tmp_path / "absent.npy", stack.metadata)
    with pytest.raises(InputError, match="axes"):
        open_blocks(stack.embeddings[0], stack.metadata)
    with pytest.raises(InputError, match="needs the metadata"):
        open_blocks(stack.embeddings)
    with pytest.raises(InputError, match="rows"):
        open_blocks(stack.embeddings, stack.metadata[:5])
    with pytest.raises(InputError, match="unknown metric 'magnitude'"):
        quick(wells_of(stack), metrics=["magnitude"])
    with pytest.raises(InputError, match="no column 'nothing'"):
        quick(wells_of(stack), split="nothing")
    with pytest.raises(InputError, match="entity1"):
        quick(wells_of(stack), metrics=["recall"], sources={"bad": pd.DataFrame({"a": [1]})})


def test_a_search_is_saved_and_drawn(stack, tmp_path):
    result = quick(wells_of(stack), split="dataset")
    result.save(tmp_path)
    best = json.loads((tmp_path / "best.json").read_text())
    assert best["best"] == result.best
    saved = pd.read_csv(tmp_path / "blocks.csv")
    assert saved["block"].tolist() == list(stack.names)
    assert (tmp_path / "blocks.png").read_bytes().startswith(b"\x89PNG")
    assert result.best in repr(result)


def test_an_array_file_that_cannot_be_used(tmp_path):
    stack = np.random.default_rng(0).normal(size=(2, 16, 3))
    path = tmp_path / "blocks.npy"
    for write, words in (
        (
            lambda: np.save(path, stack.astype(object), allow_pickle=True),
            "cannot read .*blocks.npy",
        ),
        (lambda: np.save(path, stack.astype(str)), "holds numbers, not <U32"),
        (lambda: (np.save(path, stack), path.write_bytes(path.read_bytes()[:-9])), "truncated"),
        (lambda: path.write_bytes(b""), "cannot read .*blocks.npy"),
        (lambda: path.write_bytes(b"PK\3\4 of an archive"), "cannot read .*blocks.npy"),
    ):
        write()
        with pytest.raises(InputError, match=words):
            open_blocks(path, plate(), layout="cell-painting")


def test_a_pattern_chooses_blocks(tmp_path):
    for name in ("b1.csv", "b2.csv", "notes.csv"):
        write_csv(tmp_path / name, plate())
    blocks = open_blocks(tmp_path, layout="cell-painting", pattern="b*.csv")
    assert blocks.names == ["b1", "b2"]


@pytest.mark.parametrize("name", ["../../evil", "/evil", "..", "", "a\\b", "a\0b", "n" * 300])
def test_names_of_blocks_stay_within_the_folder(stack, tmp_path, name):
    blocks = {name: stack.wells(0), "b": stack.wells(1)}
    out = tmp_path / "deep" / "out"
    with pytest.raises(InputError, match=r"cannot be the name of a file in out=: rename"):
        quick(blocks, out=out)
    assert not list(tmp_path.iterdir())  # nothing was made, there or elsewhere
    assert quick(blocks).names == [name, "b"]  # without a folder any name will do

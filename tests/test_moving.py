"""Results of several files move into place all or none, wherever a run is stopped."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from wellgram import InputError, PerturbationMap, open_map, write_map
from wellgram.errors import NotWritten
from wellgram.files import exchange, list_older, output_folder, replacing, settle
from wellgram.files.exchange import replace_folder
from wellgram.io.folders import tables_in

OLD = {"a.csv": "old", "b.csv": "old", "gone.csv": "old", "sub/c.csv": "old"}
NEW = {"a.csv": "new", "b.csv": "new", "sub/c.csv": "new", "sub/d.csv": "new"}


def texts(folder):
    """Return what the files of a folder say, but for hidden ones."""
    names = {path: path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    return {
        str(name): path.read_text()
        for path, name in names.items()
        if not any(part.startswith(".") for part in name.parts)
    }


def put(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


def put_deep(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@pytest.fixture
def out(tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    put(folder, OLD)
    return folder


def fill(folder):
    with output_folder(folder) as temporary:
        put(temporary, NEW)
        list_older(temporary, ["gone.csv", "never.csv"])


def killed(folder, renames):
    """Fill a folder in a process that ends at once when so many files were renamed."""
    process = os.fork()
    if process == 0:
        left = renames

        def counted(act):
            def acting(*given, **options):
                nonlocal left
                if left == 0:
                    os._exit(9)
                left -= 1
                return act(*given, **options)

            return acting

        os.replace, os.rename = counted(os.replace), counted(os.rename)
        try:
            fill(folder)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def test_what_is_stopped_before_the_first_rename_has_changed_nothing(out):
    assert killed(out, 0) == 9
    settle(out / "a.csv")
    assert texts(out) == OLD


@pytest.mark.parametrize("renames", range(1, 5))
def test_what_is_stopped_between_renames_is_finished_by_who_reads(out, renames):
    assert killed(out, renames) == 9
    assert texts(out) != NEW
    settle(out / "sub" / "c.csv")
    assert texts(out) == NEW
    assert sorted(path.name for path in out.iterdir()) == ["a.csv", "b.csv", "sub"]


def test_who_lists_a_folder_finishes_it_too(out):
    assert killed(out, 2) == 9
    assert [path.name for path in tables_in(out)] == ["a.csv", "b.csv"]
    assert texts(out) == NEW


@pytest.mark.parametrize("write", [replacing, output_folder])
def test_the_next_writer_finishes_it_first(out, write):
    assert killed(out, 2) == 9
    with write(out / "b.csv" if write is replacing else out) as temporary:
        file = temporary if write is replacing else temporary / "b.csv"
        file.write_text("newest")
    assert texts(out) == NEW | {"b.csv": "newest"}


def test_all_renames_done_is_done(out):
    assert killed(out, 5) == 0
    assert texts(out) == NEW


def test_ctrl_c_between_renames_finishes_them(out, monkeypatch):
    rename = Path.replace
    calls = []

    def interrupted(path, target):
        calls.append(path)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fill(out)
    assert texts(out) == NEW
    assert sorted(path.name for path in out.iterdir()) == ["a.csv", "b.csv", "sub"]


@pytest.mark.parametrize(("there", "new"), [("a.csv/x", "a.csv"), ("a", "a/x.csv")])
def test_a_file_and_a_folder_of_one_name_are_refused_before_anything_moves(tmp_path, there, new):
    put(tmp_path, {there: "mine", "b.csv": "old"})
    with pytest.raises(InputError, match="choose another"), output_folder(tmp_path) as temporary:
        put(temporary, {new: "new", "b.csv": "new"})
    assert texts(tmp_path) == {there: "mine", "b.csv": "old"}


def test_what_a_stranger_sends_moves_nothing_elsewhere(tmp_path):
    """A folder from elsewhere may look as if a run had been stopped in it."""
    mine, sent = tmp_path / "mine", tmp_path / "sent"
    put_deep(sent / ".wellgram-moving" / "link" / "keys", "theirs")
    put_deep(sent / ".wellgram-moving" / ".wellgram-older", "../mine/notes\nmap.csv")
    put_deep(mine / "notes", "mine")
    (sent / "link").symlink_to(mine)
    with pytest.raises(InputError, match="is a link"):
        settle(sent / "map.csv")
    assert texts(mine) == {"notes": "mine"}
    (sent / "link").unlink()
    settle(sent / "map.csv")
    assert texts(mine) == {"notes": "mine"}
    assert texts(sent) == {"link/keys": "theirs"}
    (sent / ".wellgram-moving").symlink_to(mine)
    settle(sent / "map.csv")
    assert texts(mine) == {"notes": "mine"}


def test_what_cannot_be_moved_is_told(out, monkeypatch):
    assert killed(out, 2) == 9

    def refused(path, target):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "replace", refused)
    with pytest.raises(NotWritten, match=f"still in '{out}/.wellgram-moving'.*make the folder"):
        settle(out / "a.csv")


def test_a_map_is_read_whole_after_a_stop(tmp_path):
    rows = np.eye(3, dtype=np.float32)
    labels = pd.DataFrame({"perturbation": ["A", "B", "C"]})
    write_map(PerturbationMap(rows, labels, {}), tmp_path / "map.parquet")
    moving = tmp_path / ".wellgram-moving"
    moving.mkdir()
    (tmp_path / "map.parquet").rename(moving / "map.parquet")
    np.testing.assert_array_equal(open_map(tmp_path / "map.parquet").embeddings, rows)


@pytest.fixture(params=["at once", "by two renames"])
def folders(request, tmp_path, monkeypatch):
    """A new folder, and one in whose place it comes."""
    if request.param == "by two renames":
        monkeypatch.setattr(exchange, "_exchanged", lambda *_: False)
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "text").write_text(name)
    return tmp_path / "new", tmp_path / "old"


def test_a_folder_takes_the_place_of_another(folders):
    new, old = folders
    replace_folder(new, old)
    assert (old / "text").read_text() == "new"
    assert not new.exists() or (new / "text").read_text() == "old"


def test_a_folder_that_was_set_aside_is_put_back(tmp_path):
    (tmp_path / "map.zarr").mkdir()
    aside = tmp_path / ".wellgram-aside.map.zarr"
    (tmp_path / "map.zarr").rename(aside)
    settle(tmp_path / "map.zarr")
    assert (tmp_path / "map.zarr").is_dir()
    aside.mkdir()
    settle(tmp_path / "map.zarr")
    assert [path.name for path in tmp_path.iterdir()] == ["map.zarr"]

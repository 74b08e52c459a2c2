"""Files and folders appear whole or not at all."""

import os

import pytest

from wellgram import InputError
from wellgram.files import output_folder, replacing


class Stop(BaseException):
    """Like Ctrl-C: no Exception."""


def fail_half_way(*paths):
    for path in paths:
        path.write_text("half")
    raise Stop


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def test_a_file_is_replaced_at_the_end(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert temporary.suffix == ".txt"
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["file.txt"]


def test_a_file_stays_as_it_was_where_writing_fails(tmp_path):
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(Stop), replacing(path) as temporary:
        fail_half_way(temporary)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file.txt"]


def test_a_folder_is_filled_at_the_end(tmp_path):
    out = tmp_path / "new" / "out"
    with output_folder(out) as folder:
        (folder / "a.txt").write_text("a")
        (folder / "sub").mkdir()
        (folder / "sub" / "b.txt").write_text("b")
        assert not (out / "a.txt").exists()
    assert names(out) == ["a.txt", "sub", "sub/b.txt"]


def test_a_folder_keeps_what_is_not_replaced(tmp_path):
    (tmp_path / "sub").mkdir()
    for name in ("a.txt", "mine.txt", "sub/mine.txt"):
        (tmp_path / name).write_text("old")
    with output_folder(tmp_path) as folder:
        (folder / "sub").mkdir()
        for name in ("a.txt", "sub/b.txt"):
            (folder / name).write_text("new")
    texts = {name: (tmp_path / name).read_text() for name in names(tmp_path) if "." in name}
    assert texts == {"a.txt": "new", "mine.txt": "old", "sub/b.txt": "new", "sub/mine.txt": "old"}


def test_a_folder_that_existed_stays_as_it_was_where_the_work_fails(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(Stop), output_folder(tmp_path) as folder:
        fail_half_way(folder / "a.txt", folder / "b.txt")
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "old"


def test_new_folders_are_not_left_behind_where_the_work_fails(tmp_path):
    with pytest.raises(Stop), output_folder(tmp_path / "new" / "out") as folder:
        fail_half_way(folder / "a.txt")
    assert names(tmp_path) == []


def test_a_folder_within_a_folder(tmp_path):
    """As `wellgram score` does: it secures the folder first, and `ScoreResult.save` fills it."""
    with output_folder(tmp_path / "out") as outer, output_folder(outer) as inner:
        (inner / "a.txt").write_text("a")
    assert names(tmp_path) == ["out", "out/a.txt"]


@pytest.mark.parametrize("below", ["file", "file/out", "file/deep/out"])
def test_a_folder_that_cannot_be_is_refused_before_the_work(tmp_path, below):
    (tmp_path / "file").write_text("mine")
    words = rf"cannot write .*{below}.*choose another"
    with pytest.raises(InputError, match=words), output_folder(tmp_path / below):
        pytest.fail("the work began")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_the_right_to_write(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="Permission denied"), output_folder(tmp_path / "out"):
        pytest.fail("the work began")

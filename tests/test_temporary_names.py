"""What killed writers have left is told by its name, and removed by the next one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wellgram.files import output_folder, remove_leftovers, replacing, temporary_name
from wellgram.files.temporary_names import remove

WRITE = """
import sys, time
from pathlib import Path
from wellgram.files import temporary_name
path = Path(sys.argv[1], temporary_name("map.parquet"))
path.write_text("half")
print(path.name, flush=True)
time.sleep(60)
"""


@pytest.fixture
def writer(tmp_path):
    """A process that is writing a file; with the file."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITE, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as running:
        yield running, tmp_path / running.stdout.readline().strip()
        running.kill()


def test_what_a_running_process_writes_stays(tmp_path, writer):
    _, path = writer
    remove_leftovers(tmp_path)
    assert path.read_text() == "half"


def test_what_a_killed_process_wrote_goes(tmp_path, writer):
    running, path = writer
    running.kill()
    running.wait()
    remove_leftovers(tmp_path)
    assert not path.exists()


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="zombies are told by /proc")
def test_what_a_killed_process_wrote_goes_though_its_parent_has_not_noticed(tmp_path, writer):
    running, path = writer
    running.kill()
    os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT)
    remove_leftovers(tmp_path)
    assert not path.exists()


def test_what_an_earlier_process_of_the_same_number_wrote_goes(tmp_path):
    machine, process, start, end = temporary_name("a.csv").split("-", 1)[1].split("-", 3)
    earlier = tmp_path / f".wellgram-{machine}-{process}-{int(start) - 1}-{end}"
    earlier.write_text("half")
    remove_leftovers(tmp_path)
    assert not earlier.exists()


def test_what_another_machine_or_the_user_has_written_stays(tmp_path, writer):
    running, path = writer
    running.kill()
    running.wait()
    machine = path.name.split("-")[1]
    names = [
        path.name.replace(machine, "0" * len(machine)),  # another machine
        path.name.removeprefix("."),
        f".wellgram-{machine}-notes",
        ".wellgram-notes",
        f"{path.name}~".replace(".map", "map"),
    ]
    for name in names:
        (tmp_path / name).write_text("mine")
    remove_leftovers(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted(names)


@pytest.mark.parametrize("write", [replacing, output_folder])
def test_the_next_writer_removes_them(tmp_path, writer, write):
    running, path = writer
    running.kill()
    running.wait()
    (tmp_path / f"{path.name}.folder").mkdir()
    (tmp_path / f"{path.name}.folder" / "a.csv").write_text("half")
    target = tmp_path / "new.csv" if write is replacing else tmp_path
    with write(target) as temporary:
        file = temporary if write is replacing else temporary / "new.csv"
        file.write_text("new")
    assert [file.name for file in tmp_path.iterdir()] == ["new.csv"]


def test_a_name_ends_as_the_file_does_and_is_not_too_long(tmp_path):
    for name in ("map.parquet", "x" * 240 + ".csv.gz", "ä" * 120 + ".npz"):
        path = tmp_path / temporary_name(name)
        path.write_text("half")
        assert path.suffixes[-1] == Path(name).suffix


def test_a_link_is_removed_and_not_what_it_leads_to(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.csv").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "folder")
    remove(tmp_path / "link")
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "folder" / "a.csv").read_text() == "mine"

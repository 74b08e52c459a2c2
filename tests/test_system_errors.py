"""What the system refuses is one line that names the place and the cause; old results stay."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from wellgram.cli.system_errors import system_words
from wellgram.errors import NotWritten
from wellgram.files import output_folder, replacing

WELLGRAM = [sys.executable, "-m", "wellgram"]
SIMULATE = ["simulate", "--scale", "0.01", "--features", "8", "--out"]
FULL = Path("/dev/full")


def process(*arguments, **options):
    return subprocess.run(
        [*WELLGRAM, *map(str, arguments)], stderr=subprocess.PIPE, text=True, **options
    )


def small_files():
    """Let no file grow beyond 20 kB, as a quota does."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_a_file_that_grows_too_large_is_one_line_and_old_results_stay(tmp_path):
    out = tmp_path / "screen"
    out.mkdir()
    (out / "metadata_rxrx3_core.csv").write_text("old")
    done = process(*SIMULATE, out, stdout=subprocess.DEVNULL, preexec_fn=small_files)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"error: cannot write '{out}': File too large"
    assert [path.name for path in out.iterdir()] == ["metadata_rxrx3_core.csv"]
    assert (out / "metadata_rxrx3_core.csv").read_text() == "old"


@pytest.mark.skipif(not FULL.exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("command", ["info", "--version"])
def test_output_to_a_full_disk_is_one_line(command):
    with FULL.open("w") as full:
        done = process(command, stdout=full)
    assert done.returncode == 1
    assert done.stderr == ("error: cannot write to the standard output: No space left on device\n")


def test_a_module_that_finds_no_room_is_one_line():
    """As where memory is limited (ulimit -v)."""
    code = (
        "import wellgram.cli as cli\n"
        "def app(): raise ImportError('libfortran.so: failed to map segment from shared object')\n"
        "cli.app = app\n"
        "cli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: out of memory (libfortran.so: failed to map")


def test_output_that_is_closed_is_one_line_before_any_work(tmp_path):
    done = process(*SIMULATE, tmp_path / "out", preexec_fn=lambda: os.close(1))
    assert done.returncode == 1
    assert done.stderr.startswith("error: the standard output is closed")
    assert not (tmp_path / "out").exists()


def test_a_pipe_that_nobody_reads_ends_quietly():
    end, start = os.pipe()
    os.close(end)
    with os.fdopen(start, "w") as pipe:
        done = process("info", stdout=pipe)
    assert done.returncode == 1
    assert done.stderr == ""


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS])
@pytest.mark.parametrize("write", [replacing, output_folder])
def test_what_cannot_be_written_names_the_file(tmp_path, write, number):
    target = tmp_path / "out"
    with pytest.raises(NotWritten) as raised, write(target):
        raise OSError(number, "in the words of a library")
    assert str(raised.value) == f"cannot write '{target}': {os.strerror(number)}"
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_called_as_it_would_be_in_the_end(tmp_path):
    words = rf"cannot write '{tmp_path}/a.csv': "
    with pytest.raises(NotWritten, match=words), output_folder(tmp_path) as folder:
        raise PermissionError(errno.EACCES, "no", str(folder / "a.csv"))
    with pytest.raises(NotWritten, match=words), replacing(tmp_path / "a.csv") as temporary:
        raise PermissionError(errno.EACCES, "no", str(temporary))
    with (
        pytest.raises(NotWritten, match=words),
        output_folder(tmp_path) as folder,
        replacing(folder / "a.csv"),
    ):
        raise OSError(errno.ENOSPC, "no")


def test_what_cannot_be_read_meanwhile_is_not_said_to_be_unwritable(tmp_path):
    with pytest.raises(PermissionError) as raised, output_folder(tmp_path / "out"):
        raise PermissionError(errno.EACCES, "Permission denied", "input.csv")
    assert system_words(raised.value) == "cannot read or write 'input.csv': Permission denied"


def test_words_of_the_system_are_one_line():
    assert system_words(OSError("Error writing\nbytes")) == "Error writing bytes"

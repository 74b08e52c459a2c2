"""Names of what is being written: they say which process writes, so leftovers can be told."""

import hashlib
import os
import re
import shutil
import subprocess
import uuid
import zlib
from contextlib import suppress
from pathlib import Path

_NAME = re.compile(
    r"\.wellgram-(?P<machine>[0-9a-f]{8})-(?P<process>[1-9][0-9]{0,8})-(?P<start>[0-9]{1,20})"
    r"-[0-9a-f]{8}(\..*)?",
    re.DOTALL,
)
_LONGEST_END = 40
"""Letters of the real name that are kept, so that no name is too long for a file system"""


def temporary_name(name: str = "") -> str:
    """Return a new hidden name: machine, process and start time of the writer, and `name`'s end.

    It ends as `name` does, since writers choose their format by the suffix.
    """
    process = os.getpid()
    writer = f"{_machine()}-{process}-{_start_time(process) or 0}"
    end = f".{name[-_LONGEST_END:]}" if name else ""
    return f".wellgram-{writer}-{uuid.uuid4().hex[:8]}{end}"


def remove_leftovers(folder: Path) -> None:
    """Remove what writers left in a folder that were killed on this machine.

    What a running process writes stays, and so does what another machine has written.
    """
    try:
        names = os.listdir(folder)
    except OSError:
        return
    for name in names:
        if name.startswith(".wellgram-") and _is_leftover(name):
            with suppress(OSError):  # of another user
                remove(folder / name)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _is_leftover(name: str) -> bool:
    writer = _NAME.fullmatch(name)
    if writer is None or writer["machine"] != _machine():
        return False
    return not _is_running(int(writer["process"]), int(writer["start"]))


def _machine() -> str:
    """Return what tells this machine from others, and a container from its host."""
    numbering = ""
    with suppress(OSError):  # only Linux has it
        numbering = os.readlink("/proc/self/ns/pid")
    text = f"{os.uname().nodename} {numbering}"
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def _is_running(process: int, start: int) -> bool:
    """Whether the process that began then is still there: its number may be another's by now."""
    now = _start_time(process)
    return _exists(process) if now is None else now == start


def _start_time(process: int) -> int | None:
    """Return when a process began, in units of the system; None where that cannot be known.

    It is 0 for a process that has ended and that its parent has not asked for yet.
    """
    if not Path("/proc/self/stat").exists():
        return _start_time_by_ps(process)
    try:
        line = Path(f"/proc/{process}/stat").read_text(errors="replace")
    except OSError:
        return None
    # The name of the program stands in brackets, and may hold blanks and brackets.
    state, *fields = line.rpartition(")")[2].split()
    return 0 if state in "ZX" else int(fields[18])


def _start_time_by_ps(process: int) -> int | None:
    command = ["ps", "-o", "lstart=", "-p", str(process)]
    words = subprocess.run(command, capture_output=True, check=False).stdout.split()
    return zlib.crc32(b" ".join(words)) if words else None


def _exists(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is another user's
        return True
    return True

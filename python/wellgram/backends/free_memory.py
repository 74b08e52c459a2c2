"""How much main memory is free, and the refusal of what takes more.

A caller chooses how many draws, bins or neighbors there are. Their memory is compared with what is
free before it is allocated. Sizes under 64 MB are not: a look costs some reads of system files.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from wellgram.errors import NotEnoughMemory

_SMALL = 1 << 26
"""Bytes that are not worth a look"""
_CGROUPS = Path("/sys/fs/cgroup")


def check_room(size: int, what: str, remedy: str) -> None:
    """Raise unless so many bytes of main memory are free.

    Parameters
    ----------
    size
        The bytes that something takes at least.
    what, remedy
        Words for the message: what takes the memory, and what to ask for instead.

    Raises
    ------
    NotEnoughMemory
        If fewer are free.
    """
    if size < _SMALL:
        return
    free = free_bytes()
    if free is not None and size > free:
        raise NotEnoughMemory(
            f"{what} takes {_gigabytes(size)} of memory or more, but {_gigabytes(free)} are free; "
            f"{remedy}"
        )


def free_bytes() -> int | None:
    """Return the bytes that this process can still take; None where the system does not say.

    The least of what the machine has free (with its swap), what the process's control groups leave
    and what ``ulimit -v`` leaves. What the system can drop at once, such as cached files, is free.
    """
    return min((*_of_machine(), *_of_control_groups(), *_of_process()), default=None)


def _of_machine() -> Iterator[int]:
    counts = _counts(Path("/proc/meminfo"))
    if "MemAvailable:" in counts:
        yield (counts["MemAvailable:"] + counts.get("SwapFree:", 0)) * 1024


def _of_control_groups() -> Iterator[int]:
    """Yield what each group of the process, and each that it lies in, leaves of its limit."""
    for line in _lines(Path("/proc/self/cgroup")):
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            top, names = _CGROUPS, ("memory.max", "memory.current", "")
        elif "memory" in controllers.split(","):
            top = _CGROUPS / "memory"
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
        else:
            continue
        group = top / path.lstrip("/")
        while group.is_relative_to(top):
            yield from _left(group, *names)
            group = group.parent


def _left(group: Path, limit: str, used: str, prefix: str) -> Iterator[int]:
    limits, uses = _lines(group / limit), _lines(group / used)
    if limits and uses and limits[0].isdecimal():  # not "max"
        counts = _counts(group / "memory.stat")
        cached = sum(counts.get(f"{prefix}{part}_file", 0) for part in ("inactive", "active"))
        yield max(0, int(limits[0]) - int(uses[0]) + cached)


def _of_process() -> Iterator[int]:
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    sizes = _lines(Path("/proc/self/statm"))
    if limit != resource.RLIM_INFINITY and sizes:
        yield max(0, limit - int(sizes[0].split()[0]) * os.sysconf("SC_PAGE_SIZE"))


def _counts(path: Path) -> dict[str, int]:
    """Return the numbers of a file of lines ``name number``."""
    words = (line.split() for line in _lines(path))
    return {line[0]: int(line[1]) for line in words if len(line) > 1 and line[1].isdecimal()}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:,.1f} GB"

"""The memory of this process, as Linux counts it.

Of itself: what the parent is told of a child's peak (``ru_maxrss``) is at least the parent's own.
"""

from pathlib import Path


def status(name: str) -> int:
    """Return an entry of this process's memory, in bytes (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"no {name} in /proc/self/status")


def reset_peak() -> int:
    """Forget the peak memory so far; return what is in use."""
    Path("/proc/self/clear_refs").write_text("5")
    return status("VmRSS")

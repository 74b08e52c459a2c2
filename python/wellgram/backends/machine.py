"""What runs here: versions, backends, instruction sets, threads, devices."""

import platform
import sys
from importlib.metadata import version
from typing import Any

from wellgram.backends import BACKENDS, get_backend, why_not
from wellgram.backends.devices import cuda_devices
from wellgram.errors import BackendUnavailable

_PACKAGES = ("numpy", "scipy", "pandas", "pyarrow")


def environment() -> dict[str, Any]:
    """Return versions, backends (how each runs, or why it does not) and devices."""
    devices, no_devices = cuda_devices()
    return {
        "wellgram": version("wellgram"),
        "python": platform.python_version(),
        "platform": platform.platform(),
        **{name: version(name) for name in _PACKAGES},
        "backend": _chosen(),
        "backends": {name: _state(name) for name in BACKENDS},
        "cuda_devices": devices or f"none: {no_devices}",
    }


def peak_memory() -> int:
    """Return the most memory this process has held so far, in bytes."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _chosen() -> str:
    try:
        return get_backend().name
    except BackendUnavailable as problem:
        return f"none: {problem}"


def _state(name: str) -> str:
    reason = why_not(name)
    return f"unavailable: {reason}" if reason else get_backend(name).describe()

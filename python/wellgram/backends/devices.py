"""The CUDA devices of this machine, asked of the extension module where it was built."""

from importlib.util import find_spec
from typing import Any


def cuda_devices() -> tuple[list[dict[str, Any]], str]:
    """Return the devices (name, compute_capability, memory in bytes) and why there is none.

    Needs neither a driver nor the extension: without them the reason says so.
    """
    try:
        from wellgram import _cuda
    except ImportError as problem:
        if find_spec("wellgram._cuda") is None:
            return [], "wellgram was built without CUDA"
        return [], f"the extension module wellgram._cuda does not load: {problem}"
    return _cuda.devices()


def cuda_module() -> Any:
    """Return the extension module, which was found to be there."""
    from wellgram import _cuda

    return _cuda

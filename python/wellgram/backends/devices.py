"""The CUDA devices of this machine, asked of the extension module where it was built."""

import os
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


CARDS = (2, 13)
"""The device types of CUDA arrays in DLPack, plain and managed"""


def lies_on_a_card(x: Any) -> bool:
    """Whether x is an array of some CUDA device."""
    if hasattr(x, "__dlpack_device__"):
        return int(x.__dlpack_device__()[0]) in CARDS
    return hasattr(x, "__cuda_array_interface__")


def device_index() -> int:
    """Return the number of the card that ``WELLGRAM_CUDA_DEVICE`` names, else 0."""
    return int(os.environ.get("WELLGRAM_CUDA_DEVICE", "0"))


def cuda_module() -> Any:
    """Return the extension module, which was found to be there."""
    from wellgram import _cuda

    return _cuda

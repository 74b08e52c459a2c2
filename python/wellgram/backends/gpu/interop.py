"""Arrays of the card from other libraries, and back to them."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from wellgram.backends.devices import CARDS
from wellgram.backends.gpu.arrays import Foreign, Matrix
from wellgram.backends.gpu.driver import Driver
from wellgram.errors import InputError


def lies_on_card(x: Any, driver: Driver) -> bool:
    """Whether x is an array of a card, and not one of main memory.

    Raises
    ------
    InputError
        If it lies on another card.
    """
    if isinstance(x, np.ndarray | np.generic | Sequence):
        return False
    if hasattr(x, "__dlpack_device__"):
        kind, index = (int(part) for part in x.__dlpack_device__())
    elif hasattr(x, "__cuda_array_interface__"):
        kind, index = CARDS[0], driver.index
    else:
        return False
    if kind not in driver.array_types:
        return False
    if index != driver.index:
        raise InputError(
            f"the array lies on card {index}, but the backend runs on card {driver.index}; "
            f"move it there or set WELLGRAM_CUDA_DEVICE={index}"
        )
    return True


def adopt(x: Any, driver: Driver, name: str) -> Foreign:
    """Return what is known of a matrix on the card.

    Raises
    ------
    InputError
        If it is no matrix of floats.
    """
    found = driver.adopt(x) if hasattr(x, "__dlpack__") else by_interface(x, driver)
    if len(found.shape) != 2:
        raise InputError(f"{name} must be a matrix (rows, features), not of shape {found.shape}")
    if found.c_type is None:
        raise InputError(
            f"{name} has dtype {getattr(x, 'dtype', found.kind)}; give float32, float64, float16 "
            "or bfloat16"
        )
    return found


def by_interface(x: Any, driver: Driver) -> Foreign:
    """Return what ``__cuda_array_interface__`` tells, when the work of its stream is waited for."""
    given = x.__cuda_array_interface__
    if given.get("stream"):
        driver.follow(given["stream"])
    shape, dtype = tuple(given["shape"]), np.dtype(given["typestr"])
    strides = given.get("strides")
    if strides is None:
        steps = contiguous_steps(shape)
    else:
        steps = tuple(step // dtype.itemsize for step in strides)
    code = 2 if dtype.kind == "f" and dtype.isnative else -1
    return Foreign(x, given["data"][0], shape, steps, (code, 8 * dtype.itemsize))


def contiguous_steps(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the steps of an array that lies row by row, in elements."""
    steps = [1]
    for size in reversed(shape[1:]):
        steps.insert(0, steps[0] * size)
    return tuple(steps)


def hand_back(matrix: Matrix, driver: Driver, like: Any) -> Any:
    """Return a matrix as an array of the library that `like` is of, where that takes DLPack."""
    ours = driver.give(matrix)
    library = sys.modules.get(type(like).__module__.partition(".")[0])
    take = getattr(library, "from_dlpack", None)
    return ours if take is None or isinstance(ours, type(like)) else take(ours)

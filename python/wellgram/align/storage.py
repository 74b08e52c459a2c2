"""Affine maps in files: NumPy archives that know their version and notice damage."""

from pathlib import Path
from typing import Any

import numpy as np

from wellgram.backends.protocol import AffineMaps
from wellgram.checksums import read_arrays, write_arrays
from wellgram.errors import InputError
from wellgram.files import replacing

_FORMAT = "wellgram.BatchAffine 1"


def save_maps(
    path: str | Path, maps: tuple[AffineMaps, ...], arrays: dict[str, Any], about: dict[str, Any]
) -> None:
    """Write maps, other arrays, and what JSON can hold."""
    parts = {
        f"{name}.{k}": part for k, step in enumerate(maps) for name, part in _parts(step).items()
    }
    both = arrays | parts
    about = {"format": _FORMAT, "maps": len(maps)} | about
    with replacing(path) as temporary, temporary.open("wb") as file:
        write_arrays(file, about, both)


def load_maps(
    path: str | Path,
) -> tuple[tuple[AffineMaps, ...], dict[str, Any], dict[str, Any]]:
    """Read what `save_maps` wrote: the maps, all arrays, and what JSON held.

    Raises
    ------
    InputError
        If the file is something else, of another version, or damaged.
    """
    try:
        with Path(path).open("rb") as file:
            about, arrays = read_arrays(file, _FORMAT)
    except FileNotFoundError:
        raise InputError(f"there is no file {str(path)!r}") from None
    except (OSError, ValueError) as problem:
        raise InputError(f"{str(path)!r} is no saved alignment ({problem})") from None
    return tuple(_from_parts(arrays, k) for k in range(about["maps"])), arrays, about


def _parts(step: AffineMaps) -> dict[str, Any]:
    ranks = np.array([factor.shape[1] for factor in step.factors], np.int64)
    return {
        "shift": step.shift,
        **({} if step.basis is None else {"basis": step.basis}),
        "offset": step.offset,
        "scale": step.scale,
        "ranks": ranks,
        "factors": np.concatenate([np.empty((step.features, 0)), *step.factors], axis=1),
        "gains": np.concatenate([np.empty(0), *step.gains]),
    }


def _from_parts(arrays: dict[str, Any], k: int) -> AffineMaps:
    def part(name: str) -> Any:
        return arrays[f"{name}.{k}"]

    ends = np.cumsum(part("ranks"))[:-1]
    return AffineMaps(
        part("shift"),
        arrays.get(f"basis.{k}"),
        part("offset"),
        part("scale"),
        tuple(np.ascontiguousarray(f) for f in np.split(part("factors"), ends, axis=1)),
        tuple(np.split(part("gains"), ends)),
    )

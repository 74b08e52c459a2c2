"""Affine maps in files: NumPy archives that know their version and notice damage."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from wellgram.backends.protocol import AffineMaps
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
    about["sha256"] = _checksum(about, both)
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, about=np.array(json.dumps(about)), **both)


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
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        about = json.loads(str(arrays.pop("about")))
        said = about.pop("sha256")
    except FileNotFoundError:
        raise InputError(f"there is no file {str(path)!r}") from None
    except Exception as problem:  # damage shows in many ways: zip, pickle, json, a missing name
        raise InputError(f"{str(path)!r} is no saved alignment ({problem})") from None
    if about["format"] != _FORMAT:
        raise InputError(f"{str(path)!r} is {about['format']!r}; this reads {_FORMAT!r}")
    if said != _checksum(about, arrays):
        raise InputError(f"{str(path)!r} is damaged: its checksum differs; save it again")
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


def _checksum(about: dict[str, Any], arrays: dict[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()

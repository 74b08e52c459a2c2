"""Check sums of what was read: of files as the usual tool prints them, of tables, and of arrays."""

import hashlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_CHUNK_BYTES = 1 << 22
_TELL_SECONDS = 0.1


@dataclass(frozen=True)
class Checksum:
    """How large a file is, and its SHA-256; of a folder, of its files and their names."""

    bytes: int
    sha256: str


def checksum(path: str | Path, progress: Callable[[float], None] | None = None) -> Checksum:
    r"""Return the size and the SHA-256 of a file.

    Of a folder it is what ``find . -type f -printf '%P\n' | LC_ALL=C sort | xargs sha256sum |
    sha256sum`` prints within it, so it does not depend on where the folder lies; its files are read
    side by side.

    Parameters
    ----------
    path
        A file, or a folder.
    progress
        Called with the share of the bytes that were read.
    """
    path = Path(path)
    inside = [found for found in path.rglob("*") if found.is_file()]
    inside.sort(key=lambda file: os.fsencode(file.relative_to(path).as_posix()))
    files = inside if path.is_dir() else [path]
    size = sum(file.stat().st_size for file in files)
    digests = _digests(files, size, progress)
    if not path.is_dir():
        return Checksum(size, digests[0])
    lines = "".join(
        f"{digest}  {file.relative_to(path).as_posix()}\n"
        for digest, file in zip(digests, files, strict=True)
    )
    return Checksum(size, hashlib.sha256(lines.encode()).hexdigest())


def frame_digest(frame: pd.DataFrame) -> str:
    """Return a digest of the values of a table, as text; its index does not matter."""
    values = pd.util.hash_pandas_object(frame.astype("str"), index=False).to_numpy()
    return hashlib.blake2b(values.tobytes(), digest_size=8).hexdigest()


def write_arrays(
    file: IO[bytes], about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
) -> None:
    """Write arrays and what JSON can hold as a NumPy archive, with a SHA-256 of it all."""
    summed = json.dumps({**about, "sha256": _arrays_digest(about, arrays)})
    np.savez(file, about=np.array(summed), **arrays)  # type: ignore[arg-type]


def read_arrays(
    file: IO[bytes], version: str | None = None
) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return what `write_arrays` wrote: what JSON held, and the arrays.

    Parameters
    ----------
    file
        A file open to be read.
    version
        The format that the file must name; None: any.

    Raises
    ------
    ValueError
        If the file is something else, or not as it was written.
    """
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        about = dict(json.loads(str(arrays.pop("about"))))
    except Exception as problem:  # damage shows in many ways: zip, pickle, json, a missing name
        raise ValueError(str(problem)) from problem
    if version is not None and about.get("format") != version:
        raise ValueError(f"it is {about.get('format')!r}; this reads {version!r}")
    written = about.pop("sha256", None)
    if written is None:
        raise ValueError("it has no checksum, as those of older versions had none; make it again")
    if written != _arrays_digest(about, arrays):
        raise ValueError("it is damaged: its checksum differs; make it again")
    return about, arrays


def _arrays_digest(about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data if array.nbytes else b"")
    return digest.hexdigest()


def _digests(files: list[Path], size: int, progress: Callable[[float], None] | None) -> list[str]:
    """Return the SHA-256 of each file, a thread to each; what interrupts this one ends them all."""
    read = [0] * len(files)
    stopped = threading.Event()

    def digest(k: int) -> str:
        found = hashlib.sha256()
        with files[k].open("rb") as opened:
            while not stopped.is_set() and (chunk := opened.read(_CHUNK_BYTES)):
                found.update(chunk)
                read[k] += len(chunk)
        return found.hexdigest()

    with ThreadPoolExecutor(os.cpu_count()) as readers:
        coming = [readers.submit(digest, k) for k in range(len(files))]
        try:
            under_way = set(coming)
            while under_way:
                done, under_way = wait(under_way, _TELL_SECONDS, FIRST_EXCEPTION)
                for one in done:
                    one.result()  # raises at once what reading raised
                if progress is not None and size:
                    progress(sum(read) / size)
        except BaseException:
            stopped.set()
            readers.shutdown(wait=False, cancel_futures=True)
            raise
    return [one.result() for one in coming]

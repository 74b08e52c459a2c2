"""The folder of a run's results: nothing of an earlier run stays among them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wellgram.files import list_older
from wellgram.io.places import Place, Remote, locate, placing_folder, read_bytes

SUMMARY = "summary.json"


@contextmanager
def placing_results(path: "str | Place") -> Iterator[Path]:
    """Yield a folder whose files are in the folder `path` on success, as `placing_folder` does.

    What the summary that was there names, and is not written again, is removed then. Files that it
    does not name stay.

    Raises
    ------
    InputError
        If the folder cannot be made or written to, before the work begins.
    """
    place = locate(path)
    with placing_folder(path) as folder:
        older = _written_before(place)
        yield folder
        gone = older - {file.name for file in folder.iterdir()}
        if gone and isinstance(place, Path):
            list_older(folder, gone)
    if isinstance(place, Remote):
        for name in gone:
            for file in place.glob(name):
                file.fs.rm_file(file.inside)


def _written_before(place: Place) -> set[str]:
    """Return the files that an earlier run has written, by its summary."""
    try:
        names = [json.loads(read_bytes(file)).get("files", []) for file in place.glob(SUMMARY)]
    except (ValueError, AttributeError):  # the summary of something else
        return set()
    return {
        name
        for name in (names[0] if names else [])
        if isinstance(name, str) and name == Path(name).name and not set(name) & set("*?[")
    }

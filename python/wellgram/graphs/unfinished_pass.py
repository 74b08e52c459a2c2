"""What an interrupted search has found, kept for the next one of the same rows and settings."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from wellgram.checksums import read_arrays, write_arrays
from wellgram.errors import InputError
from wellgram.files import replacing
from wellgram.graphs.candidates import Candidates


class UnfinishedPass:
    """Candidates of rows in a folder of one's own, until the search is done.

    Parameters
    ----------
    folder
        Where they are kept; made if need be.
    facts
        What tells a search from others: rows, settings.
    """

    def __init__(self, folder: str | Path, facts: Mapping[str, Any]) -> None:
        from importlib.metadata import version

        text = json.dumps([version("wellgram"), facts], sort_keys=True)
        self._folder = Path(folder)
        self._key = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise InputError(
                f"the folder {str(folder)!r} cannot be made ({problem.strerror}); name another "
                "(unfinished=)"
            ) from None

    def load(self, part: str) -> tuple[int, Candidates] | None:
        """Return what was kept of a part of the search: how many pieces it has met, and what.

        None where nothing was kept, or what an interruption has damaged.
        """
        try:
            with self._path(part).open("rb") as file:
                about, arrays = read_arrays(file, self._key)
        except (OSError, ValueError):
            return None
        return int(about["pieces"]), Candidates(arrays["partners"], arrays["cosines"])

    def save(self, part: str, pieces: int, found: Candidates) -> None:
        """Keep what so many pieces of a part of the search have met, in place of what was kept."""
        about = {"format": self._key, "pieces": pieces}
        with replacing(self._path(part)) as temporary, temporary.open("wb") as file:
            write_arrays(file, about, {"partners": found.partners, "cosines": found.cosines})

    def end(self) -> None:
        """Let go of what was kept; the folder stays if it holds anything else."""
        for path in self._folder.glob(f"{self._key}-*.npz"):
            path.unlink(missing_ok=True)
        try:
            self._folder.rmdir()
        except OSError:
            return

    def _path(self, part: str) -> Path:
        return self._folder / f"{self._key}-{part}.npz"

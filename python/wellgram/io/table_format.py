"""What a format of tables is: an entry of the registry in `formats.py`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from wellgram.io.places import Place
from wellgram.io.tables import Table
from wellgram.wells import PerturbationMap


@dataclass(frozen=True)
class Format:
    """A kind of file that tables are read from, and maps written to if it can hold them.

    Whether a file can be read in parts is a property of its `Table`.
    """

    name: str
    """What messages call it; no other format is called so"""
    suffixes: tuple[str, ...]
    """How the names of its files end, such as ``(".csv", ".csv.gz")``"""
    open: Callable[[Place, str], Table]
    """Returns the table of a file that is there, given what messages call the file"""
    write_map: Callable[[PerturbationMap, Path], None] | None = None
    """Writes a map to a path where there is nothing yet; None: the format cannot hold a map"""
    folder_files: tuple[str, ...] = ()
    """Where a table is a folder: names of files, at least one of which is in every such folder"""
    open_encoded: Callable[[Place, str, str], Table] | None = None
    """Opens a file of text, given its encoding as well; None: the format says what text is in"""

    @property
    def is_folder(self) -> bool:
        """Whether a table is a folder, not a file."""
        return bool(self.folder_files)

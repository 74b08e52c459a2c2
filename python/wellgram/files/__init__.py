"""Files appear whole or not at all: written under a temporary name, then renamed."""

from wellgram.files.moving import finish_moves, list_older, settle
from wellgram.files.replacing_files import output_folder, replacing, save_csv
from wellgram.files.temporary_names import remove_leftovers, temporary_name

__all__ = [
    "finish_moves",
    "list_older",
    "output_folder",
    "remove_leftovers",
    "replacing",
    "save_csv",
    "settle",
    "temporary_name",
]

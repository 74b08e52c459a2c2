"""Known relationships: csv files of ``entity1,entity2``, found where the user has them.

The public sets (CORUM, HuMAP, Reactome, SIGNOR, StringDB) have licences of their own and are not
shipped; they come with the package ``efaar_benchmarking``
(``pip install --no-deps efaar_benchmarking``), which need not be importable.
"""

from importlib.util import find_spec
from pathlib import Path

import pandas as pd

from wellgram.errors import InputError
from wellgram.io.tables import TableFile
from wellgram.metrics import clean_pairs

EFAAR_SOURCES = ("CORUM", "HuMAP", "Reactome", "SIGNOR", "StringDB")


def relationship_sources(where: str | Path) -> dict[str, pd.DataFrame]:
    """Read sources of known pairs.

    Parameters
    ----------
    where
        A file, a folder of ``.txt`` and ``.csv`` files, or ``"efaar"`` for the five public sets of
        an installed ``efaar_benchmarking``.

    Returns
    -------
    dict
        Per source, named as its file, the unordered pairs ``entity1, entity2``, each once.

    Raises
    ------
    InputError
        If there is no such file, or one lacks the two columns.
    """
    if where == "efaar":
        folder = _efaar_folder()
        files = [folder / f"{name}.txt" for name in EFAAR_SOURCES]
    elif Path(where).is_dir():
        files = sorted(p for p in Path(where).iterdir() if p.suffix in (".txt", ".csv"))
        if not files:
            raise InputError(f"folder {str(where)!r} holds no .txt or .csv files")
    else:
        files = [Path(where)]
    return {file.stem: read_relationships(file) for file in files}


def read_relationships(path: str | Path) -> pd.DataFrame:
    """Read one file of known pairs; see `relationship_sources`."""
    file = TableFile.open(path)
    ends = [name for name in file.names if name in ("entity1", "entity2")]
    try:
        return clean_pairs(
            file.read(ends, text=ends).to_pandas() if ends else pd.DataFrame(columns=file.names)
        )
    except InputError as problem:
        raise InputError(f"{str(path)!r}: {problem}") from None


def _efaar_folder() -> Path:
    spec = find_spec("efaar_benchmarking")
    for place in spec.submodule_search_locations or () if spec else ():
        folder = Path(place) / "benchmark_annotations"
        if folder.is_dir():
            return folder
    raise InputError(
        "the package efaar_benchmarking is not installed; its relationship files are all that is "
        "needed: pip install --no-deps efaar_benchmarking"
    )

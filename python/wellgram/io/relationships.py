"""Known relationships: csv files of ``entity1,entity2``, found where the user has them.

The public sets (CORUM, HuMAP, Reactome, SIGNOR, StringDB) have licences of their own and are not
shipped; they come with the package ``efaar_benchmarking``
(``pip install --no-deps efaar_benchmarking``), which need not be importable.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from wellgram.errors import InputError, MissingPackage
from wellgram.input_kinds import check_path, is_path, text_of
from wellgram.io.folders import tables_in
from wellgram.io.formats import (
    is_folder_of_tables,
    open_table,
    stem_of,
    table_of,
    table_suffixes,
)
from wellgram.io.frames import frame_of
from wellgram.io.places import Place, locate
from wellgram.io.tables import need_column
from wellgram.label_rules.missing_labels import without_missing

EFAAR_SOURCES = ("CORUM", "HuMAP", "Reactome", "SIGNOR", "StringDB")


def relationship_sources(
    *where: str | Path, encoding: str | None = None
) -> dict[str, pd.DataFrame]:
    """Read sources of known pairs.

    Parameters
    ----------
    where
        Files, folders of files, or ``"efaar"`` for the five public sets of an installed
        ``efaar_benchmarking``. A ``.txt`` is read as ``.csv``.
    encoding
        What text of csv and tsv files is in, such as ``cp1252``; by default UTF-8, or what a mark
        at the beginning of a file says.

    Returns
    -------
    dict
        Per source, named as its file, the unordered pairs ``entity1, entity2``, each once.

    Raises
    ------
    InputError
        If there is no such file, one lacks the two columns, or two have the same name.
    """
    sources: dict[str, pd.DataFrame] = {}
    for file in (file for place in where for file in _files(place)):
        name = stem_of(file)
        if name in sources:
            raise InputError(f"two files of known pairs are named {name!r}; rename {str(file)!r}")
        sources[name] = read_relationships(file, encoding=encoding)
    return sources


def read_relationships(path: "str | Place", *, encoding: str | None = None) -> pd.DataFrame:
    """Read one file of known pairs; see `relationship_sources`."""
    check_path(path)
    file = open_table(path, encoding=encoding)
    ends = ["entity1", "entity2"]
    for end in ends:
        need_column(end, file.names, str(path), "known pairs are entity1,entity2")
    return clean_pairs(frame_of(file.read(ends, text=ends)))


def clean_pairs(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return unordered pairs once each, without pairs of an entity with itself or with nothing.

    Raises
    ------
    InputError
        If a column ``entity1`` or ``entity2`` is missing.
    """
    both = pair_ends(pairs)
    first, second = both["entity1"], both["entity2"]
    ordered = pd.DataFrame(
        {
            "entity1": first.where(first <= second, second),
            "entity2": second.where(first <= second, first),
        }
    )
    return ordered[ordered["entity1"] != ordered["entity2"]].drop_duplicates(ignore_index=True)


def pair_ends(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return the two columns of pairs that have both ends."""
    for column in ("entity1", "entity2"):
        if column not in pairs:
            have = ", ".join(map(repr, pairs.columns))
            raise InputError(f"known pairs need a column {column!r}; there are: {have}")
    ends = pairs[["entity1", "entity2"]].apply(without_missing).dropna()
    for column in ("entity1", "entity2"):
        values = ends[column]
        # Numbers of genes beside missing values are read as fractions: 7157.0 is the gene 7157.
        if pd.api.types.is_float_dtype(values.dtype) and (values == values.round()).all():
            ends[column] = values.astype("int64")
    return ends.astype("str")


def named_sources(sources: Any) -> dict[str, pd.DataFrame]:
    """Return known pairs by source, whichever tables hold them.

    Parameters
    ----------
    sources
        A mapping of tables of pandas, polars or pyarrow; one such table, which is named ``pairs``;
        None: no sources.

    Raises
    ------
    InputError
        If it is neither.
    """
    if sources is None:
        return {}
    if not isinstance(sources, Mapping):
        sources = {"pairs": sources}
    return {
        text_of(name, "the name of a source"): _frame_of(pairs) for name, pairs in sources.items()
    }


def _frame_of(pairs: Any) -> pd.DataFrame:
    """Return a table of pairs as one of pandas."""
    if isinstance(pairs, pd.DataFrame):
        return pairs
    if is_path(pairs):
        raise InputError(
            f"known pairs are tables, not the name {str(pairs)!r}: read the file with "
            "wellgram.relationship_sources"
        )
    if not isinstance(pairs, pa.Table) and not hasattr(pairs, "__arrow_c_stream__"):
        raise InputError(
            "known pairs are a table with columns entity1 and entity2, or such tables by the name "
            f"of their source, not a {type(pairs).__name__}"
        )
    table = table_of(pairs)
    ends = [name for name in ("entity1", "entity2") if name in table.names]
    return frame_of(table.read(ends or table.names, text=ends))


def _files(where: str | Path) -> list[Place]:
    check_path(where)
    if where == "efaar":
        folder = _efaar_folder()
        return [folder / f"{name}.txt" for name in EFAAR_SOURCES]
    place = locate(where)
    if not is_folder_of_tables(place):
        return [place]
    files = tables_in(place)
    if not files:
        raise InputError(f"folder {str(where)!r} holds no {table_suffixes()} files")
    return files


def _efaar_folder() -> Path:
    spec = find_spec("efaar_benchmarking")
    for place in spec.submodule_search_locations or () if spec else ():
        folder = Path(place) / "benchmark_annotations"
        if folder.is_dir():
            return folder
    raise MissingPackage(
        "the package efaar_benchmarking is not installed; its relationship files are all that is "
        "needed: pip install --no-deps efaar_benchmarking"
    )

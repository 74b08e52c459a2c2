"""What a function is given in place of wells or of a map, and what makes the one of the other."""

from pathlib import Path

import pandas as pd

from wellgram.errors import InputError


def check_map(given: object) -> None:
    """Raise unless something is a map: labels and embeddings, in memory or on disk.

    Raises
    ------
    InputError
        If it is wells, an AnnData object, a path or anything else; the message says what makes a
        map of it.
    """
    if is_map(given):
        return
    raise InputError(f"a map is needed, not {_what(given)}; {_map_of(given)}")


def check_wells(given: object) -> None:
    """Raise unless something is wells: metadata and embeddings, in memory or as a stream.

    Raises
    ------
    InputError
        If it is a map, an AnnData object, a table, a path or anything else; the message says what
        makes wells of it.
    """
    if not is_wells(given):
        raise InputError(f"wells are needed, not {_what(given)}; {_wells_of(given)}")


def check_matrix(given: object) -> None:
    """Raise if something is neither a map nor a matrix, but one could be made of it.

    Raises
    ------
    InputError
        If it is wells, an AnnData object, a path or nothing.
    """
    if is_wells(given) or _is_anndata(given) or is_path(given) or given is None:
        raise InputError(f"a map or a matrix is needed, not {_what(given)}; {_map_of(given)}")


def check_frame(given: object, what: str) -> None:
    """Raise unless something is a table of pandas; `what` says which table it should be.

    Raises
    ------
    InputError
        If it is not.
    """
    if not isinstance(given, pd.DataFrame):
        of_others = "; give what its to_pandas() returns" if _has(given, "to_pandas") else ""
        raise InputError(f"{what} is a table of pandas, not {_what(given)}{of_others}")


def check_path(given: object) -> None:
    """Raise unless something is the name of a file, or a place that is one.

    Raises
    ------
    InputError
        If it is not.
    """
    if not is_path(given) and not _has(given, "name", "suffix"):
        raise InputError(f"the name of a file is needed, not {_what(given)}")


def text_of(name: object, what: str) -> str:
    """Return a name as text; `what` says what it is the name of.

    Raises
    ------
    InputError
        If it has characters that no file can hold: halves of a pair, which are left where bytes
        were decoded with ``surrogateescape``.
    """
    text = str(name)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InputError(f"{what} is no valid text: {text!r}; decode its bytes again") from None
    return text


def is_path(given: object) -> bool:
    """Whether something is the name of a file or folder."""
    return isinstance(given, str | Path)


def is_wells(given: object) -> bool:
    """Whether something has the metadata of wells, and chunks of their embeddings."""
    return _has(given, "metadata", "chunks")


def is_map(given: object) -> bool:
    """Whether something has labels and embeddings, which are not read."""
    return _has(given, "labels", "embeddings")


def _has(given: object, *names: str) -> bool:
    """Whether something has attributes, without their being worked out."""
    return set(names) <= set(dir(given))


def _is_anndata(given: object) -> bool:
    return _has(given, "obs", "X")


def _is_frame(given: object) -> bool:
    return _has(given, "columns")


def _what(given: object) -> str:
    if is_path(given):
        return f"the name {str(given)!r}"
    if is_wells(given):
        return "wells"
    if is_map(given):
        return "a map"
    return f"an object of type {type(given).__name__}"


def _map_of(given: object) -> str:
    if is_path(given):
        return "read the file with wellgram.read_map or wellgram.open_map"
    if is_wells(given):
        return "make one with wellgram.build_map(wells, align)"
    if _is_anndata(given):
        return "read the map that it holds with wellgram.read_map"
    return (
        "wellgram.build_map and wellgram.read_map return one, and "
        "wellgram.PerturbationMap(embeddings, labels) makes one"
    )


def _wells_of(given: object) -> str:
    if is_path(given):
        return "read the files with wellgram.read_wells or wellgram.open_wells"
    if _is_anndata(given) or _is_frame(given):
        return "name its columns to wellgram.read_wells(..., layout='columns', perturbation=...)"
    if is_map(given):
        return "give the wells that the map was made of"
    return (
        "wellgram.read_wells returns such, and wellgram.Wells.from_arrays makes them of embeddings "
        "and labels"
    )

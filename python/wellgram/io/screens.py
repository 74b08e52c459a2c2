"""From files to `Wells`: find the columns, read only those, join, check."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd

from wellgram.backends.protocol import Rows
from wellgram.errors import InputError
from wellgram.io.features import shared_features, stack
from wellgram.io.join import average_repeats, join, one_row_each
from wellgram.io.layouts import Layout, layout_named
from wellgram.io.roles import Roles, with_roles
from wellgram.io.tables import TableFile, is_table, some
from wellgram.wells import Wells, bad_wells

Missing = Literal["error", "drop-wells", "drop-features"]
Paths = str | Path | Sequence[str | Path]


def read_wells(
    embeddings: Paths,
    metadata: str | Path | None = None,
    *,
    layout: str = "rxrx3-core",
    perturbation: str | None = None,
    batch: str | None = None,
    dose: str | None = None,
    control: str | Sequence[str] | None = None,
    well_id: str | None = None,
    features: str | Sequence[str] | None = None,
    columns: Sequence[str] = (),
    missing: Missing = "error",
    allow_unmatched: bool = False,
) -> Wells:
    """Read a screen.

    Parameters
    ----------
    embeddings
        A file, several, or a folder: parquet, csv or tsv (the last two also .gz), one row per well
        (or several, which are averaged). Features are many columns or one column of lists.
    metadata
        A file of what was done to each well, joined by `well_id`; None where the embeddings' own
        file holds it.
    layout
        A name of `LAYOUTS`: which column plays which role unless named below.
    perturbation, batch, dose, well_id
        Columns. ``batch="none"`` for no batches, ``dose="none"`` to aggregate over doses.
    control
        The label or labels of the control wells.
    features
        Names of the feature columns, or patterns such as ``emb_*``.
    columns
        More metadata columns to keep.
    missing
        What to do about NaN and Inf: "error"; "drop-wells", also those that are all zero; or
        "drop-features" that have any.
    allow_unmatched
        Keep the wells found in both files where some are found in one only.

    Returns
    -------
    Wells
        float32 or float64 as in the files.

    Raises
    ------
    InputError
        If a file, column or value is not as it must be; nothing is read before the columns are
        known to be there.
    """
    scheme = layout_named(layout)
    if missing not in get_args(Missing):
        raise InputError(f"unknown missing={missing!r}; choose {', '.join(get_args(Missing))}")
    files = [TableFile.open(path) for path in _expand(embeddings, scheme)]
    about = _metadata_file(files, metadata, scheme)
    given = {"perturbation": perturbation, "batch": batch, "dose": dose}
    roles = Roles.find(scheme, about.names, about.path.name, given, well_id)
    roles.check_kept(columns, about.names, about.path.name)
    keep = list(dict.fromkeys([*roles.columns(), *columns]))
    shared = shared_features(files, scheme, roles, features, keep)

    if metadata is None:
        rows, table = _read_together(files, shared, keep, roles)
    else:
        rows, ids = _read_embeddings(files, shared, roles)
        described = about.read(keep, text=roles.columns()).to_pandas()
        rows, table = join(rows, ids, described, about.path.name, roles, allow_unmatched)
    return _as_wells(rows, table, roles, scheme, control, columns, missing)


def wells_from_frame(
    embeddings: Rows,
    metadata: pd.DataFrame,
    *,
    layout: str = "rxrx3-core",
    perturbation: str | None = None,
    batch: str | None = None,
    dose: str | None = None,
    control: str | Sequence[str] | None = None,
    columns: Sequence[str] = (),
    missing: Missing = "error",
) -> Wells:
    """Make wells of arrays in memory: embeddings (n, d) and their metadata, row for row.

    The parameters are those of `read_wells`.
    """
    scheme = layout_named(layout)
    given = {"perturbation": perturbation, "batch": batch, "dose": dose}
    names = list(map(str, metadata.columns))
    roles = Roles.find(scheme, names, "the metadata", given)
    roles.check_kept(columns, names, "the metadata")
    table = metadata.reset_index(drop=True)
    if roles.well_id is None:
        table = table.assign(well_id=_row_names(len(table)))
    return _as_wells(embeddings, table, roles, scheme, control, columns, missing)


def _row_names(count: int, file: str = "") -> list[str]:
    return [f"{file}row {i + 1}" for i in range(count)]


def _as_wells(
    rows: Rows,
    table: pd.DataFrame,
    roles: Roles,
    layout: Layout,
    control: str | Sequence[str] | None,
    columns: Sequence[str],
    missing: Missing,
) -> Wells:
    if control is None:
        controls = list(layout.control)
    else:
        controls = [control] if isinstance(control, str) else list(control)
    wells = with_roles(table, roles, layout, controls, columns)
    rows, wells = _drop_missing(rows, wells, missing)
    named = " or ".join(map(repr, controls))
    found = set(wells["perturbation"])
    absent = [label for label in controls if label not in found]
    if absent:
        labels = some(wells["perturbation"].unique().tolist(), 3)
        raise InputError(
            f"no well is a control {absent[0]!r}: none has that label in column "
            f"{roles.perturbation!r}; name the controls (control=); labels are like {labels}"
        )
    origin = {
        "batch": roles.batch or "none",
        "control": f"column {roles.perturbation!r} == {named}" if named else "none named",
    }
    return Wells(rows, wells, origin)


def _expand(embeddings: Paths, layout: Layout) -> list[Path]:
    given = [embeddings] if isinstance(embeddings, str | Path) else list(embeddings)
    paths: list[Path] = []
    for path in map(Path, given):
        if path.is_dir():
            inside = sorted(p for p in path.glob(layout.files) if p.is_file() and is_table(p))
            if not inside:
                raise InputError(
                    f"folder {str(path)!r} holds no table named like {layout.files!r} "
                    "(.parquet, .csv, .tsv, .txt; also .gz)"
                )
            paths += inside
        else:
            paths.append(path)
    if not paths:
        raise InputError("no embeddings were given")
    twice = [path for k, path in enumerate(paths) if path in paths[:k]]
    if twice:
        raise InputError(f"{str(twice[0])!r} was given twice; its wells would count twice")
    return paths


def _metadata_file(
    files: list[TableFile], metadata: str | Path | None, layout: Layout
) -> TableFile:
    if metadata is not None:
        return TableFile.open(metadata)
    if layout.separate and not set(layout.perturbation) & set(files[0].names):
        raise InputError(
            f"layout {layout.name!r} keeps metadata in a file of its own; name it (metadata=)"
        )
    return files[0]


def _read_together(
    files: list[TableFile], features: list[str], keep: Sequence[str], roles: Roles
) -> tuple[Rows, pd.DataFrame]:
    """Read wells whose features and metadata share files."""
    rows, table, heights = stack(files, features, keep, roles.columns())
    metadata = table.to_pandas()
    if roles.well_id is None:
        of = [f"{file.path} " if len(files) > 1 else "" for file in files]
        names = [_row_names(count, name) for count, name in zip(heights, of, strict=True)]
        return rows, metadata.assign(well_id=list(chain.from_iterable(names)))
    rows, ids = average_repeats(rows, metadata[roles.well_id])
    unique = one_row_each(metadata, roles.well_id)
    return rows, unique.loc[ids].reset_index(names=roles.well_id)


def _read_embeddings(
    files: list[TableFile], features: list[str], roles: Roles
) -> tuple[Rows, pd.Index]:
    if roles.well_id is None:
        raise InputError("name the column that joins embeddings and metadata (well_id=)")
    rows, table, _ = stack(files, features, [roles.well_id], [roles.well_id])
    return average_repeats(rows, table.column(0).to_pandas())


def _drop_missing(rows: Rows, wells: pd.DataFrame, missing: Missing) -> tuple[Rows, pd.DataFrame]:
    if missing == "drop-features":
        whole = np.isfinite(rows).all(axis=0)
        if not whole.any():
            raise InputError("every feature holds a NaN or an Inf; drop wells instead")
        return (rows if whole.all() else rows[:, whole]), wells
    if missing == "drop-wells":
        not_finite, zero = bad_wells(rows)
        good = ~(not_finite | zero)
        if not good.any():
            raise InputError("every well holds a NaN or an Inf, or is all zero")
        return (rows, wells) if good.all() else (rows[good], wells[good].reset_index(drop=True))
    return rows, wells

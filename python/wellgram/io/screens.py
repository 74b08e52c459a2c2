"""From files to `Wells`: find the columns, read only those, join, check."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd
import pyarrow as pa

from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Rows
from wellgram.errors import InputError
from wellgram.io.layouts import LAYOUTS, Layout
from wellgram.io.tables import TableFile, feature_matrix, is_list
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
    scheme = _layout(layout)
    if missing not in get_args(Missing):
        raise InputError(f"unknown missing={missing!r}; choose {', '.join(get_args(Missing))}")
    files = [TableFile.open(path) for path in _expand(embeddings, scheme)]
    about = _metadata_file(files, metadata, scheme)
    given = {"perturbation": perturbation, "batch": batch, "dose": dose}
    roles = _Roles.find(scheme, about.names, about.path.name, given, well_id)
    for column in columns:
        _need(column, about.names, about.path.name, "a column to keep")
    keep = list(dict.fromkeys([*roles.columns(), *columns]))
    chosen = [_feature_columns(file, scheme, roles, features, keep) for file in files]

    if metadata is None:
        rows, table = _read_together(files, chosen, keep, roles)
    else:
        rows, ids = _read_embeddings(files, chosen, roles)
        rows, table = _join(rows, ids, about.read(keep, text=roles.text()), roles, allow_unmatched)
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
    scheme = _layout(layout)
    given = {"perturbation": perturbation, "batch": batch, "dose": dose}
    names = list(map(str, metadata.columns))
    roles = _Roles.find(scheme, names, "the metadata", given)
    for column in columns:
        _need(column, names, "the metadata", "a column to keep")
    table = metadata.reset_index(drop=True)
    if roles.well_id is None:
        table = table.assign(well_id=_row_names(len(table)))
    return _as_wells(embeddings, table, roles, scheme, control, columns, missing)


def _layout(name: str) -> Layout:
    if name not in LAYOUTS:
        raise InputError(f"unknown layout {name!r}; choose {', '.join(LAYOUTS)}")
    return LAYOUTS[name]


def _row_names(count: int) -> list[str]:
    return [f"row {i + 1}" for i in range(count)]


def _as_wells(
    rows: Rows,
    table: pd.DataFrame,
    roles: "_Roles",
    layout: Layout,
    control: str | Sequence[str] | None,
    columns: Sequence[str],
    missing: Missing,
) -> Wells:
    if control is None:
        controls = list(layout.control)
    else:
        controls = [control] if isinstance(control, str) else list(control)
    wells = _with_roles(table, roles, layout, controls, columns)
    rows, wells = _drop_missing(rows, wells, missing)
    named = " or ".join(map(repr, controls)) or "none named"
    if not wells["is_control"].any() and controls:
        labels = _some(wells["perturbation"].unique().tolist(), 3)
        raise InputError(
            f"no well is a control: none has {named} in column {roles.perturbation!r}; name the "
            f"controls (control=); labels are like {labels}"
        )
    origin = {
        "batch": roles.batch or "none",
        "control": f"column {roles.perturbation!r} == {named}",
    }
    return Wells(rows, wells, origin)


@dataclass(frozen=True)
class _Roles:
    """The columns of the files that play the roles of `Wells.metadata`."""

    perturbation: str
    well_id: str | None
    perturbation_type: str | None
    batch: str | None
    dose: str | None

    @classmethod
    def find(
        cls,
        layout: Layout,
        names: Sequence[str],
        where: str,
        given: dict[str, str | None],
        well_id: str | None = None,
    ) -> "_Roles":
        """Find each role's column among `names`: the one given, else the layout's usual one."""
        found: dict[str, str | None] = {}
        for role in ("perturbation", "batch", "dose"):
            name = given[role]
            if name is None:
                found[role] = _first_present(getattr(layout, role), names)
            elif name == "none" and role != "perturbation":
                found[role] = None
            else:
                found[role] = _need(name, names, where, role)
        if found["perturbation"] is None:
            usual = " or ".join(map(repr, layout.perturbation))
            raise InputError(
                f"which column of {where} names the perturbation? "
                f"{f'There is no {usual}; n' if usual else 'N'}ame it (perturbation=); "
                f"there are: {_some(names)}"
            )
        if well_id is not None:
            _need(well_id, names, where, "well_id")
        elif layout.well_id:
            well_id = _need(layout.well_id[0], names, where, "well_id")
        return cls(
            perturbation=found["perturbation"],
            well_id=well_id,
            perturbation_type=_first_present(layout.perturbation_type, names),
            batch=found["batch"],
            dose=found["dose"],
        )

    def columns(self) -> list[str]:
        named = (self.well_id, self.perturbation, self.perturbation_type, self.batch, self.dose)
        return [name for name in named if name is not None]

    def text(self) -> list[str]:
        return [name for name in self.columns() if name != self.dose]


def _expand(embeddings: Paths, layout: Layout) -> list[Path]:
    given = [embeddings] if isinstance(embeddings, str | Path) else list(embeddings)
    paths: list[Path] = []
    for path in map(Path, given):
        if path.is_dir():
            inside = sorted(p for p in path.glob(layout.files) if p.is_file())
            if not inside:
                raise InputError(f"folder {str(path)!r} holds no {layout.files}")
            paths += inside
        else:
            paths.append(path)
    if not paths:
        raise InputError("no embeddings were given")
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


def _first_present(usual: tuple[str, ...], names: Sequence[str]) -> str | None:
    return next((name for name in usual if name in names), None)


def _need(column: str, names: Sequence[str], where: str, role: str) -> str:
    if column not in names:
        raise InputError(f"{where} has no column {column!r} ({role}); there are: {_some(names)}")
    return column


def _some(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(repr(str(name)) for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")


def _feature_columns(
    file: TableFile,
    layout: Layout,
    roles: _Roles,
    features: str | Sequence[str] | None,
    keep: Sequence[str],
) -> list[str]:
    """Return the feature columns of a file, after checking them against the roles."""
    if features is None:
        chosen = [
            field.name
            for field in file.schema
            if field.name not in keep and (layout.feature(field.name) or is_list(field.type))
        ]
        wanted = "feature columns"
    else:
        patterns = [features] if isinstance(features, str) else list(features)
        chosen = [n for n in file.names if any(fnmatchcase(n, p) for p in patterns)]
        wanted = f"columns like {' or '.join(map(repr, patterns))}"
        overlap = [n for n in chosen if n in roles.columns()]
        if overlap:
            raise InputError(f"column {overlap[0]!r} is named both a feature and a role")
    if not chosen:
        raise InputError(f"{file.path.name} has no {wanted}; there are: {_some(file.names)}")
    return chosen


def _stack(
    files: list[TableFile], chosen: list[list[str]], columns: Sequence[str], text: Sequence[str]
) -> tuple[Rows, pa.Table]:
    """Return the features of all files, stacked, and their other columns."""
    matrices, tables = [], []
    for file, features in zip(files, chosen, strict=True):
        for column in columns:
            _need(column, file.names, file.path.name, "as in the first file")
        for part in file.batches([*columns, *features], text=text):
            matrices.append(feature_matrix(part, features, file.path))
            tables.append(part.select(list(columns)))
            if matrices[-1].shape[1] != matrices[0].shape[1]:
                raise InputError(
                    f"{file.path.name} has {matrices[-1].shape[1]} features, but "
                    f"{files[0].path.name} has {matrices[0].shape[1]}; the files must agree"
                )
        if len(features) > 1 and features != chosen[0]:
            other = sorted(set(features) ^ set(chosen[0])) or ["another order"]
            raise InputError(
                f"the features of {file.path.name} are not those of {files[0].path.name} "
                f"(first difference: {other[0]!r}); name the features they share (features=)"
            )
    if not matrices or not sum(map(len, matrices)):
        raise InputError(f"{files[0].path.name} has no rows")
    rows = matrices[0] if len(matrices) == 1 else np.concatenate(matrices)
    return rows, pa.concat_tables(tables, promote_options="permissive")


def _read_together(
    files: list[TableFile], chosen: list[list[str]], keep: Sequence[str], roles: _Roles
) -> tuple[Rows, pd.DataFrame]:
    """Read wells whose features and metadata share files."""
    rows, table = _stack(files, chosen, keep, roles.text())
    metadata = table.to_pandas()
    if roles.well_id is None:
        return rows, metadata.assign(well_id=_row_names(len(metadata)))
    rows, ids = _average_repeats(rows, metadata[roles.well_id], files[0].path)
    unique = _one_row_each(metadata, roles.well_id)
    return rows, unique.loc[ids].reset_index(names=roles.well_id)


def _read_embeddings(
    files: list[TableFile], chosen: list[list[str]], roles: _Roles
) -> tuple[Rows, pd.Index]:
    if roles.well_id is None:
        raise InputError("name the column that joins embeddings and metadata (well_id=)")
    rows, table = _stack(files, chosen, [roles.well_id], [roles.well_id])
    return _average_repeats(rows, table.column(0).to_pandas(), files[0].path)


def _average_repeats(rows: Rows, well_id: pd.Series, path: Path) -> tuple[Rows, pd.Index]:
    """Return one row per well, the mean of its rows, in order of appearance."""
    codes, ids = pd.factorize(well_id)
    if (codes < 0).any():
        row = int(np.flatnonzero(codes < 0)[0])
        raise InputError(f"{path.name}: row {row + 1} has no {well_id.name!r}")
    if len(ids) == len(rows):
        return rows, pd.Index(ids)
    sums, counts = get_backend().group_sums(rows, codes.astype(np.int64), len(ids))
    return (sums / counts[:, None]).astype(rows.dtype), pd.Index(ids)


def _one_row_each(metadata: pd.DataFrame, well_id: str) -> pd.DataFrame:
    """Return metadata indexed by well; raise where a well is described in two ways."""
    unique = metadata.drop_duplicates()
    twice = unique[well_id].duplicated()
    if twice.any():
        well = unique.loc[twice, well_id].iloc[0]
        both = unique[unique[well_id] == well]
        column = next(c for c in both.columns if len(both[c].unique()) > 1)
        values = " and ".join(repr(v) for v in both[column].unique()[:2])
        raise InputError(
            f"{int(twice.sum())} wells are described in two ways: well {well!r} has {values} in "
            f"column {column!r}; keep one"
        )
    return unique.set_index(well_id)


def _join(
    rows: Rows, ids: pd.Index, table: pa.Table, roles: _Roles, allow_unmatched: bool
) -> tuple[Rows, pd.DataFrame]:
    """Return the rows that have metadata, and the metadata in their order."""
    metadata = _one_row_each(table.to_pandas(), str(roles.well_id))
    place: Codes = metadata.index.get_indexer(ids)
    bare = int((place < 0).sum())
    unused = len(metadata) - (len(ids) - bare)
    if (bare or unused) and not allow_unmatched:
        if bare:
            first = f"embedding {ids[int(np.flatnonzero(place < 0)[0])]!r}"
        else:
            first = f"metadata {metadata.index.difference(ids)[0]!r}"
        raise InputError(
            f"{bare:,} embeddings have no metadata and {unused:,} wells of the metadata have no "
            f"embedding (first: {first}, column {roles.well_id!r}); mend the files, or keep the "
            f"{len(ids) - bare:,} wells found in both (--allow-unmatched)"
        )
    if bare == len(ids):
        raise InputError(
            f"no embedding has metadata: {roles.well_id!r} is {ids[0]!r} there but "
            f"{metadata.index[0]!r} in the metadata"
        )
    if bare:
        rows = rows[place >= 0]
    return rows, metadata.iloc[place[place >= 0]].reset_index(names=str(roles.well_id))


def _with_roles(
    table: pd.DataFrame,
    roles: _Roles,
    layout: Layout,
    controls: Sequence[str],
    columns: Sequence[str],
) -> pd.DataFrame:
    """Return the metadata under the names of `Wells`."""
    given = table[roles.perturbation]
    empty = given.isna()
    if empty.any():
        well = table[roles.well_id or "well_id"][empty].iloc[0]
        raise InputError(
            f"{int(empty.sum())} wells have no value in column {roles.perturbation!r} (first: "
            f"{well!r}); label them, controls too, or leave them out"
        )
    wells = pd.DataFrame({"well_id": table[roles.well_id or "well_id"]})
    if roles.perturbation_type:
        wells["perturbation_type"] = table[roles.perturbation_type]
    is_default = roles.perturbation in layout.perturbation
    wells["perturbation"] = layout.label(given) if is_default else given
    if roles.dose:
        wells["dose"] = _doses(table[roles.dose], wells["well_id"])
    if roles.batch:
        if table[roles.batch].isna().any():
            well = wells["well_id"][table[roles.batch].isna()].iloc[0]
            raise InputError(f"well {well!r} has no batch (column {roles.batch!r})")
        wells["batch"] = table[roles.batch]
    wells["is_control"] = wells["perturbation"].isin(controls)
    wells["in_map"] = layout.in_map(wells)
    for column in columns:
        wells[column] = table[column].to_numpy()
    return wells


def _doses(column: pd.Series, well_id: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64)
    wrong = (numbers.isna() & column.notna()) | np.isinf(numbers)
    if wrong.any():
        raise InputError(
            f"{int(wrong.sum())} doses are not numbers: well {well_id[wrong].iloc[0]!r} has "
            f"{column[wrong].iloc[0]!r} in column {column.name!r}; correct them or aggregate over "
            "doses (dose='none')"
        )
    return numbers


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

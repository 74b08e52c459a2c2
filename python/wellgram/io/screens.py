"""From files to `Wells`: find the columns, read only those, join, check."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import chain
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd
import pyarrow as pa

from wellgram.backends import get_backend
from wellgram.backends.protocol import Codes, Rows
from wellgram.errors import InputError
from wellgram.io.layouts import Layout, layout_named
from wellgram.io.tables import TableFile, feature_matrix, is_list, is_table, need_column, some
from wellgram.wells import ROLES, Wells, bad_wells

Missing = Literal["error", "drop-wells", "drop-features"]
Paths = str | Path | Sequence[str | Path]

_ROW_NUMBERS = re.compile(r"(Unnamed: \d+)?|__index_level_\d+__")
"""What pandas calls the column of its row numbers, in a csv and in a parquet"""


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
    roles = _Roles.find(scheme, about.names, about.path.name, given, well_id)
    roles.check_kept(columns, about.names, about.path.name)
    keep = list(dict.fromkeys([*roles.columns(), *columns]))
    shared = _shared_features(files, scheme, roles, features, keep)

    if metadata is None:
        rows, table = _read_together(files, shared, keep, roles)
    else:
        rows, ids = _read_embeddings(files, shared, roles)
        described = about.read(keep, text=roles.columns()).to_pandas()
        rows, table = _join(rows, ids, described, about.path.name, roles, allow_unmatched)
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
    roles = _Roles.find(scheme, names, "the metadata", given)
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
    named = " or ".join(map(repr, controls))
    if not wells["is_control"].any() and controls:
        labels = some(wells["perturbation"].unique().tolist(), 3)
        raise InputError(
            f"no well is a control: none has {named} in column {roles.perturbation!r}; name the "
            f"controls (control=); labels are like {labels}"
        )
    origin = {
        "batch": roles.batch or "none",
        "control": f"column {roles.perturbation!r} == {named}" if named else "none named",
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
        found = {role: given[role] or _usual(role, layout, names, where) for role in given}
        roles = cls(
            perturbation=found["perturbation"],
            well_id=well_id or layout.well_id,
            perturbation_type=layout.perturbation_type,
            batch=None if found["batch"] == "none" else found["batch"],
            dose=None if found["dose"] == "none" else found["dose"],
        )
        for role, column in roles.named().items():
            need_column(column, names, where, role)
        return roles

    def named(self) -> dict[str, str]:
        """Return the columns by role."""
        return {role: column for role, column in vars(self).items() if column is not None}

    def columns(self) -> list[str]:
        return list(self.named().values())

    def check_kept(self, columns: Sequence[str], names: Sequence[str], where: str) -> None:
        """Raise unless columns to keep are there, and none takes the name of a role."""
        for column in columns:
            need_column(column, names, where, "to keep, as --same asks for")
            if column in ROLES and self.named().get(column) != column:
                raise InputError(
                    f"column {column!r} of {where} cannot be kept: wells have a {column!r} of "
                    "their own; rename it"
                )


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


def _usual(role: str, layout: Layout, names: Sequence[str], where: str) -> str:
    """Return the layout's column of a role, "none" where the layout has none."""
    usual: tuple[str, ...] = getattr(layout, role)
    optional = role != "perturbation"
    if optional and not usual:
        return "none"
    for name in usual:
        if name in names:
            return name
    absent = f"there is no {' or '.join(map(repr, usual))}; " if usual else ""
    without = f" or do without ({role}='none')" if optional else ""
    raise InputError(
        f"which column of {where} is the {role}: {absent}name it ({role}=){without}; "
        f"there are: {some(names)}"
    )


def _shared_features(
    files: list[TableFile],
    layout: Layout,
    roles: _Roles,
    features: str | Sequence[str] | None,
    keep: Sequence[str],
) -> list[str]:
    """Return the feature columns, after checking that all files have the same ones."""
    first, *others = (_feature_columns(file, layout, roles, features, keep) for file in files)
    for file, chosen in zip(files[1:], others, strict=True):
        differing = sorted(set(first) ^ set(chosen))
        if differing:
            raise InputError(
                f"{file.path.name} has {len(chosen)} features, {files[0].path.name} has "
                f"{len(first)}, and they are not the same (first difference: {differing[0]!r}); "
                "name the features they share (features=)"
            )
    return first


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
            if field.name not in keep
            and not _ROW_NUMBERS.fullmatch(field.name)
            and (layout.feature(field.name) or is_list(field.type))
        ]
        wanted = "feature columns"
    else:
        patterns = [features] if isinstance(features, str) else list(features)
        chosen = [n for n in file.names if any(fnmatchcase(n, p) for p in patterns)]
        wanted = f"columns like {' or '.join(map(repr, patterns))}"
        for role, column in roles.named().items():
            if column in chosen:
                raise InputError(
                    f"column {column!r} is named both a feature and the {role}; it can be one "
                    f"(features=, {role}=)"
                )
    if not chosen:
        raise InputError(f"{file.path.name} has no {wanted}; there are: {some(file.names)}")
    file.check_unique(chosen)
    lists = [name for name in chosen if is_list(file.schema.field(name).type)]
    if lists and len(chosen) > 1:
        other = next(name for name in chosen if name != lists[0])
        raise InputError(
            f"column {lists[0]!r} of {file.path.name} holds vectors, but {other!r} is a feature "
            "too; choose the one column, or the others, by name (features=)"
        )
    return chosen


def _stack(
    files: list[TableFile], features: list[str], columns: Sequence[str], text: Sequence[str]
) -> tuple[Rows, pa.Table, list[int]]:
    """Return the features of all files, stacked, their other columns, and each file's rows."""
    for file in files:
        for column in columns:
            need_column(column, file.names, file.path.name, "in every file of embeddings")
    matrices: list[Rows] = []
    tables, heights = [], []
    for file in files:
        heights.append(0)
        for part in file.batches(dict.fromkeys([*columns, *features]), text=text):
            if not part.num_rows:
                continue
            matrix = feature_matrix(part, features, file.path)
            matrices.append(matrix)
            tables.append(part.select(list(columns)))
            heights[-1] += len(matrix)
            if matrix.shape[1] != matrices[0].shape[1]:
                raise InputError(
                    f"{file.path.name} has {matrix.shape[1]} features, but {files[0].path.name} "
                    f"has {matrices[0].shape[1]}; the files must agree"
                )
    if not matrices:
        raise InputError(f"{files[0].path.name} has no rows")
    rows = matrices[0] if len(matrices) == 1 else np.concatenate(matrices)
    try:
        return rows, pa.concat_tables(tables, promote_options="permissive"), heights
    except pa.ArrowTypeError as problem:
        raise InputError(f"the files disagree: {problem}; make it one type in all") from None


def _read_together(
    files: list[TableFile], features: list[str], keep: Sequence[str], roles: _Roles
) -> tuple[Rows, pd.DataFrame]:
    """Read wells whose features and metadata share files."""
    rows, table, heights = _stack(files, features, keep, roles.columns())
    metadata = table.to_pandas()
    if roles.well_id is None:
        of = [f"{file.path} " if len(files) > 1 else "" for file in files]
        names = [_row_names(count, name) for count, name in zip(heights, of, strict=True)]
        return rows, metadata.assign(well_id=list(chain.from_iterable(names)))
    rows, ids = _average_repeats(rows, metadata[roles.well_id])
    unique = _one_row_each(metadata, roles.well_id)
    return rows, unique.loc[ids].reset_index(names=roles.well_id)


def _read_embeddings(
    files: list[TableFile], features: list[str], roles: _Roles
) -> tuple[Rows, pd.Index]:
    if roles.well_id is None:
        raise InputError("name the column that joins embeddings and metadata (well_id=)")
    rows, table, _ = _stack(files, features, [roles.well_id], [roles.well_id])
    return _average_repeats(rows, table.column(0).to_pandas())


def _average_repeats(rows: Rows, well_id: pd.Series) -> tuple[Rows, pd.Index]:
    """Return one row per well, the mean of its rows, in order of appearance."""
    _check_named(well_id, "the embeddings")
    codes, ids = pd.factorize(well_id)
    if len(ids) == len(rows):
        return rows, pd.Index(ids)
    with np.errstate(invalid="ignore"):  # a NaN or an Inf is reported later, with its well
        sums, counts = get_backend().group_sums(rows, codes.astype(np.int64), len(ids))
    return (sums / counts[:, None]).astype(rows.dtype), pd.Index(ids)


def _check_named(well_id: pd.Series, where: str) -> None:
    missing = well_id.isna().to_numpy()
    if missing.any():
        raise InputError(
            f"{int(missing.sum())} rows of {where} have no value in column {well_id.name!r} "
            f"(first: row {int(np.flatnonzero(missing)[0]) + 1}); name the well or remove the row"
        )


def _one_row_each(metadata: pd.DataFrame, well_id: str) -> pd.DataFrame:
    """Return metadata indexed by well; raise where a well is described in two ways."""
    unique = metadata.drop_duplicates()
    twice = unique[well_id].duplicated()
    if twice.any():
        well = unique.loc[twice, well_id].iloc[0]
        both = unique[unique[well_id] == well]
        column = next(c for c in both.columns if len(both[c].unique()) > 1)
        values = " and ".join(repr(str(v)) for v in both[column].unique()[:2])
        raise InputError(
            f"{int(twice.sum())} wells are described in two ways: well {well!r} has {values} in "
            f"column {column!r}; keep one"
        )
    return unique.set_index(well_id)


def _join(
    rows: Rows,
    ids: pd.Index,
    table: pd.DataFrame,
    where: str,
    roles: _Roles,
    allow_unmatched: bool,
) -> tuple[Rows, pd.DataFrame]:
    """Return the rows that have metadata, and the metadata in their order."""
    if table.empty:
        raise InputError(f"{where} has no rows")
    _check_named(table[roles.well_id], where)
    metadata = _one_row_each(table, str(roles.well_id))
    place: Codes = metadata.index.get_indexer(ids)
    bare = int((place < 0).sum())
    if bare == len(ids):
        raise InputError(
            f"no embedding has metadata: {roles.well_id!r} is {ids[0]!r} in the embeddings but "
            f"{metadata.index[0]!r} in {where}; name the wells alike"
        )
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
            raise InputError(
                f"{int(table[roles.batch].isna().sum())} wells have no batch in column "
                f"{roles.batch!r} (first: {well!r}); fill it in or align without batches "
                "(batch='none')"
            )
        wells["batch"] = table[roles.batch]
    wells["is_control"] = wells["perturbation"].isin(controls)
    wells["in_map"] = layout.in_map(wells)
    for column in columns:
        if column not in ROLES:
            wells[column] = table[column].to_numpy()
    return wells


def _doses(column: pd.Series, well_id: pd.Series) -> pd.Series:
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64)
    wrong = (numbers.isna() & column.notna()) | np.isinf(numbers)
    if wrong.any():
        raise InputError(
            f"{int(wrong.sum())} doses are not numbers: well {well_id[wrong].iloc[0]!r} has "
            f"{str(column[wrong].iloc[0])!r} in column {column.name!r}; correct them or aggregate "
            "over doses (dose='none')"
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

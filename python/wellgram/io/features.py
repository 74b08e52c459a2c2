"""Which columns are features."""

import re
import warnings
from collections.abc import Sequence
from fnmatch import fnmatchcase

import pyarrow as pa

from wellgram.errors import InputError, LabelsWarning
from wellgram.estimators.call_sites import level_outside
from wellgram.io.keys import Columns, as_columns
from wellgram.io.layouts import Layout
from wellgram.io.roles import Roles
from wellgram.io.tables import FeatureRows, Table, is_list, some

_ROW_NUMBERS = re.compile(r"(Unnamed: \d+)?|__index_level_\d+__")
"""What pandas calls the column of its row numbers, in a csv and in a parquet"""


def shared_features(
    files: Sequence[Table],
    layout: Layout,
    roles: Roles,
    features: Columns | None,
    keep: Sequence[str],
    *,
    exclude: Sequence[str] = (),
    common: bool = False,
) -> list[str]:
    """Return the feature columns, after checking that all files have the same ones.

    `exclude` are names or patterns of columns that are none; `common` takes those of all files
    where some have more.
    """
    files = unlike(files)
    first, *others = (
        _feature_columns(file, layout, roles, features, keep, exclude) for file in files
    )
    for file, chosen in zip(files[1:], others, strict=True):
        differing = sorted(set(first) ^ set(chosen))
        if differing and not common:
            both = len(set(first) & set(chosen))
            raise InputError(
                f"{file.label} has {len(chosen)} features, {files[0].label} has "
                f"{len(first)}, and they are not the same (first difference: {differing[0]!r}); "
                f"take the {both} that all have (common_features=True), or name features "
                "(features=)"
            )
    shared = set(first).intersection(*others)
    if not shared:
        raise InputError(f"the {len(files)} files have no feature in common; name them alike")
    return [name for name in first if name in shared]


def unlike(files: Sequence[Table]) -> list[Table]:
    """Return those whose columns are not those of the one before: of many files mostly one."""
    return [
        file
        for k, file in enumerate(files)
        if k == 0
        or file.embedding != files[k - 1].embedding
        or not file.schema.equals(files[k - 1].schema)
    ]


def _feature_columns(
    file: Table,
    layout: Layout,
    roles: Roles,
    features: Columns | None,
    keep: Sequence[str],
    exclude: Sequence[str],
) -> list[str]:
    """Return the feature columns of a file, after checking them against the roles."""
    if features is None and file.embedding is not None:
        chosen, wanted = [file.embedding], ""
    elif features is None:
        chosen = [
            field.name
            for field in file.schema
            if field.name not in keep
            and field.name not in file.folder_columns
            and not _ROW_NUMBERS.fullmatch(field.name)
            and (layout.feature(field.name) or is_list(field.type))
        ]
        left_out = [name for name in chosen if not layout.measurement(name)]
        if left_out:
            warnings.warn(
                f"{len(left_out)} columns of {file.label} are no features, as their names say: "
                f"{some(left_out)}; name the features (features=) to take such columns",
                LabelsWarning,
                stacklevel=level_outside(),
            )
        chosen = [name for name in chosen if layout.measurement(name)]
        wanted = "feature columns"
    else:
        patterns = as_columns(features)
        chosen = _named_like(patterns, file.names)
        wanted = f"columns like {' or '.join(map(repr, patterns))}"
        named = [(role, name) for role, names in roles.named().items() for name in names]
        for role, column in named:
            if column in chosen:
                raise InputError(
                    f"column {column!r} is named both a feature and the {role}; it can be one "
                    f"(features=, {role}=)"
                )
    chosen = [name for name in chosen if not any(fnmatchcase(name, p) for p in exclude)]
    if not chosen:
        raise InputError(f"{file.label} has no {wanted}; there are: {some(file.names)}")
    file.check_unique(chosen)
    lists = [name for name in chosen if is_list(file.schema.field(name).type)]
    if lists and len(chosen) > 1:
        other = next(name for name in chosen if name != lists[0])
        raise InputError(
            f"column {lists[0]!r} of {file.label} holds vectors, but {other!r} is a feature "
            "too; choose the one column, or the others, by name (features=)"
        )
    return chosen


def _named_like(patterns: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the names that are named or matched; what is a name as it stands is no pattern."""
    exact = set(patterns) & set(names)
    globs = [pattern for pattern in patterns if pattern not in exact]
    return [n for n in names if n in exact or any(fnmatchcase(n, glob) for glob in globs)]


def width_of(files: Sequence[Table], features: Sequence[str]) -> int:
    """Return how many features a row has: from the schema, or for lists of any length the first."""
    kind = files[0].schema.field(features[0]).type
    if not is_list(kind):
        return len(features)
    if pa.types.is_fixed_size_list(kind) and kind.list_size:
        return int(kind.list_size)
    for file in files:
        for part in file.parts(features):
            if part.table.num_rows:
                first = FeatureRows(part.table.slice(0, 1), features, part.where)[:]
                return int(first.shape[1])
    raise InputError(f"{files[0].label} has no rows")

"""Which columns are features."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

import pyarrow as pa

from wellgram.errors import InputError
from wellgram.io.layouts import Layout
from wellgram.io.roles import Roles
from wellgram.io.tables import FeatureRows, Table, is_list, some

_ROW_NUMBERS = re.compile(r"(Unnamed: \d+)?|__index_level_\d+__")
"""What pandas calls the column of its row numbers, in a csv and in a parquet"""


def shared_features(
    files: Sequence[Table],
    layout: Layout,
    roles: Roles,
    features: str | Sequence[str] | None,
    keep: Sequence[str],
) -> list[str]:
    """Return the feature columns, after checking that all files have the same ones."""
    files = unlike(files)
    first, *others = (_feature_columns(file, layout, roles, features, keep) for file in files)
    for file, chosen in zip(files[1:], others, strict=True):
        differing = sorted(set(first) ^ set(chosen))
        if differing:
            raise InputError(
                f"{file.label} has {len(chosen)} features, {files[0].label} has "
                f"{len(first)}, and they are not the same (first difference: {differing[0]!r}); "
                "name the features they share (features=)"
            )
    return first


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
    features: str | Sequence[str] | None,
    keep: Sequence[str],
) -> list[str]:
    """Return the feature columns of a file, after checking them against the roles."""
    if features is None and file.embedding is not None:
        chosen, wanted = [file.embedding], ""
    elif features is None:
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

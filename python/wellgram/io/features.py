"""Which columns are features, and the features of all files as one matrix."""

import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

import numpy as np
import pyarrow as pa

from wellgram.backends.protocol import Rows
from wellgram.errors import InputError
from wellgram.io.layouts import Layout
from wellgram.io.roles import Roles
from wellgram.io.tables import TableFile, feature_matrix, is_list, need_column, some

_ROW_NUMBERS = re.compile(r"(Unnamed: \d+)?|__index_level_\d+__")
"""What pandas calls the column of its row numbers, in a csv and in a parquet"""


def shared_features(
    files: list[TableFile],
    layout: Layout,
    roles: Roles,
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
    roles: Roles,
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


def stack(
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

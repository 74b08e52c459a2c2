"""Plates whose numbers repeat: plate 1 of one experiment is not plate 1 of another."""

import re
import warnings
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from wellgram.errors import LabelsWarning
from wellgram.estimators.call_sites import level_outside
from wellgram.io.tables import Table

_WIDER = frozenset(
    {"source", "batch", "experiment", "experimentname", "experimentid", "screen", "project", "run"}
)
"""What plates are of, in small letters, without a prefix ``Metadata_``"""


def wider_columns(tables: Sequence[Table], batch: Sequence[str]) -> list[str]:
    """Return columns of all tables that tell what plates are of, where a batch is a plate."""
    if len(batch) != 1 or "plate" not in batch[0].casefold():
        return []
    return [
        field.name
        for field in tables[0].schema
        if _plain(field.name) in _WIDER
        and field.name not in batch
        and (pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
             or pa.types.is_integer(field.type) or pa.types.is_dictionary(field.type))
        and all(field.name in table.names for table in tables)
    ]  # fmt: skip


def warn_of_repeated_plates(
    described: pd.DataFrame, batch: Sequence[str], wider: Sequence[str]
) -> None:
    """Warn where a plate's number is that of plates of several experiments or sources."""
    for column in wider:
        pairs = described[[*batch, column]].drop_duplicates()
        several = pairs[batch[0]].duplicated()
        if several.any():
            plate = pairs.loc[several, batch[0]].iloc[0]
            among = pairs.loc[pairs[batch[0]] == plate, column].head(2).tolist()
            warnings.warn(
                f"plates of different {column!r} have the same {batch[0]!r}, and count as one "
                f"batch: {plate!r} is in {_listed(among)}; name both columns "
                f"(batch={[column, batch[0]]})",
                LabelsWarning,
                stacklevel=level_outside(),
            )


def _listed(values: Sequence[Any]) -> str:
    return " and in ".join(repr(str(value)) for value in values)


def _plain(column: str) -> str:
    return re.sub(r"[^a-z]", "", column.casefold().removeprefix("metadata_"))

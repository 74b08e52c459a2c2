"""Which column plays which role, and the metadata under the names of `Wells`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from wellgram.errors import InputError
from wellgram.io.layouts import Layout
from wellgram.io.tables import need_column, some
from wellgram.io.values import by_value
from wellgram.wells import ROLES


@dataclass(frozen=True)
class Roles:
    """The columns of the files that play the roles of `Wells.metadata`."""

    perturbation: str
    well_id: str | None
    perturbation_type: str | None
    batch: str | None
    dose: str | None
    joining: str | None = None
    """What joins embeddings and metadata, where that is not the well"""
    control: str | None = None
    """What tells controls, where that is not the perturbation"""

    @classmethod
    def find(
        cls,
        layout: Layout,
        names: Sequence[str],
        where: str,
        given: dict[str, str | None],
        well_id: str | None,
        joining: str | None = None,
    ) -> "Roles":
        """Find each role's column among `names`: the one given, else the layout's usual one."""
        found = {role: given[role] or _usual(role, layout, names, where) for role in given}
        roles = cls(
            perturbation=found["perturbation"],
            well_id=well_id,
            perturbation_type=layout.perturbation_type,
            batch=None if found["batch"] == "none" else found["batch"],
            dose=None if found["dose"] == "none" else found["dose"],
            joining=joining,
            control=layout.control_column,
        )
        for role, column in roles.named().items():
            need_column(column, names, where, role)
        return roles

    def with_controls(self, given: str | Sequence[str] | None) -> "Roles":
        """Return the roles where controls are named: by their perturbation, in any layout."""
        return self if given is None else replace(self, control=None)

    def named(self) -> dict[str, str]:
        """Return the columns by role."""
        return {role: column for role, column in vars(self).items() if column is not None}

    def columns(self) -> list[str]:
        """Return the columns that play a role."""
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


def with_roles(
    table: pd.DataFrame,
    roles: Roles,
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
    wells["perturbation"] = by_value(given, layout.label) if is_default else given
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
    told = wells["perturbation"] if roles.control is None else table[roles.control]
    wells["is_control"] = told.isin(controls).to_numpy()
    wells["in_map"] = layout.in_map(wells)
    for column in columns:
        if column not in ROLES:
            wells[column] = table[column].to_numpy()
    return wells


def _doses(column: pd.Series, well_id: pd.Series) -> pd.Series:
    numbers = by_value(column, lambda doses: pd.to_numeric(doses, errors="coerce"))
    numbers = numbers.astype(np.float64)
    wrong = (numbers.isna() & column.notna()) | np.isinf(numbers)
    if wrong.any():
        raise InputError(
            f"{int(wrong.sum())} doses are not numbers: well {well_id[wrong].iloc[0]!r} has "
            f"{str(column[wrong].iloc[0])!r} in column {column.name!r}; correct them or aggregate "
            "over doses (dose='none')"
        )
    return numbers

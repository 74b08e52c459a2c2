"""Which column plays which role."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wellgram.errors import ColumnMissing, InputError
from wellgram.io.keys import Columns, as_columns
from wellgram.io.layouts import Layout
from wellgram.io.tables import need_column, some
from wellgram.wells import ROLES


@dataclass(frozen=True)
class Roles:
    """The columns of the files that play the roles of `Wells.metadata`."""

    perturbation: str
    well_id: tuple[str, ...]
    """The columns that together name a well; none: each row is a well"""
    usual_key: bool
    """Whether nobody named those, but the layout usually has them"""
    perturbation_type: str | None
    batch: tuple[str, ...]
    """The columns that together name a batch; none: one batch"""
    dose: tuple[str, ...]
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
        given: Mapping[str, Columns | None],
        *,
        alone: str | None = None,
        control_column: str | None = None,
        controls_named: bool = False,
    ) -> "Roles":
        """Find each role's columns among `names`: those given, else the layout's usual ones.

        `alone` is a column that names wells where neither does. Controls that are named are told by
        their perturbation, in any layout, unless a column is named too.
        """
        found = {
            role: as_columns(given[role]) or _usual(role, layout, names, where)
            for role in ("perturbation", "batch", "dose")
        }
        if len(found["perturbation"]) > 1:
            raise InputError("a perturbation is named by one column (perturbation=)")
        named = as_columns(given["well_id"])
        certain = named or as_columns(layout.well_id) or as_columns(alone)
        usual = layout.well_key if set(layout.well_key) <= set(names) else ()
        roles = cls(
            perturbation=found["perturbation"][0],
            well_id=certain or usual,
            usual_key=bool(usual and not certain),
            perturbation_type=layout.perturbation_type,
            batch=() if found["batch"] == ("none",) else found["batch"],
            dose=() if found["dose"] == ("none",) else found["dose"],
            joining=None if named else layout.joining,
            control=control_column or (None if controls_named else layout.control_column),
        )
        for role, columns in roles.named().items():
            for column in columns:
                _need(column, names, where, role)
        return roles

    def named(self) -> dict[str, tuple[str, ...]]:
        """Return the columns by role."""
        return {
            role: columns if isinstance(columns, tuple) else (columns,)
            for role, columns in vars(self).items()
            if columns and role != "usual_key"
        }

    def columns(self) -> list[str]:
        """Return the columns that play a role."""
        return list(dict.fromkeys(name for names in self.named().values() for name in names))

    def check_kept(self, columns: Sequence[str], names: Sequence[str], where: str) -> None:
        """Raise unless columns to keep are there, and none takes the name of a role."""
        for column in columns:
            need_column(column, names, where, "to keep: columns=")
            if column in ROLES and self.named().get(column) != (column,):
                raise InputError(
                    f"column {column!r} of {where} cannot be kept: wells have a {column!r} of "
                    "their own; rename it"
                )


def _need(column: str, names: Sequence[str], where: str, role: str) -> None:
    """Raise unless a column is there; if several are named in one text, say how to name them."""
    several = [part.strip() for part in column.replace("+", ",").split(",")]
    if column not in names and len(several) > 1 and set(several) <= set(names):
        raise ColumnMissing(
            f"{where} has no column {column!r} ({role}), but has those it is made of; name each "
            f"({role}={several})"
        )
    need_column(column, names, where, role)


def _usual(role: str, layout: Layout, names: Sequence[str], where: str) -> tuple[str, ...]:
    """Return the layout's column of a role, "none" where the layout has none."""
    usual: tuple[str, ...] = getattr(layout, role)
    optional = role != "perturbation"
    if optional and not usual:
        return ("none",)
    for name in usual:
        if name in names:
            return (name,)
    absent = f"there is no {' or '.join(map(repr, usual))}; " if usual else ""
    without = f" or do without ({role}='none')" if optional else ""
    raise InputError(
        f"which column of {where} is the {role}: {absent}name it ({role}=){without}; "
        f"there are: {some(names)}"
    )

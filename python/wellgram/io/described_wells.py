"""The metadata of a screen under the names of `Wells`, checked, and where its columns came from."""

import warnings
from collections.abc import Sequence
from typing import Any

import pandas as pd

from wellgram.errors import InputError, LabelsWarning
from wellgram.estimators.call_sites import level_outside
from wellgram.io.keys import key_of
from wellgram.io.layouts import Layout
from wellgram.io.roles import Roles
from wellgram.io.tables import some
from wellgram.io.values import by_value
from wellgram.label_rules.controls import near_misses
from wellgram.label_rules.doses import as_doses
from wellgram.label_rules.missing_labels import is_missing, without_missing
from wellgram.wells import ROLES

_MANY = 5
"""Of labels, in a message"""


def well_metadata(
    table: pd.DataFrame,
    well_id: "pd.Series[Any]",
    roles: Roles,
    layout: Layout,
    controls: Sequence[str] | None,
    columns: Sequence[str],
) -> tuple[pd.DataFrame, dict[str, str]]:
    """Return the metadata under the names of `Wells`, and where its columns came from.

    `controls` are the labels that are named; None: those of the layout.
    """
    given = table[roles.perturbation]
    _check_given(given, "perturbation", well_id, "label them, controls too, or leave them out")
    wells = pd.DataFrame({"well_id": well_id})
    if roles.perturbation_type:
        wells["perturbation_type"] = table[roles.perturbation_type]
    is_default = roles.perturbation in layout.perturbation
    wells["perturbation"] = by_value(given, layout.label) if is_default else given
    origin = {"batch": " + ".join(roles.batch) or "none"}
    if roles.dose:
        doses, unit = as_doses(key_of(table, roles.dose, joint=" "), well_id)
        wells["dose"] = doses
        origin["dose"] = " + ".join(roles.dose)
        origin["unit of doses"] = unit
    if roles.batch:
        batch = key_of(table, roles.batch)
        remedy = "fill it in or align without batches (batch='none')"
        _check_given(batch, "batch", well_id, remedy)
        wells["batch"] = batch
    labels = wells["perturbation"] if roles.control is None else table[roles.control]
    column = roles.perturbation if roles.control is None else roles.control
    chosen = list(layout.control if controls is None else controls)
    # Labels that somebody named must all be there; of a layout's kinds of controls, one.
    _check_controls(labels, chosen, column, all_of=controls is not None or roles.control is None)
    named = " or ".join(map(repr, chosen))
    origin["control"] = f"column {column!r} == {named}" if named else "none named"
    wells["is_control"] = labels.isin(chosen).to_numpy()
    _warn_of_spellings(wells["perturbation"], roles.perturbation)
    wells["in_map"] = layout.in_map(wells)
    for column in columns:
        if column not in ROLES:
            wells[column] = without_missing(table[column]).to_numpy()
    return wells, origin


def _check_given(
    labels: "pd.Series[Any]", role: str, well_id: "pd.Series[Any]", remedy: str
) -> None:
    """Raise unless every well has a value."""
    missing = is_missing(labels)
    if missing.any():
        blank = labels[missing].dropna()
        shown = f"reads {blank.iloc[0]!r}" if len(blank) else "has none"
        what = "value" if role == "perturbation" else role
        raise InputError(
            f"{int(missing.sum())} wells have no {what} in column {labels.name!r} (first: "
            f"{well_id[missing].iloc[0]!r}, which {shown}); {remedy}"
        )


def _check_controls(
    labels: "pd.Series[Any]", controls: Sequence[str], column: str, *, all_of: bool
) -> None:
    """Raise where wells of a control are not there; warn of labels that are nearly a control's."""
    present = set(labels.unique())
    absent = [label for label in controls if label not in present]
    near = near_misses(labels, controls)
    shown = ", ".join(f"{label!r} ({count} wells)" for label, count in near.items())
    if absent and (all_of or len(absent) == len(controls)):
        meant = f"; {shown} differs in case or blanks alone" if shown else ""
        raise InputError(
            f"no well is a control {absent[0]!r}: none has that label in column {column!r}{meant}; "
            f"name the controls (control=), or the column that tells them (control_column=); "
            f"labels are like {some(labels.dropna().unique().tolist(), 3)}"
        )
    if shown:
        warnings.warn(
            f"wells labelled {shown} in column {column!r} are no controls, but their labels differ "
            f"from {' or '.join(map(repr, controls))} in case or blanks alone; correct the labels, "
            "or name them as controls too (control=)",
            LabelsWarning,
            stacklevel=level_outside(),
        )


def _warn_of_spellings(labels: "pd.Series[Any]", column: str) -> None:
    """Warn of perturbations whose labels differ in case or blanks alone."""
    spelt = pd.Series(labels.unique()).astype("str")
    groups = spelt.groupby(spelt.str.strip().str.casefold(), sort=False)
    alike = (
        [group.tolist() for _, group in groups if len(group) > 1]
        if groups.ngroups < len(spelt)
        else []
    )
    if alike:
        shown = "; ".join(" and ".join(map(repr, group)) for group in alike[:_MANY])
        more = f"; and {len(alike) - _MANY} more" if len(alike) > _MANY else ""
        warnings.warn(
            f"{len(alike)} perturbations of column {column!r} are spelt in several ways and count "
            f"as several: {shown}{more}; spell them alike if they are one",
            LabelsWarning,
            stacklevel=level_outside(),
        )

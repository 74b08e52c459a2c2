"""What the public screens look like: which column plays which role.

A layout answers, for a kind of file, what a generic reader must ask. Adding a screen is adding an
entry to `LAYOUTS`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.errors import InputError
from wellgram.io.measurements import is_measurement
from wellgram.io.values import by_value

RXRX3_CORE_DOSES = (0.0025, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0)
"""The doses of RxRx3-core in uM; a handful of wells lie off this grid and make no map row."""


def _all_but_controls(metadata: pd.DataFrame) -> NDArray[np.bool_]:
    return ~metadata["is_control"].to_numpy(bool)


@dataclass(frozen=True)
class Layout:
    """The roles of columns; of a tuple of usual names the first present is taken."""

    name: str
    summary: str
    well_id: str | None = None
    well_key: tuple[str, ...] = ()
    """Columns that together name a well, where the tables have all of them"""
    perturbation: tuple[str, ...] = ()
    perturbation_type: str | None = None
    batch: tuple[str, ...] = ()
    dose: tuple[str, ...] = ()
    control: tuple[str, ...] = ()
    """The labels of the wells that define "no effect\""""
    control_column: str | None = None
    """The column that has these labels, if not that of the perturbation"""
    joining: str | None = None
    """The column that joins embeddings and metadata, if wells have several rows there"""
    keep: tuple[str, ...] = ()
    """Columns that travel along where they are there"""
    feature: Callable[[str], bool] = lambda column: column.startswith("feature_")
    """Whether a column of the embeddings is a feature, by its name"""
    measurement: Callable[[str], bool] = lambda column: True
    """Whether such a column is a measurement; others are left out, which is said"""
    files: str = "*.parquet"
    """Which files of a folder are embeddings"""
    separate: bool = False
    """Whether the metadata is a file of its own"""
    label: Callable[["pd.Series[str]"], "pd.Series[str]"] = lambda column: column
    """From the perturbation column to the label of the perturbation"""
    in_map: Callable[[pd.DataFrame], NDArray[np.bool_]] = _all_but_controls
    """Which wells make up the map, given the columns of `Wells.metadata`"""
    align: str = "center-scale"
    """The alignment that this screen's own benchmark uses"""

    def kept(self, columns: Sequence[str], names: Sequence[str]) -> list[str]:
        """Return the columns to keep: those asked for, and this layout's among those there are."""
        return list(dict.fromkeys([*columns, *(name for name in self.keep if name in names)]))


def _rxrx3_label(treatment: "pd.Series[str]") -> "pd.Series[str]":
    """Return the part before the first underscore, or all of a control's name.

    Guides of a gene, ``GENE_guide_1`` and so on, thus fall together.
    """
    gene = treatment.str.split("_", n=1).str[0]
    return treatment.where(treatment.str.contains("_control", na=False), gene)


def _rxrx3_in_map(metadata: pd.DataFrame) -> NDArray[np.bool_]:
    """Leave out the control wells of compound plates and the doses off the grid.

    The control wells of CRISPR plates stay: they make one row of the map, as published.
    """
    compound = metadata["perturbation_type"] == "COMPOUND"
    control = by_value(metadata["perturbation"], lambda labels: labels.str.contains("_control"))
    kept: NDArray[np.bool_] = ~(compound & control).to_numpy(bool)
    if "dose" in metadata and pd.api.types.is_numeric_dtype(metadata["dose"]):
        kept &= by_value(metadata["dose"], _on_grid).to_numpy(bool)
    return kept


def _on_grid(doses: "pd.Series[float]") -> "pd.Series[bool]":
    """Return whether doses are those of RxRx3-core, or none."""
    near = np.isclose(doses.to_numpy()[:, None], RXRX3_CORE_DOSES, rtol=1e-6).any(axis=1)
    return doses.isna() | pd.Series(near, doses.index)


_RXRX3_CORE = Layout(
    name="rxrx3-core",
    summary="RxRx3-core: a parquet of well_id and feature_0 ..., and its metadata csv",
    well_id="well_id",
    perturbation=("treatment",),
    perturbation_type="perturbation_type",
    batch=("experiment_name",),
    dose=("concentration",),
    control=("EMPTY_control",),
    separate=True,
    label=_rxrx3_label,
    in_map=_rxrx3_in_map,
    align="pca-center-scale",
)

_ALL: Iterable[Layout] = (
    _RXRX3_CORE,
    replace(
        _RXRX3_CORE,
        name="rxrx3",
        summary="RxRx3: EXPERIMENT/PLATE/embeddings.parquet, and the metadata csv",
        files="**/embeddings.parquet",
        feature=lambda column: column != "well_id",
        align="tvn",
    ),
    Layout(
        name="rxrx1",
        summary="RxRx1: a table of site_id and feature_0 ..., and its metadata csv",
        well_id="well_id",
        joining="site_id",
        perturbation=("sirna",),
        batch=("experiment",),
        control=("negative_control", "positive_control"),
        control_column="well_type",
        keep=("cell_type", "dataset", "plate"),
        separate=True,
        in_map=lambda metadata: np.ones(len(metadata), bool),
        files="embeddings*",
    ),
    Layout(
        name="cell-painting",
        summary="one table, Metadata_* columns and features (csv, tsv, parquet; also .gz)",
        well_key=("Metadata_Plate", "Metadata_Well"),
        perturbation=("Metadata_broad_sample", "Metadata_JCP2022", "Metadata_perturbation"),
        batch=("Metadata_Plate",),
        control=("DMSO",),
        keep=(
            "Metadata_Well",
            "Metadata_Batch",
            "Metadata_Count_Cells",
            "Metadata_Cell_Count",
            "Metadata_arm",
            "Metadata_zfpkm",
        ),
        feature=lambda column: not column.startswith("Metadata_"),
        measurement=is_measurement,
        files="*",
    ),
    Layout(
        name="columns",
        summary="name the columns yourself; features are feature_* unless named",
        files="*",
    ),
)

LAYOUTS = {layout.name: layout for layout in _ALL}
"""The registry, by name."""


def layout_named(name: str) -> Layout:
    """Return the layout of that name; raise if there is none."""
    if name not in LAYOUTS:
        raise InputError(f"unknown layout {name!r}; choose {', '.join(LAYOUTS)}")
    return LAYOUTS[name]

"""Screens of a few wells, as tables to write to files."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

FEATURES = [f"Cells_{j}" for j in range(6)]


def plate(name="P1", seed=0):
    """One Cell Painting plate: 4 DMSO wells, compounds A to F at doses 1 and 10 of 3 mechanisms."""
    compounds = [*"AABBCCDDEEFF"]
    mechanisms = {"A": "kinase", "B": "kinase", "C": "tubulin", "D": "tubulin", "E": "HDAC"}
    frame = pd.DataFrame(
        {
            "Metadata_Plate": name,
            "Metadata_Well": [f"A{i + 1:02d}" for i in range(16)],
            "Metadata_broad_sample": ["DMSO"] * 4 + compounds,
            "Metadata_dose": [0.0] * 4 + [1.0, 10.0] * 6,
            "Metadata_moa": [None] * 4 + [mechanisms.get(c) for c in compounds],
        }
    )
    values = np.random.default_rng(seed).normal(size=(len(frame), len(FEATURES)))
    return pd.concat([frame, pd.DataFrame(values.round(4), columns=FEATURES)], axis=1)


def rxrx3_core(seed=0, features=5):
    """Embeddings (32, d) and metadata with the published columns: a gene and a compound experiment.

    Genes PLK1 and MTOR by two guides; compounds at a dose on the grid and at one off it; controls
    of both kinds.
    """
    genes = ["EMPTY_control"] * 4 + ["PLK1_guide_1", "PLK1_guide_2", "MTOR_guide_1"] * 4
    compounds = ["EMPTY_control"] * 4 + ["CRISPR_control"] * 4 + ["Cmp_1", "Cmp_2"] * 4
    doses = [np.nan] * 24 + [0.0025, 0.0025, 1.0, 1.0, 2.6, 2.6, 10.0, 10.0]
    count = len(genes) + len(compounds)
    metadata = pd.DataFrame(
        {
            "well_id": [f"w{i:02d}" for i in range(count)],
            "experiment_name": ["gene-001"] * len(genes) + ["compound-001"] * len(compounds),
            "plate": 1,
            "address": "A01",
            "gene": None,
            "treatment": genes + compounds,
            "SMILES": None,
            "concentration": doses,
            "perturbation_type": ["CRISPR"] * len(genes) + ["COMPOUND"] * len(compounds),
        }
    )
    values = np.random.default_rng(seed).normal(size=(count, features)).astype(np.float32)
    return values, metadata


def write_wide(path, values, well_id, **more):
    """Write a parquet of well_id and feature_0 ..."""
    columns = {f"feature_{j}": column for j, column in enumerate(values.T)}
    pq.write_table(pa.table({"well_id": list(well_id), **columns, **more}), path)
    return path


def write_csv(path, frame, **options):
    frame.to_csv(path, index=False, **options)
    return path


def mean_of(values, metadata, treatment, dose=None):
    """The mean of the wells whose treatment starts so, at a dose if one is given."""
    rows = metadata["treatment"].str.startswith(treatment)
    if dose is not None:
        rows &= metadata["concentration"] == dose
    return values[rows.to_numpy()].mean(axis=0, dtype=np.float64)

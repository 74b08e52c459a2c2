"""What benchmarks of replicates have in common: a score of each perturbation, and a p-value."""

from collections.abc import Hashable
from typing import Any

import numpy as np
import pandas as pd

from wellgram.label_rules.missing_labels import without_missing
from wellgram.suite.benchmarks.intervals import mean_interval, share_interval
from wellgram.suite.contract import Findings, Task


def replicate_findings(task: Task, result: Any, score: str, name: str) -> Findings:
    """Return the mean score and the share of significant perturbations, also by type.

    Parameters
    ----------
    task
        The screen.
    result
        Has a `table` of perturbations with the score, ``null_mean`` and ``q_value``.
    score
        The column of the score.
    name
        Of the table that is written.
    """
    table: pd.DataFrame = result.table
    kinds = [("all", table)]
    if "perturbation_type" in table and len(table["perturbation_type"].unique()) > 1:
        of_kind = table.groupby(without_missing(table["perturbation_type"]))
        kinds += [(str(kind), rows) for kind, rows in of_kind]
    records: list[dict[Hashable, Any]] = []
    for kind, rows in kinds:
        tested = rows[rows["q_value"].notna()]
        records.append(
            {
                "perturbations": kind,
                "n_perturbations": len(rows),
                "n_tested": len(tested),
                **mean_interval(score, tested[score].to_numpy(), task),
                "null_mean": tested["null_mean"].mean() if len(tested) else np.nan,
                **share_interval("significant", (tested["q_value"] <= 0.05).to_numpy()),
            }
        )
    return Findings(result, pd.DataFrame(records), {name: table})

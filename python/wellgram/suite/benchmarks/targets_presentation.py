"""How drug targets are shown."""

import pandas as pd

from wellgram.plots import plot_doses
from wellgram.suite.contract import Figure, Findings, Headline, Presentation, Task
from wellgram.suite.words import interval_words


def present_targets(task: Task, findings: Findings) -> Presentation:
    """Return average precision per dose, and a headline of the largest similarity over doses."""
    result = findings.result
    column = task.wells.origin.get("dose")
    unit = task.wells.origin.get("unit of doses")
    if unit:
        dose = f"dose, in {unit}"
    else:
        dose = "dose" if column is None else f"dose, in the unit of column {column!r}"
    rows = [
        (
            _dose_words(row["concentration"]),
            f"{row['n_items']:,}",
            f"{row['average_precision']:.4f}",
            interval_words(row),
            f"{row['chance']:.4f}",
            f"{row['auc_roc']:.4f}",
        )
        for row in result.table.to_dict("records")
    ]
    absent = " and ".join(f"{count:,} {kind}s" for kind, count in result.absent.items() if count)
    return Presentation(
        "Genes are ranked by the absolute cosine of their knock-out with each compound; average "
        "precision over compounds, 100 draws of negatives. Intervals are bootstrapped over "
        f"compounds. Skipped: {len(result.skipped):,} compounds; of the table, not in the map: "
        f"{absent or 'nothing'}.",
        ("concentration", "compounds", "average precision", "95 %", "chance", "AUC"),
        rows,
        {
            "drug_targets": Figure(
                lambda: plot_doses(result, dose=dose),
                "Average precision of finding a compound's targets, mean over compounds, against "
                "dose, with 95 % intervals over resampled compounds; max: by the largest "
                "similarity over doses. Dashed: chance. Band: random scores, two standard "
                "deviations over draws of negatives.",
            )
        },
        _headline(result.table),
    )


def _headline(table: pd.DataFrame) -> Headline:
    largest = table.iloc[-1]
    return Headline(
        "average precision of drug targets",
        f"{largest['average_precision']:.3f}",
        interval_words(largest),
        f"largest similarity over doses; chance {largest['chance']:.3f}",
    )


def _dose_words(dose: float | str) -> str:
    return dose if isinstance(dose, str) else f"{dose:g}"

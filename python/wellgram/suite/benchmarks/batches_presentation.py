"""How batch effects are shown."""

from wellgram.suite.contract import Figure, Findings, Presentation, Task
from wellgram.suite.words import number_words


def present_batches(task: Task, findings: Findings) -> Presentation:
    """Return each measure before and after the alignment."""
    result = findings.result
    rows = [
        (row["measure"], number_words(row["raw"]), number_words(row["aligned"]), row["best"],
         number_words(row["chance"]))
        for row in result.table.to_dict("records")
    ]  # fmt: skip
    return Presentation(
        f"Of {result.wells:,} treated wells in {result.batches:,} batches, whose perturbations are "
        "in two batches at least. Batch accuracy is that of linear discriminants, fitted on half "
        "of the wells and tested on the others. The margin is the mean cosine of wells of one "
        "perturbation in different batches, less that of different perturbations in one batch. "
        "kBET, iLISI and silhouettes are scib-metrics', 1 where batches mix.",
        ("measure", "raw", "aligned", "better", "chance"),
        rows,
        {
            "batch_effects": Figure(
                result.plot,
                "What is left of batches in single wells, before (open) and after (filled) the "
                "alignment. Upright bar: chance.",
            )
        },
    )

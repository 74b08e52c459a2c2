"""How average precision of replicates is shown: each measure, and what a value below chance is."""

from collections.abc import Sequence
from dataclasses import replace

from wellgram.suite.benchmarks.precision_measures import measures_of
from wellgram.suite.benchmarks.replicate_presentation import (
    Row,
    found_headline,
    present_replicates,
)
from wellgram.suite.contract import Findings, Headline, Presentation, Task
from wellgram.suite.words import interval_words

PRECISION = "mean_average_precision"
_NULLS = {
    "random rankings": "random rankings, which for groups are on the safe side",
    "every ranking": "every ranking",
    "permuted labels": "permuted labels",
}


def present_precision(task: Task, findings: Findings) -> Presentation:
    """Return each measure by type of perturbation; the headline does not mix batches."""
    within = " of its batch" if "batch" in task.wells.metadata else ""
    used = findings.result.table["null"]
    nulls = " and ".join(words for null, words in _NULLS.items() if (used == null).any())
    text = (
        "How well each well finds the other wells of its perturbation: phenotypic activity, before "
        f"the controls{within}; distinctiveness, before the wells of other perturbations{within}. "
        f"Figures and p-values are of phenotypic activity, against {nulls}"
    )
    mixed = {measure.name for measure in measures_of(task) if measure.mixes_batches}
    if mixed:
        text += (
            ". Both take replicates of any batch, as published figures do; a value below the null "
            "then says that batch effects are left, since negatives of the same batch are nearer "
            "than replicates of others. Within: the replicates are of the same batch too. Across: "
            "neither replicates nor controls are, and up to 1,000 controls are taken"
        )
    records = findings.records.to_dict("records")
    fewer = [
        f"{row['measure']}, {row['n_tested']:,} of {row['n_perturbations']:,} perturbations"
        for row in records
        if row["perturbations"] == "all" and row["measure"] != records[0]["measure"]
    ]
    shown = present_replicates(
        findings, PRECISION, "average_precision", text, _below_chance(records, mixed)
    )
    tested = f" Tested of the other measures: {'; '.join(fewer)}." if fewer else ""
    return replace(
        shown,
        text=shown.text + tested,
        head=("measure", "mean", "95 %", "null", "found", "95 %"),
        rows=[_row(record) for record in records if record["n_tested"]],
        headline=_headline(records, mixed),
    )


def _row(record: Row) -> tuple[str, ...]:
    kind, tested = record["perturbations"], record["n_tested"]
    return (
        _spelled(record) if kind == "all" else f"- {kind}",
        f"{record[PRECISION]:.3f}",
        interval_words(record, f"{PRECISION}_"),
        f"{record['null_mean']:.3f}",
        f"{record['n_significant']:,} of {tested:,} ({record['significant_share']:.1%})",
        interval_words(record, "significant_share_"),
    )


def _spelled(record: Row) -> str:
    name = str(record["measure"]).removeprefix("phenotypic ")
    return name.replace(" within a batch", ", within").replace(" across batches", ", across")


def _headline(records: Sequence[Row], mixed: set[str]) -> Headline:
    """Return the share found by the first measure that compares like with like."""
    pure = [row for row in records if row["measure"] not in mixed and row["n_tested"]]
    row = (pure or records)[0]
    return found_headline(row, str(row["measure"]))


def _below_chance(records: Sequence[Row], mixed: set[str]) -> str:
    """Say which means lie below their null, and what that means."""
    below = [row for row in records if row[f"{PRECISION}_ci_high"] < row["null_mean"]]
    notes = []
    for rows, why in (
        (
            [row for row in below if row["measure"] in mixed],
            "batch effects are left: controls and other perturbations of the same batch are nearer "
            "than replicates of other batches; read the figures within a batch and across batches",
        ),
        (
            [row for row in below if row["measure"] not in mixed],
            "replicates are less alike than what they are ranked before, though batches are the "
            "same for both: look at positions on the plate, and at controls that lie close "
            "together",
        ),
    ):
        if rows:
            listed = ", ".join(
                f"{_spelled(row)} of {row['perturbations']} ({row[PRECISION]:.2f} against "
                f"{row['null_mean']:.2f})"
                for row in rows
            )
            notes.append(f"Below chance: {listed}. There, {why}.")
    return " ".join(notes)

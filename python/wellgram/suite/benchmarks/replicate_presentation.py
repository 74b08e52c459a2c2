"""How benchmarks of replicates are shown: means, shares found, volcano and p-values."""

from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from wellgram.plots import plot_p_values, plot_volcano
from wellgram.suite.contract import Figure, Findings, Headline, Presentation
from wellgram.suite.words import interval_words

Row = Mapping[Hashable, Any]
"""A record of `replicate_findings`"""


def present_replicates(
    findings: Findings, score: str, name: str, text: str, note: str = ""
) -> Presentation:
    """Return the presentation of `replicate_findings`.

    `text` says what the score is; see `Presentation` for `note`.
    """
    result, table = findings.result, findings.tables[name]
    records = findings.records.to_dict("records")
    rows = [
        (
            row["perturbations"],
            f"{row['n_tested']:,} of {row['n_perturbations']:,}",
            f"{row[score]:.4f}",
            interval_words(row, f"{score}_"),
            f"{row['null_mean']:.4f}",
            f"{row['n_significant']:,} of {row['n_tested']:,} ({row['significant_share']:.1%})"
            if row["n_tested"]
            else "-",
            interval_words(row, "significant_share_"),
        )
        for row in records
    ]
    null = f", against {result.null}" if hasattr(result, "null") else ""
    words = score.replace("_", " ")
    return Presentation(
        f"{text}{null}. Found: at a false discovery rate of 5 %, of those tested. Intervals of "
        "means are bootstrapped over perturbations, those of shares are Wilson's. "
        f"{_untested(table)}",
        ("perturbations", "tested", "mean", "95 %", "null", "found", "95 %"),
        rows,
        {
            name: Figure(
                lambda: plot_volcano(result, score),
                f"Every perturbation by its {words} and the p-value of that; up is less likely by "
                "chance. Coloured: found at a false discovery rate of 5 % (Benjamini-Hochberg).",
            ),
            f"{name}_p_values": Figure(
                lambda: plot_p_values(table["p_value"].to_numpy()),
                "p-values of the same perturbations. Chance alone would spread them evenly "
                "(dashed); what is more on the left is found.",
            ),
        },
        found_headline(records[0], name.replace("_", " ")),
        note,
    )


def found_headline(row: Row, name: str) -> Headline:
    """Return the share of perturbations found by what is named, of a record."""
    return Headline(
        f"found by {name}",
        f"{row['significant_share']:.1%}" if row["n_tested"] else "-",
        interval_words(row, "significant_share_", percent=True),
        f"{row['n_significant']:,} of {row['n_tested']:,} tested perturbations, "
        "false discovery rate 5 %",
    )


def _untested(table: pd.DataFrame) -> str:
    """Say how many perturbations were not tested, and why."""
    reasons = table.loc[table["q_value"].isna(), "reason"].value_counts()
    if reasons.empty:
        return "All perturbations were tested."
    why = ", ".join(f"{count:,} {reason}" for reason, count in reasons.items())
    return f"Not tested: {int(reasons.sum()):,} of {len(table):,} perturbations ({why})."

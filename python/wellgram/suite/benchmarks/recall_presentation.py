"""How recall of known relationships is shown."""

import pandas as pd

from wellgram.plots import plot_null, plot_recall
from wellgram.suite.contract import Figure, Findings, Headline, Presentation, Task
from wellgram.suite.words import interval_words


def present_recall(task: Task, findings: Findings) -> Presentation:
    """Return recall per source and tails, the null beside the known pairs, and a headline."""
    result = findings.result
    cosines = {name: pairs["cosine"].to_numpy() for name, pairs in result.known.items()}
    rows = [
        (
            row["source"],
            f"{row['n_known_pairs']:,}",
            f"{row['tail_low']:g} / {row['tail_high']:g}",
            f"{row['n_recalled']:,}",
            f"{row['recall']:.4f}",
            interval_words(row),
            f"{row['chance']:.2f}",
        )
        for row in result.table.to_dict("records")
    ]
    return Presentation(
        f"A known pair is recalled when its cosine lies in a tail of the null: {result.null}. "
        "Intervals are bootstrapped over genes, which pairs share.",
        ("source", "pairs", "tails", "recalled", "recall", "95 %", "chance"),
        rows,
        {
            "recall": Figure(
                lambda: plot_recall(result),
                "Share of known pairs whose cosine lies in the tails of the null, per source and "
                "pair of tails, with 95 % intervals over resampled genes. Dashed: what a map "
                "without signal recalls.",
            ),
            "null": Figure(
                lambda: plot_null(result.null_histogram, cosines),
                "Cosine similarity of all pairs of the null (filled), and of the known pairs of "
                "each source (lines), each as a density. Signal is what a line has beyond the "
                "filled shape, to either side.",
            ),
        },
        _headline(result.table),
    )


def _headline(table: pd.DataFrame) -> Headline:
    """Return the recall at the first tails: of the source, or the mean over several."""
    known = table[table["n_known_pairs"] > 0]
    first = known.iloc[0]
    at = known[(known[["tail_low", "tail_high"]] == first[["tail_low", "tail_high"]]).all(axis=1)]
    several = len(at) > 1
    source = f"mean of {len(at)} sources" if several else str(first["source"])
    return Headline(
        "known pairs recalled",
        f"{at['recall'].mean():.1%}",
        "" if several else interval_words(first, percent=True),
        f"{source}, tails {first['tail_low']:g} / {first['tail_high']:g}; "
        f"chance {first['chance']:.0%}",
    )

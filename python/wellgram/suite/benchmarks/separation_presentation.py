"""How the separation of gene sets is shown."""

from wellgram.suite.contract import Findings, Presentation, Task

_MOST_ROWS = 20


def present_separation(task: Task, findings: Findings) -> Presentation:
    """Return the gene sets that lie furthest apart from the rest."""
    table = findings.result
    significant = int((table["q_value"] <= 0.05).sum())
    apart = table["within_mean"] - table["between_mean"]
    shown = table.assign(apart=apart).sort_values("apart", ascending=False).head(_MOST_ROWS)
    rows = [
        (row["gene_set"], f"{row['n_genes']:,}", f"{row['within_mean']:.3f}",
         f"{row['between_mean']:.3f}", f"{row['q_value']:.2g}")
        for row in shown.to_dict("records")
    ]  # fmt: skip
    return Presentation(
        f"{significant:,} of {len(table):,} gene sets have cosines that differ from those to the "
        "rest, by the Kolmogorov-Smirnov test at a false discovery rate of 5 % (which takes pairs "
        "for independent). Those that lie furthest apart from the rest:",
        ("gene set", "genes", "mean cosine within", "with the rest", "q-value"),
        rows,
    )

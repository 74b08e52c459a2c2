"""How similarity within gene sets is shown."""

from wellgram.suite.contract import Figure, Findings, Presentation, Task
from wellgram.suite.words import number_words


def present_similarity(task: Task, findings: Findings) -> Presentation:
    """Return mean cosines per gene set, and the clustered matrix."""
    result = findings.result
    rows = [
        (row["gene_set"], f"{row['n_genes']:,}", f"{row['within']:.3f}",
         number_words(row["between"]))
        for row in result.table.sort_values("within", ascending=False).to_dict("records")
    ]  # fmt: skip
    origin = "" if task.gene_sets else " Known pairs that share genes make up a set."
    more = f" {result.left_out:,} more are not shown." if result.left_out else ""
    return Presentation(
        "The largest gene sets of 3 to 20 members, and the cosines of all their members."
        f"{origin}{more}",
        ("gene set", "genes", "mean cosine within", "with the others shown"),
        rows,
        {
            "gene_set_similarity": Figure(
                result.plot,
                "Cosine of every two members of these gene sets. Rows are ordered by average "
                "linkage of 1 - cosine, which does not know the sets (the tree, left). The strip "
                "of colours says which set a row is of. A set that the map holds together is one "
                "colour and a red square.",
                wide=True,
            )
        },
    )

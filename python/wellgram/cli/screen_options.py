"""The options of every command that reads a screen."""

from typing import Annotated

import typer

from wellgram.io import LAYOUTS
from wellgram.io.screens import Missing

Metadata = Annotated[
    str | None,
    typer.Option(
        help="What was done to each well, joined by well_id: a file, or a folder of tables."
    ),
]
Pattern = Annotated[
    str | None,
    typer.Option(
        help="Which files of a folder of embeddings are read, such as '*_normalized.csv.gz'; by "
        "default those of the layout, and of a folder of blocks all tables."
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        help="What text of csv, tsv and gene sets is in, such as cp1252; by default UTF-8, or what "
        "a mark at the beginning of a file says."
    ),
]
LayoutName = Annotated[
    str, typer.Option(help=f"Which column plays which role: {', '.join(LAYOUTS)}.")
]
Perturbation = Annotated[str | None, typer.Option(help="Column of the perturbation.")]
Batch = Annotated[
    list[str] | None,
    typer.Option(
        help="Column of the batch, or 'none' for one batch; repeated, the columns make one batch."
    ),
]
Dose = Annotated[
    list[str] | None,
    typer.Option(
        help="Column of the dose, or 'none' to pool doses; repeated, as a number and its unit."
    ),
]
Control = Annotated[
    list[str] | None, typer.Option(help="Label of the control wells; may be repeated.")
]
ControlColumn = Annotated[
    str | None,
    typer.Option(help="Column that has this label, if not that of the perturbation."),
]
WellId = Annotated[
    list[str] | None,
    typer.Option(help="Column that names the well; repeated, as plate and well."),
]
Features = Annotated[
    list[str] | None,
    typer.Option(help="Feature column, or a pattern such as 'emb_*'; may be repeated."),
]
ExcludeFeatures = Annotated[
    list[str] | None,
    typer.Option(help="Column, or pattern, that is no feature; may be repeated."),
]
CommonFeatures = Annotated[
    bool,
    typer.Option("--common-features", help="Take the features that all files have."),
]
MissingValues = Annotated[
    Missing, typer.Option(help="What to do about NaN, Inf and all-zero wells.")
]
AllowUnmatched = Annotated[
    bool, typer.Option("--allow-unmatched", help="Keep the wells found in both files.")
]
AllowDuplicates = Annotated[
    bool,
    typer.Option(
        "--allow-duplicates",
        help="Average wells that several files hold; take a batch that copies another.",
    ),
]

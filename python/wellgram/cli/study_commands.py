"""The commands that compare embeddings: ``wellgram blocks`` and ``wellgram batch-study``."""

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from wellgram.align import alignment, alignment_names
from wellgram.backends import BACKENDS, get_backend, set_backend
from wellgram.backends.machine import peak_memory
from wellgram.cli.screen_options import (
    AllowDuplicates,
    AllowUnmatched,
    Batch,
    CommonFeatures,
    Control,
    ControlColumn,
    Encoding,
    ExcludeFeatures,
    Features,
    LayoutName,
    Metadata,
    MissingValues,
    Pattern,
    Perturbation,
    WellId,
)
from wellgram.cli.terminal import noting, print_wells, results, step, words_table
from wellgram.errors import InputError
from wellgram.io import open_blocks, open_wells, read_targets, relationship_sources
from wellgram.io.block_files import is_array_file
from wellgram.io.places import Remote, locate, placing_folder
from wellgram.metrics.penalties import Method
from wellgram.studies.block_scores import BlockSearchResult
from wellgram.studies.block_search import search_blocks
from wellgram.studies.corrections import CORRECTIONS, BatchStudyResult
from wellgram.studies.corrections import batch_study as study_batches

_Split = Annotated[
    str,
    typer.Option(
        help="Column whose values 'train' and 'test' are the sides, or whose values are held out "
        "in folds; 'batch' for the batch."
    ),
]
_Kind = Annotated[
    str | None,
    typer.Option(help="Column by whose values accuracies are given too; cell_type if there."),
]
_Penalty = Annotated[
    list[float] | None,
    typer.Option(help="Of the probe; several are chosen of by held-out batches. By default so."),
]
_Relationships = Annotated[
    list[str] | None,
    typer.Option(help="Known pairs: a file or folder of entity1,entity2 csv; may be repeated."),
]
_Resamples = Annotated[int, typer.Option(help="How often batches are resampled for intervals.")]
_Seed = Annotated[int, typer.Option(help="Same seed, same figures.")]
_Backend = Annotated[str | None, typer.Option(help=f"Which device runs: {', '.join(BACKENDS)}.")]


def blocks(
    embeddings: Annotated[
        list[str],
        typer.Argument(
            help="A folder of embedding files, one a block; or the files; or a .npy array (blocks, "
            "wells, features) whose wells are the rows of --metadata."
        ),
    ],
    metadata: Metadata = None,
    pattern: Pattern = None,
    encoding: Encoding = None,
    layout: LayoutName = "rxrx1",
    perturbation: Perturbation = None,
    batch: Batch = None,
    control: Control = None,
    control_column: ControlColumn = None,
    well_id: WellId = None,
    features: Features = None,
    exclude_features: ExcludeFeatures = None,
    common_features: CommonFeatures = False,
    missing: MissingValues = "error",
    allow_unmatched: AllowUnmatched = False,
    allow_duplicates: AllowDuplicates = False,
    align: Annotated[
        str,
        typer.Option(
            help=f"Alignment, fitted to each block: none, {', '.join(alignment_names())}."
        ),
    ] = "none",
    label: Annotated[
        str, typer.Option(help="Column of the classes that the probe tells apart.")
    ] = "perturbation",
    split: _Split = "batch",
    method: Annotated[Method, typer.Option(help="The probe.")] = "logistic",
    penalty: _Penalty = None,
    kind: _Kind = None,
    relationships: _Relationships = None,
    same: Annotated[
        list[str] | None,
        typer.Option(help="Column: every two perturbations that share a value are a known pair."),
    ] = None,
    same_separator: Annotated[
        str | None, typer.Option(help="What parts values in those columns, such as '|'.")
    ] = None,
    targets: Annotated[
        str | None,
        typer.Option(help="Compounds and their targets: treatment,gene_symbol,nM_value."),
    ] = None,
    resamples: _Resamples = 1000,
    seed: _Seed = 0,
    backend: _Backend = None,
    out: Annotated[
        str, typer.Option(help="Folder for the results, on this machine.")
    ] = "wellgram-blocks",
) -> None:
    """Find the block of a network whose embeddings tell most.

    A probe on held-out batches, and beside it recall, drug targets and consistency as the data
    allows, for every block alike. Writes blocks.csv, blocks.png and best.json into --out; what
    each block scored is kept there too, so that an interrupted search goes on where it stopped.
    """
    set_backend(backend)
    get_backend()
    chosen = alignment(align)
    folder = locate(out)
    if isinstance(folder, Remote):
        raise InputError(
            f"blocks are scored into a folder on this machine, not into {out!r}, so that a search "
            "can go on where it stopped; name a folder (out=)"
        )
    began = time.perf_counter()
    sources = relationship_sources(*relationships or (), encoding=encoding)
    table = None if targets is None else read_targets(targets, encoding=encoding)
    columns = [
        name for name in dict.fromkeys([label, kind, *_column(split), *(same or ())]) if name
    ]
    of_tables = {
        "well_id": well_id, "features": features, "exclude_features": exclude_features or (),
        "common_features": common_features, "allow_unmatched": allow_unmatched,
        "allow_duplicates": allow_duplicates,
    }  # fmt: skip
    with noting(blocks):
        with step("read labels"):
            given = embeddings[0] if len(embeddings) == 1 else list(embeddings)
            opened = open_blocks(
                given, metadata, layout=layout, perturbation=perturbation, batch=batch,
                control=control, control_column=control_column, missing=missing,
                columns=[name for name in columns if name != "perturbation"],
                pattern=pattern, encoding=encoding,
                **({} if is_array_file(given) else of_tables),
            )  # fmt: skip
        result = search_blocks(
            opened, align=chosen, label=label, split=split, method=method, penalty=penalty,
            kind=kind, sources=sources, same=same or (), same_separator=same_separator,
            targets=table, out=folder, allow_duplicates=allow_duplicates, resamples=resamples,
            seed=seed, backend=backend, step=step,
        )  # fmt: skip
        result.save(folder)
    results.print(_blocks_table(result), "")
    if result.resumed:
        results.print(f"{result.resumed} of {len(result.names)} blocks had been scored before")
    results.print(repr(result), markup=False)
    _done(began, folder / "blocks.csv")


def batch_study(
    embeddings: Annotated[
        list[str],
        typer.Argument(help="Files or folders of embeddings: parquet, csv, tsv; also .gz."),
    ],
    metadata: Metadata = None,
    pattern: Pattern = None,
    encoding: Encoding = None,
    layout: LayoutName = "rxrx1",
    perturbation: Perturbation = None,
    batch: Batch = None,
    control: Control = None,
    control_column: ControlColumn = None,
    well_id: WellId = None,
    features: Features = None,
    exclude_features: ExcludeFeatures = None,
    common_features: CommonFeatures = False,
    missing: MissingValues = "error",
    allow_unmatched: AllowUnmatched = False,
    allow_duplicates: AllowDuplicates = False,
    correction: Annotated[
        list[str] | None,
        typer.Option(
            help=f"none, {', '.join(alignment_names())}, or several joined by +; may be "
            f"repeated. By default {len(CORRECTIONS)} of them."
        ),
    ] = None,
    split: _Split = "batch",
    method: Annotated[Method, typer.Option(help="The probe.")] = "lda",
    penalty: _Penalty = None,
    kind: _Kind = None,
    relationships: _Relationships = None,
    sample: Annotated[
        int, typer.Option(help="Of how many wells the mixing of batches is judged.")
    ] = 10_000,
    resamples: _Resamples = 1000,
    seed: _Seed = 0,
    backend: _Backend = None,
    out: Annotated[
        str, typer.Option(help="Folder for the results; a URL is uploaded to at the end.")
    ] = "wellgram-study",
) -> None:
    """Compare corrections of batch effects, by what they keep of biology and remove of batches.

    Each is fitted without the labels of tested wells, and ranked by how well perturbations are told
    in batches that were never seen. Writes corrections.csv, kinds.csv, skipped.csv and study.png
    into --out.
    """
    set_backend(backend)
    get_backend()
    names = correction or list(CORRECTIONS)
    for name in names:
        alignment(name)  # raises for one that is not known
    began = time.perf_counter()
    with placing_folder(out) as folder, noting(batch_study):
        sources = relationship_sources(*relationships or (), encoding=encoding)
        with step("read wells"):
            wells = open_wells(
                embeddings, metadata, layout=layout, perturbation=perturbation, batch=batch,
                control=control, control_column=control_column, well_id=well_id,
                features=features, exclude_features=exclude_features or (),
                common_features=common_features, missing=missing,
                allow_unmatched=allow_unmatched, allow_duplicates=allow_duplicates,
                columns=[name for name in [kind, *_column(split)] if name], pattern=pattern,
                encoding=encoding,
            ).read()  # fmt: skip
        print_wells(wells)
        result = study_batches(
            wells, names, split=split, method=method, penalty=penalty, kind=kind, sources=sources,
            sample=sample, resamples=resamples, seed=seed, backend=backend, step=step,
        )  # fmt: skip
        result.save(folder)
    results.print(_study_table(result), "")
    for name, reason in result.skipped.items():
        results.print(f"{name}: skipped, {reason}", markup=False)
    if result.untrained:
        shown = ", ".join(result.untrained[:5])
        results.print(f"never trained, so left out: {shown}", markup=False)
    _done(began, f"{out}/corrections.csv")


def _column(split: str) -> list[str]:
    """Return the column of the files that a split needs, if any."""
    return [] if split == "batch" else [split]


def _blocks_table(result: BlockSearchResult) -> Table:
    beside = [name for name in ("recall", "drug_targets", "consistency") if name in result.table]
    rows = [
        (
            str(row["block"]),
            f"{row['balanced']:.3f}",
            f"{row['balanced_ci_low']:.3f}-{row['balanced_ci_high']:.3f}",
            f"{row['top_1']:.3f}",
            f"{row['behind']:.3f}",
            f"{row['behind_ci_low']:.3f}-{row['behind_ci_high']:.3f}",
            *(f"{row[name]:.3f}" for name in beside),
        )
        for row in result.table.to_dict("records")
    ]
    head = ["block", "balanced", "95 %", "top-1", "behind", "95 %"]
    return words_table("Blocks", [*head, *(name.replace("_", " ") for name in beside)], rows)


def _study_table(result: BatchStudyResult) -> Table:
    rows = [
        (
            str(row["correction"]),
            f"{row['biology']:.3f}",
            f"{row['biology_ci_low']:.3f}-{row['biology_ci_high']:.3f}",
            f"{row['nearest']:.3f}",
            f"{row['probe']:.3f}",
            f"{row['batch_removed']:.3f}",
            f"{row['batch_accuracy']:.3f}",
        )
        for row in result.table.to_dict("records")
    ]
    head = ("correction", "biology", "95 %", "nearest", "probe", "batch removed", "batch accuracy")
    return words_table(f"Corrections, {result.said}", head, rows)


def _done(began: float, path: Path | str) -> None:
    seconds = time.perf_counter() - began
    results.print(f"{seconds:.1f} s, peak memory {peak_memory() / 1e9:.2f} GB; see {path}")

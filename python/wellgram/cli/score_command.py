"""``wellgram score``: from files to a map, all benchmarks and a report."""

import shlex
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from wellgram import simulate as simulation
from wellgram.align import ALIGNMENTS, alignment
from wellgram.backends import BACKENDS, get_backend, set_backend
from wellgram.backends.machine import peak_memory
from wellgram.backends.protocol import Progress
from wellgram.checksums import Checksum, checksum
from wellgram.cli.screen_options import (
    AllowDuplicates,
    AllowUnmatched,
    Batch,
    CommonFeatures,
    Control,
    ControlColumn,
    Dose,
    ExcludeFeatures,
    Features,
    LayoutName,
    Metadata,
    MissingValues,
    Perturbation,
    WellId,
)
from wellgram.cli.terminal import noting, part_table, results, step
from wellgram.distributed import connected
from wellgram.errors import InputError
from wellgram.io import (
    open_wells,
    read_gene_sets,
    read_targets,
    relationship_sources,
)
from wellgram.io.layouts import layout_named
from wellgram.io.places import placing_folder
from wellgram.maps.build import Aggregation, MapDtype
from wellgram.metrics.recall import Null
from wellgram.stream import WellStream
from wellgram.suite.benchmarks import BENCHMARKS
from wellgram.suite.contract import Part
from wellgram.suite.scoring import check_metrics
from wellgram.suite.scoring import score as score_wells
from wellgram.wells import Wells

SCORE_EPILOG = """
**Examples**

A small simulated screen, to see what comes out:

`wellgram score --demo`

RxRx3-core with TVN, and the five public sources of an installed efaar_benchmarking:

`wellgram score embeddings.parquet --metadata metadata.csv --align tvn --relationships efaar`

A Cell Painting plate; pairs are compounds of one mechanism:

`wellgram score plate.csv.gz --layout cell-painting --same Metadata_moa`
"""


def score(
    embeddings: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, folders or URLs of embeddings: parquet, csv, tsv (also .gz), h5ad, h5, "
            "zarr, npz."
        ),
    ] = None,
    metadata: Metadata = None,
    layout: LayoutName = "rxrx3-core",
    perturbation: Perturbation = None,
    batch: Batch = None,
    dose: Dose = None,
    control: Control = None,
    control_column: ControlColumn = None,
    well_id: WellId = None,
    features: Features = None,
    exclude_features: ExcludeFeatures = None,
    common_features: CommonFeatures = False,
    align: Annotated[
        str | None,
        typer.Option(help=f"Alignment: none, {', '.join(ALIGNMENTS)}; by default the layout's."),
    ] = None,
    aggregate: Annotated[Aggregation, typer.Option(help="From wells to perturbations.")] = "mean",
    relationships: Annotated[
        list[str] | None,
        typer.Option(
            help="Known pairs: a file or folder of entity1,entity2 csv, or 'efaar' for the public "
            "sources of an installed efaar_benchmarking; may be repeated."
        ),
    ] = None,
    same: Annotated[
        list[str] | None,
        typer.Option(
            help="Metadata column: every two perturbations that share a value are a known pair; "
            "may be repeated."
        ),
    ] = None,
    same_separator: Annotated[
        str | None,
        typer.Option(
            help="What parts values in those columns, such as '|': to share any is to be a pair."
        ),
    ] = None,
    null: Annotated[
        Null | None,
        typer.Option(help="Rows whose pairs are the null; genes where the map has such."),
    ] = None,
    dtype: Annotated[MapDtype, typer.Option(help="Type of the map.")] = "float32",
    targets: Annotated[
        str | None,
        typer.Option(help="Compounds and their targets: treatment,gene_symbol,nM_value."),
    ] = None,
    gene_sets: Annotated[
        str | None, typer.Option(help="Sets of genes: .gmt, or a name, a tab, and genes.")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Which benchmarks to run: {', '.join(BENCHMARKS)}; may be repeated. By default "
            "all that the data allows."
        ),
    ] = None,
    covariate: Annotated[
        list[str] | None,
        typer.Option(
            help="Metadata column of a number, such as a cell count, to be scored in place of the "
            "embedding as well; may be repeated."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same p-values and intervals.")] = 0,
    backend: Annotated[
        str | None, typer.Option(help=f"Which device runs: {', '.join(BACKENDS)}.")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            help="Address of a Dask scheduler, tcp://HOST:PORT, whose workers read the files, "
            "compare the rows of the map and draw random sets."
        ),
    ] = None,
    missing: MissingValues = "error",
    allow_unmatched: AllowUnmatched = False,
    allow_duplicates: AllowDuplicates = False,
    out: Annotated[
        str, typer.Option(help="Folder for the results; a URL is uploaded to at the end.")
    ] = "wellgram-out",
    demo: Annotated[
        bool, typer.Option("--demo", help="Score a small simulated screen instead of files.")
    ] = False,
) -> None:
    """Align wells, aggregate them into a map, and run every benchmark that the data allows.

    Known pairs: recall. Compounds and targets: drug targets. Sets of genes: separation and
    similarity. Replicates: consistency, magnitude, average precision. Writes map.parquet,
    summary.json, report.html, and tables and figures of each benchmark into the folder --out.
    """
    if demo == bool(embeddings):
        raise InputError("give files of embeddings, or --demo for a simulated screen")
    set_backend(backend)
    get_backend()  # raises if the environment variable names one that cannot run
    check_metrics(metric or ())
    began = time.perf_counter()
    align = align or layout_named(layout).align
    chosen = alignment(align)
    if (
        chosen is not None
        and chosen.needs_controls
        and not (demo or control or layout_named(layout).control)
    ):
        raise InputError(
            f"alignment {align!r} is fitted on control wells: name their label (--control), or "
            "align by none (--align none)"
        )
    with connected(scheduler) as client, placing_folder(out) as folder, noting(score):
        sources = relationship_sources(*relationships or ())
        table = None if targets is None else read_targets(targets)
        sets = None if gene_sets is None else read_gene_sets(gene_sets)
        wells: Wells | WellStream
        with step("read labels"):
            if demo:
                screen = simulation.rxrx3_core(scale=0.1, seed=0, features=128)
                wells, sources["planted complexes"] = screen.wells(), screen.relationships
                table = screen.compound_targets
            else:
                wells = open_wells(
                    embeddings or [],
                    metadata,
                    layout=layout,
                    perturbation=perturbation,
                    batch=batch,
                    dose=dose,
                    control=control,
                    control_column=control_column,
                    well_id=well_id,
                    features=features,
                    exclude_features=exclude_features or (),
                    common_features=common_features,
                    columns=[*(same or ()), *(covariate or ())],
                    missing=missing,
                    allow_unmatched=allow_unmatched,
                    allow_duplicates=allow_duplicates,
                )
                if chosen is not None and not chosen.streams:
                    wells = wells.read()
        read = time.perf_counter() - began
        results.print(repr(wells), markup=False)
        result = score_wells(
            wells,
            chosen,
            sources=sources,
            same=same or (),
            same_separator=same_separator,
            targets=table,
            gene_sets=sets,
            metrics=metric,
            covariates=covariate or (),
            aggregate=aggregate,
            null=null,
            dtype=dtype,
            seed=seed,
            backend=backend,
            step=step,
            client=client,
        )
        given = [*(embeddings or []), metadata, *(relationships or []), targets, gene_sets]
        paths = [path for path in given if path]
        inputs: dict[str, Checksum | None] = {}
        if paths:
            with step("check sums of inputs") as progress:
                inputs = _checksums(paths, progress)
        record = replace(
            result.record,
            seconds={"read labels": round(read, 4), **result.record.seconds},
            command=shlex.join(["wellgram", *sys.argv[1:]]),
            inputs=inputs,
        )
        result = replace(result, record=record)
        with step("write results"):
            result.save(folder)
    results.print(repr(result.map_), markup=False)
    left_out = result.map_.provenance["without_direction"]
    if left_out:
        results.print(f"left out, since it aggregates to zero: {', '.join(left_out)}", markup=False)
    for name, outcome in result.outcomes.items():
        title = BENCHMARKS[name].title
        if isinstance(outcome, Part):
            results.print(part_table(title, outcome), "")
            for column, outcomes in result.covariates.items():
                alone = outcomes[name]
                if isinstance(alone, Part):
                    results.print(part_table(f"{title}, by {column} alone", alone), "")
        elif outcome.asked_for:
            results.print(f"{title}: skipped: {outcome.reason}", markup=False)
    if not (sources or same) and (not metric or "recall" in metric):
        results.print("name known pairs with --relationships or --same")
    seconds = time.perf_counter() - began
    results.print(
        f"{seconds:.1f} s, peak memory {peak_memory() / 1e9:.2f} GB; see {out}/report.html"
    )


def _checksums(paths: list[str], progress: Progress) -> dict[str, Checksum | None]:
    """Return the size and the SHA-256 of what was read; None for what is not on this machine."""
    return {path: checksum(path, progress) if Path(path).exists() else None for path in paths}

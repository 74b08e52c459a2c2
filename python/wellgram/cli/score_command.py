"""``wellgram score``: from files to a map, all benchmarks and a report."""

import shlex
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import typer

from wellgram import simulate as simulation
from wellgram.align import FewControls, alignment, alignment_names
from wellgram.backends import BACKENDS, get_backend, set_backend
from wellgram.backends.machine import peak_memory
from wellgram.backends.protocol import Progress
from wellgram.checksums import Checksum, checksum, frame_digest
from wellgram.cli.screen_options import (
    AllowDuplicates,
    AllowUnmatched,
    Batch,
    CommonFeatures,
    Control,
    ControlColumn,
    Dose,
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
from wellgram.cli.terminal import noting, part_table, print_wells, results, step
from wellgram.distributed import connected
from wellgram.errors import InputError
from wellgram.io import (
    open_wells,
    read_gene_sets,
    read_targets,
    relationship_sources,
)
from wellgram.io.layouts import layout_named
from wellgram.io.places import locate
from wellgram.maps.build import Aggregation, MapDtype
from wellgram.metrics.batch_strata import SetNull
from wellgram.metrics.precision_by_group import GroupNull
from wellgram.metrics.recall import Null
from wellgram.stream import WellStream
from wellgram.suite.benchmarks import BENCHMARKS
from wellgram.suite.contract import Part
from wellgram.suite.results_folder import placing_results
from wellgram.suite.scoring import check_metrics
from wellgram.suite.scoring import score as score_wells
from wellgram.suite.unfinished import UnfinishedRun, run_key
from wellgram.wells import Wells

_OUTSIDE = ("out", "metric", "scheduler", "spill")
"""Options that change no figure of a benchmark"""

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
    pattern: Pattern = None,
    encoding: Encoding = None,
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
        typer.Option(
            help=f"Alignment: none, {', '.join(alignment_names())}; by default the layout's."
        ),
    ] = None,
    few_controls: Annotated[
        FewControls,
        typer.Option(
            help="A batch with too few controls: an error, or aligned by the pooled map, that of "
            "the controls of all batches together."
        ),
    ] = "raise",
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
    consistency_null: Annotated[
        SetNull,
        typer.Option(
            help="Of replicate consistency: random sets with as many wells of each batch, or of as "
            "many wells whatever their batches."
        ),
    ] = "batches",
    magnitude_null: Annotated[
        SetNull,
        typer.Option(help="The same of magnitude, where random sets of any batches are faster."),
    ] = "batches",
    average_precision_null: Annotated[
        GroupNull,
        typer.Option(
            help="Of average precision: random rankings, or permuted labels, which keep the batch "
            "and take about a second for a group of 36 wells."
        ),
    ] = "rankings",
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
    spill: Annotated[
        str | None,
        typer.Option(
            help="Folder for a file of aligned wells, where these are more than 2 GB; it is gone "
            "when the run ends. By default where the system has temporary files."
        ),
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Score a small simulated screen instead of files.")
    ] = False,
) -> None:
    """Align wells, aggregate them into a map, and run every benchmark that the data allows.

    Known pairs: recall. Compounds and targets: drug targets. Sets of genes: separation and
    similarity. Replicates: consistency, magnitude, average precision. Writes map.parquet,
    summary.json, report.html, and tables and figures of each benchmark into the folder --out; files
    of an earlier run there that are not written again are removed. What is finished when a run is
    interrupted is kept there, so that the same command goes on where it stopped.
    """
    settings = {name: value for name, value in locals().items() if name not in _OUTSIDE}
    if demo == bool(embeddings):
        raise InputError("give files of embeddings, or --demo for a simulated screen")
    set_backend(backend)
    get_backend()  # raises if the environment variable names one that cannot run
    check_metrics(metric or ())
    began = time.perf_counter()
    align = align or layout_named(layout).align
    chosen = alignment(align, few_controls=few_controls)
    if (
        chosen is not None
        and chosen.needs_controls
        and not (demo or control or layout_named(layout).control)
    ):
        raise InputError(
            f"alignment {align!r} is fitted on control wells: name their label (--control), or "
            "align by none (--align none)"
        )
    with connected(scheduler) as client, placing_results(out) as folder, noting(score):
        sources = relationship_sources(*relationships or (), encoding=encoding)
        table = None if targets is None else read_targets(targets, encoding=encoding)
        sets = None if gene_sets is None else read_gene_sets(gene_sets, encoding=encoding)
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
                    pattern=pattern,
                    encoding=encoding,
                )
                if chosen is not None and not chosen.streams:
                    wells = wells.read()
        read = time.perf_counter() - began
        print_wells(wells)
        files = [path for path in (*(embeddings or []), metadata, targets, gene_sets) if path]
        unfinished = _unfinished(out, settings, files, sources)
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
            consistency_null=consistency_null,
            magnitude_null=magnitude_null,
            average_precision_null=average_precision_null,
            dtype=dtype,
            allow_duplicates=allow_duplicates,
            seed=seed,
            backend=backend,
            step=step,
            unfinished=unfinished,
            spill_folder=spill,
            client=client,
        )
        paths = [*files, *(relationships or [])]
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
    if unfinished is not None:
        unfinished.end()
    if result.record.taken_up:
        results.print(
            f"taken from the run that was interrupted: {', '.join(result.record.taken_up)}",
            markup=False,
        )
    results.print(repr(result.map_), markup=False)
    left_out = result.map_.provenance["without_direction"]
    if left_out:
        results.print(f"left out, since it aggregates to zero: {', '.join(left_out)}", markup=False)
    by_pooled = result.map_.provenance.get("aligned_by_pooled_map")
    if by_pooled:
        results.print(
            f"aligned by the pooled map, for few controls: {', '.join(by_pooled)}", markup=False
        )
    for name, outcome in result.outcomes.items():
        title = BENCHMARKS[name].title
        if isinstance(outcome, Part):
            results.print(part_table(title, outcome), "")
            if outcome.presentation.note:
                results.print(outcome.presentation.note, "", markup=False)
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


def _unfinished(
    out: str, settings: Mapping[str, Any], files: list[str], sources: Mapping[str, pd.DataFrame]
) -> UnfinishedRun | None:
    """Return where findings are kept until the run ends; None if files or results are at URLs."""
    place, inputs = locate(out), [locate(file) for file in files]
    # Known pairs need not be of files that were named: some are of an installed package.
    pairs = {name: frame_digest(frame) for name, frame in sources.items()}
    key = run_key({**settings, "pairs": pairs, "backend": get_backend().name}, inputs)
    return UnfinishedRun(place, key) if isinstance(place, Path) and key is not None else None


def _checksums(paths: list[str], progress: Progress) -> dict[str, Checksum | None]:
    """Return the size and the SHA-256 of what was read; None for what is not on this machine."""
    places = {path: locate(path) for path in paths}
    return {
        path: checksum(place, progress) if isinstance(place, Path) and place.exists() else None
        for path, place in places.items()
    }

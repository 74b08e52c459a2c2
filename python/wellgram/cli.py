"""The command line: ``wellgram score``, ``blocks``, ``batch-study``, ``neighbors`` and others."""

import shlex
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from wellgram import browse as browsing
from wellgram import simulate as simulation
from wellgram.aggregate import Method, Precision
from wellgram.align import ALIGNMENTS, alignment
from wellgram.backends import BACKENDS, get_backend, set_backend
from wellgram.backends.protocol import Progress
from wellgram.checksums import checksum
from wellgram.cli_studies import batch_study, blocks
from wellgram.distributed import connected
from wellgram.errors import InputError, WellgramError
from wellgram.info import environment, peak_memory
from wellgram.io import (
    LAYOUTS,
    open_map,
    open_wells,
    read_gene_sets,
    read_targets,
    relationship_sources,
)
from wellgram.io.layouts import layout_named
from wellgram.io.places import placing_folder
from wellgram.io.screens import Missing
from wellgram.metrics.recall import Null
from wellgram.pairs import MapLookup, nearest
from wellgram.pairs import Precision as PairPrecision
from wellgram.pairs.neighbors import check_table_name
from wellgram.scoring import METRICS
from wellgram.scoring import score as score_wells
from wellgram.stream import WellStream
from wellgram.suite import BENCHMARKS
from wellgram.terminal import advise, notes, noting, part_table, results, step
from wellgram.wells import Wells

app = typer.Typer(
    help="Perturbation maps and their benchmarks from well embeddings.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
_INTERRUPTED = 130  # what typer makes of Ctrl-C


_SCORE_EPILOG = """
**Examples**

A small simulated screen, to see what comes out:

`wellgram score --demo`

RxRx3-core with TVN, and the five public sources of an installed efaar_benchmarking:

`wellgram score embeddings.parquet --metadata metadata.csv --align tvn --relationships efaar`

A Cell Painting plate; pairs are compounds of one mechanism:

`wellgram score plate.csv.gz --layout cell-painting --same Metadata_moa`
"""


@app.command(epilog=_SCORE_EPILOG)
def score(
    embeddings: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files, folders or URLs of embeddings: parquet, csv, tsv (also .gz), h5ad, h5, "
            "zarr, npz."
        ),
    ] = None,
    metadata: Annotated[
        str | None, typer.Option(help="What was done to each well, joined by well_id.")
    ] = None,
    layout: Annotated[
        str, typer.Option(help=f"Which column plays which role: {', '.join(LAYOUTS)}.")
    ] = "rxrx3-core",
    perturbation: Annotated[str | None, typer.Option(help="Column of the perturbation.")] = None,
    batch: Annotated[
        str | None, typer.Option(help="Column of the batch, or 'none' for one batch.")
    ] = None,
    dose: Annotated[
        str | None, typer.Option(help="Column of the dose, or 'none' to pool doses.")
    ] = None,
    control: Annotated[
        list[str] | None, typer.Option(help="Label of the control wells; may be repeated.")
    ] = None,
    well_id: Annotated[str | None, typer.Option(help="Column that names the well.")] = None,
    features: Annotated[
        list[str] | None,
        typer.Option(help="Feature column, or a pattern such as 'emb_*'; may be repeated."),
    ] = None,
    align: Annotated[
        str | None,
        typer.Option(help=f"Alignment: none, {', '.join(ALIGNMENTS)}; by default the layout's."),
    ] = None,
    aggregate: Annotated[Method, typer.Option(help="From wells to perturbations.")] = "mean",
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
    null: Annotated[
        Null | None,
        typer.Option(help="Rows whose pairs are the null; genes where the map has such."),
    ] = None,
    precision: Annotated[Precision, typer.Option(help="Type of the map.")] = "float32",
    truth: Annotated[
        str | None,
        typer.Option(help="Compounds and their targets: treatment,gene_symbol,nM_value."),
    ] = None,
    clusters: Annotated[
        str | None, typer.Option(help="Sets of genes: .gmt, or a name, a tab, and genes.")
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Which benchmarks to run: {', '.join(METRICS)}; may be repeated. By default all "
            "that the data allows."
        ),
    ] = None,
    baseline: Annotated[
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
    missing: Annotated[
        Missing, typer.Option(help="What to do about NaN, Inf and all-zero wells.")
    ] = "error",
    allow_unmatched: Annotated[
        bool, typer.Option("--allow-unmatched", help="Keep the wells found in both files.")
    ] = False,
    out: Annotated[
        str, typer.Option(help="Folder for the results; a URL is uploaded to at the end.")
    ] = "wellgram-out",
    demo: Annotated[
        bool, typer.Option("--demo", help="Score a small simulated screen instead of files.")
    ] = False,
) -> None:
    """Align wells, aggregate them into a map, and run every benchmark that the data allows.

    Known pairs: recall. Compounds and targets: drug targets. Sets of genes: clusters. Replicates:
    consistency, magnitude, average precision. Writes map.parquet, summary.json, report.html, and
    tables and figures of each benchmark into the folder --out.
    """
    if demo == bool(embeddings):
        raise InputError("give files of embeddings, or --demo for a simulated screen")
    set_backend(backend)
    get_backend()  # raises if the environment variable names one that cannot run
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
    with connected(scheduler) as client, placing_folder(out) as folder, noting():
        sources = relationship_sources(*relationships or ())
        targets = None if truth is None else read_targets(truth)
        sets = None if clusters is None else read_gene_sets(clusters)
        wells: Wells | WellStream
        with step("read labels"):
            if demo:
                screen = simulation.rxrx3_core(scale=0.1, seed=0, features=128)
                wells, sources["planted complexes"] = screen.wells(), screen.relationships
                targets = screen.compound_targets
            else:
                wells = open_wells(
                    embeddings or [],
                    metadata,
                    layout=layout,
                    perturbation=perturbation,
                    batch=batch,
                    dose=dose,
                    control=control,
                    well_id=well_id,
                    features=features,
                    columns=[*(same or ()), *(baseline or ())],
                    missing=missing,
                    allow_unmatched=allow_unmatched,
                )
                if chosen is not None and not chosen.streams:
                    wells = wells.read()
        read = time.perf_counter() - began
        results.print(repr(wells), markup=False)
        advise(wells)
        result = score_wells(
            wells,
            chosen,
            sources=sources,
            same=same or (),
            truth=targets,
            clusters=sets,
            metrics=metric,
            baselines=baseline or (),
            aggregate=aggregate,
            null=null,
            precision=precision,
            seed=seed,
            backend=backend,
            step=step,
            client=client,
        )
        result.summary["seconds"] = {"read labels": round(read, 4)} | result.summary["seconds"]
        result.summary["command"] = shlex.join(["wellgram", *sys.argv[1:]])
        given = [*(embeddings or []), metadata, *(relationships or []), truth, clusters]
        if any(given):
            with step("check sums of inputs") as progress:
                result.summary["inputs"] = _inputs([path for path in given if path], progress)
        with step("write results"):
            result.save(folder)
    results.print(repr(result.map_), markup=False)
    left_out = result.map_.provenance["without_direction"]
    if left_out:
        results.print(f"left out, since it aggregates to zero: {', '.join(left_out)}", markup=False)
    for benchmark in BENCHMARKS:
        part = result.parts.get(benchmark.name)
        if part is not None:
            results.print(part_table(benchmark.title, part), "")
            for column, parts in result.baselines.items():
                if benchmark.name in parts:
                    title = f"{benchmark.title}, by {column} alone"
                    results.print(part_table(title, parts[benchmark.name]), "")
        elif result.summary[benchmark.name] != "skipped: not asked for":
            results.print(f"{benchmark.title}: {result.summary[benchmark.name]}", markup=False)
    if not (sources or same) and (not metric or "recall" in metric):
        results.print("name known pairs with --relationships or --same")
    seconds = time.perf_counter() - began
    results.print(
        f"{seconds:.1f} s, peak memory {peak_memory() / 1e9:.2f} GB; see {out}/report.html"
    )


def _inputs(paths: list[str], progress: Progress) -> dict[str, dict[str, int | str | None]]:
    """Return the size and the SHA-256 of what was read; None of what is not on this machine."""
    sums: dict[str, dict[str, int | str | None]] = {}
    for path in paths:
        found = asdict(checksum(path, progress)) if Path(path).exists() else None
        sums[path] = found or {"bytes": None, "sha256": None}
    return sums


@app.command(
    epilog="**Example**\n\n`wellgram simulate --scale 0.1 --out screen` then\n\n"
    "`wellgram score screen/OpenPhenom_rxrx3_core_embeddings.parquet "
    "--metadata screen/metadata_rxrx3_core.csv --relationships screen/relationships`"
)
def simulate(
    out: Annotated[str, typer.Option(help="Folder for the screen, or a URL.")] = "screen",
    screen: Annotated[
        Literal["rxrx3-core", "rxrx1"],
        typer.Option(help="Whose shape: that of a map's screen, or of a study of batch effects."),
    ] = "rxrx3-core",
    scale: Annotated[float, typer.Option(help="1.0: the size of the published one.")] = 1.0,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 0,
    features: Annotated[int, typer.Option(help="Width of the embeddings.")] = 384,
) -> None:
    """Simulate a screen of RxRx3-core's shape, with planted complexes and compound targets.

    Writes the embeddings, the metadata, and the truth: relationships/ and
    compound_gene_interactions.csv. Or of RxRx1's shape, with planted batch effects: embeddings and
    metadata.
    """
    made: simulation.SimulatedScreen | simulation.SimulatedStudy
    make = simulation.rxrx1 if screen == "rxrx1" else simulation.rxrx3_core
    with placing_folder(out) as folder:
        with step("simulate"):
            made = make(scale, seed, features=features)
        with step("write"):
            made.write(folder)
    n, d = made.embeddings.shape
    results.print(
        f"{n:,} {'sites' if screen == 'rxrx1' else 'wells'} x {d} features in {out}/", markup=False
    )


@app.command(
    epilog="**Example**\n\n`wellgram neighbors results/map.parquet -k 25 --out neighbors.parquet`"
)
def neighbors(
    map_: Annotated[
        str,
        typer.Argument(metavar="MAP", help="A map.parquet of wellgram score, or as write_map has."),
    ],
    k: Annotated[int, typer.Option("-k", help="How many of the most similar.")] = 25,
    least: Annotated[
        int | None, typer.Option(help="How many of the least similar, if not k as well.")
    ] = None,
    other: Annotated[
        str | None, typer.Option(help="A map whose rows are the partners, instead of its own.")
    ] = None,
    precision: Annotated[
        PairPrecision | None, typer.Option(help="Type of the products; that of the map if none.")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(help=f"Which device runs: {', '.join(BACKENDS)}.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The table to write: .parquet or .csv.")] = Path(
        "neighbors.parquet"
    ),
) -> None:
    """Find the k most and the k least similar perturbations of every perturbation of a map.

    Writes one row per neighbor: perturbation, side, rank, neighbor, cosine. The map is read block
    by block and may be larger than memory.
    """
    set_backend(backend)
    get_backend()
    check_table_name(out)
    began = time.perf_counter()
    partners = None if other is None else open_map(other)
    with step("nearest and farthest") as progress:
        found = nearest(
            open_map(map_), k, least=least, other=partners, precision=precision, progress=progress
        )
    with step("write table"):
        found.save(out)
    results.print(repr(found), markup=False)
    seconds = time.perf_counter() - began
    results.print(f"{seconds:.1f} s, peak memory {peak_memory() / 1e9:.2f} GB; see {out}")


@app.command(epilog="**Example**\n\n`wellgram browse results/map.parquet`")
def browse(
    map_: Annotated[
        str,
        typer.Argument(metavar="MAP", help="A map.parquet of wellgram score, or as write_map has."),
    ],
    host: Annotated[
        str, typer.Option(help="Where to serve; by default for this machine alone.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Of the page; 0 for any that is free.")] = 8765,
    backend: Annotated[
        str | None, typer.Option(help=f"Which device runs: {', '.join(BACKENDS)}.")
    ] = None,
) -> None:
    """Serve a page to look a gene or compound up in a map: what is near, what is far.

    With ranks, percentiles, and the table to download. It takes the similarities of one
    perturbation at a time, so a map of the whole genome needs no matrix. Ctrl-C ends it.
    """
    browsing.check_packages()
    set_backend(backend)
    get_backend()
    with step("read map"):
        lookup = MapLookup(open_map(map_))
    if not browsing.is_loopback(host):
        notes.print(
            f"note: other machines can read this map at {host}; there is no password", markup=False
        )
    browsing.serve(
        lookup,
        Path(map_).name,
        host=host,
        port=port,
        ready=lambda url: results.print(f"{len(lookup):,} perturbations at {url} (Ctrl-C ends it)"),
    )


app.command(
    epilog="**Example**\n\n`wellgram blocks embeddings/ --metadata metadata.csv --split dataset`"
)(blocks)
app.command(
    epilog="**Example**\n\n`wellgram simulate --screen rxrx1 --scale 0.1 --out study` then\n\n"
    "`wellgram batch-study study/embeddings.parquet --metadata study/metadata.csv --split dataset`"
)(batch_study)


@app.command()
def info() -> None:
    """Show versions, instruction set, threads, devices, and which backends work and why not."""
    facts = environment()
    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in facts.items():
        if isinstance(value, dict):
            for entry, state in value.items():
                table.add_row(f"{name.rstrip('s')} {entry}", state)
        elif isinstance(value, list):
            for device in value:
                table.add_row("cuda device", ", ".join(f"{k} {v}" for k, v in device.items()))
        else:
            table.add_row(name.replace("_", " "), str(value))
    results.print(table, markup=False)


def main() -> None:
    """Run the command line; a mistake in the input ends it with one line and exit status 1."""
    try:
        app()
    except WellgramError as problem:
        notes.print(f"error: {problem}", markup=False)
        sys.exit(1)
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            notes.print("interrupted; unfinished results were not kept")
        raise


if __name__ == "__main__":
    main()

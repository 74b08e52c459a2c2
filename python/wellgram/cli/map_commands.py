"""The commands that look into a map: ``wellgram neighbors`` and ``wellgram browse``."""

import time
from typing import Annotated

import typer

from wellgram import browse as browsing
from wellgram.align import alignment_names
from wellgram.backends import BACKENDS, get_backend, set_backend
from wellgram.backends.machine import peak_memory
from wellgram.cli.leaving import leave_threads
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
from wellgram.cli.terminal import notes, noting, print_wells, results, step
from wellgram.cli.well_neighbors import nearest_wells
from wellgram.distributed import connected
from wellgram.errors import InputError
from wellgram.graphs import Metric, NeighborGraph
from wellgram.io import open_map, open_wells, relationship_sources
from wellgram.io.places import Remote, locate, placing
from wellgram.pairs import MapLookup, Neighbors, PairDtype
from wellgram.pairs.neighbor_tables import check_table_name, check_table_suffix
from wellgram.pairs.neighbor_tables import neighbors as find_neighbors
from wellgram.wells import ROLES


def neighbors(
    map_: Annotated[
        list[str],
        typer.Argument(
            metavar="MAP",
            help="A map.parquet of wellgram score, or as write_map has; with --wells, files, "
            "folders or URLs of embeddings.",
        ),
    ],
    k: Annotated[
        int | None, typer.Option("-k", help="How many of the most similar: 25, or 15 of wells.")
    ] = None,
    farthest: Annotated[
        int | None, typer.Option(help="How many of the least similar, if not k as well.")
    ] = None,
    other: Annotated[
        str | None, typer.Option(help="A map whose rows are the partners, instead of its own.")
    ] = None,
    dtype: Annotated[
        PairDtype | None, typer.Option(help="Type of the products; that of the map if none.")
    ] = None,
    wells: Annotated[
        bool, typer.Option("--wells", help="Find each well's nearest others, not a map's rows.")
    ] = False,
    metric: Annotated[
        Metric, typer.Option(help="Of wells: what is near, in float64 and exactly.")
    ] = "cosine",
    across: Annotated[
        str | None,
        typer.Option(help="Of wells: look among those with another value in this column, 'batch'."),
    ] = None,
    align: Annotated[
        str, typer.Option(help=f"Of wells: their alignment: none, {', '.join(alignment_names())}.")
    ] = "none",
    scratch: Annotated[
        str | None,
        typer.Option(help="Of wells: folder for those too many for memory, while it runs."),
    ] = None,
    unfinished: Annotated[
        str | None,
        typer.Option(help="Of wells: folder where an interrupted run leaves what it has met."),
    ] = None,
    metadata: Metadata = None,
    pattern: Pattern = None,
    encoding: Encoding = None,
    layout: LayoutName = "rxrx3-core",
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
    backend: Annotated[
        str | None, typer.Option(help=f"Which device runs: {', '.join(BACKENDS)}.")
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(help="Of wells: address of a Dask scheduler whose workers compare them."),
    ] = None,
    out: Annotated[
        str, typer.Option(help="The table to write, here or at a URL: .parquet or .csv.")
    ] = "neighbors.parquet",
) -> None:
    """Find the k most and the k least similar perturbations of every perturbation of a map.

    Writes one row per neighbor: perturbation, side, rank, neighbor, cosine. The map is read chunk
    by chunk and may be larger than memory. With --wells, each well's k nearest others instead:
    well, rank, neighbor, distance.
    """
    set_backend(backend)
    get_backend()
    place = locate(out)
    if isinstance(place, Remote):
        check_table_suffix(place.name)
    else:
        check_table_name(place)
    began = time.perf_counter()
    found: Neighbors | NeighborGraph
    if wells:
        if farthest is not None or other is not None or dtype is not None:
            raise InputError("--farthest, --other and --dtype are of maps; leave them out of wells")
        with connected(scheduler) as client, noting(neighbors):
            with step("read labels"):
                screen = open_wells(
                    map_, metadata, layout=layout, perturbation=perturbation, batch=batch,
                    control=control, control_column=control_column, well_id=well_id,
                    features=features, exclude_features=exclude_features or (),
                    common_features=common_features, missing=missing, pattern=pattern,
                    allow_unmatched=allow_unmatched, allow_duplicates=allow_duplicates,
                    columns=[] if across in (None, *ROLES) else [across], encoding=encoding,
                )  # fmt: skip
            print_wells(screen)
            found = nearest_wells(
                screen, align, 15 if k is None else k, metric=metric, across=across,
                scratch=scratch, unfinished=unfinished, client=client,
            )  # fmt: skip
    else:
        if len(map_) > 1:
            raise InputError("neighbors are of one map; name one, or --wells for embeddings")
        partners = None if other is None else open_map(other)
        with step("nearest and farthest") as progress:
            found = find_neighbors(
                open_map(map_[0]), 25 if k is None else k, farthest=farthest, other=partners,
                dtype=dtype, progress=progress,
            )  # fmt: skip
    with step("write table"), placing(place) as path:
        found.save(path)
    results.print(repr(found), markup=False)
    seconds = time.perf_counter() - began
    results.print(f"{seconds:.1f} s, peak memory {peak_memory() / 1e9:.2f} GB; see {out}")


def browse(
    map_: Annotated[
        str,
        typer.Argument(metavar="MAP", help="A map.parquet of wellgram score, or as write_map has."),
    ],
    relationships: Annotated[
        list[str] | None,
        typer.Option(
            help="Known pairs, which are marked: a file or folder of entity1,entity2 csv, or "
            "'efaar'; may be repeated."
        ),
    ] = None,
    wells: Annotated[
        list[str] | None,
        typer.Option(
            help="Files, folders or URLs of the embeddings that the map was made of: their "
            "features are compared with controls of the same plates; may be repeated."
        ),
    ] = None,
    plate: Annotated[
        str | None,
        typer.Option(help="Of wells: column of the plate, where batches are of several plates."),
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
    missing: MissingValues = "error",
    allow_unmatched: AllowUnmatched = False,
    allow_duplicates: AllowDuplicates = False,
    host: Annotated[
        str, typer.Option(help="Where to serve; by default for this machine alone.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Of the page; 0 for any that is free.")] = 8765,
    backend: Annotated[
        str | None, typer.Option(help=f"Which device runs: {', '.join(BACKENDS)}.")
    ] = None,
) -> None:
    """Serve a page to look a gene or compound up in a map: what is near, what is far.

    With ranks, percentiles, and tables to download; two perturbations are compared, and the map is
    there to click on. It takes the similarities of one perturbation at a time, so a map of the
    whole genome needs no matrix. With --wells, features are compared with controls of the same
    plates. Ctrl-C ends it.
    """
    browsing.check_packages()
    set_backend(backend)
    get_backend()
    if plate is not None and not wells:
        raise InputError("--plate is of wells: name their files with --wells")
    with step("read map"):
        lookup = MapLookup(open_map(map_))
        sources = relationship_sources(*relationships or (), encoding=encoding)
    measured = None
    if wells:
        with noting(browse), step("read wells"):
            measured = open_wells(
                wells, metadata, layout=layout, perturbation=perturbation, batch=batch, dose=dose,
                control=control, control_column=control_column, well_id=well_id,
                features=features, exclude_features=exclude_features or (),
                common_features=common_features, missing=missing, pattern=pattern,
                allow_unmatched=allow_unmatched, allow_duplicates=allow_duplicates,
                columns=[] if plate in (None, *ROLES) else [plate], encoding=encoding,
            ).read()  # fmt: skip
        print_wells(measured)
    page = browsing.application(
        lookup, locate(map_).name, host, sources=sources, wells=measured, plate=plate
    )
    if not browsing.is_loopback(host):
        notes.print(
            f"note: other machines can read this map at {host}; there is no password", markup=False
        )
    browsing.serve(
        page,
        host=host,
        port=port,
        ready=lambda url: results.print(f"{len(lookup):,} perturbations at {url} (Ctrl-C ends it)"),
    )
    leave_threads()  # questions that nobody waits for any more

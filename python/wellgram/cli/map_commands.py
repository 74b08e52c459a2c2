"""The commands that look into a map: ``wellgram neighbors`` and ``wellgram browse``."""

import time
from typing import Annotated

import typer

from wellgram import browse as browsing
from wellgram.backends import BACKENDS, get_backend, set_backend
from wellgram.backends.machine import peak_memory
from wellgram.cli.leaving import leave_threads
from wellgram.cli.terminal import notes, results, step
from wellgram.io import open_map
from wellgram.io.places import Remote, locate, placing
from wellgram.pairs import MapLookup, PairDtype
from wellgram.pairs.neighbor_tables import check_table_name, check_table_suffix
from wellgram.pairs.neighbor_tables import neighbors as find_neighbors


def neighbors(
    map_: Annotated[
        str,
        typer.Argument(metavar="MAP", help="A map.parquet of wellgram score, or as write_map has."),
    ],
    k: Annotated[int, typer.Option("-k", help="How many of the most similar.")] = 25,
    farthest: Annotated[
        int | None, typer.Option(help="How many of the least similar, if not k as well.")
    ] = None,
    other: Annotated[
        str | None, typer.Option(help="A map whose rows are the partners, instead of its own.")
    ] = None,
    dtype: Annotated[
        PairDtype | None, typer.Option(help="Type of the products; that of the map if none.")
    ] = None,
    backend: Annotated[
        str | None, typer.Option(help=f"Which device runs: {', '.join(BACKENDS)}.")
    ] = None,
    out: Annotated[
        str, typer.Option(help="The table to write, here or at a URL: .parquet or .csv.")
    ] = "neighbors.parquet",
) -> None:
    """Find the k most and the k least similar perturbations of every perturbation of a map.

    Writes one row per neighbor: perturbation, side, rank, neighbor, cosine. The map is read chunk
    by chunk and may be larger than memory.
    """
    set_backend(backend)
    get_backend()
    place = locate(out)
    if isinstance(place, Remote):
        check_table_suffix(place.name)
    else:
        check_table_name(place)
    began = time.perf_counter()
    partners = None if other is None else open_map(other)
    with step("nearest and farthest") as progress:
        found = find_neighbors(
            open_map(map_), k, farthest=farthest, other=partners, dtype=dtype, progress=progress
        )
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
        locate(map_).name,
        host=host,
        port=port,
        ready=lambda url: results.print(f"{len(lookup):,} perturbations at {url} (Ctrl-C ends it)"),
    )
    leave_threads()  # questions that nobody waits for any more

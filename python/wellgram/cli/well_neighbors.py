"""What ``wellgram neighbors --wells`` does with the wells that were opened."""

from wellgram.align import alignment
from wellgram.cli.terminal import results, step
from wellgram.distributed import Client
from wellgram.graphs import Metric, NeighborGraph, neighbor_graph
from wellgram.stream import WellStream
from wellgram.wells import Wells

_NAMED = 5
"""How many of the wells that are left out are printed"""


def nearest_wells(
    wells: WellStream,
    align: str,
    k: int,
    *,
    metric: Metric,
    across: str | None,
    scratch: str | None,
    unfinished: str | None,
    client: Client | None,
) -> NeighborGraph:
    """Align wells, find each one's nearest others, and say which have none."""
    chosen = alignment(align)
    aligned: Wells | WellStream = wells
    if chosen is not None:
        with step("align wells"):
            aligned = chosen.aligned(wells if chosen.streams else wells.read())
    with step("nearest wells") as progress:
        graph = neighbor_graph(
            aligned, k, metric=metric, across=across, scratch=scratch, unfinished=unfinished,
            progress=progress, client=client,
        )  # fmt: skip
    names = graph.left_out_names
    if names:
        shown = ", ".join(names[:_NAMED])
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        results.print(
            f"left out, since they have no distance: {len(names):,} wells ({shown}{more})",
            markup=False,
        )
    return graph

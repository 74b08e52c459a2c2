"""From files to a map in one call."""

from typing import Any

from wellgram.align import Alignment, BatchAffine
from wellgram.backends import takes_backend
from wellgram.distributed import Client, takes_client
from wellgram.errors import InputError
from wellgram.io.screens import Source, open_wells
from wellgram.maps.build import Aggregation, MapDtype, build_map
from wellgram.wells import PerturbationMap, WellLabels


@takes_client
@takes_backend
def map_from_wells(
    source: "Source | WellLabels",
    align: Alignment | BatchAffine | None = None,
    by: str | None = None,
    *,
    aggregate: Aggregation = "mean",
    dtype: MapDtype = "float32",
    backend: str | None = None,
    client: Client | None = None,
    **reading: Any,
) -> PerturbationMap:
    """Make a map of wells that need not fit into memory: `open_wells`, then `build_map`.

    Parameters
    ----------
    source
        Whatever `open_wells` takes: files, a folder, a URL, a table, an AnnData object, ...; or
        wells that are open or in memory already.
    align
        An alignment, fitted to these wells unless it has been fitted before, or the maps of one.
    by
        The column of the perturbation; None for the layout's usual one.
    aggregate, dtype, backend, client
        See `build_map`.
    reading
        What else `open_wells` takes: ``metadata=``, ``layout=``, ``batch=``, ``control=``, ...

    Returns
    -------
    PerturbationMap
        (p, k), ordered by type, perturbation and dose.

    Raises
    ------
    InputError
        If a file, column or value is not as it must be, or a map cannot be made of the wells.
    """
    if isinstance(source, WellLabels):
        named = [*(["by"] if by is not None else []), *reading]
        if named:
            raise InputError(f"these wells are labelled already; leave out {', '.join(named)}")
        wells: WellLabels = source
    else:
        wells = open_wells(source, perturbation=by, **reading)
    return build_map(wells, align, aggregate=aggregate, dtype=dtype, client=client)

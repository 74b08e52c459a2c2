"""Files of AnnData: opened as the HDF5 that they are, written by `anndata` itself."""

from functools import partial
from pathlib import Path

import pyarrow as pa

from wellgram.io.anndata_objects import to_anndata
from wellgram.io.contents import open_arrays
from wellgram.io.hdf5 import open_hdf5
from wellgram.io.labels import check_no_nul, simple
from wellgram.io.table_format import Format
from wellgram.wells import PerturbationMap


def _write(map_: PerturbationMap, path: Path) -> None:
    labels, _ = simple(map_.labels)
    for name in labels.column_names:
        if pa.types.is_string(labels.schema.field(name).type):
            check_no_nul(labels.column(name), name)
    to_anndata(map_).write_h5ad(path)


H5AD = Format("AnnData", (".h5ad",), partial(open_arrays, open_hdf5), _write)

"""Files of AnnData: opened as the HDF5 that they are, each part written by `anndata` itself.

``X`` has checksums (fletcher32), labels have a SHA-256 each, and headers those that HDF5 1.10
brought. `anndata`'s own ``write_h5ad`` has no way to ask for them.
"""

from functools import partial
from pathlib import Path

import pyarrow as pa

from wellgram.io.anndata_objects import to_anndata
from wellgram.io.anndata_sums import write_sums
from wellgram.io.contents import open_arrays
from wellgram.io.hdf5 import checked_chunks, open_hdf5
from wellgram.io.labels import check_no_nul, simple
from wellgram.io.read_errors import needed
from wellgram.io.stores import NOTE
from wellgram.io.table_format import Format
from wellgram.wells import PerturbationMap

_ENCODING = {"encoding-type": "anndata", "encoding-version": "0.1.0"}
_EMPTY = ("layers", "obsm", "obsp", "varm", "varp")


def _write(map_: PerturbationMap, path: Path) -> None:
    h5py = needed("h5py", "hdf5", repr(path.name))
    columns, _ = simple(map_.labels)
    for name in columns.column_names:
        if pa.types.is_string(columns.schema.field(name).type):
            check_no_nul(columns.column(name), name)
    adata = to_anndata(map_)
    write_elem = needed("anndata.io", "anndata", repr(path.name)).write_elem
    with h5py.File(path, "w", libver="v110") as file:
        file.attrs.update(_ENCODING)
        write_elem(file, "obs", adata.obs)
        write_elem(file, "var", adata.var)
        write_elem(file, "uns", dict(adata.uns))
        for field in _EMPTY:
            write_elem(file, field, {})
        write_elem(file, "X", adata.X, dataset_kwargs=checked_chunks(map_.embeddings))
        write_sums(file["obs"], columns, adata.uns[NOTE])


H5AD = Format("AnnData", (".h5ad",), partial(open_arrays, open_hdf5), _write)

"""Screens of a few wells as files of arrays: HDF5, Zarr, NPZ."""

import numpy as np
import pytest

NEEDED = {".h5ad": "anndata", ".h5": "h5py", ".hdf5": "h5py", ".zarr": "zarr"}
SUFFIXES = [".h5", ".zarr", ".npz"]


def need(suffix):
    """Skip the test where the package that a format needs is not installed."""
    if suffix in NEEDED:
        pytest.importorskip(NEEDED[suffix])


def write_arrays(path, chunk=7, **arrays):
    """Write arrays as people do, with the format's own library; matrices in chunks of rows."""
    need(path.suffix)
    arrays = {name: np.asarray(values) for name, values in arrays.items()}
    if path.suffix == ".npz":
        np.savez_compressed(path, **arrays)
        return path
    if path.suffix == ".zarr":
        import zarr

        group = zarr.open_group(path, mode="w")
        for name, values in arrays.items():
            kind = np.dtypes.StringDType() if values.dtype.kind in "US" else values.dtype
            shape = (min(chunk, len(values)), *values.shape[1:]) if values.ndim else ()
            chunks = tuple(max(1, n) for n in shape)
            group.create_array(name, data=values.astype(kind), chunks=chunks)
        return path
    import h5py

    with h5py.File(path, "w") as file:
        for name, values in arrays.items():
            kind = h5py.string_dtype() if values.dtype.kind == "U" else values.dtype
            chunks = (
                (min(chunk, len(values)), values.shape[1])
                if values.ndim == 2 and len(values)
                else None
            )
            data = values.astype(object) if values.dtype.kind == "U" else values
            file.create_dataset(name, data=data, dtype=kind, chunks=chunks)
    return path

"""What within an HDF5 file stands for bytes of other files, which are never read.

An HDF5 file can name any file of the machine, and its bytes then look like values of a screen.
"""

from typing import Any

from wellgram.errors import InputError
from wellgram.io.read_errors import needed

_SAME_FILE = "."
"""How a virtual dataset names the file that it is in"""


def check_within(file: Any, where: str) -> None:
    """Raise if something in an open HDF5 file leads to another file; nothing is followed.

    It takes some 50 microseconds for each array of the file, about as long as to open the array.

    Parameters
    ----------
    file
        The file, of h5py.
    where
        What messages call it.

    Raises
    ------
    InputError
        Naming what leads out of the file, and where to.
    """
    h5py = needed("h5py", "hdf5", where)
    links: list[tuple[bytes, int]] = []
    file.id.links.visit(lambda name, link: links.append((name, link.type)), info=True)
    for name, kind in links:
        if kind not in (h5py.h5l.TYPE_HARD, h5py.h5l.TYPE_SOFT):
            raise _leaves(f"link {_text(name)!r}", where, _target(h5py, file, name, kind))
    datasets: list[bytes] = []

    def keep(name: bytes, node: Any) -> None:
        if node.type == h5py.h5o.TYPE_DATASET:
            datasets.append(name)

    h5py.h5o.visit(file.id, keep, info=True)
    for name in datasets:
        created = h5py.h5d.open(file.id, name).get_create_plist()
        for other in _sources(h5py, created):
            raise _leaves(f"array {_text(name)!r}", where, other)


def _sources(h5py: Any, created: Any) -> list[str]:
    """Return the other files that hold the values of a dataset."""
    if created.get_layout() == h5py.h5d.VIRTUAL:
        count = created.get_virtual_count()
        files = [created.get_virtual_filename(k) for k in range(count)]
        return [name for name in files if name != _SAME_FILE]
    count = created.get_external_count()
    return [_text(created.get_external(k)[0]) for k in range(count)]


def _target(h5py: Any, file: Any, name: bytes, kind: int) -> str:
    """Return the file that a link leads to, if links of its kind say so."""
    if kind != h5py.h5l.TYPE_EXTERNAL:
        return "a kind of link that only its program can follow"
    return _text(file.id.links.get_val(name)[0])


def _leaves(what: str, where: str, target: str) -> InputError:
    return InputError(
        f"{what} of {where} leads out of the file, to {target!r}, and other files are not read; "
        "copy what it stands for into the file"
    )


def _text(name: bytes) -> str:
    return name.decode(errors="backslashreplace")

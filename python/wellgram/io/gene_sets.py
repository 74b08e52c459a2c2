"""Gene sets from files: ``.gmt``, and tables of a name and its genes."""

from pathlib import Path

from wellgram.errors import InputError
from wellgram.input_kinds import check_path
from wellgram.io.places import locate, no_file
from wellgram.io.text_files import lines_of


def read_gene_sets(path: str | Path, *, encoding: str | None = None) -> dict[str, list[str]]:
    """Read gene sets: the genes of each, sorted, by the name of the set.

    A ``.gmt`` has on each line a name, a description and genes, all separated by tabs, as MSigDB
    writes it. Any other file has a name, a tab, and genes separated by blanks, as the clusters of
    CORUM in efaar_benchmarking. Either may be compressed by gzip (``.gmt.gz``).

    Parameters
    ----------
    path
        The file, here or at a URL.
    encoding
        What its text is in, such as ``cp1252``; by default UTF-8, or what a mark at the beginning
        of the file says.

    Raises
    ------
    InputError
        If the file is missing, a line is not text or has no genes, or a name comes twice.
    """
    check_path(path)
    place = locate(path)
    if not place.is_file():
        raise no_file(place)
    is_gmt = place.name.lower().removesuffix(".gz").endswith(".gmt")
    sets: dict[str, list[str]] = {}
    for number, line in enumerate(lines_of(place, encoding), start=1):
        if not line.strip():
            continue
        name, *rest = line.split("\t")
        genes = rest[1:] if is_gmt else " ".join(rest).split()
        genes = [gene for gene in genes if gene]
        if not genes:
            raise InputError(
                f"line {number} of {place.name} names no genes: {line[:40]!r}; it needs a name, a "
                "tab, and genes"
            )
        if name in sets:
            raise InputError(f"{place.name} has two sets named {name!r}; rename one")
        sets[name] = sorted(set(genes))
    if not sets:
        raise InputError(f"{place.name} has no gene sets")
    return sets

"""Wells by an alignment, the maps of one, or none: fitted where need be, applied."""

from wellgram.align.affine import AnyWells, BatchAffine
from wellgram.align.estimator import Alignment
from wellgram.backends import takes_backend
from wellgram.errors import InputError
from wellgram.wells import WellLabels, Wells

Aligner = Alignment | BatchAffine | None
"""What wells are aligned by: an alignment, fitted or not, the maps of one, or nothing"""


@takes_backend
def aligned(wells: AnyWells, align: Aligner, *, backend: str | None = None) -> AnyWells:
    """Return wells aligned, in memory or as a stream, as they were given.

    Parameters
    ----------
    wells
        The wells (n, d).
    align
        An alignment, which is fitted to these wells if it has not been fitted before, or the maps
        of one; None: the wells stay as they are.
    backend
        See `wellgram.set_backend`.

    Returns
    -------
    Wells or WellStream
        The same wells with embeddings (n, k).

    Raises
    ------
    InputError
        If the alignment cannot be fitted to the wells or applied to them.

    Examples
    --------
    >>> import numpy as np, wellgram as wg
    >>> from wellgram.align import aligned
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 9.0]])
    >>> wells = wg.Wells.from_arrays(x, ["DMSO", "DMSO", "drug"], control="DMSO")
    >>> aligned(wells, wg.CenterScale()).embeddings[2]
    array([3., 6.])
    """
    check_aligner(align)
    return wells if align is None else align.aligned(wells)


@takes_backend
def aligned_in_memory(wells: WellLabels, align: Aligner, *, backend: str | None = None) -> Wells:
    """Return wells aligned, in memory; a stream is read after that, or before where it must be.

    Raises
    ------
    InputError
        If the alignment cannot be fitted to the wells or applied to them.
    """
    if isinstance(align, Alignment) and not align.streams:
        wells = wells.read()
    return aligned(wells, align).read()


def check_aligner(align: object) -> None:
    """Raise unless something aligns wells, or is None.

    Raises
    ------
    InputError
        If it is the name of an alignment, its class, or anything else.
    """
    if align is None or isinstance(align, Alignment | BatchAffine):
        return
    if isinstance(align, str):
        remedy = f"wellgram.align.alignment({align!r}) makes one of a name"
    elif isinstance(align, type):
        remedy = f"write {align.__name__}()"
    else:
        remedy = "give one, or None"
    raise InputError(f"align= takes an alignment such as wellgram.TVN(), not {align!r}; {remedy}")


def needs_fit(align: Aligner) -> bool:
    """Whether it is an alignment that has not been fitted."""
    check_aligner(align)
    return align is not None and not align.is_fitted


@takes_backend
def fit_if_needed(align: Aligner, wells: WellLabels, *, backend: str | None = None) -> None:
    """Fit an alignment to wells unless it has been fitted before.

    Raises
    ------
    InputError
        If it cannot be fitted to the wells.
    """
    check_aligner(align)
    if isinstance(align, Alignment) and not align.is_fitted:
        align.fit(wells)


def affine_of(align: Aligner) -> BatchAffine | None:
    """Return the affine maps of what is fitted; None where there are none."""
    return align if isinstance(align, BatchAffine) else getattr(align, "affine_", None)


def pooled_batches(align: Aligner) -> list[str]:
    """Return the batches that have the pooled map of what is fitted, for they had few controls."""
    parts = getattr(align, "parts_", [align])  # those of a chain
    affine = [maps for part in parts if (maps := affine_of(part)) is not None]
    return list(dict.fromkeys(name for maps in affine for name in maps.pooled_for))

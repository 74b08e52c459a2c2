"""Whether the wells of a screen are there more than once, by their embeddings."""

import warnings

from wellgram.errors import IdenticalRowsWarning, InputError
from wellgram.estimators.call_sites import level_outside
from wellgram.metrics.identical_rows import IdenticalRows, identical_words
from wellgram.wells import WellLabels


def checked_copies(wells: WellLabels, identical: IdenticalRows, allow_duplicates: bool) -> str:
    """Return words on wells that have the same embedding, or nothing; warn of them.

    Raises
    ------
    InputError
        If a batch is a copy of another, and that is not allowed: its wells would count as
        replicates of themselves.
    """
    ids = wells.metadata["well_id"].array
    words = identical_words(identical, ids)
    if not words:
        return ""
    batches, names = wells.batches()
    copied = None if allow_duplicates else identical.copied(batches)
    if copied is not None:
        (one, other), (well, twin) = (names[b] for b in copied.batches), copied.first
        raise InputError(
            f"batches {one!r} and {other!r} have the same embeddings in {copied.wells:,} of "
            f"{copied.of:,} wells (first: {ids[well]!r} and {ids[twin]!r}): one is a copy of the "
            "other, and its wells would count as replicates of themselves; leave one out, or count "
            "both (allow_duplicates=True)"
        )
    warnings.warn(words, IdenticalRowsWarning, stacklevel=level_outside())
    return words

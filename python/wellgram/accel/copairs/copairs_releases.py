"""What differs between releases of copairs, by exact version."""

from typing import Literal, NamedTuple

from wellgram.accel.releases import version_of


class CopairsRelease(NamedTuple):
    """What a release does otherwise than the one before it."""

    columns_of_sameby: bool = True
    """Whether means have their groups in columns, and not in the index (from 0.5.1)"""
    ranks_by_label: bool = True
    """Whether each label of a multilabel column is a ranking, and not each pair (from 0.5.1)"""
    silent_means_fail: bool = False
    """Whether means without a progress bar end in a TypeError (0.5.2)"""
    normalizes: bool = True
    """Whether precisions and their means are given normalized too (from 0.5.3)"""
    bad_nulls: Literal["raised", "drawn anew"] = "drawn anew"
    """What becomes of a file of nulls that cannot be read (0.5.2 to 0.5.4: the one or the other)"""


_BY_VERSION = {
    "0.5.0": CopairsRelease(False, False, False, False, "raised"),
    "0.5.1": CopairsRelease(normalizes=False, bad_nulls="raised"),
    "0.5.2": CopairsRelease(silent_means_fail=True, normalizes=False, bad_nulls="raised"),
    "0.5.3": CopairsRelease(bad_nulls="raised"),
    "0.5.4": CopairsRelease(bad_nulls="raised"),
    "0.5.5": CopairsRelease(),
}
VERSIONS = tuple(_BY_VERSION)
"""The versions that are known, the oldest first"""


def copairs_release() -> CopairsRelease:
    """Return what the installed release does; an unknown one is taken for the newest."""
    return _BY_VERSION.get(version_of("copairs"), _BY_VERSION[VERSIONS[-1]])

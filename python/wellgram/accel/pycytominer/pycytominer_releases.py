"""What differs between the releases of pycytominer, by exact version."""

from functools import cache
from typing import NamedTuple

from wellgram.accel.releases import version_of


class Release(NamedTuple):
    """What a release does differently from others, where a call looks the same."""

    modz_keeps_missing: bool
    """Whether modz makes a profile of the rows whose stratum is missing. Others drop them."""
    spheres_scaled: bool
    """Whether sphering takes the axes of the centred and scaled samples. Others take those of the
    samples as they are given."""
    has_frequency_threshold: bool
    """Whether the shares of values are judged by an operation named so, and variances by
    `variance_threshold`. In others `variance_threshold` judges the shares."""
    has_inverse_normal: bool
    """Whether `normalize` knows the method"""


_RELEASES = {
    "1.5.1": Release(False, False, False, False),
    "1.6.0": Release(False, False, False, False),
    "1.6.1": Release(True, False, False, False),
    "1.7.0": Release(True, False, True, True),
    "1.7.1": Release(True, True, True, True),
}
_NEWEST = "1.7.1"


@cache  # metadata is read from files
def installed_release() -> Release:
    """Return what the installed release does; one that is not known is taken for the newest."""
    return _RELEASES.get(version_of("pycytominer"), _RELEASES[_NEWEST])

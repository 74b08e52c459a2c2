"""Which release of a library is installed."""

from importlib.metadata import PackageNotFoundError, version

_DISTRIBUTIONS = {"sklearn": "scikit-learn"}
"""Packages whose distribution has another name; hyphens and underscores are alike"""


def version_of(library: str) -> str:
    """Return the installed version of a package, ``"unknown"`` where it has none."""
    try:
        return version(_DISTRIBUTIONS.get(library, library))
    except PackageNotFoundError:
        return "unknown"

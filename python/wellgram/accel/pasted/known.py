"""What is kept of a function that copies are known by."""

from typing import NamedTuple


class Known(NamedTuple):
    """A function of some releases of a library, as `function_shapes` describes it."""

    path: str
    """Module and name"""
    versions: tuple[str, ...]
    digest: str
    defaults: str
    meanings: tuple[str, ...]
    """Dotted paths of what the names that it uses stand for, in the order of their first use"""

    @property
    def name(self) -> str:
        """Its name."""
        return self.path.rpartition(".")[2]

    @property
    def library(self) -> str:
        """The package that it is copied from."""
        return self.path.partition(".")[0]

"""Labels that are written otherwise in another table: they differ in case or blanks alone."""

from collections.abc import Collection, Iterable, Mapping
from functools import cached_property


class KnownLabels:
    """Labels that others are compared with: as they are, and without case and blanks."""

    def __init__(self, known: Collection[str]) -> None:
        self._known = known
        self._exact = frozenset(known)

    @cached_property
    def _folded(self) -> dict[str, str]:
        folded: dict[str, str] = {}
        for label in self._known:
            folded.setdefault(_fold(label), label)
        return folded

    def near(self, labels: Iterable[str]) -> dict[str, str]:
        """Return the labels that are not known, but are but for case or blanks, and what is known.

        Examples
        --------
        >>> KnownLabels(["TP53", "MDM2"]).near(["tp53 ", "MDM2", "KRAS"])
        {'tp53 ': 'TP53'}
        """
        unknown = [label for label in dict.fromkeys(labels) if label not in self._exact]
        near = ((label, self._folded.get(_fold(label))) for label in unknown)
        return {label: meant for label, meant in near if meant is not None}


def near_labels(labels: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Return `KnownLabels.near` of labels that are compared but once."""
    return KnownLabels(known).near(labels)


def near_text(near: Mapping[str, str]) -> str:
    """Return in words how many labels are near others, and the first three."""
    pairs = [f"{label!r} for {meant!r}" for label, meant in list(near.items())[:3]]
    more = f" and {len(near) - 3:,} more" if len(near) > 3 else ""
    return f"{len(near):,} are there but for case or blanks: {', '.join(pairs)}{more}"


def _fold(label: str) -> str:
    return " ".join(label.split()).casefold()

"""Labels that are written otherwise in another table: they differ in case or blanks alone."""

from collections.abc import Collection, Iterable, Mapping


def near_labels(labels: Iterable[str], known: Collection[str]) -> dict[str, str]:
    """Return the labels that are not known, but are but for case or blanks, and what is known.

    Examples
    --------
    >>> near_labels(["tp53 ", "MDM2", "KRAS"], ["TP53", "MDM2"])
    {'tp53 ': 'TP53'}
    """
    exact = set(known)
    folded: dict[str, str] = {}
    for label in known:
        folded.setdefault(_folded(label), label)
    near = {}
    for label in dict.fromkeys(labels):
        if label not in exact and (meant := folded.get(_folded(label))) is not None:
            near[label] = meant
    return near


def near_text(near: Mapping[str, str]) -> str:
    """Return in words how many labels are near others, and the first three."""
    pairs = [f"{label!r} for {meant!r}" for label, meant in list(near.items())[:3]]
    more = f" and {len(near) - 3:,} more" if len(near) > 3 else ""
    return f"{len(near):,} are there but for case or blanks: {', '.join(pairs)}{more}"


def _folded(label: str) -> str:
    return " ".join(label.split()).casefold()

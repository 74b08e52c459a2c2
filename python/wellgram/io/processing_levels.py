"""One plate in several files, at several levels of processing, as profiling pipelines write them.

Such as ``PLATE.csv.gz``, ``PLATE_augmented.csv.gz``, ``PLATE_normalized.csv.gz`` and
``PLATE_normalized_feature_select_negcon.csv.gz`` of pycytominer's recipe.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from wellgram.errors import InputError
from wellgram.io.formats import stem_of
from wellgram.io.places import Place

_LEVEL = re.compile(
    r"(?P<plate>.+?)_(?P<level>(augmented|annotated|aggregated|normalized|feature_select|"
    r"variable_selected|spherized)\w*)",
    re.IGNORECASE,
)


def check_one_level(places: Sequence[Place]) -> None:
    """Raise if a plate is there at several levels, or in several formats: its wells would repeat.

    Raises
    ------
    InputError
        Naming the plate and its files, and how one level is chosen.
    """
    at_level: dict[str, dict[str, Place]] = defaultdict(dict)
    named: dict[tuple[str, str], Place] = {}
    for place in places:
        plate, level = _plate_and_level(place)
        at_level[plate].setdefault(level, place)
        first = named.setdefault((_folder(place), stem_of(place)), place)
        if first.name != place.name:
            raise InputError(
                f"{str(first)!r} and {str(place)!r} are one table in two formats, by their names; "
                f"its wells would count twice; of a folder, pattern='*{_ending(first)}' chooses one"
            )
    for plate, of_plate in at_level.items():
        if len(of_plate) > 1:
            raise InputError(_several_levels(plate, of_plate, places))


def _plate_and_level(place: Place) -> tuple[str, str]:
    """Return which plate a file is of by its name, and at which level: "" where none is named."""
    named = _LEVEL.fullmatch(stem_of(place))
    return (named["plate"], named["level"]) if named else (stem_of(place), "")


def _folder(place: Place) -> str:
    return str(place)[: -len(place.name)]


def _ending(place: Place) -> str:
    return place.name[len(stem_of(place)) :]


def _several_levels(plate: str, of_plate: Mapping[str, Place], places: Sequence[Place]) -> str:
    counts = Counter(_plate_and_level(place)[1] for place in places)
    levels = ", ".join(
        f"{level or 'no level named'} ({count:,} file{'' if count == 1 else 's'})"
        for level, count in sorted(counts.items())
    )
    level = "normalized" if "normalized" in of_plate else max(of_plate)
    first, second, *_ = (str(place) for place in of_plate.values())
    return (
        f"{first!r} and {second!r} are plate {plate!r} at two levels of processing, whose wells "
        f"would count as replicates; levels: {levels}; read one level: of a folder, "
        f"pattern='*_{level}{_ending(of_plate[level])}' chooses it"
    )

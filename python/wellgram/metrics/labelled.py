"""Wells with the class that each is to be told as, parted in those fitted on and those tested."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from wellgram.backends.protocol import Codes
from wellgram.errors import ColumnMissing, NotApplicable
from wellgram.label_rules.missing_labels import is_missing
from wellgram.probes.splits import Mask, Split
from wellgram.stream import WellStream
from wellgram.wells import Wells

CELL_TYPE = "cell_type"


@dataclass(frozen=True)
class Sides:
    """The wells (numbers) of a split, and the class of each among those trained."""

    train: Codes
    train_classes: Codes
    test: Codes
    test_classes: Codes
    trained: Codes
    """(k,): the codes of the classes trained"""
    untrained: Codes
    """The codes of classes that test wells are of and no train well is"""
    excluded: int
    """How many test wells are of those, and are left out"""


@dataclass(frozen=True)
class LabelledWells:
    """Wells in memory, and what is to be told of each."""

    wells: Wells
    codes: Codes
    """(n,): the class of each well, -1 for wells that are not used"""
    names: Sequence[str]
    kind: str | None
    """A column by which accuracies are given too, such as the cell type"""

    @classmethod
    def of(cls, wells: Wells | WellStream, label: str, kind: str | None) -> "LabelledWells":
        """Return wells with the classes that a column has; those outside of the map have none.

        Raises
        ------
        InputError
            If a column is absent, there are fewer than two classes, or a batch has one only.
        """
        for column in (label, kind):
            if column is not None and column not in wells.metadata:
                raise ColumnMissing(
                    f"there is no column {column!r}; there are "
                    f"{', '.join(map(str, wells.metadata.columns))} (more are kept by columns=)"
                )
        if kind is None and CELL_TYPE in wells.metadata:
            kind = CELL_TYPE
        labels = wells.metadata[label]
        used = wells.metadata["in_map"].to_numpy(bool) & ~is_missing(labels)
        codes = np.full(len(wells), -1, np.int64)
        codes[used], names = pd.factorize(labels[used].astype("str"), sort=True)
        if len(names) < 2:
            raise NotApplicable(
                f"column {label!r} has {len(names)} classes among the wells in the map: two at "
                "least are needed"
            )
        _check_batches_have_several(wells, codes, names)
        return cls(wells.read(), codes, [str(name) for name in names], kind)

    @property
    def used(self) -> Mask:
        """Which wells have a class: (n,)."""
        return self.codes >= 0

    def sides(self, split: Split) -> Sides:
        """Return the wells of a split that have a class, those of untrained classes left out.

        Raises
        ------
        InputError
            If a side has no well, fewer than two classes are trained, or no tested class is.
        """
        train, test = (np.flatnonzero(side & self.used) for side in (split.train, split.test))
        trained = np.unique(self.codes[train])
        if len(trained) < 2:
            raise NotApplicable(
                f"the wells fitted on ({split.said}) are of {len(trained)} classes: two at least "
                "are needed; split otherwise (split=)"
            )
        known = np.isin(self.codes[test], trained)
        untrained = np.unique(self.codes[test][~known])
        if not known.any():
            first = f" (first: {self.names[untrained[0]]!r})" if len(untrained) else ""
            raise NotApplicable(
                f"no class that is tested was trained ({split.said}){first}: the two sides share "
                "no label; split otherwise (split=)"
            )
        return Sides(
            train,
            np.searchsorted(trained, self.codes[train]),
            test[known],
            np.searchsorted(trained, self.codes[test[known]]),
            trained,
            untrained,
            int((~known).sum()),
        )


def _check_batches_have_several(wells: Wells | WellStream, codes: Codes, names: Any) -> None:
    """Raise if the wells of a batch are of one class: nothing can be told apart in it."""
    batches, labels = wells.batches()
    used = codes >= 0
    pairs = pd.DataFrame({"batch": batches[used], "code": codes[used]})
    classes = pairs.groupby("batch")["code"].nunique()
    single = classes.index[classes < 2].to_numpy(np.int64)
    if len(single):
        code = int(pairs["code"][pairs["batch"] == single[0]].iloc[0])
        more = f" and {len(single) - 1} others" if len(single) > 1 else ""
        column = wells.origin.get("batch", "batch")
        raise NotApplicable(
            f"the wells of batch {labels[single[0]]!r}{more} (column {column!r}) are of one class "
            f"only, {names[code]!r}: they say nothing of telling classes apart; leave those wells "
            "out, or name other batches (batch=)"
        )

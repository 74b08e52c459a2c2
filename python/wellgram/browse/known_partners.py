"""Which perturbations are known to belong together, by the rows of a map."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from wellgram.backends.protocol import Codes
from wellgram.io.relationships import clean_pairs


class KnownPartners:
    """The known partners of every perturbation of a map, by source.

    Parameters
    ----------
    sources
        Known pairs, columns ``entity1`` and ``entity2``, by the name of their source.
    perturbations
        The perturbation of each row of the map (p,).
    """

    def __init__(
        self, sources: Mapping[str, pd.DataFrame], perturbations: "pd.Series[str]"
    ) -> None:
        self.sources = list(sources)
        self._codes, names = pd.factorize(perturbations.astype("str"))
        ends = [_coded_pairs(clean_pairs(pairs), pd.Index(names)) for pairs in sources.values()]
        source = np.repeat(np.arange(len(ends)), [len(pairs) for pairs in ends])
        pairs = np.concatenate([np.empty((0, 2), np.int64), *ends])
        both = np.concatenate([pairs, pairs[:, ::-1]])
        order = np.argsort(both[:, 0], kind="stable")
        self._partners = both[order, 1]
        self._source = np.tile(source, 2)[order]
        counts = np.bincount(both[:, 0], minlength=len(names))
        self._first = np.concatenate([[0], np.cumsum(counts)])

    def of(self, row: int) -> Codes:
        """Return the rows of the known partners of a row, by any source."""
        return np.flatnonzero(np.isin(self._codes, self._partners[self._span(row)]))

    def sources_of(self, row: int, rows: Codes) -> list[list[str]]:
        """Return, for each of some rows, the sources that know it as a partner of a row."""
        span = self._span(row)
        known: dict[int, list[str]] = {}
        for code, source in zip(self._partners[span].tolist(), self._source[span], strict=True):
            known.setdefault(code, []).append(self.sources[source])
        return [known.get(code, []) for code in self._codes[rows].tolist()]

    def _span(self, row: int) -> slice:
        code = self._codes[row]
        return slice(self._first[code], self._first[code + 1]) if code >= 0 else slice(0, 0)


def _coded_pairs(pairs: pd.DataFrame, names: "pd.Index[str]") -> Codes:
    """Return pairs as places among names (m, 2), of those whose names are both there."""
    ends = [names.get_indexer(pd.Index(pairs[end])) for end in ("entity1", "entity2")]
    coded = np.stack(ends, axis=1).astype(np.int64)
    return coded[(coded >= 0).all(axis=1)]

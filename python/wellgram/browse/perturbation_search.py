"""The search of the page: perturbations by what somebody types of their name, dose and type."""

from dataclasses import dataclass
from functools import reduce
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from wellgram.backends.protocol import Codes
from wellgram.label_rules.spellings import near_spellings
from wellgram.pairs import MapLookup

Mask = NDArray[np.bool_]

_ALIKE = 6
"""How many names spelled alike are told"""


@dataclass(frozen=True)
class Match:
    """One perturbation that a text may mean, with those of its rows that it may mean."""

    perturbation: str
    rows: Codes


@dataclass(frozen=True)
class Matches:
    """The likeliest of the perturbations that a text may mean, and how many there are."""

    total: int
    shown: list[Match]


@dataclass(frozen=True)
class Answer:
    """What a text means: rows, or perturbations to choose from, or names that are spelled alike."""

    rows: Codes
    matches: Matches
    alike: list[Match]


class PerturbationSearch:
    """The perturbations of a map, found by what somebody types.

    A text is looked for in the names of perturbations. If none holds it, its words are: each must
    be in the name, begin the dose, or begin the type, so ``0004 10`` is dose 10 of a compound
    whose name holds 0004. Case does not matter. Rows of one name, such as the doses of a compound,
    are one match.
    """

    def __init__(self, lookup: MapLookup) -> None:
        self._lookup = lookup
        labels = lookup.labels
        # Missing names are empty, and nothing that is typed is.
        names = labels["perturbation"].astype("str").fillna("")
        self._codes, unique = pd.factorize(names)
        self._names = [str(name) for name in unique]
        self._folded = pd.Series(self._names, dtype="str").str.casefold()
        self._dose_codes, doses = _coded(labels, "dose")
        self._doses = [f"{dose:g}" if isinstance(dose, Real) else str(dose) for dose in doses]
        self._type_codes, types = _coded(labels, "perturbation_type")
        self._types = [str(kind) for kind in types]
        order = np.argsort(self._codes, kind="stable")
        ends = np.cumsum(np.bincount(self._codes, minlength=len(self._names)))
        self._members = np.split(order, ends[:-1])
        self._by_name = {name: code for code, name in enumerate(self._names)}
        in_order = np.lexsort((unique.to_numpy(object), self._folded.str.len()))
        self._place = np.argsort(in_order)  # shorter names first, then the alphabet
        self._words = self._names_in_words()
        self._by_words = self._rows_by_words()

    def exact(self, text: str) -> Codes:
        """Return the rows that a text names: by name, dose and type, or by the name alone."""
        if (row := self._by_words.get(text, -1)) >= 0:
            return np.array([row])
        if text and (code := self._by_name.get(text, -1)) >= 0:
            return self._members[code]
        return np.empty(0, np.int64)

    def address(self, row: int) -> str | None:
        """Return the shortest text that names a row and no other, if there is one."""
        for text in (self._names[self._codes[row]], self._words[row]):
            named = self._by_words.get(text, -1)
            if named < 0 and text and (code := self._by_name.get(text, -1)) >= 0:
                members = self._members[code]
                named = members[0] if len(members) == 1 else -1
            if named == row:
                return text
        return None

    def words(self, row: int) -> str:
        """Return what a row is in words, as `MapLookup.name` does."""
        return self._words[row] if self._names[self._codes[row]] else self._lookup.name(row)

    def of_one_name(self, row: int, most: int) -> list[int]:
        """Return other rows of a row's name, such as the other doses of a compound."""
        code = self._codes[row]
        members = self._members[code].tolist() if self._names[code] else []
        return [other for other in members if other != row][:most]

    def matches(self, text: str, perturbation_type: str | None = None, most: int = 100) -> Matches:
        """Return what a text may mean, of one type or all, the likeliest first.

        Names that begin with the text come before those that hold it, shorter ones before longer
        ones, then the order of the alphabet.
        """
        wanted = text.strip().casefold()
        if not wanted:
            return Matches(0, [])
        allowed = self._of_type(perturbation_type)
        begun = self._folded.str.find(wanted).to_numpy()
        codes = np.flatnonzero(begun >= 0)
        if not len(codes):
            rows = self._of_each_word(wanted.replace(",", " ").split(), allowed)
            chosen = self._ranked(np.unique(self._codes[rows]))
            return Matches(len(chosen), [self._match(code, rows) for code in chosen[:most]])
        if not allowed.all():
            codes = codes[np.isin(codes, self._codes[allowed])]
        ranked = self._ranked(codes, begun[codes] > 0)[:most]
        return Matches(len(codes), [self._match(code) for code in ranked])

    def answer(self, text: str, perturbation_type: str | None = None) -> Answer:
        """Return what somebody means who typed all of a text."""
        nothing = np.empty(0, np.int64)
        wanted = text.strip()
        if not wanted:
            return Answer(nothing, Matches(0, []), [])
        folded = [self._members[code] for code in np.flatnonzero(self._folded == wanted.casefold())]
        for rows in (self.exact(text), self.exact(wanted), np.concatenate([nothing, *folded])):
            if len(rows):
                return Answer(rows, Matches(0, []), [])
        matches = self.matches(text, perturbation_type)
        if matches.total == 1:
            return Answer(matches.shown[0].rows, Matches(0, []), [])
        return Answer(nothing, matches, [] if matches.total else self._alike(wanted.casefold()))

    def _alike(self, wanted: str) -> list[Match]:
        """Return what is spelled like a text or its first word, then what begins as it does."""
        names = self._folded.tolist()
        texts = dict.fromkeys([wanted, *wanted.replace(",", " ").split()[:1]])
        codes = [code for text in texts for code in near_spellings(text, names, _ALIKE)]
        alike = [*map(self._match, codes), *self.matches(wanted[:3], most=_ALIKE).shown]
        return list({match.perturbation: match for match in alike}.values())[:_ALIKE]

    def _match(self, code: int, rows: Mask | None = None) -> Match:
        members = self._members[code]
        chosen = members if rows is None else members[rows[members]]
        return Match(self._names[code], chosen)

    def _of_each_word(self, words: list[str], allowed: Mask) -> Mask:
        """Return the rows that have every word in the name, dose or type, and one in the name."""
        if len(words) < 2:
            return np.zeros(len(allowed), np.bool_)
        in_name = [self._folded.str.contains(word, regex=False).to_numpy(bool) for word in words]
        doses = [_begun(self._doses, word) for word in words]
        types = [_begun(self._types, word) for word in words]
        rows = reduce(np.logical_and, (
            held[self._codes] | dose[self._dose_codes] | kind[self._type_codes]
            for held, dose, kind in zip(in_name, doses, types, strict=True)
        ), allowed)  # fmt: skip
        rows = rows & reduce(np.logical_or, in_name)[self._codes]
        whole_dose = reduce(np.logical_or, (_equal(self._doses, word) for word in words))
        at_dose = rows & whole_dose[self._dose_codes]
        return at_dose if at_dose.any() else rows

    def _ranked(self, codes: Codes, later: Mask | None = None) -> Codes:
        place = self._place[codes]
        return codes[np.argsort(place if later is None else place + len(self._place) * later)]

    def _of_type(self, perturbation_type: str | None) -> Mask:
        if perturbation_type is None:
            return np.ones(len(self._codes), np.bool_)
        chosen = [kind == perturbation_type for kind in self._types]
        return np.array([*chosen, False])[self._type_codes]

    def _names_in_words(self) -> list[str]:
        """Return the name, dose and type of every row."""
        doses = np.array([*(f", {dose}" for dose in self._doses), ""], object)
        types = np.array([*(f", {kind}" for kind in self._types), ""], object)
        names = np.array([*self._names, ""], object)[self._codes]
        words: list[str] = (names + doses[self._dose_codes] + types[self._type_codes]).tolist()
        return words

    def _rows_by_words(self) -> dict[str, int]:
        """Return the row of every name with dose and type; -1 where several rows have it."""
        rows: dict[str, int] = {}
        for row, text in enumerate(self._words):
            rows[text] = -1 if text in rows else row
        rows.pop("", None)
        return rows


def _coded(labels: pd.DataFrame, key: str) -> tuple[Codes, list[Any]]:
    """Return the code of each row's label, -1 where there is none, and the labels."""
    if key not in labels:
        return np.full(len(labels), -1, np.int64), []
    codes, values = pd.factorize(labels[key].to_numpy(object))
    return codes.astype(np.int64), list(values)


def _begun(labels: list[str], word: str) -> Mask:
    """Return which labels begin with a word, and that no label does: for code -1."""
    return np.array([*(label.casefold().startswith(word) for label in labels), False])


def _equal(labels: list[str], word: str) -> Mask:
    """Return which labels are a word, and that no label is: for code -1."""
    return np.array([*(label.casefold() == word for label in labels), False])

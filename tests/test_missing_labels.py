"""Labels that say nothing are missing in every type that a column can have."""

import numpy as np
import pandas as pd
import pytest

from wellgram.label_rules.missing_labels import MISSING_TEXTS, is_missing, without_missing

LABELS = ["TP53", "", "  ", "nan", " None", "NA", None, "NaCl", "none of them"]
MISSING = [False, True, True, True, True, True, True, False, False]


@pytest.mark.parametrize("dtype", ["object", "str", "string", "category"])
def test_every_text_type_has_the_same_rule(dtype: str) -> None:
    labels = pd.Series(LABELS, dtype=dtype)
    assert is_missing(labels).tolist() == MISSING
    assert without_missing(labels).isna().tolist() == MISSING
    assert without_missing(labels).dropna().tolist() == ["TP53", "NaCl", "none of them"]


@pytest.mark.parametrize("dtype", ["str", "string"])
def test_blanks_around_a_text_are_those_of_python(dtype: str) -> None:
    """Every character that Python strips, and some that it does not, before and after."""
    blanks = [chr(code) for code in range(0x3001) if not chr(code).strip()]
    others = ["\u200b", "\x00", "\x7f", "é", "\ufeff"]
    texts = [
        text
        for end in (*blanks, *others)
        for name in ("nan", "", "TP53", "a nan")
        for text in (end + name, name + end, end + name + end)
    ]
    expected = [text.strip() in MISSING_TEXTS for text in texts]
    assert len(blanks) > 20
    assert is_missing(pd.Series(texts, dtype=dtype)).tolist() == expected


def test_numbers_lists_and_booleans() -> None:
    assert is_missing(pd.Series([1.0, np.nan])).tolist() == [False, True]
    assert is_missing(pd.Series([True, False])).tolist() == [False, False]
    assert is_missing(pd.Series([1, None], dtype="Int64")).tolist() == [False, True]
    assert is_missing(pd.Series([["a"], None, "nan"])).tolist() == [False, True, True]
    assert is_missing(pd.Series([], dtype="str")).tolist() == []


def test_texts_are_those_that_pandas_takes_as_missing() -> None:
    from pandas._libs.parsers import STR_NA_VALUES

    assert set(STR_NA_VALUES) == MISSING_TEXTS

"""Tables as a notebook shows them: a line of words, then the first and the last rows."""

from html import escape

import pandas as pd

_MOST = 10
"""Rows that are shown; of more, the first and the last half of these"""
_COLUMNS = 12


def html_of(words: str, table: pd.DataFrame) -> str:
    """Return words and a table as HTML; texts of the table are shown and not obeyed."""
    shown = table.to_html(max_rows=_MOST, max_cols=_COLUMNS, border=0, show_dimensions=True)
    return f"<p>{escape(words)}</p>\n{shown}"


class ShownTable:
    """A result with a table, which a notebook shows below its first line of words."""

    @property
    def shown_table(self) -> pd.DataFrame:
        """What is shown: the table of the result."""
        table: pd.DataFrame = getattr(self, "table")  # noqa: B009 - a field of some results
        return table

    def _repr_html_(self) -> str:
        return html_of(repr(self).split("\n", 1)[0], self.shown_table)

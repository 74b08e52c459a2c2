"""How a backend on a card takes rows, and gives them back: see `Arrays`."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends.checks import as_rows, check_alike
from wellgram.backends.gpu.arrays import PACK, Foreign, Matrix
from wellgram.backends.gpu.card import Card
from wellgram.backends.gpu.interop import adopt, hand_back, lies_on_card
from wellgram.errors import InputError

CardRows = Matrix | NDArray[Any]
"""Rows on the card, or in main memory, from where they pass through the card"""


class CardArrays:
    """Rows stay where they lie; those of other libraries on the card are taken as they are."""

    def __init__(self, card: Card):
        self._card = card

    def rows(self, x: Any, name: str = "x") -> CardRows:
        """See `Arrays.rows`."""
        if isinstance(x, Matrix):
            return x
        if not lies_on_card(x, self._card.driver):
            return as_rows(x, name)
        return self._adopted(adopt(x, self._card.driver, name))

    def partner(self, y: Any, x: CardRows) -> CardRows:
        """See `Arrays.partner`."""
        rows = self.rows(y, "y")
        if isinstance(rows, Matrix) != isinstance(x, Matrix):
            here, there = ("x", "y") if isinstance(x, Matrix) else ("y", "x")
            raise InputError(
                f"{here} lies on the card and {there} in main memory; move one of them to the other"
            )
        check_alike(x.shape[1], x.dtype, rows.shape[1], rows.dtype)
        return rows

    def _adopted(self, given: Foreign) -> Matrix:
        card = self._card
        (n, d), (step, column_step) = given.shape, given.steps
        dtype = np.dtype(np.float64 if given.c_type == "double" else np.float32)
        pack = PACK // dtype.itemsize
        as_ours = given.c_type in ("float", "double") and column_step == 1
        if as_ours and d % pack == step % pack == given.address % PACK == 0 and step >= d:
            return Matrix(given.owner, given.address, n, d, step, dtype)
        laid = card.matrix(n, d, dtype)
        kernel = f"copy_rows<{given.c_type}, {laid.c_type}>"
        steps = (given.address, n, d, step, column_step)
        card.launch(kernel, n * laid.stride, *steps, laid, laid.stride)
        card.driver.mark().wait()  # the other library may let go of it now
        return laid

    def given_back(self, rows: CardRows, like: Any) -> Any:
        """See `Arrays.given_back`."""
        return hand_back(rows, self._card.driver, like) if isinstance(rows, Matrix) else rows

    def resident(self, x: Any) -> Any:
        """See `Arrays.resident`."""
        rows = self.rows(x) if lies_on_card(x, self._card.driver) else None
        return self._card.driver.give(rows) if isinstance(rows, Matrix) else None

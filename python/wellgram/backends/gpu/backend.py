"""A backend on a card: the primitives of all themes."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from wellgram.backends.gpu.arrays import Matrix
from wellgram.backends.gpu.card import Card
from wellgram.backends.gpu.comparisons import ComparisonPrimitives
from wellgram.backends.gpu.draws import DrawPrimitives
from wellgram.backends.gpu.driver import Driver
from wellgram.backends.gpu.groups import GroupPrimitives
from wellgram.backends.gpu.interop import lies_on_card
from wellgram.backends.gpu.products import products_of
from wellgram.backends.gpu.rows import RowPrimitives
from wellgram.backends.gpu.scan import PairPrimitives
from wellgram.backends.gpu.softmax import SoftmaxPrimitives


class GpuBackend(
    RowPrimitives,
    GroupPrimitives,
    SoftmaxPrimitives,
    DrawPrimitives,
    ComparisonPrimitives,
    PairPrimitives,
):
    """See `Backend`. The card is opened when it is first needed.

    `reason` says why it cannot run here, or None; `title` names the card; `open_driver` opens it.
    """

    def __init__(
        self,
        name: str,
        reason: Callable[[], str | None],
        title: Callable[[], str],
        open_driver: Callable[[], Driver],
    ):
        self.name, self._reason, self._title, self._open = name, reason, title, open_driver

    @cached_property
    def card(self) -> Card:  # type: ignore[override]  # the themes only read it
        """The card."""
        return Card(self._open())

    def why_not(self) -> str | None:
        """Return why it cannot run here, or None."""
        return self._reason()

    def resident(self, x: Any) -> Any:
        """Return x as rows of the card, if it lies there, else None: see `backends.resident`."""
        rows = self.card.rows(x) if lies_on_card(x, self.card.driver) else None
        return self.card.driver.give(rows) if isinstance(rows, Matrix) else None

    def describe(self) -> str:
        """Return the card, and how products are made on it."""
        return f"{self._title()}, {products_of(self.card)} products"

"""The kernels of a backend on a card: those of all themes."""

from collections.abc import Callable
from functools import cached_property

from wellgram.backends.gpu.card import Card
from wellgram.backends.gpu.card_arrays import CardArrays
from wellgram.backends.gpu.comparisons import ComparisonPrimitives
from wellgram.backends.gpu.draws import DrawPrimitives
from wellgram.backends.gpu.driver import Driver
from wellgram.backends.gpu.groups import GroupPrimitives
from wellgram.backends.gpu.products import products_of
from wellgram.backends.gpu.rows import RowPrimitives
from wellgram.backends.gpu.scan import PairPrimitives
from wellgram.backends.gpu.softmax import SoftmaxPrimitives


class CardKernels(
    RowPrimitives,
    GroupPrimitives,
    SoftmaxPrimitives,
    DrawPrimitives,
    ComparisonPrimitives,
    PairPrimitives,
):
    """See `Kernels`. The card is opened when it is first needed.

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

    @cached_property
    def arrays(self) -> CardArrays:
        """How it takes rows."""
        return CardArrays(self.card)

    def why_not(self) -> str | None:
        """Return why it cannot run here, or None."""
        return self._reason()

    def describe(self) -> str:
        """Return the card, and how products are made on it."""
        return f"{self._title()}, {products_of(self.card)} products"

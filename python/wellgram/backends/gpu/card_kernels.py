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
from wellgram.backends.gpu.screened_scan import screen_of
from wellgram.backends.gpu.softmax import SoftmaxPrimitives
from wellgram.backends.screen_choice import CARD_SCREENS
from wellgram.errors import BackendUnavailable


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
        """Return the card, the screen of passes, and how products are made on it."""
        screened = "" if self.screen() == "none" else f"screen {self.screen()}, "
        return f"{self._title()}, {screened}{products_of(self.card)} products"

    def screens(self) -> list[str]:
        """Return what screens passes can have: ``"none"`` and ``"int8"``."""
        return list(CARD_SCREENS)

    def screen(self) -> str:
        """Return the screen that serves passes where it pays; ``"none"`` where none does."""
        return screen_of(self.card)

    def use_screen(self, name: str | None) -> None:
        """Have passes use one of `screens` wherever they can; None: what pays on this card."""
        if name is not None and name not in CARD_SCREENS:
            known = ", ".join(CARD_SCREENS)
            raise BackendUnavailable(f"there is no screen {name!r} on a card; use one of {known}")
        self.card.screen = name

"""Rows one at a time, and affine maps of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends import reference
from wellgram.backends.gpu.arrays import Matrix
from wellgram.backends.gpu.card import ROWS, Card
from wellgram.backends.gpu.card_arrays import CardRows
from wellgram.backends.gpu.products import multiply_rows
from wellgram.backends.protocol import AffineMaps, Codes, Floats, Rows


class RowPrimitives:
    """The primitives that take rows one at a time."""

    card: Card

    def rows_of_columns(self, columns: list[NDArray[Any]]) -> Rows:
        """See `Kernels.rows_of_columns`; done in main memory, where columns lie."""
        return reference.rows_of_columns(columns)

    def row_faults(self, x: CardRows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """See `Kernels.row_faults`."""
        found = np.empty(len(x), np.uint8)
        for first, chunk in self.card.chunks(x):
            faults = self.card.vector(chunk.rows, np.uint8)
            self.card.launch(
                f"row_faults<{chunk.c_type}>",
                chunk.rows,
                *(chunk, chunk.rows, chunk.columns, chunk.stride, faults),
                each=ROWS,
            )
            found[first : first + chunk.rows] = self.card.read(faults)
        return found == 1, found == 2

    def unit_rows(self, x: CardRows) -> tuple[CardRows, Codes]:
        """See `Kernels.unit_rows`."""
        zero = np.empty(len(x), bool)
        out = None if isinstance(x, Matrix) else np.empty(x.shape, x.dtype)
        unit: Matrix | None = None
        for first, chunk in self.card.chunks(x):
            unit = self.card.matrix(chunk.rows, chunk.columns, chunk.dtype)
            flags = self.card.vector(chunk.rows, np.uint8)
            self.card.launch(
                f"unit_rows<{chunk.c_type}>",
                chunk.rows,
                *(chunk, chunk.rows, chunk.columns, chunk.stride, unit, unit.stride, flags),
                each=ROWS,
            )
            zero[first : first + chunk.rows] = self.card.read(flags)
            if out is not None:
                self.card.fetch(unit, out[first : first + chunk.rows])
        made = unit if out is None else out
        assert made is not None
        return made, np.flatnonzero(zero)

    def apply_affine(
        self, x: CardRows, codes: Codes, maps: AffineMaps, out: Rows | None
    ) -> CardRows:
        """See `Kernels.apply_affine`."""
        if isinstance(x, Matrix):
            return self._mapped(x, codes, maps)
        assert out is not None
        # Chunks are fetched before more is put, so out may be x itself.
        for first, chunk in self.card.chunks(x):
            part = slice(first, first + chunk.rows)
            self.card.fetch(self._mapped(chunk, codes[part], maps), out[part])
        return out

    def _mapped(self, x: Matrix, codes: Codes, maps: AffineMaps) -> Matrix:
        """Return the rows of x by the maps of their batches."""
        y = self.card.matrix(x.rows, maps.features, x.dtype)
        if not maps.features:
            return y
        parts = _Maps(self.card, maps)
        if maps.basis is None and not any(map(len, maps.gains)):
            self.card.launch(
                f"scale_rows<{x.c_type}>",
                x.rows,
                *(x, x.rows, x.columns, x.stride, parts.shift, parts.offsets, parts.scales),
                *(self.card.numbers(codes, np.int64), y, y.stride),
                each=ROWS,
            )
        else:
            self._in_steps(x, codes, parts, y)
        return y

    def _in_steps(self, x: Matrix, codes: Codes, maps: "_Maps", y: Matrix) -> None:
        """Map rows in the order of their batches, for each of which there are products."""
        card, c_type, k = self.card, x.c_type, y.columns
        order = np.argsort(codes, kind="stable")
        none, order = np.split(order, [int(np.searchsorted(codes[order], 0))])
        nowhere = (card.numbers(none, np.int64), len(none), k, y, y.stride)
        card.launch(f"no_rows<{c_type}>", len(none) * y.stride, *nowhere)
        n = len(order)
        if n == 0:
            return
        bounds = np.searchsorted(codes[order], np.arange(len(maps.whole.offset) + 1))
        index, batch = card.numbers(order, np.int64), card.numbers(codes[order], np.int64)
        basis = maps.whole.basis
        exact = maps.offsets.address if basis is None else 0
        z = card.matrix(n, x.columns, x.dtype)
        card.launch(
            f"centre_rows<{c_type}, {c_type}>",
            n * z.stride,
            *(x, x.stride, x.columns, index, n, maps.shift, exact, batch, z, z.stride),
        )
        if basis is not None:
            z = multiply_rows(card, z, card.lay(_rows(basis.T, x.dtype)))
            moved = (z, z.stride, n, k, maps.offsets, batch)
            card.launch(f"subtract_offsets<{c_type}>", n * k, *moved)
        added = card.matrix(n, k, x.dtype, zero=True)
        for b, (factor, gain) in enumerate(zip(maps.whole.factors, maps.whole.gains, strict=True)):
            first, last = int(bounds[b]), int(bounds[b + 1])
            if last == first or not len(gain):
                continue
            project = card.lay(_rows(factor.T, x.dtype))
            expand = card.lay(_rows(factor * gain, x.dtype))
            low = multiply_rows(card, z.cut(first, last), project)
            multiply_rows(card, low, expand, added.cut(first, last))
        card.launch(
            f"scale_and_add<{c_type}>",
            n * y.stride,
            *(z, z.stride, n, k, maps.scales, batch, added, index, y, y.stride),
        )


class _Maps:
    """Affine maps, what all batches need of them on the card."""

    def __init__(self, card: Card, maps: AffineMaps):
        self.whole = maps
        self.shift, self.offsets, self.scales = (
            card.numbers(part, np.float64) for part in (maps.shift, maps.offset, maps.scale)
        )


def _rows(part: Floats, dtype: Any) -> Rows:
    return np.ascontiguousarray(part, dtype)

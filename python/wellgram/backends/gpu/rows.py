"""Rows one at a time, and affine maps of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends import reference
from wellgram.backends.checks import as_codes, as_out, check_maps
from wellgram.backends.gpu.arrays import Matrix
from wellgram.backends.gpu.card import ROWS, Card, length
from wellgram.backends.gpu.exchange import hand_back
from wellgram.backends.gpu.products import multiply_rows
from wellgram.backends.protocol import AffineMaps, Codes, Floats, Rows


class RowPrimitives:
    """The primitives that take rows one at a time."""

    card: Card

    def rows_of_columns(self, columns: Sequence[NDArray[Any]]) -> Rows:
        """See `Backend.rows_of_columns`; done in main memory, where columns lie."""
        return reference.rows_of_columns(columns)

    def row_faults(self, x: Rows) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """See `Backend.row_faults`."""
        rows = self.card.rows(x)
        found = np.empty(length(rows), np.uint8)
        for first, block in self.card.blocks(rows):
            faults = self.card.vector(block.rows, np.uint8)
            self.card.launch(
                f"row_faults<{block.c_type}>",
                block.rows,
                *(block, block.rows, block.columns, block.stride, faults),
                each=ROWS,
            )
            found[first : first + block.rows] = self.card.read(faults)
        return found == 1, found == 2

    def unit_rows(self, x: Rows) -> tuple[Rows, Codes]:
        """See `Backend.unit_rows`."""
        rows = self.card.rows(x)
        zero = np.empty(length(rows), bool)
        out = None if isinstance(rows, Matrix) else np.empty(rows.shape, rows.dtype)
        unit: Matrix | None = None
        for first, block in self.card.blocks(rows):
            unit = self.card.matrix(block.rows, block.columns, block.dtype)
            flags = self.card.vector(block.rows, np.uint8)
            self.card.launch(
                f"unit_rows<{block.c_type}>",
                block.rows,
                *(block, block.rows, block.columns, block.stride, unit, unit.stride, flags),
                each=ROWS,
            )
            zero[first : first + block.rows] = self.card.read(flags)
            if out is not None:
                self.card.fetch(unit, out[first : first + block.rows])
        if out is None:
            assert unit is not None
            out = hand_back(unit, self.card.driver, x)
        return out, np.flatnonzero(zero)

    def apply_affine(
        self, x: Rows, codes: Codes, maps: AffineMaps, out: Rows | None = None
    ) -> Rows:
        """See `Backend.apply_affine`."""
        rows = self.card.rows(x)
        codes = as_codes(codes, length(rows), len(maps.offset))
        if isinstance(rows, Matrix):
            check_maps(np.empty((0, rows.columns), rows.dtype), maps)
            mapped: Rows = hand_back(self._mapped(rows, codes, maps), self.card.driver, x)
            return mapped
        check_maps(rows, maps)
        y = as_out(out, rows, maps)
        # Blocks are fetched before more is put, so y may be x itself.
        for first, block in self.card.blocks(rows):
            part = slice(first, first + block.rows)
            self.card.fetch(self._mapped(block, codes[part], maps), y[part])
        return y

    def _mapped(self, x: Matrix, codes: Codes, maps: AffineMaps) -> Matrix:
        """Return the rows of x by the maps of their batches: in the order of batches meanwhile."""
        card, c_type, k = self.card, x.c_type, maps.features
        y = card.lay(np.full((x.rows, k), np.nan, x.dtype))
        order = np.argsort(codes, kind="stable")
        order = order[codes[order] >= 0]
        bounds = np.searchsorted(codes[order], np.arange(len(maps.offset) + 1))
        n = len(order)
        if n == 0 or k == 0:
            return y
        index, batch = card.numbers(order, np.int64), card.numbers(codes[order], np.int64)
        offsets, scales = (card.numbers(part, np.float64) for part in (maps.offset, maps.scale))
        shift = card.numbers(maps.shift, np.float64)
        exact = offsets.address if maps.basis is None else 0
        z = card.matrix(n, x.columns, x.dtype)
        card.launch(
            f"centre_rows<{c_type}, {c_type}>",
            n * z.stride,
            *(x, x.stride, x.columns, index, n, shift, exact, batch, z, z.stride),
        )
        if maps.basis is not None:
            z = multiply_rows(card, z, card.lay(_rows(maps.basis.T, x.dtype)))
            card.launch(f"subtract_offsets<{c_type}>", n * k, z, z.stride, n, k, offsets, batch)
        added = card.matrix(n, k, x.dtype, zero=True)
        for b, (factor, gain) in enumerate(zip(maps.factors, maps.gains, strict=True)):
            first, last = int(bounds[b]), int(bounds[b + 1])
            if last == first or not len(gain):
                continue
            project = card.lay(_rows(factor.T, x.dtype))
            expand = card.lay(_rows(factor * gain, x.dtype))
            low = multiply_rows(card, z.block(first, last), project)
            multiply_rows(card, low, expand, added.block(first, last))
        card.launch(
            f"scale_and_add<{c_type}>",
            n * k,
            *(z, z.stride, n, k, scales, batch, added, index, y, y.stride),
        )
        return y


def _rows(part: Floats, dtype: Any) -> Rows:
    return np.ascontiguousarray(part, dtype)

"""The tiles of a pass: squares of the matrix of cosines, numbered, so that any range is a pass."""

from collections.abc import Iterator

import numpy as np

from wellgram.backends.consumers import Extent

TILE_ROWS = 2048
"""Rows and columns of a tile. The functions here are all that asks for it"""


def tile_count(extent: Extent) -> int:
    """Return the number of tiles of a pass: squares of 2,048 rows by 2,048 others.

    Numbered row by row; of a map against itself those on and above the diagonal.
    """
    rows, columns = tile_grid(extent)
    return Extent(rows, None if extent.symmetric else columns).pairs + rows * extent.symmetric


def tile_grid(extent: Extent) -> tuple[int, int]:
    """Return how many tiles high and wide a pass is, those below the diagonal counted too."""
    rows = -(-extent.rows // TILE_ROWS)
    return rows, rows if extent.columns is None else -(-extent.columns // TILE_ROWS)


def whole_tiles(rows: int) -> int:
    """Return the most rows up to so many that are whole tiles high, and those of one at least."""
    return max(1, rows // TILE_ROWS) * TILE_ROWS


def tile_areas(extent: Extent, start: int, stop: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the tiles from start to stop as few areas: rows top to bottom, columns left to right.

    Of a map against itself, an area counts above the diagonal only, so that one may hold any
    number of complete rows of tiles.
    """
    rows, columns = tile_grid(extent)
    last = extent.rows if extent.columns is None else extent.columns

    def area(top: int, bottom: int, left: int, right: int) -> tuple[int, int, int, int]:
        cut = np.minimum(np.array([top, bottom]) * TILE_ROWS, extent.rows).tolist()
        return *cut, left * TILE_ROWS, min(right * TILE_ROWS, last)

    tile, complete = 0, -1  # the first of a run of complete rows
    for row in range(rows):
        left = row if extent.symmetric else 0
        first, end = max(start, tile), min(stop, tile + columns - left)
        if end - first == columns - left:
            complete = row if complete < 0 else complete
        else:
            if complete >= 0:
                yield area(complete, row, complete if extent.symmetric else 0, columns)
                complete = -1
            if first < end:
                yield area(row, row + 1, left + first - tile, left + end - tile)
        tile += columns - left
    if complete >= 0:
        yield area(complete, rows, complete if extent.symmetric else 0, columns)

"""Products of rows: by our own kernel, or by a library's on tensor cores."""

import os
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast, get_args

import numpy as np

from wellgram.backends.gpu.arrays import Matrix, stride_of
from wellgram.backends.gpu.card import Card
from wellgram.backends.gpu.driver import Product, ProductKind
from wellgram.errors import InputError

TILE = (2048, 4096)
"""Rows and columns of our own tiles: 32 MiB of float32, so that one stays within the second-level
cache of a large card while consumers read it"""

LIBRARY_TILES: dict[ProductKind, tuple[int, int]] = {
    "bfloat16": (2048, 4096),  # made in less time than a smaller one takes to be asked for
    "tf32": (2048, 2048),
    "float32": (2048, 2048),
    "float64": (2048, 2048),
}
"""Those of a library, which makes cells below the diagonal too: the smaller, the fewer"""

EVERY_CELL = -(1 << 62)
"""A lag of columns behind rows that leaves out no cell"""

_SIDE = 128

Products = Literal["tf32x3", "matmul", "float32", "tf32"]
"""How products of float32 rows are made: on tensor cores with rows split into two parts, good to
float32; by a library in its own way; by our own fused multiply-adds, with the bits that processors
make them with; or on tensor cores with rows rounded to TF32, ten bits after the point. The default
is the first of which there is a library, else our own."""

_KINDS: dict[str, ProductKind] = {"tf32x3": "tf32", "matmul": "float32", "tf32": "tf32"}
"""What a library must be able to do for them"""


def multiply_rows(
    card: Card, a: Matrix, b: Matrix, out: Matrix | None = None, lag: int = EVERY_CELL
) -> Matrix:
    """Return the products of rows of a with rows of b, by our own kernel.

    Those of rows i and j > i + lag; others may be left out.
    """
    if out is None:
        out = card.matrix(a.rows, b.rows, _sum_type(a.dtype))
    card.launch(
        f"products<{a.c_type}>",
        -(-a.rows // _SIDE) * -(-b.rows // _SIDE),
        *(a, a.rows, a.stride, b, b.rows, b.stride, a.columns, out, out.stride, lag),
        each=1,
    )
    return out


@dataclass(frozen=True)
class Operand:
    """Rows made ready to be multiplied; `rows` of them are there, more may be laid."""

    matrix: Matrix
    rows: int


class Engine(Protocol):
    """A way to make tiles of products. A product has the same bits wherever in a tile it stands."""

    shape: tuple[int, int]
    """Rows and columns of a tile"""
    one_operand: bool
    """Whether rows are made ready in the same way for left and right"""

    def ready(self, x: Matrix, left: bool) -> Operand:
        """Return rows as a left or a right operand."""

    def factor(self, x: Matrix, left: bool) -> Operand:
        """Return rows as a factor of a `product`."""

    def product(self, x: Operand, y: Operand) -> Matrix:
        """Return the products of all rows of factors x with those of y, in no tiles."""

    def tile(self, x: Operand, y: Operand) -> Matrix:
        """Return what tiles of these rows are made in."""

    def multiply(
        self, x: Operand, i: int, y: Operand, j: int, tile: Matrix, lag: int = EVERY_CELL
    ) -> Matrix:
        """Make the tile whose first product is of rows i and j; return what of it there is.

        Of the cells of the tile, those a column lies further than `lag` behind a row are wanted.
        """


def products_of(card: Card) -> Products:
    """Return how float32 rows are multiplied: as ``WELLGRAM_PRODUCTS`` says, or the default.

    Raises
    ------
    InputError
        If it says none of the `Products`, or there is no library for it.
    """
    wanted = os.environ.get("WELLGRAM_PRODUCTS")
    if wanted is None:
        first = (p for p in ("tf32x3", "matmul") if card.driver.can_multiply(_KINDS[p]))
        return cast(Products, next(first, "float32"))
    if wanted not in get_args(Products):
        known = ", ".join(get_args(Products))
        raise InputError(f"WELLGRAM_PRODUCTS={wanted} is none of {known}")
    if wanted in _KINDS and not card.driver.can_multiply(_KINDS[wanted]):
        raise InputError(
            f"WELLGRAM_PRODUCTS={wanted} needs a library of products that is not here; for "
            "backend='cuda', pip install 'wellgram[cuda13]'"
        )
    return cast(Products, wanted)


def engine_of(card: Card, dtype: Any, bfloat16: bool) -> Engine:
    """Return the engine for rows of a type: a library's where there is one."""
    if bfloat16 or dtype != np.float32:
        kind: ProductKind = "bfloat16" if bfloat16 else "float64"
        there = card.driver.can_multiply(kind)
        return LibraryEngine(card, kind) if there else OwnEngine(card, bfloat16)
    wanted = products_of(card)
    if wanted == "float32":
        return OwnEngine(card, False)
    return LibraryEngine(card, _KINDS[wanted], split=wanted == "tf32x3")


def _round(card: Card, x: Matrix, out: Matrix) -> None:
    shape = (x, x.rows, x.columns, x.stride)
    card.launch("round_bfloat16", x.rows * out.stride, *shape, out, out.stride)


def _sum_type(dtype: "np.dtype[Any]") -> "np.dtype[Any]":
    """Return the type that products of rows are added up in."""
    if dtype == np.int8:
        return np.dtype(np.int32)
    return np.dtype(np.float32) if dtype == np.uint16 else dtype


class OwnEngine:
    """Our own kernel: chains of fused multiply-adds."""

    one_operand = True

    def __init__(self, card: Card, bfloat16: bool):
        self._card, self._bfloat16, self.shape = card, bfloat16, TILE

    def ready(self, x: Matrix, left: bool) -> Operand:
        """Return the rows, or their bfloat16."""
        if not self._bfloat16:
            return Operand(x, x.rows)
        bits = self._card.matrix(x.rows, x.columns, np.uint16)
        _round(self._card, x, bits)
        return Operand(bits, x.rows)

    def factor(self, x: Matrix, left: bool) -> Operand:
        """Return the rows, or their bfloat16."""
        return self.ready(x, left)

    def product(self, x: Operand, y: Operand) -> Matrix:
        """Return all products."""
        return multiply_rows(self._card, x.matrix, y.matrix)

    def tile(self, x: Operand, y: Operand) -> Matrix:
        """Return a tile no larger than they need."""
        rows, columns = min(self.shape[0], x.rows), min(self.shape[1], y.rows)
        return self._card.matrix(rows, columns, _sum_type(x.matrix.dtype))

    def multiply(
        self, x: Operand, i: int, y: Operand, j: int, tile: Matrix, lag: int = EVERY_CELL
    ) -> Matrix:
        """Make a tile of what rows there are."""
        made = _present(self.shape, x, i, y, j, tile)
        left, right = x.matrix.cut(i, i + made.rows), y.matrix.cut(j, j + made.columns)
        return multiply_rows(self._card, left, right, made, lag)


class LibraryEngine:
    """A library's products, of tiles of one shape, so that it makes them all in one way."""

    def __init__(self, card: Card, kind: ProductKind, split: bool = False):
        self._card, self._kind, self._split = card, kind, split
        self.shape, self.one_operand = LIBRARY_TILES[kind], not split

    def ready(self, x: Matrix, left: bool) -> Operand:
        """Return the rows in the type they are multiplied in, and rows of zeros to whole tiles."""
        return self._laid(x, left, -(-x.rows // max(self.shape)) * max(self.shape))

    def _laid(self, x: Matrix, left: bool, whole: int) -> Operand:
        card, bfloat16 = self._card, self._kind == "bfloat16"
        columns = 3 * x.columns if self._split else x.columns
        laid = card.matrix(whole, columns, np.uint16 if bfloat16 else x.dtype, zero=whole > x.rows)
        if bfloat16:
            _round(card, x, laid)
        elif self._split:
            card.launch(
                "split_tf32",
                x.rows * x.columns,
                *(x, x.rows, x.columns, x.stride, laid, laid.stride, int(left)),
            )
        else:
            steps = (x, x.rows, x.columns, x.stride, 1)
            kernel = f"copy_rows<{x.c_type}, {x.c_type}>"
            card.launch(kernel, x.rows * laid.stride, *steps, laid, laid.stride)
        return Operand(laid, x.rows)

    def factor(self, x: Matrix, left: bool) -> Operand:
        """Return rows in the type they are multiplied in; right ones to whole rows of products."""
        if not left:
            return self._laid(x, left, stride_of(x.rows, _sum_type(x.dtype)))
        as_they_are = self._kind != "bfloat16" and not self._split
        return Operand(x, x.rows) if as_they_are else self._laid(x, left, x.rows)

    def product(self, x: Operand, y: Operand) -> Matrix:
        """Return all products, by one call."""
        a, b = x.matrix, y.matrix
        out = self._card.matrix(x.rows, y.rows, _sum_type(a.dtype))
        self._multiply(a.cut(0, x.rows), b.cut(0, out.stride), out)
        return out

    def _multiply(self, a: Matrix, b: Matrix, out: Matrix) -> None:
        product = Product(
            *(a.rows, b.rows, a.columns, a.address, a.stride, b.address, b.stride),
            *(out.address, out.stride),
        )
        self._card.driver.multiply(self._kind, product)

    def tile(self, x: Operand, y: Operand) -> Matrix:
        """Return a whole tile."""
        return self._card.matrix(*self.shape, _sum_type(x.matrix.dtype))

    def multiply(
        self, x: Operand, i: int, y: Operand, j: int, tile: Matrix, lag: int = EVERY_CELL
    ) -> Matrix:
        """Make a whole tile."""
        a, b = x.matrix.cut(i, i + self.shape[0]), y.matrix.cut(j, j + self.shape[1])
        self._multiply(a, b, tile)
        return _present(self.shape, x, i, y, j, tile)


def _present(
    shape: tuple[int, int], x: Operand, i: int, y: Operand, j: int, tile: Matrix
) -> Matrix:
    """Return the part of a tile from rows i and j on for which there are rows."""
    rows, columns = min(shape[0], x.rows - i), min(shape[1], y.rows - j)
    return Matrix(tile.owner, tile.address, rows, columns, tile.stride, tile.dtype)

"""What a card must do for the primitives: give memory, copy, and launch kernels by name."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from wellgram.backends.gpu.arrays import Foreign, Matrix

ProductKind = Literal["float32", "tf32", "bfloat16", "float64", "int8"]
"""Products a library can make: of float32 rows as they are, or rounded to TF32; of bfloat16 rows;
of float64 rows; of int8 rows, in int32"""


class Memory(Protocol):
    """Memory of a card, given back with the last reference to it, after the work queued before."""

    @property
    def address(self) -> int:
        """Where it begins; a multiple of 256."""

    @property
    def nbytes(self) -> int:
        """Its size."""


class Mark(Protocol):
    """A place in the queue of a card's work."""

    def wait(self) -> None:
        """Return when the work before it is done."""

    def milliseconds_since(self, earlier: Any) -> float:
        """Return the time between an earlier mark and this one, both waited for."""


@dataclass(frozen=True)
class Product:
    """c (m, n) = a (m, d) b (n, d)': addresses, and strides in elements."""

    m: int
    n: int
    d: int
    a: int
    a_stride: int
    b: int
    b_stride: int
    c: int
    c_stride: int


class Driver(Protocol):
    """One card. Its work is queued and done in turn."""

    index: int
    """Its number among the cards"""
    array_types: tuple[int, ...]
    """The device types of its arrays in DLPack"""

    def allocate(self, nbytes: int) -> Memory:
        """Give memory, or raise MemoryError."""

    def free_memory(self) -> int:
        """Return how many bytes it can give."""

    def clear(self, address: int, nbytes: int) -> None:
        """Set bytes to zero."""

    def put(self, to: int, origin: NDArray[Any], apart: int, after: Mark) -> None:
        """Copy the rows of a matrix to where they are `apart` bytes apart, with zeros between.

        With `apart` 0 an array of any shape, contiguous. It waits for the mark alone, so it goes on
        beside the work that is queued; what is queued later finds it there.
        """

    def get(self, to: NDArray[Any], origin: int, apart: int) -> None:
        """Copy to a matrix, or an array, likewise; waits for all work that is queued."""

    def mark(self) -> Mark:
        """Mark this place of the queue."""

    def follow(self, stream: int) -> None:
        """Let what is queued from now on wait for the work of a stream, given by its handle."""

    def adopt(self, x: Any) -> Foreign:
        """Return what is known of an array that has ``__dlpack__``, when its work is waited for."""

    def give(self, matrix: Matrix) -> Any:
        """Return a matrix as an array for other libraries, when its work is done."""

    def launch(self, kernel: str, blocks: int, *arguments: float) -> None:
        """Queue a kernel: addresses and whole numbers as int, doubles as float."""

    def can_multiply(self, kind: ProductKind) -> bool:
        """Whether there is a library for products of this kind."""

    def multiply(self, kind: ProductKind, product: Product) -> None:
        """Queue a product by that library."""

"""Drivers of cards that differ from what is here."""

from wellgram.backends.cuda import CudaDriver
from wellgram.backends.gpu.products import EVERY_CELL

TYPES = {"bfloat16": "u16", "float64": "double", "int8": "s8"}


class WithLibrary(CudaDriver):
    """A card whose library of products is our own kernel; it counts those of each kind."""

    def __init__(self, index):
        super().__init__(index)
        self.kinds = []

    @property
    def made(self):
        """How many products it has made."""
        return len(self.kinds)

    def can_multiply(self, kind):
        return True

    def multiply(self, kind, product):
        p = product
        shape = (p.a, p.m, p.a_stride, p.b, p.n, p.b_stride, p.d, p.c, p.c_stride)
        self.launch(f"products<{TYPES.get(kind, 'float')}>", 512, *shape, EVERY_CELL)
        self.kinds.append(kind)

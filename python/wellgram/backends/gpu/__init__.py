"""The primitives on a card, over any driver: `backends.cuda` and `backends.cupy` are two.

A driver gives memory, copies and launches kernels by name (`driver`). What is here does the rest:
arrays on the card (`arrays`, `card`, `exchange`), the primitives by theme (`rows`, `groups`,
`draws`, `comparisons`, `scan`), and what a pass is made of: `products`, `tiles`, `consumers`.
The kernels are in `kernels/`, C++ that nvcc compiles into ``wellgram._cuda``, CuPy at run time,
and, for tests, a plain compiler for the processor.
"""

"""The primitives on a card, over any driver: `backends.cuda` and `backends.cupy` are two.

A driver gives memory, copies and launches kernels by name (`driver`). What is here does the rest:
arrays on the card (`arrays`, `card`), the primitives by theme (`rows`, `groups`, `draws`,
`rankings`, `scan`) and the consumers of a pass (`consumers`). The kernels are in `kernels/`, C++
that nvcc compiles into ``wellgram._cuda``, CuPy at run time, and, for tests, a plain compiler for
the processor.
"""

"""The accelerator: scripts on the public tools run unchanged, and faster, with the same numbers.

Functions of efaar_benchmarking, copairs, pycytominer and scikit-learn are replaced as these are
imported, in memory alone. Arguments that a replacement has not been verified for go to the
original. There are five doors::

    python -m wellgram.accel [-v] [--profile] script.py ...
    %load_ext wellgram.accel
    WELLGRAM_ACCEL=1 python script.py
    wellgram.accel.install()
    with wellgram.accel.accelerated(): ...

What it replaces is the table `registry.ENTRIES`; `docs/accelerator.md` says more.
"""

from wellgram.accel.declined import Declined, DifferenceError
from wellgram.accel.hook import accelerated, install, uninstall
from wellgram.accel.notebook import load_ipython_extension, unload_ipython_extension
from wellgram.accel.profiling import Profile, profile

__all__ = [
    "Declined",
    "DifferenceError",
    "Profile",
    "accelerated",
    "install",
    "load_ipython_extension",
    "profile",
    "uninstall",
    "unload_ipython_extension",
]

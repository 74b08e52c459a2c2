"""Screens with known truth, in the shapes of public ones."""

from wellgram.simulate.block_stack import BlockStack, block_stack
from wellgram.simulate.genome import genome
from wellgram.simulate.rxrx1 import SimulatedStudy, rxrx1
from wellgram.simulate.rxrx3_core import SimulatedScreen, rxrx3_core

__all__ = [
    "BlockStack",
    "SimulatedScreen",
    "SimulatedStudy",
    "block_stack",
    "genome",
    "rxrx1",
    "rxrx3_core",
]

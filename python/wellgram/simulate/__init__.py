"""Screens with planted truth, in the shapes of public ones."""

from wellgram.simulate.genome_screen import genome
from wellgram.simulate.rxrx1_study import SimulatedStudy, rxrx1
from wellgram.simulate.rxrx3_core_screen import SimulatedScreen, rxrx3_core
from wellgram.simulate.stack_of_blocks import BlockStack, block_stack

__all__ = [
    "BlockStack",
    "SimulatedScreen",
    "SimulatedStudy",
    "block_stack",
    "genome",
    "rxrx1",
    "rxrx3_core",
]

"""Graphs of neighbors: each row's nearest others, exactly, by any of several distances."""

from wellgram.graphs.measures import Metric
from wellgram.graphs.neighbor_graphs import NeighborGraph, neighbor_graph

__all__ = [
    "Metric",
    "NeighborGraph",
    "neighbor_graph",
]

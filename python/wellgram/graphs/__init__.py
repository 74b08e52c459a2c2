"""Graphs of neighbors: each row's nearest others, exactly, by any of several distances."""

from wellgram.graphs.measures import Metric
from wellgram.graphs.neighbor_graphs import NeighborGraph, neighbor_graph
from wellgram.graphs.neighbors_transformer import KNeighborsTransformer

__all__ = [
    "KNeighborsTransformer",
    "Metric",
    "NeighborGraph",
    "neighbor_graph",
]

"""The nearest rows of each, by all distances in float64: what a graph of neighbors must equal."""

import numpy as np


def all_distances(x, metric, others=None):
    """(n, m), from differences; 1 less a cosine is half the square of that of rows of length 1."""
    left, right = (_directed(rows, metric) for rows in (x, x if others is None else others))
    squares = np.array([np.square(right - row).sum(axis=1) for row in left])
    return np.sqrt(squares) if metric == "euclidean" else squares / 2


def nearest_by_sorting(x, k, metric, groups=None):
    """Row numbers and distances (n, k) of the nearest others, smaller row numbers first."""
    distances = all_distances(x, metric)
    own = np.arange(len(x)) if groups is None else np.asarray(groups)
    distances[own[:, None] == own] = np.inf
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return order, np.take_along_axis(distances, order, axis=1)


def _directed(rows, metric):
    rows = np.asarray(rows, np.float64)
    if metric == "euclidean":
        return rows
    if metric == "correlation":
        rows = rows - rows.mean(axis=1, keepdims=True)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)

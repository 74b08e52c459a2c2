"""Rows that are hard for products of low precision: kind -> rows of so many features."""

import numpy as np


def _near_copies(rng, n, d):
    """Rows that are equal but for one unit in the last place of each value."""
    away = np.where(rng.random((n, d)) < 0.5, 9, -9).astype(np.float32)
    return np.nextafter(np.tile(rng.standard_normal(d, np.float32), (n, 1)), away)


def _one_sided(rng, n, d):
    """Values whose rounding takes away nearly half a unit of 16 bits, always to the same side."""
    steps = rng.integers(1, 40, (n, d)) + 0.49
    return steps.astype(np.float32)


def _one_hot(rng, n, d):
    x = np.zeros((n, d), np.float32)
    x[np.arange(n), rng.integers(0, d, n)] = 1
    return x


def _giant_feature(rng, n, d):
    x = rng.standard_normal((n, d), np.float32)
    x[::3, 0] *= 500
    return x


KINDS = {
    "normal": lambda rng, n, d: rng.standard_normal((n, d), np.float32),
    "shared": lambda rng, n, d: rng.standard_normal((n, d), np.float32) + np.float32(2),
    "twice": lambda rng, n, d: np.repeat(rng.standard_normal((n, d), np.float32), 2, axis=0)[:n],
    "near copies": _near_copies,
    "one-sided": _one_sided,
    "heavy tails": lambda rng, n, d: rng.standard_cauchy((n, d)).astype(np.float32),
    "giant feature": _giant_feature,
    "one-hot": _one_hot,
}

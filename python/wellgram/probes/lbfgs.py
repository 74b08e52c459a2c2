"""Minimise a smooth convex function: L-BFGS (Liu and Nocedal 1989) with a diagonal metric."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from wellgram.backends.protocol import Floats

_MEMORY = 10
"""How many steps the curvature is remembered of"""
_DECREASE, _CURVATURE = 1e-4, 0.9
_TRIES = 30

Evaluate = Callable[[Floats], tuple[float, Floats]]


@dataclass(frozen=True)
class Minimum:
    """Where a search stands: the point, the value there, and how it came to it."""

    point: Floats
    value: float
    expected: float
    """By how much the value is expected to fall yet, from the curvature met"""
    iterations: int
    evaluations: int


def minimize(
    evaluate: Evaluate,
    start: Floats,
    metric: Floats,
    *,
    tolerance: float,
    iterations: int,
    noise: float,
    stop: Callable[[Minimum], bool] | None = None,
) -> Minimum:
    """Return the least value of a function and where it is.

    A step is tried whole, and its length halved or doubled until it meets the weak Wolfe
    conditions (Lewis and Overton 2013), which is seldom needed where the metric fits.

    Parameters
    ----------
    evaluate
        Returns value and gradient at a point of any shape, in float64.
    start
        Where the search begins.
    metric
        Of the shape of a point: about the inverse of the second derivatives, up to a common factor.
    tolerance
        It ends where the value is expected to fall by less than this share of itself.
    iterations
        It ends after so many steps.
    noise
        The share of the value that rounding moves it by: a rise of no more is none.
    stop
        Told of every step; ends the search by returning true.
    """
    point = start
    value, gradient = evaluate(point)
    steps: deque[tuple[Floats, Floats, float]] = deque(maxlen=_MEMORY)
    evaluations = 1
    found = Minimum(point, value, np.inf, 0, evaluations)
    for iteration in range(1, iterations + 1):
        direction = _direction(gradient, steps, metric)
        slope = float(np.vdot(gradient, direction))
        if -slope / 2 <= tolerance * abs(value):
            return Minimum(point, value, -slope / 2, iteration - 1, evaluations)
        low, high, length = 0.0, np.inf, 1.0
        for _ in range(_TRIES):
            moved = point + length * direction
            new_value, new_gradient = evaluate(moved)
            evaluations += 1
            if new_value > value + _DECREASE * length * slope + noise * abs(value):
                high = length
            elif np.vdot(new_gradient, direction) < _CURVATURE * slope:
                low = length
            else:
                break
            length = (low + high) / 2 if np.isfinite(high) else 2 * length
        else:  # no step is a step down: rounding is all that is left
            return Minimum(point, value, -slope / 2, iteration - 1, evaluations)
        step, change = moved - point, new_gradient - gradient
        curvature = float(np.vdot(step, change))
        if curvature > 0:
            steps.append((step, change, curvature))
        point, value, gradient = moved, new_value, new_gradient
        found = Minimum(point, value, -slope / 2, iteration, evaluations)
        if stop is not None and stop(found):
            return found
    return found


def _direction(
    gradient: Floats, steps: deque[tuple[Floats, Floats, float]], metric: Floats
) -> Floats:
    """Return minus the gradient by the inverse curvature: the two loops of L-BFGS."""
    q = -gradient
    weights = []
    for step, change, curvature in reversed(steps):
        weight = float(np.vdot(step, q)) / curvature
        q -= weight * change
        weights.append(weight)
    if steps:
        _, change, curvature = steps[-1]
        q *= curvature / float(np.vdot(change, metric * change))
    q *= metric
    for (step, change, curvature), weight in zip(steps, reversed(weights), strict=True):
        q += (weight - float(np.vdot(change, q)) / curvature) * step
    return q

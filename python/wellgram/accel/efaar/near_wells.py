"""Wells that are nearer to each other than a library tells apart."""

import numpy as np
from numpy.typing import NDArray

from wellgram.accel.declined import Declined
from wellgram.backends.protocol import Codes

_DIRECTIONS = 3
_MOST = 1000
"""Wells with a near one that are compared, all with all"""


def check_apart(rows: NDArray[np.floating], code: Codes, drawn: Codes, distance: float) -> None:
    """Decline if two wells of a group, or a drawn one and any other, are not `distance` apart.

    Wells that are near are near in a few directions too. A tree finds the nearest well in these.
    """
    from scipy.spatial import KDTree

    rng = np.random.default_rng(0)
    axes, _ = np.linalg.qr(rng.normal(size=(rows.shape[1], _DIRECTIONS)))
    # Directions of float32 rows are as long as their type rounds them to.
    reach = 2 * distance + 8 * np.finfo(rows.dtype).eps * float(np.abs(rows).max())
    shadows = rows @ axes.astype(rows.dtype)
    away, _ = KDTree(shadows).query(shadows, k=2, distance_upper_bound=reach)
    near = np.flatnonzero(away[:, 1] < reach)
    if len(near) > _MOST:
        raise Declined("many wells are too near to others")
    wide = rows[near].astype(np.float64)
    is_drawn = np.isin(near, drawn)
    for k in range(len(near)):
        others = np.linalg.norm(wide[k + 1 :] - wide[k], axis=1) < 2 * distance
        alike = (code[near[k + 1 :]] == code[near[k]]) | is_drawn[k] | is_drawn[k + 1 :]
        if (others & alike).any():
            raise Declined("two wells are nearer than geomloss tells apart")

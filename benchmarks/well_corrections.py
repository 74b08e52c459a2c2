"""Well-position correction and cell-count regression beside the recipe's way, and the residuals.

Run ``python benchmarks/well_corrections.py [--profiles 20000] [--features 500]``. Their way is that
of the jump-profiling-recipe, written out: pandas for the means of addresses, and a fit of
statsmodels (``pip install statsmodels``) for each feature. A tenth of these fits is timed.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

import wellgram as wg

REPEATS = 3


def fastest(call: Callable[[], np.ndarray]) -> tuple[float, np.ndarray]:
    """Return the least seconds of a few calls, and what they return."""
    took = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        result = call()
        took.append(time.perf_counter() - began)
    return min(took), result


def by_pandas(x: np.ndarray, addresses: np.ndarray) -> np.ndarray:
    """Subtract the means of addresses."""
    frame = pd.DataFrame(x)
    return frame.sub(frame.groupby(addresses).transform("mean")).to_numpy()


def by_statsmodels(x: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Fit each feature on its own."""
    from statsmodels.formula.api import ols

    frame = pd.DataFrame(x, columns=[f"f{k}" for k in range(x.shape[1])]).assign(count=counts)
    return np.stack([ols(f"f{k} ~ count", frame).fit().resid for k in range(x.shape[1])], axis=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profiles", type=int, default=20_000)
    parser.add_argument("--features", type=int, default=500)
    options = parser.parse_args()
    n, d = options.profiles, options.features
    rng = np.random.default_rng(0)
    counts = rng.integers(100, 4000, size=n)
    x = rng.normal(size=(n, d)) + np.outer(counts, rng.normal(size=d)) / 1000
    wells = wg.Wells.from_arrays(x, rng.integers(500, size=n).astype(str))
    addresses = np.array([f"{k:03}" for k in np.arange(n) % 384])
    wells.metadata["Metadata_Well"], wells.metadata["cell_count"] = addresses, counts
    mine, ours = fastest(lambda: wg.WellPosition().fit_transform(wells))
    other, theirs = fastest(lambda: by_pandas(x, addresses))
    print(f"well-position: {mine:.3f} s; pandas {other:.3f} s = {other / mine:.1f} x; "
          f"differ by {np.abs(ours - theirs).max():.1g}")  # fmt: skip
    mine, ours = fastest(lambda: wg.CovariateRegression().fit_transform(wells))
    some = max(d // 10, 1)
    began = time.perf_counter()
    theirs = by_statsmodels(x[:, :some], counts)
    other = (time.perf_counter() - began) * d / some
    print(f"cell-count: {mine:.3f} s; statsmodels {other:.1f} s = {other / mine:.0f} x; "
          f"differ by {np.abs(ours[:, :some] - theirs).max():.1g}")  # fmt: skip


if __name__ == "__main__":
    main()

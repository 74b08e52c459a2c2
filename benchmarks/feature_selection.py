"""FeatureSelect beside pycytominer's feature_select: seconds of each operation, and the columns.

Run ``python benchmarks/feature_selection.py [--profiles 20000] [--features 500] [--repeats 3]``
with ``pip install pycytominer==1.7.1``. Features come in groups that share a cause, as areas,
perimeters and radii of cells do; the larger the groups, the more pairs correlate. pycytominer looks
at each such pair in a loop. Both sides run in one process, in turn; times are medians.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd

import wellgram as wg

RECIPE = ["variance_threshold", "correlation_threshold", "drop_na_columns", "blocklist"]
WHOLE = ["variance_threshold", "frequency_threshold", *RECIPE[1:], "drop_outliers"]


def profiles(n: int, d: int, group: int) -> pd.DataFrame:
    """Return profiles whose features share causes in groups of that size."""
    rng = np.random.default_rng(0)
    causes = rng.normal(size=(n, -(-d // group)))
    x = np.repeat(causes, group, axis=1)[:, :d]
    x += rng.uniform(0.1, 0.5, size=d) * rng.normal(size=(n, d))
    return pd.DataFrame(x, columns=[f"Cells_F{k}" for k in range(d)])


def seconds(call: Callable[[], object], repeats: int) -> float:
    """Return the median seconds of a call."""
    took = []
    for _ in range(repeats):
        began = time.perf_counter()
        call()
        took.append(time.perf_counter() - began)
    return statistics.median(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profiles", type=int, default=20_000)
    parser.add_argument("--features", type=int, default=500)
    parser.add_argument("--groups", type=int, nargs="*", default=[5, 25, 125])
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    from pycytominer import feature_select

    warnings.simplefilter("ignore")
    for group in options.groups:
        table = profiles(options.profiles, options.features, group)
        pairs = int((np.tril(np.corrcoef(table.T.to_numpy()), -1) > 0.9).sum())
        print(f"groups of {group}: {pairs:,} pairs of features correlate above 0.9")
        for operations in [*([name] for name in RECIPE[:2]), RECIPE, WHOLE]:
            align = wg.FeatureSelect(operations).fit(table)
            names = list(table.columns)
            theirs = feature_select(table, features=names, operation=operations)
            same = align.get_feature_names_out().tolist() == theirs.columns.tolist()
            mine = seconds(lambda: align.fit(table), options.repeats)  # noqa: B023 - called now
            other = seconds(
                lambda: feature_select(table, features=names, operation=operations),  # noqa: B023
                options.repeats,
            )
            print(
                f"  {other / mine:5.1f} x  {mine:6.3f} s  {other:6.2f} s  "
                f"{theirs.shape[1]} columns, {'the same' if same else 'OTHERS'}: "
                f"{', '.join(operations)}",
                flush=True,
            )


if __name__ == "__main__":
    main()

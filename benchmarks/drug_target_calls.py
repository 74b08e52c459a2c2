"""The hundred calls of the notebook of RxRx3-core: drug targets, plain and accelerated.

Run ``PYTHONPATH=CHECKOUT python benchmarks/drug_target_calls.py``, where CHECKOUT is a checkout of
efaar_benchmarking with ``compound_gene_benchmark``, which no release has. The map is of the size of
RxRx3-core: 1,674 compounds at 8 doses and 735 genes. Plain calls are made for a few seeds, and take
as long as all others; accelerated ones for all, the first of which is compared with the original.
"""

import argparse
import resource
import warnings
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np
import pandas as pd

from peers import efaar

COMPOUNDS, GENES = 1674, 735


def a_map(truth: pd.DataFrame, doses: list[float], features: int) -> Any:
    """Return a map that has all compounds and genes of the known targets, and others."""
    from sklearn.utils import Bunch

    compounds = [*truth["treatment"].unique(), *(f"compound {k}" for k in range(COMPOUNDS))]
    genes = [*truth["gene_symbol"].unique(), *(f"gene {k}" for k in range(GENES))]
    at_doses = pd.MultiIndex.from_product([compounds[:COMPOUNDS], doses]).to_frame(False)
    metadata = pd.concat(
        [
            at_doses.set_axis(["perturbation", "concentration"], axis=1),
            pd.DataFrame({"perturbation": genes[:GENES], "concentration": np.nan}),
        ],
        ignore_index=True,
    )
    rows = np.random.default_rng(0).normal(size=(len(metadata), features))
    return Bunch(metadata=metadata, features=pd.DataFrame(rows))


def seconds(benchmarking: Any, map_: Any, seed: int) -> tuple[float, pd.DataFrame]:
    """Return how long a call takes, and its table."""
    config = benchmarking.BenchmarkConfig(random_seed=seed, quantiles=[0.5, 0.75, 0.95])
    began = perf_counter()
    table = benchmarking.compound_gene_benchmark(map_, config=config)
    return perf_counter() - began, table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=100)
    parser.add_argument("--plain", type=int, default=3)
    parser.add_argument("--features", type=int, default=384)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    import wellgram.accel

    benchmarking = efaar("benchmarking")
    truth = benchmarking.load_truth_data(benchmarking.cst.BENCHMARK_DATA_DIR)
    map_ = a_map(truth, benchmarking.cst.COMPOUND_CONCENTRATIONS, options.features)
    plain = [seconds(benchmarking, map_, seed) for seed in range(options.plain)]
    with wellgram.accel.accelerated():
        ours = [seconds(benchmarking, map_, seed) for seed in range(options.calls)]
    for (_, theirs), (_, table) in zip(plain, ours, strict=False):
        pd.testing.assert_frame_equal(table, theirs, rtol=1e-5, atol=1e-5)
    theirs = median(time for time, _ in plain)
    total = sum(time for time, _ in ours)
    print(f"plain: {theirs:.2f} s a call (median of {options.plain})")
    print(f"accelerated: {ours[0][0]:.2f} s the first, which is compared, "
          f"{median(time for time, _ in ours[1:]):.3f} s another")  # fmt: skip
    print(f"{options.calls} calls: {theirs * options.calls / total:.0f} times faster")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GB")


if __name__ == "__main__":
    main()

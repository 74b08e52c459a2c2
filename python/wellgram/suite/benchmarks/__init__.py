"""The benchmarks of a screen: one file for each, and beside it how its findings are shown."""

from wellgram.suite.benchmarks.batches_benchmark import BATCH_EFFECTS
from wellgram.suite.benchmarks.consistency_benchmark import CONSISTENCY
from wellgram.suite.benchmarks.magnitude_benchmark import MAGNITUDE
from wellgram.suite.benchmarks.precision_benchmark import AVERAGE_PRECISION
from wellgram.suite.benchmarks.projection_benchmark import PROJECTION
from wellgram.suite.benchmarks.recall_benchmark import RECALL
from wellgram.suite.benchmarks.separation_benchmark import GENE_SET_SEPARATION
from wellgram.suite.benchmarks.similarity_benchmark import GENE_SET_SIMILARITY
from wellgram.suite.benchmarks.targets_benchmark import DRUG_TARGETS
from wellgram.suite.contract import Benchmark

BENCHMARKS: dict[str, Benchmark] = {
    benchmark.name: benchmark
    for benchmark in (
        RECALL,
        DRUG_TARGETS,
        GENE_SET_SEPARATION,
        CONSISTENCY,
        MAGNITUDE,
        AVERAGE_PRECISION,
        GENE_SET_SIMILARITY,
        PROJECTION,
        BATCH_EFFECTS,
    )
}
"""The registry, in the order of the report: by the name on the command line."""

"""What benchmarks of wells take: the stages of a plan beyond the map."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from wellgram.studies.machine_rates import Rates

_CONSISTENCY_DRAWS, _MAGNITUDE_DRAWS, _RANKINGS = 10_000, 1_000, 10_000
_MOST_CONTROLS = 1_000
_NEIGHBORS, _CANDIDATE_BYTES = 15, 1_200
"""Of a well in a graph, and what a pass keeps of it"""
_BASE = 250e6

Stage = tuple[float, float, float, float, float]
"""Seconds, bytes read, bytes moved, memory of the client, memory of a worker"""


@dataclass(frozen=True)
class ScreenSizes:
    """A screen, and what it is worked on by."""

    wells: int
    features: int
    perturbations: int
    batches: int
    controls: float
    """How many wells are controls"""
    itemsize: int
    threads: int
    machines: int
    kinds: int
    """Of random sets: numbers of wells by batch"""

    @property
    def workers(self) -> int:
        """How many threads are at work."""
        return self.threads * max(1, self.machines)

    @property
    def set_wells(self) -> float:
        """How many wells a perturbation has."""
        return max(1.0, (self.wells - self.controls) / self.perturbations)

    @property
    def rows_bytes(self) -> float:
        """The bytes of the aligned wells, which are held for these benchmarks."""
        return float(self.wells) * self.features * self.itemsize

    def stage(self, shared: float, alone: float, network: float, held: float = 0.0) -> Stage:
        """Return a stage of so many seconds of one thread, shared by all or by one machine's."""
        cluster = self.machines > 0
        moved = self.rows_bytes * self.machines
        seconds = shared / self.workers + alone / self.threads
        seconds += self.rows_bytes * cluster / network
        memory = _BASE + self.rows_bytes + held
        return seconds, 0.0, moved, memory, memory * cluster


def _consistency(sizes: ScreenSizes, rate: Rates) -> Stage:
    drawn = _CONSISTENCY_DRAWS * sizes.kinds * sizes.set_wells * sizes.features
    return sizes.stage(drawn / rate.draws, 0, rate.network)


def _magnitude(sizes: ScreenSizes, rate: Rates) -> Stage:
    to_controls = sizes.wells * min(_MOST_CONTROLS, sizes.controls)
    within = _MAGNITUDE_DRAWS * sizes.kinds * sizes.set_wells**2 / 2
    return sizes.stage((to_controls + within) * sizes.features / rate.distances, 0, rate.network)


def _average_precision(sizes: ScreenSizes, rate: Rates) -> Stage:
    ranked = sizes.wells * (sizes.controls / sizes.batches + sizes.set_wells) * sizes.features
    rankings = _RANKINGS * sizes.perturbations * sizes.set_wells
    return sizes.stage(ranked / rate.products + rankings / rate.draws, 0, rate.network)


def _neighbor_graph(sizes: ScreenSizes, rate: Rates) -> Stage:
    pairs = float(sizes.wells) ** 2 * sizes.features / rate.products
    candidates = (_NEIGHBORS + 1) * sizes.wells * sizes.features / rate.distances
    return sizes.stage(pairs, candidates, rate.network, sizes.wells * _CANDIDATE_BYTES)


STAGES: Mapping[str, Callable[[ScreenSizes, Rates], Stage]] = {
    "consistency": _consistency,
    "magnitude": _magnitude,
    "average_precision": _average_precision,
    "neighbor_graph": _neighbor_graph,
}
"""By the name of the benchmark; recall and the neighbors of a map are the stage of its pairs"""

"""What a screen takes on so many machines: bytes moved, memory and time, before any of it is run.

Arithmetic on the sizes of a screen and on rates of a machine (`machine_rates`); it knows nothing of
Dask.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from wellgram.distributed.merge_tree import FAN_IN
from wellgram.errors import InputError
from wellgram.studies.benchmark_stages import STAGES, ScreenSizes
from wellgram.studies.machine_rates import Rates

_PART = 1 << 27
"""Bytes of embeddings that a worker reads at a time"""
_PARTS_HELD = 3
"""Parts in memory at a time: one decoded, the next under way, and what Arrow reads them from"""
_LABEL_BYTES = 420
"""Memory of a well's labels while they are read and joined"""
_SENT_BYTES = 40
"""What goes to a worker with each well: which it is, its cell, its batch and its name"""
_BASE = 250e6
"""Memory of a process that has loaded everything"""


@dataclass(frozen=True)
class Plan:
    """What each stage takes.

    Columns of `table`: ``stage``; ``seconds``; ``bytes_read`` and ``bytes_moved``, over all
    machines; ``client_memory`` and ``worker_memory``, in bytes, of one process each. A row for each
    stage, and ``whole``: the sums, and the most memory.
    """

    table: pd.DataFrame

    @property
    def seconds(self) -> float:
        """How long all of it takes."""
        return float(self.table["seconds"].iloc[-1])

    @property
    def memory(self) -> float:
        """The most bytes that the client holds, which is all there is where it works alone."""
        return float(self.table["client_memory"].iloc[-1])

    def __repr__(self) -> str:
        shown = self.table.assign(seconds=self.table["seconds"].round(1))
        for column in self.table.columns[2:]:
            shown[column] = (self.table[column] / 1e9).map("{:,.2f} GB".format)
        return shown.to_string(index=False)


def plan(
    wells: int,
    features: int,
    perturbations: int,
    *,
    batches: int = 1,
    controls: float = 1 / 8,
    machines: int = 0,
    threads: int = 2,
    neighbors: int = 25,
    itemsize: int = 4,
    benchmarks: Sequence[str] = (),
    kinds: int | None = None,
    rates: Rates | None = None,
) -> Plan:
    """Predict what a map with TVN, its quantiles and its neighbours take, and more benchmarks.

    Parameters
    ----------
    wells, features
        Of the screen: n wells of d features.
    perturbations
        Rows p of the map.
    batches, controls
        How many batches, and which share of the wells are controls.
    machines
        Machines with a worker each; 0: no cluster, this process alone.
    threads
        Of each machine, which the kernels of its worker use.
    neighbors
        How many of the most and of the least similar each row gets; 0: none are looked for.
    itemsize
        Bytes of a value: 4 for float32.
    benchmarks
        Stages beyond the map: ``consistency``, ``magnitude``, ``average_precision`` and
        ``neighbor_graph``, of the wells.
    kinds
        How many kinds of random sets there are: numbers of wells by batch that a perturbation has.
        By default four for each batch, as RxRx3-core has them, and no more than perturbations.
    rates
        Of one thread, as ``benchmarks/plan.py`` or `wellgram.studies.measured_rates` measures them.

    Returns
    -------
    Plan
        By these formulas, T the threads at work, all in the rates of one thread::

            labels     n / labels
            pass       n d itemsize / (read T) + 2 c n d^2 / (scatter T) + moved / network
            alignment  (b + 1) d^3 / (decompose t), t the threads of one machine
            pairs      2 p^2 d / (products T) + moved / network
            consistency        10,000 kinds k d / (draws T)
            magnitude          (1,000 n + 1,000 kinds k^2 / 2) d / (distances T)
            average_precision  n (c n / b + k) d / (products T) + 10,000 p k / draws
            neighbor_graph     n^2 d / (products T) + 16 n d / (distances t) + moved / network

        with two passes over pairs, or one without neighbours, and k wells of each perturbation. Of
        magnitude, controls are at most 1,000. Moved are each well's labels, to the
        workers; sums (8 p d) and moments (8 b min(c n / b, d) d) on their way up a tree that puts
        eight together; the map, to each machine, by way of the scheduler and then from one to the
        next; and states of neighbours.

    Raises
    ------
    InputError
        If a number is not positive, or there is no benchmark of a name.
    """
    unknown = [name for name in benchmarks if name not in STAGES]
    if unknown:
        known = ", ".join(map(repr, STAGES))
        raise InputError(f"unknown benchmark {unknown[0]!r}; choose of {known} (benchmarks=)")
    sizes = {"wells": wells, "features": features, "perturbations": perturbations}
    if kinds is not None:
        sizes["kinds"] = kinds
    for name, value in {**sizes, "batches": batches, "threads": threads}.items():
        if value < 1:
            raise InputError(f"{name} must be 1 or more, not {value}")
    rate = rates or Rates()
    cluster = machines > 0
    workers = threads * max(1, machines)
    size = wells * features * itemsize
    held = controls * wells
    sums = 8 * perturbations * features
    moments = 8 * batches * min(held / batches, features) * features
    labels = _BASE + wells * _LABEL_BYTES
    levels, parts = 1, max(1, size // _PART)
    while parts > FAN_IN:
        levels, parts = levels + 1, parts // FAN_IN
    reading = _PARTS_HELD * _PART
    moved = (levels * (sums + moments) + wells * _SENT_BYTES) * cluster
    # What comes up the tree is put together by the last worker, then taken over by the client.
    own = sums + moments
    stages: list[tuple[str, float, float, float, float, float]] = [
        ("labels", wells / rate.labels, 0, 0, labels, 0),
        (
            "pass over wells",
            size / (rate.read * workers)
            + 2 * held * features**2 / (rate.scatter * workers)
            + moved / rate.network,
            size,
            moved,
            _BASE + wells * _LABEL_BYTES / 3 + own + (own if cluster else reading),
            _BASE + reading + 2 * own if cluster else 0,
        ),
        (
            "alignment",
            (batches + 1) * features**3 / (rate.decompose * threads),
            0,
            0,
            _BASE + wells * _LABEL_BYTES / 3 + sums + 1.25 * moments,
            0,
        ),
    ]
    rows = perturbations * features * itemsize
    states = perturbations * 2 * neighbors * 16
    passes = 2 if neighbors else 1
    moved = (passes * rows + 2 * states) * machines
    # By way of the scheduler to the first machine, and from each that has them to another.
    sent = (passes * rows * (2 + math.ceil(math.log2(machines))) + 2 * states) if cluster else 0
    stages.append(
        (
            "pairs",
            passes * perturbations**2 * features / (rate.products * workers) + sent / rate.network,
            0,
            moved,
            _BASE + wells * _LABEL_BYTES / 3 + 3 * rows + 2 * states,
            (_BASE + 3 * rows + 3 * states) * cluster,
        )
    )
    asked = ScreenSizes(
        wells, features, perturbations, batches, held, itemsize, threads, machines,
        min(perturbations, 4 * batches) if kinds is None else kinds,
    )  # fmt: skip
    stages += [(name, *STAGES[name](asked, rate)) for name in benchmarks]
    columns = ["stage", "seconds", "bytes_read", "bytes_moved", "client_memory", "worker_memory"]
    table = pd.DataFrame(stages, columns=columns)
    whole = ["whole", *table[columns[1:4]].sum(), *table[columns[4:]].max()]
    return Plan(pd.concat([table, pd.DataFrame([whole], columns=columns)], ignore_index=True))

"""What a Dask scheduler says of its workers: how many can work, and with how much memory."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Workers:
    """The workers of a scheduler at one moment."""

    address: str
    """Of the scheduler"""
    count: int
    threads: int
    """Of the workers that run tasks: not of those that are paused and idle"""
    memory_limit: int
    """In bytes, the smallest that a worker has; 0: none has one"""

    @classmethod
    def of(cls, identity: Mapping[str, Any]) -> "Workers":
        """Return the workers that the ``identity`` of a scheduler lists."""
        workers = identity["workers"].values()
        limits = [worker["memory_limit"] for worker in workers if worker["memory_limit"]]
        threads = sum(worker["nthreads"] for worker in workers if _works(worker))
        return cls(identity["address"], len(workers), threads, min(limits, default=0))

    @property
    def limit_in_words(self) -> str:
        """The limit, to be put after what is said of memory; empty without one."""
        return f" (the smallest limit is {gigabytes(self.memory_limit)})" * (self.memory_limit > 0)


def gigabytes(size: float) -> str:
    """Return so many bytes in words."""
    return f"{size / 1e9:,.2f} GB"


def _works(worker: Mapping[str, Any]) -> bool:
    """Whether a worker runs tasks: one that is paused, for want of memory, ends what it began."""
    counts: Mapping[str, int] = worker["metrics"].get("task_counts", {})
    return worker["status"] == "running" or counts.get("executing", 0) > 0

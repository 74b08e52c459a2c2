"""Two workers and a scheduler of Dask that are killed on demand, and come back."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from typing import ClassVar

import dask
from distributed import Client, LocalCluster

_MEMORY = 1 << 30
"""The limit of each worker, in bytes"""
_CONNECT_SECONDS = 10
"""How long the client tries to connect, and to connect again"""


class KillableCluster:
    """A cluster that is made anew where it does not come back whole."""

    KINDS: ClassVar = ("one worker", "all workers", "memory", "scheduler")

    def __init__(self, scheduler_apart: bool = False) -> None:
        self._apart = scheduler_apart
        self._processes: list[subprocess.Popen[bytes]] = []
        self._cluster: LocalCluster | None = None
        self.client: Client

    def __enter__(self) -> "KillableCluster":
        # A LocalCluster gives up workers that are not back by then, even if they were before.
        self._patience = dask.config.set({"distributed.deploy.lost-worker-timeout": "1 hour"})
        self._start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self._patience.__exit__(None, None, None)

    def whole(self) -> None:
        """Return when both workers are there, those of a new cluster if need be."""
        until = time.monotonic() + 20
        while time.monotonic() < until and self.client.status == "running":
            with suppress(Exception):
                if len(self.client.nthreads()) == 2:
                    return
            time.sleep(0.1)
        self._stop()
        self._start()

    def kill(self, kind: str, worker: int) -> None:
        """Kill what the kind says, at once."""
        if kind == "scheduler":
            self._processes[0].kill()
        elif kind == "memory":
            self._fill(worker)
        else:
            pids = self._pids()
            for pid in pids if kind == "all workers" else pids[worker : worker + 1]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _fill(self, worker: int) -> None:
        """Have a worker take more memory than it has, until its nanny kills it."""
        with suppress(Exception):
            address = list(self.client.nthreads())[worker]
            self.client.run(_take_memory, workers=[address], wait=False)

    def _pids(self) -> list[int]:
        nannies = list(self._cluster.workers.values()) if self._cluster else []
        processes = [getattr(nanny.process, "process", None) for nanny in nannies if nanny.process]
        return [process.pid for process in processes if process is not None and process.pid]

    def _start(self) -> None:
        if not self._apart:
            self._cluster = LocalCluster(
                n_workers=2, threads_per_worker=1, memory_limit=_MEMORY, host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
            )  # fmt: skip
            self.client = Client(self._cluster)
            return
        with tempfile.TemporaryDirectory() as folder:
            at = ["--scheduler-file", f"{folder}/scheduler.json", "--no-dashboard"]
            more = [*at, "--nthreads", "1", "--death-timeout", "60"]
            self._processes = [
                _dask("scheduler", "--host", "127.0.0.1", "--port", "0", *at),
                *(_dask("worker", *more) for _ in "ab"),
            ]
            self.client = Client(scheduler_file=at[1], timeout=_CONNECT_SECONDS)
            self.client.wait_for_workers(2, timeout=60)

    def _stop(self) -> None:
        for process in self._processes:
            process.terminate() if process.poll() is None else None
        for closed in (self.client, self._cluster):
            with suppress(Exception):
                if closed is not None:
                    closed.close(timeout=5)
        for process in self._processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
        self._processes, self._cluster = [], None


def _dask(*words: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "dask", *words]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _take_memory() -> None:
    taken = bytearray(0)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if len(taken) < 3 << 29:
            taken.extend(b"x" * (1 << 26))
        time.sleep(0.02)

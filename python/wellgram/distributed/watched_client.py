"""A client of Dask whose waits end: by an answer, or by an error once the cluster is gone.

Dask itself waits without end for a worker where there is none. It also raises errors of many kinds
where workers or the scheduler are lost at a bad moment; here all of them are `PiecesLost`.
"""

import asyncio
import time
from collections.abc import Coroutine, Iterable, Sequence
from concurrent.futures import Future as Awaited
from contextlib import suppress
from dataclasses import dataclass
from pickle import PicklingError
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from wellgram.distributed.workers import Workers, gigabytes
from wellgram.errors import ClusterError, NotEnoughMemory

if TYPE_CHECKING:
    from distributed import Client, Future

WAIT_SECONDS = 60
"""How long is waited for a worker that runs tasks, and for an answer of the scheduler"""
_LOOK_SECONDS = 5
"""How often the cluster is looked at while nothing comes back"""

_CANNOT_BE_SENT = (TypeError, PicklingError)
_LOST: tuple[type[BaseException], ...] = (Exception, asyncio.CancelledError)


class PiecesLost(Exception):  # noqa: N818
    """What was sent to workers, or made by them, is gone; a job may begin again."""


@dataclass(frozen=True)
class WatchedClient:
    """What a job asks of a client of Dask, with a limit to every wait."""

    client: "Client"
    where: str
    """The address of its scheduler, which a client forgets when it is closed"""

    @classmethod
    def of(cls, client: "Client") -> "WatchedClient":
        """Return a client, watched; of one that is closed every call raises ClusterError."""
        return cls(client, f" at {client.scheduler.address}" if client.scheduler else "")

    def workers(self) -> Workers:
        """Return the workers as soon as one of them runs tasks.

        Dask's own way to wait for workers asks the cluster for more of them.

        Raises
        ------
        ClusterError
            If none does within a minute, the scheduler does not answer, or the client is closed.
        """
        until = time.monotonic() + WAIT_SECONDS
        workers: Workers | None = None
        problem: BaseException | None = None
        while True:
            if self.client.status in ("closed", "closing"):
                raise self._gone(None, problem) from problem
            try:
                workers = self._workers_now(max(1, until - time.monotonic()))
                problem = None
            except _LOST as silent:
                workers, problem = None, silent
            if workers is not None and workers.threads:
                return workers
            if time.monotonic() >= until:
                raise self._gone(workers, problem) from problem
            time.sleep(0.1)

    def sent(self, values: Sequence[Any]) -> "list[Future]":
        """Send values to every worker.

        They go to one worker each, and from there to the others: Dask's call that does both would
        wait for ever for a worker that is lost meanwhile.
        """
        if not values:
            return []
        try:
            call = self.client.scatter(list(values), hash=False, asynchronous=True)
            futures: list[Future] = self._answer(call)
            self._answer(self.client.replicate(futures, asynchronous=True))
        except (*_CANNOT_BE_SENT, ClusterError):
            raise
        except _LOST as problem:
            raise PiecesLost from problem
        return futures

    def next_done(self, done: "SimpleQueue[Future]") -> "Future":
        """Return the next of the futures that come when they are done."""
        while True:
            try:
                return done.get(timeout=_LOOK_SECONDS)
            except Empty:
                self.workers()

    def result(self, future: "Future") -> Any:
        """Return the result of a future, or raise what its task raised."""
        from distributed import CancelledError, KilledWorker
        from distributed.comm import CommClosedError

        try:
            return self._answer(self.client.gather(future, asynchronous=True))
        except ClusterError:
            raise
        except KilledWorker as problem:
            raise ClusterError(
                f"{problem.allowed_failures + 1} workers were lost one after another at the same "
                f"piece of work; where it takes more memory than a worker has"
                f"{self.workers().limit_in_words}, give workers more (dask worker --memory-limit)"
            ) from problem
        except _LOST as problem:
            by_the_task = future.status == "error"
            if by_the_task and not isinstance(problem, CancelledError | CommClosedError):
                raise
            raise PiecesLost from problem

    def cancel(self, futures: Iterable["Future"]) -> None:
        """Have the scheduler drop what was asked for; nothing is waited for."""
        with suppress(RuntimeError):  # a client that is closed has dropped them
            self._begin(self.client.cancel(list(futures), asynchronous=True))

    def check_memory(self, shared: Iterable[Any]) -> None:
        """Raise if a worker has less memory than what all tasks share is known to take."""
        needed = sum(getattr(value, "nbytes", 0) for value in shared)
        limit = self.workers().memory_limit
        if 0 < limit < needed:
            raise NotEnoughMemory(
                f"a worker of Dask needs {gigabytes(needed)} for the rows that its tasks share, "
                f"but the smallest has a limit of {gigabytes(limit)}; give workers more "
                "(dask worker --memory-limit)"
            )

    def workers_now(self) -> Workers:
        """Return the workers that there are; raise ClusterError if the scheduler is silent."""
        if self.client.status in ("closed", "closing"):
            raise self._gone(None, None)
        try:
            return self._workers_now(WAIT_SECONDS)
        except _LOST as problem:
            raise self._gone(None, problem) from problem

    def _workers_now(self, seconds: float) -> Workers:
        awaited = self._begin(self.client.scheduler.identity())
        try:
            return Workers.of(awaited.result(seconds))
        finally:
            awaited.cancel()

    def _answer(self, call: Coroutine[Any, Any, Any]) -> Any:
        """Return what a call returns; look at the cluster while there is no answer."""
        awaited = self._begin(call)
        try:
            while True:
                try:
                    return awaited.result(_LOOK_SECONDS)
                except TimeoutError:
                    if awaited.done():  # it is the call's own
                        raise
                    self.workers()
        finally:
            awaited.cancel()

    def _begin(self, call: Coroutine[Any, Any, Any]) -> "Awaited[Any]":
        try:
            return asyncio.run_coroutine_threadsafe(call, self.client.loop.asyncio_loop)
        except RuntimeError:  # the client is closed
            call.close()
            raise

    def _gone(self, workers: Workers | None, problem: BaseException | None) -> ClusterError:
        if workers is None:
            why = "the client is closed" if problem is None else repr(problem)
            return ClusterError(
                f"the Dask scheduler{self.where} is lost or does not answer ({why}); start one "
                "(dask scheduler) and workers, and connect a new client"
            )
        if not workers.count:
            return ClusterError(
                f"all workers of the Dask scheduler at {workers.address} are gone, and none came "
                f"within {WAIT_SECONDS} seconds; start some (dask worker {workers.address})"
            )
        return ClusterError(
            f"all workers of the Dask scheduler at {workers.address} are paused, which Dask does "
            f"where their memory is nearly full{workers.limit_in_words}; give workers more "
            "(dask worker --memory-limit)"
        )

"""The workers of a Dask cluster: pieces of a job go to them, and what they find is put together.

Nothing here knows what the pieces are. A piece that a lost worker had is done again by another, and
results are put together in the order of the pieces, so the answer is the same whoever does them.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from wellgram.backends import named_backend, using_backend
from wellgram.backends.protocol import Progress
from wellgram.backends.thread_count import one_thread
from wellgram.errors import InputError, MissingPackage

if TYPE_CHECKING:
    from distributed import Client as Client
    from distributed import Future
else:  # so that signatures can name it where Dask is not installed
    Client = Any

P = ParamSpec("P")
R = TypeVar("R")

FAN_IN = 8
"""How many results are put together at a time"""
_HANDFULS = 8
"""How many tasks, at most, a thread gets of many small pieces"""
_CONNECT_SECONDS = 10
_ATTEMPTS, _RESTART_SECONDS = 3, 60
"""How often a job is begun because what its pieces share was lost with workers, and how long others
are waited for"""

_team: ContextVar["Team | None"] = ContextVar("team", default=None)


@dataclass(frozen=True)
class Team:
    """The workers that a client of Dask reaches."""

    client: Client

    @property
    def threads(self) -> int:
        """How many pieces are worked on at once."""
        return sum(self.client.nthreads().values())

    def fold(
        self,
        task: Callable[..., R],
        pieces: Sequence[Any],
        merge: Callable[..., R],
        *,
        shared: Sequence[Any] = (),
        progress: Progress | None = None,
    ) -> R:
        """Return what ``task(piece, *shared)`` returns of all pieces, put together.

        Parameters
        ----------
        task
            What is done with a piece. It may run more than once for the same one.
        pieces
            One or more. They go along with their task, so they should be small; collections of Dask
            within a dataclass are computed where the task runs.
        merge
            ``merge(a, b, *shared)`` of two neighbours. It may change and return a.
        shared
            What every piece needs: sent to each worker once.
        progress
            Called with the share of the pieces that are done.

        Raises
        ------
        Exception
            Whatever a task raises.
        """
        from distributed import CancelledError
        from distributed.comm import CommClosedError

        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._folded(task, pieces, merge, shared, progress)
            except (CancelledError, CommClosedError):
                # The last worker that had what is shared was lost, or one that it was sent to.
                if attempt == _ATTEMPTS:
                    raise
                self._await_worker()
        raise AssertionError

    def each(
        self,
        task: Callable[..., R],
        pieces: Sequence[Any],
        *,
        shared: Sequence[Any] = (),
        progress: Progress | None = None,
    ) -> list[R]:
        """Return what ``task(piece, *shared)`` returns of each piece, in their order.

        Many pieces go to workers by handfuls.
        """
        count = min(len(pieces), _HANDFULS * self.threads)
        hands = [list(pieces[k::count]) for k in range(count)]
        of_each: Callable[..., list[list[R]]] = partial(_of_each, task)
        parts: list[list[R]] = self.fold(of_each, hands, _joined, shared=shared, progress=progress)
        found: list[R] = [None] * len(pieces)  # type: ignore[list-item]
        for k, part in enumerate(parts):
            found[k::count] = part
        return found

    def _await_worker(self) -> None:
        """Wait until there is a worker; the client's own way to wait scales the cluster as well."""
        until = time.monotonic() + _RESTART_SECONDS
        while not self.threads and time.monotonic() < until:
            time.sleep(0.1)

    def _folded(
        self,
        task: Callable[..., R],
        pieces: Sequence[Any],
        merge: Callable[..., R],
        shared: Sequence[Any],
        progress: Progress | None,
    ) -> R:
        from dask import delayed
        from distributed import as_completed

        there = [self._sent(value) for value in shared]
        tree = _Tree(self.client, merge, there)
        run = delayed(_run, pure=False)
        backend = named_backend()
        waited = as_completed()
        for piece in pieces:
            leaf = self.client.compute(run(backend, task, piece, *there))
            waited.add(leaf)
            tree.add(leaf)
        root = tree.root()
        try:
            # A piece that is done is let go of here, so that it is kept no longer than needed.
            for done in range(1, len(pieces) + 1):
                if next(waited).status != "finished":
                    break
                if progress is not None:
                    progress(done / len(pieces))
            found: R = root.result()
            return found
        finally:
            root.cancel()

    def _sent(self, value: Any) -> "Future":
        """Send a value to every worker; raise CommClosedError if one was lost meanwhile."""
        from distributed.comm import CommClosedError

        try:
            return self.client.scatter(value, broadcast=True, hash=False)
        except KeyError as lost:  # the scheduler looked up a worker that had just gone
            raise CommClosedError(f"worker {lost} was lost while it was sent to") from lost


class _Tree:
    """Puts results together by eights as they are added, and those again.

    Its shape follows from the number of results alone, and so does how sums are rounded.
    """

    def __init__(self, client: Client, merge: Callable[..., Any], shared: Sequence[Any]) -> None:
        self._client, self._merge, self._shared = client, merge, shared
        self._levels: list[list[Future]] = [[]]

    def add(self, result: "Future", level: int = 0) -> None:
        """Add the next result."""
        if level == len(self._levels):
            self._levels.append([])
        self._levels[level].append(result)
        if len(self._levels[level]) == FAN_IN:
            self.add(self._merged(level), level + 1)

    def root(self) -> "Future":
        """Return all of them, put together."""
        last: list[Future] = []
        for level in range(len(self._levels)):
            self._levels[level] += last
            last = [self._merged(level)] if self._levels[level] else []
        return last[0]

    def _merged(self, level: int) -> "Future":
        results, self._levels[level] = self._levels[level], []
        if len(results) == 1:
            return results[0]
        return self._client.submit(_merge, self._merge, results, self._shared, pure=False)


def _run(backend: str | None, task: Callable[..., R], piece: Any, *shared: Any) -> R:
    with one_thread(), using_backend(backend):
        return task(piece, *shared)


def _merge(merge: Callable[..., Any], results: Sequence[Any], shared: Sequence[Any]) -> Any:
    with one_thread():
        whole = results[0]
        for part in results[1:]:
            whole = merge(whole, part, *shared)
        return whole


def _of_each(task: Callable[..., R], hand: Sequence[Any], *shared: Any) -> list[list[R]]:
    return [[task(piece, *shared) for piece in hand]]


def _joined(a: list[R], b: list[R], *_: Any) -> list[R]:
    return a + b


def team() -> Team | None:
    """Return the workers that are used now; None: this process does everything."""
    return _team.get()


def each(
    task: Callable[..., R],
    pieces: Sequence[Any],
    *,
    shared: Sequence[Any] = (),
    progress: Progress | None = None,
) -> Iterator[R]:
    """Yield what ``task(piece, *shared)`` returns of each piece, in their order.

    Here, one after another; or by the workers that are used now.
    """
    workers = team()
    if workers is not None and len(pieces) > 1:
        yield from workers.each(task, pieces, shared=shared, progress=progress)
        return
    for done, piece in enumerate(pieces, start=1):
        yield task(piece, *shared)
        if progress is not None:
            progress(done / len(pieces))


@contextmanager
def using(client: Client | None) -> Iterator[None]:
    """Let the workers of a client of Dask do all passes and draws within the block.

    Parameters
    ----------
    client
        A ``distributed.Client``; None changes nothing.

    Raises
    ------
    InputError
        If it has no workers.
    """
    if client is None:
        yield
        return
    if not client.nthreads():
        raise InputError(
            f"the Dask scheduler at {client.scheduler.address} has no workers; start some "
            "(dask worker ADDRESS)"
        )
    token = _team.set(Team(client))
    try:
        yield
    finally:
        _team.reset(token)


@contextmanager
def connected(address: str | None) -> Iterator[Client | None]:
    """Yield a client of the Dask scheduler at an address, within the block; None for none.

    Raises
    ------
    InputError
        If Dask is not installed, or no scheduler answers there.
    """
    if address is None:
        yield None
        return
    try:
        import distributed
    except ImportError:
        raise MissingPackage(
            "a Dask scheduler needs the package 'distributed': pip install 'wellgram[dask]'"
        ) from None
    try:
        client = distributed.Client(address, timeout=_CONNECT_SECONDS)
    except (OSError, ValueError) as problem:
        raise InputError(
            f"no Dask scheduler answers at {address!r} ({problem}); start one (dask scheduler) and "
            "give the address that it prints"
        ) from None
    with client:
        yield client


def takes_client(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function with a parameter ``client=`` use its workers."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        client: Any = kwargs.get("client")
        with using(client):
            return function(*args, **kwargs)

    return run

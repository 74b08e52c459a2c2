"""The workers of a Dask cluster: pieces of a job go to them, and what they find is put together.

Nothing here knows what the pieces are. A piece that a lost worker had is done again by another, and
results are put together in the order of the pieces, so the answer is the same whoever does them.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property, partial, wraps
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from wellgram.backends import named_backend, using_backend
from wellgram.backends.protocol import Progress
from wellgram.backends.thread_count import one_thread
from wellgram.distributed.merge_tree import MergeTree
from wellgram.distributed.watched_client import PiecesLost, WatchedClient
from wellgram.errors import ClusterError, InputError, MissingPackage

if TYPE_CHECKING:
    from distributed import Client as Client
    from distributed import Future
else:  # so that signatures can name it where Dask is not installed
    Client = Any

P = ParamSpec("P")
R = TypeVar("R")

_HANDFULS = 8
"""How many tasks, at most, a thread gets of many small pieces"""
_CONNECT_SECONDS = 10
_ATTEMPTS = 5
"""How often a job is begun because what its pieces share was lost with workers"""

_team: ContextVar["Team | None"] = ContextVar("team", default=None)


@dataclass(frozen=True)
class Team:
    """The workers that a client of Dask reaches."""

    client: Client

    @property
    def threads(self) -> int:
        """How many pieces are worked on at once, 1 or more: a worker is waited for if need be."""
        return self._watched.workers().threads

    @cached_property
    def _watched(self) -> WatchedClient:
        return WatchedClient.of(self.client)

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
        ClusterError
            If workers or the scheduler are lost and do not come back: see `WatchedClient`.
        NotEnoughMemory
            If what is shared is larger than the memory of a worker.
        Exception
            Whatever a task raises.
        """
        watched = self._watched
        watched.check_memory(shared)
        problem: BaseException | None = None
        for _ in range(_ATTEMPTS):
            try:
                return self._folded(task, pieces, merge, shared, progress)
            except PiecesLost as lost:
                problem = lost.__cause__
                workers = watched.workers()
        raise ClusterError(
            f"what the workers of the Dask scheduler at {workers.address} share was lost with them "
            f"{_ATTEMPTS} times ({problem!r}); see their logs, and give workers more memory where "
            f"they go over their limit{workers.limit_in_words}"
        ) from problem

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
        if not pieces:
            return []
        count = min(len(pieces), _HANDFULS * self.threads)
        hands = [list(pieces[k::count]) for k in range(count)]
        of_each: Callable[..., list[list[R]]] = partial(_of_each, task)
        parts: list[list[R]] = self.fold(of_each, hands, _joined, shared=shared, progress=progress)
        found: list[R] = [None] * len(pieces)  # type: ignore[list-item]
        for k, part in enumerate(parts):
            found[k::count] = part
        return found

    def _folded(
        self,
        task: Callable[..., R],
        pieces: Sequence[Any],
        merge: Callable[..., R],
        shared: Sequence[Any],
        progress: Progress | None,
    ) -> R:
        from dask import delayed

        watched = self._watched
        there = watched.sent(shared)
        run = delayed(_run, pure=False)
        backend = named_backend()
        done: SimpleQueue[Future] = SimpleQueue()
        kept: dict[str, Future] = {}
        try:
            tree = MergeTree(self.client, merge, there)
            for piece in pieces:
                leaf = self.client.compute(run(backend, task, piece, *there))
                leaf.add_done_callback(done.put)
                kept[leaf.key] = leaf
                tree.add(leaf)
            root = tree.root()
        except Exception as problem:
            if self.client.status == "running":
                raise
            raise PiecesLost from problem
        try:
            # A piece that is done is let go of here, so that it is kept no longer than needed.
            for count in range(1, len(pieces) + 1):
                leaf = kept.pop(watched.next_done(done).key)
                if leaf.status in ("error", "cancelled"):
                    watched.result(leaf)
                if progress is not None:
                    progress(count / len(pieces))
            del leaf
            whole: R = watched.result(root)
            return whole
        finally:
            watched.cancel([root, *kept.values()])


def _run(backend: str | None, task: Callable[..., R], piece: Any, *shared: Any) -> R:
    with one_thread(), using_backend(backend):
        return task(piece, *shared)


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
    ClusterError
        If its scheduler does not answer, within the block too; or workers are lost and none comes
        within a minute. See the page on clusters.
    """
    if client is None:
        yield
        return
    workers = WatchedClient.of(client).workers_now()
    if not workers.count:
        raise InputError(
            f"the Dask scheduler at {workers.address} has no workers; start some "
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

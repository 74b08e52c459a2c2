"""Which device runs: the registry of backends and the choice among them.

The order of choice is that of `set_backend`. A public function with a parameter ``backend=`` is
decorated with `takes_backend`, so nothing in between passes it on.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from importlib import import_module
from inspect import signature
from types import ModuleType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from wellgram.backends.devices import lies_on_a_card
from wellgram.backends.progress_bars import bar_of
from wellgram.errors import BackendUnavailable, InputError

if TYPE_CHECKING:
    from wellgram.backends.protocol import Backend, Kernels

BACKENDS = ("cpu", "cuda", "cupy", "numba", "reference")
"""The registry, in order of preference: modules of this package that fulfil `Kernels`, or whose
``KERNELS`` does."""

P = ParamSpec("P")
R = TypeVar("R")

_chosen: str | None = None
_named: ContextVar[str | None] = ContextVar("backend", default=None)
"""What the ``backend=`` argument of the running call names"""


def why_not(name: str) -> str | None:
    """Return why the backend cannot run here, or None where it can."""
    if name not in BACKENDS:
        return f"there is no backend of that name (there are {', '.join(BACKENDS)})"
    return _load(name).why_not()


def available_backends() -> list[str]:
    """Return the backends that can run here, in order of preference."""
    return [name for name in BACKENDS if why_not(name) is None]


def set_backend(name: str | None) -> None:
    """Choose the backend for all later calls that name none; None returns to the default.

    Work runs on the first of these that is given:

    1. the argument ``backend=`` of the call;
    2. the name that was set here;
    3. the environment variable ``WELLGRAM_BACKEND``;
    4. the first backend of `available_backends`.

    The argument holds for all that the call does, and for the workers of a cluster that do a part
    of it. What the call returns to be worked with later keeps it: a stream of aligned wells, a
    `MapLookup`.

    Parameters
    ----------
    name
        One of `available_backends`; None: none is set.

    Raises
    ------
    BackendUnavailable
        If it cannot run here; the message says why.
    """
    global _chosen
    if name is not None:
        _require(name)
    _chosen = name


@contextmanager
def using_backend(name: str | None) -> Iterator[None]:
    """Choose the backend for all calls within the block that name none; None changes nothing.

    Raises
    ------
    BackendUnavailable
        If it cannot run here; the message says why.
    """
    if name is None:
        yield
        return
    _require(name)
    token = _named.set(name)
    try:
        yield
    finally:
        _named.reset(token)


def takes_backend(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function with a parameter ``backend=``, and all it calls, run on that backend.

    What is done later, as the chunks of a stream are read, or in other threads, is not within the
    call. An object that does such work keeps what `named_backend` returned when it was made.

    If the function has a parameter ``progress=``, its calls have a bar: see `bar_of`.
    """
    title = function.__name__.replace("_", " ")

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        name: Any = kwargs.get("backend")
        with using_backend(name):
            return function(*args, **kwargs)

    @wraps(function)
    def run_with_bar(*args: P.args, **kwargs: P.kwargs) -> R:
        name: Any = kwargs.get("backend")
        asked: Any = kwargs.pop("progress", None)
        with using_backend(name), bar_of(title, asked) as progress:
            given: Any = kwargs | {"progress": progress}
            return function(*args, **given)

    return run_with_bar if "progress" in signature(function).parameters else run


def named_backend() -> str | None:
    """Return what the ``backend=`` argument of the running call names, for work done elsewhere."""
    return _named.get()


def get_backend(name: str | None = None) -> "Backend":
    """Return the backend of that name, or the one chosen for this call or process.

    Raises
    ------
    BackendUnavailable
        If it cannot run here; the message says why.
    """
    name = name or _named.get() or _chosen or os.environ.get("WELLGRAM_BACKEND")
    return _require(name or _first_that_runs())


def _first_that_runs() -> str:
    for name in BACKENDS:
        reason = why_not(name)
        if reason is None:
            return name
        # Else a misspelt setting would be a slower backend, without a word.
        if reason.startswith("WELLGRAM_"):
            raise BackendUnavailable(f"{reason}; correct it, or unset it")
    raise BackendUnavailable("no backend can run here")


def resident(x: Any) -> Any:
    """Return x as rows of the device that the backend runs on, if it lies there, else None.

    Such rows have a shape and a NumPy dtype, are cut by slices of rows, and go wherever rows go.

    Raises
    ------
    InputError
        If it lies on a card, and the backend runs elsewhere.
    """
    run = get_backend()
    found = run.resident(x)
    if found is None and lies_on_a_card(x):
        raise InputError(
            f"the array lies on a card, but backend {run.name!r} runs elsewhere; choose "
            "backend='cuda' or 'cupy', or move the array to main memory (for example x.cpu())"
        )
    return found


def _require(name: str) -> "Backend":
    reason = why_not(name)
    if reason is not None:
        others = ", ".join(available_backends())
        raise BackendUnavailable(f"backend {name!r} cannot run here: {reason}; available: {others}")
    return _load(name)


@cache
def _load(name: str) -> "Backend":
    from wellgram.backends.front import CheckedBackend

    module: ModuleType = import_module(f"{__name__}.{name}")
    return CheckedBackend(cast("Kernels", getattr(module, "KERNELS", module)))

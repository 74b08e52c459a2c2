"""wellgram: perturbation maps and their benchmarks from well embeddings.

Wells in, a map out, and every benchmark of the field on it::

    import wellgram as wg

    wells = wg.read_wells("embeddings.parquet", "metadata.csv", layout="rxrx3-core")
    result = wg.score(wells, wg.TVN(), sources=wg.relationship_sources("efaar"))
"""

TYPE_CHECKING = False  # typing itself would take longer to import than the rest
if TYPE_CHECKING:
    from typing import Any

    from wellgram.library import *  # noqa: F403
    from wellgram.library import __all__ as __all__

    __version__: str


def __getattr__(name: str) -> "Any":
    """Import what a public name needs when it is asked for: pandas and SciPy take a second.

    `wellgram.accel` must not, before there is anything to accelerate.
    """
    from importlib import import_module
    from importlib.util import find_spec

    if name == "__version__":
        from importlib.metadata import version

        return version(__name__)
    if find_spec(f"{__name__}.{name}") is not None:
        return import_module(f"{__name__}.{name}")
    if name == "__all__" or not name.startswith("__"):
        library = import_module(f"{__name__}.library")
        if hasattr(library, name):
            globals()[name] = getattr(library, name)
            return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__getattr__("__all__")]

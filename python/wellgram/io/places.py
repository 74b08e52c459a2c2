"""Where files are: on this machine, or at a URL that fsspec reaches (``s3://``, ``gs://``, ...).

Of a URL no more is asked than of a path: what it is named, whether it is there, what is in it, and
its bytes. How a store is reached (keys, an endpoint) is fsspec's own configuration.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory, gettempdir
from typing import IO, Any, TypeAlias
from urllib.parse import urlsplit

import pyarrow as pa

from wellgram.errors import InputError, MissingPackage
from wellgram.files import output_folder, remove_leftovers, replacing, temporary_name
from wellgram.io.read_errors import first_line, needed

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(://|::)")


@dataclass(frozen=True)
class Remote:
    """A file or folder that fsspec reaches, with as much of `pathlib.Path` as reading needs."""

    url: str
    fs: Any
    inside: str
    """The path as the file system has it"""

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        """The last part of the path; of a web address without its query."""
        return self._path.name

    @property
    def suffix(self) -> str:
        """The last suffix of the name."""
        return self._path.suffix

    @property
    def suffixes(self) -> list[str]:
        """The suffixes of the name."""
        return self._path.suffixes

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the path."""
        return self._path.parts

    @property
    def _path(self) -> PurePosixPath:
        # In an object store a question mark is a letter like others.
        is_web = self.inside.startswith(("http://", "https://"))
        return PurePosixPath(urlsplit(self.inside).path if is_web else self.inside)

    def is_file(self) -> bool:
        """Whether there is a file."""
        return self._facts().get("type") == "file"

    def is_dir(self) -> bool:
        """Whether there is a folder."""
        return self._facts().get("type") == "directory"

    def size(self) -> int:
        """Return the size of the file in bytes."""
        return int(self._facts()["size"])

    def version(self) -> str:
        """Return the address, and what the store tells of the file that changes with it."""
        facts = self._facts()
        told = [facts.get(name) for name in ("size", "ETag", "LastModified", "mtime", "created")]
        return " ".join([self.url, *(str(fact) for fact in told if fact is not None)])

    def open(self) -> IO[bytes]:
        """Open the file to read its bytes."""
        file: IO[bytes] = self.fs.open(self.inside, "rb")
        return file

    def glob(self, pattern: str) -> "list[Remote]":
        """Return what is within the folder and named like that."""
        found = self._asked(lambda: self.fs.glob(f"{self.inside.rstrip('/')}/{pattern}"))
        return [self._at(path) for path in found]

    def inside_it(self, *, deep: bool) -> "list[Remote]":
        """Return what is in the folder: files and folders, or all files at any depth."""
        if deep:
            paths = self._asked(lambda: self.fs.find(self.inside))
        else:
            paths = self._asked(lambda: self.fs.ls(self.inside, detail=False))
        # Some stores list the folder itself.
        own = self.inside.rstrip("/")
        return [self._at(path.rstrip("/")) for path in paths if path.rstrip("/") != own]

    def child(self, path: str) -> "Remote":
        """Return a file or folder within this folder."""
        return self._at(f"{self.inside.rstrip('/')}/{path}")

    def _at(self, path: str) -> "Remote":
        return Remote(self.fs.unstrip_protocol(path), self.fs, path)

    def put(self, local: Path) -> None:
        """Make it a copy of a file or folder on this machine."""
        if local.is_dir() and self.is_dir():
            self._reached(lambda: self.fs.rm(self.inside, recursive=True))
        self.add(local)

    def add(self, local: Path) -> None:
        """Write a file there, or the files of a folder beside those that are there."""
        if local.is_dir():
            files = [path for path in sorted(local.rglob("*")) if path.is_file()]
            targets = [f"{self.inside}/{path.relative_to(local).as_posix()}" for path in files]
        else:
            files, targets = [local], [self.inside]

        def upload() -> None:
            for folder in {target.rpartition("/")[0] for target in targets}:
                self.fs.makedirs(folder, exist_ok=True)
            for last in (False, True):  # those on top: a Zarr store is one when it is whole
                some = [k for k, file in enumerate(files) if (file.parent == local) == last]
                if some:
                    self.fs.put([str(files[k]) for k in some], [targets[k] for k in some])

        self._check_parent()
        self._reached(upload)

    def check_writable(self) -> None:
        """Raise unless files can be written into this folder, which need not be there."""
        trial = f"{self.inside}/{temporary_name()}"

        def write() -> None:
            self.fs.makedirs(self.inside, exist_ok=True)
            self.fs.pipe_file(trial, b"")
            self.fs.rm_file(trial)

        self._check_parent()
        self._reached(write)

    def _check_parent(self) -> None:
        """Raise unless something above is there: a mistyped bucket is not to be made."""
        parents = [str(path) for path in PurePosixPath(self.inside).parents if str(path) != "."]
        above = parents or [self.inside]
        if not self._reached(lambda: any(map(self.fs.exists, above))):
            raise InputError(f"cannot write {self.url!r}: there is no {above[-1]!r} to write into")

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = self._asked(lambda: self.fs.info(self.inside))
        return facts

    def _asked(self, question: Callable[[], Any]) -> Any:
        def answer() -> Any:
            try:
                return question()
            except FileNotFoundError as problem:
                if _is_unreachable(problem.__cause__):
                    raise problem.__cause__ from None  # type: ignore[misc]
                return {}

        return self._reached(answer)

    def _reached(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except Exception as problem:  # each file system has exceptions of its own
            raise InputError(
                f"cannot reach {self.url!r}: {first_line(problem)}; check the address, the network "
                "and your credentials"
            ) from problem


def _is_unreachable(cause: BaseException | None) -> bool:
    """Whether a file was not found because no server answered, or one answered that it may not."""
    if isinstance(cause, FileNotFoundError):
        return False
    return isinstance(cause, OSError) or getattr(cause, "status", 404) not in (404, 410)


Place: TypeAlias = Path | Remote


def locate(path: "str | Place") -> Place:
    """Return where a path or URL leads.

    Raises
    ------
    InputError
        If a URL's kind is unknown, or what reaches it is not installed.
    """
    if not isinstance(path, str) or not _URL.match(path):
        return Path(path) if isinstance(path, str) else path
    fsspec = needed("fsspec", "cloud", repr(path))
    try:
        fs, inside = fsspec.url_to_fs(path)
    except ImportError as problem:
        raise MissingPackage(
            f"{path!r} needs a package that is not there ({first_line(problem)}): "
            "pip install 'wellgram[cloud]', or the package named"
        ) from problem
    except ValueError as problem:
        raise InputError(f"cannot reach {path!r}: {first_line(problem)}") from problem
    return Path(inside) if type(fs).protocol == ("file", "local") else Remote(path, fs, inside)


def check_link(place: Place) -> None:
    """Raise if a path is a link whose target is missing, or leads through one.

    Raises
    ------
    InputError
        Naming the link and its target.
    """
    if not isinstance(place, Path):
        return
    for link in (place, *place.parents):
        if link.is_symlink() and not link.exists():
            raise InputError(
                f"{str(link)!r} is a link whose target is missing: {str(link.readlink())!r}; "
                "fetch the target (git annex get, dvc pull), or mend or remove the link"
            )


def no_file(place: Place, kind: str = "file") -> InputError:
    """Return the error that says that there is no file, or why a link leads to none.

    Raises
    ------
    InputError
        If it is a link whose target is missing.
    """
    check_link(place)
    return InputError(f"there is no {kind} {str(place)!r}")


def size_of(place: Place) -> int:
    """Return the size of a file in bytes."""
    return place.size() if isinstance(place, Remote) else place.stat().st_size


def version_of(place: Place) -> str:
    """Return where a file is, and what changes when it is written again."""
    if isinstance(place, Remote):
        return place.version()
    facts = place.stat()
    return f"{place.resolve()} {facts.st_size} {facts.st_mtime_ns}"


def read_bytes(place: Place) -> bytes:
    """Return all bytes of a file."""
    if isinstance(place, Remote):
        with place.open() as file:
            return file.read()
    return place.read_bytes()


@contextmanager
def source_of(place: Place) -> Iterator[Any]:
    """Yield what Arrow reads a file from: its path here, or its bytes, unpacked, elsewhere."""
    if not isinstance(place, Remote):
        if _is_text(str(place)):
            yield place
        else:  # a name that Arrow cannot take
            with place.open("rb") as opened:
                yield opened
        return
    with place.open() as file:
        if place.suffix == ".gz":
            with pa.CompressedInputStream(file, "gzip") as stream:
                yield stream
        else:
            yield file


def _is_text(name: str) -> bool:
    """Whether a name is text: bytes of another encoding stand as surrogates in it."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def absolute(place: Place) -> Place:
    """Return where a place is for other processes, whose working folder may be another."""
    return place if isinstance(place, Remote) else place.absolute()


@contextmanager
def placing(path: "str | Place") -> Iterator[Path]:
    """Yield a path on this machine to write to, whose file or folder is at `path` on success.

    On this machine it is renamed; elsewhere it is uploaded. An object store shows a file when it is
    whole; of a folder, its files come one by one, those on top last.

    Raises
    ------
    InputError
        If there is no folder for it, or the URL cannot be written to.
    """
    place = locate(path)
    if isinstance(place, Path):
        with replacing(place) as temporary:
            yield temporary
        return
    with _upload_folder() as folder:
        local = folder / place.name
        yield local
        place.put(local)


@contextmanager
def placing_folder(path: "str | Place") -> Iterator[Path]:
    """Yield a folder on this machine, whose files are in the folder `path` on success.

    On this machine they are renamed; elsewhere they are uploaded, one by one. What else is in
    `path` stays.

    Raises
    ------
    InputError
        If the folder cannot be made or written to, before the work begins.
    """
    place = locate(path)
    if isinstance(place, Path):
        with output_folder(place) as folder:
            yield folder
        return
    place.check_writable()
    with _upload_folder() as folder:
        yield folder
        place.add(folder)


@contextmanager
def _upload_folder() -> Iterator[Path]:
    """Yield a folder for what is uploaded at the end; those of killed processes are removed."""
    remove_leftovers(Path(gettempdir()))
    with TemporaryDirectory(prefix=f"{temporary_name()}.") as folder:
        yield Path(folder)

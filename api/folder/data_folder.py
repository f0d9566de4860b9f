"""The data folder: the store, the token, and where the server that holds them can be reached."""

from __future__ import annotations

import json
import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import urlsplit

from kg.changes import Change
from kg.errors import (
    DiskFullError,
    NotAStoreError,
    ParameterError,
    ReadOnlyError,
    SignInRequiredError,
    StoreBusyError,
    WrongTokenError,
    is_disk_full,
)
from kg.load import Follower, Loads, install, migrate, recover
from kg.load.migration import FOLDER as BEFORE_FACTS
from kg.reasoning import Entailments, StaleEntailments
from kg.reasoning.stale import NAMES
from kg.search import SearchIndex, attach
from kg.settings import Settings
from kg.store import EmbeddedStore, Store
from kg.store.isolated.frozen import FrozenFolder
from kg.store.isolated.limits import Limits
from kg.store.isolated.store import IsolatedStore
from kg.store.isolated.writer import Writer
from kg.store.isolated.writer_server import RemoteWriter, WriterAddress, serve_writer
from kg.store.remote.dialects import OURS
from kg.table.record_table import FOLDER as TABLES
from kg.table.routed_store import OpenWithTables, RoutedStore

if TYPE_CHECKING:
    from kg.store.remote.client import RemoteStore

STORE: Final = "store"
SNAPSHOTS: Final = "snapshots"
TOKEN: Final = "token"  # noqa: S105 - the name of a file
SERVER: Final = "server.json"
SEARCH: Final = "search.sqlite"
LOADS: Final = "loads"
FIGURES: Final = "figures"
RESTORED: Final = "store.part"
SIGNED_OUT: Final = "signed-out"
VERSION: Final = 1
"""Version of what a data folder holds; a program reads its own version and those before it."""
_VERSION_FILE: Final = "version"
# What a folder may hold before it has a store.
_OWN: Final = {
    TOKEN,
    SERVER,
    SNAPSHOTS,
    FIGURES,
    LOADS,
    TABLES,
    RESTORED,
    SIGNED_OUT,
    _VERSION_FILE,
    BEFORE_FACTS,
    *NAMES,
    *(SEARCH + end for end in ("", "-wal", "-shm")),
}

# Seconds that each query of an opening may take: the entailments of a large store may have to be rebuilt.
_OPENING: Final = 6 * 3600.0

_log = logging.getLogger(__name__)


S = TypeVar("S", bound=Store)


@dataclass(frozen=True)
class RunningServer:
    """A running server: its address without a slash at the end, its process, and its store's writer."""

    url: str
    pid: int
    writer: WriterAddress | None = None


def check_folder(folder: Path) -> None:
    """Refuse a folder that holds other things than ours, before anything is made in it: NotAStoreError."""
    if not folder.exists():
        return
    names = {entry.name for entry in folder.iterdir()} if folder.is_dir() else {folder.name}
    if not folder.is_dir() or (STORE not in names and names - _OWN):
        raise NotAStoreError(
            "this is not a diplograph data folder: it holds other files",
            where=str(folder),
            mend="Name an empty folder, a new one, or the data folder of an earlier run with --data.",
        )
    path = folder / _VERSION_FILE
    try:
        # A crash may leave it empty.
        text = path.read_bytes().strip() if path.exists() else b""
        version = int(text) if text else VERSION
    except (OSError, ValueError):
        raise NotAStoreError(
            "the version of the data folder cannot be read",
            where=str(path),
            mend=f"If this program wrote the folder, put the line {VERSION} into that file.",
        ) from None
    refuse_newer(version, folder)


def refuse_newer(version: int, where: Path) -> None:
    """Raise NotAStoreError for a folder that a newer program has written."""
    if version > VERSION:
        raise NotAStoreError(
            f"it is of version {version}, and this program reads up to version {VERSION}",
            where=str(where),
            mend="Use the version of diplograph that wrote it, or a newer one.",
        )


def require_folder(settings: Settings) -> None:
    """Refuse a data folder that does not exist, whose name is probably mistyped: ParameterError.

    The folder of the default name may be made.
    """
    if settings.store or settings.data.exists() or settings.data == Settings().data:
        return
    raise ParameterError(
        "the data folder does not exist",
        where=str(settings.data),
        mend="Check the name given with --data or DIPLOGRAPH_DATA; `diplograph serve` makes a new folder.",
    )


def open_folder(settings: Settings) -> EmbeddedStore:
    """Open the store of the data folder in this process, with the reference graphs up to date.

    Raises NotAStoreError, StoreBusyError, StoreFailedError.
    """
    return _open(settings, lambda: EmbeddedStore(settings.data / STORE, allowed=settings.service_allow))


@contextmanager
def keep_folder(settings: Settings) -> Iterator[WriterAddress | None]:
    """Hold the data folder for fronts, with the reference graphs up to date; yield the address of its writer.

    Yields None for a folder that is only read, and for a store elsewhere, whose reference graphs are brought
    up to date. Raises what `open_folder` raises.
    """
    if settings.store:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        open_remote(settings, install_into=True).close()
        yield None
        return
    if is_frozen(settings):
        yield None
        return
    store = isolate_folder(replace(settings, query_timeout=_OPENING))
    store.close_workers()
    try:
        yield serve_writer(store.writer)
    finally:
        store.close()


def open_behind(settings: Settings, address: WriterAddress | None) -> Store:
    """Open the store whose folder another process holds; without one (None), that elsewhere or only read."""
    if address is None and settings.store:
        return open_remote(settings)
    if address is None:
        frozen = FrozenFolder(settings.data / STORE)
        limits, workers = _limits(settings, settings.query_rows), _workers(settings)
        return IsolatedStore(
            settings.data / STORE, frozen.snapshots, frozen, limits, workers, _with_tables(settings)
        )
    return IsolatedStore(
        settings.data / STORE,
        settings.data / SNAPSHOTS,
        RemoteWriter(address),
        _limits(settings, settings.query_rows),
        _workers(settings),
        _with_tables(settings),
    )


def is_frozen(settings: Settings) -> bool:
    """Return whether the data folder is only read: it cannot be written, and need not be."""
    store = settings.data / STORE
    return settings.read_only and not settings.store and store.is_dir() and not os.access(store, os.W_OK)


def isolate_folder(settings: Settings) -> IsolatedStore[Writer]:
    """Open the store of the data folder with a writer and workers of this process.

    There is no limit on rows. Raises what `open_folder` raises.
    """

    def make() -> IsolatedStore[Writer]:
        return IsolatedStore.open(
            settings.data / STORE,
            settings.data / SNAPSHOTS,
            _limits(settings),
            _workers(settings),
            _with_tables(settings),
        )

    return _open(settings, make)


def _limits(settings: Settings, rows: int = 0) -> Limits:
    return Limits(settings.query_timeout, settings.query_memory, rows, settings.service_allow)


def _with_tables(settings: Settings) -> OpenWithTables:
    return OpenWithTables(settings.data / TABLES)


def beside_tables(settings: Settings, store: Store) -> Store:
    """Return a store for reading, with the tables of the data folder if its engine is in this process."""
    if isinstance(store, EmbeddedStore):
        return RoutedStore.beside(store, settings.data / TABLES)
    return store


def _workers(settings: Settings) -> int:
    """Return a front's share of the queries that may run at once, two at least."""
    return max(2, -(-settings.workers // settings.fronts))


class InStep:
    """Follows a graph with the index of names, then with what is entailed, which names nothing."""

    def __init__(self, index: SearchIndex, folder: Path) -> None:
        self._index = index
        self._entailments = Entailments()
        self._pending = StaleEntailments(folder) if folder.is_dir() else None

    def follow(self, store: Store, change: Change) -> None:
        """Take over what a commit or an undo changed; the data must be stored already."""
        self._index.follow(store, change)
        named = store.version
        with self._pending.alone() if self._pending else nullcontext():
            self._entailments.follow(store, change)
        self._index.pass_over(store, named)


def followers(settings: Settings, index: SearchIndex) -> tuple[Follower, ...]:
    """Return the followers that are brought up to date when a load is stored or undone.

    They are the index of names and the entailments; a store elsewhere has no entailments.
    """
    return (index,) if settings.store else (InStep(index, settings.data),)


def _open(settings: Settings, make: Callable[[], S]) -> S:
    check_folder(settings.data)
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NotAStoreError(
            f"the data folder cannot be made: {error.strerror}",
            where=str(settings.data),
            mend="Change the permissions of the folder around it, or name another folder.",
        ) from None
    try:
        store = make()
    except StoreBusyError as error:
        server = running_server(settings.data)
        if server:
            error.mend = f"A server runs on it at {server.url} (process {server.pid}): use that, or stop it."
        raise
    try:
        _write_through(settings.data / _VERSION_FILE, f"{VERSION}\n")
        migrate(store, settings.data, Loads(settings.data / LOADS))
        install(store)
        recover(store, Loads(settings.data / LOADS, followers(settings, open_index(settings, store))))
        pending = StaleEntailments(settings.data)
        if pending.stale() and pending.is_small(store):
            pending.rebuild(store)
        else:
            Entailments().ensure(store)
    except (DiskFullError, OSError) as error:
        if not is_disk_full(error):
            store.close()
            raise
        _log.error("the data folder is not brought up to date: %s", error)
    except BaseException:
        store.close()
        raise
    return store


def open_store(settings: Settings) -> Store:
    """Open the store elsewhere, or that of the data folder: through its server, else in this process.

    Raises what `open_folder` raises.
    """
    if settings.store:
        return open_remote(settings, install_into=True)
    server = running_server(settings.data)
    if server is None:
        return open_folder(settings)
    # Its HTTP library is for those alone who work elsewhere.
    from kg.store.remote.client import RemoteStore

    return RemoteStore(
        f"{server.url}/sparql",
        update_url=f"{server.url}/update",
        graphs_url=f"{server.url}/graphs",
        login=known_token(settings),
        timeout=settings.query_timeout + 5,
        dialect=OURS,
        allowed=settings.service_allow,
    )


def open_index(settings: Settings, store: Store) -> SearchIndex:
    """Open the index of names beside a store, and have names looked up in it; in memory without a folder."""
    index = SearchIndex(
        settings.data / SEARCH if settings.data.is_dir() else None,
        followed=Loads(settings.data / LOADS).are_stored,
    )
    attach(store, index)
    return index


def open_remote(settings: Settings, *, install_into: bool = False) -> RemoteStore:
    """Open the store elsewhere; `install_into` brings its reference graphs up to date if it may be written.

    Raises StoreFailedError.
    """
    from kg.store.remote.client import RemoteStore

    store = RemoteStore(
        settings.store,
        update_url=settings.store_update,
        graphs_url=settings.store_graphs,
        login=settings.store_login,
        timeout=settings.query_timeout,
        allowed=settings.service_allow,
    )
    if not install_into or settings.read_only:
        return store
    try:
        migrate(store, settings.data, Loads(settings.data / LOADS))
        install(store)
    except (SignInRequiredError, WrongTokenError, ReadOnlyError) as error:
        _log.warning(
            "%s takes no writes, so its reference graphs stay as they are: %s", settings.store, error
        )
    except BaseException:
        store.close()
        raise
    return store


def known_token(settings: Settings) -> str:
    """Return the token that was set, else the one in the folder; empty if there is none."""
    if settings.token:
        return settings.token
    with suppress(FileNotFoundError):
        return (settings.data / TOKEN).read_text(encoding="ascii").strip()
    return ""


def make_token(folder: Path) -> str:
    """Make a token and keep it in the folder, readable by its owner only."""
    token = secrets.token_urlsafe(32)
    _write_private(folder / TOKEN, token + "\n")
    return token


def announce(folder: Path, url: str, writer: WriterAddress | None) -> None:
    """Write down, for this user alone, where this process serves the folder and its writer is reached."""
    (folder / SERVER).unlink(missing_ok=True)
    server = RunningServer(url, os.getpid(), writer)
    _write_private(folder / SERVER, json.dumps(asdict(server)) + "\n")


def withdraw(folder: Path) -> None:
    """Remove what `announce` wrote."""
    (folder / SERVER).unlink(missing_ok=True)


def running_server(folder: Path) -> RunningServer | None:
    """Find the server that holds the folder; one that ended without saying so counts as none."""
    try:
        said = json.loads((folder / SERVER).read_text(encoding="utf-8"))
        writer = said.get("writer")
        server = RunningServer(said["url"], int(said["pid"]), WriterAddress(**writer) if writer else None)
        parts = urlsplit(server.url)
        socket.create_connection((parts.hostname or "", parts.port or 80), timeout=2).close()
        # Another program may have taken the port after ours ended; signal 0 only asks whether it lives.
        os.kill(server.pid, 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return server


def _write_through(path: Path, text: str) -> None:
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        part = path.with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(path)


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)

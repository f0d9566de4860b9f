"""The data folder: the store, the token, and where the server that holds them can be reached."""

from __future__ import annotations

import json
import os
import secrets
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from kg.errors import NotAStoreError, ParameterError, StoreBusyError
from kg.load import Follower, install, recover
from kg.settings import Settings
from kg.store import EmbeddedStore, Store
from kg.store.isolated import IsolatedStore
from kg.store.remote import RemoteStore

STORE: Final = "store"
SNAPSHOTS: Final = "snapshots"
TOKEN: Final = "token"  # noqa: S105 - the name of a file
SERVER: Final = "server.json"
LOADS: Final = "loads"


S = TypeVar("S", EmbeddedStore, IsolatedStore)


@dataclass(frozen=True)
class Server:
    """A running server: its address without a slash at the end, and its process."""

    url: str
    pid: int


def check_folder(folder: Path) -> None:
    """Refuse a folder that holds other things than ours, before anything is made in it: NotAStoreError."""
    if not folder.exists():
        return
    names = {entry.name for entry in folder.iterdir()} if folder.is_dir() else {folder.name}
    if not folder.is_dir() or (STORE not in names and names - {TOKEN, SERVER, SNAPSHOTS, LOADS}):
        raise NotAStoreError(
            "it is no data folder of diplograph: it holds other files",
            where=str(folder),
            mend="Name an empty folder, a new one, or the data folder of an earlier run with --data.",
        )


def check_settings(settings: Settings) -> None:
    """Refuse settings that this version cannot follow. Raises ParameterError."""
    if settings.store:
        raise ParameterError(
            "a SPARQL store elsewhere cannot be served by this version",
            where=f"--store {settings.store}",
            mend="Leave --store and DIPLOGRAPH_STORE away to use the data folder.",
        )


def open_folder(settings: Settings) -> EmbeddedStore:
    """Open the store of the data folder in this process, with the reference graphs up to date.

    Raises NotAStoreError, StoreBusyError, StoreFailedError.
    """
    return _open(settings, lambda: EmbeddedStore(settings.data / STORE, allowed=settings.service_allow))


def isolate_folder(settings: Settings) -> IsolatedStore:
    """Open the store of the data folder behind processes that can be stopped, as a server wants it.

    Raises what `open_folder` raises.
    """
    return _open(
        settings,
        lambda: IsolatedStore(
            settings.data / STORE,
            snapshots=settings.data / SNAPSHOTS,
            workers=settings.workers,
            timeout=settings.query_timeout,
            memory=settings.query_memory,
            allowed=settings.service_allow,
        ),
    )


def followers(settings: Settings) -> tuple[Follower, ...]:
    """Give what is kept in step with the graph of the data folder when a load is stored or undone."""
    return ()


def _open(settings: Settings, make: Callable[[], S]) -> S:
    check_folder(settings.data)
    try:
        store = make()
    except StoreBusyError as error:
        server = running_server(settings.data)
        if server:
            error.mend = f"A server runs on it at {server.url} (process {server.pid}): use that, or stop it."
        raise
    try:
        install(store)
        recover(store, settings.data / LOADS, followers(settings))
    except BaseException:
        store.close()
        raise
    return store


def open_store(settings: Settings) -> Store:
    """Give the store of the data folder: through the server that runs on it, else opened here.

    Raises what `open_folder` raises.
    """
    check_settings(settings)
    server = running_server(settings.data)
    if server is None:
        return open_folder(settings)
    return RemoteStore(
        f"{server.url}/sparql",
        update_url=f"{server.url}/update",
        token=known_token(settings),
        timeout=settings.query_timeout + 5,
    )


def known_token(settings: Settings) -> str:
    """Give the token that was set, else the one kept in the folder; empty when there is none."""
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


def announce(folder: Path, url: str) -> None:
    """Say where this process serves the folder."""
    (folder / SERVER).unlink(missing_ok=True)
    _write_private(folder / SERVER, json.dumps({"url": url, "pid": os.getpid()}) + "\n")


def withdraw(folder: Path) -> None:
    """Take back what `announce` said."""
    (folder / SERVER).unlink(missing_ok=True)


def running_server(folder: Path) -> Server | None:
    """Find the server that holds the folder; one that ended without saying so counts as none."""
    try:
        said = json.loads((folder / SERVER).read_text(encoding="utf-8"))
        server = Server(str(said["url"]), int(said["pid"]))
        parts = urlsplit(server.url)
        socket.create_connection((parts.hostname or "", parts.port or 80), timeout=2).close()
        # Another program may have taken the port after ours ended; signal 0 only asks whether it lives.
        os.kill(server.pid, 0)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return server


def _write_private(path: Path, text: str) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)

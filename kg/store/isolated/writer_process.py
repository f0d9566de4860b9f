"""The writing process: it holds the store's folder, changes it, and makes checkpoints."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import pyoxigraph
from pyoxigraph import RdfFormat

from kg.errors import DiplographError, StoreFailedError
from kg.store.embedded import EmbeddedStore
from kg.store.isolated.messages import RunRequest

# Readers come before writes and the engine's compaction on a busy machine.
_NICENESS: Final = 5


def run_writer(changes: Connection, checkpoints: Connection, folder: Path, allowed: tuple[str, ...]) -> None:
    """Carry out changes from one connection and checkpoints from the other until they are closed.

    The first message sent is whether a large change was finished, or the error that kept the store closed.
    """
    os.nice(_NICENESS)
    with Path(os.devnull).open("wb") as silent:
        os.dup2(silent.fileno(), 2)
    try:
        store = EmbeddedStore(folder, allowed=allowed)
    except DiplographError as error:
        changes.send(error)
        return
    changes.send(store.finished_change)
    # A thread of its own: a long update must not keep an earlier commit from being published.
    threading.Thread(target=_make_checkpoints, args=(store, checkpoints), daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            change: RunRequest = changes.recv()
            try:
                change.function(store, *change.args, **change.kwargs)
            except DiplographError as error:
                changes.send(error)
            except Exception as error:
                changes.send(StoreFailedError(f"the change failed: {type(error).__name__}: {error}"))
            else:
                changes.send(True)


def change_quads(store: EmbeddedStore, removed: bytes, added: bytes) -> None:
    """Remove and add quads, given as N-Quads; see `LocalStore.change`."""
    out, into = (pyoxigraph.parse(quads, format=RdfFormat.N_QUADS) for quads in (removed, added))
    store.change(out, into)


def _make_checkpoints(store: EmbeddedStore, connection: Connection) -> None:
    with suppress(EOFError, OSError):
        while True:
            path = connection.recv()
            try:
                # Not `EmbeddedStore.backup`, which waits for the update under way.
                store.engine.backup(path)
            except Exception as error:
                connection.send(StoreFailedError(f"no checkpoint could be made: {error}", where=path))
            else:
                connection.send(True)

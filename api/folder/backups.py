"""Backups: the store's files at one commit, copied while it is served, and put back into a data folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from api.folder.data_folder import STORE, check_folder, open_folder, running_server
from kg import __version__
from kg.errors import ConflictError, NotAStoreError, ParameterError, StoreFailedError
from kg.settings import Settings
from kg.store import EmbeddedStore
from kg.store.isolated.writer_server import RemoteWriter

_LABEL: Final = "backup.json"


def back_up(settings: Settings, target: Path) -> None:
    """Copy the store of the data folder at its last commit into a new or empty folder.

    Works through the server where one runs. Raises ParameterError, StoreBusyError, StoreFailedError.
    """
    if settings.store:
        raise ParameterError(
            "the store elsewhere has backups of its own",
            where=settings.store,
            mend="Use its own means, or write its quads with: diplograph dump.",
        )
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ParameterError("it is not empty", where=str(target), mend="Name a new folder for the backup.")
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ParameterError(
            f"it cannot be made: {error.strerror}", where=str(target), mend="Name another folder."
        ) from None
    _copy(settings, target / STORE)
    label = {"made": datetime.now(UTC).isoformat(timespec="seconds"), "by": f"diplograph {__version__}"}
    (target / _LABEL).write_text(json.dumps(label) + "\n", encoding="utf-8")


def restore(settings: Settings, source: Path) -> None:
    """Put a backup into a data folder that has no store.

    Raises NotAStoreError, ConflictError, StoreFailedError.
    """
    if not (source / _LABEL).is_file() or not (source / STORE).is_dir():
        raise NotAStoreError(
            "it is not a backup", where=str(source), mend="Name a folder that 'diplograph backup' made."
        )
    check_folder(settings.data)
    if (settings.data / STORE).exists():
        raise ConflictError(
            "the data folder has a store already",
            where=str(settings.data),
            mend="Name a new data folder with --data, or move that one away.",
        )
    store = EmbeddedStore.open_snapshot(source / STORE)
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        store.backup(settings.data / STORE)
    except OSError as error:
        raise StoreFailedError(f"it cannot be restored: {error}", where=str(settings.data)) from None
    finally:
        store.close()


def _copy(settings: Settings, target: Path) -> None:
    server = running_server(settings.data)
    if server is not None and server.writer is not None:
        RemoteWriter(server.writer).backup(target)
        return
    if not (settings.data / STORE).is_dir():
        raise ParameterError(
            "it holds no store", where=str(settings.data), mend="Name the data folder with --data."
        )
    store = open_folder(settings)
    try:
        store.backup(target)
    finally:
        store.close()

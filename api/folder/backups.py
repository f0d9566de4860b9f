"""Backups: the store's files at one commit, copied while it is served, and put back into a data folder."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from api.folder.data_folder import (
    RESTORED,
    STORE,
    VERSION,
    check_folder,
    open_folder,
    refuse_newer,
    running_server,
)
from kg import __version__
from kg.errors import ConflictError, NotAStoreError, ParameterError, StoreFailedError
from kg.settings import Settings
from kg.store import EmbeddedStore
from kg.store.isolated.writer_server import RemoteWriter
from kg.table.current import known_tables
from kg.table.record_table import FOLDER as TABLES

_LABEL: Final = "backup.json"
# Checksums of all files, in the format of sha256sum(1).
_SUMS: Final = "SHA256SUMS"


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
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ParameterError(
            f"it cannot be made: {error.strerror}", where=str(target), mend="Name another folder."
        ) from None
    try:
        _copy(settings, target / STORE)
        _copy_tables(settings.data / TABLES, target)
        label = {
            "made": datetime.now(UTC).isoformat(timespec="seconds"),
            "by": f"diplograph {__version__}",
            "version": VERSION,
        }
        (target / _LABEL).write_text(json.dumps(label) + "\n", encoding="utf-8")
        sums = "".join(f"{digest}  {name}\n" for name, digest in sorted(_digests(target).items()))
        (target / _SUMS).write_text(sums, encoding="utf-8")
    except BaseException:
        for path in target.iterdir():
            shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink()
        raise


def restore(settings: Settings, source: Path) -> None:
    """Put a backup into a data folder that has no store, once all its files have their checksums.

    Raises NotAStoreError, ConflictError, StoreFailedError.
    """
    if not (source / _LABEL).is_file() or not (source / STORE).is_dir():
        raise NotAStoreError(
            "it is not a backup", where=str(source), mend="Name a folder that 'diplograph backup' made."
        )
    _verify(source)
    check_folder(settings.data)
    if (settings.data / STORE).exists():
        raise ConflictError(
            "the data folder has a store already",
            where=str(settings.data),
            mend="Name a new data folder with --data, or move that one away.",
        )
    store = EmbeddedStore.open_snapshot(source / STORE)
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = settings.data / RESTORED
        shutil.rmtree(part, ignore_errors=True)
        store.backup(part)
        if (source / TABLES).is_dir():
            shutil.copytree(source / TABLES, settings.data / TABLES, dirs_exist_ok=True)
        part.replace(settings.data / STORE)
    except OSError as error:
        raise StoreFailedError(f"it cannot be restored: {error}", where=str(settings.data)) from None
    finally:
        store.close()


def _verify(source: Path) -> None:
    """Compare the files of a backup with its checksums; raises NotAStoreError, naming what is damaged."""
    if not (source / _SUMS).is_file():
        raise NotAStoreError(
            f"the backup has no checksums ({_SUMS})",
            where=str(source),
            mend="An earlier version made it. If you trust it, write them in that folder: "
            f"find store {_LABEL} -type f -exec sha256sum {{}} + > {_SUMS}",
        )
    lines = (source / _SUMS).read_text(encoding="utf-8", errors="replace").splitlines()
    wanted = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    found = _digests(source)
    wrong = sorted(name for name in wanted.keys() | found.keys() if wanted.get(name) != found.get(name))
    if wrong:
        raise NotAStoreError(
            "the backup is damaged: files are changed, missing or new",
            where=str(source),
            mend="Use another backup; nothing was restored.",
            findings=tuple(wrong),
        )
    version = json.loads((source / _LABEL).read_text(encoding="utf-8")).get("version", VERSION)
    refuse_newer(version, source)


def _digests(folder: Path) -> dict[str, str]:
    digests = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.name != _SUMS:
            with path.open("rb") as file:
                digests[path.relative_to(folder).as_posix()] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def _copy_tables(folder: Path, target: Path) -> None:
    """Copy the tables in use of a store that was backed up; queries read the quads where one is missing."""
    store = EmbeddedStore.open_snapshot(target / STORE)
    try:
        names = [table.file_name for table in known_tables(store) if table.in_force]
    finally:
        store.close()
    for name in names:
        with suppress(FileNotFoundError):
            (target / TABLES).mkdir(mode=0o700, exist_ok=True)
            try:
                os.link(folder / name, target / TABLES / name)
            except OSError:
                # Another disk, or one that cannot link.
                shutil.copyfile(folder / name, target / TABLES / name)


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

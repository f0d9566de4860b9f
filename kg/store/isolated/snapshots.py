"""Snapshots of a store on disk, shared by the processes that read it.

The writer makes a checkpoint of each commit that it publishes, in a folder of its own, and points the
symbolic link `current` to it. A reader opens the folder that `current` names and holds a shared lock on it
while it is open; the kernel releases the lock however the reader ends. Folders that are neither current nor
locked are removed.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from time import time
from typing import Final

from kg.errors import StoreFailedError

_CURRENT: Final = "current"
_REMOVED: Final = ".removed-"
_TRIES: Final = 100


class SnapshotFolder:
    """The folder of snapshots, for the one process that publishes them; the first one removes older ones.

    Raises OSError.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for link in folder.glob(f"{_REMOVED}*.link"):
            link.unlink()
        self.folder = folder
        # Two openings of one store never share a version.
        self._epoch = secrets.token_hex(4)
        self._numbers = count()

    def new_path(self) -> Path:
        """Return a path for the next snapshot; a failed one may have left files at an earlier path."""
        return self.folder / f"{self._epoch}-{next(self._numbers)}"

    def publish(self, path: Path) -> None:
        """Make a snapshot the current one, and remove the others that no reader has open."""
        make_current(self.folder, path.name)
        self._remove_unused(path.name)

    def serve_last_or(self, store: Path) -> None:
        """Keep the last snapshot, of an earlier process; without one, have the store's own folder read."""
        if not (self.folder / _CURRENT).is_dir():
            make_current(self.folder, str(store.resolve()))

    def is_read(self) -> bool:
        """Return whether a reader has the current snapshot open."""
        with suppress(FileNotFoundError), _locked(self.folder / _CURRENT) as got:
            return not got
        return False

    def clear(self) -> None:
        """Remove all snapshots; readers keep the files that they have open."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _remove_unused(self, current: str) -> None:
        unused = []
        for entry in os.scandir(self.folder):
            if entry.name == current or entry.is_symlink() or not entry.is_dir():
                continue
            with suppress(FileNotFoundError), _locked(Path(entry.path)) as got:
                if got:
                    # Renamed under the lock: a reader that still finds the folder under its name has a lock.
                    unused.append(self.folder / f"{_REMOVED}{entry.name.removeprefix(_REMOVED)}")
                    Path(entry.path).rename(unused[-1])
        if unused:
            # Removing large files can take seconds on a busy disk.
            threading.Thread(target=_remove, args=(unused,), name="remove snapshots", daemon=True).start()


class OpenSnapshot:
    """The current snapshot, locked for reading until `close`. Raises StoreFailedError."""

    def __init__(self, folder: Path) -> None:
        for _ in range(_TRIES):
            self.version = current_version(folder)
            self.path = folder / self.version
            try:
                self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            except FileNotFoundError:
                continue  # A newer one was published meanwhile.
            # The publishing process holds its exclusive locks only for an instant.
            fcntl.flock(self._descriptor, fcntl.LOCK_SH)
            if self.path.exists():
                return
            os.close(self._descriptor)
        raise StoreFailedError("no snapshot can be opened", where=str(folder), mend="Try again.")

    def close(self) -> None:
        """Release the lock."""
        os.close(self._descriptor)


def make_current(folder: Path, snapshot: str) -> None:
    """Point the link of a folder of snapshots to one of them, or to another folder that is read like one."""
    link = folder / f"{_REMOVED}{secrets.token_hex(4)}.link"
    link.symlink_to(snapshot)
    link.replace(folder / _CURRENT)


def current_version(folder: Path) -> str:
    """Return the name of the current snapshot; raises StoreFailedError when there is none."""
    try:
        return os.readlink(f"{folder}/{_CURRENT}")  # noqa: PTH115 - called for each request
    except OSError:
        raise StoreFailedError(
            "the store is closed: it has no snapshot", where=str(folder), mend="Start the server again."
        ) from None


def current_age(folder: Path) -> float | None:
    """Return the seconds since the current snapshot was published; None if there is none."""
    try:
        return time() - (folder / _CURRENT).lstat().st_mtime
    except OSError:
        return None


@contextmanager
def _locked(folder: Path) -> Iterator[bool]:
    """Lock a folder for the block if no other process has a lock, and yield whether it is locked.

    Raises FileNotFoundError.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _remove(folders: list[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)

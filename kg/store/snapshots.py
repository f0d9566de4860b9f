"""Read-only snapshots of the last commit: made when one is asked for, removed when nobody uses them."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import time

from kg.store.shared import SharedNumber


class Snapshots:
    """The folders of snapshots, by hard links to the engine's files.

    `make` fills a folder. A snapshot is current until `outdate` is called; the next `take` makes a new one.
    Its name is the version that it holds, which `count` tells to other processes.
    """

    def __init__(self, folder: Path, make: Callable[[Path], None], count: SharedNumber) -> None:
        # What a crash left behind belongs to nobody.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._folder = folder
        self._make = make
        self._lock = threading.Lock()
        self._settled = threading.Event()
        self._settled.set()
        self._count = count
        self._newest: Path | None = None
        self._made = 0.0
        self._users: Counter[Path] = Counter()

    @property
    def version(self) -> int:
        """Count the commits that were noted."""
        return self._count.value

    def outdate(self) -> None:
        """Note that something was committed."""
        with self._lock:
            self._count.value += 1

    def settle(self, patience: float) -> None:
        """Wait until the snapshot that is being made is there, so many seconds at most."""
        self._settled.wait(patience)

    def take(self, version: int | None = None) -> Path:
        """Give a snapshot with every commit so far, or up to a version, to be released.

        Whoever waited while one was made has that one. Raises StoreFailedError.
        """
        with self._lock:
            path = self._path()
            if version is not None and self._newest is not None and int(self._newest.name) >= version:
                path = self._newest
            if path != self._newest:
                self._settled.clear()
                try:
                    self._make(path)
                finally:
                    self._settled.set()
                self._newest, stale, self._made = path, self._newest, time()
                if stale is not None and not self._users[stale]:
                    self._remove(stale)
            self._users[path] += 1
            return path

    def release(self, path: Path) -> None:
        """Give a snapshot back; one that is stale and unused goes."""
        with self._lock:
            self._users[path] -= 1
            if self._users[path] <= 0:
                del self._users[path]
                if path != self._newest:
                    self._remove(path)

    def age(self) -> float | None:
        """Give the seconds since the newest snapshot was made; None where there is none."""
        with self._lock:
            return time() - self._made if self._newest else None

    def clear(self) -> None:
        """Remove all of them."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _path(self) -> Path:
        return self._folder / str(self._count.value)

    @staticmethod
    def _remove(path: Path) -> None:
        # A disk may take longer to let go of the files than to make them, and nobody is to wait for that.
        threading.Thread(target=shutil.rmtree, args=(path,), kwargs={"ignore_errors": True}).start()

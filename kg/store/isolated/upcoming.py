"""A snapshot that is opened before anybody sees its commits, so that no query waits for its opening.

Who has readers waits for the next snapshot; before a version is shown, its snapshot is handed to all who wait
by then, and they are waited for in turn.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from kg.errors import StoreFailedError


class Upcoming:
    """Hands snapshots out. Whoever got one calls `opened` with it, whether it was opened or not."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: list[Future[Path]] = []
        self._opening: dict[Path, int] = {}
        self._closed = False

    def next(self, patience: float) -> Path | None:
        """Wait for a snapshot; None when there is none in so many seconds. Raises StoreFailedError."""
        place: Future[Path] = Future()
        with self._changed:
            if self._closed:
                raise StoreFailedError("the store is closed")
            self._waiting.append(place)
        try:
            return place.result(patience)
        except TimeoutError:
            with self._changed:
                if place in self._waiting:
                    self._waiting.remove(place)
                    return None
            # It came at the last moment.
            return place.result()

    def hand_out(self, path: Path, take: Callable[[], object], patience: float) -> None:
        """Give a snapshot to all who wait, and wait until they have it open, so many seconds at most.

        `take` is called once for each of them before any of them has it.
        """
        with self._changed:
            waiting, self._waiting = self._waiting, []
            self._opening[path] = len(waiting)
            for place in waiting:
                take()
                place.set_result(path)
            self._changed.wait_for(lambda: self._closed or not self._opening[path], patience)

    def opened(self, path: Path) -> None:
        """Note that one who was handed this snapshot is through with it, and wait until it is shown."""
        with self._changed:
            if path in self._opening:
                self._opening[path] -= 1
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._closed or path not in self._opening)

    def shown(self, path: Path) -> None:
        """Note that everybody sees the commits of a snapshot."""
        with self._changed:
            self._opening.pop(path, None)
            self._changed.notify_all()

    def close(self) -> None:
        """Have nobody wait any longer."""
        with self._changed:
            self._closed = True
            for place in self._waiting:
                place.set_exception(StoreFailedError("the store is closed"))
            self._waiting.clear()
            self._changed.notify_all()

"""The readers that have nothing to do, and who gets which."""

from __future__ import annotations

import threading
from time import monotonic

from kg.store.processes import EngineProcess


class IdleReaders:
    """Lends the reader whose snapshot is the youngest, which is also the one with the warmest caches."""

    def __init__(self) -> None:
        self._readers: list[EngineProcess] = []
        self._changed = threading.Condition()

    def __bool__(self) -> bool:
        return bool(self._readers)

    def put(self, reader: EngineProcess) -> None:
        """Take a reader back."""
        with self._changed:
            self._readers.append(reader)
            self._changed.notify_all()

    def get(self, patience: float, version: int = -1) -> EngineProcess | None:
        """Lend one whose snapshot has at least this version; None when there is none in so many seconds."""
        deadline = monotonic() + patience
        with self._changed:
            while True:
                # The last of equals: the one used last.
                found = max(reversed(self._readers), key=_version, default=None)
                if found is not None and _version(found) >= version:
                    self._readers.remove(found)
                    return found
                left = deadline - monotonic()
                if left <= 0:
                    return None
                self._changed.wait(left)

    def take_dead(self) -> list[EngineProcess]:
        """Take out those whose process has ended."""
        with self._changed:
            dead = [reader for reader in self._readers if not reader.lives]
            self._readers = [reader for reader in self._readers if reader not in dead]
            return dead


def _version(reader: EngineProcess) -> int:
    return -1 if reader.snapshot is None else int(reader.snapshot.name)


def is_fresh(reader: EngineProcess, version: int) -> bool:
    """Tell whether a reader has a snapshot of at least this version open."""
    return reader.snapshot is not None and _version(reader) >= version

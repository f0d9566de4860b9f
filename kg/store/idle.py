"""The readers that have nothing to do, and who gets which."""

from __future__ import annotations

import threading
from time import monotonic

from kg.store.processes import EngineProcess


class IdleReaders:
    """Lends readers that have the wanted snapshot open, or one at a time to be made to open it.

    Opening takes far longer than a lookup, so that whoever comes meanwhile waits for what is being opened.
    Nobody holds a reader while waiting for another.
    """

    def __init__(self) -> None:
        self._readers: list[EngineProcess] = []
        self._opening = False
        self._changed = threading.Condition()

    def __bool__(self) -> bool:
        return bool(self._readers)

    def put(self, reader: EngineProcess) -> None:
        """Take a reader back."""
        with self._changed:
            self._readers.append(reader)
            self._changed.notify_all()

    def get(self, version: int, patience: float) -> EngineProcess | None:
        """Lend one that sees this version, else one to open it; None when there is none in so many seconds.

        Whoever gets one that does not see the version says `opened` once it does, or is no more.
        """
        deadline = monotonic() + patience
        with self._changed:
            while (found := self._choose(version)) is None:
                left = deadline - monotonic()
                if left <= 0:
                    return None
                self._changed.wait(left)
            self._readers.remove(found)
            self._opening |= not is_fresh(found, version)
            return found

    def opened(self) -> None:
        """Note that the reader that was lent to open a snapshot has done so."""
        with self._changed:
            self._opening = False
            self._changed.notify_all()

    def take_dead(self) -> list[EngineProcess]:
        """Take out those whose process has ended."""
        with self._changed:
            dead = [reader for reader in self._readers if not reader.lives]
            self._readers = [reader for reader in self._readers if reader not in dead]
            return dead

    def _choose(self, version: int) -> EngineProcess | None:
        if not self._readers:
            return None
        # The last of equals, the one used last: its caches are the warmest.
        youngest = max(reversed(self._readers), key=_version)
        if is_fresh(youngest, version):
            return youngest
        # The oldest: what younger ones have open may still do for somebody who came earlier.
        return None if self._opening else min(self._readers, key=_version)


def _version(reader: EngineProcess) -> int:
    return -1 if reader.snapshot is None else int(reader.snapshot.name)


def is_fresh(reader: EngineProcess, version: int) -> bool:
    """Tell whether a reader has a snapshot of at least this version open."""
    return reader.snapshot is not None and _version(reader) >= version

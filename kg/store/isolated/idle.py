"""The readers that have nothing to do, and who gets which."""

from __future__ import annotations

import threading
from collections.abc import Callable
from time import monotonic

from kg.store.isolated.processes import EngineProcess


class IdleReaders:
    """Lends readers that have the wanted snapshot open; has one opened, one at a time, where none has.

    Opening takes far longer than a lookup, so that nobody who asks opens one: whoever comes meanwhile takes
    the first that is free, be it what is being opened or what comes back.
    """

    def __init__(self) -> None:
        self._readers: list[EngineProcess] = []
        self._opening = False
        self._openings = 0
        self._failure: Exception | None = None
        self._missed = 0
        self._spare: list[EngineProcess] = []
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self._readers)

    def put(self, reader: EngineProcess) -> None:
        """Take a reader back; who waits for a spare one comes first."""
        with self._changed:
            if self._missed > len(self._spare):
                self._spare.append(reader)
            else:
                self._readers.append(reader)
            self._changed.notify_all()

    def fresh(self, version: int) -> EngineProcess | None:
        """Lend one that sees this version; None where there is none at hand."""
        with self._changed:
            return self._take_fresh(version)

    def get(
        self, version: int, patience: float, soon: float, start: Callable[[EngineProcess | None], bool]
    ) -> EngineProcess | None:
        """Lend one that sees this version; None when there is none in `patience` seconds of others' work.

        When none comes within `soon` seconds and none is being opened, `start` is called with one that has an
        older snapshot, or with None where all are at work. It has another thread open the last snapshot, in
        that reader or in a new one, or says no. That thread puts the reader back and says `opened`. Raises
        what kept it from opening.
        """
        waited = 0.0
        with self._changed:
            seen = self._openings
            while True:
                if (found := self._take_fresh(version)) is not None:
                    return found
                if self._openings != seen and self._failure is not None:
                    raise self._failure
                seen = self._openings
                if waited >= patience:
                    return None
                if waited >= soon and not self._opening:
                    self._start(start)
                # Neither the start of a process nor the opening of a snapshot is anybody's time.
                opening, begun = self._opening, monotonic()
                self._changed.wait(None if opening else (patience if waited >= soon else soon) - waited)
                waited += 0.0 if opening else monotonic() - begun

    def opened(self, failure: Exception | None = None) -> None:
        """Note that what `get` had started is over."""
        with self._changed:
            self._opening = False
            self._openings += 1
            self._failure = failure
            self._changed.notify_all()

    def take_oldest(self, keep: int) -> EngineProcess | None:
        """Take out one that has an older snapshot than the others, as long as more than `keep` are here."""
        with self._changed:
            if len(self._readers) <= keep:
                return None
            oldest = min(self._readers, key=opened_version)
            self._readers.remove(oldest)
            return oldest

    def take_next(self, patience: float) -> EngineProcess | None:
        """Take the next that comes back, before all who ask; None when none does in so many seconds."""
        with self._changed:
            self._missed += 1
            self._changed.wait_for(lambda: bool(self._spare), patience)
            self._missed -= 1
            return self._spare.pop() if self._spare else None

    def take_dead(self) -> list[EngineProcess]:
        """Take out those whose process has ended."""
        with self._changed:
            dead = [reader for reader in self._readers if not reader.lives]
            self._readers = [reader for reader in self._readers if reader not in dead]
            return dead

    def _start(self, start: Callable[[EngineProcess | None], bool]) -> None:
        # The oldest: what younger ones have open may still do for somebody who came earlier.
        stale = min(self._readers, key=opened_version, default=None)
        if start(stale):
            self._opening = True
            if stale is not None:
                self._readers.remove(stale)

    def _take_fresh(self, version: int) -> EngineProcess | None:
        # The last of equals, the one used last: its caches are the warmest.
        youngest = max(reversed(self._readers), key=opened_version, default=None)
        if youngest is None or not is_fresh(youngest, version):
            return None
        self._readers.remove(youngest)
        return youngest


def opened_version(reader: EngineProcess) -> int:
    """Name the version that a reader sees; -1 where it has nothing open."""
    return -1 if reader.snapshot is None else int(reader.snapshot.name)


def is_fresh(reader: EngineProcess, version: int) -> bool:
    """Tell whether a reader sees at least this version."""
    return opened_version(reader) >= version

"""Read-only snapshots of the store, and which of its commits everybody sees.

A commit is *shown* when the version of the data moves on to it; whoever asks from then on sees it. Each new
version costs every reader an opening, so that beside busy readers commits are shown together, some times a
second, once their snapshot is there and open somewhere. While nobody asks they are shown at once, and the
next query has the snapshot made.
"""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from time import monotonic, time
from typing import Final

from kg.errors import StoreFailedError
from kg.store.isolated.shared import SharedNumber
from kg.store.isolated.upcoming import Upcoming

# Between two versions beside busy readers: so long at most, and less for few queries, each of which is worth
# about an opening to keep from waiting.
_PACE: Final = 0.15
_WORTH: Final = 0.02
# Whoever has this version open is given so long to ask again before he counts as gone.
_GRACE: Final = 0.01
# A snapshot that takes long because of the disk comes less often.
_REST: Final = 3.0
# A commit is acknowledged so late at most because somebody opens its snapshot still.
_OPENING: Final = 5.0


class Snapshots:
    """The folders of snapshots. `make` fills one with every commit that was noted; raises StoreFailedError.

    A snapshot's name is its version, which `shown` tells to other processes; `asked` is where they count
    queries.
    """

    def __init__(
        self, folder: Path, make: Callable[[Path], None], shown: SharedNumber, asked: SharedNumber
    ) -> None:
        # What a crash left behind belongs to nobody.
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._folder = folder
        self._make = make
        self._shown = shown
        self._asked = asked
        self._committed = shown.value
        self._asked_before = asked.value
        self._shown_at = self._spent = 0.0
        self._closed = False
        # Held while one is made; `_changed` only for a moment, so that nobody waits for the disk by it.
        self._making = threading.Lock()
        self._changed = threading.Condition()
        self._upcoming = Upcoming()
        self._newest: Path | None = None
        self._next: Path | None = None
        self._made = 0.0
        self._users: Counter[Path] = Counter()

    @property
    def version(self) -> int:
        """Name the last version that was shown."""
        return self._shown.value

    def ask(self) -> None:
        """Note that somebody asks."""
        self._asked.value += 1

    def note(self) -> int:
        """Note that something was committed; gives its number. One caller at a time."""
        self._committed += 1
        return self._committed

    def show(self, number: int) -> None:
        """Show the commits up to a number at once; whoever asks next has the snapshot made."""
        with self._changed:
            if number > self._shown.value:
                self._shown.value = number
                self._asked_before = self._asked.value
                self._shown_at = monotonic()
                self._changed.notify_all()

    def settle(self) -> None:
        """Show every commit at once: who compares versions before a write must not miss one."""
        self.show(self._committed)

    def publish(self, number: int, *, asked: bool = False) -> None:
        """Show the commits up to a number when it is time to, and return then; at once while nobody asks.

        With `asked` somebody is sure to ask, and its snapshot is made and opened in any case. What is
        committed is shown even where no snapshot can be made: who asks next is told of that.
        """
        try:
            self._await_turn(number)
            with self._making:
                if self._shown.value < number and (asked or self._asked.value != self._asked_before):
                    self._renew(ahead=True)
        except StoreFailedError:
            pass
        finally:
            self.show(number)

    def renew(self) -> None:
        """Have a snapshot of all that was committed, and show it. Raises StoreFailedError."""
        with self._making:
            self._renew()

    def next(self, patience: float) -> Path | None:
        """Wait for a snapshot that is to be opened before it is shown; None when there is none in time.

        Whoever gets one says `opened` in any case, and releases it at some time. Raises StoreFailedError.
        """
        return self._upcoming.next(patience)

    def opened(self, path: Path) -> None:
        """Note that a snapshot that `next` gave need not be waited for, and wait until it is shown."""
        self._upcoming.opened(path)

    def take(self, version: int | None = None) -> Path:
        """Give a snapshot with every commit that is shown, or up to a version, to be released.

        Raises StoreFailedError.
        """
        wanted = self._shown.value if version is None else min(version, self._committed)
        found = self._use_newest(wanted)
        while found is None:
            with self._making:
                # Whoever waited while one was made has that one.
                if self._newest is None or int(self._newest.name) < wanted:
                    self._renew()
            found = self._use_newest(wanted)
        return found

    def release(self, path: Path) -> None:
        """Give a snapshot back; one that is stale and unused goes."""
        with self._changed:
            self._users[path] -= 1
            if self._users[path] <= 0:
                del self._users[path]
                if path not in (self._newest, self._next):
                    self._remove(path)

    def age(self) -> float | None:
        """Give the seconds since the newest snapshot was made; None where there is none."""
        with self._changed:
            return time() - self._made if self._newest else None

    def clear(self) -> None:
        """Remove all of them, and make no more."""
        self._closed = True
        self._upcoming.close()
        with self._making:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _await_turn(self, number: int) -> None:
        with self._changed:
            while self._shown.value < number and (left := self._due() - monotonic()) > 0:
                self._changed.wait(left)

    def _due(self) -> float:
        """Tell when the next version may be shown; `_changed` is held."""
        queries = self._asked.value - self._asked_before
        if not queries:
            is_read = self._newest is not None and int(self._newest.name) == self._shown.value
            return self._shown_at + (_GRACE if is_read else 0.0)
        return self._shown_at + min(max(_PACE, _REST * self._spent), queries * _WORTH)

    def _renew(self, *, ahead: bool = False) -> None:
        """Make a snapshot of all that was committed, and show it; `_making` is held.

        With `ahead` it is opened before.
        """
        if self._closed:
            raise StoreFailedError("the store is closed")
        number = self._committed
        path = self._folder / str(number)
        if path == self._newest:
            return
        started = monotonic()
        try:
            self._make(path)
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise
        try:
            if ahead:
                self._next = path
                self._upcoming.hand_out(path, lambda: self._count_user(path), _OPENING)
        finally:
            with self._changed:
                self._spent = monotonic() - started
                self._next = None
                self._newest, stale, self._made = path, self._newest, time()
                if stale is not None and not self._users[stale]:
                    self._remove(stale)
            self.show(number)
            self._upcoming.shown(path)

    def _count_user(self, path: Path) -> None:
        with self._changed:
            self._users[path] += 1

    def _use_newest(self, version: int) -> Path | None:
        with self._changed:
            if self._newest is None or int(self._newest.name) < version:
                return None
            self._users[self._newest] += 1
            return self._newest

    @staticmethod
    def _remove(path: Path) -> None:
        # A disk may take longer to let go of the files than to make them, and nobody is to wait for that.
        threading.Thread(target=shutil.rmtree, args=(path,), kwargs={"ignore_errors": True}).start()

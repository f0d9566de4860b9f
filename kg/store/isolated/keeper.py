"""The keeper of a store's folder: the one process that writes it, and the snapshots that readers open."""

from __future__ import annotations

import secrets
import shutil
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final, Protocol

from kg.errors import QueryStoppedError, StoreFailedError
from kg.store.isolated.channel import ChannelClosedError, ChannelTimeoutError
from kg.store.isolated.copying import copy_store
from kg.store.isolated.live import LiveStore
from kg.store.isolated.processes import EngineProcess
from kg.store.isolated.shared import ASKED, SharedNumber
from kg.store.isolated.snapshots import Snapshots

_OPEN_TIME: Final = 60.0
# Opening after a crash may have a large change to finish first.
_RECOVERY_TIME: Final = 3600.0
_POLL: Final = 0.2
_WAITING: Final = 10.0
_STOP_TIME: Final = 5.0
# A process whose channel closed is ending by itself; its own exit status tells why.
LAST_WORDS: Final = 2.0


class Keeping(Protocol):
    """What those who read need of the keeper, in its process or in another."""

    @property
    def epoch(self) -> str:
        """Tell this opening of the folder from others."""
        ...

    @property
    def version(self) -> int:
        """Name the last version that is shown: it counts the commits."""
        ...

    def write(
        self,
        message: dict[str, Any],
        parts: Iterable[bytes] = (),
        budget: float | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        """Have the writer do something; returns when it is committed, and seen by whoever asks from then on.

        Raises when nothing of it is committed, except StoreFailedError where nobody can tell.
        """
        ...

    def ask(self) -> None:
        """Note that somebody asks: commits are shown with their snapshots while they do."""
        ...

    def settle(self) -> None:
        """Show every commit at once, acknowledged or not."""
        ...

    def take(self, version: int | None = None) -> Path:
        """Give a snapshot with every commit that is shown, or up to a version; raises StoreFailedError."""
        ...

    def upcoming(self) -> AbstractContextManager[Path | None]:
        """Wait for the snapshot of the next version, given before that is shown; None when none comes.

        What is to be done with it is waited for; leaving waits until the version is shown. It is taken as if
        by `take`. Raises StoreFailedError.
        """
        ...

    def release(self, path: Path) -> None:
        """Give a snapshot back."""
        ...

    def age(self) -> float | None:
        """Give the seconds since the newest snapshot was made; None where there is none."""
        ...

    def backup(self, path: Path) -> None:
        """Copy the last commit to a new folder, by hard links where it is on the same disk."""
        ...

    def close(self) -> None:
        """Let go; safe to call twice."""
        ...


class Keeper:
    """Holds the folder. `timeout` and `memory` are what it tells of a writer that was stopped.

    `count` is the version of the data that other processes see; beside it they count queries.
    """

    def __init__(
        self,
        folder: Path,
        snapshots: Path,
        *,
        timeout: float,
        memory: int,
        allowed: Sequence[str] = (),
        count: SharedNumber | None = None,
    ) -> None:
        self._folder = folder
        self._allowed = tuple(allowed)
        self._timeout = timeout
        self._memory = memory
        self._lock = threading.Lock()
        # Held while a writer is replaced, by who writes or by who makes a snapshot.
        self._replacing = threading.Lock()
        self._closed = False
        self._writer = self._start_writer()
        self._live = LiveStore(folder)
        self._count = count or SharedNumber()
        asked = SharedNumber(self._count.descriptor, ASKED)
        self._snapshots = Snapshots(snapshots, self._copy, self._count, asked)
        self._epoch = secrets.token_hex(4)

    @property
    def epoch(self) -> str:
        """Tell this opening of the folder from others."""
        return self._epoch

    @property
    def version(self) -> int:
        """Name the last version that is shown."""
        return self._snapshots.version

    @property
    def writer_pid(self) -> int:
        """Name the process that writes."""
        return self._writer.pid

    def write(
        self,
        message: dict[str, Any],
        parts: Iterable[bytes] = (),
        budget: float | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        """Have the writer do something within `budget` seconds; see `Keeping.write`.

        `stop` is asked several times a second; when it says so the writer is killed and replaced, nothing is
        changed, and QueryStoppedError raised.
        """
        with self._lock:
            if self._closed:
                raise StoreFailedError("the store is closed")
            large = message["do"] == "change files"
            if large:
                # Readers keep this snapshot until the change is whole.
                self._snapshots.renew()
            try:
                self._carry_out(message, parts, budget, stop)
            except BaseException:
                # What was broken off may have changed something all the same.
                self._snapshots.show(self._snapshots.note())
                raise
            number = self._snapshots.note()
        # Others write meanwhile, and are shown together with this.
        self._snapshots.publish(number, asked=large)

    def ask(self) -> None:
        """Note that somebody asks."""
        self._snapshots.ask()

    def settle(self) -> None:
        """Show every commit at once."""
        self._snapshots.settle()

    def take(self, version: int | None = None) -> Path:
        """Give a snapshot; see `Keeping.take`."""
        return self._snapshots.take(version)

    @contextmanager
    def upcoming(self) -> Iterator[Path | None]:
        """Wait for the next snapshot; see `Keeping.upcoming`."""
        path = self._snapshots.next(_WAITING)
        try:
            yield path
        finally:
            if path is not None:
                self._snapshots.opened(path)

    def release(self, path: Path) -> None:
        """Give a snapshot back."""
        self._snapshots.release(path)

    def age(self) -> float | None:
        """Give the seconds since the newest snapshot was made."""
        return self._snapshots.age()

    def backup(self, path: Path) -> None:
        """Copy the last commit to a new folder; raises StoreFailedError."""
        # A snapshot is of a whole commit, even while a large change is half done.
        source = self.take()
        try:
            copy_store(source, path)
        except OSError as error:
            raise StoreFailedError(f"the backup failed: {error}", where=str(path)) from None
        finally:
            self.release(source)

    def close(self) -> None:
        """Stop the writer and remove the snapshots."""
        if self._closed:
            return
        self._closed = True
        with self._lock, self._replacing:
            self._writer.kill(_STOP_TIME)
        self._snapshots.clear()

    def _carry_out(
        self,
        message: dict[str, Any],
        parts: Iterable[bytes],
        budget: float | None,
        stop: Callable[[], bool] | None,
    ) -> None:
        writer = self._writer
        try:
            channel = writer.channel
            channel.send_message(message)
            for part in parts:
                channel.send(b"D", part)
            while stop is not None and not channel.ready(_POLL):
                if stop():
                    raise ChannelTimeoutError
            channel.receive_message(budget)
        except (ChannelTimeoutError, ChannelClosedError) as error:
            # A killed transaction was never committed: the engine rolls it back when it opens again.
            status = self._replace(writer, LAST_WORDS if isinstance(error, ChannelClosedError) else 0)
            if stop is not None and isinstance(error, ChannelTimeoutError):
                raise QueryStoppedError(
                    "the change was cancelled; nothing of it is stored",
                    mend="Start it again when you like.",
                ) from None
            if isinstance(error, ChannelClosedError):
                raise StoreFailedError(
                    "the writing process ended; whether the change is stored cannot be told",
                    mend="Look whether it is there before you try again.",
                ) from None
            raise stopped(error, status, self._timeout, self._memory) from None
        except KeyboardInterrupt:
            # What was begun must not be finished behind the back of who broke it off.
            self._replace(writer)
            raise

    def _replace(self, writer: EngineProcess, grace: float = 0) -> int:
        """End a writer, after `grace` seconds at most, and start another, once; gives its exit status."""
        with self._replacing:
            status = writer.kill(grace)
            if self._writer is writer and not self._closed:
                self._writer = self._start_writer()
        return status

    def _start_writer(self) -> EngineProcess:
        writer = EngineProcess("writer", 2, str(self._folder.resolve()), *self._allowed)
        try:
            writer.channel.receive_message(_RECOVERY_TIME)
        except ChannelClosedError:
            raise StoreFailedError(
                "the writing process ended while opening it", where=str(self._folder)
            ) from None
        except BaseException:
            writer.kill()
            raise
        return writer

    def _copy(self, path: Path) -> None:
        if self._live.copy(path):
            return
        try:
            self._have_checkpoint(path)
        except (ChannelClosedError, ChannelTimeoutError):
            raise StoreFailedError("no snapshot could be made: the writing process is gone") from None
        self._live.learn(path)

    def _have_checkpoint(self, path: Path) -> None:
        writer = self._writer
        try:
            self._checkpoint(writer, path)
        except ChannelClosedError:
            # Nobody who reads is to suffer from the end of a writer: the next one has what was committed.
            self._replace(writer)
            shutil.rmtree(path, ignore_errors=True)
            self._checkpoint(self._writer, path)

    @staticmethod
    def _checkpoint(writer: EngineProcess, path: Path) -> None:
        channel = writer.channels[1]
        channel.send_message({"path": str(path.resolve())})
        channel.receive_message(_OPEN_TIME)


def stopped(error: Exception, status: int, timeout: float, memory: int) -> QueryStoppedError:
    """Say why a process that worked for somebody is no more; `status` is its exit status."""
    if isinstance(error, ChannelTimeoutError):
        return QueryStoppedError(
            f"it took longer than {timeout:g} s",
            mend="Narrow it (a LIMIT inside a sub-query, fewer patterns, a named graph), or raise "
            "DIPLOGRAPH_QUERY_TIMEOUT on a server of your own.",
        )
    if status == -signal.SIGABRT:
        return QueryStoppedError(
            f"it needed more than {memory / 2**20:.0f} MiB of memory",
            mend="Sort or group less at once, or raise DIPLOGRAPH_QUERY_MEMORY on a server of your own.",
        )
    return QueryStoppedError("the process that answered it ended unexpectedly", mend="Try again.")

"""The writer: the one process that has the store's folder open, and the snapshots of its commits.

A commit is acknowledged once a snapshot with it is the current one. Beside readers a snapshot costs each of
them an opening, so commits are then published together, some times a second; while the last snapshot is not
read, each is published at once.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from kg.errors import DiplographError, QueryStoppedError, StoreFailedError
from kg.processes import CONTEXT, start
from kg.store.interface import never
from kg.store.isolated.messages import Change, ChangeFilesRequest
from kg.store.isolated.pool import stopped
from kg.store.isolated.snapshots import SnapshotFolder
from kg.store.isolated.writer_process import run_writer

# Opening after a crash may have a large change to finish first.
_RECOVERY_TIME: Final = 3600.0
_CHECKPOINT_TIME: Final = 60.0
_STOP_TIME: Final = 5.0
_POLL: Final = 0.2
# Seconds between two snapshots that are read, and how many times as long as making one takes.
_PACE: Final = 0.15
_SHARE: Final = 3.0
_RETRY: Final = 5.0


class Writing(ABC):
    """What a store needs of the writer, in this process or in another."""

    @abstractmethod
    def write(self, change: Change, budget: float | None = None, stop: Callable[[], bool] = never) -> None:
        """Carry out a change within `budget` seconds; return when it is committed and published.

        `stop` is called several times a second; when it returns True, the change is broken off. Nothing of
        it is committed when an error is raised, except by a StoreFailedError that says so.
        """

    @abstractmethod
    def settle(self) -> None:
        """Publish every commit."""

    @abstractmethod
    def backup(self, path: Path) -> None:
        """Copy the last commit to a new folder; raises StoreFailedError."""

    @abstractmethod
    def close(self) -> None:
        """Release it; safe to call twice."""


class _Process:
    """The writing process, with a connection for changes and one for checkpoints."""

    def __init__(self, folder: Path, allowed: tuple[str, ...]) -> None:
        self.changes, their_changes = CONTEXT.Pipe()
        self.checkpoints, their_checkpoints = CONTEXT.Pipe()
        self._process = start(
            run_writer, their_changes, their_checkpoints, folder.resolve(), allowed, name="writer"
        )
        their_changes.close()
        their_checkpoints.close()
        try:
            opened = self.changes.recv() if self.changes.poll(_RECOVERY_TIME) else None
        except EOFError:
            opened = StoreFailedError(
                "the writing process ended while it opened the store", where=str(folder)
            )
        if opened is not True:
            self.end(0)
            raise opened or StoreFailedError("opening the store took too long", where=str(folder))

    @property
    def pid(self) -> int:
        return self._process.pid or 0

    def is_alive(self) -> bool:
        return self._process.is_alive()

    def end(self, grace: float) -> None:
        """Ask the process to end, and kill it after `grace` seconds.

        The connection for checkpoints may be in use by another thread, which finds its other side closed.
        """
        self.changes.close()
        self._process.join(grace)
        self._process.kill()
        self._process.join()


class Writer(Writing):
    """Holds the folder, in the process that serves it. `timeout` is named in errors of stopped updates."""

    def __init__(
        self, folder: Path, snapshots: Path, *, timeout: float, allowed: tuple[str, ...] = ()
    ) -> None:
        self._folder = folder
        self._allowed = allowed
        self._timeout = timeout
        # Held while a change is carried out; held while a snapshot is made; held while the process is
        # replaced.
        self._changing = threading.Lock()
        self._publishing = threading.Lock()
        self._replacing = threading.Lock()
        self._closed = False
        self._committed = self._published = 0
        self._published_at = self._took = 0.0
        self._process = _Process(folder, allowed)
        self._snapshots = SnapshotFolder(snapshots)
        self._publish_now()

    @property
    def pid(self) -> int:
        """Process identifier of the writing process."""
        return self._process.pid

    def write(self, change: Change, budget: float | None = None, stop: Callable[[], bool] = never) -> None:
        """Carry out a change; see `Writing.write`."""
        with self._changing:
            if self._closed:
                raise StoreFailedError("the store is closed")
            if isinstance(change, ChangeFilesRequest):
                # A large change is committed in several steps, during which no snapshot may be made.
                self._publish_now()
            before = self._process
            try:
                self._carry_out(change, budget, stop)
            except BaseException:
                if self._process is not before:
                    # What was broken off may have changed something all the same.
                    self._committed += 1
                    self._publish_now()
                raise
            self._committed += 1
            number = self._committed
        self._publish(number)

    def settle(self) -> None:
        """Publish every commit."""
        self._publish_now()

    def backup(self, path: Path) -> None:
        """Copy the last commit to a new folder, by hard links on the same disk."""
        with self._changing:
            self._checkpoint(path)

    def close(self) -> None:
        """Stop the writing process and remove the snapshots."""
        if self._closed:
            return
        self._closed = True
        with self._changing, self._publishing, self._replacing:
            self._process.end(_STOP_TIME)
        self._snapshots.clear()

    def _carry_out(self, change: Change, budget: float | None, stop: Callable[[], bool]) -> None:
        if not self._process.is_alive():
            self._replace(self._process)
        process = self._process
        deadline = monotonic() + budget if budget is not None else None
        try:
            process.changes.send(change)
            while not process.changes.poll(_POLL):
                if deadline is not None and monotonic() > deadline:
                    raise TimeoutError
                if stop():
                    raise _StoppedError
            answer = process.changes.recv()
        except _StoppedError:
            self._replace(process)
            raise QueryStoppedError(
                "the change was cancelled; nothing of it is stored", mend="Start it again if you want it."
            ) from None
        except TimeoutError:
            # A killed transaction was never committed: the engine rolls it back when it opens again.
            self._replace(process)
            raise stopped(True, 0, self._timeout, 0) from None
        except (EOFError, OSError):
            self._replace(process)
            raise StoreFailedError(
                "the writing process ended; the change may be stored or not",
                mend="Check whether it is there before you try again.",
            ) from None
        except KeyboardInterrupt:
            # A change that was broken off must not be finished behind the user's back.
            self._replace(process)
            raise
        if isinstance(answer, Exception):
            raise answer

    def _publish(self, number: int) -> None:
        """Publish the commits up to a number when it is their turn, together with later ones."""
        with self._publishing:
            if self._published >= number:
                return
            if self._snapshots.is_read():
                sleep(max(0.0, self._published_at + max(_PACE, _SHARE * self._took) - monotonic()))
            self._make_snapshot()

    def _publish_now(self) -> None:
        with self._publishing:
            if self._published < self._committed or not self._published_at:
                self._make_snapshot()

    def _make_snapshot(self) -> None:
        if self._closed:
            raise StoreFailedError("the store is closed")
        number, started = self._committed, monotonic()
        path = self._snapshots.path(number)
        try:
            self._checkpoint(path)
            self._snapshots.publish(path)
        except (DiplographError, OSError) as error:
            retry = threading.Timer(_RETRY, self._retry)
            retry.daemon = True
            retry.start()
            raise StoreFailedError(
                f"what was changed is stored, but cannot be read yet: {error}",
                where=str(self._snapshots.folder),
                mend="Free space on the disk; it is tried again every few seconds.",
            ) from None
        self._published = number
        self._published_at = monotonic()
        self._took = self._published_at - started

    def _retry(self) -> None:
        if not self._closed:
            try:
                self._publish_now()
            except StoreFailedError:
                return  # The next try is on its way.

    def _checkpoint(self, path: Path) -> None:
        process = self._process
        try:
            answer = self._ask_for_checkpoint(process, path)
        except (EOFError, OSError):
            # The next process has what was committed.
            self._replace(process)
            answer = self._ask_for_checkpoint(self._process, path)
        if isinstance(answer, Exception):
            raise answer

    @staticmethod
    def _ask_for_checkpoint(process: _Process, path: Path) -> object:
        process.checkpoints.send(str(path.absolute()))
        if not process.checkpoints.poll(_CHECKPOINT_TIME):
            raise TimeoutError
        answer: object = process.checkpoints.recv()
        return answer

    def _replace(self, process: _Process) -> None:
        """End a writing process and start another, once."""
        with self._replacing:
            if self._process is process and not self._closed:
                process.end(0)
                self._process = _Process(self._folder, self._allowed)


class _StoppedError(Exception):
    pass

"""The writer: the one process that has the store's folder open, and the snapshots of its commits.

A commit is acknowledged once a snapshot with it is the current one. A snapshot costs each reader an opening,
so commits are published together, several times a second, while the last snapshot is read; while it is not,
each commit is published at once.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Final

from kg.errors import DiplographError, DiskFullError, QueryStoppedError, StoreFailedError, is_disk_full
from kg.processes import CONTEXT, end, start_connected
from kg.store.embedded import EmbeddedStore
from kg.store.free_space import require_space
from kg.store.interface import never
from kg.store.isolated.limits import too_slow
from kg.store.isolated.messages import RunRequest
from kg.store.isolated.snapshots import SnapshotFolder
from kg.store.isolated.writer_process import run_writer

# Opening after a crash may have a large change to finish first.
_RECOVERY_TIME: Final = 3600.0
_CHECKPOINT_TIME: Final = 60.0
_STOP_TIME: Final = 5.0
_POLL: Final = 0.2
# Seconds between two snapshots that are read: at least, at most, and how many times as long as making one.
_PACE: Final = 0.15
_SLOWEST_PACE: Final = 2.0
_SHARE: Final = 3.0
_RETRY: Final = 5.0

_log = logging.getLogger(__name__)


class Writing(ABC):
    """The writer as a store uses it, in this process or in another."""

    @abstractmethod
    def write(
        self, change: RunRequest, budget: float | None = None, stop: Callable[[], bool] = never
    ) -> None:
        """Carry out a change within `budget` seconds; return when it is committed and published.

        `stop` is called several times a second; when it returns True, the change is broken off. When an
        error is raised, nothing was committed, unless it is a StoreFailedError whose message says otherwise.
        """

    @abstractmethod
    def settle(self) -> None:
        """Publish every commit."""

    @abstractmethod
    def backup(self, path: Path) -> None:
        """Copy the last commit to a new folder; raises StoreFailedError."""

    @abstractmethod
    def check(self) -> None:
        """Check that changes can be stored, after an attempt to mend what failed last.

        Raises DiskFullError, StoreFailedError.
        """

    @abstractmethod
    def close(self) -> None:
        """Release the writer; safe to call twice."""


class _Process:
    """The writing process, with a connection for changes and one for checkpoints."""

    def __init__(self, folder: Path, allowed: tuple[str, ...]) -> None:
        self._folder = folder
        self._ended = False
        self.finished_change = False
        self.checkpoints, theirs = CONTEXT.Pipe()
        with theirs:
            self._process, self.changes = start_connected(run_writer, theirs, folder.resolve(), allowed)
        self.pid = self._process.pid or 0

    def await_opening(self) -> None:
        """Wait until it has opened the store; raises what `EmbeddedStore` raises."""
        try:
            opened = self.changes.recv() if self.changes.poll(_RECOVERY_TIME) else None
        except (EOFError, OSError):
            opened = StoreFailedError(
                "the writing process ended while it opened the store", where=str(self._folder)
            )
        if not isinstance(opened, bool):
            self.end(0)
            raise opened or StoreFailedError("opening the store took too long", where=str(self._folder))
        self.finished_change = opened

    def end(self, grace: float) -> None:
        """Ask the process to end, and kill it after `grace` seconds.

        The connection for checkpoints may be in use by another thread, which finds its other side closed.
        """
        self.changes.close()
        if not self._ended:
            self._ended = True
            end(self._process, grace)


class Writer(Writing):
    """Holds the folder, in the process that serves it. Raises what `EmbeddedStore` raises."""

    def __init__(self, folder: Path, snapshots: Path, allowed: tuple[str, ...] = ()) -> None:
        self._folder = folder
        self._allowed = allowed
        # Held, in this order: while a change is carried out, a snapshot is made, the process is replaced.
        self._changing = threading.Lock()
        self._publishing = threading.Lock()
        self._replacing = threading.Lock()
        self._closing = threading.Event()
        self._close_by = 0.0
        self._committed, self._published = 0, -1
        self._published_at = self._took = 0.0
        self._retrying = False
        # Why the engine takes no more changes: after a failure of the disk it must be opened again.
        self._fault: StoreFailedError | None = None
        self._process = _Process(folder, allowed)
        try:
            self._snapshots = SnapshotFolder(snapshots)
            self._open()
        except BaseException as error:
            self._closing.set()
            self._process.end(0)
            if isinstance(error, OSError):
                raise StoreFailedError(
                    f"the folder of snapshots cannot be made: {error.strerror}",
                    where=str(snapshots),
                    mend="Change the permissions so that you may write there, and free space on the disk.",
                ) from None
            raise

    @property
    def pid(self) -> int:
        """Process identifier of the writing process."""
        return self._process.pid

    def write(
        self, change: RunRequest, budget: float | None = None, stop: Callable[[], bool] = never
    ) -> None:
        """Carry out a change; see `Writing.write`."""
        with self._changing:
            self._require_open()
            require_space(self._folder)
            try:
                self._mend()
            except StoreFailedError as error:
                error.detail = f"this change was not carried out, as the disk failed before: {error.detail}"
                raise
            if change.function is EmbeddedStore.change_files:
                # A large change is committed in several steps, during which no snapshot may be made.
                self.settle()
            before = self._process
            try:
                self._carry_out(change, budget, stop)
            except BaseException as error:
                self._note(error)
                if self._process is not before:
                    # A change that was broken off may have been committed all the same.
                    self._committed += 1
                    with suppress(StoreFailedError):
                        self.settle()
                raise
            self._committed += 1
            number = self._committed
        self._publish(number)

    def settle(self) -> None:
        """Publish every commit."""
        with self._publishing:
            if self._published < self._committed:
                self._make_snapshot()

    def backup(self, path: Path) -> None:
        """Copy the last commit to a new folder, by hard links on the same disk."""
        with self._changing:
            self._require_open()
            self._checkpoint(path.absolute)

    def check(self) -> None:
        """Check that changes can be stored; see `Writing.check`."""
        self._require_open()
        require_space(self._folder)
        fault = self._fault
        if fault is not None and self._changing.acquire(blocking=False):
            try:
                self._mend()
            finally:
                self._changing.release()
        elif fault is not None:
            raise fault

    def close(self) -> None:
        """Stop the writing process and remove the snapshots; a long change is broken off after 5 s."""
        if self._closing.is_set():
            return
        self._close_by = monotonic() + _STOP_TIME
        self._closing.set()
        with self._changing, self._publishing, self._replacing:
            self._process.end(_STOP_TIME)
            self._process.checkpoints.close()
        self._snapshots.clear()

    def _require_open(self) -> None:
        if self._closing.is_set():
            raise StoreFailedError("the store is closed")

    def _open(self) -> None:
        try:
            self._process.await_opening()
            self.settle()
        except DiskFullError as error:
            _log.error("%s is served as it is, and takes no changes: %s", self._folder, error)
            self._process.end(0)
            self._fault = error
            self._snapshots.serve_last_or(self._folder)
            self._try_again()

    def _note(self, error: BaseException) -> None:
        if isinstance(error, DiskFullError) or (
            isinstance(error, StoreFailedError) and "IO error" in str(error)
        ):
            self._fault = error

    def _mend(self) -> None:
        """After a failure of the disk, open the engine again and publish what is committed."""
        if self._fault is not None:
            self._replace(self._process)
            self._committed += 1
            self._fault = None
            self.settle()

    def _carry_out(self, change: RunRequest, budget: float | None, stop: Callable[[], bool]) -> None:
        process = self._send(change)
        started = monotonic()
        try:
            while not process.changes.poll(_POLL):
                if budget is not None and monotonic() - started > budget:
                    raise too_slow(budget)
                if stop():
                    raise QueryStoppedError("the change was cancelled", mend="Start it again if you want it.")
                if self._closing.is_set() and monotonic() > self._close_by:
                    raise EOFError
            answer = process.changes.recv()
        except BaseException as error:
            if self._closing.is_set():
                raise StoreFailedError(
                    "the store was closed during a change, which may be stored or not"
                ) from None
            # A killed transaction was never committed: the engine rolls it back when it opens again. A large
            # change of which only removals are left is finished instead.
            if self._replace(process).finished_change and isinstance(error, Exception):
                return
            if isinstance(error, (EOFError, OSError)):
                raise StoreFailedError(
                    "the writing process ended; the change may be stored or not",
                    mend="Check whether it is there before you try again.",
                ) from None
            raise
        if isinstance(answer, Exception):
            raise answer

    def _send(self, change: RunRequest) -> _Process:
        process = self._process
        # A process that has nothing to answer sends nothing but its end.
        if not (process.changes.closed or process.changes.poll()):
            with suppress(OSError):
                process.changes.send(change)
                return process
        # It ended while it had nothing to do, and cannot have read the whole change.
        process = self._replace(process)
        try:
            process.changes.send(change)
        except OSError:
            raise StoreFailedError("the writing process ended twice", where=str(self._folder)) from None
        return process

    def _publish(self, number: int) -> None:
        """Publish the commits up to a number when it is their turn, together with later ones."""
        with self._publishing:
            if self._published >= number:
                return
            if self._snapshots.is_read():
                pace = min(max(_PACE, _SHARE * self._took), _SLOWEST_PACE)
                self._closing.wait(max(0.0, self._published_at + pace - monotonic()))
            self._make_snapshot()

    def _make_snapshot(self) -> None:
        number, started = self._committed, monotonic()
        try:
            self._require_open()
            self._snapshots.publish(self._checkpoint(self._snapshots.new_path))
        except (DiplographError, OSError) as error:
            kind = DiskFullError if is_disk_full(error) else StoreFailedError
            failed = kind(
                f"the last change is stored, but cannot be read yet: {error}",
                where=str(self._snapshots.folder),
                mend="Free space on the disk; publishing is tried again every few seconds.",
            )
            self._note(failed)
            self._try_again()
            raise failed from None
        self._published = number
        self._published_at = monotonic()
        self._took = self._published_at - started

    def _try_again(self) -> None:
        if not self._retrying and not self._closing.is_set():
            self._retrying = True
            threading.Thread(target=self._retry, name="publish", daemon=True).start()

    def _retry(self) -> None:
        while self._retrying and not self._closing.wait(_RETRY):
            with self._changing, suppress(StoreFailedError):
                self._mend()
                self.settle()
                self._retrying = False

    def _checkpoint(self, new_path: Callable[[], Path]) -> Path:
        process = self._process
        for _ in range(2):
            try:
                return self._make_checkpoint(process, new_path())
            except (EOFError, OSError):
                # The next process has every commit.
                process = self._replace(process)
        raise StoreFailedError("the writing process made no checkpoint")

    @staticmethod
    def _make_checkpoint(process: _Process, path: Path) -> Path:
        process.checkpoints.send(str(path.absolute()))
        if not process.checkpoints.poll(_CHECKPOINT_TIME):
            raise TimeoutError
        answer: object = process.checkpoints.recv()
        if isinstance(answer, Exception):
            raise answer
        return path

    def _replace(self, process: _Process) -> _Process:
        """End a writing process and start another, unless that was done already; return the present one."""
        with self._replacing:
            if self._process is process:
                self._require_open()
                process.end(0)
                fresh = _Process(self._folder, self._allowed)
                try:
                    fresh.await_opening()
                except BaseException:
                    fresh.end(0)
                    raise
                self._process = fresh
            return self._process

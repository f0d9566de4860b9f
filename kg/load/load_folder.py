"""Loads on disk: one folder each, with its state and files, shared by all processes of a data folder."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, Literal

from kg.errors import (
    CancelledError,
    ConflictError,
    DiplographError,
    DiskFullError,
    StoreFailedError,
    UnknownNameError,
    is_disk_full,
)
from kg.load.locks import in_turn, is_locked, locked, sync_folder
from kg.load.model import Follower, Preview, Progress, Records, counted
from kg.rdf.compression import find_packed
from kg.store.free_space import require_space
from kg.table.record_table import FOLDER as TABLES

KEPT_SECONDS: Final = 24 * 3600.0
"""How long a preview, or the record of a failed load, is kept."""

_STATE: Final = "state.json"
_CANCEL: Final = "cancel"
_WRITE_EVERY: Final = 0.5
_TIME: Final = "%Y%m%dt%H%M%S%fz"
_ID: Final = re.compile(r"[a-z0-9-]{1,80}")

Action = Literal["preview", "store", "undo"]
"""What is done with a load."""

_PASSING: Final = ("receiving", "ready", "failed", "cancelled", "unchanged")
UNDER_WAY: Final = ("receiving", "reading", "waiting", "storing", "undoing", "following")


@dataclass
class LoadState:
    """Progress of one load.

    `step` is receiving, reading, then ready (or unchanged); waiting, storing, following, then stored;
    waiting, undoing, following, then undone; or failed or cancelled. In the files, waiting and following are
    not written: `LoadFolder.shown` finds them by locks. `load` is the IRI of its PROV record; `problem` is
    the error that ended the last step: title, detail, where, mend, findings. `records` is the choice of the
    request, and `notes` say what else the user should know of a stored load.
    """

    id: str
    step: str = "receiving"
    file_name: str = ""
    updated: float = 0.0
    phase: str = ""
    done: int = 0
    total: int | None = None
    phase_since: float = 0.0
    preview: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None
    load: str | None = None
    undo: str | None = None
    skipped: list[str] = field(default_factory=list)
    added_bytes: int | None = None
    followed: bool = True
    kept: list[str] = field(default_factory=list)
    fold_into: str | None = None
    started_by: str = ""
    records: Records = "both"
    notes: list[str] = field(default_factory=list)

    @property
    def ended(self) -> bool:
        """Whether no process works on the load."""
        return self.step not in UNDER_WAY

    @property
    def can_be_stored(self) -> bool:
        """Whether it is previewed and not stored; also after a failure that left the files of the preview."""
        return self.step in ("ready", "unchanged") or (self.step == "failed" and self.preview is not None)

    @property
    def can_be_cancelled(self) -> bool:
        """Whether its work can be stopped, so that nothing is stored."""
        return self.step in ("receiving", "reading", "storing") or (self.step == "waiting" and not self.load)

    @property
    def per_second(self) -> float:
        """Rate of the current phase; 0 while unknown."""
        elapsed = self.updated - self.phase_since
        return self.done / elapsed if self.done and elapsed > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """Estimated remaining time of the current phase; None while unknown."""
        if not self.total or not self.per_second:
            return None
        return max(0, self.total - self.done) / self.per_second

    def plan(self) -> Preview:
        """Return the preview; raises ConflictError if there is none yet."""
        if self.preview is None:
            raise ConflictError(f"load {self.id} has no preview", mend="Wait until the file is read.")
        try:
            return Preview.restored(self.preview)
        except (TypeError, KeyError, ValueError, AttributeError):
            raise ConflictError(
                f"the preview of load {self.id} is damaged",
                mend="Load the file again; what is stored is not affected.",
            ) from None


_STEPS: Final = frozenset((*_PASSING, *UNDER_WAY, "stored", "undone"))
_FIELDS: Final = frozenset(field.name for field in fields(LoadState))


@dataclass
class LoadFolder:
    """The folder of one load."""

    path: Path
    _written: float = field(default=0.0, init=False)

    @property
    def id(self) -> str:
        """Identifier of the load."""
        return self.path.name

    @property
    def source(self) -> Path:
        """Folder of the uploaded file."""
        return self.path / "source"

    @property
    def added(self) -> Path:
        """File of the statements to add, compressed or not."""
        return find_packed(self.path / "added.nq")

    @property
    def removed(self) -> Path:
        """File of the statements to remove, compressed or not."""
        return find_packed(self.path / "removed.nq")

    def read(self) -> LoadState:
        """Read the state, without fields that another version wrote. Raises UnknownNameError."""
        try:
            values = json.loads((self.path / _STATE).read_text(encoding="utf-8"))
            state = LoadState(**{name: value for name, value in values.items() if name in _FIELDS})
            number = isinstance(state.updated, int | float)
            if state.id != self.id or state.step not in _STEPS or not number:
                raise ValueError(state.id)
            return state
        except (OSError, ValueError, TypeError, AttributeError):
            raise UnknownNameError(
                f"there is no load {self.id}",
                mend="List the loads to see their ids; a preview is kept for a day.",
            ) from None

    def write(self, state: LoadState, *, lasting: bool = True) -> None:
        """Write the state atomically; a `lasting` one survives a power failure."""
        state.updated = time.time()
        unfinished = self.path / f"{_STATE}.{secrets.token_hex(4)}"
        with unfinished.open("w", encoding="utf-8") as file:
            json.dump(asdict(state), file, ensure_ascii=False)
            file.flush()
            if lasting:
                os.fsync(file.fileno())
        unfinished.replace(self.path / _STATE)
        if lasting:
            sync_folder(self.path)

    def recording(self, state: LoadState, also: Progress, *, may_end: bool = True) -> Progress:
        """Return a progress function that records the state, at most twice a second, and reports to `also`.

        It raises CancelledError after a request to cancel, if the work `may_end`.
        """

        def record(phase: str, done: int, total: int | None = None) -> None:
            now = time.time()
            begins = phase != state.phase
            if begins or now - self._written >= _WRITE_EVERY:
                state.phase_since = now if begins else state.phase_since
                state.phase, state.done, state.total, self._written = phase, done, total, now
                self.write(state, lasting=False)
                if may_end and self.cancelled():
                    raise CancelledError(
                        "the load was cancelled; nothing was stored", mend="Load the file again."
                    )
            also(phase, done, total)

        return record

    def cancel(self) -> None:
        """Ask the process that works on the load to stop."""
        (self.path / _CANCEL).touch()

    def cancelled(self) -> bool:
        """Return whether the load was asked to stop."""
        return (self.path / _CANCEL).exists()

    def fail(self, state: LoadState, error: BaseException) -> None:
        """Record the error that ended the load and remove its files."""
        state.step = "cancelled" if isinstance(error, CancelledError) else "failed"
        state.problem, state.preview = describe(error), None
        self.clear()
        # The disk may be full.
        with suppress(OSError):
            self.write(state)

    def note(self, state: LoadState, error: BaseException) -> None:
        """Record why the load was not stored, or not undone, and keep its files: it can be tried again."""
        if state.can_be_stored and not isinstance(error, CancelledError):
            state.step = "failed"
        state.problem = describe(error)
        with suppress(OSError):
            self.write(state)

    def clear(self) -> None:
        """Remove all files except the state and the locks."""
        for path in self.path.iterdir():
            if path.name not in (_STATE, "lock") and path.suffix != ".lock":
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.path, ignore_errors=True)

    @contextmanager
    def requested(self, what: Action) -> Iterator[None]:
        """Show others which action is requested, also while it waits for its turn.

        Raises ConflictError if the same was requested already.
        """
        with locked(self.path / f"{what}.lock") as got:
            if not got:
                raise ConflictError(
                    f"the request to {what} load {self.id} is under way already",
                    mend="Wait until it has finished; its page shows the progress.",
                )
            if what == "store":
                # An earlier request to cancel no longer applies.
                (self.path / _CANCEL).unlink(missing_ok=True)
            yield

    @contextmanager
    def after(self, what: Action) -> Iterator[None]:
        """Wait for a request that is under way, and keep others from making the same."""
        with locked(self.path / f"{what}.lock", waiting=lambda: None):
            yield

    def is_requested(self, what: Action) -> bool:
        """Return whether a process has requested this and waits for the end of it."""
        return is_locked(self.path / f"{what}.lock")

    def was_requested(self, what: Action) -> bool:
        """Return whether a process has ever requested this."""
        return (self.path / f"{what}.lock").exists()

    def shown(self) -> LoadState:
        """Return the state as others see it: also whether it waits for its turn, or others follow it."""
        # The locks first: what ends meanwhile is then shown as still under way, never as not begun.
        busy, storing, undoing = (
            self.is_being_processed(),
            self.is_requested("store"),
            self.is_requested("undo"),
        )
        state = self.read()
        if state.step == "stored" and undoing and state.followed:
            return _waiting(state)
        if state.step in ("stored", "undone") and (busy or storing or undoing):
            return replace(state, step="following")
        if state.can_be_stored and (busy or storing):
            return _waiting(state)
        return state

    def is_being_processed(self) -> bool:
        """Return whether a process works on the load."""
        return is_locked(self.path / "lock")

    @contextmanager
    def working(self, waiting: Callable[[], None] | None = None) -> Iterator[None]:
        """Lock the load; raises ConflictError if another process has locked it.

        With `waiting`, which is called meanwhile, it waits until the lock is free.
        """
        with locked(self.path / "lock", waiting=waiting) as got:
            if not got:
                raise ConflictError(
                    f"load {self.id} is being processed",
                    mend="Wait until it has finished; its page shows the progress.",
                )
            yield


@dataclass
class Loads:
    """The loads of a data folder, and what is updated with the graph after each of them."""

    root: Path
    followers: Sequence[Follower] = ()

    @property
    def tables(self) -> Path:
        """Folder of the tables of records, beside the loads."""
        return self.root.with_name(TABLES)

    def new(
        self, file_name: str, started_by: str = "", *, step: str = "receiving"
    ) -> tuple[LoadFolder, LoadState]:
        """Create a folder whose identifier sorts by time and cannot be guessed.

        Pass `step="reading"` if the file needs no upload, so that recovery after a crash removes it at once.
        Raises DiskFullError.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        require_space(self.root)
        load_id = f"{self._next_time():{_TIME}}-{secrets.token_hex(8)}"
        folder = LoadFolder(self.root / load_id)
        folder.source.mkdir(parents=True)
        state = LoadState(load_id, step=step, file_name=file_name, started_by=started_by)
        folder.write(state)
        return folder, state

    def _next_time(self) -> datetime:
        """Return the time, or one after the last load's where the clock was set back: ids order loads."""
        last = max((path.name.partition("-")[0] for path in self.root.glob("[0-9]*/")), default="")
        now = datetime.now(UTC)
        try:
            return max(now, datetime.strptime(last, _TIME).replace(tzinfo=UTC) + timedelta(microseconds=1))
        except (ValueError, OverflowError):
            return now

    def open(self, load_id: str) -> LoadFolder:
        """Find a load by its id. Raises UnknownNameError."""
        folder = LoadFolder(self.root / load_id)
        if not _ID.fullmatch(load_id) or not folder.path.is_dir():
            raise UnknownNameError(f"there is no load {load_id}", mend="List the loads to see their ids.")
        return folder

    def all(self) -> list[tuple[LoadFolder, LoadState]]:
        """List the loads with a state, oldest first."""
        found = []
        for path in sorted(self.root.glob("*/")):
            folder = LoadFolder(path)
            try:
                found.append((folder, folder.read()))
            except UnknownNameError:
                continue
        return found

    def tidy(self, now: float | None = None) -> None:
        """Remove loads that were not stored within a day."""
        before = (now or time.time()) - KEPT_SECONDS
        for folder, state in self.all():
            if state.step in _PASSING and state.updated < before:
                folder.remove()

    @contextmanager
    def storing(self, progress: Progress) -> Iterator[None]:
        """Lock the graph for one load at a time, in the order of their requests.

        `progress` is told meanwhile how many are ahead, and may raise an error.
        """

        def waiting(ahead: int = 1) -> None:
            progress(f"waiting behind {counted(ahead, 'other load')}", 0)

        with in_turn(self.root / ".queue", waiting), locked(self.root / ".storing", waiting=waiting):
            yield

    def are_stored(self) -> bool:
        """Return whether a load or an undo is changing the graph now."""
        return is_locked(self.root / ".storing")


def _waiting(state: LoadState) -> LoadState:
    phase = state.phase if state.phase.startswith("waiting") else "waiting"
    return replace(state, step="waiting", phase=phase, done=0, total=None, problem=None)


@contextmanager
def disk_errors() -> Iterator[None]:
    """Turn OSError into StoreFailedError; nothing was stored then."""
    try:
        yield
    except OSError as error:
        kind = DiskFullError if is_disk_full(error) else StoreFailedError
        raise kind(
            f"a file of the load cannot be read or written: {error.strerror or error}",
            where=str(error.filename) if error.filename else None,
            mend="Free disk space or correct the permissions of the data folder, then load the file again.",
        ) from None


def describe(error: BaseException) -> dict[str, Any]:
    """Return an error as JSON values that a page can show."""
    title = "The load failed"
    if isinstance(error, DiplographError):
        title = error.title
    elif isinstance(error, OSError):
        error = StoreFailedError(
            str(error.strerror or error), mend="Free disk space and load the file again."
        )
    else:
        error = StoreFailedError("an unexpected error occurred", mend="See the log of the server.")
    return {
        "kind": type(error).__name__,
        "title": title,
        "detail": error.detail,
        "where": error.where,
        "mend": error.mend,
        "findings": list(error.findings),
    }

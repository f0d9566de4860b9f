"""A worker: a process that answers queries on the current snapshot, one after the other."""

from __future__ import annotations

import os
import resource
import select
import traceback
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import psutil

from kg.errors import DiplographError, StoreFailedError
from kg.languages import speak
from kg.rdf.formats import result_format
from kg.store.embedded import EmbeddedAnswer, EmbeddedStore
from kg.store.isolated.limits import Limits, too_large
from kg.store.isolated.messages import (
    CloseRequest,
    Done,
    Head,
    RunRequest,
    WorkerQuery,
    WriteRequest,
    pack,
    unpack,
)
from kg.store.isolated.row_limit import write_limited
from kg.store.isolated.snapshots import OpenSnapshot, current_version

PIECE: Final = 64 * 1024
# Seconds after which an idle worker opens a newer snapshot, so that the older one can be removed.
_IDLE: Final = 5.0

Request = WorkerQuery | WriteRequest | CloseRequest | RunRequest
Opener = Callable[[Path, Limits], EmbeddedStore]
"""A module-level function that opens a snapshot, or an object that can be pickled and called like one."""


def open_plainly(snapshot: Path, limits: Limits) -> EmbeddedStore:
    """Open a snapshot with nothing beside it."""
    return EmbeddedStore.open_snapshot(snapshot, allowed=limits.allowed)


def run_worker(connection: Connection, snapshots: Path, limits: Limits, open_snapshot: Opener) -> None:
    """Answer the requests on a connection until it is closed. Messages of the engine are discarded."""
    with Path(os.devnull).open("wb") as silent:
        os.dup2(silent.fileno(), 2)
    # The engine aborts at the limit of memory; the image of its memory would fill the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    worker = _Worker(connection, snapshots, limits, open_snapshot)
    ready = select.poll()
    ready.register(connection, select.POLLIN)
    try:
        while True:
            while not ready.poll(_IDLE * 1000):
                worker.refresh()
            worker.carry_out(connection.recv_bytes())
    except (EOFError, OSError):
        return


class _Worker:
    def __init__(
        self, connection: Connection, snapshots: Path, limits: Limits, open_snapshot: Opener
    ) -> None:
        self._connection = connection
        self._open_snapshot = open_snapshot
        self._snapshots = snapshots
        self._limits = limits
        self._opened: OpenSnapshot | None = None
        self._store = EmbeddedStore()
        self._answer: EmbeddedAnswer | None = None
        self._rows = 0

    def carry_out(self, message: bytes) -> None:
        """Carry out one request and send its answer, or the error; raises OSError if it cannot be sent."""
        try:
            self._carry_out(unpack(message))
        except DiplographError as error:
            self._send(error)
        except MemoryError:
            self._send(too_large(self._limits.memory))
        except Exception as error:
            self._send(_portable(error))

    def refresh(self) -> None:
        """Open the current snapshot, unless a result has still to be read from the present one.

        The next request raises what goes wrong here.
        """
        if self._answer is None:
            try:
                self._open_current()
            except DiplographError:
                return

    def _carry_out(self, request: Request) -> None:
        match request:
            case WorkerQuery():
                self._query(request)
            case WriteRequest():
                self._write(request.form)
            case CloseRequest():
                self._answer = None
            case RunRequest():
                self._open_current()
                speak(request.languages)
                self._send(Done(request.function(self._store, *request.args, **request.kwargs)))

    def _query(self, request: WorkerQuery) -> None:
        self._answer = None
        self._open_current()
        store = self._store.tabled
        ask = store.query_whole if request.any_number else store.query
        answer = ask(request.text, request.dataset)
        head = Head(answer.kind, answer.variables, engine=answer.engine)
        self._rows = 0 if request.any_number else self._limits.rows
        form = request.forms.get(head.kind)
        if form is None:
            self._answer = answer
            self._send(head)
        else:
            self._send_result(answer, form, head)

    def _write(self, form: str) -> None:
        answer, self._answer = self._answer, None
        if answer is None:
            raise StoreFailedError("the result has been read already")
        self._send_result(answer, form, None)

    def _send_result(self, answer: EmbeddedAnswer, form: str, head: Head | None) -> None:
        sink = _Sink(self._connection, head)
        write_limited(answer, sink, result_format(answer.kind, form), self._rows)
        sink.end()

    def _send(self, message: object) -> None:
        self._connection.send_bytes(pack(message))

    def _open_current(self) -> None:
        version = current_version(self._snapshots)
        if self._opened is not None and self._opened.version == version:
            return
        self._answer = None
        self._store.close()
        if self._opened is not None:
            self._opened.close()
            self._opened = None
        _limit_memory(None)
        opened = OpenSnapshot(self._snapshots)
        try:
            self._store = self._open_snapshot(opened.path, self._limits)
        except BaseException:
            opened.close()
            raise
        self._opened = opened
        _limit_memory(self._limits.memory)


class _Sink:
    """A binary file that sends what is written to it in large pieces: early failures precede the first."""

    def __init__(self, connection: Connection, head: Head | None) -> None:
        self._connection = connection
        self._head = head
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        if len(self._held) >= PIECE:
            if self._head is not None:
                self._send(self._head)
                self._head = None
            self._send(bytes(self._held))
            self._held.clear()
        return len(data)

    def flush(self) -> None:
        """Do nothing: the last piece is sent by `end`."""

    def end(self) -> None:
        """Send the last piece and the end; a short result is sent with its head in one message."""
        if self._head is not None:
            self._send(replace(self._head, body=bytes(self._held)))
            return
        if self._held:
            self._send(bytes(self._held))
        self._send(None)

    def _send(self, message: Any) -> None:
        self._connection.send_bytes(pack(message))


def _portable(error: Exception) -> Exception:
    """Return an error with its traceback as a note, or one with its text if it cannot be pickled."""
    note = traceback.format_exc()
    error.add_note(note)
    try:
        unpack(pack(error))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
        error.add_note(note)
    return error


def _limit_memory(extra: int | None) -> None:
    # Opening a snapshot reserves memory that is not the query's, so the limit counts from there.
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    ceiling = hard if extra is None else psutil.Process().memory_info().vms + extra
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, hard))

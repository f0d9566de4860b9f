"""A worker: a process that answers queries on the current snapshot, one after the other."""

from __future__ import annotations

import os
import resource
import select
import traceback
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import psutil
from pyoxigraph import NamedNode

from kg.errors import DiplographError, StoreFailedError
from kg.languages import speak
from kg.rdf.formats import result_format
from kg.store.embedded import EmbeddedAnswer, EmbeddedStore
from kg.store.isolated.messages import (
    Done,
    ExportRequest,
    Head,
    Limits,
    QueryRequest,
    RunRequest,
    WriteRequest,
    receive,
    send,
)
from kg.store.isolated.row_limit import write_limited
from kg.store.isolated.snapshots import OpenSnapshot, current_version

PIECE: Final = 64 * 1024
# An idle worker opens a newer snapshot after so many seconds, so that the files of the older one can go.
_IDLE: Final = 5.0

Request = QueryRequest | WriteRequest | ExportRequest | RunRequest


def run_worker(connection: Connection, snapshots: Path, limits: Limits) -> None:
    """Answer the requests on a connection until it is closed. The engine's complaints go nowhere."""
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 2)
    worker = _Worker(connection, snapshots, limits)
    ready = select.poll()
    ready.register(connection, select.POLLIN)
    try:
        while True:
            while not ready.poll(_IDLE * 1000):
                worker.refresh()
            worker.carry_out(receive(connection))
    except (EOFError, OSError):
        return


class _Worker:
    def __init__(self, connection: Connection, snapshots: Path, limits: Limits) -> None:
        self._connection = connection
        self._snapshots = snapshots
        self._limits = limits
        self._opened: OpenSnapshot | None = None
        self._store = EmbeddedStore()
        self._answer: EmbeddedAnswer | None = None
        self._rows = 0

    def carry_out(self, request: Request) -> None:
        """Carry out one request and send its answer."""
        try:
            match request:
                case QueryRequest():
                    self._query(request)
                case WriteRequest():
                    self._write(request.form)
                case ExportRequest():
                    self._open_current()
                    self._store.export(NamedNode(request.graph), Path(request.path))
                    send(self._connection, Done())
                case RunRequest():
                    self._open_current()
                    speak(request.languages)
                    result = request.function(self._store, *request.args, **request.kwargs)
                    send(self._connection, Done(result))
        except DiplographError as error:
            send(self._connection, error)
        except (EOFError, OSError):
            raise
        except Exception as error:
            error.add_note(traceback.format_exc())
            send(self._connection, error)

    def refresh(self) -> None:
        """Open the current snapshot if it is not open yet; the next request raises what is wrong."""
        try:
            self._open_current()
        except DiplographError:
            return

    def _query(self, request: QueryRequest) -> None:
        self._answer = None
        self._open_current()
        answer = self._store.query(request.text, request.dataset)
        head = Head(answer.kind, answer.variables)
        self._rows = 0 if request.any_number else self._limits.rows
        form = request.forms.get(head.kind)
        if form is None:
            self._answer = answer
            send(self._connection, head)
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
            self._store = EmbeddedStore.open_snapshot(opened.path, allowed=self._limits.allowed)
        except BaseException:
            opened.close()
            raise
        self._opened = opened
        _limit_memory(self._limits.memory)


class _Sink:
    """A binary file for the engine to write to, which sends full pieces: early failures precede the first."""

    def __init__(self, connection: Connection, head: Head | None) -> None:
        self._connection = connection
        self._head = head
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        if len(self._held) >= PIECE:
            if self._head is not None:
                send(self._connection, self._head)
                self._head = None
            send(self._connection, bytes(self._held))
            self._held.clear()
        return len(data)

    def flush(self) -> None:
        """Do nothing: the last piece is sent by `end`."""

    def end(self) -> None:
        """Send what is left and the end; a short result goes with its head in one message."""
        if self._head is not None:
            send(self._connection, Head(self._head.kind, self._head.variables, bytes(self._held)))
            return
        if self._held:
            send(self._connection, bytes(self._held))
        send(self._connection, None)


def _limit_memory(extra: int | None) -> None:
    # Opening a snapshot reserves memory that is not the query's, so the limit counts from there.
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    ceiling = hard if extra is None else psutil.Process().memory_info().vms + extra
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, hard))

"""A process of its own around the engine, so that what runs in it can be stopped.

Run as `python -m kg.store.isolated.engine_process reader FD MEMORY ROWS ALLOWED…` or
`writer FD FD FOLDER ALLOWED…`. A
reader answers queries on read-only snapshots; the writer holds the folder, changes it, and makes snapshots.
Both end with their parent. ALLOWED are the URL prefixes that SERVICE and LOAD may reach.
"""

from __future__ import annotations

import json
import os
import resource
import socket
import sys
import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any

import pyoxigraph
from pyoxigraph import NamedNode, RdfFormat

from kg.errors import DiplographError, StoreFailedError
from kg.rdf.formats import result_format
from kg.store.embedded import EmbeddedAnswer, EmbeddedStore
from kg.store.isolated.channel import Channel, ChannelClosedError, end_with_other_side, frame
from kg.store.isolated.row_limit import write_limited
from kg.store.seam import QueryDataset

PIECE = 64 * 1024
# The engine's name for the threads that do so.
_COMPACTION = "rocksdb:low"
_NICENESS = 10


class _Sink:
    """A binary file for the engine to write to; sends full pieces: early failures precede the first."""

    def __init__(self, channel: Channel, head: bytes = b"") -> None:
        self._channel = channel
        self._head = head
        self._held = bytearray()

    def write(self, data: bytes) -> int:
        self._held += data
        if len(self._held) >= PIECE:
            self._channel.send_data(self._held, self._head)
            self._head = b""
            self._held = bytearray()
        return len(data)

    def flush(self) -> None:
        """Do nothing: the last piece goes together with the end."""

    def end(self) -> None:
        """Send what is left and the end, in one go."""
        rest = frame(b"D", self._held) if self._held else b""
        self._channel.send_frames(self._head + rest + frame(b"Z"))


def _dataset(message: dict[str, Any]) -> QueryDataset:
    return QueryDataset(tuple(message["default"]), tuple(message["named"]))


def run_reader(channel: Channel, memory: int, rows: int, allowed: Sequence[str]) -> None:
    """Answer one query after the other until the channel closes."""
    store: EmbeddedStore | None = None
    answer: EmbeddedAnswer | None = None
    limit = rows
    while True:
        message = _read_message(channel.receive()[1])
        try:
            match message["do"]:
                case "open":
                    started = monotonic()
                    answer = None
                    store = None
                    _limit_memory(None)
                    store = EmbeddedStore.open_snapshot(Path(message["path"]), allowed=allowed)
                    _limit_memory(memory)
                    channel.send_message({"seconds": monotonic() - started})
                case "query" if store is not None:
                    text = channel.receive()[1].decode(errors="surrogatepass")
                    answer = store.query(text, _dataset(message))
                    kind = answer.kind
                    head = _head(kind, answer.variables)
                    form = message["forms"].get(kind)
                    limit = 0 if message["any number"] else rows
                    if form is None:
                        channel.send(b"H", head)
                        continue
                    # What can be said at once is: what the result is, and the result.
                    sink = _Sink(channel, frame(b"J", head))
                    _write(answer, sink, form, limit)
                    answer = None
                case "write" if answer is not None:
                    _write(answer, _Sink(channel), message["format"], limit)
                    answer = None
                case "export" if store is not None:
                    store.export(NamedNode(message["graph"]), Path(message["path"]))
                    channel.send_message({})
        except DiplographError as error:
            channel.send_error(error)


@lru_cache(maxsize=64)
def _read_message(message: bytes) -> dict[str, Any]:
    # Queries differ in their texts, which come after; what is said before is the same over and over.
    read: dict[str, Any] = json.loads(message)
    return read


@lru_cache(maxsize=64)
def _head(kind: str, variables: tuple[str, ...]) -> bytes:
    return json.dumps({"kind": kind, "variables": variables}).encode()


def _write(answer: EmbeddedAnswer, sink: _Sink, form: str, rows: int) -> None:
    write_limited(answer, sink, result_format(answer.kind, form), rows)
    sink.end()


def run_writer(channel: Channel, snapshots: Channel, folder: Path, allowed: Sequence[str]) -> None:
    """Hold the folder: change it on one channel, make snapshots on the other, until they close."""
    try:
        store = EmbeddedStore(folder, allowed=allowed)
    except DiplographError as error:
        channel.send_error(error)
        return
    _let_others_come_first()
    channel.send_message({})
    threading.Thread(target=_make_snapshots, args=(store, snapshots), daemon=True).start()
    while True:
        message = channel.receive_message()
        try:
            match message["do"]:
                case "update":
                    store.update(message["text"], _dataset(message))
                case "change":
                    removed, added = channel.receive()[1], channel.receive()[1]
                    store.change(
                        pyoxigraph.parse(removed, format=RdfFormat.N_QUADS),
                        pyoxigraph.parse(added, format=RdfFormat.N_QUADS),
                    )
                case "change files":
                    store.change_files(Path(message["removed"]), Path(message["added"]))
            channel.send_message({})
        except DiplographError as error:
            channel.send_error(error)


def _let_others_come_first() -> None:
    """Have the engine put its tables in order at low priority; Linux alone gives threads one of their own."""
    for thread in Path("/proc/self/task").glob("*"):
        with suppress(OSError):
            if (thread / "comm").read_text(encoding="ascii").strip() == _COMPACTION:
                os.setpriority(os.PRIO_PROCESS, int(thread.name), _NICENESS)


def _make_snapshots(store: EmbeddedStore, channel: Channel) -> None:
    # A thread of its own: a long update must not keep readers from a snapshot of the last commit.
    while True:
        try:
            message = channel.receive_message()
            try:
                store.engine.backup(message["path"])
            except OSError as error:
                channel.send_error(StoreFailedError(f"no snapshot could be made: {error}"))
            else:
                channel.send_message({})
        except ChannelClosedError:
            return


def _limit_memory(extra: int | None) -> None:
    # What the engine reserves to open a snapshot is not the query's: the limit counts from there.
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    ceiling = hard
    if extra is not None:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        ceiling = pages * resource.getpagesize() + extra
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, hard))


def main(arguments: list[str]) -> None:
    """Run as a reader or as the writer until the parent hangs up."""
    role, fd, *rest = arguments
    sock = socket.socket(fileno=int(fd))
    # The engine lets go of the GIL while it works, so this thread sees the hang-up in the middle of a query.
    threading.Thread(target=end_with_other_side, args=(sock,), daemon=True).start()
    try:
        if role == "reader":
            run_reader(Channel(sock), int(rest[0]), int(rest[1]), rest[2:])
        else:
            run_writer(Channel(sock), Channel(socket.socket(fileno=int(rest[0]))), Path(rest[1]), rest[2:])
    except ChannelClosedError:
        pass


if __name__ == "__main__":
    main(sys.argv[1:])

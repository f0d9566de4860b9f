"""The embedded store behind processes: one that writes, several that read, each of which can be stopped."""

from __future__ import annotations

import io
import queue
import secrets
import signal
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyoxigraph
from pyoxigraph import NamedNode, Quad, QueryResultsFormat, QuerySolutions, RdfFormat, Triple

from kg.errors import BusyError, QueryStoppedError, StoreFailedError
from kg.formats import Format, Kind
from kg.store.answer import Row
from kg.store.bulk import SMALL, write_replacement
from kg.store.channel import ChannelClosedError, ChannelTimeoutError
from kg.store.processes import EngineProcess
from kg.store.seam import UNION, QueryDataset
from kg.store.snapshots import Snapshots

_OPEN_TIME = 60.0
# Opening after a crash may have a large change to finish first.
_RECOVERY_TIME = 3600.0
_EXPORT_TIME = 6 * 3600.0
_POLL = 0.2
_STOP_TIME = 5.0
# A process whose channel closed is ending by itself; its own exit status tells why.
_LAST_WORDS = 2.0


class IsolatedStore:
    """Quads in a folder, written by one process and read by `workers` others on snapshots of the last commit.

    A query or update that takes more than `timeout` seconds of engine time, or a query that takes more than
    `memory` bytes, is stopped by killing its process, which is replaced; nobody else notices. `allowed` are
    the URL prefixes that SERVICE and LOAD may reach. Raises what `EmbeddedStore` raises.
    """

    def __init__(
        self,
        folder: Path,
        *,
        snapshots: Path,
        workers: int,
        timeout: float,
        memory: int,
        allowed: Sequence[str] = (),
    ) -> None:
        self._folder = folder
        self._allowed = tuple(allowed)
        self._timeout = timeout
        self._memory = memory
        self._write_lock = threading.Lock()
        self._closed = False
        self._epoch = secrets.token_hex(4)
        self._writer = self._start_writer()
        self._snapshots = Snapshots(snapshots, self._make_snapshot)
        self._readers: set[EngineProcess] = set()
        # Last in, first out: the reader used last has its snapshot open and its caches warm.
        self._idle: queue.LifoQueue[EngineProcess] = queue.LifoQueue()
        for _ in range(workers):
            self._add_reader()

    @property
    def reader_pids(self) -> list[int]:
        """List the processes that answer queries."""
        return sorted(reader.pid for reader in set(self._readers))

    def snapshot_age(self) -> float | None:
        """Give the seconds since the newest snapshot was made."""
        return self._snapshots.age()

    def query(self, text: str, dataset: QueryDataset = UNION) -> IsolatedAnswer:
        """Answer a SPARQL 1.1 query; see `Store.query`.

        Raises BusyError when every reader stays busy, QueryStoppedError when a limit is reached.
        """
        lease = Lease(self, self._take_reader())
        message = {"do": "query", "text": text, "default": dataset.default, "named": dataset.named}
        try:
            lease.refresh()
            lease.say(message)
            head = lease.hear_message()
        except BaseException:
            lease.end()
            raise
        return IsolatedAnswer(lease, head["kind"], tuple(head["variables"]))

    def update(self, text: str, dataset: QueryDataset = UNION) -> None:
        """Carry out a SPARQL 1.1 update; see `Store.update`."""
        message = {"do": "update", "text": text, "default": dataset.default, "named": dataset.named}
        self._write(message, budget=self._timeout)

    def change(self, removed: Iterable[Quad], added: Iterable[Quad]) -> None:
        """Remove and add quads in one transaction; see `Store.change`."""
        parts = [pyoxigraph.serialize(quads, format=RdfFormat.N_QUADS) or b"" for quads in (removed, added)]
        if max(part.count(b"\n") for part in parts) < SMALL:
            self._write({"do": "change"}, parts)
            return
        with self._work_folder() as work:
            for name, part in zip(("removed.nq", "added.nq"), parts, strict=True):
                (work / name).write_bytes(part)
            self.change_files(work / "removed.nq", work / "added.nq")

    def change_files(self, removed: Path, added: Path, *, stop: Callable[[], bool] = lambda: False) -> None:
        """Take the quads of one file out and put those of another in; see `EmbeddedStore.change_files`.

        `stop` is asked several times a second; when it says so the writing process is killed and replaced,
        nothing is changed, and QueryStoppedError raised.
        """
        # Readers keep this snapshot until the change is whole.
        self._snapshots.release(self._snapshots.take())
        message = {"do": "change files", "removed": str(removed.resolve()), "added": str(added.resolve())}
        self._write(message, stop=stop)

    def replace(self, graph: NamedNode, path: Path, record: Iterable[Quad] = ()) -> None:
        """Put a file's triples in the place of what a graph holds; see `Store.replace`."""
        with self._work_folder() as work:
            try:
                files = write_replacement(self.export, graph, path, record, work)
            except (OSError, SyntaxError) as error:
                raise StoreFailedError(
                    f"it cannot take the place of a graph: {error}", where=str(path)
                ) from None
            self.change_files(*files)

    def export(self, graph: NamedNode, path: Path) -> None:
        """Write what a graph holds to a file of N-Triples, in no order, however long it takes."""
        lease = Lease(self, self._take_reader())
        try:
            lease.refresh()
            lease.say({"do": "export", "graph": graph.value, "path": str(path.resolve())})
            lease.hear_message(_EXPORT_TIME)
        finally:
            lease.end()

    @contextmanager
    def _work_folder(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix=".change-", dir=self._folder.resolve().parent) as work:
            yield Path(work)

    @property
    def version(self) -> str:
        """Name the state of the data; see `Store.version`."""
        return f"{self._epoch}-{self._snapshots.version}"

    def close(self) -> None:
        """Stop the processes and remove the snapshots."""
        if self._closed:
            return
        self._closed = True
        for reader in list(self._readers):
            reader.kill()
        with self._write_lock:
            self._writer.kill(_STOP_TIME)
        self._snapshots.clear()

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

    def _write(
        self,
        message: dict[str, Any],
        parts: Iterable[bytes] = (),
        budget: float | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        with self._write_lock:
            channel = self._writer.channel
            try:
                channel.send_message(message)
                for part in parts:
                    channel.send(b"D", part)
                while stop is not None and not channel.ready(_POLL):
                    if stop():
                        raise ChannelTimeoutError
                channel.receive_message(budget)
            except (ChannelTimeoutError, ChannelClosedError) as error:
                # A killed transaction was never committed: the engine rolls it back when it opens again.
                status = self._writer.kill(_LAST_WORDS if isinstance(error, ChannelClosedError) else 0)
                if not self._closed:
                    self._writer = self._start_writer()
                if stop is not None and isinstance(error, ChannelTimeoutError):
                    raise QueryStoppedError(
                        "the change was cancelled; nothing of it is stored",
                        mend="Start it again when you like.",
                    ) from None
                raise _stopped(error, status, self._timeout, self._memory) from None
            except KeyboardInterrupt:
                # What was begun must not be finished behind the back of who broke it off.
                self._writer.kill()
                if not self._closed:
                    self._writer = self._start_writer()
                raise
            finally:
                self._snapshots.outdate()

    def _make_snapshot(self, path: Path) -> None:
        channel = self._writer.channels[1]
        try:
            channel.send_message({"path": str(path.resolve())})
            channel.receive_message(_OPEN_TIME)
        except (ChannelClosedError, ChannelTimeoutError):
            raise StoreFailedError("no snapshot could be made: the writing process is gone") from None

    def _take_reader(self) -> EngineProcess:
        try:
            return self._idle.get(timeout=self._timeout)
        except queue.Empty:
            raise BusyError(
                f"all {len(self._readers)} query processes have been busy for {self._timeout:g} s",
                mend="Try again in a moment.",
            ) from None

    def _add_reader(self) -> None:
        reader = EngineProcess("reader", 1, str(self._memory), *self._allowed)
        self._readers.add(reader)
        self._idle.put(reader)

    def _discard(self, reader: EngineProcess, grace: float = 0) -> int:
        status = reader.kill(grace)
        self._readers.discard(reader)
        if reader.snapshot is not None:
            self._snapshots.release(reader.snapshot)
        if not self._closed:
            self._add_reader()
        return status


class Lease:
    """One reader, lent to one query. It goes back to the others, or is killed and replaced."""

    def __init__(self, store: IsolatedStore, reader: EngineProcess) -> None:
        self._store = store
        self._reader: EngineProcess | None = reader
        self._waited = reader.channel.waited
        self._midway = False

    def refresh(self) -> None:
        """Have the reader open the snapshot of the last commit, unless it has it open."""
        reader, snapshots = self._lent(), self._store._snapshots
        if snapshots.is_current(reader.snapshot):
            return
        fresh = snapshots.take()
        stale, reader.snapshot = reader.snapshot, fresh
        self.say({"do": "open", "path": str(fresh.resolve())})
        self.hear_message(_OPEN_TIME)
        # Neither the start of a process nor the opening of a snapshot is the query's time.
        self._waited = reader.channel.waited
        if stale is not None:
            snapshots.release(stale)

    def say(self, message: dict[str, Any]) -> None:
        """Tell the reader what to do."""
        self._guarded(lambda: self._lent().channel.send_message(message))
        self._midway = True

    def hear_message(self, budget: float | None = None) -> dict[str, Any]:
        """Wait for the reader's answer, for what is left of the query's time unless a budget is given."""
        message: dict[str, Any] = self._guarded(
            lambda: self._lent().channel.receive_message(budget or self._budget()), errors_end_it=False
        )
        self._midway = False
        return message

    def hear_piece(self) -> bytes:
        """Wait for the next piece of data; empty at the end."""
        kind, payload = self._guarded(
            lambda: self._lent().channel.receive(self._budget()), errors_end_it=False
        )
        self._midway = kind == b"D"
        return payload if kind == b"D" else b""

    def end(self) -> None:
        """Give the reader back; one in the middle of its work is killed and replaced. Safe to call twice."""
        reader, self._reader = self._reader, None
        if reader is None:
            return
        if self._midway:
            self._store._discard(reader)
        else:
            self._store._idle.put(reader)

    def _lent(self) -> EngineProcess:
        if self._reader is None:
            raise StoreFailedError("the result has been read or closed already")
        return self._reader

    def _budget(self) -> float:
        return self._store._timeout - (self._lent().channel.waited - self._waited)

    def _guarded(self, step: Callable[[], Any], errors_end_it: bool = True) -> Any:
        try:
            return step()
        except (ChannelTimeoutError, ChannelClosedError) as error:
            reader, self._reader = self._lent(), None
            status = self._store._discard(reader, _LAST_WORDS if isinstance(error, ChannelClosedError) else 0)
            raise _stopped(error, status, self._store._timeout, self._store._memory) from None
        except Exception:
            # An error that the reader told us leaves it ready for the next query.
            self._midway = errors_end_it
            raise


class IsolatedAnswer:
    """A result that another process holds; read once, then the process is free."""

    def __init__(self, lease: Lease, kind: Kind, variables: tuple[str, ...]) -> None:
        self._lease = lease
        self._kind = kind
        self._variables = variables

    def __del__(self) -> None:
        self._lease.end()

    @property
    def kind(self) -> Kind:
        """Tell what it is."""
        return self._kind

    @property
    def variables(self) -> tuple[str, ...]:
        """Name the columns."""
        return self._variables

    def rows(self) -> Iterator[Row]:
        """Read the solutions."""
        pieces = io.BufferedReader(_Pieces(self._pieces("json")))
        solutions = pyoxigraph.parse_query_results(pieces, format=QueryResultsFormat.JSON)
        assert isinstance(solutions, QuerySolutions)  # noqa: S101
        for solution in solutions:
            yield {name: term for name in self._variables if (term := solution[name]) is not None}

    def truth(self) -> bool:
        """Read the boolean."""
        return b"true" in b"".join(self._pieces("json"))

    def triples(self) -> Iterator[Triple]:
        """Read the triples."""
        pieces = io.BufferedReader(_Pieces(self._pieces("nt")))
        for quad in pyoxigraph.parse(pieces, format=RdfFormat.N_TRIPLES):
            yield quad.triple

    def serialize(self, form: Format) -> Iterator[bytes]:
        """Write the result in pieces as the engine makes them; early failures precede the first."""
        return self._pieces(form.name)

    def close(self) -> None:
        """Let the process go, whatever is left unread."""
        self._lease.end()

    def _pieces(self, form: str) -> Iterator[bytes]:
        try:
            self._lease.say({"do": "write", "format": form})
            while piece := self._lease.hear_piece():
                yield piece
        finally:
            self._lease.end()


class _Pieces(io.RawIOBase):
    """The pieces as a file to read."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._left = self._left or next(self._pieces, b"")
        count = min(len(buffer), len(self._left))
        buffer[:count] = self._left[:count]
        self._left = self._left[count:]
        return count


def _stopped(error: Exception, status: int, timeout: float, memory: int) -> QueryStoppedError:
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

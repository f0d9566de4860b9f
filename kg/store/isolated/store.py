"""The embedded store behind processes: one that writes, several that read, each of which can be stopped."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Concatenate, Final, ParamSpec, TypeVar

import pyoxigraph
from pyoxigraph import NamedNode, Quad, RdfFormat

from kg.errors import BusyError, DiplographError, StoreFailedError
from kg.rdf.formats import Kind
from kg.store.bulk_changes import SMALL, write_replacement
from kg.store.isolated.channel import ChannelClosedError, ChannelTimeoutError
from kg.store.isolated.idle import IdleReaders, is_fresh
from kg.store.isolated.keeper import LAST_WORDS, Keeper, Keeping, stopped
from kg.store.isolated.lease import Asking, IsolatedAnswer, Lease
from kg.store.isolated.processes import EngineProcess
from kg.store.seam import UNION, QueryDataset, Store

P = ParamSpec("P")
T = TypeVar("T")

_EXPORT_TIME: Final = 6 * 3600.0
_OPEN_TIME: Final = 60.0
# Whoever needs a reader waits so long for those that see the last commit before another opens it, too.
_SOON: Final = 0.005
# An opening that takes longer than a lookup may is not left to the only reader that is at hand.
_LONG: Final = 0.03
_SPARE: Final = 0.25
_REST: Final = 1.0


class IsolatedStore:
    """Quads in a folder, written by one process and read by `workers` others on snapshots of the last commit.

    A query or update that takes more than `timeout` seconds of engine time, or a query that takes more than
    `memory` bytes, is stopped by killing its process, which is replaced; nobody else notices; one that gives
    more than `rows` rows (0: any number) is stopped, too. `allowed` are the URL prefixes that SERVICE and
    LOAD may reach. With a `keeper` of another process, that one writes and makes the snapshots. `eager`
    readers are started at once, the others when they are needed. Raises what `EmbeddedStore` raises.
    """

    def __init__(
        self,
        folder: Path,
        *,
        snapshots: Path,
        workers: int,
        timeout: float,
        memory: int,
        rows: int = 0,
        allowed: Sequence[str] = (),
        keeper: Keeping | None = None,
        eager: int | None = None,
    ) -> None:
        self._folder = folder
        self._allowed = tuple(allowed)
        self.timeout = timeout
        self.memory = memory
        self._rows = rows
        self._workers = workers
        self._closed = False
        self.keeper = keeper or Keeper(folder, snapshots, timeout=timeout, memory=memory, allowed=allowed)
        self._growing = threading.Lock()
        self._opening_took = 0.0
        # Whether anybody asked here since a snapshot was opened ahead.
        self._asked = False
        self._readers: set[EngineProcess] = set()
        self._idle = IdleReaders()
        # Called from any thread whenever a reader may have become free, for who waits for none.
        self.on_free: Callable[[], None] = lambda: None
        for _ in range(workers if eager is None else min(eager, workers)):
            self._idle.put(self._start_reader())
        if keeper is not None:
            # Where others write, nobody who reads here is to wait for it.
            threading.Thread(target=self._open_ahead, name="open ahead", daemon=True).start()

    @property
    def reader_pids(self) -> list[int]:
        """List the processes that answer queries."""
        return sorted(reader.pid for reader in set(self._readers))

    def snapshot_age(self) -> float | None:
        """Give the seconds since the newest snapshot was made."""
        return self.keeper.age()

    def query(
        self, text: str, dataset: QueryDataset = UNION, forms: Mapping[Kind, str] | None = None
    ) -> IsolatedAnswer:
        """Answer a SPARQL 1.1 query; see `Store.query`.

        `forms` names the format that a result of each kind is to be serialised in; one that is named is
        written at once, and can be read in no other way.

        Raises BusyError when every reader stays busy, QueryStoppedError when a limit is reached.
        """
        return self.begin(text, dataset, forms).answer()

    def query_whole(self, text: str, dataset: QueryDataset = UNION) -> IsolatedAnswer:
        """Answer a question of our own, which may have any number of rows; see `query`."""
        return Asking(self._lend(), text, dataset, None, any_number=True).answer()

    def begin(
        self, text: str, dataset: QueryDataset = UNION, forms: Mapping[Kind, str] | None = None
    ) -> Asking:
        """Ask a reader, and leave it to others to wait for the answer; raises BusyError."""
        return Asking(self._lend(), text, dataset, forms)

    def ask(self, text: str, dataset: QueryDataset, forms: Mapping[Kind, str]) -> Asking | None:
        """Ask a reader that has nothing to do and the last commit open; None where none is at hand.

        Waits for nobody.
        """
        version = self._note_asking()
        reader = self._idle.fresh(version)
        if reader is None:
            return None
        if self._closed or not reader.lives:
            self._idle.put(reader)  # `tend` buries the dead.
            return None
        return Asking(Lease(self, reader), text, dataset, forms)

    @property
    def is_busy(self) -> bool:
        """Tell whether every reader is at work, and there are to be no more of them."""
        return not self._idle and len(self._readers) >= self._workers

    def busy(self) -> BusyError:
        """Say that nobody had time for a query."""
        return BusyError(
            f"all {len(self._readers)} query processes have been busy for {self.timeout:g} s",
            mend="Try again in a moment.",
        )

    def update(self, text: str, dataset: QueryDataset = UNION) -> None:
        """Carry out a SPARQL 1.1 update; see `Store.update`."""
        message = {"do": "update", "text": text, "default": dataset.default, "named": dataset.named}
        self.keeper.write(message, budget=self.timeout)

    def change(self, removed: Iterable[Quad], added: Iterable[Quad]) -> None:
        """Remove and add quads in one transaction; see `Store.change`."""
        parts = [pyoxigraph.serialize(quads, format=RdfFormat.N_QUADS) or b"" for quads in (removed, added)]
        if max(part.count(b"\n") for part in parts) < SMALL:
            self.keeper.write({"do": "change"}, parts)
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
        message = {"do": "change files", "removed": str(removed.resolve()), "added": str(added.resolve())}
        self.keeper.write(message, stop=stop)

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
        lease = self._lend()
        try:
            lease.say({"do": "export", "graph": graph.value, "path": str(path.resolve())})
            lease.hear_message(_EXPORT_TIME)
        finally:
            lease.end()

    @contextmanager
    def _work_folder(self) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix=".change-", dir=self._folder.resolve().parent) as work:
            yield Path(work)

    def run(self, function: Callable[Concatenate[Store, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function here, which sends its queries one by one; see `Store.run`."""
        return function(self, *args, **kwargs)

    @property
    def version(self) -> str:
        """Name the state of the data; see `Store.version`."""
        return f"{self.keeper.epoch}-{self.keeper.version}"

    def settle(self) -> None:
        """Have `version` count every commit, also those that are still to be acknowledged."""
        self.keeper.settle()

    def backup(self, path: Path) -> None:
        """Copy the last commit to a new folder, from which a store can be opened; raises StoreFailedError."""
        self.keeper.backup(path)

    def close(self) -> None:
        """Stop the processes and remove the snapshots."""
        if not self._closed:
            self.release_readers()
            self.keeper.close()

    def tend(self) -> None:
        """Replace readers that somebody ended while they had nothing to do, and end those too many."""
        for reader in self._idle.take_dead():
            self.discard(reader)
        self._end_surplus()

    def release_readers(self) -> None:
        """Stop the processes that read; the keeper stays open for others. This store is closed then."""
        with self._growing:
            self._closed = True
            readers = list(self._readers)
            self._readers.clear()
        for reader in readers:
            reader.kill()
            if reader.snapshot is not None:
                self.keeper.release(reader.snapshot)

    def _lend(self) -> Lease:
        """Lend a reader that sees every commit that is shown by now.

        Raises BusyError when there is none within the time that a query has.
        """
        version = self._note_asking()
        deadline = monotonic() + self.timeout
        while True:
            self._check_open()
            # Those that see it are back soon, mostly, and another one costs an opening.
            soon = _SOON if any(is_fresh(reader, version) for reader in set(self._readers)) else 0.0
            reader = self._idle.get(version, max(0.0, deadline - monotonic()), soon, self._start_opening)
            if reader is None:
                raise self.busy()
            if reader.lives:
                return Lease(self, reader)
            # Somebody ended it while it had nothing to do: no query is to pay for that.
            self.discard(reader)

    def _note_asking(self) -> int:
        """Note that somebody asks, and give the version that is to be seen at least."""
        self._asked = True
        self.keeper.ask()
        return self.keeper.version

    def _start_opening(self, reader: EngineProcess | None) -> bool:
        if reader is None and len(self._readers) >= self._workers:
            return False
        threading.Thread(target=self._open_for_queries, args=(reader,), name="open", daemon=True).start()
        return True

    def _open_for_queries(self, reader: EngineProcess | None) -> None:
        failure: Exception | None = None
        try:
            if reader is not None and not reader.lives:
                self.discard(reader)
            else:
                reader = reader or self._start_reader()
                try:
                    path = self.keeper.take(self.keeper.version)
                except BaseException:
                    self._idle.put(reader)
                    raise
                self._open(reader, path)
                self._idle.put(reader)
        except DiplographError as error:
            failure = error
        except OSError as error:
            failure = StoreFailedError(f"no query process can be started: {error}")
        finally:
            self._idle.opened(failure)
            self.on_free()

    def _open_ahead(self) -> None:
        """Open each snapshot before it is shown, as long as there are any."""
        while not self._closed:
            reader: EngineProcess | None = None
            try:
                with self.keeper.upcoming() as path:
                    reader = None if path is None else self._open_spare(path)
            except StoreFailedError:
                # It is closed, or cannot be reached for a moment.
                sleep(0 if self._closed else _REST)
            finally:
                if reader is not None:
                    self._idle.put(reader)
                    self.on_free()
            self._end_surplus()

    def _open_spare(self, path: Path) -> EngineProcess | None:
        """Open a snapshot in a reader that can be missed meanwhile; None where none can, or nobody asks."""
        wanted, self._asked = self._asked and not self._closed, False
        try:
            reader = self._find_spare() if wanted else None
        except (StoreFailedError, OSError):
            reader = None
        if reader is None:
            self.keeper.release(path)
            return None
        # What keeps this one from opening is told to whoever asks next.
        with suppress(DiplographError):
            self._open(reader, path)
            return reader
        return None

    def _find_spare(self) -> EngineProcess | None:
        if (reader := self._idle.take_oldest(1)) is not None:
            return reader
        if len(self._readers) < self._workers or (self._idle and self._opening_took > _LONG):
            return self._start_reader()
        return self._idle.take_oldest(0) or self._idle.take_next(_SPARE)

    def _open(self, reader: EngineProcess, path: Path) -> None:
        """Have a reader open a snapshot that was taken for it.

        Raises StoreFailedError, QueryStoppedError; then the reader is with the others again, or replaced.
        """
        stale, reader.snapshot = reader.snapshot, None
        try:
            reader.channel.send_message({"do": "open", "path": str(path.resolve())})
            self._opening_took = float(reader.channel.receive_message(_OPEN_TIME)["seconds"])
            with self._growing:
                if reader in self._readers:
                    reader.snapshot = path
        except (ChannelTimeoutError, ChannelClosedError) as error:
            status = self.discard(reader, LAST_WORDS if isinstance(error, ChannelClosedError) else 0)
            raise stopped(error, status, self.timeout, self.memory) from None
        except DiplographError:
            self._idle.put(reader)
            raise
        finally:
            for unused in (stale, path if reader.snapshot is None else None):
                if unused is not None:
                    self.keeper.release(unused)

    def _start_reader(self) -> EngineProcess:
        with self._growing:
            self._check_open()
            reader = EngineProcess("reader", 1, str(self.memory), str(self._rows), *self._allowed)
            self._readers.add(reader)
        return reader

    def _check_open(self) -> None:
        if self._closed:
            raise StoreFailedError("the store is closed")

    def _end_surplus(self) -> None:
        # One more was started for an opening while the others were at work.
        while len(self._readers) > self._workers and (oldest := self._idle.take_oldest(1)) is not None:
            self._end(oldest)

    def _end(self, reader: EngineProcess, grace: float = 0) -> int:
        with self._growing:
            self._readers.discard(reader)
        status = reader.kill(grace)
        if reader.snapshot is not None:
            self.keeper.release(reader.snapshot)
        return status

    def give_back(self, reader: EngineProcess) -> None:
        """Let others have a reader that is through with its work."""
        self._idle.put(reader)
        self.on_free()

    def discard(self, reader: EngineProcess, grace: float = 0) -> int:
        """Kill a reader, after `grace` seconds at most, and replace it; gives its exit status."""
        status = self._end(reader, grace)
        if not self._closed and len(self._readers) < self._workers:
            self._idle.put(self._start_reader())
        self.on_free()
        return status

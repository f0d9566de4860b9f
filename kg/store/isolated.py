"""The embedded store behind processes: one that writes, several that read, each of which can be stopped."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

import pyoxigraph
from pyoxigraph import NamedNode, Quad, RdfFormat

from kg.errors import BusyError, StoreFailedError
from kg.formats import Kind
from kg.store.bulk import SMALL, write_replacement
from kg.store.idle import IdleReaders, is_fresh
from kg.store.keeper import Keeper, Keeping
from kg.store.lease import Asking, IsolatedAnswer, Lease
from kg.store.processes import EngineProcess
from kg.store.seam import UNION, QueryDataset

_EXPORT_TIME = 6 * 3600.0


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
        self._readers: set[EngineProcess] = set()
        self._idle = IdleReaders()
        # Called from any thread whenever a reader may have become free, for who waits for none.
        self.on_free: Callable[[], None] = lambda: None
        for _ in range(workers if eager is None else min(eager, workers)):
            self._add_reader()

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
        self.keeper.ask()
        version = self.keeper.version
        reader = self._idle.get(version, 0)
        if reader is None:
            return None
        fresh = is_fresh(reader, version)
        if not fresh:
            self._idle.opened()
        if not fresh or self._closed or not reader.lives:
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
        """Replace readers that somebody ended while they had nothing to do, and leave no zombie of them."""
        for reader in self._idle.take_dead():
            self.discard(reader)

    def release_readers(self) -> None:
        """Stop the processes that read; the keeper stays open for others. This store is closed then."""
        self._closed = True
        for reader in list(self._readers):
            reader.kill()
            if reader.snapshot is not None:
                self.keeper.release(reader.snapshot)
        self._readers.clear()

    def _lend(self) -> Lease:
        """Lend a reader that sees every commit that is shown by now.

        Raises BusyError when there is none within the time that a query has.
        """
        self.keeper.ask()
        version = self.keeper.version
        deadline = monotonic() + self.timeout
        while True:
            if self._closed:
                raise StoreFailedError("the store is closed")
            reader = self._next_reader(version, deadline - monotonic())
            fresh = is_fresh(reader, version)
            try:
                if reader.lives:
                    return Lease(self, reader) if fresh else self._refreshed(reader, version)
                # Somebody ended it while it had nothing to do: no query is to pay for that.
                self.discard(reader)
            finally:
                if not fresh:
                    self._idle.opened()
                    self.on_free()

    def _refreshed(self, reader: EngineProcess, version: int) -> Lease:
        lease = Lease(self, reader)
        try:
            lease.refresh(version)
        except BaseException:
            lease.end()
            raise
        return lease

    def _next_reader(self, version: int, patience: float) -> EngineProcess:
        idle = self._idle.get(version, 0)
        if idle is None:
            with self._growing:
                if len(self._readers) < self._workers:
                    self._add_reader()
            idle = self._idle.get(version, max(0.0, patience))
        if idle is None:
            raise self.busy()
        return idle

    def _add_reader(self) -> None:
        reader = EngineProcess("reader", 1, str(self.memory), str(self._rows), *self._allowed)
        self._readers.add(reader)
        self._idle.put(reader)

    def give_back(self, reader: EngineProcess) -> None:
        """Let others have a reader that is through with its work."""
        self._idle.put(reader)
        self.on_free()

    def discard(self, reader: EngineProcess, grace: float = 0) -> int:
        """Kill a reader, after `grace` seconds at most, and replace it; gives its exit status."""
        status = reader.kill(grace)
        with self._growing:
            self._readers.discard(reader)
            if not self._closed:
                self._add_reader()
        self.on_free()
        if reader.snapshot is not None:
            self.keeper.release(reader.snapshot)
        return status

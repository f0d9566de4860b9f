"""The embedded store in processes of its own: one writes, several read, each can be stopped."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Concatenate, Final, Generic, ParamSpec, TypeVar

import pyoxigraph
from pyoxigraph import NamedNode, Quad, RdfFormat

from kg.languages import wanted
from kg.rdf.formats import Kind
from kg.store.cancellation import on_stop
from kg.store.embedded import EmbeddedStore
from kg.store.interface import UNION, Plan, QueryDataset, Store, never
from kg.store.isolated.answers import AsyncAnswer, IsolatedAnswer
from kg.store.isolated.lease import Lease
from kg.store.isolated.limits import Limits, PutBackError
from kg.store.isolated.messages import Done, Head, RunRequest, WorkerQuery
from kg.store.isolated.pool import Pool
from kg.store.isolated.snapshots import current_age, current_version
from kg.store.isolated.worker import Opener, open_plainly
from kg.store.isolated.writer import Writer, Writing
from kg.store.isolated.writer_process import change_quads
from kg.store.local import LocalStore

P = ParamSpec("P")
T = TypeVar("T")
W = TypeVar("W", bound=Writing)

_EXPORT_TIME: Final = 6 * 3600.0


class IsolatedStore(LocalStore, Generic[W]):
    """Quads in a folder that `writer` changes, read by up to `workers` processes on snapshots.

    A query or update that takes more than its time, not counting waits for the consumer of a result, and a
    query over another of its `limits` are stopped by killing their process, which is replaced; other requests
    are not affected. A change is acknowledged once its snapshot is published, so that every later query sees
    it. `open_snapshot` opens what the workers read. Raises what `EmbeddedStore` raises.
    """

    def __init__(
        self,
        folder: Path,
        snapshots: Path,
        writer: W,
        limits: Limits,
        workers: int,
        open_snapshot: Opener = open_plainly,
    ) -> None:
        super().__init__(folder)
        self._snapshots = snapshots
        self._limits = limits
        self.writer = writer
        self._pool = Pool(workers, snapshots, limits, open_snapshot)

    @staticmethod
    def open(
        folder: Path, snapshots: Path, limits: Limits, workers: int, open_snapshot: Opener = open_plainly
    ) -> IsolatedStore[Writer]:
        """Open a folder with a writer of its own in this process; raises what `EmbeddedStore` raises."""
        writer = Writer(folder, snapshots, limits.allowed)
        return IsolatedStore(folder, snapshots, writer, limits, workers, open_snapshot)

    def worker_pids(self) -> list[int]:
        """Return the process identifiers of the workers that live."""
        return self._pool.pids()

    def snapshot_age(self) -> float | None:
        """Return the seconds since the current snapshot was published."""
        return current_age(self._snapshots)

    def query(self, text: str, dataset: QueryDataset = UNION) -> IsolatedAnswer:
        """Answer a SPARQL 1.1 query; see `Store.query`.

        Raises also BusyError when every worker stays busy, QueryStoppedError when a limit is reached.
        """
        return self._answer(WorkerQuery(text, dataset))

    def query_whole(self, text: str, dataset: QueryDataset = UNION) -> IsolatedAnswer:
        """Answer a query of our own; see `LocalStore.query_whole`."""
        return self._answer(WorkerQuery(text, dataset, any_number=True))

    async def ask(
        self, text: str, dataset: QueryDataset = UNION, forms: Mapping[Kind, str] | None = None
    ) -> AsyncAnswer:
        """Answer a SPARQL 1.1 query in an event loop; `forms` names the format for each kind of result.

        Cancelling the task stops the query. Raises what `query` raises.
        """
        request = WorkerQuery(text, dataset, dict(forms or {}))
        try:
            lease, head = await self._begin(request)
        except PutBackError:
            lease, head = await self._begin(request, long=True)
        if head.body is not None:
            lease.finish()
        elif head.kind not in (forms or {}):
            lease.pause()
        return AsyncAnswer(lease, head)

    async def _begin(self, request: WorkerQuery, *, long: bool = False) -> tuple[Lease, Head]:
        lease = await self._pool.lend_async(long=long)
        try:
            await lease.send_async(request, len(request.text))
            return lease, await lease.receive_async()
        except BaseException:
            lease.close()
            raise

    def plan(self, text: str, dataset: QueryDataset = UNION) -> Plan:
        """Return how a worker would answer a query; see `Store.plan`."""
        return self.run(_plan, text, dataset)

    def run(self, function: Callable[Concatenate[Store, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a function in a worker, on its snapshot; see `Store.run`."""
        result: T = self._run(RunRequest(function, args, kwargs, wanted()))
        return result

    def update(self, text: str, dataset: QueryDataset = UNION) -> None:
        """Carry out a SPARQL 1.1 update; see `Store.update`."""
        self.writer.write(RunRequest(EmbeddedStore.update, (text, dataset)), budget=self._limits.timeout)

    def change_files(
        self,
        removed: Path,
        added: Path,
        *,
        stop: Callable[[], bool] = never,
        changed: Collection[str] = (),
    ) -> None:
        """Remove the quads of one file and add those of another; see `LocalStore.change_files`.

        `stop` kills the writing process, which is replaced.
        """
        files = (removed.resolve(), added.resolve())
        change = RunRequest(EmbeddedStore.change_files, files, {"changed": set(changed)})
        self.writer.write(change, stop=stop)

    def export(self, graph: NamedNode, path: Path) -> None:
        """Write the triples of a graph to a file; see `Store.export`."""
        self._run(RunRequest(EmbeddedStore.export, (graph, path.resolve())), _EXPORT_TIME)

    @property
    def version(self) -> str:
        """Name of the state of the data; see `Store.version`."""
        return current_version(self._snapshots)

    def settle(self) -> None:
        """Publish what is committed; see `Store.settle`."""
        self.writer.settle()

    def check_writing(self) -> None:
        """Check that changes can be stored; raises DiskFullError, StoreFailedError."""
        self.writer.check()

    def backup(self, path: Path) -> None:
        """Copy the last commit; see `LocalStore.backup`."""
        self.writer.backup(path)

    def close_workers(self) -> None:
        """End the workers; the writer stays open for other processes."""
        self._pool.close()

    def close(self) -> None:
        """End all processes and remove the snapshots."""
        self._pool.close()
        self.writer.close()

    def _answer(self, request: WorkerQuery) -> IsolatedAnswer:
        lease = self._pool.lend()
        try:
            on_stop(lease.interrupt)
            lease.send(request)
            head: Head = lease.receive()
            lease.pause()
        except BaseException:
            lease.close()
            raise
        return IsolatedAnswer(lease, head)

    def _run(self, request: RunRequest, budget: float | None = None) -> Any:
        lease = self._pool.lend()
        try:
            on_stop(lease.interrupt)
            lease.send(request)
            done: Done = lease.receive(budget)
            lease.finish()
        finally:
            lease.close()
        return done.result

    def _change_few(self, removed: list[Quad], added: list[Quad]) -> None:
        # As text: quads as objects take thirty times as long to be sent.
        out, into = (pyoxigraph.serialize(quads, format=RdfFormat.N_QUADS) for quads in (removed, added))
        self.writer.write(RunRequest(change_quads, (out, into)))


def _plan(store: Store, text: str, dataset: QueryDataset) -> Plan:
    return store.tabled.plan(text, dataset)

"""The interface and common code of stores whose engine works on files of this machine."""

from __future__ import annotations

import tempfile
from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path

import pyoxigraph
from pyoxigraph import NamedNode, Quad, RdfFormat

from kg.errors import StoreFailedError
from kg.store.bulk_changes import SMALL, write_replacement
from kg.store.interface import UNION, Answer, QueryDataset, Store, never
from kg.store.outdated_tables import graphs_of
from kg.store.updates import without_blank


class LocalStore(Store):
    """A store whose engine reads and writes files of this machine; `folder` is None for one in memory."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    @abstractmethod
    def query_whole(self, text: str, dataset: QueryDataset = UNION) -> Answer:
        """Answer a query of our own, to which limits on rows, depth and length do not apply."""

    @abstractmethod
    def change_files(
        self,
        removed: Path,
        added: Path,
        *,
        stop: Callable[[], bool] = never,
        changed: Collection[str] = (),
    ) -> None:
        """Remove the quads of one N-Quads file and add those of another, as one step.

        A blank node to be removed has the label that the engine gives it; an added one is new. The files may
        be compressed (.zst). After a crash all of it is stored or nothing. `stop` is called several times a
        second where the engine can be stopped; when it returns True, nothing is changed and QueryStoppedError
        is raised, unless the last step has begun. The tables of records of the graphs `changed` go out of
        use; a load and its undo say themselves what happens to a table. Raises StoreFailedError.
        """

    @abstractmethod
    def backup(self, path: Path) -> None:
        """Copy the last commit to a new folder, which can be opened as a store; raises StoreFailedError."""

    def change(self, removed: Iterable[Quad], added: Iterable[Quad]) -> None:
        """Remove and add quads in one transaction; see `Store.change`.

        More than 20,000 quads go through files, so that memory stays bounded.
        """
        out, into = (map(without_blank, quads) for quads in (removed, added))
        few_out, few_in = list(islice(out, SMALL)), list(islice(into, SMALL))
        if max(len(few_out), len(few_in)) < SMALL:
            if few_out or few_in:
                self._change_few(few_out, few_in)
            return
        with self._work_folder() as work:
            changed: set[str] = set()
            _write(_noting(chain(few_out, out), changed), work / "removed.nq")
            _write(_noting(chain(few_in, into), changed), work / "added.nq")
            self.change_files(work / "removed.nq", work / "added.nq", changed=changed)

    def replace(self, graph: NamedNode, path: Path, record: Iterable[Quad] = ()) -> None:
        """Replace the content of a graph by a file; see `Store.replace`."""
        with self._work_folder() as work:
            try:
                files = write_replacement(self.export, graph, path, record, work)
            except SyntaxError as error:
                raise StoreFailedError(f"the file is not N-Triples: {error}", where=str(path)) from None
            except OSError as error:
                raise StoreFailedError(f"the graph cannot be replaced: {error}", where=str(path)) from None
            self.change_files(*files, changed={graph.value})

    @abstractmethod
    def _change_few(self, removed: list[Quad], added: list[Quad]) -> None:
        """Remove and add fewer than 20,000 quads, without blank nodes, in one transaction."""

    @contextmanager
    def _work_folder(self) -> Iterator[Path]:
        beside = self._folder.resolve().parent if self._folder else None
        with tempfile.TemporaryDirectory(prefix=".change-", dir=beside) as work:
            yield Path(work)


def _noting(quads: Iterable[Quad], graphs: set[str]) -> Iterator[Quad]:
    for quad in quads:
        graphs |= graphs_of((quad,))
        yield quad


def _write(quads: Iterable[Quad], path: Path) -> None:
    pyoxigraph.serialize(quads, str(path), format=RdfFormat.N_QUADS)

"""The embedded store: pyoxigraph in this process, on a folder or in memory."""

from __future__ import annotations

import re
import secrets
import sys
import tempfile
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import pyoxigraph
from pyoxigraph import NamedNode, Quad, QueryBoolean, QuerySolutions, QueryTriples, RdfFormat, Triple

from kg.errors import (
    DiplographError,
    NotAStoreError,
    StoreBusyError,
    StoreFailedError,
    is_disk_full,
)
from kg.rdf.formats import Format, Kind
from kg.rdf.writing import Sink, write_result
from kg.sparql.guard import refuse_excess, refuse_remote_access
from kg.sparql.protection import changed_graphs
from kg.sparql.text import dataset_clauses, with_using
from kg.store.bulk_changes import SMALL, Bulk, count_lines, read_quads
from kg.store.computed_texts import FUNCTION, explain_long_text, is_long, refusing_long_texts
from kg.store.engine_errors import disk_full, explain_failure, explain_syntax, unknown_function
from kg.store.interface import UNION, EngineKind, QueryDataset, Row, never
from kg.store.local import LocalStore
from kg.store.outdated_tables import graphs_of, has_tables, marks
from kg.store.permitted_updates import permitted
from kg.store.unnamed_graph import refuse_unnamed, with_unnamed
from kg.store.updates import graph_terms, has_blank, requests

T = TypeVar("T")

_CHUNK: Final = 64 * 1024
_SPOOL: Final = 8 * 1024 * 1024
# Each of them has the engine read the text once more.
_UNKNOWN_FUNCTIONS: Final = 50
# Files of a RocksDB that was stopped before its first commit; CURRENT, which it writes last, is missing.
_UNBORN: Final = re.compile(
    r"LOCK|LOG(\.old\.\d+)?|IDENTITY|MANIFEST-\d+|OPTIONS-\d+(\.dbtmp)?|\d+\.(dbtmp|log)"
)


class EmbeddedStore(LocalStore):
    """Quads in a RocksDB folder, or in memory when no folder is given.

    Any number of threads may query at once; writers wait for one another. `allowed` are the URL prefixes that
    SERVICE and LOAD may reach. Raises NotAStoreError for a folder that holds other files or cannot be used,
    StoreBusyError when another process has it open.

    Two faults of the engine are visible: a union has a triple once for each graph that holds it (its issue
    1919), so that counts need DISTINCT; and numbers and dates are in canonical form ("1.50" becomes "1.5").
    """

    def __init__(self, folder: Path | None = None, *, allowed: Sequence[str] = ()) -> None:
        super().__init__(folder)
        self._engine: pyoxigraph.Store | None = _open(folder)
        self._allowed = tuple(allowed)
        self._writing = threading.Lock()
        # Cleared during a large exchange; queries wait for its end.
        self._whole = threading.Event()
        self._whole.set()
        self._bulk = Bulk(folder)
        try:
            self.finished_change = self._bulk.recover(self._engine)
            """Whether opening finished a large change that a crash had broken off."""
        except (OSError, RuntimeError, ValueError) as error:
            raise _cannot_open(str(error), str(folder)) from None
        # Two stores, or two openings of one, never share a version.
        self._epoch = secrets.token_hex(4)
        self._changes = 0

    @classmethod
    def open_snapshot(cls, folder: Path, *, allowed: Sequence[str] = ()) -> EmbeddedStore:
        """Open a snapshot for reading; its folder must not change."""
        store = cls(allowed=allowed)
        try:
            store._engine = pyoxigraph.Store.read_only(str(folder))
        except (OSError, RuntimeError) as error:
            raise _cannot_open(str(error), str(folder)) from None
        return store

    @property
    def tabled(self) -> EmbeddedStore:
        """The store itself; see `Store.tabled`."""
        return self

    @property
    def engine(self) -> pyoxigraph.Store:
        """The engine. Raises StoreFailedError once the store is closed."""
        if self._engine is None:
            raise StoreFailedError("the store is closed")
        return self._engine

    def query(self, text: str, dataset: QueryDataset = UNION) -> EmbeddedAnswer:
        """Answer a SPARQL 1.1 query; see `Store.query`.

        The answer must be read in the same thread.
        """
        refuse_excess(text)
        refuse_remote_access(text, self._allowed)
        return self.query_whole(text, with_unnamed(text, dataset))

    def query_whole(self, text: str, dataset: QueryDataset = UNION) -> EmbeddedAnswer:
        """Answer a query of our own, which is not searched for excess and addresses to fetch."""
        graphs: dict[str, Any]
        if not (dataset.default or dataset.named):
            # The engine's union would override the query's FROM clauses.
            graphs = {"use_default_graph_as_union": not dataset_clauses(text)}
        else:
            graphs = {
                "default_graph": graph_terms(dataset.default),
                "named_graphs": graph_terms(dataset.named),
            }
        engine = self.engine
        self._whole.wait()
        with _engine_errors(text, "query"):
            ask = partial(engine.query, text, base_iri=dataset.base_iri or None, **graphs)
            return EmbeddedAnswer(_with_unknown_functions(ask))

    def update(self, text: str, dataset: QueryDataset = UNION) -> None:
        """Carry out a SPARQL 1.1 update; see `Store.update`.

        Outside of GRAPH, its patterns and templates mean the unnamed graph and not the union (SPARQL 1.1
        Update section 2.2): an update changes what it reads, and the union cannot be changed.
        """
        refuse_excess(text)
        text = permitted(text, self._allowed, dataset.base_iri)
        refuse_unnamed(text, dataset)
        checked = refusing_long_texts(text)
        if not dataset.is_union:
            graph_terms((*dataset.default, *dataset.named))
            text, checked = (with_using(one, dataset.default, dataset.named) for one in (text, checked))
        with self._writing, _engine_errors(text, "update"):
            engine = self.engine
            outdated = marks(engine, changed_graphs(text, dataset.base_iri)) if has_tables(engine) else []
            engine.extend(outdated)
            try:
                self._run_update(text, checked, dataset.base_iri)
            except BaseException:
                for mark in outdated:
                    engine.remove(mark)
                raise
            self._changes += 1

    def _run_update(self, text: str, checked: str, base_iri: str) -> None:
        """Run an update that is `checked` for long texts."""
        run = partial(self.engine.update, base_iri=base_iri or None)
        try:
            _with_unknown_functions(partial(run, checked))
        except SyntaxError:
            # Its place is that in the text as it was sent.
            _with_unknown_functions(partial(run, text))
        except RuntimeError as error:
            raise explain_long_text(text, str(error)) or error from None

    def change_files(
        self,
        removed: Path,
        added: Path,
        *,
        stop: Callable[[], bool] = never,
        changed: Collection[str] = (),
    ) -> None:
        """Remove the quads of one file and add those of another; see `LocalStore.change_files`.

        `stop` is not called: the engine cannot be stopped in this process.
        """
        with _engine_errors():
            few = [count_lines(path, SMALL) for path in (removed, added)]
            if max(few) < SMALL:
                out = list(read_quads(removed))
                if not any(map(has_blank, out)):
                    self._commit(out, list(read_quads(added)), changed)
                    return
        engine = self.engine
        with self._writing, _engine_errors():
            engine.extend(marks(engine, changed))
            try:
                if few[0] == 0:
                    self._bulk.put_in(engine, added)
                else:
                    self._whole.clear()
                    self._bulk.exchange(engine, removed, added, secrets.token_hex(8))
            finally:
                self._changes += 1
                self._whole.set()

    def export(self, graph: NamedNode, path: Path) -> None:
        """Write the triples of a graph to a file; see `Store.export`."""
        self._whole.wait()
        with _engine_errors():
            self.engine.dump(str(path), format=RdfFormat.N_TRIPLES, from_graph=graph)

    def backup(self, path: Path) -> None:
        """Copy the last commit; see `LocalStore.backup`."""
        with self._writing, _engine_errors():
            self.engine.backup(str(path))

    def _change_few(self, removed: list[Quad], added: list[Quad]) -> None:
        self._commit(removed, added, graphs_of(chain(removed, added)))

    def _commit(self, removed: list[Quad], added: list[Quad], changed: Iterable[str]) -> None:
        engine = self.engine
        with self._writing, _engine_errors():
            added = [*added, *marks(engine, set(changed))]
            for request in requests(removed, added, SMALL, sys.maxsize, blank=True):
                engine.update(request)
                self._changes += 1

    @property
    def version(self) -> str:
        """Name of the state of the data; see `Store.version`."""
        return f"{self._epoch}-{self._changes}"

    def settle(self) -> None:
        """Do nothing: `version` counts a commit at once."""

    def close(self) -> None:
        """Release the folder."""
        self._engine = None


class EmbeddedAnswer:
    """A result of the embedded engine, to be read in the thread of the query; see `Answer`.

    `engine` is that which answered: of quads ("sparql") or of tables ("sql").
    """

    def __init__(
        self, result: QuerySolutions | QueryBoolean | QueryTriples, engine: EngineKind = "sparql"
    ) -> None:
        self._result: Any = result
        self.engine: EngineKind = engine
        self.kind: Kind = "boolean" if isinstance(result, QueryBoolean) else "graph"
        self.variables: tuple[str, ...] = ()
        if isinstance(result, QuerySolutions):
            self.kind, self.variables = "solutions", tuple(v.value for v in result.variables)

    def rows(self) -> Iterator[Row]:
        """Yield the solutions."""
        assert isinstance(self._result, QuerySolutions)  # noqa: S101
        with _engine_errors():
            for solution in self._result:
                columns = zip(self.variables, solution, strict=True)
                yield {name: term for name, term in columns if term is not None}

    def truth(self) -> bool:
        """Return the boolean."""
        return bool(self._result)

    def triples(self) -> Iterator[Triple]:
        """Yield the triples."""
        assert isinstance(self._result, QueryTriples)  # noqa: S101
        with _engine_errors():
            yield from self._result

    def write(self, sink: Sink, form: Format) -> None:
        """Write the whole result to a binary file; raises StoreFailedError, NotAcceptableError."""
        with _engine_errors():
            write_result(self._result, sink, form)

    def serialize(self, form: Format) -> Iterator[bytes]:
        """Yield the serialised result, which is spooled first: a query that fails yields no byte."""
        with tempfile.SpooledTemporaryFile(max_size=_SPOOL) as spool:
            self.write(spool, form)
            # The engine's object must end in this thread; the rest may be read in another.
            self._result = None
            spool.seek(0)
            while chunk := spool.read(_CHUNK):
                yield chunk


def _with_unknown_functions(ask: Callable[..., T]) -> T:
    """Ask the engine; the call of a function that it does not know is an error of its expression alone.

    Such an expression has no value (SPARQL 1.1 sections 17.2 and 17.6). The engine refuses the whole text,
    before it carries anything out, so each function that it names is defined as one without a value.
    """
    functions: dict[NamedNode, Callable[..., Any]] = {FUNCTION: is_long}
    while True:
        try:
            return ask(custom_functions=functions)
        except RuntimeError as error:
            name = unknown_function(str(error))
            if name is None or len(functions) > _UNKNOWN_FUNCTIONS:
                raise
            functions[NamedNode(name)] = _no_value


def _no_value(*terms: Any) -> None:
    """Return no value for any arguments."""


@contextmanager
def _engine_errors(text: str = "", wanted: Literal["query", "update"] | None = None) -> Iterator[None]:
    """Turn the engine's errors into our own, within a block that carries out a `wanted` text or none."""
    try:
        yield
    except DiplographError:
        raise
    except SyntaxError as error:
        if wanted:
            raise explain_syntax(text, str(error), wanted) from None
        raise StoreFailedError(f"the engine refuses the quads: {error}") from None
    except (OSError, RuntimeError, ValueError) as error:
        raise explain_failure(str(error)) from None


def _open(folder: Path | None) -> pyoxigraph.Store:
    if folder is None:
        return pyoxigraph.Store()
    where = str(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = [path.name for path in folder.iterdir()]
    except (FileExistsError, NotADirectoryError):
        raise NotAStoreError("this is a file, not a folder", where=where, mend=_NAME_ANOTHER) from None
    except OSError as error:
        raise NotAStoreError(
            f"the folder cannot be read or made: {error.strerror}",
            where=where,
            mend="Change its permissions so that you may read and write it, or name another folder.",
        ) from None
    if "CURRENT" not in names and not all(_UNBORN.fullmatch(name) for name in names):
        raise NotAStoreError(
            "the folder holds files that are not of a store", where=where, mend=_NAME_ANOTHER
        )
    try:
        return pyoxigraph.Store(folder)
    except (OSError, RuntimeError) as error:
        raise _cannot_open(str(error), where) from None


_NAME_ANOTHER: Final = "Name an empty folder, a new one, or the folder of a store made earlier."


def _cannot_open(message: str, where: str) -> DiplographError:
    if re.match(r"IO error: (While )?lock", message, re.IGNORECASE):
        return StoreBusyError(
            "another process has the store open",
            where=where,
            mend="Stop that process, or work through its server.",
        )
    if re.search(r"Permission denied|Read-only file system", message):
        return NotAStoreError(
            f"the folder cannot be written: {message}",
            where=where,
            mend="Change its permissions so that you may read and write it, or name another folder.",
        )
    if message.startswith(("Corruption", "Invalid argument")):
        return NotAStoreError(
            f"the files are not of a store, or are damaged: {message}",
            where=where,
            mend="Name another folder, or restore it from a backup.",
        )
    if is_disk_full(RuntimeError(message)):
        return disk_full(message, where)
    return StoreFailedError(
        message, where=where, mend="Check the disk of this folder, or name another folder."
    )

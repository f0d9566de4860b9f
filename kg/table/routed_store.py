"""A snapshot whose queries about records are answered from tables, where the answer is provably the same."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyoxigraph
from cachetools import LRUCache
from pyoxigraph import DefaultGraph, NamedNode

from kg.errors import StoreFailedError
from kg.lazy import LazyModule
from kg.sparql.text import dataset_clauses
from kg.store.embedded import EmbeddedAnswer, EmbeddedStore
from kg.store.interface import UNION, Plan, QueryDataset, Row
from kg.store.isolated.limits import Limits
from kg.store.updates import graph_terms
from kg.table.current import current_tables
from kg.table.record_table import RecordTable
from kg.table.sparql_to_sql.not_routed import NotRoutedError
from kg.terms import ONTOLOGY

if TYPE_CHECKING:
    from kg.table.sparql_to_sql import translation
else:
    # rdflib, sqlglot and DuckDB are imported for the first query that they may answer.
    translation = LazyModule("kg.table.sparql_to_sql.translation")

FindTables = Callable[[EmbeddedStore], Iterable[RecordTable]]

_SELECT: Final = re.compile(r"\bselect\b", re.IGNORECASE)
# Not in an IRI, and not a prefix.
_BEYOND: Final = re.compile(r"(?<![\w/#:<])(graph|service|minus)\b(?!\s*:)", re.IGNORECASE)
_LITERAL_FILTER: Final = re.compile(r"filter[\s(]*(?:true|false|[\"'\d.+-])", re.IGNORECASE)
_NAME: Final = re.compile(r"\w+$")
_MEMORY: Final = 2**30
SMALLEST: Final = 10_000
"""Records from which on tables are used: of fewer, the engine answers before a query is translated."""
LARGE: Final = 200_000
"""Records from which on tables are used for the queries of pages, too, which ask for less at once."""
_DATASETS: Final = 4

_log = logging.getLogger(__name__)


class RoutedStore(EmbeddedStore):
    """A snapshot with tables of the records of some graphs beside it, for reading.

    A query that the tables cannot answer with certainty is answered by the engine, as ever. Its answer may
    differ in one thing: a triple of several graphs counts once in the union, as it should (SPARQL 1.1 section
    13.1), where the engine counts it once for each.
    """

    def __init__(self) -> None:
        super().__init__()
        self._tables: tuple[RecordTable, ...] = ()
        self._memory = _MEMORY
        # Local names: a query with none of them is about other things. The anchors are those of properties
        # that only records have, which is looked up for the first query with one of the words.
        self._words: set[str] = set()
        self._anchors: set[str] | None = None
        self._syntax = pyoxigraph.Store()
        self._translators: LRUCache[tuple[str, ...], translation.Translator | None] = LRUCache(_DATASETS)

    @staticmethod
    def open(
        folder: Path,
        find: FindTables,
        *,
        allowed: Iterable[str] = (),
        memory: int = _MEMORY,
        smallest: int = 0,
    ) -> RoutedStore:
        """Open a snapshot and the tables that `find` names for it, which may use `memory` bytes.

        Tables of fewer than `smallest` records together are not used: the engine answers as fast.
        """
        store = RoutedStore()
        store._allowed = tuple(allowed)
        store._engine = EmbeddedStore.open_snapshot(folder).engine
        store.use(find(store), memory=memory, smallest=smallest)
        return store

    @staticmethod
    def beside(store: EmbeddedStore, tables: Path) -> RoutedStore:
        """Return a store that reads the present state of another, which must not change, with its tables."""
        found = RoutedStore()
        found._engine, found._allowed = store.engine, store._allowed
        found.use(current_tables(store, tables), smallest=SMALLEST)
        return found

    def use(self, tables: Iterable[RecordTable], *, memory: int = _MEMORY, smallest: int = 0) -> None:
        """Answer from these tables, if they are as large as `smallest` records."""
        found = tuple(tables)
        if sum(table.rows for table in found) < max(smallest, 1):
            return
        self._tables, self._memory = found, memory
        shared = {name for table in found for name in table.shared}
        names = {column.predicate for table in found for column in table.columns} - shared
        self._words = _local_names({*names, f"{ONTOLOGY}CodingRecord"})

    @property
    def rows(self) -> int:
        """Number of records in the tables that are used."""
        return sum(table.rows for table in self._tables)

    def query_whole(self, text: str, dataset: QueryDataset = UNION) -> EmbeddedAnswer:
        """Answer a query; see `LocalStore.query_whole`."""
        if not self._tables:
            return super().query_whole(text, dataset)
        try:
            found = self._translated(text, dataset)
            if not isinstance(found, str):
                translator, translated = found
                return EmbeddedAnswer(translator.solutions(translated), engine="sql")
        except StoreFailedError as error:
            # A file may have gone with a newer state of the data; the quads are here.
            _log.warning("a query is answered from the quads instead of the tables: %s", error)
        return super().query_whole(text, dataset)

    def plan(self, text: str, dataset: QueryDataset = UNION) -> Plan:
        """Return how a query would be answered; see `Store.plan`."""
        if not self._tables:
            return Plan("sparql", reason="there are no tables of records, or they are small")
        found = self._translated(text, dataset)
        return Plan("sparql", reason=found) if isinstance(found, str) else Plan("sql", sql=found[1].sql())

    def close(self) -> None:
        """Release the folder and the files."""
        for translator in self._translators.values():
            if translator is not None:
                translator.close()
        self._translators.clear()
        super().close()

    def _translated(
        self, text: str, dataset: QueryDataset
    ) -> tuple[translation.Translator, translation.Translated] | str:
        """Return a query in SQL and its translator, or why it is not answered in SQL."""
        if not self._may_name_records(text):
            return "the query names no property that only records have"
        if not _SELECT.search(text):
            return "the query is not a SELECT"
        if beyond := _BEYOND.search(text):
            return f"the query has {beyond[1].upper()}"
        if _LITERAL_FILTER.search(text):
            # rdflib drops a filter that is a false constant.
            return "a filter is a constant"
        if translation.RESERVED.search(text):
            return "a variable has a name that the translation uses itself"
        if dataset_clauses(text) if dataset.is_union else not dataset.default:
            return "the query names its graphs"
        columns = self._columns(text, dataset.base_iri)
        if columns is None:
            return "the engine reads no SELECT in it"
        translator = self._translator(dataset)
        if translator is None:
            return "its graphs have no tables"
        try:
            return translator, translator.translated(text, dataset.base_iri, columns)
        except NotRoutedError as error:
            return str(error)

    def _columns(self, text: str, base_iri: str) -> tuple[str, ...] | None:
        """Return the columns of a SELECT as the engine reads it; None if it reads none.

        The engine decides what is a query.
        """
        try:
            read = self._syntax.query(text, base_iri=base_iri or None)
        except (SyntaxError, RuntimeError, ValueError):
            return None
        if not isinstance(read, pyoxigraph.QuerySolutions):
            return None
        return tuple(name.value for name in read.variables)

    def _may_name_records(self, text: str) -> bool:
        if not any(word in text for word in self._words):
            return False
        if self._anchors is None:
            everywhere = self._translator(UNION)
            self._anchors = _local_names(everywhere.anchors()) if everywhere else set()
        return any(word in text for word in self._anchors)

    def _translator(self, dataset: QueryDataset) -> translation.Translator | None:
        graphs = dataset.default
        if graphs not in self._translators:
            self._translators[graphs] = self._new_translator(graphs)
        return self._translators[graphs]

    def _new_translator(self, graphs: tuple[str, ...]) -> translation.Translator | None:
        tables = [table for table in self._tables if not graphs or table.graph in graphs]
        if not tables:
            return None
        with_table = {table.graph for table in tables}
        everywhere = [*self.engine.named_graphs(), DefaultGraph()]
        terms = graph_terms(graphs) if graphs else everywhere
        others = [
            term
            for term in terms
            if isinstance(term, DefaultGraph)
            or (isinstance(term, NamedNode) and term.value not in with_table)
        ]
        dataset = QueryDataset(graphs)

        def ask(text: str) -> Iterable[Row]:
            return EmbeddedStore.query_whole(self, text, dataset).rows()

        return translation.Translator.over(tables, self.engine, others, ask, self._memory)


def _local_names(iris: Iterable[str]) -> set[str]:
    return {match[0] for iri in iris if (match := _NAME.search(iri))}


@dataclass(frozen=True)
class OpenWithTables:
    """Opens snapshots with the tables of a folder; see `IsolatedStore`."""

    folder: Path
    smallest: int = SMALLEST

    def __call__(self, snapshot: Path, limits: Limits) -> EmbeddedStore:
        """Open a snapshot."""
        store = RoutedStore.open(
            snapshot,
            partial(current_tables, folder=self.folder),
            allowed=limits.allowed,
            memory=limits.memory // 2,
            smallest=self.smallest,
        )
        return store if store.rows >= LARGE else _ForPages(store)


class _ForPages(EmbeddedStore):
    """A snapshot that answers the queries of pages from the quads alone."""

    def __init__(self, routed: RoutedStore) -> None:
        super().__init__(allowed=routed._allowed)
        self._engine = routed.engine
        self._routed = routed

    @property
    def tabled(self) -> EmbeddedStore:
        """The store with its tables; see `Store.tabled`."""
        return self._routed

    def close(self) -> None:
        """Release the folder and the files."""
        super().close()
        self._routed.close()

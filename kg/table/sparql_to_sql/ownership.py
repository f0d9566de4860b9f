"""Which statements only the tables have.

A pattern is answered from the tables alone if no other statement could match it: none in a graph without a
table, and none of another thing than a record.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Final

from pyoxigraph import DefaultGraph, NamedNode, Store

from kg.table.record_table import RecordTable
from kg.table.sparql_to_sql.records import Records
from kg.terms import ONTOLOGY, PREFIXES

TYPE: Final = PREFIXES["rdf"] + "type"
CODING_RECORD: Final = ONTOLOGY + "CodingRecord"
# Statements elsewhere that are looked at to see whether one is about a record.
_LOOKED_AT: Final = 100_000


class Ownership:
    """Compares the tables with the `graphs` of a dataset that have none, in one state of the engine."""

    def __init__(self, records: Records, engine: Store, graphs: Sequence[NamedNode | DefaultGraph]) -> None:
        self._records = records
        self._engine = engine
        self._graphs = graphs
        self._elsewhere: dict[str, bool] = {}
        self._of_records: dict[str, bool] = {}

    def has_all_records(self) -> bool:
        """Return whether every coding record is in a table."""
        record = NamedNode(CODING_RECORD)
        return not any(
            next(self._engine.quads_for_pattern(None, NamedNode(TYPE), record, graph), None)
            for graph in self._graphs
        )

    def only_records(self, predicate: str) -> bool:
        """Return whether all subjects of a property are records of the tables."""
        if predicate not in self._records.columns or predicate in self._records.shared:
            return False
        if predicate not in self._elsewhere:
            self._elsewhere[predicate] = any(
                next(self._engine.quads_for_pattern(None, NamedNode(predicate), None, graph), None)
                for graph in self._graphs
            )
        return not self._elsewhere[predicate]

    def complete(self, predicate: str) -> bool:
        """Return whether the tables hold all values that records have of a property."""
        if predicate not in self._records.columns:
            return False
        if self.only_records(predicate):
            return True
        return not self._elsewhere_of_records(predicate) and not any(
            predicate in table.shared and self._tells_of_others(predicate, table)
            for table in self._records.tables
        )

    def _elsewhere_of_records(self, predicate: str) -> bool:
        known = self._of_records.get(predicate)
        if known is None:
            known = self._of_records[predicate] = any(
                self._is_said_of_a_record(predicate, graph) for graph in self._graphs
            )
        return known

    def _tells_of_others(self, predicate: str, table: RecordTable) -> bool:
        """Return whether a graph with a table may say a property of the records of another table."""
        prefixes = tuple(one.prefix for one in self._records.tables if one.graph != table.graph)
        graph = NamedNode(table.graph)
        return bool(prefixes) and self._is_said_of_a_record(predicate, graph, prefixes)

    def _is_said_of_a_record(
        self, predicate: str, graph: NamedNode | DefaultGraph, prefixes: tuple[str, ...] = ()
    ) -> bool:
        """Return whether a graph has a property of a thing whose IRI is like those of records."""
        quads = self._engine.quads_for_pattern(None, NamedNode(predicate), None, graph)
        number = 0
        for quad in islice(quads, _LOOKED_AT):
            number += 1
            subject = quad.subject
            if isinstance(subject, NamedNode) and subject.value.startswith(prefixes or self._records.prefix):
                return True
        return number == _LOOKED_AT

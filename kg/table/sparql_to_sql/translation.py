"""From the text of a SPARQL query to SQL over the tables, in one state of the store."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from cachetools import LRUCache
from pyoxigraph import DefaultGraph, NamedNode, QuerySolutions, Store
from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.parser import parseQuery
from rdflib.plugins.sparql.parserutils import CompValue
from sqlglot import exp

from kg.table.duckdb_records import DuckDbRecords
from kg.table.record_table import RecordTable
from kg.table.sparql_to_sql.not_routed import NotRoutedError
from kg.table.sparql_to_sql.ownership import CODING_RECORD, Ownership
from kg.table.sparql_to_sql.paths import BLANK, HIDDEN
from kg.table.sparql_to_sql.patterns import Patterns
from kg.table.sparql_to_sql.records import Records
from kg.table.sparql_to_sql.selects import Compiled, Selects
from kg.table.sparql_to_sql.small_parts import Ask, Relation
from kg.terms import compact

RESERVED: Final = re.compile(rf"[?$](?:{HIDDEN}|{BLANK})")
"""Variables that a query must not have."""
_KEPT: Final = 1_000
# Cells of the relations of all translations that are kept, and what a translation itself counts as.
_CELLS: Final = 1_000_000
_ONE: Final = 1_000
_ALGEBRA: Final[LRUCache[tuple[str, str], CompValue]] = LRUCache(_KEPT)


@dataclass(frozen=True)
class Translated:
    """A query in SQL, the relations that it joins with the records, and its variables in their order.

    `properties` are those of the columns of records, by the names of the columns.
    """

    compiled: Compiled
    relations: tuple[Relation, ...]
    variables: tuple[str, ...]
    properties: Mapping[str, str]

    def sql(self) -> str:
        """Return the SQL for people to read, with the property of each column of records."""
        query = self.compiled.query
        used = {node.name for node in query.find_all(exp.Column)}
        legend = [f"-- {name}: {iri}\n" for name, iri in self.properties.items() if name in used]
        return "".join(legend) + query.sql("duckdb", pretty=True)


class Translator:
    """Translates queries over some records; `ask` answers what they ask about other things."""

    @staticmethod
    def over(
        tables: Sequence[RecordTable],
        engine: Store,
        others: Sequence[NamedNode | DefaultGraph],
        ask: Ask,
        memory: int,
    ) -> Translator:
        """Return a translator over tables; `others` are the graphs of the dataset that have none."""
        records = Records(tables)
        return Translator(records, Ownership(records, engine, others), DuckDbRecords(records, memory), ask)

    def __init__(self, records: Records, ownership: Ownership, engine: DuckDbRecords, ask: Ask) -> None:
        self._records = records
        self._ownership = ownership
        self._engine = engine
        self._ask = ask
        self._translated: LRUCache[tuple[str, str], Translated | str] = LRUCache(_CELLS, _size)

    def anchors(self) -> list[str]:
        """Return the properties that only records have, and the class of records."""
        names = [name for name in self._records.columns if self._ownership.only_records(name)]
        return [*names, CODING_RECORD]

    def translated(self, text: str, base_iri: str, variables: tuple[str, ...]) -> Translated:
        """Return a query in SQL; raises NotRoutedError, with the reason, where the answer might differ.

        `variables` are those of the result, in the engine's order.
        """
        key = (text, base_iri)
        found = self._translated.get(key)
        if found is None:
            try:
                found = self._translate(_algebra(key), variables)
            except NotRoutedError as error:
                # The error itself would keep all objects of the frames that it passed.
                found = str(error)
            if _size(found) <= _CELLS:
                self._translated[key] = found
        if isinstance(found, str):
            raise NotRoutedError(found)
        return found

    def solutions(self, translated: Translated) -> QuerySolutions:
        """Run a translated query."""
        return self._engine.solutions(translated.compiled, translated.relations, translated.variables)

    def close(self) -> None:
        """Release the files."""
        self._engine.close()

    def _translate(self, algebra: CompValue, variables: tuple[str, ...]) -> Translated:
        patterns = Patterns(self._records, self._ownership, self._ask, self._engine.distinct)
        compiled = Selects(patterns).compiled(algebra)
        if sorted(compiled.columns) != sorted(variables):
            raise NotRoutedError("the engine reads other variables in the query")
        properties = {column.name: compact(iri) for iri, column in self._records.columns.items()}
        # The columns of other relations have other names than those of records.
        return Translated(compiled, tuple(patterns.relations), variables, properties)


def _size(found: Translated | str) -> int:
    if isinstance(found, str):
        return _ONE
    return _ONE + sum(len(cells) for one in found.relations for _, _, cells in one.columns)


def _read(text: str, base_iri: str) -> CompValue:
    return translateQuery(parseQuery(text), base=base_iri or None).algebra


def _algebra(key: tuple[str, str]) -> CompValue:
    found = _ALGEBRA.get(key)
    if found is None:
        text, base_iri = key
        try:
            # The parser leaves cycles of all frames below it, with what these hold; here it has none of ours.
            with ThreadPoolExecutor(max_workers=1) as reader:
                found = reader.submit(_read, text, base_iri).result()
        except Exception as error:
            raise NotRoutedError(f"rdflib does not read the query: {error}") from None
        _ALGEBRA[key] = found
    return found

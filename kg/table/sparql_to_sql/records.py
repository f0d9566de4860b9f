"""The records of several tables as one relation with common columns."""

from __future__ import annotations

import os.path
from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from kg.table.record_table import RECORD, RecordTable, TableColumn
from kg.table.sparql_to_sql.sql_values import SqlValue, cast, text

VIEW = "records"
"""Name of the relation."""


class Records:
    """All records of some tables, in one schema.

    `columns` are by property; a property that is of another kind in another table is among `others`, which
    only the quads answer. `shared` are those that other things than records bear as well.
    """

    def __init__(self, tables: Sequence[RecordTable]) -> None:
        self.tables = tuple(tables)
        self.prefix = os.path.commonprefix([table.prefix for table in tables])  # noqa: RUF071 - by characters
        self.others = {name for table in tables for name in table.others}
        self.shared = {name for table in tables for name in table.shared}
        self.columns: dict[str, TableColumn] = {}
        found: dict[str, list[TableColumn]] = {}
        for table in tables:
            for column in table.columns:
                found.setdefault(column.predicate, []).append(column)
        for number, (predicate, columns) in enumerate(sorted(found.items())):
            if len({(column.kind, column.language) for column in columns}) > 1:
                self.others.add(predicate)
            if predicate not in self.others:
                self.columns[predicate] = replace(
                    columns[0],
                    name=f"c{number}",
                    complete=len(columns) == len(tables) and all(column.complete for column in columns),
                    prefix=os.path.commonprefix([column.prefix for column in columns]),  # noqa: RUF071 - by characters
                    scale=max(column.scale for column in columns),
                )

    def key(self, table: str) -> SqlValue:
        """Return the identifier of the records of a relation."""
        return SqlValue("iri", exp.column(RECORD, table=table), prefix=self.prefix, record=True)

    def select(self) -> exp.Query:
        """Return the query for all records."""
        alike: dict[tuple[object, ...], list[RecordTable]] = {}
        for table in self.tables:
            alike.setdefault((table.prefix, table.columns), []).append(table)
        parts = [self._part(group) for group in alike.values()]
        whole: exp.Query = parts[0]
        for part in parts[1:]:
            whole = exp.union(whole, part, distinct=False)
        return whole

    def _part(self, tables: Sequence[RecordTable]) -> exp.Select:
        own = {column.predicate: column for column in tables[0].columns}
        cells = [_prefixed(RECORD, tables[0].prefix.removeprefix(self.prefix)).as_(RECORD)]
        for predicate, column in self.columns.items():
            mine = own.get(predicate)
            if mine is None:
                cell: exp.Expr = cast(exp.null(), _type(column))
            elif column.kind == "iri":
                cell = _prefixed(mine.name, mine.prefix.removeprefix(column.prefix))
            elif column.kind == "decimal":
                cell = cast(exp.column(mine.name), _type(column))
            else:
                cell = exp.column(mine.name)
            cells.append(cell.as_(column.name))
        files = exp.Array(expressions=[text(str(table.path)) for table in tables])
        return exp.select(*cells).from_(
            exp.Table(this=exp.Anonymous(this="read_parquet", expressions=[files]))
        )


def _prefixed(name: str, prefix: str) -> exp.Expr:
    column = exp.column(name)
    return exp.DPipe(this=text(prefix), expression=column) if prefix else column


def _type(column: TableColumn) -> str:
    match column.kind:
        case "integer":
            return "BIGINT"
        case "decimal":
            return f"DECIMAL(18, {column.scale})" if column.scale <= 15 else f"DECIMAL(38, {column.scale})"
        case "boolean":
            return "BOOLEAN"
        case "date":
            return "DATE"
        case "dateTime":
            return "TIMESTAMP"
        case _:
            return "VARCHAR"

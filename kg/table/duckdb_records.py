"""DuckDB over the files of records: runs SQL and gives its rows as SPARQL results."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Final

import pyoxigraph
from pyoxigraph import QueryResultsFormat, QuerySolutions
from sqlglot import exp

from kg.errors import StoreFailedError
from kg.lazy import LazyModule
from kg.rdf.piece_file import PieceFile
from kg.store.isolated.limits import too_large
from kg.table.sparql_to_sql.records import VIEW, Records
from kg.table.sparql_to_sql.selects import Compiled
from kg.table.sparql_to_sql.small_parts import Relation
from kg.table.sparql_to_sql.sql_values import DIGITS, XSD, SqlValue

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = LazyModule("duckdb")

_BATCH: Final = 5_000
_DIALECT: Final = "duckdb"


class DuckDbRecords:
    """The records of some tables in DuckDB, for one process and thread.

    A query may use `memory` bytes, and nothing on the disk. DuckDB starts with the first query, since a new
    state of the store may never be asked for records.
    """

    def __init__(self, records: Records, memory: int, threads: int = 2) -> None:
        self._records = records
        self._memory = memory
        self._threads = threads
        self._started: duckdb.DuckDBPyConnection | None = None
        self._distinct: dict[str, list[str]] = {}

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        if self._started is None:
            connection = duckdb.connect()
            folders = sorted({str(table.path.parent) for table in self._records.tables})
            for setting in (
                f"memory_limit = '{self._memory // 2**20} MiB'",
                f"threads = {self._threads}",
                "TimeZone = 'UTC'",
                "temp_directory = ''",
                f"allowed_directories = {exp.array(*map(exp.Literal.string, folders)).sql(_DIALECT)}",
                "enable_external_access = false",
                "lock_configuration = true",
            ):
                connection.execute(f"SET {setting}")
            with self._errors():
                connection.execute(f"CREATE VIEW {VIEW} AS {self._records.select().sql(_DIALECT)}")
            self._started = connection
        return self._started

    def distinct(self, column: str) -> list[str]:
        """Return the different cells of a column of records, 50,001 at most."""
        if column not in self._distinct:
            cell = exp.column(column)
            query = (
                exp.select(cell)
                .distinct()
                .from_(VIEW)
                .where(exp.not_(exp.Is(this=cell.copy(), expression=exp.null())))
            )
            with self._errors():
                rows = self._connection.execute(query.limit(50_001).sql(_DIALECT)).fetchall()
            self._distinct[column] = [row[0] for row in rows]
        return self._distinct[column]

    def solutions(
        self, compiled: Compiled, relations: Iterable[Relation], variables: Sequence[str]
    ) -> QuerySolutions:
        """Run a query and return its solutions, with `variables` in this order, read as they are computed.

        Raises StoreFailedError, QueryStoppedError for one that needs too much memory.
        """
        # Another query may be asked while this result is read; the relations end with the cursor.
        cursor = self._connection.cursor()
        with self._errors():
            for relation in relations:
                cells = ", ".join(f"unnest(?::{kind}[]) AS {name}" for name, kind, _ in relation.columns)
                cursor.execute(
                    f"CREATE TEMP TABLE {relation.name} AS SELECT {cells}",
                    [column for _, _, column in relation.columns],
                )
            cursor.execute(compiled.query.sql(_DIALECT))
        # The first rows are computed now, so that what fails does so before the first byte.
        first = self._fetch(cursor)
        pieces = _json(first, partial(self._fetch, cursor), compiled.columns, variables)
        solutions = pyoxigraph.parse_query_results(
            io.BufferedReader(PieceFile(pieces)), format=QueryResultsFormat.JSON
        )
        assert isinstance(solutions, QuerySolutions)  # noqa: S101
        return solutions

    def close(self) -> None:
        """Release the files."""
        if self._started is not None:
            self._started.close()

    def _fetch(self, cursor: duckdb.DuckDBPyConnection) -> list[Any]:
        with self._errors():
            rows: list[Any] = cursor.fetchmany(_BATCH)
            return rows

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except duckdb.OutOfMemoryException:
            raise too_large(self._memory) from None
        except duckdb.Error as error:
            reason = str(error).partition("\n")[0]
            raise StoreFailedError(f"the tables of records cannot be asked: {reason}") from error


def _json(
    first: list[Any],
    fetch: Callable[[], list[Any]],
    columns: Mapping[str, SqlValue],
    variables: Sequence[str],
) -> Iterator[bytes]:
    """Yield rows as SPARQL results in JSON."""
    names = [name for name, value in columns.items() if value.kind != "unbound"]
    places = list(accumulate((len(columns[name].cells) for name in names), initial=0))
    writers = [
        (json.dumps(name) + ":", _Cell(columns[name]), place)
        for name, place in zip(names, places, strict=False)
    ]
    yield json.dumps({"head": {"vars": list(variables)}})[:-1].encode() + b',"results":{"bindings":['
    rows, before = first, ""
    while rows:
        texts = []
        for row in rows:
            cells = [key + write(row, place) for key, write, place in writers if row[place] is not None]
            texts.append("{" + ",".join(cells) + "}")
        yield (before + ",".join(texts)).encode()
        before = ","
        rows = fetch()
    yield b"]}}"


class _Cell:
    """Writes the cells of one column as terms in JSON."""

    def __init__(self, value: SqlValue) -> None:
        self._prefix = value.prefix
        self._kind = value.kind
        datatype = "decimal" if value.kind == "quotient" else value.kind
        self._literal = f'{{"type":"literal","datatype":"{XSD}'
        if value.kind != "number":
            self._literal += f'{datatype}","value":"'
        self._language = f'{{"type":"literal","xml:lang":{json.dumps(value.language)},"value":'

    def __call__(self, row: Sequence[Any], place: int) -> str:
        cell = row[place]
        match self._kind:
            case "iri":
                return f'{{"type":"uri","value":{json.dumps(self._prefix + cell)}}}'
            case "string":
                return f'{{"type":"literal","value":{json.dumps(cell)}}}'
            case "text":
                return f"{self._language}{json.dumps(cell)}}}"
            case "decimal":
                return f'{self._literal}{_plain(cell)}"}}'
            case "number":
                return (
                    f'{self._literal}{"decimal" if row[place + 1] else "integer"}","value":"{_plain(cell)}"}}'
                )
            case "quotient":
                return f'{self._literal}{_plain(Decimal(cell).scaleb(-DIGITS))}"}}'
            case "boolean":
                return f'{self._literal}{str(cell).lower()}"}}'
            case "dateTime":
                return f'{self._literal}{_moment(cell)}Z"}}'
            case "term":
                return _term(cell)
            case _:
                return f'{self._literal}{cell}"}}'


def _moment(cell: datetime) -> str:
    """Return a time in canonical form, without its zone (XSD 1.1 part 2, section 3.3.7)."""
    text = cell.isoformat(timespec="microseconds")
    return text.rstrip("0").rstrip(".")


def _plain(number: Decimal) -> str:
    """Return a decimal in canonical form (XSD 1.1 part 2, section 3.3.3)."""
    written = format(number, "f")
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return "0" if written in ("-0", "") else written


def _term(text: str) -> str:
    """Return a term in N-Triples as JSON."""
    quad = next(iter(pyoxigraph.parse(f"<a:> <a:> {text} .".encode(), format=pyoxigraph.RdfFormat.N_TRIPLES)))
    term = quad.object
    if isinstance(term, pyoxigraph.NamedNode):
        return f'{{"type":"uri","value":{json.dumps(term.value)}}}'
    if isinstance(term, pyoxigraph.BlankNode):
        return f'{{"type":"bnode","value":{json.dumps(term.value)}}}'
    assert isinstance(term, pyoxigraph.Literal)  # noqa: S101
    kind = (
        f'"xml:lang":{json.dumps(term.language)}' if term.language else f'"datatype":"{term.datatype.value}"'
    )
    return f'{{"type":"literal",{kind},"value":{json.dumps(term.value)}}}'

"""Writing the coding records of a graph as a Parquet file, and reading what such a file says of itself."""

from __future__ import annotations

import os
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from kg.errors import StoreFailedError
from kg.lazy import LazyModule
from kg.table.cell_text import DATATYPES, cell_value, identifier, quoted, term_text
from kg.table.record_table import METADATA, RECORD, ColumnKind, RecordTable, TableColumn
from kg.terms import ID, ONTOLOGY, PREFIXES

if TYPE_CHECKING:
    import duckdb
else:
    duckdb = LazyModule("duckdb")

TYPE: Final = f"<{PREFIXES['rdf']}type>"
CODING_RECORD: Final = f"<{ONTOLOGY}CodingRecord>"

_MEMORY: Final = "700MB"
_THREADS: Final = 2
# Records put into columns at once: the strings that a hash table holds for them cannot be moved to the disk.
_BATCH: Final = 50_000
_LONGEST_LINE: Final = 16 * 1024**2
# Properties that become columns; the rarer ones beyond do not.
_COLUMNS: Final = 200
_DIGITS: Final = 18
# The lines of records, except those of their class.
_SAID: Final = f"id IS NOT NULL AND NOT (p = '{TYPE}' AND o = '{CODING_RECORD}')"
_ROW_GROUP: Final = 122_880
_LOCAL_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*$")
_STEM: Final = re.compile(r".*[^A-Za-z0-9%]")
_LANGUAGE: Final = re.compile(r'"@[a-z]+(?:-[a-z0-9]+)*$')


def write_table(lines: Path, graph: str, target: Path, *, triples: bool = False) -> RecordTable | None:
    """Write the coding records of a graph, in the order of their names; return None if there are none.

    `lines` is a file of N-Quads, or of `triples` of the graph alone, which may be compressed. It must hold
    all quads of each record. After a crash, the file is there as a whole or not at all. Raises
    StoreFailedError, OSError.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_suffix(".part")
    try:
        with working(target.parent, target) as engine:
            table = _Writing(engine, lines, graph, "" if triples else f" <{graph}>").write(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if table is not None:
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(target)
    return table


def read_table(path: Path) -> RecordTable:
    """Read the schema of a file; raises StoreFailedError for one that is damaged or not ours."""
    try:
        with closing(duckdb.connect()) as engine:
            found = engine.execute(
                "SELECT decode(value) FROM parquet_kv_metadata($1) WHERE decode(key) = $2",
                [str(path), METADATA],
            ).fetchone()
            return RecordTable.described(path, found[0] if found else "")
    except (duckdb.Error, ValueError, KeyError, TypeError) as error:
        raise _failed(error, path) from None


def shared_records(table: RecordTable, others: Iterable[RecordTable]) -> list[RecordTable]:
    """Return the tables among others that hold one of the records of a table."""
    by_prefix: dict[str, dict[str, RecordTable]] = defaultdict(dict)
    for other in others:
        by_prefix[other.prefix][str(other.path)] = other
    found: list[RecordTable] = []
    with working(table.path.parent, table.path) as engine:
        for prefix, files in by_prefix.items():
            # Names are compared as they are where they have the same beginning.
            same = prefix == table.prefix
            here, there = (RECORD if same else f"{quoted(one)} || {RECORD}" for one in (table.prefix, prefix))
            rows = engine.execute(
                f"SELECT DISTINCT filename FROM read_parquet($1, filename = true) "
                f"WHERE {there} IN (SELECT {here} FROM read_parquet($2))",
                [list(files), str(table.path)],
            ).fetchall()
            found += [files[name] for (name,) in rows]
    return found


def read_lines(path: Path) -> str:
    """Return the SQL of the lines of a file, which may be compressed, as rows of one column."""
    packed = {".zst": "zstd", ".gz": "gzip"}.get(path.suffix, "none")
    return (
        f"read_csv({quoted(str(path))}, compression = '{packed}', delim = '\x01', quote = '', escape = '', "
        f"header = false, auto_detect = false, max_line_size = {_LONGEST_LINE}, "
        "columns = {'line': 'VARCHAR'})"
    )


@contextmanager
def working(folder: Path, where: Path) -> Iterator[Any]:
    """Open DuckDB with bounded memory and a work folder; its errors become StoreFailedError for `where`."""
    with tempfile.TemporaryDirectory(prefix=".table-", dir=folder) as work:
        try:
            with closing(_connect(Path(work))) as engine:
                yield engine
        except duckdb.Error as error:
            raise _failed(error, where) from None


def _connect(work: Path) -> Any:
    return duckdb.connect(
        ":memory:",
        config={
            "threads": _THREADS,
            "memory_limit": _MEMORY,
            "temp_directory": str(work),
            "autoinstall_known_extensions": False,
        },
    )


def _failed(error: Exception, path: Path) -> StoreFailedError:
    reason = (str(error).splitlines() or ["it is empty"])[0]
    return StoreFailedError(f"the table of records cannot be used: {reason}", where=str(path))


@dataclass(frozen=True)
class _Property:
    """A property of the records: its raw column of terms, one of its terms, and the number of all of them."""

    predicate: str
    raw: str
    sample: str
    count: int


class _Writing:
    """Writes one table. `ending` is what the lines of the graph have before the full stop."""

    def __init__(self, engine: Any, lines: Path, graph: str, ending: str) -> None:
        self._engine = engine
        self._lines = lines
        self._graph = graph
        self._ending = ending + " ."

    def write(self, part: Path, target: Path) -> RecordTable | None:
        """Write the file `part`; return the table, which is to lie at `target`."""
        prefix = self._find_records()
        if prefix is None:
            return None
        self._read_lines()
        properties = self._properties()
        rows = self._spread(properties)
        columns = self._columns(properties, rows)
        raw = {one.predicate: one.raw for one in properties}
        others = tuple(sorted(raw.keys() - {column.predicate for column in columns}))
        shared = self._shared()
        table = RecordTable(self._graph, target, rows, prefix, columns, others, shared)
        start = len(prefix) + 2
        cells = [f"substr(s, {start}, length(s) - {start}) AS {RECORD}"]
        cells += [f"{cell_value(one, raw[one.predicate])} AS {identifier(one.name)}" for one in columns]
        self._engine.execute(
            f"COPY (SELECT {', '.join(cells)} FROM records LEFT JOIN wide USING (id) ORDER BY id) "
            f"TO {quoted(str(part))} (FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2, "
            f"ROW_GROUP_SIZE {_ROW_GROUP}, KV_METADATA {{{METADATA}: {quoted(table.metadata())}}})"
        )
        return table

    def _one(self, query: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self._engine.execute(query).fetchone()
        return row

    def _find_records(self) -> str | None:
        """Find the records and number them by name.

        Returns what precedes each name, None if there are none or one is not a plain IRI.
        """
        ending = f" {TYPE} {CODING_RECORD}{self._ending}"
        self._engine.execute(
            f"CREATE TABLE records AS SELECT row_number() OVER (ORDER BY s) AS id, s FROM "
            f"(SELECT DISTINCT left(line, length(line) - {len(ending)}) AS s "
            f"FROM {read_lines(self._lines)} WHERE ends_with(line, {quoted(ending)}))"
        )
        odd = "NOT starts_with(s, '<') OR contains(s, '\\') OR contains(s, ' ')"
        first, last, odd = self._one(f"SELECT min(s), max(s), count(*) FILTER ({odd}) FROM records")
        return None if first is None or odd else _stem(first[1:-1], last[1:-1])

    def _read_lines(self) -> None:
        """Take apart the lines of the records, except those of their class; note what other things have."""
        self._engine.execute(
            "CREATE TABLE lines AS WITH "
            f"whole AS (SELECT line, strpos(line, ' ') AS i FROM {read_lines(self._lines)} "
            f"WHERE ends_with(line, {quoted(self._ending)})), "
            "rest AS (SELECT left(line, i - 1) AS s, substr(line, i + 1) AS rest FROM whole), "
            "parted AS (SELECT s, rest, strpos(rest, ' ') AS i FROM rest) "
            "SELECT id, left(rest, i - 1) AS p, CASE WHEN id IS NOT NULL THEN "
            f"substr(rest, i + 1, length(rest) - i - {len(self._ending)}) END AS o "
            "FROM parted LEFT JOIN records USING (s)"
        )

    def _properties(self) -> list[_Property]:
        """List the properties, the most frequent first."""
        found = self._engine.execute(
            f"SELECT p, any_value(o), count(*) FROM lines WHERE {_SAID} GROUP BY p ORDER BY count(*) DESC, p"
        ).fetchall()
        return [_Property(p[1:-1], f"c{number}", term, n) for number, (p, term, n) in enumerate(found)]

    def _shared(self) -> tuple[str, ...]:
        """Return the properties of the other things of the graph."""
        found = self._engine.execute("SELECT DISTINCT p FROM lines WHERE id IS NULL").fetchall()
        return tuple(sorted(p[1:-1] for (p,) in found))

    def _spread(self, properties: list[_Property]) -> int:
        """Spread the lines into one row for each record; return the number of records."""
        (rows,) = self._one("SELECT count(*) FROM records")
        some = properties[:_COLUMNS]
        names = "".join(f", {one.raw} VARCHAR" for one in some)
        values = "".join(f", max(o) FILTER (p = {quoted(f'<{one.predicate}>')})" for one in some)
        self._engine.execute(f"CREATE TABLE wide (id BIGINT{names})")
        for start in range(1, rows + 1, _BATCH):
            within = f"id BETWEEN {start} AND {start + _BATCH - 1}"
            self._engine.execute(f"INSERT INTO wide SELECT id{values} FROM lines WHERE {within} GROUP BY id")
        return int(rows)

    def _columns(self, properties: list[_Property], rows: int) -> tuple[TableColumn, ...]:
        """Return the properties that a column says in full: one value a record at most, all of one kind."""
        some = [one for one in properties[:_COLUMNS] if (_kind(one.sample) and f"<{one.predicate}>" != TYPE)]
        if not some:
            return ()
        wanted = [part for one in some for part in _extent(one)]
        found = iter(self._one(f"SELECT {', '.join(wanted)} FROM wide"))
        columns: list[tuple[_Property, TableColumn]] = []
        names = {RECORD}
        for one in some:
            count, first, last = next(found), next(found), next(found)
            column = _column(one, count == rows, first, last, names)
            if count == one.count and column is not None:
                names.add(column.name.lower())
                columns.append((one, column))
        if not columns:
            return ()
        cells = ", ".join(
            f"{one.raw}, {cell_value(c, one.raw)} AS {identifier(c.name)}" for one, c in columns
        )
        same = ", ".join(f"bool_and({one.raw} IS NULL OR {_read_back(c, one.raw)})" for one, c in columns)
        kept = self._one(f"SELECT {same} FROM (SELECT {cells} FROM wide)")
        return tuple(column for (_, column), whole in zip(columns, kept, strict=True) if whole)


def _kind(term: str) -> ColumnKind | None:
    """Return the kind of column that could have a term, None if none could."""
    if term.startswith("<"):
        return None if term.startswith("<<") else "iri"
    if term.endswith('"'):
        return "string"
    if _LANGUAGE.search(term):
        return "text"
    return next((kind for kind, ending in DATATYPES.items() if term.endswith(ending)), None)


def _extent(one: _Property) -> tuple[str, str, str]:
    """Return the SQL of the number of values of a property, and of two measures of them.

    These are the first and last IRI, or the digits before and after the point of decimals.
    """
    count = f"count({one.raw})"
    match _kind(one.sample):
        case "iri":
            return count, f"min({one.raw})", f"max({one.raw})"
        case "decimal":
            digits = f"ltrim(split_part({one.raw}, '\"', 2), '-')"
            whole, fraction = (f"max(length(split_part({digits}, '.', {part})))" for part in (1, 2))
            return count, whole, fraction
        case _:
            return count, "NULL", "NULL"


def _column(one: _Property, complete: bool, first: Any, last: Any, names: set[str]) -> TableColumn | None:
    """Build the column of a property; None for decimals with too many digits."""
    kind = _kind(one.sample)
    assert kind is not None  # noqa: S101
    match kind:
        case "iri":
            low, high = first[1:-1], last[1:-1]
            prefix = ID if low.startswith(ID) and high.startswith(ID) else _stem(low, high)
            return TableColumn(_name(one, names), one.predicate, kind, complete, prefix=prefix)
        case "text":
            language = one.sample.rpartition("@")[2]
            return TableColumn(_name(one, names), one.predicate, kind, complete, language=language)
        case "decimal":
            if first + last > _DIGITS:
                return None
            return TableColumn(_name(one, names), one.predicate, kind, complete, scale=last)
        case _:
            return TableColumn(_name(one, names), one.predicate, kind, complete)


def _read_back(column: TableColumn, raw: str) -> str:
    """Return the SQL of whether a cell says what the term in the raw column says."""
    if column.kind in ("string", "text"):
        # An escape that nobody needs is no difference.
        return f"{identifier(column.name)} IS NOT NULL"
    return f"coalesce({term_text(column)} = {raw}, false)"


def _name(one: _Property, names: set[str]) -> str:
    """Return the local name of a property, or its number where that is none or another column has it."""
    found = _LOCAL_NAME.search(one.predicate)
    return found[0] if found and found[0].lower() not in names else one.raw


def _stem(first: str, last: str) -> str:
    """Return the common beginning of all IRIs between two, up to the last character before a name."""
    same = "".join(
        one for one, _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    )
    found = _STEM.match(same)
    return found[0] if found else ""

"""The quads of a table's records, written in SQL, and their comparison with those of the graph."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pyoxigraph import NamedNode

from kg.errors import DiplographError
from kg.store import Store
from kg.table.cell_text import identifier, quoted, term_text
from kg.table.current import KnownTable, file_digest, known_tables, open_table
from kg.table.record_files import CODING_RECORD, TYPE, read_lines, working
from kg.table.record_table import RECORD, RecordTable


def lines_query(table: RecordTable, ending: str = "") -> str:
    """Return the SQL of what a table says as lines of N-Triples, with `ending` (` <graph>`) of N-Quads."""
    record = f"{quoted('<' + table.prefix)} || {RECORD}"
    source = f"FROM read_parquet({quoted(str(table.path))})"
    end = quoted(f"{ending} .")
    selects = [f"SELECT {record} || {quoted(f'> {TYPE} {CODING_RECORD}')} || {end} AS line {source}"]
    selects += [
        f"SELECT {record} || {quoted(f'> <{column.predicate}> ')} || {term_text(column)} || {end} AS line "
        f"{source} WHERE {identifier(column.name)} IS NOT NULL"
        for column in table.columns
    ]
    return " UNION ALL ".join(selects)


def first_difference(table: RecordTable, triples: Path) -> str | None:
    """Return the first line that only the table or only its graph has; None if they say the same.

    `triples` is the graph as the store exports it. Properties that are no columns are not compared. Raises
    StoreFailedError for a file that cannot be read.
    """
    others = ", ".join(quoted(f"<{name}>") for name in table.others)
    ending = f" {TYPE} {CODING_RECORD} ."
    compared = f"(p NOT IN ({others}) OR ends_with(line, {quoted(ending)}))" if others else "true"
    with working(triples.parent, table.path) as engine:
        engine.execute(
            "CREATE TABLE graph AS SELECT line, split_part(line, ' ', 1) AS s, split_part(line, ' ', 2) AS p "
            f"FROM {read_lines(triples)}"
        )
        engine.execute(
            f"CREATE TABLE stored AS SELECT line FROM graph WHERE {compared} AND s IN "
            f"(SELECT s FROM graph WHERE ends_with(line, {quoted(ending)}))"
        )
        engine.execute(f"CREATE TABLE tabled AS {lines_query(table)}")
        found = engine.execute(
            "SELECT line, place FROM ("
            "(SELECT line, 'graph' AS place FROM (FROM stored EXCEPT ALL FROM tabled)) UNION ALL "
            "(SELECT line, 'table' AS place FROM (FROM tabled EXCEPT ALL FROM stored))) "
            "ORDER BY line, place LIMIT 1"
        ).fetchone()
    return f"only in the {found[1]}: {found[0]}" if found else None


def find_fault(store: Store, folder: Path, known: KnownTable) -> str | None:
    """Return how a table in force differs from its description, or from its graph; None if it does not."""
    try:
        table = open_table(known, folder)
        if file_digest(table.path) != known.sha256:
            return f"{known.file_name} was changed: its SHA-256 is not {known.sha256}"
        with tempfile.TemporaryDirectory(prefix=".check-", dir=folder.parent) as work:
            triples = Path(work) / "graph.nt"
            store.export(NamedNode(known.graph), triples)
            difference = first_difference(table, triples)
    except DiplographError as error:
        return f"{error.detail} ({error.where})"
    # The graph may have been changed meanwhile.
    if difference is None or not any(one.iri == known.iri and one.in_force for one in known_tables(store)):
        return None
    return f"{known.file_name} and its graph differ; {difference}"

"""The life of a table: in use exactly as long as it says the same as the quads of its graph."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pytest
from pyoxigraph import NamedNode, Quad

from kg.errors import DiplographError
from kg.graph_store import StoredGraph
from kg.load import record_tables, recover, store_load, undo_load
from kg.load.record_tables import rebuild_table, record_graphs
from kg.rdf.ntriples_files import Written
from kg.store import EmbeddedStore, QueryDataset
from kg.store.isolated.limits import Limits
from kg.store.isolated.store import IsolatedStore
from kg.table.current import announced, current_tables, known_tables, open_table
from kg.table.record_quads import find_fault
from kg.table.record_table import RecordTable
from kg.terms import GRAPH, GRAPH_LOADS, ID, ONTOLOGY, PREFIXES, term
from tests.kg.load.desks import HEADER, ROWS, Desk, die, find_small

MINE, OTHER = GRAPH + "a", GRAPH + "b"
RECORD = f"{ID}record/small-1"
MORE = ROWS + "4,2018-01-03,046,kenya\n"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr("kg.load.staged.staging.find_reader", find_small)
    yield Desk(EmbeddedStore(), tmp_path)


def in_use(desk: Desk) -> dict[str, RecordTable]:
    """The tables in use by their graphs; each says the same as its graph, and no other file is left."""
    tables = current_tables(desk.store, desk.loads.tables)
    for known in known_tables(desk.store):
        if known.in_force and (desk.loads.tables / known.file_name).exists():
            assert find_fault(desk.store, desk.loads.tables, known) is None
    return {table.graph: table for table in tables}


def files(desk: Desk) -> set[str]:
    return {path.name for path in desk.loads.tables.glob("*")}


def names(table: RecordTable) -> list[str]:
    return [name for (name,) in duckdb.sql(f"SELECT record FROM read_parquet('{table.path}')").fetchall()]


def test_a_load_has_a_table_that_its_undo_takes_away(desk: Desk) -> None:
    folder = desk.load(ROWS, "a.small")
    table = in_use(desk)[MINE]
    assert names(table) == ["1", "2", "3"]
    assert files(desk) == {f"{folder.id}.parquet"}
    assert folder.read().notes == []
    undo_load(desk.store, desk.loads, folder)
    assert in_use(desk) == {}
    assert files(desk) == set()


def test_a_load_without_records_has_none(desk: Desk) -> None:
    desk.load(HEADER + '<http://example.org/x> a dg:Organization ; rdfs:label "X"@en .', "x.ttl")
    assert known_tables(desk.store) == []


def test_records_as_quads_alone(desk: Desk) -> None:
    desk.load(ROWS, "a.small", records="quads")
    assert known_tables(desk.store) == []
    assert record_graphs(desk.store) == [MINE]


def test_a_later_load_and_its_undo_have_tables_of_the_whole_graph(desk: Desk) -> None:
    desk.load(ROWS, "a.small")
    second = desk.load(MORE.replace("norway", "sweden"), "a.small")
    assert names(in_use(desk)[MINE]) == ["1", "2", "3", "4"]
    assert files(desk) == {f"{second.id}.parquet"}
    undo_load(desk.store, desk.loads, second)
    table = in_use(desk)[MINE]
    assert names(table) == ["1", "2", "3"]
    assert files(desk) == {table.path.name}


def test_the_undo_under_a_later_load_changes_no_table(desk: Desk) -> None:
    first = desk.load(ROWS, "a.small")
    second = desk.load(MORE, "a.small")
    undo_load(desk.store, desk.loads, first)
    assert names(in_use(desk)[MINE]) == ["1", "2", "3", "4"]
    undo_load(desk.store, desk.loads, second)
    assert in_use(desk) == {}


def test_a_later_load_as_quads_alone_ends_the_table(desk: Desk) -> None:
    desk.load(ROWS, "a.small")
    desk.load(MORE, "a.small", records="quads")
    assert in_use(desk) == {}
    assert files(desk) == set()


def test_records_that_are_left_out(desk: Desk) -> None:
    desk.load(ROWS, "a.small")
    folder, _ = desk.preview(ROWS, "b.small")
    store_load(desk.store, desk.loads, folder, skip=[RECORD])
    assert names(next(t for t in current_tables_of(desk, OTHER))) == ["2", "3"]
    again, _ = desk.preview(MORE, "b.small")
    store_load(desk.store, desk.loads, again, skip=[f"{ID}record/small-4"])
    assert current_tables_of(desk, OTHER) == []
    assert "left out" in again.read().notes[0]


def current_tables_of(desk: Desk, graph: str) -> list[RecordTable]:
    """The table in force of one graph, whatever it shares with others."""
    known = [one for one in known_tables(desk.store) if one.in_force and one.graph == graph]
    return [open_table(one, desk.loads.tables) for one in known]


P = f"PREFIX g: <{GRAPH}> PREFIX dg: <{ONTOLOGY}> "
INSERTED = f"<{RECORD}> dg:mentionCount 3"


@pytest.mark.parametrize(
    "update",
    [
        f"{P}INSERT DATA {{ GRAPH g:a {{ {INSERTED} }} }}",
        f"{P}WITH g:a DELETE {{ ?s ?p ?o }} WHERE {{ ?s a dg:CodingRecord ; ?p ?o }}",
        f"{P}DELETE WHERE {{ GRAPH g:a {{ <{RECORD}> ?p ?o }} }}",
        f"{P}INSERT {{ GRAPH ?g {{ {INSERTED} }} }} WHERE {{ GRAPH ?g {{ ?s a dg:CodingRecord }} }}",
        f"DELETE {{ GRAPH ?g {{ ?s ?p ?o }} }} WHERE {{ GRAPH ?g {{ ?s ?p ?o }} FILTER(?g = <{MINE}>) }}",
        f"{P}CLEAR GRAPH g:a",
        f"{P}DROP SILENT GRAPH g:a",
        "CLEAR ALL",
        "DROP NAMED",
        f"{P}COPY g:b TO g:a",
        f"{P}ADD GRAPH g:b TO g:a",
        f"{P}MOVE g:a TO g:b",
        f"{P}DROP GRAPH g:b; INSERT DATA {{ GRAPH g:a {{ {INSERTED} }} }}",
        f"BASE <{GRAPH}> INSERT DATA {{ GRAPH <a> {{ <x:s> <x:p> 1 }} }}",
        f"BASE <{GRAPH}x/#y> BASE <../> INSERT DATA {{ GRAPH <a> {{ <x:s> <x:p> 1 }} }}",
        f"BASE <{MINE}#y> INSERT DATA {{ GRAPH <> {{ <x:s> <x:p> 1 }} }}",
        f"INSERT DATA {{ GRAPH <{GRAPH}\\u0061> {{ <x:s> <x:p> 1 }} }}",
        f"PREFIXg:<{GRAPH}>INSERT DATA{{GRAPH g:a{{<x:s> <x:p> 1}}}}",
    ],
)
def test_an_update_that_may_touch_the_graph_ends_its_table(desk: Desk, update: str) -> None:
    desk.load(ROWS, "a.small")
    desk.store.update(f"INSERT DATA {{ GRAPH <{OTHER}> {{ <x:s> <x:p> 1 }} }}")
    assert list(in_use(desk)) == [MINE]
    desk.store.update(update)
    assert in_use(desk) == {}


@pytest.mark.parametrize(
    "update",
    [
        f"{P}INSERT DATA {{ {INSERTED} GRAPH g:b {{ {INSERTED} }} }}",
        f"{P}INSERT {{ GRAPH g:b {{ ?s ?p ?o }} }} WHERE {{ GRAPH g:a {{ ?s ?p ?o }} }}",
        f"{P}INSERT {{ GRAPH g:b {{ ?s ?p ?o }} }} WHERE {{ GRAPH ?g {{ ?s ?p ?o }} }}",
        f"{P}WITH g:b DELETE {{ ?s ?p ?o }} USING g:a WHERE {{ ?s ?p ?o }}",
        f"{P}COPY g:a TO g:b",
        f"{P}CLEAR DEFAULT; DROP SILENT GRAPH g:b; CREATE GRAPH g:c",
        "DELETE WHERE { ?s ?p ?o }",
    ],
)
def test_an_update_of_other_graphs_does_not(desk: Desk, update: str) -> None:
    desk.load(ROWS, "a.small")
    desk.store.update(update)
    assert list(in_use(desk)) == [MINE]


def test_a_relative_name_of_the_graph_ends_its_table(desk: Desk) -> None:
    desk.load(ROWS, "a.small")
    desk.store.update("INSERT DATA { GRAPH <a> { <x:s> <x:p> 1 } }", QueryDataset(base_iri=f"{GRAPH}x#y"))
    assert in_use(desk) == {}


@pytest.mark.parametrize(
    "update",
    [
        f"{P}INSERT DATA {{ GRAPH g:a {{ oops }} }}",
        f"{P}CREATE GRAPH g:a",
        f"{P}DROP GRAPH g:a; DROP GRAPH g:no",
    ],
)
def test_an_update_that_fails_leaves_the_table(desk: Desk, update: str) -> None:
    desk.load(ROWS, "a.small")
    with pytest.raises(DiplographError):
        desk.store.update(update)
    assert list(in_use(desk)) == [MINE]


def _ntriples(tmp_path: Path, count: int) -> tuple[Path, Written]:
    path = tmp_path / "sent.nt"
    path.write_text("".join(f'<{RECORD}> <x:p> "{n}" .\n' for n in range(count)), encoding="utf-8")
    return path, Written(count, False, False)


CHANGES: dict[str, Callable[[StoredGraph, Path], None]] = {
    "put": lambda graph, path: graph.put(*_ntriples(path, 1)),
    "put nothing": lambda graph, path: graph.put(*_ntriples(path, 0)),
    "merge": lambda graph, path: graph.merge(*_ntriples(path, 1)),
    "merge many": lambda graph, path: graph.merge(*_ntriples(path, 20_001)),
    "delete": lambda graph, path: graph.delete(),
    "patch": lambda graph, path: graph.patch(f"{P}INSERT DATA {{ {INSERTED} }}"),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(("name", "left"), [("a", []), ("b", [MINE])])
def test_writing_a_graph_by_its_address_ends_its_table(
    desk: Desk, tmp_path: Path, change: str, name: str, left: list[str]
) -> None:
    desk.load(ROWS, "a.small")
    desk.store.update(f"INSERT DATA {{ GRAPH <{OTHER}> {{ <x:s> <x:p> 1 }} }}")
    CHANGES[change](StoredGraph(desk.store, GRAPH + name), tmp_path)
    assert list(in_use(desk)) == left


def test_the_writing_process_ends_tables(tmp_path: Path) -> None:
    store = IsolatedStore.open(tmp_path / "store", tmp_path / "snapshots", Limits(30.0, 1 << 30), 1)
    try:
        for graph in "abc":
            table = NamedNode(f"{GRAPH}{graph}#records")
            quads = announced(f"{GRAPH}{graph}", GRAPH + graph)
            store.change((), [*quads, Quad(table, term("dg:fileName"), table, GRAPH_LOADS)])
        path, _ = _ntriples(tmp_path, 3)
        StoredGraph(store, GRAPH + "a").merge(path, Written(3, False, False))
        store.replace(NamedNode(GRAPH + "b"), path)
        left = [table.graph for table in known_tables(store) if table.invalidated is None]
        assert left == [GRAPH + "c"]
    finally:
        store.close()


def test_graphs_with_the_same_records_have_no_tables_in_use(desk: Desk) -> None:
    desk.load(ROWS, "a.small")
    desk.load("7,2018-01-01,046,kenya\n", "c.small")
    shared = desk.load(ROWS.splitlines()[0] + "\n", "b.small")
    assert list(in_use(desk)) == [GRAPH + "c"]
    undo_load(desk.store, desk.loads, shared)
    assert sorted(in_use(desk)) == [MINE, GRAPH + "c"]


def test_a_change_while_the_table_is_written_ends_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    write = record_tables.write_table

    def slowly(*args: object, **options: object) -> RecordTable | None:
        desk.store.update(f"{P}INSERT DATA {{ GRAPH g:a {{ {INSERTED} }} }}")
        return write(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(record_tables, "write_table", slowly)
    desk.load(ROWS, "a.small")
    assert in_use(desk) == {}
    assert len(known_tables(desk.store)) == 1


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), duckdb.Error("odd"), MemoryError()]
)
def test_a_load_is_stored_when_its_table_cannot_be_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fails(*args: object, **options: object) -> None:
        raise error

    monkeypatch.setattr("kg.load.record_tables.write_table", fails)
    folder = desk.load(ROWS, "a.small")
    assert folder.read().step == "stored"
    assert folder.read().notes[0].startswith("without a table")
    assert record_graphs(desk.store) == [MINE]
    assert known_tables(desk.store) == []


def test_a_crash_between_file_and_commit_leaves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, _ = desk.preview(ROWS, "a.small")
    with monkeypatch.context() as patch:
        # As at the end of the process: nothing is tidied up.
        patch.setattr("kg.load.committing.put", die)
        patch.setattr("kg.load.record_tables.TableInMaking.withdraw", lambda self: None)
        patch.setattr("kg.load.committing.back_to_ready", lambda *args: None)
        with pytest.raises(KeyboardInterrupt):
            store_load(desk.store, desk.loads, folder)
    assert files(desk) == {f"{folder.id}.parquet"}
    assert in_use(desk) == {}
    recover(desk.store, desk.loads)
    assert files(desk) == set()
    assert known_tables(desk.store) == []
    desk.load(ROWS, "a.small")
    assert list(in_use(desk)) == [MINE]


def test_recovery_leaves_the_tables_of_a_running_load_alone(desk: Desk) -> None:
    desk.load(ROWS, "a.small")
    unfinished = desk.loads.tables / "other.parquet"
    unfinished.touch()
    with desk.loads.storing(lambda *args: None):
        recover(desk.store, desk.loads)
        assert unfinished.exists()
    recover(desk.store, desk.loads)
    assert not unfinished.exists()
    assert list(in_use(desk)) == [MINE]


@pytest.mark.parametrize("damage", ["gone", "cut off", "longer"])
def test_a_damaged_file_is_not_used(desk: Desk, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    folder = desk.load(ROWS, "a.small")
    path = desk.loads.tables / f"{folder.id}.parquet"
    whole = path.read_bytes()
    path.unlink()
    if damage != "gone":
        path.write_bytes(whole[:-9] if damage == "cut off" else whole + b"x")
    assert current_tables(desk.store, desk.loads.tables) == ()
    assert "graph:a is answered from its quads" in caplog.text


def test_a_damaged_file_counts_as_sharing_records(desk: Desk) -> None:
    first = desk.load(ROWS, "a.small")
    path = desk.loads.tables / f"{first.id}.parquet"
    moved = path.rename(desk.root / "kept")
    desk.load(ROWS, "b.small")
    moved.rename(path)
    assert in_use(desk) == {}


def test_tables_are_rebuilt_from_the_quads(desk: Desk) -> None:
    desk.load(ROWS, "a.small", records="quads")
    table = rebuild_table(desk.store, desk.loads, MINE)
    assert table is not None
    assert in_use(desk) == {MINE: table}
    desk.store.update(f"{P}INSERT DATA {{ GRAPH g:a {{ {INSERTED} }} }}")
    assert in_use(desk) == {}
    again = rebuild_table(desk.store, desk.loads, MINE)
    assert again is not None
    assert "mentionCount" in {column.name for column in again.columns}
    assert in_use(desk) == {MINE: again}
    assert files(desk) == {again.path.name}
    assert rebuild_table(desk.store, desk.loads, OTHER) is None
    assert list(in_use(desk)) == [MINE]


def test_a_changed_table_is_a_fault(desk: Desk) -> None:
    desk.load(ROWS, "a.small")
    (known,) = known_tables(desk.store)
    table = in_use(desk)[MINE]
    # As if the commit had described another content: the file is whole, and its graph differs.
    desk.store.engine.remove(
        Quad(
            NamedNode(RECORD),
            NamedNode(ONTOLOGY + "time"),
            NamedNode(f"{ID}time/2018-01-01"),
            NamedNode(MINE),
        )
    )
    fault = find_fault(desk.store, desk.loads.tables, known)
    assert fault is not None
    assert f"only in the table: <{RECORD}> <{ONTOLOGY}time>" in fault
    data = bytearray(table.path.read_bytes())
    data[40] ^= 1
    table.path.write_bytes(data)
    assert "was changed: its SHA-256" in (find_fault(desk.store, desk.loads.tables, known) or "")


def test_the_description_of_a_table(desk: Desk) -> None:
    folder = desk.load(ROWS, "a.small")
    (known,) = known_tables(desk.store)
    path = desk.loads.tables / known.file_name
    assert known.iri == f"{PREFIXES['load']}{folder.id}#records"
    assert (known.id, known.graph, known.rows) == (folder.id, MINE, 3)
    assert known.byte_length == path.stat().st_size

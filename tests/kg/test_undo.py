"""Tables and RDF through the pipeline: previews, conflicts, undo quad for quad, idempotence, recovery."""

from __future__ import annotations

import gzip
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pyoxigraph import NamedNode, Quad, Triple

from kg.changes import Change
from kg.errors import (
    ConflictError,
    DataSyntaxError,
    StoreFailedError,
    UnknownNameError,
    ValidationFailedError,
)
from kg.load import Loads, Preview, prepare, recover, store_load, undo_load
from kg.load.committing import back_to_ready
from kg.load.folder import LoadFolder
from kg.load.model import OnFault, TableReader
from kg.packed import open_packed
from kg.provenance import read_load, read_loads
from kg.readers.record import Record, RowFault
from kg.store import EmbeddedStore
from kg.terms import GRAPH, GRAPH_LOADS, ID, ONTOLOGY, PREFIXES

FILE = Path(__file__).parent.parent / "fixtures" / "new-event.ttl"
TEXT = FILE.read_text(encoding="utf-8")
EVENT = f"{ID}event/norway-kenya-port-accord"
TYPE = f"<{PREFIXES['rdf']}type>"
LABEL = f"<{PREFIXES['rdfs']}label>"
HEADER = "".join(f"@prefix {p}: <{iri}> .\n" for p, iri in PREFIXES.items())


def data(store: EmbeddedStore) -> set[str]:
    """Every quad that is no record of a load."""
    return {str(quad) for quad in store.engine if quad.graph_name != GRAPH_LOADS}


class Small:
    """A stand-in for the readers of tables."""

    codes_records = False

    def read(
        self, path: Path, *, on_fault: OnFault, name: str | None = None, **options: object
    ) -> Iterator[Record]:
        return read_small(path, name or path.name, on_fault)


def read_small(path: Path, name: str, on_fault: OnFault) -> Iterator[Record]:
    """Read lines of id, day, type and actor."""
    for line, row in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        parts = row.split(",")
        if len(parts) != 4:
            on_fault(RowFault(name, line, "", f"it has {len(parts)} columns in place of 4"))
            continue
        number, day, kind, actor = parts
        iri, agent = f"{ID}record/small-{number}", f"{ID}agent-small/{actor}"
        lines = [
            f"<{iri}> {TYPE} <{ONTOLOGY}CodingRecord> .",
            f'<{iri}> {LABEL} "Row {number}"@en .',
            f"<{iri}> <{ONTOLOGY}codedActor> <{agent}> .",
            f"<{iri}> <{ONTOLOGY}eventType> <{ID}event-type/cameo-{kind}> .",
            f"<{iri}> <{ONTOLOGY}time> <{ID}time/{day}> .",
            f"<{agent}> {TYPE} <{ONTOLOGY}Agent> .",
            f'<{agent}> {LABEL} "{actor}"@en .',
        ]
        text = "".join(f"{one}\n" for one in lines)
        yield Record(iri, "CodingRecord", text.encode(), line, kind, day, (agent,))


def find_small(path: Path, form: str | None, name: str) -> TableReader | None:
    return Small() if name.endswith(".small") else None


class Desk:
    """Loads into one store with one folder of loads."""

    def __init__(self, store: EmbeddedStore, folder: Path) -> None:
        self.store = store
        self.root = folder / "loads"
        self.loads = Loads(self.root)

    def preview(self, text: str | bytes, name: str, **options: Any) -> tuple[LoadFolder, Preview]:
        folder, _ = self.loads.new(name)
        path = folder.source / "data"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return folder, prepare(self.store, folder, path, name=name, find_reader=find_small, **options)

    def load(self, text: str | bytes, name: str, **options: Any) -> LoadFolder:
        folder, _ = self.preview(text, name, **options)
        assert store_load(self.store, self.loads, folder) is not None
        return folder


@pytest.fixture
def desk(store: EmbeddedStore, tmp_path: Path) -> Desk:
    return Desk(store, tmp_path)


ROWS = "1,2018-01-01,046,kenya\n2,2018-01-01,046,kenya\n3,2018-01-02,174,norway\n"


def test_a_table_is_previewed_stored_and_undone(desk: Desk) -> None:
    before = data(desk.store)
    folder, preview = desk.preview(ROWS, "x.small")
    assert data(desk.store) == before
    assert preview.added == 3 * 5 + 2 * 2
    assert preview.records == 3
    counts = {count.type: count.new for count in preview.counts}
    assert counts == {f"{ONTOLOGY}CodingRecord": 3, f"{ONTOLOGY}Agent": 2}
    assert [thing.label for thing in preview.things] == ["Row 1", "Row 2", "Row 3"]
    assert "2 records share day, type and actors" in preview.duplicates[0]
    load = store_load(desk.store, desk.loads, folder)
    assert load is not None
    assert len(data(desk.store)) == len(before) + load.added == len(before) + preview.added
    done = undo_load(desk.store, desk.loads, folder)
    assert done.kept == ()
    assert (done.undoing.taken_back, done.undoing.restored) == (preview.added, 0)
    assert data(desk.store) == before
    assert read_load(desk.store, folder.id).undone is not None


def test_the_same_table_again_changes_nothing(desk: Desk) -> None:
    desk.load(ROWS, "x.small")
    _, again = desk.preview(ROWS, "x.small")
    assert again.unchanged
    assert {count.type: count.unchanged for count in again.counts}[f"{ONTOLOGY}CodingRecord"] == 3


def test_a_newer_table_replaces_its_graph_and_shows_the_difference(desk: Desk) -> None:
    before = data(desk.store)
    desk.load(ROWS, "x.small")
    middle = data(desk.store)
    newer = ROWS.replace("2,2018-01-01,046", "2,2018-01-05,046").replace("3,2018-01-02,174,norway\n", "")
    folder, preview = desk.preview(newer, "x.small")
    counts = {count.type: count for count in preview.counts}
    record = counts[f"{ONTOLOGY}CodingRecord"]
    assert (record.new, record.changed, record.unchanged, record.gone) == (0, 1, 1, 1)
    [conflict] = preview.conflicts
    assert (conflict.what, conflict.where) == ("date", "before")
    assert conflict.here == ("id:time/2018-01-05",)
    store_load(desk.store, desk.loads, folder)
    undo_load(desk.store, desk.loads, folder)
    assert data(desk.store) == middle
    first = desk.loads.all()[0][0]
    undo_load(desk.store, desk.loads, first)
    assert data(desk.store) == before


def test_a_record_that_another_source_codes_otherwise_is_a_conflict(desk: Desk) -> None:
    desk.load(ROWS, "x.small")
    _, preview = desk.preview("1,2018-01-01,174,kenya\n9,2018-01-01,046,kenya\n", "y.small")
    [conflict] = preview.conflicts
    assert (conflict.what, conflict.where) == ("type", "graph:x")
    assert conflict.there == ("id:event-type/cameo-046",)


def test_an_event_that_another_source_dates_otherwise_is_a_conflict(desk: Desk) -> None:
    desk.load(TEXT, "new-event.ttl")
    text = TEXT.replace("2018-03-14", "2018-03-19").replace("14 March", "19 March")
    _, preview = desk.preview(text, "other.ttl")
    [conflict] = preview.conflicts
    assert conflict.iri == EVENT
    assert conflict.what == "date"


def test_an_event_under_another_iri_is_a_likely_repeat(desk: Desk) -> None:
    desk.load(TEXT, "new-event.ttl")
    _, preview = desk.preview(TEXT.replace("norway-kenya-port-accord", "lamu-accord"), "other.ttl")
    assert any("same date, type and actor" in line for line in preview.duplicates)


def test_actors_that_nobody_knows_are_listed_with_known_ones_of_like_names(desk: Desk) -> None:
    _, preview = desk.preview("1,2018-01-01,046,Norwai\n2,2018-01-01,046,Zzyzx\n", "x.small")
    found = {one.label: [label for _, label in one.suggestions] for one in preview.newcomers}
    assert found == {"Norwai": ["Norway"], "Zzyzx": []}


def test_rows_that_cannot_be_read_stop_the_load_unless_allowed(desk: Desk) -> None:
    text = ROWS + "4,2018-01-01\n"
    with pytest.raises(ValidationFailedError) as caught:
        desk.preview(text, "x.small")
    assert caught.value.findings == ("x.small, line 4: it has 2 columns in place of 4",)
    _, preview = desk.preview(text, "x.small", max_errors=1)
    assert preview.fault_count == 1
    assert preview.records == 3


def test_reading_ends_when_too_many_rows_are_wrong(desk: Desk) -> None:
    with pytest.raises(ValidationFailedError, match="more than 100"):
        desk.preview("wrong\n" * 5000, "x.small")


def test_rows_with_the_id_of_another_are_counted_once(desk: Desk) -> None:
    folder, preview = desk.preview(ROWS + ROWS, "x.small")
    assert "3 rows bear the id" in preview.duplicates[0]
    before = len(data(desk.store))
    store_load(desk.store, desk.loads, folder)
    assert len(data(desk.store)) == before + preview.added


def test_undo_after_later_loads_of_other_sources(desk: Desk) -> None:
    first = desk.load(TEXT, "new-event.ttl")
    between = data(desk.store)
    desk.load(ROWS, "x.small")
    after = data(desk.store)
    undo_load(desk.store, desk.loads, first)
    left = data(desk.store)
    assert left == after - {quad for quad in between if f"{GRAPH}new-event" in quad}


def test_undo_under_a_later_load_of_the_same_source_says_what_stays(desk: Desk) -> None:
    before = data(desk.store)
    first = desk.load(TEXT, "new-event.ttl")
    second = desk.load(TEXT.replace("a port accord", "a harbour accord"), "new-event.ttl")
    after = data(desk.store)
    done = undo_load(desk.store, desk.loads, first)
    assert data(desk.store) == after
    assert any(second.id in reason and "stay" in reason for reason in done.kept)
    undo_load(desk.store, desk.loads, second)
    assert data(desk.store) == before


def test_undo_says_what_an_update_took_out_since(desk: Desk) -> None:
    before = data(desk.store)
    folder = desk.load(TEXT, "new-event.ttl")
    desk.store.update(f"DELETE WHERE {{ GRAPH <{GRAPH}new-event> {{ <{EVENT}> {LABEL} ?x }} }}")
    done = undo_load(desk.store, desk.loads, folder)
    assert done.kept == ("1 statements of the load had been taken out since by an update",)
    assert data(desk.store) == before


def test_nothing_is_undone_twice(desk: Desk) -> None:
    folder = desk.load(TEXT, "new-event.ttl")
    undo_load(desk.store, desk.loads, folder)
    with pytest.raises(ConflictError, match="undone already"):
        undo_load(desk.store, desk.loads, folder)
    with pytest.raises(ConflictError):
        store_load(desk.store, desk.loads, folder)


INTEGERS = ("int", "long", "short", "byte", "nonNegativeInteger", "unsignedInt", "positiveInteger")


def test_numbers_that_the_engine_rewrites(desk: Desk) -> None:
    values = ", ".join(f'"0{number}"^^xsd:{name}' for number, name in enumerate(INTEGERS, 1))
    text = HEADER + f'<{ID}event/x> rdfs:comment {values}, "1.50"^^xsd:decimal .'
    before = data(desk.store)
    folder, preview = desk.preview(text, "x.ttl")
    [note] = [note for note in preview.notes if "stored as xsd:integer" in note]
    assert all(f"xsd:{name}" in note for name in INTEGERS)
    store_load(desk.store, desk.loads, folder)
    assert desk.preview(text, "x.ttl")[1].unchanged
    undo_load(desk.store, desk.loads, folder)
    assert data(desk.store) == before


def test_skipping_leaves_the_rest(desk: Desk) -> None:
    folder, _ = desk.preview(ROWS, "x.small")
    with pytest.raises(UnknownNameError):
        store_load(desk.store, desk.loads, folder, skip=[f"{ID}record/small-7"])
    load = store_load(desk.store, desk.loads, folder, skip=[f"{ID}record/small-2"])
    assert load is not None
    assert load.added == 2 * 5 + 2 * 2
    assert not any("small-2>" in quad for quad in data(desk.store))


class Watcher:
    """Keeps what it was told of."""

    def __init__(self) -> None:
        self.told: list[tuple[NamedNode, list[Triple], list[Triple]]] = []

    def follow(self, store: object, change: Change) -> None:
        self.told.append((change.graph, list(change.added()), list(change.removed())))


def test_followers_are_told_of_stores_and_undoings(desk: Desk) -> None:
    watcher = Watcher()
    folder, preview = desk.preview(ROWS, "x.small")
    store_load(desk.store, desk.loads, folder, followers=[watcher])
    undo_load(desk.store, desk.loads, folder, followers=[watcher])
    (graph, added, removed), (_, back, out) = watcher.told
    assert graph.value == f"{GRAPH}x"
    assert (len(added), removed) == (preview.added, [])
    assert (back, set(map(str, out))) == ([], set(map(str, added)))


def test_deltas_are_kept_compressed_and_nothing_else(desk: Desk) -> None:
    folder = desk.load(ROWS, "x.small")
    names = {path.name for path in folder.path.iterdir()}
    assert names == {"state.json", "lock", "added.nq.zst", "removed.nq.zst"}
    with open_packed(folder.path / "added.nq.zst") as lines:
        assert not any(b"loads" in line for line in lines)


def test_what_an_earlier_version_packed_can_be_undone(desk: Desk) -> None:
    """Earlier versions kept the deltas with gzip."""
    before = data(desk.store)
    folder = desk.load(ROWS, "x.small")
    for name in ("added.nq", "removed.nq"):
        newer = folder.path / f"{name}.zst"
        with open_packed(newer) as lines, gzip.open(folder.path / f"{name}.gz", "wb") as older:
            older.writelines(lines)
        newer.unlink()
    undo_load(desk.store, desk.loads, folder)
    assert data(desk.store) == before


class TestRecovery:
    """What a process left in the middle is settled by the next opening."""

    def test_a_store_that_was_not_reached(self, desk: Desk) -> None:
        before = data(desk.store)
        folder, _ = desk.preview(ROWS, "x.small")
        state = folder.read()
        state.step, state.load = "storing", f"{PREFIXES['load']}{folder.id}"
        state.added_bytes = folder.added.stat().st_size
        folder.write(state)
        recover(desk.store, desk.root)
        assert folder.read().step == "cancelled"
        assert "nothing of it is stored" in folder.read().problem["detail"]  # type: ignore[index]
        assert {path.name for path in folder.path.iterdir()} == {"state.json", "lock"}
        assert data(desk.store) == before

    def test_a_store_that_was_reached_tells_the_followers_again(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self._broken_off(desk, monkeypatch, "kg.load.committing.finish")
        [(folder, state)] = desk.loads.all()
        assert state.step == "storing"
        watcher = Watcher()
        recover(desk.store, desk.root, [watcher])
        assert folder.read().step == "stored"
        [(_, added, _)] = watcher.told
        assert len(added) == state.plan().added
        undo_load(desk.store, desk.loads, folder)
        assert not any("small-1>" in quad for quad in data(desk.store))

    def test_a_crash_before_the_followers_knew(self, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
        self._broken_off(desk, monkeypatch, "kg.load.committing.follow")
        watcher = Watcher()
        recover(desk.store, desk.root, [watcher])
        recover(desk.store, desk.root, [watcher])
        assert len(watcher.told) == 1

    @pytest.mark.parametrize("reached", [True, False])
    def test_an_undoing(self, desk: Desk, monkeypatch: pytest.MonkeyPatch, reached: bool) -> None:
        before = data(desk.store)
        folder = desk.load(ROWS, "x.small")
        after = data(desk.store)
        where = "kg.load.undoing.finish_undo" if reached else "kg.load.undoing.put"
        monkeypatch.setattr(where, _die)
        if not reached:
            monkeypatch.setattr("kg.load.undoing.back_to_stored", lambda *args: None)
        with pytest.raises(KeyboardInterrupt):
            undo_load(desk.store, desk.loads, folder)
        monkeypatch.undo()
        assert folder.read().step == "undoing"
        recover(desk.store, desk.root)
        assert folder.read().step == ("undone" if reached else "stored")
        assert data(desk.store) == (before if reached else after)

    def test_a_living_process_is_left_alone(self, desk: Desk) -> None:
        folder, state = desk.loads.new("x.small")
        state.step = "reading"
        folder.write(state)
        with folder.working():
            recover(desk.store, desk.root)
            assert folder.read().step == "reading"
        recover(desk.store, desk.root)
        assert folder.read().step == "cancelled"

    @staticmethod
    def _broken_off(desk: Desk, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
        folder, _ = desk.preview(ROWS, "x.small")
        monkeypatch.setattr(where, _die)
        with pytest.raises(KeyboardInterrupt):
            store_load(desk.store, desk.loads, folder)
        monkeypatch.undo()


def _die(*args: object, **options: object) -> None:
    raise KeyboardInterrupt


def test_a_load_that_fails_in_the_store_can_be_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = data(desk.store)
    folder, _ = desk.preview(ROWS, "x.small")
    fail: Callable[..., None] = _die
    monkeypatch.setattr("kg.load.committing.put", fail)
    with pytest.raises(KeyboardInterrupt):
        store_load(desk.store, desk.loads, folder)
    monkeypatch.undo()
    assert data(desk.store) == before
    assert folder.read().step == "ready"
    back_to_ready(folder, folder.read())
    assert store_load(desk.store, desk.loads, folder) is not None
    assert len(read_loads(desk.store)) == 1


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">', "x.rdf"),
        ("<urn:a> <urn:b> ", "x.ttl"),
        ('{"@id": "urn:a", "urn:b": ', "x.jsonld"),
        ("", "x.ttl"),
    ],
)
def test_broken_files_store_nothing_and_are_told(desk: Desk, text: str, name: str) -> None:
    before = data(desk.store)
    with pytest.raises(DataSyntaxError) as caught:
        desk.preview(text, name)
    assert caught.value.mend
    assert data(desk.store) == before
    [(folder, state)] = desk.loads.all()
    assert state.step == "failed"
    assert {path.name for path in folder.path.iterdir()} == {"state.json", "lock"}


def test_an_empty_table_is_told(desk: Desk) -> None:
    with pytest.raises(ValidationFailedError, match="no row"):
        desk.preview("", "x.small")


def test_a_graph_changed_since_the_preview_is_a_conflict(desk: Desk) -> None:
    desk.load(ROWS, "x.small")
    folder, _ = desk.preview(ROWS + "4,2018-01-03,046,kenya\n", "x.small")
    quad = Quad(NamedNode("urn:a"), NamedNode("urn:b"), NamedNode("urn:c"), NamedNode(f"{GRAPH}x"))
    desk.store.change((), [quad])
    with pytest.raises(ConflictError, match="after the preview"):
        store_load(desk.store, desk.loads, folder)
    desk.store.change([quad], ())
    assert store_load(desk.store, desk.loads, folder) is not None


def test_a_full_disk_is_told_and_stores_nothing(desk: Desk) -> None:
    before = data(desk.store)
    folder, _ = desk.loads.new("x.small")
    path = folder.source / "data"
    path.write_text("".join(f"{n},2018-01-01,046,kenya\n" for n in range(20_000)), encoding="utf-8")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, limits[1]))
        with pytest.raises(StoreFailedError, match="large"):
            prepare(desk.store, folder, path, name="x.small", find_reader=find_small)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert folder.read().step == "failed"
    assert {path.name for path in folder.path.iterdir()} == {"state.json", "lock"}
    assert data(desk.store) == before


def test_an_interrupt_before_the_store_is_reached_leaves_the_preview(desk: Desk) -> None:
    before = data(desk.store)
    folder, _ = desk.preview(ROWS, "x.small")

    def die(phase: str, done: int, total: int | None = None) -> None:
        if phase == "storing":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store_load(desk.store, desk.loads, folder, progress=die)
    assert data(desk.store) == before
    assert folder.read().step == "ready"

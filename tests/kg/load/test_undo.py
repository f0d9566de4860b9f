"""Loads taken back: quad for quad, also after later ones, and what is kept for it."""

from __future__ import annotations

import gzip
import resource
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from pyoxigraph import NamedNode, Quad

from kg.changes import Change
from kg.errors import (
    ConflictError,
    DataSyntaxError,
    StoreFailedError,
    UnknownNameError,
    ValidationFailedError,
)
from kg.load import LoadRequest, Loads, prepare, store_load, undo_load
from kg.load.committing import back_to_ready
from kg.provenance import read_loads
from kg.rdf.compression import open_packed
from kg.terms import GRAPH, ID
from tests.kg.load.desks import (
    EVENT,
    HEADER,
    LABEL,
    ROWS,
    TEXT,
    Desk,
    Watcher,
    data,
    die,
)


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
    assert any(second.id in reason and "kept" in reason for reason in done.kept)
    undo_load(desk.store, desk.loads, second)
    assert data(desk.store) == before


def test_undo_says_what_an_update_took_out_since(desk: Desk) -> None:
    before = data(desk.store)
    folder = desk.load(TEXT, "new-event.ttl")
    desk.store.update(f"DELETE WHERE {{ GRAPH <{GRAPH}new-event> {{ <{EVENT}> {LABEL} ?x }} }}")
    done = undo_load(desk.store, desk.loads, folder)
    assert done.kept == ("1 statement of the load already removed by an update",)
    assert data(desk.store) == before


def test_nothing_is_undone_twice(desk: Desk) -> None:
    folder = desk.load(TEXT, "new-event.ttl")
    undo_load(desk.store, desk.loads, folder)
    with pytest.raises(ConflictError, match="already undone"):
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


def test_followers_are_told_of_stores_and_undoings(desk: Desk) -> None:
    watcher = Watcher()
    folder, preview = desk.preview(ROWS, "x.small")
    loads = Loads(desk.root, [watcher])
    store_load(desk.store, loads, folder)
    undo_load(desk.store, loads, folder)
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


def test_a_load_that_fails_in_the_store_can_be_tried_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = data(desk.store)
    folder, _ = desk.preview(ROWS, "x.small")
    fail: Callable[..., None] = die
    monkeypatch.setattr("kg.load.committing._change", fail)
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
    with pytest.raises(ValidationFailedError, match="no rows"):
        desk.preview("\n# a comment\n", "x.small")


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
            prepare(desk.store, folder, LoadRequest(path, "x.small"))
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


class Blocking:
    """A follower that waits until it may go on."""

    def __init__(self) -> None:
        self.reached, self.may_go_on = threading.Event(), threading.Event()

    def follow(self, store: object, change: Change) -> None:
        self.reached.set()
        self.may_go_on.wait(30)


def test_an_undo_waits_for_a_load_that_cannot_be_searched_yet(desk: Desk) -> None:
    store, blocking = desk.store, Blocking()
    loads = Loads(desk.root, (blocking,))
    folder, _ = desk.preview(ROWS, "x.small")
    waited: list[str] = []

    def waiting(phase: str, done: int, total: int | None = None) -> None:
        waited.append(phase)
        blocking.may_go_on.set()

    with ThreadPoolExecutor(2) as pool:
        stored = pool.submit(store_load, store, loads, folder)
        assert blocking.reached.wait(30)
        undone = pool.submit(undo_load, store, loads, folder, progress=waiting)
        assert stored.result(60) is not None
        assert undone.result(60).undoing.load
    assert waited[0] == "waiting until the load can be searched"
    assert folder.read().step == "undone"

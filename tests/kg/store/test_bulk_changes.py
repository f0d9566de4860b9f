"""Large changes and replaced graphs: complete, in one step, and recovered after a crash."""

from __future__ import annotations

import contextlib
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep

import pytest
from pyoxigraph import BlankNode, Literal, NamedNode, Quad

from kg.errors import QueryStoppedError, StoreFailedError
from kg.rdf.compression import frame
from kg.store import EmbeddedStore
from kg.store.bulk_changes import SMALL, journal_of
from kg.store.isolated.store import IsolatedStore
from tests.kg.store.opening import open_isolated

ROOT = Path(__file__).parents[3]
GRAPH = NamedNode("urn:x:graph")
OTHER = NamedNode("urn:x:other")
RECORD = Quad(NamedNode("urn:x:load"), NamedNode("urn:x:p"), Literal("one"), OTHER)
MANY = 2 * SMALL

AnyStore = EmbeddedStore | IsolatedStore


def write(path: Path, numbers: range, word: str = "v") -> Path:
    path.write_text(
        "".join(f'<urn:x:{i}> <urn:x:p> "{word} \\"{i}\\" é" .\n' for i in numbers), encoding="utf-8"
    )
    return path


def count(store: AnyStore, graph: NamedNode = GRAPH) -> int:
    [row] = store.query(f"SELECT (COUNT(*) AS ?n) {{ GRAPH {graph} {{ ?s ?p ?o }} }}").rows()
    return int(row["n"].value)  # type: ignore[union-attr]


def holds(store: AnyStore, number: int, word: str = "v") -> bool:
    value = Literal(f'{word} "{number}" é')
    return store.query(f"ASK {{ GRAPH {GRAPH} {{ <urn:x:{number}> <urn:x:p> {value} }} }}").truth()


@pytest.fixture(params=["memory", "folder", "isolated"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    kind: str = request.param
    made: AnyStore
    if kind == "isolated":
        made = open_isolated(tmp_path / "data", workers=1, timeout=120, memory=2**31)
    else:
        made = EmbeddedStore(tmp_path / "data" / "store" if kind == "folder" else None)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (range(0), range(10)),
        (range(10), range(5, 15)),
        (range(0), range(MANY)),
        (range(MANY), range(MANY - 5, MANY + 5)),
        (range(10), range(0)),
    ],
    ids=["new", "changed", "large and new", "large and changed", "emptied"],
)
def test_a_graph_is_replaced_and_nothing_else(
    store: AnyStore, tmp_path: Path, before: range, after: range
) -> None:
    kept = Quad(NamedNode("urn:x:0"), NamedNode("urn:x:p"), Literal("kept"), NamedNode("urn:x:third"))
    store.change((), [kept])
    store.replace(GRAPH, write(tmp_path / "before.nt", before))
    version = store.version
    store.replace(GRAPH, write(tmp_path / "after.nt", after), [RECORD])
    assert store.version != version
    assert count(store) == len(after)
    for number in (0, 5, 9, MANY - 1, MANY + 4):
        assert holds(store, number) == (number in after)
    assert count(store, OTHER) == 1
    assert count(store, NamedNode("urn:x:third")) == 1
    assert store.query("ASK { GRAPH <urn:x-diplograph:journal> { ?s ?p ?o } }").truth() is False
    assert [path.name for path in tmp_path.glob("data/*") if path.name not in ("store", "snapshots")] == []


def odd(path: Path, size: int, word: str) -> Path:
    """Write triple terms, and blank nodes that are shared by lines, under labels that repeat."""
    lines = []
    for i in range(size):
        lines += [
            f"_:n{i} <urn:x:p> <urn:x:{i}> .\n",
            f'<urn:x:{i}> <urn:x:q> _:n{i} .\n<urn:x:{i}> <urn:x:q> "no _:node" .\n',
            f"<urn:x:{i}> <urn:x:says> <<( _:n{i} <urn:x:p> <urn:x:{i}> )>> .\n",
            f'<urn:x:{i}> <urn:x:says> <<( <urn:x:{i}> <urn:x:p> "{word} _: )>> <urn:x:g> ."@en )>> .\n',
        ]
    path.write_text("".join(lines), encoding="utf-8")
    return path


WHOLE = """SELECT (COUNT(DISTINCT ?n) AS ?count) {
    GRAPH <urn:x:graph> { ?n <urn:x:p> ?i . ?i <urn:x:q> ?n . ?i <urn:x:says> <<( ?n <urn:x:p> ?i )>>
        FILTER(isBlank(?n)) } }"""


@pytest.mark.parametrize("size", [3, MANY // 4], ids=["small", "large"])
def test_blank_nodes_and_triple_terms_are_replaced(store: AnyStore, tmp_path: Path, size: int) -> None:
    kept = write(tmp_path / "kept.nt", range(1))
    with kept.open("a") as file:
        file.write('_:n0 <urn:x:p> "of another graph" .\n')
    store.replace(OTHER, kept)
    for word in ("first", "second", "second"):
        store.replace(GRAPH, odd(tmp_path / f"{word}.nt", size, word))
        assert count(store) == 5 * size
        [row] = store.query(WHOLE).rows()
        assert row["count"] == Literal(size)
        term = f'<<( <urn:x:0> <urn:x:p> "{word} _: )>> <urn:x:g> ."@en )>>'
        assert store.query(f"ASK {{ GRAPH {GRAPH} {{ <urn:x:0> <urn:x:says> {term} }} }}").truth()
    # An export of the store, loaded again: the same labels, and still the same graph.
    store.export(GRAPH, tmp_path / "own.nt")
    store.replace(GRAPH, tmp_path / "own.nt")
    [row] = store.query(WHOLE).rows()
    assert (count(store), row["count"]) == (5 * size, Literal(size))
    store.replace(GRAPH, write(tmp_path / "plain.nt", range(2)), [RECORD])
    assert (count(store), count(store, OTHER)) == (2, 3)


def test_a_malformed_file_changes_nothing(store: AnyStore, tmp_path: Path) -> None:
    store.replace(GRAPH, write(tmp_path / "before.nt", range(3)))
    (tmp_path / "bad.nt").write_text("<urn:x:a> <urn:x:b> .\n")
    with pytest.raises(StoreFailedError):
        store.replace(GRAPH, tmp_path / "bad.nt", [RECORD])
    assert count(store) == 3
    assert count(store, OTHER) == 0


def test_large_changes_by_quads(store: AnyStore) -> None:
    def quads(numbers: range) -> list[Quad]:
        return [Quad(NamedNode(f"urn:x:{i}"), NamedNode("urn:x:p"), Literal(i), GRAPH) for i in numbers]

    store.change((), quads(range(MANY)))
    assert count(store) == MANY
    store.change(quads(range(10, MANY)), quads(range(MANY, MANY + 3)))
    assert count(store) == 13


def test_a_large_change_refuses_blank_nodes(store: AnyStore) -> None:
    many = [Quad(NamedNode(f"urn:x:{i}"), NamedNode("urn:x:p"), Literal(i), GRAPH) for i in range(MANY)]
    blank = Quad(NamedNode("urn:x:0"), NamedNode("urn:x:p"), BlankNode(), GRAPH)
    for removed, added in (([], [*many, blank]), ([*many, blank], []), ([blank], many)):
        with pytest.raises(StoreFailedError, match="blank node"):
            store.change(removed, added)
    assert count(store) == 0


def test_readers_keep_the_last_state_while_a_large_change_is_under_way(tmp_path: Path) -> None:
    store = open_isolated(tmp_path, workers=1, timeout=120, memory=2**31)
    try:
        store.replace(GRAPH, write(tmp_path / "before.nt", range(MANY)))
        done = threading.Event()

        def replace() -> None:
            store.replace(GRAPH, write(tmp_path / "after.nt", range(3 * MANY), "w"))
            done.set()

        thread = threading.Thread(target=replace)
        thread.start()
        seen = set()
        while not done.is_set():
            seen.add(count(store))
        thread.join()
        assert seen <= {MANY, 3 * MANY}
        assert count(store) == 3 * MANY
    finally:
        store.close()


@pytest.mark.parametrize("number", [10, MANY])
@pytest.mark.parametrize("gone", [0, 3])
def test_what_enters_may_be_compressed(store: AnyStore, tmp_path: Path, number: int, gone: int) -> None:
    """A change in several frames, with and without quads that leave, small and large."""
    store.change(
        (), [Quad(NamedNode(f"urn:x:old{i}"), NamedNode("urn:x:p"), Literal("o"), GRAPH) for i in range(3)]
    )
    text = write(tmp_path / "added.nt", range(number)).read_bytes().replace(b" .\n", f" {GRAPH} .\n".encode())
    lines = text.splitlines(keepends=True)
    added, removed = tmp_path / "added.nq.zst", tmp_path / "removed.nq"
    added.write_bytes(frame(lines[:4]) + frame([]) + frame(lines[4:]))
    removed.write_text("".join(f'<urn:x:old{i}> <urn:x:p> "o" {GRAPH} .\n' for i in range(gone)))
    store.change_files(removed, added)
    assert count(store) == number + 3 - gone
    assert holds(store, number - 1)
    assert added.exists()


def test_a_damaged_file_raises_an_error(store: AnyStore, tmp_path: Path) -> None:
    write(tmp_path / "added.nt", range(MANY))
    text = (tmp_path / "added.nt").read_bytes().replace(b" .\n", f" {GRAPH} .\n".encode())
    added, removed = tmp_path / "added.nq.zst", tmp_path / "removed.nq"
    whole = frame(text.splitlines(keepends=True))
    added.write_bytes(whole[: len(whole) // 2] + b"damage" * 50 + whole[len(whole) // 2 :])
    removed.touch()
    with pytest.raises(StoreFailedError):
        store.change_files(removed, added)
    assert count(store) == 0
    store.change((), [RECORD])
    assert count(store, OTHER) == 1


def test_a_large_change_can_be_cancelled(tmp_path: Path) -> None:
    store = open_isolated(tmp_path, workers=1, timeout=120, memory=2**31)
    try:
        write(tmp_path / "added.nt", range(10 * MANY))
        text = (tmp_path / "added.nt").read_text(encoding="utf-8")
        (tmp_path / "added.nq").write_text(text.replace(" .\n", f" {GRAPH} .\n"), encoding="utf-8")
        (tmp_path / "removed.nq").write_text("")
        with pytest.raises(QueryStoppedError):
            store.change_files(tmp_path / "removed.nq", tmp_path / "added.nq", stop=lambda: True)
        assert count(store) == 0
        store.change((), [RECORD])
        assert count(store, OTHER) == 1
        assert list((tmp_path / "store").glob("bulk-*")) == []
    finally:
        store.close()


def test_a_full_disk_raises_an_error_and_leaves_no_files(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path / "store")
    write(tmp_path / "many.nt", range(10 * MANY))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4 * 2**20, limits[1]))
        with pytest.raises(StoreFailedError):
            store.replace(GRAPH, tmp_path / "many.nt", [RECORD])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert count(store) == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["many.nt", "store"]
    assert list((tmp_path / "store").glob("bulk-*")) == []
    store.change((), [RECORD])
    store.close()


LOAD = """
import sys
from pathlib import Path
from kg.store import EmbeddedStore
folder = Path(sys.argv[1])
EmbeddedStore(folder / "store").change_files(folder / "removed.nq", folder / "added.nq")
"""

CRASH = """
import os, sys
from pathlib import Path
from kg.store import EmbeddedStore
from kg.store.bulk_changes import Bulk
where = sys.argv[2]
def die(*args):
    os._exit(9)
if where == "before":
    Bulk.put_in = die
elif where == "between":
    Bulk._take_out = staticmethod(die)
else:
    took = Bulk._take_out
    def then(engine, path):
        took(engine, path)
        os._exit(9)
    Bulk._take_out = staticmethod(then)
folder = Path(sys.argv[1])
EmbeddedStore(folder / "store").change_files(folder / "removed.nq", folder / "added.nq")
"""


@pytest.mark.parametrize(("where", "whole"), [("before", False), ("between", True), ("after", True)])
def test_a_crash_leaves_all_or_nothing(tmp_path: Path, where: str, whole: bool) -> None:
    store = EmbeddedStore(tmp_path / "store")
    store.replace(GRAPH, write(tmp_path / "before.nt", range(MANY)))
    store.close()
    for name, word in (("removed", "v"), ("added", "w")):
        text = write(tmp_path / f"{name}.nt", range(MANY), word).read_text(encoding="utf-8")
        (tmp_path / f"{name}.nq").write_text(text.replace(" .\n", f" {GRAPH} .\n"), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-c", CRASH, str(tmp_path), where], cwd=ROOT, timeout=300, check=False
    )
    assert ended.returncode == 9
    store = EmbeddedStore(tmp_path / "store")
    with contextlib.closing(store):
        assert count(store) == MANY
        assert holds(store, 7, "w" if whole else "v")
        assert store.query("ASK { GRAPH <urn:x-diplograph:journal> { ?s ?p ?o } }").truth() is False
        assert not journal_of(tmp_path / "store").exists()


@pytest.mark.parametrize(("where", "whole"), [("before", False), ("between", True), ("after", True)])
def test_a_crash_keeps_blank_nodes_whole(tmp_path: Path, where: str, whole: bool) -> None:
    store = EmbeddedStore(tmp_path / "store")
    store.replace(GRAPH, odd(tmp_path / "before.nt", 3, "before"))
    store.export(GRAPH, tmp_path / "removed.nt")
    store.close()
    odd(tmp_path / "added.nt", 4, "after")
    files = {n: (tmp_path / f"{n}.nt").read_text(encoding="utf-8").splitlines() for n in ("removed", "added")}
    both = set(files["removed"]) & set(files["added"])
    for name, lines in files.items():
        # Quads in both files would be removed.
        kept = [line for line in lines if line not in both]
        text = "".join(f"{line.removesuffix('.')}{GRAPH} .\n" for line in kept)
        (tmp_path / f"{name}.nq").write_text(text, encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-c", CRASH, str(tmp_path), where], cwd=ROOT, timeout=300, check=False
    )
    assert ended.returncode == 9
    with contextlib.closing(EmbeddedStore(tmp_path / "store")) as store:
        [row] = store.query(WHOLE).rows()
        assert (count(store), row["count"]) == ((20, Literal(4)) if whole else (15, Literal(3)))


def test_a_killed_bulk_load_leaves_no_files(tmp_path: Path) -> None:
    text = write(tmp_path / "added.nt", range(8 * MANY)).read_text(encoding="utf-8")
    (tmp_path / "added.nq").write_text(text.replace(" .\n", f" {GRAPH} .\n"), encoding="utf-8")
    (tmp_path / "removed.nq").write_text("")
    process = subprocess.Popen([sys.executable, "-c", LOAD, str(tmp_path)], cwd=ROOT)
    until = monotonic() + 60
    while not list((tmp_path / "store").glob("bulk-*")) and process.poll() is None and monotonic() < until:
        sleep(0.01)
    process.kill()
    process.wait()
    with contextlib.closing(EmbeddedStore(tmp_path / "store")) as store:
        assert count(store) in (0, 8 * MANY)
        assert list((tmp_path / "store").glob("bulk-*")) == []

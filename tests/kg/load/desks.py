"""A desk for loads: a store, a folder of loads, and a reader of small tables."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pyoxigraph import NamedNode, Triple

from kg.changes import Change
from kg.load import Follower, Load, LoadRequest, Loads, Preview, prepare, store_load
from kg.load.load_folder import LoadFolder
from kg.readers.detect import TableReader
from kg.readers.reading import ReadingJob
from kg.readers.record import Record, RowFault
from kg.store import EmbeddedStore, Store
from kg.terms import GRAPH_LOADS, ID, ONTOLOGY, PREFIXES
from tests.kg.changes import as_triples

FILE = Path(__file__).parents[2] / "fixtures" / "new-event.ttl"
TEXT = FILE.read_text(encoding="utf-8")
EVENT = f"{ID}event/norway-kenya-port-accord"
TYPE = f"<{PREFIXES['rdf']}type>"
LABEL = f"<{PREFIXES['rdfs']}label>"
HEADER = "".join(f"@prefix {p}: <{iri}> .\n" for p, iri in PREFIXES.items())


def data(store: EmbeddedStore) -> set[str]:
    """Every quad that is no record of a load."""
    return {str(quad) for quad in store.engine if quad.graph_name != GRAPH_LOADS}


def read_small(job: ReadingJob) -> Iterator[Record]:
    """Read lines of id, day, type and actor."""
    for line, row in job.lines():
        if row.startswith("#"):
            continue
        parts = row.split(",")
        if len(parts) != 4:
            job.on_fault(RowFault(job.name, line, "", f"it has {len(parts)} columns in place of 4"))
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


SMALL = TableReader("small", "rows of four cells", read_small, codes_records=False)


def find_small(path: Path, form: str | None, name: str, **_: object) -> TableReader | None:
    return SMALL if name.endswith(".small") else None


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
        return folder, prepare(self.store, folder, LoadRequest(path, name, **options))

    def load(self, text: str | bytes, name: str, **options: Any) -> LoadFolder:
        folder, _ = self.preview(text, name, **options)
        assert store_load(self.store, self.loads, folder) is not None
        return folder


@dataclass(frozen=True)
class Planned:
    """A preview, with the folder of loads it was made in; the folder is removed with it."""

    loads: Loads
    folder: LoadFolder
    preview: Preview


def plan(store: Store, data: bytes, *, name: str, **options: Any) -> Planned:
    home = Path(tempfile.mkdtemp(prefix="diplograph-test-"))
    loads = Loads(home / "loads")
    folder, _ = loads.new(name)
    path = folder.source / "data"
    path.write_bytes(data)
    try:
        planned = Planned(loads, folder, prepare(store, folder, LoadRequest(path, name, **options)))
    except BaseException:
        shutil.rmtree(home)
        raise
    weakref.finalize(planned, shutil.rmtree, home, True)
    return planned


def commit(store: Store, planned: Planned, *, followers: Sequence[Follower] = ()) -> Load | None:
    return store_load(store, replace(planned.loads, followers=followers), planned.folder)


ROWS = "1,2018-01-01,046,kenya\n2,2018-01-01,046,kenya\n3,2018-01-02,174,norway\n"


class Watcher:
    """Keeps what it was told of."""

    def __init__(self) -> None:
        self.told: list[tuple[NamedNode, list[Triple], list[Triple]]] = []

    def follow(self, store: object, change: Change) -> None:
        self.told.append((change.graph, as_triples(change.added()), as_triples(change.removed())))


def die(*args: object, **options: object) -> None:
    raise KeyboardInterrupt

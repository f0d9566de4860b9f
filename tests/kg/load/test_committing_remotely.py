"""The pipeline of loading on a store behind the SPARQL protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kg.load import LoadFolder, LoadRequest, Loads, Preview, prepare, store_load, undo_load
from kg.provenance import read_loads
from kg.store import EmbeddedStore
from kg.store.remote.client import RemoteStore
from kg.terms import GRAPH_LOADS

FILE = Path(__file__).parents[2] / "fixtures" / "new-event.ttl"
TEXT = FILE.read_text(encoding="utf-8")


@pytest.fixture
def remote(live_server: str) -> Iterator[RemoteStore]:
    store = RemoteStore(
        f"{live_server}/sparql", update_url=f"{live_server}/update", login="test-token", timeout=120
    )
    yield store
    store.close()


def data(store: EmbeddedStore) -> set[str]:
    return {str(quad) for quad in store.engine if quad.graph_name != GRAPH_LOADS}


@pytest.mark.parametrize("few", [20_000, 0], ids=["by change", "by replacing the graph"])
def test_preview_store_replace_undo(
    remote: RemoteStore, store: EmbeddedStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("kg.load.committing._FEW", few)
    loads = Loads(tmp_path / "loads")

    def preview(text: str) -> tuple[LoadFolder, Preview]:
        folder, _ = loads.new("new-event.ttl")
        (folder.source / "data").write_text(text, encoding="utf-8")
        return folder, prepare(remote, folder, LoadRequest(folder.source / "data", "new-event.ttl"))

    before = data(store)
    first, _ = preview(TEXT)
    load = store_load(remote, loads, first)
    assert load is not None
    middle = data(store)
    assert len(middle) == len(before) + load.added
    assert preview(TEXT)[1].unchanged
    second, changed = preview(TEXT.replace("sign a port accord", "sign a harbour accord"))
    assert (changed.added, changed.removed) == (1, 1)
    store_load(remote, loads, second)
    assert data(store) != middle
    undo_load(remote, loads, second)
    assert data(store) == middle
    undo_load(remote, loads, first)
    assert data(store) == before
    assert [bool(load.undone) for load in read_loads(remote)] == [True, True]

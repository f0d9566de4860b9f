"""The pipeline of loading on a store behind the SPARQL protocol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from kg.load import LoadFolder, LoadRequest, Loads, Preview, install, prepare, store_load, undo_load
from kg.provenance import read_loads
from kg.store.remote.client import RemoteStore
from kg.terms import GRAPH_LOADS
from tests.kg.store.engines import oxigraph, oxigraph_program

FILE = Path(__file__).parents[2] / "fixtures" / "new-event.ttl"
TEXT = FILE.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemoteStore]:
    if oxigraph_program() is None:
        pytest.skip("the Oxigraph server (PyPI: oxigraph) is not installed")
    with oxigraph(tmp_path_factory.mktemp("oxigraph") / "store") as engine:
        store = RemoteStore(
            engine.query_url, update_url=engine.update_url, graphs_url=engine.graphs_url, timeout=120
        )
        install(store)
        yield store
        store.close()


def data(store: RemoteStore) -> set[str]:
    rows = store.query(f"SELECT * {{ GRAPH ?g {{ ?s ?p ?o }} FILTER(?g != {GRAPH_LOADS}) }}").rows()
    return {" ".join(str(row[name]) for name in "gspo") for row in rows}


@pytest.mark.parametrize("few", [20_000, 0], ids=["by change", "by replacing the graph"])
def test_preview_store_replace_undo(
    remote: RemoteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    monkeypatch.setattr("kg.load.committing._FEW", few)
    loads = Loads(tmp_path / "loads")

    def preview(text: str) -> tuple[LoadFolder, Preview]:
        folder, _ = loads.new("new-event.ttl")
        (folder.source / "data").write_text(text, encoding="utf-8")
        return folder, prepare(remote, folder, LoadRequest(folder.source / "data", "new-event.ttl"))

    before = data(remote)
    first, _ = preview(TEXT)
    load = store_load(remote, loads, first)
    assert load is not None
    middle = data(remote)
    assert len(middle) == len(before) + load.added
    assert preview(TEXT)[1].unchanged
    second, changed = preview(TEXT.replace("sign a port accord", "sign a harbour accord"))
    assert (changed.added, changed.removed) == (1, 1)
    store_load(remote, loads, second)
    assert data(remote) != middle
    undo_load(remote, loads, second)
    assert data(remote) == middle
    undo_load(remote, loads, first)
    assert data(remote) == before
    assert all(load.undone for load in read_loads(remote))

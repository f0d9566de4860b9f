"""Real engines for the tests of stores, each started once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from kg.store.remote import RemoteStore


def _load() -> ModuleType:
    # Test folders are no packages, so that files of one name can be in several of them.
    spec = spec_from_file_location("engine_servers", Path(__file__).with_name("servers.py"))
    assert spec and spec.loader
    module = module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


servers = _load()


def connect(engine: object) -> RemoteStore:
    """Open an engine as the store it is, emptied of everything that a test put there."""
    store = RemoteStore(
        engine.query_url,
        update_url=engine.update_url,
        graphs_url=engine.graphs_url,
        login=engine.login,
        timeout=60,
    )
    if engine.name == "virtuoso":
        rows = list(store.query("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }").rows())
        for row in rows:
            if not row["g"].value.startswith(
                ("http://www.openlinksw.com/", "http://www.w3.org/", "urn:core:")
            ):
                store.update(f"CLEAR GRAPH {row['g']}")
    else:
        store.update("CLEAR ALL")
    return store


@pytest.fixture(scope="session")
def oxigraph_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    if servers.oxigraph_program() is None:
        pytest.skip("the Oxigraph server (PyPI: oxigraph) is not installed")
    with servers.oxigraph(tmp_path_factory.mktemp("oxigraph") / "store") as engine:
        yield engine


@pytest.fixture(scope="session")
def virtuoso_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    if shutil.which("virtuoso-t") is None:
        pytest.skip("Virtuoso (Debian: virtuoso-opensource-7-bin) is not installed")
    with servers.virtuoso(tmp_path_factory.mktemp("virtuoso") / "store") as engine:
        yield engine


@pytest.fixture(scope="session")
def our_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[object]:
    with servers.ours(tmp_path_factory.mktemp("ours") / "data") as engine:
        yield engine


@pytest.fixture
def connected() -> object:
    """Give the function that opens an engine as an empty store."""
    return connect

"""Real engines for the tests of stores, each started once."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from kg.store.remote import RemoteStore

# Virtuoso keeps graphs of its own, which stay.
_ITS_OWN = ("http://www.openlinksw.com/", "http://www.w3.org/", "urn:core:", "urn:activitystreams")


def _load(name: str) -> ModuleType:
    # Test folders are no packages, so that files of one name can be in several of them.
    spec = spec_from_file_location(f"engine_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec and spec.loader
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


servers = _load("servers")


@pytest.fixture(scope="session")
def connected() -> Callable[[Any], RemoteStore]:
    """The function that opens an engine as an empty store."""
    return _connect


@pytest.fixture(scope="session")
def oxigraph_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if servers.oxigraph_program() is None:
        pytest.skip("the Oxigraph server (PyPI: oxigraph) is not installed")
    with servers.oxigraph(tmp_path_factory.mktemp("oxigraph") / "store") as engine:
        yield engine


@pytest.fixture(scope="session")
def virtuoso_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if shutil.which("virtuoso-t") is None:
        pytest.skip("Virtuoso (Debian: virtuoso-opensource-7-bin) is not installed")
    with servers.virtuoso(tmp_path_factory.mktemp("virtuoso") / "store") as engine:
        yield engine


@pytest.fixture(scope="session")
def our_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with servers.ours(tmp_path_factory.mktemp("ours") / "data") as engine:
        yield engine


def _connect(engine: Any) -> RemoteStore:
    store = RemoteStore(
        engine.query_url,
        update_url=engine.update_url,
        graphs_url=engine.graphs_url,
        login=engine.login,
        timeout=60,
    )
    if engine.name != "virtuoso":
        store.update("CLEAR ALL")
        return store
    for row in list(store.query("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }").rows()):
        graph = str(row["g"])
        if not graph.strip("<>").startswith(_ITS_OWN):
            store.update(f"CLEAR GRAPH {graph}")
    return store

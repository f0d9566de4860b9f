"""Real engines for the tests of stores, each started once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kg.store.remote.client import RemoteStore
from tests.kg.store import engines

# Virtuoso keeps graphs of its own, which stay.
_ITS_OWN = ("http://www.openlinksw.com/", "http://www.w3.org/", "urn:core:", "urn:activitystreams")


@pytest.fixture(scope="session")
def connected() -> Callable[[Any], RemoteStore]:
    """The function that opens an engine as an empty store."""
    return _connect


@pytest.fixture(scope="session")
def opened() -> Callable[[Any], RemoteStore]:
    """The function that opens an engine with what is in it."""
    return _open


@pytest.fixture(scope="session")
def oxigraph_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if engines.oxigraph_program() is None:
        pytest.skip("the Oxigraph server (PyPI: oxigraph) is not installed")
    with engines.oxigraph(tmp_path_factory.mktemp("oxigraph") / "store") as engine:
        yield engine


# What earlier tests leave in it changes its answers, so each file of tests has its own.
@pytest.fixture(scope="module")
def virtuoso_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if shutil.which("virtuoso-t") is None:
        pytest.skip("Virtuoso (Debian: virtuoso-opensource-7-bin) is not installed")
    with engines.virtuoso(tmp_path_factory.mktemp("virtuoso") / "store") as engine:
        yield engine


@pytest.fixture(scope="session")
def our_engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with engines.ours(tmp_path_factory.mktemp("ours") / "data") as engine:
        yield engine


def _open(engine: Any) -> RemoteStore:
    return RemoteStore(
        engine.query_url,
        update_url=engine.update_url,
        graphs_url=engine.graphs_url,
        login=engine.login,
        timeout=60,
    )


def _connect(engine: Any) -> RemoteStore:
    store = _open(engine)
    if engine.name != "virtuoso":
        store.update("CLEAR ALL")
        return store
    for row in list(store.query("SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }").rows()):
        graph = str(row["g"])
        if not graph.strip("<>").startswith(_ITS_OWN):
            store.update(f"CLEAR GRAPH {graph}")
    return store

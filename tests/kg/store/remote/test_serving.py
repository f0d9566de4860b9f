"""`diplograph serve --store URL` and the commands with DIPLOGRAPH_STORE, on real engines."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kg.store.remote.client import RemoteStore
from kg.terms import GRAPH_LOADS, ID
from tests.api.running import COMMAND, Served, start

pytestmark = pytest.mark.server

FILE = Path(__file__).parents[3] / "fixtures" / "new-event.ttl"


@pytest.fixture(scope="module", params=["oxigraph", "virtuoso"])
def engine(request: pytest.FixtureRequest) -> Any:
    return request.getfixturevalue(f"{request.param}_engine")


@pytest.fixture(scope="module")
def served(
    engine: Any, connected: Callable[[Any], RemoteStore], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    connected(engine).close()
    folder = tmp_path_factory.mktemp("served") / "data"
    server = start(folder, STORE=engine.query_url, STORE_LOGIN=engine.login, FRONTS="2")
    yield server
    assert server.stop() == 0


def run(engine: Any, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DIPLOGRAPH_")}
    given = {
        "DIPLOGRAPH_DATA": str(folder),
        "DIPLOGRAPH_STORE": engine.query_url,
        "DIPLOGRAPH_STORE_LOGIN": engine.login,
    }
    return subprocess.run(
        [*COMMAND, *arguments],
        env={**kept, **given},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", "Iran"),
        ("/page/country/irn", "Iran"),
        ("/page/event/us-iran-deportation", "United States"),
        ("/search?q=iran", "Iran"),
        ("/queries/deportations", "eport"),
        ("/loads", "oad"),
    ],
)
def test_pages_are_made(served: Served, path: str, words: str) -> None:
    page = httpx.get(served.url + path, headers={"Accept": "text/html"}, timeout=60)
    assert page.status_code == 200
    assert words in page.text


def test_questions_are_answered(served: Served) -> None:
    answer = httpx.get(f"{served.url}/queries/deportations", headers={"Accept": "text/csv"}, timeout=60)
    assert answer.status_code == 200
    assert f"{ID}event/us-iran-deportation" in answer.text


@pytest.mark.parametrize(
    "accept", ["text/csv", "application/sparql-results+json", "application/sparql-results+xml"]
)
def test_queries_stream_through(served: Served, accept: str) -> None:
    query = f"SELECT ?s ?p ?o {{ GRAPH ?g {{ ?s ?p ?o }} FILTER(STRSTARTS(STR(?s), '{ID}country/')) }}"
    answer = served.ask(query, headers={"Accept": accept})
    assert answer.headers["Content-Type"].startswith(accept)
    assert answer.text.count(f"{ID}country/irn") >= 3


def test_faults_keep_their_shape(served: Served) -> None:
    answer = served.ask("SELECT *\n{ ?s ?p }")
    assert answer.status_code == 400
    assert answer.json()["line"] == 2
    assert served.ask("SELECT * { SERVICE <http://127.0.0.1:1/> { ?s ?p ?o } }").status_code == 403


def test_the_commands_work_on_the_store_itself(engine: Any, served: Served, tmp_path: Path) -> None:
    loaded = run(engine, tmp_path / "own", "load", str(FILE), "--yes")
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.strip() in run(engine, tmp_path / "own", "loads").stdout
    assert "Norway" in run(engine, tmp_path / "own", "search", "Norway").stdout
    assert "port accord" in run(engine, tmp_path / "own", "describe", "event/norway-kenya-port-accord").stdout
    assert served.count(f"GRAPH {GRAPH_LOADS} {{ ?load a <https://w3id.org/diplograph/ontology#Load> }}") == 1
    assert not (tmp_path / "own" / "store").exists()


def test_loading_through_the_server_needs_its_token_and_works(served: Served) -> None:
    update = "INSERT DATA { GRAPH <http://e.example/g> { <http://e.example/a> <http://e.example/p> 1 } }"
    assert httpx.post(f"{served.url}/update", data={"update": update}).status_code == 401
    assert served.update(update).status_code == 204
    assert served.count("GRAPH <http://e.example/g> { ?s ?p ?o }") == 1

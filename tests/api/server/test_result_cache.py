"""Repeated queries: answered without the store, from complete results, and only as long as these are true."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from api.app import create_app
from kg.errors import QueryStoppedError
from kg.rdf.compression import zstd
from kg.settings import Settings
from kg.store.isolated.answers import AsyncAnswer
from kg.store.isolated.store import IsolatedStore
from tests.kg.store.opening import open_isolated
from tests.live import serve_app

pytestmark = pytest.mark.server

E = "http://e.example/"
SELECT = f"SELECT ?o {{ <{E}a> <{E}p> ?o }}"
MANY = f"SELECT ?s ?o {{ ?s <{E}many> ?o }}"
TOKEN = {"Authorization": "Bearer test-token"}
PLAIN = {"Accept-Encoding": "identity"}
DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.decompress,
    "zstd": zstd.decompress,
}


class Counting:
    """Counts the queries that reach the store, and may break their results off after the first piece."""

    def __init__(self) -> None:
        self.asked = 0
        self.breaks = False


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def store(folder: Path) -> Iterator[IsolatedStore]:
    store = open_isolated(folder)
    many = " ".join(f'<{E}{n}> <{E}many> "value {n % 7}" .' for n in range(3000))
    store.update(f"INSERT DATA {{ GRAPH <{E}m> {{ {many} }} GRAPH <{E}g> {{ <{E}a> <{E}p> 'one' }} }}")
    yield store
    store.close()


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Counting:
    counting = Counting()
    ask, piece = IsolatedStore.ask, AsyncAnswer.piece

    async def counted(self, *arguments, **options):  # type: ignore[no-untyped-def]
        counting.asked += 1
        return await ask(self, *arguments, **options)

    async def broken(self):  # type: ignore[no-untyped-def]
        found = await piece(self)
        if counting.breaks and getattr(self, "began", False):
            raise QueryStoppedError("it took longer than 1 s")
        self.began = True
        return found

    monkeypatch.setattr(IsolatedStore, "ask", counted)
    monkeypatch.setattr(AsyncAnswer, "piece", broken)
    return counting


@pytest.fixture
def client(store: IsolatedStore, folder: Path, counting: Counting) -> Iterator[httpx.Client]:
    settings = Settings(data=folder / "none", token="test-token")
    with serve_app(create_app(store, settings)) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def get(client: httpx.Client, query: str = SELECT, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get("/sparql", params={"query": query}, headers={**PLAIN, **named})


def raw(client: httpx.Client, path: str, **headers: str) -> tuple[httpx.Response, bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    with client.stream("GET", path, headers=named) as response:
        return response, b"".join(response.iter_raw())


def test_a_repeated_query_does_not_reach_the_store(client: httpx.Client, counting: Counting) -> None:
    first, second = get(client), get(client)
    assert counting.asked == 1
    assert first.content == second.content
    assert 'cache;desc="hit"' in second.headers["Server-Timing"]
    assert "total;dur=" in second.headers["Server-Timing"] and "query;dur=" in first.headers["Server-Timing"]
    for name in ("Content-Type", "Vary", "ETag", "Access-Control-Allow-Origin", "Content-Security-Policy"):
        assert first.headers[name] == second.headers[name], name
    assert first.headers["ETag"].startswith('W/"')


def test_the_same_query_by_other_methods_and_by_another_accept(
    client: httpx.Client, counting: Counting
) -> None:
    first = get(client, Accept="*/*")
    by_form = client.post("/sparql", data={"query": SELECT}, headers={"Accept": "*/*"})
    sparql = {"Content-Type": "application/sparql-query", "Accept": "*/*"}
    direct = client.post("/sparql", content=SELECT, headers=sparql)
    wanted = get(client, Accept="application/sparql-results+json, */*;q=0.1")
    assert counting.asked == 1
    assert first.content == by_form.content == direct.content == wanted.content
    assert get(client, Accept="text/csv").headers["Content-Type"].startswith("text/csv")
    assert counting.asked == 2
    assert get(client, Accept="text/turtle").status_code == 406


def test_datasets_are_told_apart(client: httpx.Client, counting: Counting) -> None:
    other = {"query": SELECT, "default-graph-uri": E + "none"}
    assert len(get(client).json()["results"]["bindings"]) == 1
    for _ in range(2):
        assert client.get("/sparql", params=other).json()["results"]["bindings"] == []
    assert counting.asked == 2


def test_answers_without_inference_are_told_apart(client: httpx.Client, counting: Counting) -> None:
    other = {"query": SELECT, "inference": "false"}
    tag = get(client).headers["ETag"]
    for _ in range(2):
        crossed = client.get("/sparql", params=other, headers={"If-None-Match": tag})
        assert crossed.status_code == 200 and crossed.headers["ETag"] != tag
    assert counting.asked == 2


def test_a_change_is_seen_at_once(client: httpx.Client) -> None:
    before = get(client)
    client.post(
        "/update", data={"update": f"INSERT DATA {{ GRAPH <{E}g> {{ <{E}a> <{E}p> 'two' }} }}"}, headers=TOKEN
    )
    after = get(client, If_None_Match=before.headers["ETag"])
    client.post(
        "/update", data={"update": f"DELETE DATA {{ GRAPH <{E}g> {{ <{E}a> <{E}p> 'two' }} }}"}, headers=TOKEN
    )
    assert after.status_code == 200
    assert len(after.json()["results"]["bindings"]) == 2
    assert after.headers["ETag"] != before.headers["ETag"]
    assert len(get(client).json()["results"]["bindings"]) == 1


@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
def test_a_good_copy_is_not_sent_again(client: httpx.Client, counting: Counting, coding: str) -> None:
    whole = get(client, MANY, Accept_Encoding=coding)
    asked = counting.asked
    condition = '"other", ' + whole.headers["ETag"]
    again = get(client, MANY, Accept_Encoding=coding, If_None_Match=condition)
    assert (again.status_code, again.content, counting.asked) == (304, b"", asked)
    assert again.headers["ETag"] == whole.headers["ETag"]
    assert "Accept" in again.headers["Vary"] and "Content-Length" not in again.headers
    xml = get(client, MANY, Accept="application/sparql-results+xml", If_None_Match=whole.headers["ETag"])
    assert xml.status_code == 200


@pytest.mark.parametrize(
    "query",
    [
        "SELECT (RAND() AS ?r) {}",
        "SELECT (now() AS ?t) {}",
        "SELECT (STRUUID() AS ?u) {}",
        "SELECT (UUID() AS ?u) {}",
        "CONSTRUCT { ?x ?p ?o } { ?s ?p ?o BIND(BNODE() AS ?x) } LIMIT 1",
    ],
)
def test_results_of_chance_and_of_the_clock_are_not_kept(
    client: httpx.Client, counting: Counting, query: str
) -> None:
    get(client, query)
    answer = get(client, query)
    assert counting.asked == 2
    assert answer.status_code == 200 and "ETag" not in answer.headers


def test_errors_are_not_kept(client: httpx.Client, counting: Counting) -> None:
    for _ in range(2):
        assert get(client, "nonsense").status_code == 400
    assert counting.asked == 2


@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
def test_a_broken_result_is_not_kept(client: httpx.Client, counting: Counting, coding: str) -> None:
    counting.breaks = True
    try:
        broken = get(client, MANY, Accept_Encoding=coding)
    except httpx.RemoteProtocolError:
        pass
    else:
        assert broken.status_code == 503, "it was stopped before its first byte went out"
    counting.breaks = False
    whole = get(client, MANY)
    assert len(whole.json()["results"]["bindings"]) == 3000
    assert 'desc="hit"' not in whole.headers["Server-Timing"]


def test_a_browser_is_shown_a_page_each_time(client: httpx.Client) -> None:
    get(client)
    page = get(client, Accept="text/html,*/*;q=0.8")
    assert page.headers["Content-Type"].startswith("text/html") and "ETag" not in page.headers


def test_head_has_the_headers_of_get(client: httpx.Client) -> None:
    cold = client.head("/sparql", params={"query": SELECT}, headers=PLAIN)
    got = get(client)
    warm = client.head("/sparql", params={"query": SELECT}, headers=PLAIN)
    assert cold.content == warm.content == b""
    assert cold.headers["ETag"] == warm.headers["ETag"] == got.headers["ETag"]
    assert int(warm.headers["Content-Length"]) == len(got.content)


def test_codings_hold_the_same_bytes(client: httpx.Client, counting: Counting) -> None:
    plain = get(client, MANY)
    assert "Content-Encoding" not in plain.headers and "Accept-Encoding" in plain.headers["Vary"]
    path = str(plain.request.url.raw_path, "ascii")
    for coding, decode in DECODERS.items():
        for address in (path, path + "%20"):  # from the cache, and for the first time
            coded, body = raw(client, address, Accept_Encoding=coding)
            assert coded.headers["Content-Encoding"] == coding
            assert decode(body) == plain.content and len(body) < len(plain.content)
    small = get(client, SELECT, Accept_Encoding="gzip")
    assert "Content-Encoding" not in small.headers and small.json()


def test_graphs_and_static_files_are_coded_and_their_tags_hold(client: httpx.Client) -> None:
    for path in (f"/graphs?graph={E}m", "/static/diplograph.css"):
        accept = {"Accept": "text/turtle, text/css"}
        for coding, decode in DECODERS.items():
            coded, body = raw(client, path, Accept_Encoding=coding, **accept)
            assert coded.headers["Content-Encoding"] == coding
            plain = client.get(path, headers={**accept, **PLAIN})
            assert decode(body) == plain.content
            assert coded.headers["ETag"] != plain.headers["ETag"]
            again = client.get(
                path, headers={**accept, "Accept-Encoding": coding, "If-None-Match": coded.headers["ETag"]}
            )
            assert (again.status_code, again.headers["ETag"]) == (304, coded.headers["ETag"])


def test_a_tag_of_a_coded_graph_guards_a_write(client: httpx.Client) -> None:
    body = "\n".join(f"<{E}{n}> <{E}p> {n} ." for n in range(200))
    client.put("/graph/mine", content=body, headers={**TOKEN, "Content-Type": "text/turtle"})
    got = client.get("/graph/mine", headers={"Accept": "text/turtle", "Accept-Encoding": "gzip"})
    assert got.headers["ETag"].endswith('-gzip"')
    guarded = {**TOKEN, "If-Match": got.headers["ETag"]}
    assert client.delete("/graph/mine", headers=guarded).status_code == 204


def test_a_page_of_a_session_is_not_coded(client: httpx.Client) -> None:
    headers = {"Accept": "text/html", "Accept-Encoding": "gzip"}
    assert client.get("/sparql", headers=headers).headers["Content-Encoding"] == "gzip"
    client.post("/sign-in", data={"token": "test-token"})
    assert "Content-Encoding" not in client.get("/sparql", headers=headers).headers


def test_the_cache_is_bounded_in_bytes(store: IsolatedStore, folder: Path, counting: Counting) -> None:
    settings = Settings(data=folder / "none", cache=40_000)
    with serve_app(create_app(store, settings)) as url, httpx.Client(base_url=url, timeout=60) as client:
        small = [f"SELECT * {{ BIND({number} AS ?n) }}" for number in range(100)]
        for query in small:
            get(client, query)
        figures = {line.split()[0]: line.split()[1] for line in client.get("/metrics").text.splitlines()}
        assert 30_000 < float(figures["diplograph_cache_bytes"]) <= 40_000
        get(client, MANY)  # larger than an eighth of the cache
        for query, asked in ((small[99], 0), (small[90], 0), (small[0], 1), (MANY, 1), (small[90], 0)):
            before = counting.asked
            get(client, query)
            assert counting.asked - before == asked, query

"""Repeated queries: answered without the store, from what was complete, and only as long as it is true."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlencode

import pytest
import zstandard
from api.web.compression import choose_coding
from flask.testing import FlaskClient
from pyoxigraph import Literal, NamedNode, Quad

from api.app import create_app
from api.server.result_cache import Entry, ResultCache
from kg.errors import QueryStoppedError
from kg.rdf.formats import Format
from kg.settings import Settings
from kg.store import UNION, EmbeddedStore, QueryDataset

E = "http://e.example/"
SELECT = f"SELECT ?o {{ <{E}a> <{E}p> ?o }}"
MANY = f"SELECT ?s ?o {{ ?s <{E}many> ?o }}"
TOKEN = {"Authorization": "Bearer test-token"}
PLAIN = {"Accept-Encoding": "identity"}


class Counting:
    """A store that counts the queries it gets, and may break them off after the first piece."""

    def __init__(self, store: EmbeddedStore) -> None:
        self.store = store
        self.asked = 0
        self.breaks = False
        self.versioned = True

    @property
    def version(self) -> str:
        return self.store.version if self.versioned else ""

    def query(self, text: str, dataset: QueryDataset = UNION):  # type: ignore[no-untyped-def]
        self.asked += 1
        return Answer(self, self.store.query(text, dataset))

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self.store, name)


class Answer:
    def __init__(self, owner: Counting, answer) -> None:  # type: ignore[no-untyped-def]
        self._owner, self._answer = owner, answer

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self._answer, name)

    def serialize(self, form: Format) -> Iterator[bytes]:
        for piece in self._answer.serialize(form):
            yield piece
            if self._owner.breaks:
                raise QueryStoppedError("it took longer than 1 s")


@pytest.fixture
def counting(store: EmbeddedStore) -> Counting:
    many = [
        Quad(NamedNode(f"{E}{n}"), NamedNode(E + "many"), Literal(f"value {n % 7}"), NamedNode(E + "m"))
        for n in range(3000)
    ]
    one = Quad(NamedNode(E + "a"), NamedNode(E + "p"), Literal("one"), NamedNode(E + "g"))
    store.change([], [one, *many])
    return Counting(store)


@pytest.fixture
def client(counting: Counting, settings: Settings) -> FlaskClient:
    return create_app(counting, settings).test_client()  # type: ignore[arg-type]


def get(client: FlaskClient, query: str = SELECT, *, whole: bool = True, **headers: str):  # type: ignore[no-untyped-def]
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.get("/sparql?" + urlencode({"query": query}), headers=named, buffered=whole)


def test_a_repeated_query_does_not_reach_the_store(client: FlaskClient, counting: Counting) -> None:
    first, second = get(client), get(client)
    assert counting.asked == 1
    assert first.data == second.data
    assert 'cache;desc="hit"' in second.headers["Server-Timing"]
    assert "total;dur=" in second.headers["Server-Timing"] and "query;dur=" in first.headers["Server-Timing"]
    for name in ("Content-Type", "Vary", "ETag", "Access-Control-Allow-Origin", "Content-Security-Policy"):
        assert first.headers[name] == second.headers[name], name
    assert first.headers["ETag"].startswith('W/"')
    assert {"Accept", "Accept-Encoding"} <= set(first.headers["Vary"].replace(" ", "").split(","))


def test_the_same_query_by_form_and_by_another_accept(client: FlaskClient, counting: Counting) -> None:
    get(client)
    by_form = client.post("/sparql", data={"query": SELECT}, buffered=True)
    wanted = get(client, Accept="application/sparql-results+json, */*;q=0.1")
    assert counting.asked == 1
    assert by_form.json == wanted.json
    assert get(client, Accept="text/csv").mimetype == "text/csv"
    assert counting.asked == 2
    assert get(client, Accept="text/turtle").status_code == 406


def test_datasets_are_told_apart(client: FlaskClient, counting: Counting) -> None:
    address = "/sparql?" + urlencode({"query": SELECT, "default-graph-uri": E + "none"})
    assert len(get(client).json["results"]["bindings"]) == 1
    assert len(client.get(address).json["results"]["bindings"]) == 0
    assert len(client.get(address).json["results"]["bindings"]) == 0
    assert counting.asked == 2


def test_a_change_is_seen_at_once(client: FlaskClient) -> None:
    before = get(client)
    insert = f"INSERT DATA {{ GRAPH <{E}g> {{ <{E}a> <{E}p> 'two' }} }}"
    client.post("/update", data={"update": insert}, headers=TOKEN)
    after = get(client, If_None_Match=before.headers["ETag"])
    assert after.status_code == 200
    assert len(after.json["results"]["bindings"]) == 2
    assert after.headers["ETag"] != before.headers["ETag"]


def test_a_good_copy_is_not_sent_again(client: FlaskClient, counting: Counting) -> None:
    for headers in (PLAIN, {"Accept-Encoding": "gzip"}, {"Accept-Encoding": "zstd"}):
        whole = client.get("/sparql?" + urlencode({"query": MANY}), headers=headers, buffered=True)
        asked = counting.asked
        condition = {**headers, "If-None-Match": '"other", ' + whole.headers["ETag"]}
        again = client.get("/sparql?" + urlencode({"query": MANY}), headers=condition)
        assert (again.status_code, again.data, counting.asked) == (304, b"", asked)
        assert again.headers["ETag"] == whole.headers["ETag"]
        assert "Accept" in again.headers["Vary"] and "Content-Length" not in again.headers
    xml = get(client, MANY, Accept="application/sparql-results+xml", If_None_Match=whole.headers["ETag"])
    assert xml.status_code == 200


def test_a_good_copy_is_known_when_the_result_is_no_longer_kept(
    counting: Counting, settings: Settings
) -> None:
    client = create_app(counting, replace(settings, cache=100)).test_client()  # type: ignore[arg-type]
    tag = get(client).headers["ETag"]
    assert counting.asked == 1
    assert get(client, If_None_Match=tag).status_code == 304
    assert counting.asked == 1


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
def test_what_chance_and_the_clock_say_is_asked_anew(
    client: FlaskClient, counting: Counting, query: str
) -> None:
    get(client, query)
    answer = get(client, query)
    assert counting.asked == 2
    assert answer.status_code == 200 and "ETag" not in answer.headers


def test_a_store_without_versions_is_asked_anew(client: FlaskClient, counting: Counting) -> None:
    counting.versioned = False
    get(client)
    assert "ETag" not in get(client).headers
    assert counting.asked == 2


def test_an_answer_that_depends_on_the_host_is_not_kept(client: FlaskClient) -> None:
    """Relative IRIs mean the address that the client names; another client's are others."""
    address = "/sparql?" + urlencode({"query": "SELECT ?s { BIND(<x> AS ?s) }"})
    for host in ("one.example", "two.example"):
        response = client.get(address, headers={"Host": host}, buffered=True)
        assert response.json["results"]["bindings"][0]["s"]["value"] == f"http://{host}/x"
        assert "ETag" not in response.headers


def test_errors_are_not_kept(client: FlaskClient, counting: Counting) -> None:
    for _ in range(2):
        assert get(client, "nonsense").status_code == 400
    assert counting.asked == 4  # each once more, with a base


def test_a_broken_result_is_not_kept(client: FlaskClient, counting: Counting) -> None:
    counting.breaks = True
    for headers in ({}, {"Accept_Encoding": "gzip"}):
        response = get(client, MANY, whole=False, **headers)
        with pytest.raises(QueryStoppedError):
            b"".join(response.response)
        response.close()
    counting.breaks = False
    whole = get(client, MANY)
    assert len(whole.json["results"]["bindings"]) == 3000
    assert 'desc="hit"' not in whole.headers["Server-Timing"]


def test_a_result_that_is_not_read_to_its_end_is_not_kept(client: FlaskClient, counting: Counting) -> None:
    response = get(client, MANY, whole=False)
    next(iter(response.response))
    response.close()
    get(client, MANY)
    assert counting.asked == 2


def test_a_browser_is_shown_a_page_each_time(client: FlaskClient) -> None:
    get(client)
    page = get(client, Accept="text/html,*/*;q=0.8")
    assert page.mimetype == "text/html" and "ETag" not in page.headers


def test_head_tells_what_get_would(client: FlaskClient) -> None:
    address = "/sparql?" + urlencode({"query": SELECT})
    cold = client.head(address)
    got = client.get(address, buffered=True)
    warm = client.head(address)
    assert cold.data == warm.data == b""
    assert cold.headers["ETag"] == warm.headers["ETag"] == got.headers["ETag"]
    assert int(warm.headers["Content-Length"]) == len(got.data)


def test_codings_are_chosen_by_quality() -> None:
    for header, coding in {
        "": "",
        "identity": "",
        "gzip": "gzip",
        "gzip, deflate, br, zstd": "zstd",
        "gzip;q=1.0, zstd;q=0.5": "gzip",
        "*": "zstd",
        "gzip;q=0": "",
        "gzip;q=0, *;q=0.1": "zstd",
        "br": "",
        "gzip;q=0.2, identity;q=0.9": "",
    }.items():
        assert choose_coding(header) == coding, header


def test_codings_give_the_same_bytes_cold_and_kept(client: FlaskClient, counting: Counting) -> None:
    plain = get(client, MANY, Accept_Encoding="identity")
    assert "Content-Encoding" not in plain.headers
    for coding, decode in (
        ("gzip", gzip.decompress),
        ("zstd", lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data)),
    ):
        kept = get(client, MANY, Accept_Encoding=coding)
        assert kept.headers["Content-Encoding"] == coding
        assert decode(kept.data) == plain.data and len(kept.data) < len(plain.data)
        assert kept.headers["ETag"] == plain.headers["ETag"][:-1] + f'-{coding}"'
        assert int(kept.headers["Content-Length"]) == len(kept.data)
        cold = client.get("/sparql?" + urlencode({"query": MANY + " "}), headers={"Accept-Encoding": coding})
        assert decode(cold.data) == plain.data
    assert counting.asked == 3
    small = get(client, SELECT, Accept_Encoding="gzip")
    assert "Content-Encoding" not in small.headers and json.loads(small.data)


def test_graphs_and_static_files_are_coded_and_their_tags_hold(client: FlaskClient) -> None:
    for path in ("/graph/countries", "/static/diplograph.css"):
        headers = {"Accept": "text/turtle, text/css", "Accept-Encoding": "gzip"}
        coded = client.get(path, headers=headers, buffered=True)
        assert coded.headers["Content-Encoding"] == "gzip"
        plain = client.get(path, headers={**headers, "Accept-Encoding": "identity"}, buffered=True)
        assert gzip.decompress(coded.data) == plain.data
        assert coded.headers["ETag"] != plain.headers["ETag"]
        again = client.get(path, headers={**headers, "If-None-Match": coded.headers["ETag"]}, buffered=True)
        assert (again.status_code, again.headers["ETag"]) == (304, coded.headers["ETag"])


def test_a_tag_of_a_coded_graph_guards_a_write(client: FlaskClient) -> None:
    body = "\n".join(f"<{E}{n}> <{E}p> {n} ." for n in range(200))
    client.put("/graph/mine", data=body, content_type="text/turtle", headers=TOKEN)
    got = client.get("/graph/mine", headers={"Accept": "text/turtle", "Accept-Encoding": "gzip"})
    guarded = {**TOKEN, "If-Match": got.headers["ETag"]}
    assert client.delete("/graph/mine", headers=guarded).status_code == 204


def test_a_page_of_a_session_is_not_coded(client: FlaskClient) -> None:
    headers = {"Accept": "text/html", "Accept-Encoding": "gzip"}
    assert client.get("/sparql", headers=headers).headers["Content-Encoding"] == "gzip"
    client.post("/sign-in", data={"token": "test-token"})
    assert "Content-Encoding" not in client.get("/sparql", headers=headers).headers


def test_the_cache_is_bounded_in_bytes() -> None:
    cache = ResultCache(10_000)
    for number in range(100):
        cache.put(number, Entry((), bytes(500)))
        assert cache.size <= 10_000
    assert cache.get(99) is not None and cache.get(0) is None
    cache.put("large", Entry((), bytes(5000)))
    assert cache.get("large") is None
    cache.get(90)
    for number in range(200, 210):
        cache.put(number, Entry((), bytes(500)))
    assert cache.get(90) is not None and cache.get(91) is None

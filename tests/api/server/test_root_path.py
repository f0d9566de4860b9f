"""The application under a path: every link, redirect, description, feed and cookie stays under it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urldefrag, urljoin, urlsplit

import httpx
import pytest
from flask import Flask

from api.app import create_asgi_app
from api.processes import serving_process
from kg.errors import ParameterError
from kg.settings import Settings
from tests.live import serve, serve_app

pytestmark = pytest.mark.server

ROOT = "/kg"
PAGE = {"Accept": "text/html"}
LINKS = {"href", "src", "action", "data-suggest", "data-source"}
# Doors that pages do not lead to, or not with these headers.
STARTS = (
    *(
        "/",
        "/?lang=de",
        "/sparql?query=DESCRIBE+%3Chttps%3A%2F%2Fw3id.org%2Fdiplograph%2Fid%2Fcountry%2Firn%3E",
    ),
    *(
        "/events",
        "/records",
        "/search?q=Iran",
        "/search?q=Qatar",
        "/dyad?a=usa&b=irn",
        "/dyad/usa/irn",
        "/nothing",
    ),
    *("/sitemap.xml", "/sitemap-1.xml", "/robots.txt", "/openapi.json", "/.well-known/void", "/reconcile"),
    *(
        "/suggest?q=Ira",
        "/events.json",
        "/page/country/irn",
        "/graph/countries",
        "/coverage",
    ),
    *(
        "/neighbours?iri=https%3A%2F%2Fw3id.org%2Fdiplograph%2Fid%2Fcountry%2Firn",
        "/load",
        "/loads",
        "/sign-in",
    ),
)
KINDS = re.compile(r"[^/?.]+")


class Links(HTMLParser):
    """The addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [
            value for name, value in attrs if name in LINKS and value and not value.startswith("#")
        ]


@pytest.fixture(scope="module")
def under(reading_app: Flask) -> Iterator[str]:
    """The address of a server under a path."""
    with serve_app(reading_app, root_path=ROOT) as url:
        yield url


def addresses(response: httpx.Response) -> list[str]:
    """The addresses that a response names, whole or of this host."""
    found: list[str] = re.findall(r"<([^>]*)>", ", ".join(response.headers.get_list("Link")))
    found += response.headers.get_list("Location")
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    host = f"http://{response.url.netloc.decode()}"
    found += re.findall(re.escape(host) + r"[^\s\"'<>)]*", response.text)
    if kind == "text/html":
        links = Links()
        links.feed(response.text)
        found += links.found
    if kind.endswith("json"):
        found += [text for text in strings(json.loads(response.text)) if text.startswith("/")]
    return found


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            # What follows the address of a service (Reconciliation Service API 0.2, section 3.2).
            if name not in ("service_path", "flyout_service_path"):
                yield from strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from strings(member)
    elif isinstance(value, str):
        yield value


def test_no_link_of_any_kind_of_page_leads_out_of_the_path(under: str) -> None:
    with httpx.Client(base_url=under, headers=PAGE, timeout=60, trust_env=False) as client:
        todo = [under + ROOT + path for path in STARTS]
        kinds: set[tuple[str, ...]] = set()
        visited = 0
        while todo:
            url = todo.pop(0)
            response = client.get(url)
            visited += 1
            expected = {404} if url.endswith("/nothing") else {200, 302, 303, 301}
            assert response.status_code in expected, url
            for address in addresses(response):
                target = urldefrag(urljoin(url, address)).url
                if urlsplit(target).netloc != urlsplit(under).netloc or not target.startswith("http"):
                    continue
                path = urlsplit(target).path
                assert f"{path}/".startswith(ROOT + "/"), f"{url} leads to {address}"
                # One of each kind of address: its first words, and its ending.
                words = KINDS.findall(path)[1:]
                kind = (*words[:2], path.rpartition(".")[2] if "." in path else "", str("?" in target))
                if kind not in kinds and not path.startswith(ROOT + "/sign-out") and len(kinds) < 15:
                    kinds.add(kind)
                    if not re.search(r"/(commit|undo|cancel|sign-out|update|entailments)$", path):
                        todo.append(target)
        assert visited > 30


def test_identifiers_do_not_change(under: str) -> None:
    turtle = httpx.get(f"{under}{ROOT}/data/country/irn.ttl", trust_env=False).text
    assert "https://w3id.org/diplograph/id/country/irn" in turtle and ROOT not in turtle


def test_a_proxy_may_strip_the_path_or_leave_it(under: str) -> None:
    for path in ("/", "/events", f"{ROOT}", f"{ROOT}/events"):
        page = httpx.get(under + path, headers=PAGE, trust_env=False)
        assert page.status_code == 200 and f'href="{ROOT}/sparql"' in page.text
    # Names that only begin alike are others.
    assert httpx.get(under + "/kgx", headers=PAGE, trust_env=False).status_code == 404


def test_sign_in_stays_under_the_path(under: str) -> None:
    form = {"token": "test-token", "next": f"{ROOT}/load"}
    response = httpx.post(f"{under}{ROOT}/sign-in", data=form, headers=PAGE, trust_env=False)
    assert response.headers["Location"] == f"{ROOT}/load"
    assert f"Path={ROOT};" in response.headers["Set-Cookie"] + ";"
    for out in ("/load", "//e.example/", "/kgx/load", ""):
        answer = httpx.post(
            f"{under}{ROOT}/sign-in", data={**form, "next": out}, headers=PAGE, trust_env=False
        )
        assert answer.headers["Location"] == f"{ROOT}/"


def test_the_addresses_of_names_keep_their_bytes_under_the_path(under: str) -> None:
    answer = httpx.get(f"{under}{ROOT}/id/country/%69rn", headers=PAGE, trust_env=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{ROOT}/page/country/irn")


def test_relative_iris_of_a_query_are_resolved_against_the_whole_address(under: str) -> None:
    for query in ("SELECT (<x> AS ?x) {}", "BASE <http://e.example/> SELECT (<x> AS ?x) {}"):
        answer = httpx.get(f"{under}{ROOT}/sparql", params={"query": query}, trust_env=False)
        value = answer.json()["results"]["bindings"][0]["x"]["value"]
        assert value == ("http://e.example/x" if "BASE" in query else f"{under}{ROOT}/x")


def brand(url: str, **headers: str) -> str:
    page = httpx.get(url + "/events", headers={**PAGE, **headers}, trust_env=False).text
    (found,) = re.findall(r'class="brand" href="([^"]*)"', page)
    return found


def test_the_prefix_of_a_trusted_proxy_is_believed_where_that_is_wanted(reading_app: Flask) -> None:
    app = create_asgi_app(reading_app)
    prefix = {"X-Forwarded-Prefix": "/atlas/"}
    with serve(app, trusted_proxy="127.0.0.0/8", forwarded_prefix=True, root_path="/kg") as port:
        url = f"http://127.0.0.1:{port}"
        assert brand(url, **prefix) == "/atlas/"
        # It is the proxy that is trusted, not the client for which it speaks.
        assert brand(url, **prefix, **{"X-Forwarded-For": "203.0.113.9"}) == "/atlas/"
        for bad in ("//e.example", "/a b", "/a/../b//", "javascript:", '/"onload=', "kg", "/"):
            assert brand(url, **{"X-Forwarded-Prefix": bad}) == "/kg/", bad
    for settings in (
        {},
        {"trusted_proxy": "127.0.0.1"},
        {"forwarded_prefix": True},
        {"trusted_proxy": "192.0.2.1", "forwarded_prefix": True},
    ):
        with serve(app, **settings) as port:
            assert brand(f"http://127.0.0.1:{port}", **prefix) == "/"


@pytest.mark.parametrize(
    "settings",
    [
        *({"root_path": path} for path in ("kg", "//e.example", "/a b", "/..", "/kg?x")),
        {"forwarded_prefix": True, "trusted_proxy": "my-proxy"},
    ],
)
def test_what_is_no_path_or_address_is_refused_at_the_start(settings: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ParameterError) as caught:
        serving_process.serve(Settings(data=tmp_path / "data", **settings), "127.0.0.1", 0, say=print)
    assert caught.value.mend and not (tmp_path / "data").exists()

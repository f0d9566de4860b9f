"""The nginx configuration of docs/operations.md, run as it stands but for ports and paths."""

from __future__ import annotations

import os
import re
import shutil
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from flask import Flask

from tests.api.running import late_subject
from tests.free_ports import free_port
from tests.live import serve_app

pytestmark = pytest.mark.server

ROOT = Path(__file__).parent.parent
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
QUERY = f"SELECT * {{ ?s ?p ?o VALUES ?n {{ {' '.join(map(str, range(50)))} }} }}"
# Rows up to those of a subject, then work without an end.
STALLS = (
    "SELECT ?a ?b {{ ?a ?p ?b FILTER(IF(?a = <{}>, EXISTS {{ SELECT (COUNT(*) AS ?n) "
    "{{ ?s1 ?p1 ?o1 . ?s2 ?p2 ?o2 . ?s3 ?p3 ?o3 }} }}, true)) }}"
)


def configuration(folder: Path, port: int, behind: str) -> str:
    """The file of the document, in what Debian puts around it."""
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```nginx\n(.*?)^```", text, re.M | re.S)
    for old, new in (
        ("listen 443 ssl;", f"listen 127.0.0.1:{port} ssl;"),
        ("server 127.0.0.1:8000;", f"server {behind};"),
        ("/etc/ssl/diplograph/", f"{folder}/"),
        ("/var/cache/nginx/diplograph", f"{folder}/cache"),
    ):
        assert block.count(old) >= 1, old
        block = block.replace(old, new)
    temporary = "".join(
        f"{name}_temp_path {folder}/{name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.getuid() == 0 else ""
    return (
        f"{user}daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;\n"
        f"events {{}}\nhttp {{ access_log off;\n{temporary}{block}}}\n"
    )


@pytest.fixture(scope="module")
def app(
    tmp_path_factory: pytest.TempPathFactory, copy_installed: Callable[[Path], Path]
) -> Iterator[tuple[str, str]]:
    """A server of ours: host with port, and its token."""
    folder = copy_installed(tmp_path_factory.mktemp("behind") / "data")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DIPLOGRAPH_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "api.cli", "serve", "--port", "0", "--data", str(folder)],
        env={
            **kept,
            "DIPLOGRAPH_WORKERS": "2",
            "DIPLOGRAPH_QUERY_TIMEOUT": "4",
            "DIPLOGRAPH_TRUSTED_PROXY": "127.0.0.1",
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    try:
        address = next(
            line.split(" at http://")[1].split("/ ")[0] for line in process.stderr if " at http://" in line
        )
        threading.Thread(target=process.stderr.read, daemon=True).start()
        yield address, (folder / "token").read_text(encoding="ascii").strip()
    finally:
        process.terminate()
        process.wait(60)
        process.stderr.close()


@pytest.fixture(scope="module")
def proxy(app: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of nginx in front of it."""
    with in_front(tmp_path_factory.mktemp("nginx"), app[0]) as client:
        yield client


@contextmanager
def in_front(folder: Path, behind: str, root: str = "") -> Iterator[httpx.Client]:
    """Run nginx; yields a client, which trusts the throw-away certificate and no other."""
    if NGINX is None or shutil.which("openssl") is None:
        pytest.skip("nginx or openssl is not installed: sh .ci/packages installs them on Debian")
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem"),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )  # fmt: skip
    port = free_port()
    file = folder / "nginx.conf"
    text = configuration(folder, port, behind)
    file.write_text(re.sub(r"(location (?:= |~ \^)?)/", rf"\1{root}/", text), encoding="utf-8")
    process = subprocess.Popen([NGINX, "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(file)])
    trusted = ssl.create_default_context(cafile=str(folder / "fullchain.pem"))
    client = httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=trusted, timeout=60, trust_env=False)
    try:
        for _ in range(200):
            try:
                client.get(root + "/robots.txt")
                break
            except httpx.ConnectError:
                assert process.poll() is None, (folder / "error.log").read_text(encoding="utf-8")
                time.sleep(0.05)
        yield client
    finally:
        client.close()
        process.terminate()
        process.wait(30)


def test_pages_and_queries_come_through_tls(proxy: httpx.Client) -> None:
    page = proxy.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 200 and "diplograph" in page.text
    assert page.headers["Strict-Transport-Security"].startswith("max-age=")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert proxy.get("/sparql", params={"query": "ASK {}"}).json()["boolean"] is True


def test_tags_and_codings_survive(proxy: httpx.Client) -> None:
    params = {"query": "SELECT * { ?s ?p ?o } LIMIT 500"}
    for coding in ("gzip", "identity"):
        first = proxy.get("/sparql", params=params, headers={"Accept-Encoding": coding})
        assert first.headers.get("Content-Encoding", "identity") == coding
        assert {"Accept", "Accept-Encoding"} <= {part.strip() for part in first.headers["Vary"].split(",")}
        again = proxy.get(
            "/sparql",
            params=params,
            headers={"Accept-Encoding": coding, "If-None-Match": first.headers["ETag"]},
        )
        assert again.status_code == 304


def test_the_description_is_kept_by_vary_and_asked_after_by_tag(proxy: httpx.Client) -> None:
    def void(accept: str) -> tuple[str, str]:
        response = proxy.get("/.well-known/void", headers={"Accept": accept})
        assert response.status_code == 200
        return response.headers["X-Cache"], response.headers["Content-Type"].partition(";")[0]

    assert void("text/turtle") == ("MISS", "text/turtle")
    assert void("application/n-triples") == ("MISS", "application/n-triples")
    # When its second is over, the server says that the copy still holds.
    deadline = time.monotonic() + 60
    while (found := void("text/turtle")) == ("HIT", "text/turtle") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert found == ("REVALIDATED", "text/turtle")


def test_static_files_are_kept(proxy: httpx.Client) -> None:
    states = [proxy.get("/static/diplograph.css").headers["X-Cache"] for _ in range(2)]
    assert states == ["MISS", "HIT"]


def test_a_result_streams_before_it_is_whole(proxy: httpx.Client) -> None:
    with proxy.stream("GET", "/sparql", params={"query": QUERY}, headers={"Accept": "text/csv"}) as response:
        got = 0
        for piece in response.iter_raw():
            got += len(piece)
            if got > 500_000:
                break
    assert response.headers["Transfer-Encoding"] == "chunked"
    assert proxy.get("/sparql", params={"query": "ASK {}"}).json()["boolean"] is True


@pytest.mark.parametrize("coding", ["identity", "gzip"])
def test_a_broken_transfer_stays_broken(proxy: httpx.Client, app: tuple[str, str], coding: str) -> None:
    query = STALLS.format(late_subject(f"http://{app[0]}"))
    for _ in range(5):
        try:
            with proxy.stream(
                "GET",
                "/sparql",
                params={"query": query},
                headers={"Accept": "text/csv", "Accept-Encoding": coding},
            ) as response:
                if response.status_code == 503:  # stopped before its first byte, on a busy machine
                    continue
                for _ in response.iter_raw():
                    pass
        except (httpx.RemoteProtocolError, httpx.ReadError):
            return
        raise AssertionError("a broken result looked whole")
    raise AssertionError("it was always stopped before its first byte")


def test_problems_come_through(proxy: httpx.Client) -> None:
    response = proxy.get("/sparql", params={"query": "SELECT {"})
    assert (response.status_code, response.headers["Content-Type"]) == (400, "application/problem+json")


def test_graphs_are_written_with_the_token(proxy: httpx.Client, app: tuple[str, str]) -> None:
    body = "\n".join(f"<http://e.example/{n}> <http://e.example/p> {n} ." for n in range(3000))
    headers = {"Content-Type": "text/turtle"}
    assert proxy.put("/graph/behind-nginx", content=body, headers=headers).status_code == 401
    headers["Authorization"] = f"Bearer {app[1]}"
    assert proxy.put("/graph/behind-nginx", content="<a:a> <a:b> 1 .", headers=headers).status_code == 201
    got = proxy.get("/graph/behind-nginx", headers={"Accept": "text/turtle"})
    assert got.status_code == 200 and got.headers["ETag"]
    assert proxy.post("/graph/behind-nginx", content=body, headers=headers).status_code == 204
    stale = {**headers, "If-Match": got.headers["ETag"]}
    assert proxy.delete("/graph/behind-nginx", headers=stale).status_code == 412


def test_descriptions_say_the_scheme_that_the_client_used(proxy: httpx.Client, app: tuple[str, str]) -> None:
    description = proxy.get("/sparql", headers={"Accept": "application/n-triples"}).text
    assert re.search(r"service-description#endpoint> <https://[^>]*/sparql>", description)
    # Without a proxy's word it is what the connection is.
    plain = httpx.get(f"http://{app[0]}/sparql", headers={"Accept": "application/n-triples"}, trust_env=False)
    assert re.search(r"service-description#endpoint> <http://[^>]*/sparql>", plain.text)


def test_under_a_path_as_the_document_says(reading_app: Flask, tmp_path: Path) -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert "`--root-path /kg`" in text and "before the path of each `location`" in text
    settings = {"root_path": "/kg", "trusted_proxy": "127.0.0.1"}
    with (
        serve_app(reading_app, **settings) as url,
        in_front(tmp_path, url.removeprefix("http://"), "/kg") as client,
    ):
        assert client.get("/events").status_code == 404
        page = client.get("/kg/events", headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert set(re.findall(r'(?:href|src|action)="(/[^/"]*)', page.text)) == {"/kg"}
        thing = client.get("/kg/id/country/irn", headers={"Accept": "text/turtle"})
        assert (thing.status_code, thing.headers["Location"]) == (303, "/kg/data/country/irn.ttl")
        assert client.get("/kg/static/diplograph.css").headers["X-Cache"] == "MISS"
        assert "<https://graph.example/kg/sparql>" in client.get("/kg/.well-known/void").text
        form = {"token": "test-token", "next": "/kg/load"}
        signed = client.post("/kg/sign-in", data=form)
        assert signed.headers["Location"] == "/kg/load"
        assert "Path=/kg" in signed.headers["Set-Cookie"] and "Secure" in signed.headers["Set-Cookie"]


# Last, since it takes the whole share of this client.
def test_one_client_cannot_take_all(proxy: httpx.Client) -> None:
    states = [proxy.get("/sparql", params={"query": f"ASK {{}} # {n}"}).status_code for n in range(150)]
    assert set(states) == {200, 429}

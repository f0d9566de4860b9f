"""A result is complete or visibly not: for every format, every cause, and clients that people use.

Before its first byte a query that is stopped gets 503 with problem details; after it, a broken transfer.
"""

from __future__ import annotations

import gc
import itertools
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from SPARQLWrapper import SPARQLWrapper

from tests.api.running import Served, late_subject, processor_seconds, wait_for_work
from tests.api.running import start as serve

pytestmark = pytest.mark.server

RESULTS = {
    "json": "application/sparql-results+json",
    "xml": "application/sparql-results+xml",
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
}
GRAPHS = {
    "ttl": "text/turtle",
    "nt": "application/n-triples",
    "rdf": "application/rdf+xml",
    "jsonld": "application/ld+json",
}
FORMATS = {**RESULTS, **GRAPHS}
# On a busy machine the time may be over before the first rows are out, which is right as well.
TRIES = 6
AT_ONCE = 8
WRAPPED = ("json", "xml", "csv", "tsv", "turtle", "rdf")
CROSS = "?s1 ?p1 ?o1 . ?s2 ?p2 ?o2 . ?s3 ?p3 ?o3"
SORTED = "SELECT ?s1 ?o2 { ?s1 ?p1 ?o1 . ?s2 ?p2 ?o2 } ORDER BY ?o2 ?o1"


def hostile(form: str, *, work: str = f"SELECT (COUNT(*) AS ?b) {{ {CROSS} }}", after: str = "") -> str:
    """A query that never ends or never fits, at once or when its rows come to the subject `after`."""
    pattern = f"{{ SELECT (?x AS ?b) {{ {{ {work.replace('?b', '?x')} }} }} }}"
    if after:
        pattern = f"?a ?p ?b FILTER(IF(?a = <{after}>, EXISTS {pattern}, true))"
    pattern = f"{{ {pattern} }}"
    if form in RESULTS:
        return f"SELECT ?a ?b {pattern}"
    template = "?a <http://e.example/p> ?b . <http://e.example/end> <http://e.example/p> ?b"
    return f"CONSTRUCT {{ {template} }} {pattern}"


@dataclass
class Running(Served):
    # The subject of a row that comes after some thousand others.
    late: str = ""

    def readers(self) -> list[int]:
        """The processes under the server that answer queries."""
        return self.named("worker")


def start(folder: Path, **settings: str) -> Running:
    served = serve(folder, **settings)
    return Running(served.process, served.folder, served.url)


@pytest.fixture(scope="module")
def hurried(
    tmp_path_factory: pytest.TempPathFactory, copy_installed: Callable[[Path], Path]
) -> Iterator[Running]:
    """A server that gives a query one second."""
    running = start(
        copy_installed(tmp_path_factory.mktemp("hurried") / "data"),
        QUERY_TIMEOUT="1",
        FRONTS="1",
        # Twice as many as are asked at once, so that no query is stopped to make room for another.
        WORKERS=str(2 * AT_ONCE),
    )
    running.late = late_subject(running.url)
    yield running
    running.stop()


def all_at_once(ask: Callable[[Any], Any], cases: Iterable[Any]) -> dict[Any, Any]:
    """Ask for several cases at once, since most of the time of each is the wait for its end."""
    cases = list(cases)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return dict(zip(cases, threads.map(ask, cases), strict=True))


@pytest.fixture(scope="module")
def narrow(
    tmp_path_factory: pytest.TempPathFactory, copy_installed: Callable[[Path], Path]
) -> Iterator[Running]:
    """A server that gives a query little memory, and time enough."""
    running = start(
        copy_installed(tmp_path_factory.mktemp("narrow") / "data"),
        QUERY_TIMEOUT="120",
        QUERY_MEMORY=str(120 * 2**20),
    )
    running.late = late_subject(running.url)
    yield running
    running.stop()


def curl(url: str, query: str, accept: str, *options: str) -> tuple[int, str]:
    """Exit status of curl, and the HTTP status."""
    run = subprocess.run(
        [
            "curl", "-sS", "-o", os.devnull, "-w", "%{http_code}", "-H", f"Accept: {accept}",
            "--data-urlencode", f"query={query}", "--max-time", "100", *options, f"{url}/sparql",
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )  # fmt: skip
    return run.returncode, run.stdout


def breaks(url: str, query: str, accept: str, **headers: str) -> bool:
    """Return whether httpx sees a broken transfer; False for a whole one."""
    for _ in range(TRIES):
        try:
            with httpx.stream(
                "POST",
                f"{url}/sparql",
                data={"query": query},
                headers={"Accept": accept, **headers},
                timeout=120,
            ) as response:
                if response.status_code == 503:
                    continue
                for _ in response.iter_raw():
                    pass
            return False
        except (httpx.RemoteProtocolError, httpx.ReadError):
            return True
    raise AssertionError("it was always stopped before its first byte")


def breaks_curl(url: str, query: str, accept: str, *options: str) -> bool:
    """Return whether curl sees a broken transfer: 18, it closed with data outstanding."""
    for _ in range(TRIES):
        code, status = curl(url, query, accept, *options)
        if status != "503":
            return code == 18 and status == "200"
    raise AssertionError("it was always stopped before its first byte")


def whole(url: str) -> None:
    """The next query is answered at once and whole."""
    response = httpx.get(f"{url}/sparql", params={"query": f"ASK {{}} # {time.time()}"}, timeout=60)
    assert response.json()["boolean"] is True


@pytest.fixture(scope="module")
def early(hurried: Running) -> dict[str, httpx.Response]:
    """The answer in each format to a query that never has a first row."""

    def ask(form: str) -> httpx.Response:
        return httpx.post(
            f"{hurried.url}/sparql",
            data={"query": hostile(form)},
            headers={"Accept": FORMATS[form]},
            timeout=60,
        )

    return all_at_once(ask, FORMATS)


@pytest.mark.parametrize("form", FORMATS)
def test_the_deadline_before_the_first_byte(
    hurried: Running, early: dict[str, httpx.Response], form: str
) -> None:
    response = early[form]
    assert (response.status_code, response.headers["Content-Type"]) == (503, "application/problem+json")
    assert "DIPLOGRAPH_QUERY_TIMEOUT" in response.json()["mend"]
    whole(hurried.url)


@pytest.fixture(scope="module")
def late(hurried: Running) -> dict[tuple[str, str], bool]:
    """Whether each client sees a broken transfer in each format of a query that has rows at first."""

    def ask(case: tuple[str, str]) -> bool:
        form, client = case
        query = hostile(form, after=hurried.late)
        if client == "curl":
            return breaks_curl(hurried.url, query, FORMATS[form])
        return breaks(hurried.url, query, FORMATS[form], **{"Accept-Encoding": "identity"})

    return all_at_once(ask, itertools.product(FORMATS, ("curl", "httpx")))


@pytest.mark.parametrize("form", FORMATS)
def test_the_deadline_after_the_first_byte(
    hurried: Running, late: dict[tuple[str, str], bool], form: str
) -> None:
    assert late[form, "httpx"]
    assert late[form, "curl"]
    whole(hurried.url)


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_a_coded_transfer_breaks_as_well(hurried: Running, coding: str) -> None:
    query = hostile("xml", after=hurried.late)
    assert breaks(hurried.url, query, RESULTS["xml"], **{"Accept-Encoding": coding})
    # And again: what broke was not kept as a whole.
    assert breaks(hurried.url, query, RESULTS["xml"], **{"Accept-Encoding": coding})
    assert breaks_curl(hurried.url, query, RESULTS["xml"], "-H", f"Accept-Encoding: {coding}")


def test_a_client_of_http_1_0_gets_the_error_in_full(hurried: Running) -> None:
    """It could not tell a broken transfer from a whole one."""
    assert curl(hurried.url, hostile("csv", after=hurried.late), "text/csv", "--http1.0") == (0, "503")


@pytest.fixture(scope="module")
def wrapped(hurried: Running) -> dict[tuple[str, bool], Exception | None]:
    """What SPARQLWrapper raises in each format that it knows, with rows first and without."""

    def ask(case: tuple[str, bool]) -> Exception | None:
        form, rows_first = case
        client = SPARQLWrapper(f"{hurried.url}/sparql")
        client.setReturnFormat(form)
        client.setMethod("POST")
        after = hurried.late if rows_first else ""
        client.setQuery(hostile("ttl" if form in ("turtle", "rdf") else form, after=after))
        try:
            client.query().response.read()
        except Exception as error:
            return error.with_traceback(None)
        return None

    told = all_at_once(ask, itertools.product(WRAPPED, (True, False)))
    gc.collect()
    return told


@pytest.mark.parametrize("form", WRAPPED)
@pytest.mark.parametrize("rows_first", [True, False])
# The client's own: it leaves the connections of failed requests to the garbage collector.
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_sparqlwrapper_sees_it(
    wrapped: dict[tuple[str, bool], Exception | None], form: str, rows_first: bool
) -> None:
    assert wrapped[form, rows_first] is not None


@pytest.mark.parametrize("form", FORMATS)
def test_memory(narrow: Running, form: str) -> None:
    work = f"SELECT ?b {{ {{ {SORTED.replace('?o2 {', '(?o2 AS ?b) {')} }} }}"
    early = httpx.post(
        f"{narrow.url}/sparql",
        data={"query": hostile(form, work=work)},
        headers={"Accept": FORMATS[form]},
        timeout=120,
    )
    assert (early.status_code, early.headers["Content-Type"]) == (503, "application/problem+json")
    assert "DIPLOGRAPH_QUERY_MEMORY" in early.json()["mend"]
    assert breaks(narrow.url, hostile(form, work=work, after=narrow.late), FORMATS[form])
    whole(narrow.url)


@pytest.fixture(scope="module")
def counted(
    tmp_path_factory: pytest.TempPathFactory, copy_installed: Callable[[Path], Path]
) -> Iterator[Running]:
    """A server whose queries may give so many rows."""
    running = start(
        copy_installed(tmp_path_factory.mktemp("counted") / "data"),
        QUERY_TIMEOUT="120",
        QUERY_ROWS="3000",
    )
    yield running
    running.stop()


@pytest.mark.parametrize("form", FORMATS)
def test_rows(counted: Running, form: str) -> None:
    """A result over its limit is never cut in silence."""

    def ask(rows: int) -> str:
        values = " ".join(map(str, range(100)))
        pattern = f"{{ VALUES ?a {{ {values} }} VALUES ?b {{ {values} }} }} LIMIT {rows}"
        if form in RESULTS:
            return f"SELECT ?a ?b {pattern}"
        template = "?s <http://e.example/p> ?a"
        bound = f"{{ SELECT (IRI(CONCAT('http://e.example/', STR(?b), '/', STR(?a))) AS ?s) ?a {pattern} }}"
        return f"CONSTRUCT {{ {template} }} {{ {bound} }}"

    def post(rows: int) -> httpx.Response:
        data = {"query": ask(rows)}
        headers = {"Accept": FORMATS[form]}
        return httpx.post(f"{counted.url}/sparql", data=data, headers=headers, timeout=120)

    assert post(3000).status_code == 200
    try:
        over = post(3001)
    except (httpx.RemoteProtocolError, httpx.ReadError):
        pass
    else:
        assert (over.status_code, over.headers["Content-Type"]) == (503, "application/problem+json")
        assert "DIPLOGRAPH_QUERY_ROWS" in over.json()["mend"]
    whole(counted.url)


def kill_the_busy(running: Running) -> None:
    """Kill every process that answers queries, as the kernel does when memory runs out."""
    for pid in running.readers():
        os.kill(pid, signal.SIGKILL)


def test_a_worker_killed_from_outside_before_the_first_byte(narrow: Running) -> None:
    found: list[httpx.Response] = []

    def ask() -> None:
        query = hostile("json")
        found.append(httpx.post(f"{narrow.url}/sparql", data={"query": query}, timeout=120))

    before = {pid: processor_seconds(pid) for pid in narrow.readers()}
    asking = threading.Thread(target=ask)
    asking.start()
    wait_for_work(narrow.readers, before)
    kill_the_busy(narrow)
    asking.join(60)
    assert (found[0].status_code, found[0].headers["Content-Type"]) == (503, "application/problem+json")
    whole(narrow.url)


@pytest.mark.parametrize("form", ["json", "csv", "nt"])
def test_a_worker_killed_from_outside_after_the_first_byte(narrow: Running, form: str) -> None:
    query = hostile(form, after=narrow.late)
    for _ in range(TRIES):
        with httpx.stream(
            "POST",
            f"{narrow.url}/sparql",
            data={"query": query},
            headers={"Accept": FORMATS[form]},
            timeout=120,
        ) as response:
            # A worker that was killed while it was idle is found out by the next query, with 503.
            if response.status_code == 503:
                continue
            pieces = response.iter_raw()
            assert next(pieces)
            kill_the_busy(narrow)
            with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                for _ in pieces:
                    pass
        return
    raise AssertionError("no result began")


# One that is told to stop is tested in test_front_processes.py.
def test_a_server_that_is_killed_never_shortens_a_result(installed: Path) -> None:
    running = start(installed, QUERY_TIMEOUT="20")
    try:
        query = "SELECT * { ?s ?p ?o . ?a ?b ?c }"
        with (
            pytest.raises(httpx.TransportError),
            httpx.stream(
                "GET",
                f"{running.url}/sparql",
                params={"query": query},
                headers={"Accept": "text/csv"},
                timeout=60,
            ) as response,
        ):
            pieces = response.iter_raw()
            next(pieces)
            running.process.kill()
            for _ in pieces:
                pass
    finally:
        running.kill()

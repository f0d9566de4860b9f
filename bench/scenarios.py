"""What is measured: each scenario gives a line's title and one figure of one server."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from bench.client import Driver, drive, read_whole, time_query
from bench.servers import Server
from kg.terms import GRAPH, ID, ONTOLOGY

PREFIX = f"PREFIX dg: <{ONTOLOGY}> PREFIX rdfs: <http://www.w3.org/2000/01/rdf-schema#> "
LABEL = "rdfs:label"
# Analytic: over all records; navigation: from a thing to what is near it.
QUERIES = {
    "count of records": "SELECT (COUNT(*) AS ?n) { ?r a dg:CodingRecord }",
    "records of an actor": "SELECT (COUNT(*) AS ?n) { ?r dg:codedActor <A>country/a00> }",
    "top pairs": "SELECT ?a ?b (COUNT(*) AS ?n) { ?r dg:codedActor ?a ; dg:codedRecipient ?b } "
    "GROUP BY ?a ?b ORDER BY DESC(?n) LIMIT 10",
    "mean by type": "SELECT ?t (AVG(?g) AS ?m) { ?r dg:eventType ?t ; dg:goldstein ?g } GROUP BY ?t",
    "records per month": "SELECT ?m (COUNT(*) AS ?n) { ?r dg:time ?t . ?t dg:begin ?d "
    "BIND(SUBSTR(STR(?d), 1, 7) AS ?m) } GROUP BY ?m ORDER BY ?m",
    "labels that contain": f'SELECT ?r {{ ?r {LABEL} ?l FILTER(CONTAINS(?l, "record 77")) }} LIMIT 20',
    "dyad, newest first": "SELECT ?r ?d { ?r dg:codedActor <A>country/a00> ; "
    "dg:codedRecipient <A>country/a01> ; dg:time ?t . ?t dg:begin ?d } ORDER BY DESC(?d) LIMIT 50",
    "one day": "SELECT DISTINCT ?r ?a { ?r dg:time <A>time/2018-01-01> ; dg:codedActor ?a }",
    "siblings of a record": "SELECT ?o ?l { <A>record/bench-300> dg:codedFrom ?s . ?o dg:codedFrom ?s ; "
    f"{LABEL} ?l }} ORDER BY ?o",
    "what an actor did, by type": "SELECT ?t (COUNT(*) AS ?n) { ?r dg:codedActor <A>country/a01> ; "
    "dg:eventType ?t } GROUP BY ?t",
}
ROWS = "SELECT ?r ?a { ?r dg:codedActor ?a } LIMIT 100000"
HOSTILE = "SELECT (COUNT(*) AS ?n) { ?a ?b ?c . ?d ?e ?f . ?g ?h ?i }"
ENDLESS = "SELECT * { ?a ?b ?c . ?d ?e ?f }"


def lookups(events: int) -> list[str]:
    """So many texts that none comes twice in a run, over records in a scattered order."""
    return [f"SELECT ?p ?o {{ <{ID}record/bench-{n * 7919 % events}> ?p ?o }} # {n}" for n in range(60_000)]


def full(query: str) -> str:
    """Fill in prefixes and names."""
    return PREFIX + query.replace("<A>", f"<{ID}")


def cold(server: Server, events: int, seconds: float) -> float:
    """Lookups a second, each for the first time."""
    return drive(server.query_url, lookups(events), seconds=seconds).per_second


def repeated(server: Server, events: int, seconds: float) -> float:
    """Lookups a second, a hundred of them round and round."""
    some = lookups(events)[:100]
    drive(server.query_url, some, seconds=0.5)
    return drive(server.query_url, some, seconds=seconds).per_second


def one(server: Server, query: str) -> float:
    """Milliseconds of one query."""
    return time_query(server.query_url, full(query), repeat=3) * 1000


def mixed(server: Server, events: int, seconds: float) -> tuple[float, float]:
    """Lookups a second of 8 clients, and updates a second of one writer beside them."""
    over = threading.Event()
    written = [0]

    def write() -> None:
        for number in _numbers(over):
            update(server, f"INSERT DATA {{ GRAPH <{GRAPH}bench-w> {{ <{ID}w/{number}> a <{ID}w> }} }}")
            written[0] += 1

    driver = Driver(server.query_url, lookups(events), seconds=seconds)
    writer = threading.Thread(target=write)
    writer.start()
    rate = driver.result()
    over.set()
    writer.join()
    return rate.per_second, written[0] / seconds


def beside_hostile(server: Server, events: int, seconds: float) -> tuple[float, float]:
    """p95 in milliseconds of 8 well-behaved clients: alone, and beside one hostile query after the other."""
    texts = lookups(events)
    alone = drive(server.query_url, texts, seconds=seconds).p95
    over = threading.Event()

    def attack() -> None:
        for number in _numbers(over):
            _let_go(server.query_url, f"{HOSTILE} # {number}", seconds)

    attacker = threading.Thread(target=attack)
    attacker.start()
    time.sleep(0.3)
    beside = drive(server.query_url, texts, seconds=seconds).p95
    over.set()
    attacker.join()
    return alone, beside


def front_memory(server: Server, size: int) -> float:
    """MiB by which the serving processes grow while so many bytes stream, at the most."""
    read_whole(server.query_url, ENDLESS, limit=size // 50)
    before = _resident(server.pid)
    over = threading.Event()
    peak = [before]

    def watch() -> None:
        while not over.wait(0.05):
            peak[0] = max(peak[0], _resident(server.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    read_whole(server.query_url, f"{ENDLESS} # again", limit=size)
    over.set()
    watcher.join()
    return (peak[0] - before) / 2**20


def update(server: Server, text: str) -> None:
    """Send an update; raises RuntimeError when it fails."""
    parts = urlsplit(server.update_url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=120)
    headers = {"Content-Type": "application/sparql-update", **server.headers}
    connection.request("POST", parts.path, text, headers)
    answer = connection.getresponse()
    if answer.status >= 300:
        raise RuntimeError(f"{server.name}: {answer.status}: {answer.read(300)!r}")
    answer.read()
    connection.close()


def _let_go(url: str, query: str, patience: float) -> None:
    try:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection(parts.netloc, timeout=patience)
        quoted = query.replace(" ", "%20").replace("#", "%23").replace("?", "%3F")
        connection.request("GET", f"{parts.path}?query={quoted}")
        connection.getresponse().read()
        connection.close()
    except OSError:
        pass  # it took too long, and this client goes away


def _numbers(over: threading.Event) -> Iterator[int]:
    number = 0
    while not over.is_set():
        yield number
        number += 1


def _resident(pid: int) -> int:
    """Bytes in memory of a server: its process and those under it, but for engine processes."""
    total = 0
    for one in [pid, *_children(pid)]:
        try:
            command = Path(f"/proc/{one}/cmdline").read_bytes()
            if b"engine_process" not in command:
                status = Path(f"/proc/{one}/status").read_text(encoding="utf-8")
                total += int(status.partition("VmRSS:")[2].split()[0]) * 1024
        except (OSError, IndexError):
            continue
    return total


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in task.read_text(encoding="ascii").split():
            found += [int(child), *_children(int(child))]
    return found

"""Times of pages: first bytes among many coded events, and processor time by kind of page.

`python -m bench.pages --events 1000000` for the record. The limits: at most 5 times the smallest entity's
time, and a median of 200 ms. `python -m bench.pages --data FOLDER` measures the processor time of each kind
of page on a copy of a data folder, in one process: the first request, and the median of the others. The
figures of commit f008c2e, beside it, were measured with GDELT's rows of 2018-01-01 loaded.
"""

from __future__ import annotations

import argparse
import http.client
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlsplit

import pyoxigraph

sys.path.insert(0, str(Path(__file__).parents[1]))

from api.app import create_app
from bench.events import write_events
from bench.servers import ours
from kg.load import install
from kg.settings import Settings
from kg.store import UNION, EmbeddedStore, QueryDataset
from kg.store.embedded import EmbeddedAnswer

# The frequent four take part in a third of all records; the smallest entity is a concept few things name.
PAGES = {
    "smallest entity": "/page/unit/month",
    "an actor of the article": "/page/country/irn",
    "busiest actor": "/page/country/a00",
    "busiest actor, page 20": "/page/country/a00?page=20",
    "a rare actor": "/page/country/a59",
    "busiest event type": "/page/event-type/plover-consult",
    "busiest dyad": "/dyad/a00/a01",
    "a rare dyad": "/dyad/a58/a59",
}
WITHIN = 5.0
# Kinds of pages, with their processor time at commit f008c2e in milliseconds.
KINDS = {
    "home": ("/", 3.0),
    "country, busy": ("/page/country/usa", 798),
    "country": ("/page/country/irn", 539),
    "event": ("/page/event/us-iran-negotiations", 259),
    "person": ("/page/person/tricia-mclaughlin", 322),
    "claim": ("/page/claim/us-iran-deportation-arrival-planned", 231),
    "place": ("/page/place/louisiana", 282),
    "event type": ("/page/event-type/plover-consult", 275),
    "concept": ("/page/unit/month", 204),
    "coding record": ("/page/record/gdelt-719024880", 209),
    "graph": ("/graph/countries", 212),
    "graph of records": ("/graph/20180101000000-export", 296),
    "two actors": ("/dyad/usa/irn", 278),
    "events": ("/events", 70),
    "events of a country": ("/events?actor=country/usa", 99),
    "records": ("/records", 280),
    "records of a country": ("/records?actor=country/usa", 217),
    "questions": ("/queries", 2.2),
    "question": ("/queries/deportations", 156),
    "question, long result": ("/queries/dyad?a=country/usa&b=country/irn", 278),
    "search": ("/search?q=iran", 39),
    "ontology": ("/ontology", 45),
    "coverage": ("/coverage", 1.8),
    "editor": ("/sparql", 8.9),
    "feed": ("/feed/country/usa.atom", 18),
    "loads": ("/loads", 6.6),
    "data": ("/data/country/usa.ttl", 219),
}


def main() -> None:
    """Build the store, start the server, time each page, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=30_000, help="coding records of ten quads each")
    parser.add_argument("--repeat", type=int, default=9, help="requests of each page; the median counts")
    parser.add_argument("--data", type=Path, help="data folder whose kinds of pages are measured")
    options = parser.parse_args()
    if options.data:
        report_kinds(options.data, options.repeat)
        return
    with tempfile.TemporaryDirectory(prefix="diplograph-bench-") as folder:
        data = Path(folder) / "data"
        build(data, options.events)
        with ours(data, 60) as server:
            report(server.query_url, options.repeat)


def build(data: Path, events: int) -> None:
    """Make a data folder with the bundled graphs and a number of coding records."""
    started = time.perf_counter()
    store = data / "store"
    store.mkdir(parents=True)
    small = EmbeddedStore()
    install(small)
    small.engine.dump(str(data / "bundled.nq"), pyoxigraph.RdfFormat.N_QUADS)
    small.close()
    quads = write_events(data / "events.nq", events)
    engine = pyoxigraph.Store(str(store))
    for name in ("bundled.nq", "events.nq"):
        engine.bulk_load(path=str(data / name), format=pyoxigraph.RdfFormat.N_QUADS)
        (data / name).unlink()
    engine.optimize()
    engine.flush()
    del engine
    free = shutil.disk_usage(data).free // 1024**3
    print(f"{quads:,} quads in {time.perf_counter() - started:.1f} s; {free} GiB free")


def report(url: str, repeat: int) -> None:
    """Print the median, the worst and the ratio to the smallest entity's page; first bytes, milliseconds."""
    print(f"{'page':28}{'median ms':>11}{'worst ms':>10}{'KiB':>7}{'ratio':>8}")
    smallest = None
    for title, path in PAGES.items():
        times, size = first_bytes(url, path, repeat)
        middle = statistics.median(times)
        smallest = smallest or middle
        mark = "" if middle <= WITHIN * smallest else "  beyond the limit"
        print(
            f"{title:28}{middle * 1000:11.1f}{max(times) * 1000:10.1f}{size / 1024:7.0f}"
            f"{middle / smallest:8.1f}{mark}"
        )


def report_kinds(data: Path, repeat: int) -> None:
    """Print the processor time of each kind of page and the queries that it takes."""
    with tempfile.TemporaryDirectory(prefix="diplograph-bench-") as folder:
        copy = Path(folder) / "data"
        shutil.copytree(data, copy)
        store = CountingStore(copy / "store")
        client = create_app(store, Settings(data=copy, token="bench")).test_client()
        time.sleep(1)  # The index of names is opened in the background.
        print(f"{'page':24}{'first ms':>10}{'median ms':>11}{'before ms':>11}{'ratio':>7}{'queries':>9}")
        for title, (path, before) in KINDS.items():
            times = []
            for _ in range(repeat + 1):
                store.queries = 0
                started = time.process_time()
                answer = client.get(path, headers={"Accept": "text/html"})
                times.append(1000 * (time.process_time() - started))
                if answer.status_code != 200:
                    raise RuntimeError(f"{path}: {answer.status_code}")
            middle = statistics.median(times[1:])
            row = f"{title:24}{times[0]:10.1f}{middle:11.1f}{before:11.1f}{before / middle:7.1f}"
            print(f"{row}{store.queries:9}", flush=True)
        store.close()


class CountingStore(EmbeddedStore):
    """An embedded store that counts its queries."""

    queries = 0

    def query(self, text: str, dataset: QueryDataset = UNION) -> EmbeddedAnswer:
        """Answer a query and count it."""
        self.queries += 1
        return super().query(text, dataset)


def first_bytes(url: str, path: str, repeat: int) -> tuple[list[float], int]:
    """Return the times of the first byte of a page (seconds), after one request, and its size in bytes."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=300)
    times = []
    size = 0
    for number in range(repeat + 1):
        started = time.perf_counter()
        connection.request("GET", path, headers={"Accept": "text/html"})
        answer = connection.getresponse()
        answer.read(1)
        if number:
            times.append(time.perf_counter() - started)
        size = 1 + len(answer.read())
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
    connection.close()
    return times, size


if __name__ == "__main__":
    main()

"""First bytes of pages: the busiest actor and dyad against the smallest entity, among coded events.

`python -m bench.pages --events 1000000` for the record. The compass: at most 5 times the smallest entity's
time, and a median of 200 ms.
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

from bench.events import write_events
from bench.servers import ours
from kg.load import install
from kg.store import EmbeddedStore

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


def main() -> None:
    """Build the store, start the server, time each page, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--events", type=int, default=30_000, help="coding records of ten quads each")
    parser.add_argument("--repeat", type=int, default=9, help="requests of each page; the median counts")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="diplograph-bench-") as folder:
        data = Path(folder) / "data"
        build(data, options.events)
        with ours(data, 60) as server:
            report(server.query_url, options.repeat)


def build(data: Path, events: int) -> None:
    """Make a data folder that holds what is bundled and so many coding records."""
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
        mark = "" if middle <= WITHIN * smallest else "  beyond the compass"
        print(
            f"{title:28}{middle * 1000:11.1f}{max(times) * 1000:10.1f}{size / 1024:7.0f}"
            f"{middle / smallest:8.1f}{mark}"
        )


def first_bytes(url: str, path: str, repeat: int) -> tuple[list[float], int]:
    """Time the first byte of a page (seconds), after one request that does not count; give its size, too."""
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

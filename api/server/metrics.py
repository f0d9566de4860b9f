"""Figures of operation for Prometheus, summed over all fronts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

SEVERAL: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable for the folder that several processes share; set before this module is imported."""

_BUCKETS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0)


class Gauges(Collector):
    """Gauges whose values are read on request: `sources` maps name and help to a function."""

    def __init__(self) -> None:
        self.sources: dict[tuple[str, str], Callable[[], float | None]] = {}

    def collect(self) -> Iterable[Metric]:
        """Read all gauges."""
        return self._read()

    def _read(self) -> Iterator[Metric]:
        for (name, text), source in self.sources.items():
            value = source()
            if value is not None:
                yield GaugeMetricFamily(name, text, value=value)


class Metrics:
    """Figures of one application."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.gauges = Gauges()
        self._registry.register(self.gauges)
        self.requests = Counter(
            "diplograph_requests",
            "Requests by method and status.",
            ("method", "status"),
            registry=self._registry,
        )
        self.queries = Counter(
            "diplograph_queries",
            "Queries by outcome: complete, hit, broken, abandoned, or the kind of problem.",
            ("outcome",),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "diplograph_query_seconds",
            "Seconds from a query's arrival to its last byte.",
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.loads = Counter(
            "diplograph_loads", "Loads that were committed or failed.", ("outcome",), registry=self._registry
        )

        # Finding a counter by its labels takes longer than counting.
        self._request = lru_cache(maxsize=256)(self.requests.labels)
        self._query = lru_cache(maxsize=256)(self.queries.labels)

    def count_request(self, method: str, status: str) -> None:
        """Count a request."""
        self._request(method, status).inc()

    def count_query(self, outcome: str, seconds: float) -> None:
        """Count a query and its seconds."""
        self._query(outcome).inc()
        self.seconds.observe(seconds)

    def render(self) -> bytes:
        """Write all figures in the text format of Prometheus."""
        if SEVERAL not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        registry.register(self.gauges)
        return generate_latest(registry)

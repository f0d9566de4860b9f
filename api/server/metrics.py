"""Figures of operation for Prometheus, summed over all fronts."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

SEVERAL: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Environment variable for the folder that several processes share; set before this module is imported."""

_BUCKETS: Final = (0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0)


Gauge = tuple[str, str, float | None]
"""Name, help and value; one without a value is left out."""


class Gauges(Collector):
    """Gauges whose values are read on request, from functions that return some."""

    def __init__(self) -> None:
        self.sources: list[Callable[[], list[Gauge]]] = []

    def collect(self) -> Iterator[Metric]:
        """Read all gauges."""
        for name, text, value in chain.from_iterable(source() for source in self.sources):
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

    def render(self) -> bytes:
        """Write all figures in the text format of Prometheus."""
        if SEVERAL not in os.environ:
            return generate_latest(self._registry)
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        registry.register(self.gauges)
        return generate_latest(registry)

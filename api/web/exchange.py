"""The answer under way, as figures, log and Server-Timing record it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import perf_counter


@dataclass
class Exchange:
    """One answer; `outcome` stays empty while nothing but its end decides it, `spans` are in seconds.

    `engine` is that which answered a query, "sparql" or "sql".
    """

    outcome: str = ""
    engine: str = ""
    status: int = 0
    size: int = 0
    complete: bool = False
    started: float = field(default_factory=perf_counter)
    spans: dict[str, float] = field(default_factory=dict)

    def seconds(self) -> float:
        """Return the seconds since the request began."""
        return perf_counter() - self.started

    def timing(self) -> str:
        """Write the header Server-Timing."""
        spans = {**self.spans, "total": self.seconds()}
        hit = ['cache;desc="hit"'] if self.outcome == "hit" else []
        engine = [f'engine;desc="{self.engine}"'] if self.engine else []
        return ", ".join(
            [*hit, *engine, *(f"{name};dur={1000 * spent:.2f}" for name, spent in spans.items())]
        )


CURRENT: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


def note_outcome(outcome: str) -> None:
    """Set the outcome of the request under way: `hit` for one from the cache, or the kind of a problem."""
    exchange = CURRENT.get()
    if exchange is not None:
        exchange.outcome = outcome


def note_engine(engine: str) -> None:
    """Set the engine that answered the query of the request under way."""
    exchange = CURRENT.get()
    if exchange is not None:
        exchange.engine = engine


@contextmanager
def timed(name: str) -> Iterator[None]:
    """Note how long a block takes, as a part of the request under way."""
    started = perf_counter()
    yield
    exchange = CURRENT.get()
    if exchange is not None:
        exchange.spans[name] = perf_counter() - started

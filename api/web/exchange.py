"""The answer under way, as figures and log record it."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Exchange:
    """One answer; `outcome` stays empty while nothing but its end decides it."""

    outcome: str = ""
    status: int = 0
    size: int = 0
    complete: bool = False


CURRENT: ContextVar[Exchange | None] = ContextVar("exchange", default=None)


def note_outcome(outcome: str) -> None:
    """Set the outcome of the request under way: `hit` for one from the cache, or the kind of a problem."""
    exchange = CURRENT.get()
    if exchange is not None:
        exchange.outcome = outcome

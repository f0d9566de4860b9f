"""Limits of a query, and the errors for a query that reaches one."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from kg.errors import BusyError, QueryStoppedError


@dataclass(frozen=True)
class Limits:
    """Limits of one query: seconds, bytes of memory, rows (0: any number).

    `allowed` are the URL prefixes that SERVICE and LOAD may reach.
    """

    timeout: float
    memory: int
    rows: int = 0
    allowed: tuple[str, ...] = ()


def too_slow(seconds: float) -> QueryStoppedError:
    """Build the error for a query or update that took longer than its time."""
    return QueryStoppedError(
        f"the request took longer than {seconds:g} s",
        mend="Narrow the query (a LIMIT inside a sub-query, fewer patterns, a named graph), or raise "
        "DIPLOGRAPH_QUERY_TIMEOUT on a server of your own.",
    )


def too_large(memory: int) -> QueryStoppedError:
    """Build the error for a query that needed more memory than one may have."""
    return QueryStoppedError(
        f"the request needed more than {memory / 2**20:.0f} MiB of memory",
        mend="Sort or group less at once, or raise DIPLOGRAPH_QUERY_MEMORY on a server of your own.",
    )


def too_many_rows(rows: int) -> QueryStoppedError:
    """Build the error for a result that has more rows than one may have."""
    return QueryStoppedError(
        f"the result has more than {rows:,} rows",
        mend="Ask for less at once, with LIMIT and OFFSET, or raise "
        "DIPLOGRAPH_QUERY_ROWS on a server of your own.",
    )


class PutBackError(BusyError, title="Too busy"):
    """A long query that was stopped before its answer began, and can be sent again."""


def evicted(*, put_back: bool = False) -> BusyError:
    """Build the error for a long query that was stopped in favour of others."""
    return (PutBackError if put_back else BusyError)(
        "the query was stopped: too many long ones are running, and others wait",
        mend="Try again later, or narrow the query (a LIMIT inside a sub-query, a named graph).",
    )


def ended(status: int, memory: int) -> QueryStoppedError:
    """Build the error for a query whose process ended with this exit status."""
    # The engine aborts when it gets no more memory.
    if status == -signal.SIGABRT:
        return too_large(memory)
    return QueryStoppedError("the process that carried out the request ended unexpectedly", mend="Try again.")

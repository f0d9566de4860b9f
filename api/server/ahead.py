"""What the front does before it asks the application, so that a plain query costs no thread.

Results that are kept are answered at once. Any other plain query is sent to a reader, and answered when its
result has come; until then the front goes on with other requests.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from threading import get_ident
from time import perf_counter
from typing import Final

from kg.store.isolated.lease import Asking

from api.server.query_limit import Gate
from api.server.result_cache import CacheDoor
from api.server.straight import BEGUN, RAISED, Begun, choose_formats, names, read_plain
from api.web.compression import Environ
from kg.errors import BusyError, DiplographError
from kg.rdf.formats import Kind
from kg.store import QueryDataset
from kg.store.isolated.store import IsolatedStore

# What is compressed, or sent, while all others wait.
_SHORT: Final = 64 * 1024


@dataclass(eq=False)
class _Query:
    """A query that is looked after: `abandon` ends it at its reader, `patience` is how long it waits for one.

    `left` tells that its client is gone.
    """

    environ: Environ
    asked: tuple[str, QueryDataset]
    forms: dict[Kind, str]
    go: Callable[[bool], None]
    started: float = field(default_factory=perf_counter)
    abandon: Callable[[], None] | None = None
    left: bool = False
    patience: asyncio.TimerHandle | None = None


class Ahead:
    """Looks after plain queries in the loop's thread; what takes time it leaves to threads.

    `abandoned` is told of queries whose clients went away, and how many seconds after they came.
    """

    def __init__(
        self,
        cached: CacheDoor,
        store: IsolatedStore | None,
        gate: Gate,
        abandoned: Callable[[Environ, float], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._abandoned = abandoned
        self._cached = cached
        self._store = store
        self._gate = gate
        self._loop = loop
        self._waiting: deque[_Query] = deque()
        self._thread = 0
        if store is not None:
            store.on_free = self._tell_free

    def prepare(self, environ: Environ, go: Callable[[bool], None]) -> Callable[[], None] | None:
        """See to it that `go` is called; see `api.wire.server.Ahead`."""
        seen = self._cached.look(environ)
        kept = (seen.entry or seen.plain) if seen is not None else None
        if kept is not None or (seen is not None and seen.good):
            go(kept is None or len(kept.body) <= _SHORT)
            return None
        asked = read_plain(environ)
        if asked is None or self._store is None:
            go(False)
            return None
        try:
            self._gate.enter()
        except BusyError as error:
            environ[RAISED] = error
            go(False)
            return None
        self._thread = get_ident()
        query = _Query(environ, asked, names(choose_formats(environ.get("HTTP_ACCEPT", ""))), go)
        self._waiting.append(query)
        self._serve()
        if self._waiting and self._waiting[-1] is query:
            query.patience = self._loop.call_later(self._store.timeout, self._serve)
        return lambda: self._give_up(query)

    def tidy(self, environ: Environ) -> None:
        """Let go of a query that was asked and whose answer nobody took."""
        begun: Begun | None = environ.pop(BEGUN, None)
        if begun is not None:
            self._end(begun.asking)

    def _tell_free(self) -> None:
        # Who waits is in the queue before it looks for a reader, so that none is missed.
        if self._waiting and get_ident() != self._thread:
            with suppress(RuntimeError):  # The loop has ended.
                self._loop.call_soon_threadsafe(self._serve)

    def _serve(self) -> None:
        """Send the queries that wait to readers that do not."""
        store = self._store
        assert store is not None  # noqa: S101
        while self._waiting:
            query = self._waiting[0]
            asking = None
            try:
                asking = store.ask(*query.asked, query.forms)
                if asking is None and store.is_busy:
                    if perf_counter() - query.started < store.timeout:
                        return
                    raise store.busy()
            except DiplographError as error:
                query.environ[RAISED] = error
            self._waiting.popleft()
            if query.patience is not None:
                query.patience.cancel()
            if asking is not None:
                self._hear(query, asking)
            elif RAISED in query.environ:
                self._gate.leave()
                query.go(False)
            else:
                self._loop.run_in_executor(None, self._begin, query, store)

    def _begin(self, query: _Query, store: IsolatedStore) -> None:
        """Ask a reader that must open the last commit first, or be started: a thread's work."""
        try:
            asking = store.begin(*query.asked, query.forms)
        except DiplographError as error:
            query.environ[RAISED] = error
            self._gate.leave()
            self._loop.call_soon_threadsafe(query.go, False)
        else:
            self._loop.call_soon_threadsafe(self._hear, query, asking)

    def _hear(self, query: _Query, asking: Asking) -> None:
        """Wait for the answer, beside all else."""
        if query.left:
            self._loop.run_in_executor(None, self._end, asking)
            return
        descriptor = asking.fileno()
        assert self._store is not None  # noqa: S101

        def look() -> None:
            if asking.arrived():
                stop()
                self._serve()
                query.environ[BEGUN] = Begun(asking, query.started)
                query.go(asking.whole)

        def late() -> None:
            stop()
            asking.late()
            query.environ[BEGUN] = Begun(asking, query.started)
            query.go(False)

        def stop() -> None:
            self._loop.remove_reader(descriptor)
            timer.cancel()
            query.abandon = None

        def abandon() -> None:
            stop()
            self._loop.run_in_executor(None, self._end, asking)

        timer = self._loop.call_later(self._store.timeout, late)
        query.abandon = abandon
        self._loop.add_reader(descriptor, look)

    def _give_up(self, query: _Query) -> None:
        query.left = True
        self._abandoned(query.environ, perf_counter() - query.started)
        if query.abandon is not None:
            query.abandon()
        elif query in self._waiting:
            self._waiting.remove(query)
            self._gate.leave()
            if query.patience is not None:
                query.patience.cancel()

    def _end(self, asking: Asking) -> None:
        # A thread's work: a process is killed, and another one started.
        asking.close()
        self._gate.leave()

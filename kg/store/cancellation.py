"""Stopping the queries of a request from another thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Stopper:
    """Stops the queries that are attached to it by ending the processes that answer them."""

    def __init__(self) -> None:
        self._stops: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self.stopped = False

    def attach(self, stop: Callable[[], None]) -> None:
        """Register a function to call on `stop`; it is called at once if that has happened."""
        with self._lock:
            if not self.stopped:
                self._stops.append(stop)
                return
        stop()

    def stop(self) -> None:
        """Stop the queries; safe to call twice and after they have ended."""
        with self._lock:
            self.stopped = True
            stops, self._stops = self._stops, []
        for stop in stops:
            stop()


_CURRENT: ContextVar[Stopper | None] = ContextVar("stopper", default=None)


@contextmanager
def stoppable(stopper: Stopper) -> Iterator[None]:
    """Attach the queries of this thread to a stopper within the block."""
    token = _CURRENT.set(stopper)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def on_stop(stop: Callable[[], None]) -> None:
    """Register a function that ends the query which begins now, if this thread has a stopper."""
    stopper = _CURRENT.get()
    if stopper is not None:
        stopper.attach(stop)

"""Stopping what a query does from outside, whoever asked it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class Stopper:
    """A switch for the queries asked under it: when it is thrown, the processes that answer them end."""

    def __init__(self) -> None:
        self._stops: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        self.stopped = False

    def attach(self, stop: Callable[[], None]) -> None:
        """Have this called when the switch is thrown; at once, when it has been."""
        with self._lock:
            late = self.stopped
            if not late:
                self._stops.append(stop)
        if late:
            stop()

    def stop(self) -> None:
        """Throw the switch; safe to call twice and when everything is done."""
        with self._lock:
            self.stopped = True
            stops, self._stops = self._stops, []
        for stop in stops:
            stop()


_CURRENT: ContextVar[Stopper | None] = ContextVar("stopper", default=None)


@contextmanager
def stoppable(stopper: Stopper) -> Iterator[None]:
    """Put the queries that this thread asks under a switch."""
    token = _CURRENT.set(stopper)
    try:
        yield
    finally:
        _CURRENT.reset(token)


def on_stop(stop: Callable[[], None]) -> None:
    """Name what ends a query that begins now; does nothing where nobody wants to stop it."""
    stopper = _CURRENT.get()
    if stopper is not None:
        stopper.attach(stop)

"""Results for the whole graph, kept until the data change."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from kg.languages import speak, wanted
from kg.store import Store

P = ParamSpec("P")
T = TypeVar("T")

# Seconds that a result is valid if the store has no versions.
_GOOD_FOR: Final = 60.0
_MOST: Final = 200
_THREADS: Final = 4


class Memory:
    """Keeps the last result of each function, with the version of the store that it was made from."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept: dict[str, tuple[str, float, Any]] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()
        self._clock = clock
        self._threads = ThreadPoolExecutor(_THREADS, "memory")
        self._running: dict[str, Future[Any]] = {}

    def get(
        self, store: Store, function: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return the result of `store.run` with a function, run once for each version and language."""
        name = repr((function.__module__, function.__qualname__, args, kwargs, wanted()))
        return self.keep(store, name, lambda: store.run(function, *args, **kwargs))

    def begin(
        self, store: Store, function: Callable[Concatenate[Store, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> Future[T]:
        """Return the future result of `get`, which one thread makes for all who ask meanwhile."""
        languages = wanted()

        def make() -> T:
            speak(languages)
            try:
                return self.get(store, function, *args, **kwargs)
            except BaseException as error:
                # Objects of the engine in these frames must be freed by the thread that made them.
                traceback.clear_frames(error.__traceback__)
                raise

        name = repr((function.__module__, function.__qualname__, args, kwargs, languages))
        with self._lock:
            if name not in self._running or self._running[name].done():
                self._running[name] = self._threads.submit(make)
            return self._running[name]

    def keep(self, store: Store, name: str, make: Callable[[], T]) -> T:
        """Return what `make` returns, called once for each name and version of the store."""
        with self._lock:
            if len(self._locks) > _MOST:
                self._locks.clear()
                self._kept.clear()
            lock = self._locks.setdefault(name, threading.Lock())
        with lock:
            version = store.version
            kept = self._kept.get(name)
            if kept and kept[0] == version and (version or self._clock() - kept[1] < _GOOD_FOR):
                found: T = kept[2]
                return found
            fresh = make()
            self._kept[name] = (version, self._clock(), fresh)
            return fresh

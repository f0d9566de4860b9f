"""The fronts, as the process that holds the folder sees them: start, wait for, replace, stop."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from kg.store.isolated.channel import Channel, ChannelClosedError, ChannelTimeoutError

from api.server.metrics import SEVERAL
from kg.errors import StoreFailedError
from kg.settings import Settings, settings_text

_READY: Final = 120.0
_GRACE: Final = 9.0
_PAUSE: Final = 1.0


def task(settings: Settings, keeper: dict[str, Any] | None) -> dict[str, Any]:
    """Write what a front has to know; `keeper` is what `DistantKeeper` takes, None for a store elsewhere."""
    return {"settings": settings_text(settings), "keeper": keeper}


class Front:
    """One front process and the channel to it."""

    def __init__(self, listening: socket.socket, shared: int, figures: Path) -> None:
        ours, theirs = socket.socketpair()
        numbers = [theirs.fileno(), listening.fileno()]
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "api.server.front", *map(str, numbers)],
                pass_fds=[*numbers, shared],
                stdin=subprocess.DEVNULL,
                env={**os.environ, SEVERAL: str(figures)},
                cwd=Path(__file__).parents[2],
            )
        self._channel = Channel(ours)

    def tell(self, told: dict[str, Any]) -> None:
        """Have it open the store and answer."""
        with suppress(ChannelClosedError):  # One that ended is found out by whoever waits for it.
            self._channel.send_message(told)

    def wait_ready(self) -> None:
        """Wait until it answers requests; raises StoreFailedError."""
        try:
            self._channel.receive_message(_READY)
        except (ChannelClosedError, ChannelTimeoutError):
            raise StoreFailedError("a front process ended before it was ready") from None

    def stop(self, deadline: float) -> None:
        """Wait for its end, and kill it at the deadline."""
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self._channel.close()


class Fronts:
    """A number of fronts on one listening socket; one that ends by itself is replaced.

    They start at once and wait to be told what to serve. `shared` is a descriptor that each gets, `figures`
    the folder where they keep their figures of operation together.
    """

    def __init__(
        self,
        number: int,
        listening: socket.socket,
        shared: int,
        figures: Path,
    ) -> None:
        self._listening = listening
        self._told: dict[str, Any] = {}
        self._shared = shared
        self._figures = figures
        self._stopping = threading.Event()
        self._fronts = [self._make() for _ in range(number)]

    def _make(self) -> Front:
        return Front(self._listening, self._shared, self._figures)

    def tell(self, told: dict[str, Any]) -> None:
        """Tell them what to serve and wait until every one answers; raises StoreFailedError."""
        self._told = told
        for front in self._fronts:
            front.tell(told)
        for front in self._fronts:
            front.wait_ready()

    def watch(self) -> None:
        """Replace fronts that end, until `end` is called."""
        while not self._stopping.wait(_PAUSE):
            for place, front in enumerate(self._fronts):
                if front.process.poll() is not None and not self._stopping.is_set():
                    front.stop(0)
                    self._fronts[place] = self._make()
                    self._fronts[place].tell(self._told)

    def end(self) -> None:
        """Have `watch` return."""
        self._stopping.set()

    def stop(self) -> None:
        """End them: within some 9 seconds what is under way is finished or broken off."""
        self._stopping.set()
        for front in self._fronts:
            front.process.terminate()
        deadline = time.monotonic() + _GRACE
        for front in self._fronts:
            front.stop(deadline)

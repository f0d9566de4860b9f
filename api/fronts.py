"""The fronts, as the process that holds the folder sees them: start, wait for, replace, stop."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from api.metrics import SEVERAL
from kg.errors import StoreFailedError
from kg.store.channel import Channel, ChannelClosedError, ChannelTimeoutError

_READY: Final = 120.0
_GRACE: Final = 9.0
_PAUSE: Final = 1.0


class Front:
    """One front process and the channel to it."""

    def __init__(
        self, listening: socket.socket, shared: Sequence[int], told: dict[str, Any], figures: Path
    ) -> None:
        ours, theirs = socket.socketpair()
        numbers = [theirs.fileno(), listening.fileno()]
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "api.front", *map(str, numbers)],
                pass_fds=[*numbers, *shared],
                stdin=subprocess.DEVNULL,
                env={**os.environ, SEVERAL: str(figures)},
                cwd=Path(__file__).parents[1],
            )
        self._channel = Channel(ours)
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

    `told` is what each is told, `shared` the descriptors that it gets, `figures` the folder where they keep
    their figures of operation together; `forget` is called with the name of one that ended.
    """

    def __init__(
        self,
        number: int,
        listening: socket.socket,
        told: dict[str, Any],
        shared: Sequence[int],
        figures: Path,
        forget: Callable[[str], None],
    ) -> None:
        self._listening = listening
        self._told = told
        self._shared = shared
        self._figures = figures
        self._forget = forget
        self._stopping = threading.Event()
        self._fronts = [self._make() for _ in range(number)]

    def _make(self) -> Front:
        return Front(self._listening, self._shared, self._told, self._figures)

    def wait_ready(self) -> None:
        """Wait until every front answers; raises StoreFailedError."""
        for front in self._fronts:
            front.wait_ready()

    def watch(self) -> None:
        """Replace fronts that end, until `stop` is called from a signal or another thread."""
        while not self._stopping.wait(_PAUSE):
            for place, front in enumerate(self._fronts):
                if front.process.poll() is not None and not self._stopping.is_set():
                    self._forget(f"front {front.process.pid}")
                    front.stop(0)
                    self._fronts[place] = self._make()

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

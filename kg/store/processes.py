"""Engine processes as the serving process sees them: start, talk, kill."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

from kg.store.channel import Channel


class EngineProcess:
    """One engine process and the channels to it."""

    def __init__(self, role: str, channels: int, *arguments: str) -> None:
        pairs = [socket.socketpair() for _ in range(channels)]
        theirs = [their for _, their in pairs]
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "kg.store.engine_process",
                role,
                *(str(s.fileno()) for s in theirs),
                *arguments,
            ],
            pass_fds=[s.fileno() for s in theirs],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            # Ctrl-C reaches the serving process alone; it decides what is finished and what is broken off. A
            # session of its own would have its share of the processors, however low its priority.
            process_group=0,
            cwd=Path(__file__).parents[2],
        )
        for their in theirs:
            their.close()
        self.channels = [Channel(ours) for ours, _ in pairs]
        self.snapshot: Path | None = None

    @property
    def channel(self) -> Channel:
        """Give the first channel."""
        return self.channels[0]

    @property
    def pid(self) -> int:
        """Give the process id."""
        return self._process.pid

    def interrupt(self) -> None:
        """End it from another thread than the one that talks to it, which finds its channel closed."""
        self._process.kill()

    @property
    def lives(self) -> bool:
        """Tell whether it has not ended."""
        return self._process.poll() is None

    def kill(self, grace: float = 0) -> int:
        """End it, after `grace` seconds at most, and give its exit status: negative is a signal's."""
        for channel in self.channels:
            channel.close()
        try:
            return self._process.wait(grace)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

"""Processes that run a module of ours, as who starts them sees them: start, talk, kill."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from kg.store.isolated.channel import Channel


class ModuleProcess:
    """Runs `python -m MODULE WORDS… FD… ARGUMENTS…`, with a channel for each FD.

    `passed` are further descriptors that it keeps; what it says on stderr is dropped when it is `quiet`.
    """

    def __init__(
        self,
        module: str,
        *words: str,
        channels: int = 1,
        arguments: Sequence[str] = (),
        passed: Sequence[int] = (),
        quiet: bool = False,
    ) -> None:
        pairs = [socket.socketpair() for _ in range(channels)]
        theirs = [their for _, their in pairs]
        numbers = [their.fileno() for their in theirs]
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *words, *map(str, numbers), *arguments],
            pass_fds=[*numbers, *passed],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL if quiet else None,
            # Ctrl-C reaches the serving process alone; it decides what is finished and what is broken off. A
            # session of its own would have its share of the processors, however low its priority.
            process_group=0,
            cwd=Path(__file__).parents[3],
        )
        for their in theirs:
            their.close()
        self.channels = [Channel(ours) for ours, _ in pairs]

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


class EngineProcess(ModuleProcess):
    """One engine process, and the snapshot that it has open."""

    def __init__(self, role: str, channels: int, *arguments: str) -> None:
        super().__init__(
            "kg.store.isolated.engine_process", role, channels=channels, arguments=arguments, quiet=True
        )
        self.snapshot: Path | None = None

"""The writer for other processes, as a `multiprocessing` manager in the process that holds the folder."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.managers import BaseManager, BaseProxy
from pathlib import Path
from typing import Final
from uuid import uuid4

from kg.errors import StoreFailedError
from kg.store.interface import never
from kg.store.isolated.messages import RunRequest
from kg.store.isolated.writer import Writer, Writing

_POLL: Final = 0.2


@dataclass(frozen=True)
class WriterAddress:
    """Socket and key with which other processes reach the writer of a folder."""

    socket: str
    key: str


class _WriterDesk:
    """The writer as other processes call it; a change that may be stopped is named by a ticket."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._under_way: set[str] = set()
        self.settle, self.backup, self.check = writer.settle, writer.backup, writer.check

    def write(self, change: RunRequest, budget: float | None, ticket: str) -> None:
        self._under_way.add(ticket)
        try:
            self._writer.write(change, budget, lambda: ticket not in self._under_way)
        finally:
            self._under_way.discard(ticket)

    def stop(self, ticket: str) -> None:
        self._under_way.discard(ticket)


class _ClientManager(BaseManager):
    pass


_ClientManager.register("desk")


def serve_writer(writer: Writer) -> WriterAddress:
    """Answer other processes of this user on a socket in a private folder, until this process ends."""
    desk = _WriterDesk(writer)

    class ServerManager(BaseManager):
        pass

    ServerManager.register("desk", callable=lambda: desk)
    key = secrets.token_hex(16)
    server = ServerManager(authkey=key.encode()).get_server()
    threading.Thread(target=server.serve_forever, name="writer server", daemon=True).start()
    return WriterAddress(str(server.address), key)


class RemoteWriter(Writing):
    """The writer in another process; see `Writing`. Raises StoreFailedError when that process is gone."""

    def __init__(self, address: WriterAddress) -> None:
        manager = _ClientManager(address=address.socket, authkey=address.key.encode())
        try:
            manager.connect()
            self._desk: BaseProxy = manager.desk()  # type: ignore[attr-defined]
        except (OSError, EOFError):
            raise _gone() from None

    def write(
        self, change: RunRequest, budget: float | None = None, stop: Callable[[], bool] = never
    ) -> None:
        """Carry out a change; see `Writing.write`."""
        ticket, ended = str(uuid4()), threading.Event()
        if stop is not never:
            threading.Thread(target=self._watch, args=(ticket, stop, ended), name="stop", daemon=True).start()
        try:
            self._call("write", change, budget, ticket)
        finally:
            ended.set()

    def settle(self) -> None:
        """Publish every commit."""
        self._call("settle")

    def backup(self, path: Path) -> None:
        """Copy the last commit to a new folder."""
        self._call("backup", path.absolute())

    def check(self) -> None:
        """Check that changes can be stored."""
        self._call("check")

    def close(self) -> None:
        """Do nothing: other processes use the writer."""

    def _watch(self, ticket: str, stop: Callable[[], bool], ended: threading.Event) -> None:
        # Repeated, as the first call may reach the writer before the change itself does.
        while not ended.wait(_POLL):
            if stop():
                with suppress(StoreFailedError):
                    self._call("stop", ticket)

    def _call(self, method: str, *arguments: object) -> None:
        try:
            self._desk._callmethod(method, arguments)
        except (OSError, EOFError):
            raise _gone() from None


def _gone() -> StoreFailedError:
    return StoreFailedError(
        "the process that holds the store does not answer; a change under way may be stored or not",
        mend="Start the server again, and check whether the change is there.",
    )

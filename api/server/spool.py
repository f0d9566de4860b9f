"""Answers on their way to slow clients, kept in memory and then in a file; no query waits for a client."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections import deque
from typing import IO, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kg.errors import TooLargeError

_MEMORY: Final = 1024**2
_PIECE: Final = 64 * 1024
# Seconds in which a client must take one piece, or everything that waits once the spool is full.
_STALL: Final = 120.0
_FULL: Final = 600.0


class Spooling:
    """ASGI middleware: an answer in pieces is taken as fast as it is made and sent at the client's pace.

    At most `limit` bytes wait for one client and `total` for all; then the answer's maker waits. A client of
    HTTP/1.0, which cannot tell a broken transfer from a whole one (RFC 9112 section 6.3), gets every answer
    with its length, after the answer is complete.
    """

    def __init__(self, app: ASGIApp, limit: int = 256 * 1024**2, total: int = 2 * 1024**3) -> None:
        self._app = app
        self.limit = limit
        self.total = total
        self.used = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        old = scope["http_version"] == "1.0" and scope["method"] != "HEAD"
        outgoing = _Outgoing(self, send, needs_length=old)
        try:
            await self._app(scope, receive, outgoing.put)
            await outgoing.finish()
        finally:
            await outgoing.close()


class _Outgoing:
    """One answer between the application and the server."""

    def __init__(self, spooling: Spooling, send: Send, *, needs_length: bool) -> None:
        self._spooling = spooling
        self._send = send
        self._needs_length = needs_length
        self._start: Message | None = None
        self._complete = False
        self._sending: asyncio.Task[None] | None = None
        self._memory: deque[bytes] = deque()
        self._file: IO[bytes] | None = None
        self._written = self._read = 0
        self._held = 0
        self._changed = asyncio.Event()
        self._empty = asyncio.Event()

    async def put(self, message: Message) -> None:
        """Take a message of the application."""
        if message["type"] == "http.response.start":
            self._start = message
            names = {name.lower() for name, _ in message.get("headers", ())}
            has_body = message["status"] not in (204, 304)
            self._needs_length = self._needs_length and has_body and b"content-length" not in names
            return
        body: bytes = message.get("body", b"")
        self._complete = not message.get("more_body", False)
        if self._complete and self._start is not None and not self._held:
            # The whole answer is here: nothing has to wait.
            await self._send(self._take_start(len(body)))
            await self._send(message)
            return
        if body:
            await self._keep(body)
        if not self._needs_length or self._complete:
            self._begin()

    async def finish(self) -> None:
        """Wait until everything was sent, unless the application left its answer unfinished."""
        if self._sending is not None and self._complete:
            self._changed.set()
            await self._sending

    async def close(self) -> None:
        """Drop what was not sent."""
        if self._sending is not None and not self._sending.done():
            self._sending.cancel()
            await asyncio.wait([self._sending])
        self._spooling.used -= self._held
        if self._file is not None:
            self._file.close()

    def _take_start(self, length: int) -> Message:
        start, self._start = self._start, None
        assert start is not None  # noqa: S101 - an answer begins with its head
        if self._needs_length:
            headers = [*start.get("headers", ()), (b"content-length", str(length).encode())]
            start = {**start, "headers": headers}
        return start

    def _begin(self) -> None:
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all())
            self._sending.add_done_callback(lambda task: self._empty.set())
        self._changed.set()

    async def _send_all(self) -> None:
        await self._send(self._take_start(self._held))
        while True:
            self._changed.clear()
            if self._held:
                piece = await self._next()
                async with asyncio.timeout(_STALL):
                    await self._send({"type": "http.response.body", "body": piece, "more_body": True})
            elif self._complete:
                await self._send({"type": "http.response.body", "body": b"", "more_body": False})
                return
            else:
                await self._changed.wait()

    async def _keep(self, body: bytes) -> None:
        spooling = self._spooling
        if self._written + len(body) > spooling.limit or spooling.used + len(body) > spooling.total:
            await self._wait_for_client()
        if self._held < _MEMORY and not self._written:
            self._memory.append(body)
        else:
            self._file = self._file or tempfile.TemporaryFile()  # noqa: SIM115 - closed with the answer
            at, self._written = self._written, self._written + len(body)
            await asyncio.to_thread(_write, self._file.fileno(), body, at)
        self._held += len(body)
        spooling.used += len(body)

    async def _wait_for_client(self) -> None:
        if self._needs_length:
            raise TooLargeError(
                f"the answer has more than {self._spooling.limit:,} bytes, too many for HTTP/1.0",
                mend="Use a client that speaks HTTP/1.1.",
            )
        if self._held:
            self._begin()
            self._empty.clear()
            async with asyncio.timeout(_FULL):
                await self._empty.wait()
        if self._sending is not None and self._sending.done():
            self._sending.result()  # raises what ended it

    async def _next(self) -> bytes:
        """Take the oldest piece. The file is written from its beginning again once it has been read."""
        if self._memory:
            piece = self._memory.popleft()
        else:
            assert self._file is not None  # noqa: S101
            at = self._read
            piece = await asyncio.to_thread(os.pread, self._file.fileno(), min(_PIECE, self._held), at)
            self._read += len(piece)
            if self._read == self._written:
                self._read = self._written = 0
        self._held -= len(piece)
        self._spooling.used -= len(piece)
        if not self._held:
            self._empty.set()
        return piece


def _write(descriptor: int, data: bytes, at: int) -> None:
    while data:
        done = os.pwrite(descriptor, data, at)
        data, at = data[done:], at + done

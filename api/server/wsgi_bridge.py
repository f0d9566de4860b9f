"""Flask behind ASGI: requests become WSGI's (PEP 3333), and answers are made piece by piece in threads."""

from __future__ import annotations

import asyncio
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import suppress
from contextvars import Context, copy_context
from typing import IO, Any, Final, TypeVar
from urllib.parse import unquote_to_bytes

from starlette.types import Receive, Scope, Send

from kg.store.cancellation import Stopper, stoppable

T = TypeVar("T")
Environ = dict[str, Any]
Wsgi = Callable[[Environ, Any], Iterable[bytes]]

_PIECE: Final = 64 * 1024
BODY_TIME: Final = 120.0
"""Seconds for a body that is read ahead, and for each piece of a larger one."""
_DRAIN_TIME: Final = 10.0
# Set by proxies, or read by programs as their own settings (httpoxy); the scope has what is trusted.
_FORWARDED: Final = (b"x-forwarded-", b"forwarded", b"proxy")


class ClientGoneError(Exception):
    """The client left."""


class WsgiBridge:
    """Answers requests with a WSGI application in the threads of a pool.

    A thread is held while the application works, and not while a client reads slowly or sends a small body.
    """

    def __init__(self, app: Wsgi) -> None:
        self._app = app

    async def answer(
        self, scope: Scope, start: IO[bytes], more: bool, receive: Receive, send: Send, threads: Executor
    ) -> None:
        """Answer a request whose body begins with `start` and has more or not; raises ClientGoneError."""
        if not more:
            environ = build_environ(scope, start, start.seek(0, io.SEEK_END))
            start.seek(0)
            await self._answer(environ, None, receive, send, threads)
            return
        late = _LateBody(start, receive, asyncio.get_running_loop())
        with io.BufferedReader(late, _PIECE) as body:
            await self._answer(build_environ(scope, body), late, receive, send, threads)

    async def _answer(
        self, environ: Environ, late: _LateBody | None, receive: Receive, send: Send, threads: Executor
    ) -> None:
        loop = asyncio.get_running_loop()
        stopper = Stopper()
        context = copy_context()
        watcher = None if late else asyncio.create_task(_watch(receive, stopper))
        answer = _Answer(self._app, environ, context, stopper)
        try:
            piece = await loop.run_in_executor(threads, answer.begin)
            if late is not None and late.is_complete:
                watcher = asyncio.create_task(_watch(receive, stopper))
            if stopper.stopped:
                raise ClientGoneError
            await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
            while not answer.complete:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                piece = await loop.run_in_executor(threads, answer.next)
                if stopper.stopped:
                    raise ClientGoneError
            # A client that was asked to wait for an invitation (RFC 9110 section 10.1.1) gets none.
            if late is not None and not late.is_complete and "HTTP_EXPECT" not in environ:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                await late.drain()
                piece = b""
            await send({"type": "http.response.body", "body": piece})
        except BaseException:
            stopper.stop()
            raise
        finally:
            if watcher is not None:
                watcher.cancel()
            await asyncio.shield(loop.run_in_executor(threads, answer.close))


class _Answer:
    """An answer that a WSGI application makes, one step at a time, each in some thread of the pool."""

    def __init__(self, app: Wsgi, environ: Environ, context: Context, stopper: Stopper) -> None:
        self._app = app
        self._environ = environ
        self._context = context
        self._stopper = stopper
        self._body: Iterable[bytes] = ()
        self._pieces: Iterator[bytes] = iter(())
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.complete = False
        self._left: int | None = None

    def begin(self) -> bytes:
        """Call the application; return the first piece of the body."""
        self._body = self._run(self._app, self._environ, self._start)
        self._pieces = iter(self._body)
        length = dict(self.headers).get(b"content-length")
        self._left = None if length is None else int(length)
        return self.next()

    def next(self) -> bytes:
        """Return the next piece; `complete` tells whether it is the last."""
        return self._run(self._collect)

    def close(self) -> None:
        """End the answer."""
        close: Callable[[], None] | None = getattr(self._body, "close", None)  # as PEP 3333 has it
        if close is not None:
            self._run(close)

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> object:
        self.status = int(status[:3])
        self.headers = [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in headers]
        return None

    def _collect(self) -> bytes:
        # Without a length each piece goes at once: the client may be waiting for it.
        pieces: list[bytes] = []
        size = 0
        while size < _PIECE:
            piece = next(self._pieces, None)
            if piece is None:
                self.complete = True
                break
            pieces.append(piece)
            size += len(piece)
            if self._left is None:
                break
            self._left -= len(piece)
            if self._left <= 0:
                self.complete = True
                break
        return b"".join(pieces)

    def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        return self._context.run(self._stoppable, work, *arguments)

    def _stoppable(self, work: Callable[..., T], *arguments: Any) -> T:
        with stoppable(self._stopper):
            return work(*arguments)


class _LateBody(io.RawIOBase):
    """A request's body that is still arriving: read in a thread, awaited in the loop."""

    def __init__(self, start: IO[bytes], receive: Receive, loop: asyncio.AbstractEventLoop) -> None:
        self._start = start
        self._receive = receive
        self._loop = loop
        self._rest = b""
        self._more = True

    @property
    def is_complete(self) -> bool:
        """Whether all of the body has arrived."""
        return not self._more

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._rest or self._start.read(len(buffer)) or self._next()
        count = min(len(piece), len(buffer))
        buffer[:count], self._rest = piece[:count], piece[count:]
        return count

    def _next(self) -> bytes:
        piece = b""
        while self._more and not piece:
            message = asyncio.run_coroutine_threadsafe(self._await(), self._loop).result()
            if message["type"] == "http.disconnect":
                raise ConnectionResetError("the client left")
            piece, self._more = message.get("body", b""), message.get("more_body", False)
        return piece

    async def drain(self) -> None:
        """Drop the rest of the body for a short time: a client that still sends would not see its answer."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_DRAIN_TIME):
                while self._more:
                    message = await self._receive()
                    self._more = message["type"] != "http.disconnect" and message.get("more_body", False)

    async def _await(self) -> Any:
        async with asyncio.timeout(BODY_TIME):
            return await self._receive()


async def _watch(receive: Receive, stopper: Stopper) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    stopper.stop()


def build_environ(scope: Scope, body: Any, size: int | None = None) -> Environ:
    """Write a request as PEP 3333 has it; `size` is the body's, where it is known."""
    server = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": scope.get("root_path", ""),
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        # Not of PEP 3333, but usual: the path as it was sent, here below SCRIPT_NAME.
        "REQUEST_URI": scope["raw_path"].decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": str(server[0]),
        "SERVER_PORT": str(server[1]),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": str(client[0]),
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": body,
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        # An underscore would pass for a hyphen.
        if b"_" in name or name.startswith(_FORWARDED) or name == b"transfer-encoding":
            continue
        variable = name.decode("latin-1").upper().replace("-", "_")
        if variable not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            variable = f"HTTP_{variable}"
        text = value.decode("latin-1")
        if variable in environ:
            text = environ[variable] + ("; " if variable == "HTTP_COOKIE" else ", ") + text
        environ[variable] = text
    if size and "CONTENT_LENGTH" not in environ:
        environ["CONTENT_LENGTH"] = str(size)
    return environ

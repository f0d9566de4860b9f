"""The server's application (ASGI): plain queries in the event loop, everything else by Flask in threads."""

from __future__ import annotations

import asyncio
import io
import re
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from typing import IO, Final
from urllib.parse import urlsplit

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from api.server.plain_queries import PlainQueries
from api.server.wsgi_bridge import BODY_TIME, ClientGoneError, Environ, Wsgi, WsgiBridge, build_environ
from api.web.exchange import CURRENT, note_outcome
from api.web.headers import ADDRESS_LIMIT
from api.web.problem_details import Problem, problem_parts
from api.web.sparql_request import PATH, QueryRequest, read_query
from kg.errors import DiplographError

# RFC 3986 section 3.2.2 and a port.
_HOST: Final = re.compile(rb"[A-Za-z0-9._~%!$&'()*+,;=\[\]:-]*")
# These are answered while all other threads work for slow pages.
_LIGHT: Final = ("/health", "/metrics", "/static/")
_LIGHT_THREADS: Final = 4
_HEAD_LIMIT: Final = 256 * 1024
# A body up to this size is read before a thread is taken for it. No door without a token takes more.
_READ_AHEAD: Final = 4 * 1024**2
_IN_MEMORY: Final = 256 * 1024
# Of these doors, strangers may send bodies. All such bodies together may have this many bytes.
_OPEN: Final = ("/sparql", "/sparql/run", "/reconcile", "/sign-in", "/sign-out")
_GUESS: Final = "wrong-token"
# Seconds that the answer to a wrong token takes, and how many of them are answered at once.
_GUESS_TIME: Final = 1.0
_GUESSES: Final = 4
_STRANGERS: Final = 256 * 1024**2


class Application:
    """One ASGI application; `threads` bounds the requests that Flask answers at once.

    `plain` answers queries of programs; without it, for a store that has no asynchronous interface, Flask
    answers them. `knows` says whether a request comes with the token or a session: the body of another one is
    not kept, except by the doors that are open to all.
    """

    def __init__(
        self,
        flask: Wsgi,
        plain: PlainQueries | None,
        threads: int,
        knows: Callable[[Environ], bool] = lambda environ: True,
    ) -> None:
        self._knows = knows
        self._kept = 0
        self._guesses = asyncio.Semaphore(_GUESSES)
        self._bridge = WsgiBridge(flask)
        self._plain = plain
        self._threads = ThreadPoolExecutor(threads, "answer")
        self._light = ThreadPoolExecutor(_LIGHT_THREADS, "light")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        if scope["type"] != "http":
            raise NotImplementedError(scope["type"])
        # Servers may add trailers to their list, but trailers are not headers (RFC 9110 section 6.5.1).
        # An offer of another protocol is ignored (section 7.8); Werkzeug would refuse one of WebSocket.
        headers = [(name.lower(), value) for name, value in scope["headers"] if name.lower() != b"upgrade"]
        scope = {**scope, "headers": headers}
        fault = _fault(scope)
        if fault is not None:
            await _refuse(*fault)(scope, receive, send)
            return
        try:
            await self._answer(scope, receive, send)
        except ClientGoneError:
            note_outcome("abandoned")

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = _Sent(send, self._guesses)
        try:
            with tempfile.SpooledTemporaryFile(_IN_MEMORY) as start, ExitStack() as held:
                more = await self._read_ahead(scope, receive, start, held)
                query = None if more or self._plain is None else _read_plain(scope, start)
                if query is None or self._plain is None:
                    threads = self._light if scope["path"].startswith(_LIGHT) else self._threads
                    await self._bridge.answer(scope, start, more, receive, sent, threads)
                    return
            tag = self._plain.tag(query)
            if not await self._plain.answer_at_once(query, tag, sent):
                with _cancelled_with_client(receive):
                    await self._plain.answer(query, tag, sent)
        except TimeoutError:
            if sent.begun:
                raise
            await _refuse(408, "the body did not arrive in time")(scope, receive, send)
        except _NoRoomError:
            await _refuse(503, "too many bodies arrive at once")(scope, receive, send)

    async def _read_ahead(self, scope: Scope, receive: Receive, body: IO[bytes], held: ExitStack) -> bool:
        """Read a body up to `_READ_AHEAD` bytes, and return whether there is more.

        A longer body, and one of a stranger to a closed door, is not begun. Raises ClientGoneError,
        _NoRoomError, TimeoutError for a body that does not arrive.
        """
        headers = dict(scope["headers"])
        if b"content-length" not in headers and b"transfer-encoding" not in headers:
            return False
        if int(headers.get(b"content-length", b"0")) > _READ_AHEAD:
            return True
        open_door = scope["path"].rstrip("/") in _OPEN
        if not open_door and not self._knows(build_environ(scope, io.BytesIO())):
            return True
        size, more = 0, True
        async with asyncio.timeout(BODY_TIME):
            while more and size < _READ_AHEAD:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGoneError
                piece = message.get("body", b"")
                if open_door:
                    self._hold(len(piece), held)
                size += body.write(piece)
                more = message.get("more_body", False)
        body.seek(0)
        return more

    def _hold(self, size: int, held: ExitStack) -> None:
        if self._kept + size > _STRANGERS:
            raise _NoRoomError

        def release() -> None:
            self._kept -= size

        self._kept += size
        held.callback(release)


class _NoRoomError(Exception):
    """The bodies of strangers fill their room."""


class _Sent:
    """Passes an answer on, and remembers whether it has begun."""

    def __init__(self, send: Send, guesses: asyncio.Semaphore) -> None:
        self._send = send
        self._guesses = guesses
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if not self.begun and message.get("status") == 403:
            exchange = CURRENT.get()
            if exchange is not None and exchange.outcome == _GUESS:
                async with self._guesses:
                    await asyncio.sleep(_GUESS_TIME)
        self.begun = True
        await self._send(message)


def _read_plain(scope: Scope, body: IO[bytes]) -> QueryRequest | None:
    """Read a query of a program. Pages and faulty requests are None: Flask answers them."""
    if scope["path"] != PATH or scope["method"] not in ("GET", "HEAD", "POST"):
        return None
    if len(scope["query_string"]) > ADDRESS_LIMIT - len(PATH):
        return None
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    if "content-encoding" in headers:
        return None
    base = f"{scope['scheme']}://{headers.get('host', '')}{scope.get('root_path', '')}{PATH}"
    try:
        query = read_query(scope["method"], scope["query_string"], headers, body.read(), base)
    except DiplographError:
        return None
    return None if query.accepted.html or query.explain else query


@contextmanager
def _cancelled_with_client(receive: Receive) -> Iterator[None]:
    """Cancel the work of a block when the client leaves. Raises ClientGoneError."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101
    left = False

    async def watch() -> None:
        nonlocal left
        while (await receive())["type"] != "http.disconnect":
            pass
        left = True
        task.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    except asyncio.CancelledError:
        if not left:
            raise
        task.uncancel()
        raise ClientGoneError from None
    finally:
        watcher.cancel()


def _fault(scope: Scope) -> tuple[int, str] | None:
    """Return status and reason for a request to refuse; make the path of the others absolute."""
    headers = scope["headers"]
    names = [name for name, _ in headers]
    hosts = [value for name, value in headers if name == b"host"]
    if scope["http_version"] not in ("1.0", "1.1"):
        return 505, "this server speaks HTTP/1.1"
    if sum(len(name) + len(value) for name, value in headers) > _HEAD_LIMIT:
        return 431, f"the headers may have {_HEAD_LIMIT:,} bytes"
    # RFC 9112 sections 3.2 and 6.1
    if len(hosts) > 1 or (not hosts and scope["http_version"] == "1.1"):
        return 400, "a request has exactly one Host header"
    if hosts and not _HOST.fullmatch(hosts[0]):
        return 400, "the Host header is not a host name"
    if b"transfer-encoding" in names and (b"content-length" in names or scope["http_version"] == "1.0"):
        return 400, "the length of the body is ambiguous"
    if not scope["method"].isupper():
        return 400, "the method is not in capitals"
    raw_path: bytes = scope["raw_path"]
    if raw_path == b"*" and scope["method"] == "OPTIONS":
        scope.update(raw_path=b"/", path="/")
    elif raw_path.lower().startswith((b"http://", b"https://")):
        path = urlsplit(raw_path.decode("latin-1")).path or "/"
        scope.update(raw_path=path.encode("latin-1"), path=path)
    elif not raw_path.startswith(b"/"):
        return 400, "the request target is not a path"
    return None


def _refuse(status: int, detail: str) -> Response:
    problem = Problem("about:blank", HTTPStatus(status).phrase, status, detail)
    headers, body = problem_parts(problem)
    return Response(body, status, {**headers, "Connection": "close"})

"""The server: one loop for all connections, threads for what takes time."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Any, Final, Protocol

import uvloop

from api.wire.connections import ClientGoneError, Connection, Outgoing
from api.wire.replies import Reply, join, refusal
from api.wire.requests import BadRequestError, Environ, Request, Trust
from kg.errors import DiplographError
from kg.store.cancellation import Stopper, stoppable

Wsgi = Callable[[Environ, Any], Iterable[bytes]]

_log = logging.getLogger(__name__)

_CONNECTIONS: Final = 500
_SWEEP: Final = 1.0
_PAUSE: Final = 0.5


class Ahead(Protocol):
    """Who looks after requests before the application is asked, in the loop's thread."""

    def prepare(self, environ: Environ, go: Callable[[bool], None]) -> Callable[[], None] | None:
        """See to it that `go` is called, once, now or later, in the loop's thread.

        With True when the application will answer without waiting for anything, and shortly. What is
        returned gives the request up; it may be called as long as `go` was not.
        """
        ...

    def tidy(self, environ: Environ) -> None:
        """Let go of what was prepared and not used; called from any thread when an answer is through."""
        ...


class Server:
    """Answers on a listening socket from `run` to `stop`, with a WSGI application.

    `limit` is in bytes, of a request's body. A result that breaks off is broken for its client as well.
    """

    def __init__(
        self,
        app: Wsgi,
        listening: socket.socket,
        *,
        threads: int,
        limit: int,
        proxy: str = "",
        ahead: Callable[[asyncio.AbstractEventLoop], Ahead] | None = None,
    ) -> None:
        self._app = app
        self._listening = listening
        self.limit = limit
        self.stopping = False
        self.loop: asyncio.AbstractEventLoop = uvloop.new_event_loop()
        self._ahead = ahead(self.loop) if ahead else None
        self._threads = ThreadPoolExecutor(threads, "answer")
        self._connections: set[Connection] = set()
        self._accepts = False
        self._stopped: asyncio.Future[None] = self.loop.create_future()
        host, port = listening.getsockname()[:2]
        self.port = int(port)
        self._trust = Trust(host, port, proxy)

    def run(self, ready: Callable[[], None] = lambda: None) -> None:
        """Answer until `stop` is called, and finish what is under way as long as it allows."""
        self._listening.setblocking(False)
        self._accept_again()
        self.loop.call_later(_SWEEP, self._sweep)
        self.loop.call_soon(ready)
        try:
            self.loop.run_until_complete(self._stopped)
        finally:
            for connection in list(self._connections):
                connection.cut()
            self.loop.close()

    def stop(self, patience: float) -> None:
        """Take no more connections and end, `patience` seconds from now at the latest; from any thread."""
        with suppress(RuntimeError):  # It has ended.
            self.loop.call_soon_threadsafe(self._stop, patience)

    def shut(self) -> None:
        """Wait for the threads that make answers, once `run` is over."""
        self._threads.shutdown()
        # What they left for the loop to close, it was too late to close.
        for connection in self._connections:
            connection.sock.close()

    def _stop(self, patience: float) -> None:
        if self.stopping:
            return
        self.stopping = True
        if self._accepts:
            self.loop.remove_reader(self._listening)
        self._listening.close()
        for connection in list(self._connections):
            if not connection.is_answering:
                connection.close()
        self.loop.call_later(patience, self._end)
        self._end_if_through()

    def _end_if_through(self) -> None:
        if self.stopping and not any(one.is_answering for one in self._connections):
            self._end()

    def _end(self) -> None:
        if not self._stopped.done():
            self._stopped.set_result(None)

    def _accept_again(self) -> None:
        if not self._accepts and not self.stopping:
            self._accepts = True
            self.loop.add_reader(self._listening, self._accept)

    def _accept(self) -> None:
        # One at a time, so that all processes that listen get their share.
        try:
            sock, address = self._listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                raise
            self._accept_later()
            return
        sock.setblocking(False)
        if sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections.add(Connection(self, sock, (str(address[0]), int(address[1]))))
        if len(self._connections) >= _CONNECTIONS:
            idle = [one for one in self._connections if one.is_idle]
            if idle:
                min(idle, key=lambda one: one.since).close()
            else:
                self._accept_later()

    def _accept_later(self) -> None:
        self._accepts = False
        self.loop.remove_reader(self._listening)
        self.loop.call_later(_PAUSE, self._accept_again)

    def _sweep(self) -> None:
        now = monotonic()
        for connection in list(self._connections):
            if connection.overdue(now):
                connection.expire()
        self.loop.call_later(_SWEEP, self._sweep)

    def forget(self, connection: Connection) -> None:
        """Take note of a connection that was closed."""
        self._connections.discard(connection)
        if self.stopping:
            self._end_if_through()

    def answer(self, connection: Connection, request: Request) -> None:
        """Answer one request of a connection; its `finish` or `close` is called afterwards."""
        reply = Reply(request.method, request.version, request.keeps and not self.stopping)
        try:
            environ = request.environ(connection.peer, self._trust)
        except BadRequestError as error:
            request.body.close()
            connection.finish(refusal(error.status), False)
            return

        waits = True

        def go(inline: bool) -> None:
            nonlocal waits
            if not waits:
                return
            waits = False
            if connection.gone:
                self._through(request, environ)
                connection.close()
            elif inline:
                self._answer_here(connection, request, environ, reply)
            else:
                self._threads.submit(self._answer_there, connection, request, environ, reply)

        def give_up() -> None:
            if waits and abandon is not None:
                abandon()
                go(False)

        connection.stopper = Stopper()
        if self._ahead is None:
            go(False)
            return
        abandon: Callable[[], None] | None = None
        try:
            abandon = self._ahead.prepare(environ, go)
        except Exception:
            _log.exception("a request could not be looked after")
            go(False)
        if waits:
            connection.stopper.attach(give_up)

    def _answer_here(self, connection: Connection, request: Request, environ: Environ, reply: Reply) -> None:
        try:
            data = reply.whole(join(self._app(environ, reply.start)))
        except Exception:
            _log.exception("an answer failed")
            connection.close()
            return
        finally:
            self._through(request, environ)
        connection.finish(data, reply.keeps)

    def _answer_there(self, connection: Connection, request: Request, environ: Environ, reply: Reply) -> None:
        out = Outgoing(connection)
        whole = False
        try:
            with stoppable(connection.stopper):
                body = self._app(environ, reply.start)
                try:
                    for piece in body:
                        if piece:
                            out.send(reply.piece(piece))
                    out.send(reply.end())
                finally:
                    close = getattr(body, "close", None)
                    if close is not None:
                        close()
            whole = True
        except ClientGoneError:
            pass
        except DiplographError as error:
            # Its client sees the connection end in mid-answer; the log of requests tells which one it was.
            _log.info("an answer broke off: %s", error)
        except Exception:
            if not connection.gone:
                _log.exception("an answer broke off")
        finally:
            self._through(request, environ)
            try:
                self.loop.call_soon_threadsafe(
                    partial(connection.finish, out.rest, reply.keeps) if whole else connection.close
                )
            except RuntimeError:  # The loop is over, and nobody else has this connection any more.
                connection.sock.close()

    def _through(self, request: Request, environ: Environ) -> None:
        request.body.close()
        if self._ahead is not None:
            self._ahead.tidy(environ)

"""One client's connection: its requests one after the other, and answers at the client's pace."""

from __future__ import annotations

import select
import socket
from collections import deque
from contextlib import suppress
from time import monotonic
from typing import TYPE_CHECKING, Final

from api.wire.replies import Buffers, refusal
from api.wire.requests import BadRequestError, Request, RequestReader
from kg.store.cancellation import Stopper

if TYPE_CHECKING:
    from api.wire.server import Server

_READ: Final = 256 * 1024
# Requests that a client may send before the first of them is answered.
_AHEAD: Final = 8
# What a thread need not wait for: the loop sends it.
_HELD: Final = 1024 * 1024
# Seconds: without a request, for a head, for an empty body, without progress of an answer, for last words.
_IDLE: Final = 120.0
_HEAD: Final = 30.0
_BODY: Final = 60.0
_STALL: Final = 120.0
_LINGER: Final = 2.0
# Bytes a second that a body has to come at, on the whole.
_PACE: Final = 16 * 1024
_TURN: Final = 1000


class ClientGoneError(Exception):
    """The client went away, or takes nothing for too long."""


class Connection:
    """A socket that the server accepted. All but `Outgoing` happens in the loop's thread."""

    def __init__(self, server: Server, sock: socket.socket, peer: tuple[str, int]) -> None:
        self._server = server
        self.sock = sock
        self.peer = peer
        self.stopper = Stopper()
        # Set once the client went away; read by the thread that makes its answer.
        self.gone = False
        self.busy = False
        self._requests: deque[Request] = deque()
        self._reader = RequestReader(server.limit, self._requests.append, self._welcome)
        self._reads = False
        self._bad = ""
        self._unsent = memoryview(b"")
        self._keeps = True
        self._lingers = False
        self._closed = False
        self._since = monotonic()
        self._listen()

    @property
    def is_idle(self) -> bool:
        """Tell whether nothing of a request or an answer is under way."""
        return not (self.busy or self._requests or self._unsent or self._reader.begun)

    @property
    def is_answering(self) -> bool:
        """Tell whether an answer is under way."""
        return self.busy or bool(self._requests) or bool(self._unsent)

    @property
    def since(self) -> float:
        """Tell when something happened last."""
        return self._since

    def overdue(self, now: float) -> bool:
        """Tell whether the client has had the time that it may take."""
        if self._lingers:
            allowed = _LINGER
        elif self._unsent:
            allowed = _STALL
        elif self.busy:
            return False
        elif self._reader.begun:
            allowed = _HEAD if self._reader.in_head else _BODY + self._reader.size / _PACE
        else:
            allowed = _IDLE
        return now - self._since > allowed

    def expire(self) -> None:
        """Close what is overdue."""
        if self._reader.begun and not self._lingers:
            self._bad = "408 Request Timeout"
            self._next()
        else:
            self.close()

    def finish(self, rest: bytes | bytearray, keeps: bool) -> None:
        """Send what is left of an answer, then take the next request, or close."""
        self._keeps = self._keeps and keeps
        self._since = monotonic()
        if self.gone:
            self.close()
            return
        try:
            sent = self.sock.send(rest) if rest else 0
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        if sent < len(rest):
            self._unsent = memoryview(rest)[sent:]
            self._server.loop.add_writer(self.sock, self._writable)
        else:
            self._answered()

    def close(self) -> None:
        """Hang up at once: what is under way ends, and its client sees that it broke off."""
        if self._closed:
            return
        self._closed = self.gone = True
        self._deafen()
        if self._unsent:
            self._server.loop.remove_writer(self.sock)
            self._unsent = memoryview(b"")
        for request in self._requests:
            request.body.close()
        self._requests.clear()
        self._reader.close()
        self.sock.close()
        self._server.forget(self)

    def cut(self) -> None:
        """Close; where a thread still makes an answer, it finds its client gone and closes by itself."""
        if not self.busy:
            self.close()
            return
        self.gone = True
        with suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)

    def _readable(self) -> None:
        try:
            data = self.sock.recv(_READ)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            data = b""
        if not data:
            self._leave()
        elif not (self._lingers or self._bad or self._reader.refused):
            if not self._reader.begun:
                self._since = monotonic()
            try:
                self._reader.feed(data)
            except BadRequestError as error:
                self._bad = error.status
            if not self.busy:
                self._next()
            elif len(self._requests) >= _AHEAD or self._reader.size > _HELD:
                self._deafen()  # What else it has to say can wait.

    def _leave(self) -> None:
        """Stop what is under way: the client that asked for it is gone."""
        self._deafen()
        self.gone = True
        self.stopper.stop()
        if not self.busy:
            self.close()

    def _next(self) -> None:
        if self._requests and not self.gone:
            self.busy = True
            self._server.answer(self, self._requests.popleft())
        elif self._bad:
            self._keeps = False
            self.busy = True
            self._answered_by(refusal(self._bad))
        else:
            self._listen()

    def _answered_by(self, data: bytes) -> None:
        self._requests.clear()
        self.finish(data, False)

    def _answered(self) -> None:
        self.busy = False
        if self.gone:
            self.close()
        elif self._keeps and not self._server.stopping:
            self._since = monotonic()
            self._next()
        else:
            # A client that is sending still must hear what it is told before it hears that nobody listens.
            self._lingers = True
            try:
                self.sock.shutdown(socket.SHUT_WR)
            except OSError:
                self.close()
                return
            self._listen()

    def _writable(self) -> None:
        try:
            sent = self.sock.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            self.close()
            return
        self._since = monotonic()
        self._unsent = self._unsent[sent:]
        if not self._unsent:
            self._server.loop.remove_writer(self.sock)
            self._answered()

    def _welcome(self) -> None:
        if not (self.busy or self._requests):
            try:
                self.sock.send(b"HTTP/1.1 100 Continue\r\n\r\n")
            except OSError:
                self._leave()

    def _listen(self) -> None:
        if not self._reads:
            self._reads = True
            self._server.loop.add_reader(self.sock, self._readable)

    def _deafen(self) -> None:
        if self._reads:
            self._reads = False
            self._server.loop.remove_reader(self.sock)


class Outgoing:
    """The way of an answer from the thread that makes it, `_HELD` bytes ahead of its client at the most."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sock = connection.sock
        self.rest = bytearray()

    def send(self, buffers: Buffers) -> None:
        """Send, waiting for a client that is slow. Raises ClientGoneError."""
        if self._connection.gone:
            raise ClientGoneError
        if self.rest:
            for buffer in buffers:
                self.rest += buffer
        else:
            try:
                sent = self._sock.sendmsg(buffers)
            except BlockingIOError:
                sent = 0
            except OSError:
                raise ClientGoneError from None
            for buffer in buffers:
                self.rest += memoryview(buffer)[sent:] if sent < len(buffer) else b""
                sent = max(0, sent - len(buffer))
        if self.rest:
            self._push()

    def _push(self) -> None:
        since = monotonic()
        while self.rest:
            try:
                sent = self._sock.send(self.rest)
            except BlockingIOError:
                sent = 0
            except OSError:
                raise ClientGoneError from None
            del self.rest[:sent]
            if sent:
                since = monotonic()
            elif len(self.rest) <= _HELD:
                return
            else:
                self._wait(since)

    def _wait(self, since: float) -> None:
        poll = select.poll()
        poll.register(self._sock, select.POLLOUT)
        while not poll.poll(_TURN):
            if self._connection.gone or monotonic() - since > _STALL:
                raise ClientGoneError
        if self._connection.gone:
            raise ClientGoneError

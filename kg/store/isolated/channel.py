"""Frames between the serving process and its engine processes, over a socket pair.

A frame is one byte of kind, four bytes of length (big endian) and the payload: `J` a JSON message, `D` a
piece of data, `Z` the end of data, `E` an error of our tree as JSON. `H` is a JSON message in the place of a
result that could have come at once, and is to be asked for.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import struct
from time import monotonic
from typing import Any

from kg import errors
from kg.errors import DiplographError, PlacedError, StoreFailedError, ValidationFailedError

_HEAD = struct.Struct(">cI")
_READ = 64 * 1024
_PLENTY = 256 * 1024


def frame(kind: bytes, payload: bytes | bytearray = b"") -> bytes:
    """Write one frame."""
    return _HEAD.pack(kind, len(payload)) + payload


def end_with_other_side(sock: socket.socket) -> None:
    """End this process when the other side hangs up, also in the middle of its work; a thread's work."""
    poll = select.poll()
    poll.register(sock.fileno(), 0)
    poll.poll()
    os._exit(1)


class ChannelClosedError(Exception):
    """The other side is gone."""


class ChannelTimeoutError(Exception):
    """The other side said nothing within the budget."""


class Channel:
    """One side of a socket pair. `waited` counts the seconds spent waiting for the other side."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._held = bytearray()
        self._poll: select.poll | None = None
        self.waited = 0.0

    def fileno(self) -> int:
        """Give the descriptor, to wait for it together with others."""
        return self._sock.fileno()

    def send(self, kind: bytes, payload: bytes | bytearray = b"") -> None:
        """Send one frame, blocking while the other side is busy; raises ChannelClosedError."""
        self.send_frames(frame(kind, payload))

    def send_frames(self, *parts: bytes | bytearray) -> None:
        """Send what makes up frames that stand one after the other; raises ChannelClosedError."""
        try:
            sent = self._sock.sendmsg(parts)
            if sent < sum(map(len, parts)):
                self._sock.sendall(memoryview(b"".join(parts))[sent:])
        except OSError:
            raise ChannelClosedError from None

    def send_data(self, data: bytes | bytearray, before: bytes = b"") -> None:
        """Send a piece of data, after frames that are made already; raises ChannelClosedError."""
        self.send_frames(before + _HEAD.pack(b"D", len(data)), data)

    def send_message(self, message: dict[str, Any]) -> None:
        """Send one JSON message."""
        self.send(b"J", json.dumps(message).encode())

    def send_request(self, message: bytes, data: bytes) -> None:
        """Send a JSON message that is written already, and data that belong to it."""
        self.send_frames(frame(b"J", message) + _HEAD.pack(b"D", len(data)), data)

    def send_error(self, error: DiplographError) -> None:
        """Send one error so that the other side can raise the same."""
        known = (
            type(error) if getattr(errors, type(error).__name__, None) is type(error) else StoreFailedError
        )
        placed = {"line": error.line, "column": error.column} if isinstance(error, PlacedError) else {}
        found = {"findings": error.findings} if isinstance(error, ValidationFailedError) else {}
        fields = {"detail": error.detail, "where": error.where, "mend": error.mend, **placed, **found}
        self.send(b"E", json.dumps({"class": known.__name__, **fields}).encode())

    def receive(self, budget: float | None = None) -> tuple[bytes, bytes]:
        """Take one frame within `budget` seconds.

        Raises the error that it carries, ChannelClosedError, ChannelTimeoutError.
        """
        started = monotonic()
        try:
            kind, length = _HEAD.unpack(self._take(_HEAD.size, started, budget))
            payload = self._take(length, started, budget)
        finally:
            self.waited += monotonic() - started
        if kind == b"E":
            fields = json.loads(payload)
            raise getattr(errors, fields.pop("class"))(fields.pop("detail"), **fields)
        return kind, payload

    def take_in(self) -> bool | None:
        """Take what has come, without waiting: True with a whole answer, None with a part of a long one.

        A whole answer ends with `Z`, `E` or `H`. Raises ChannelClosedError.
        """
        try:
            piece = self._sock.recv(_READ, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            raise ChannelClosedError from None
        if not piece:
            raise ChannelClosedError
        self._held += piece
        held, position = self._held, 0
        while position + _HEAD.size <= len(held):
            kind, length = _HEAD.unpack_from(held, position)
            position += _HEAD.size + length
            if kind in b"ZEH" and position <= len(held):
                return True
        return None if len(held) > _PLENTY else False

    def whole_result(self) -> tuple[bytes, bytes] | None:
        """Give the message and the data of a result that is here from end to end; None for anything else.

        What it gives is taken.
        """
        message, data, position = b"", [], 0
        while position + _HEAD.size <= len(self._held):
            kind, length = _HEAD.unpack_from(self._held, position)
            start, position = position + _HEAD.size, position + _HEAD.size + length
            if position > len(self._held) or kind not in b"JDZ":
                return None
            payload = bytes(memoryview(self._held)[start:position])
            if kind == b"J":
                message = payload
            elif kind == b"D":
                data.append(payload)
            else:
                del self._held[:position]
                return message, b"".join(data)
        return None

    def ready(self, budget: float) -> bool:
        """Tell whether the other side says something within `budget` seconds."""
        if self._held:
            return True
        try:
            return bool(select.select([self._sock], [], [], budget)[0])
        except (OSError, ValueError):
            return True

    def receive_message(self, budget: float | None = None) -> dict[str, Any]:
        """Take one JSON message."""
        _, payload = self.receive(budget)
        message: dict[str, Any] = json.loads(payload)
        return message

    def hang_up(self) -> None:
        """End it for both sides while another thread waits for something to come; `close` it afterwards."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of it."""
        self._sock.close()

    def _take(self, size: int, started: float, budget: float | None) -> bytes:
        parts: list[bytes] = []
        missing = size
        if size - len(self._held) >= _READ:
            # A long payload need not be gathered beside others first.
            parts.append(bytes(self._held))
            self._held.clear()
            missing -= len(parts[0])
            while missing:
                parts.append(self._receive(min(missing, 1 << 20), started, budget))
                missing -= len(parts[-1])
            return b"".join(parts) if parts[0] or len(parts) > 2 else parts[1]
        while len(self._held) < size:
            self._held += self._receive(_READ, started, budget)
        taken = bytes(memoryview(self._held)[:size])
        del self._held[:size]
        return taken

    def _receive(self, size: int, started: float, budget: float | None) -> bytes:
        """Wait for some bytes; raises ChannelClosedError, ChannelTimeoutError."""
        try:
            if budget is not None:
                self._wait(budget - (monotonic() - started))
            piece = self._sock.recv(size)
        except OSError:
            raise ChannelClosedError from None
        if not piece:
            raise ChannelClosedError
        return piece

    def _wait(self, left: float) -> None:
        if self._poll is None:
            self._poll = select.poll()
            self._poll.register(self._sock, select.POLLIN)
        # Rounded up, so that it does not end a moment before its time, over and over.
        if left <= 0 or not self._poll.poll(left * 1000 + 1):
            raise ChannelTimeoutError
